//! The commands that look at files: check, fmt, explain.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::MietteDiagnostic;
use nas_compiler::compile::NamedNetwork;
use nas_compiler::error::{Problems, is_error};
use nas_compiler::{Network, specialise};
use rayon::prelude::*;

use crate::command::STACK;
use crate::input::{self, Asked, DropArgs, Input, load_table};
use crate::report::{self, Failure, counted};

/// Arguments of `nasc check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// How problems are written: for people to standard error, or as JSON to standard output.
    #[arg(long, value_enum, default_value_t = ProblemFormat::Text)]
    pub format: ProblemFormat,
}

/// How problems are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProblemFormat {
    /// For people.
    Text,
    /// For editors.
    Json,
}

/// What was found in a file, and what was left out of it.
struct Checked {
    problems: Problems,
    dropped: Vec<String>,
}

fn check_file(path: &Path, drop: DropArgs) -> Result<Checked, Failure> {
    let (mut problems, mut dropped) = (Problems::default(), Vec::new());
    match Input::load(path, &mut problems) {
        Ok(input) => {
            let asked = drop.of(path);
            let compiler = asked.compiler(&input.program, &mut problems);
            let mut compiler = compiler.with_tables(&load_table);
            compiler.check_all();
            dropped = input::dropped(asked, &compiler);
        }
        Err(Failure::Problems(found)) => problems.extend(found),
        Err(Failure::Input(text)) => problems.push(MietteDiagnostic::new(text)),
        Err(other) => return Err(other),
    }
    Ok(Checked { problems, dropped })
}

/// What `work` makes of each file, on all cores, in the order of the files.
fn each_of<T: Send>(
    files: &[PathBuf],
    work: impl Fn(&Path) -> T + Sync,
) -> Result<Vec<T>, Failure> {
    let threads = rayon::ThreadPoolBuilder::new().stack_size(STACK).build();
    let threads = threads.map_err(|error| Failure::input(error.to_string()))?;
    Ok(threads.install(|| files.par_iter().map(|path| work(path)).collect()))
}

/// Every problem of the files.
///
/// # Errors
/// There is an error among them.
pub fn check(args: &CheckArgs) -> Result<(), Failure> {
    let (mut all, mut is_cut) = (Vec::new(), false);
    for checked in each_of(&args.files, |path| check_file(path, args.drop))? {
        let Checked { problems, dropped } = checked?;
        dropped.iter().for_each(|line| eprintln!("{line}"));
        is_cut |= problems.is_cut();
        all.extend(problems.into_vec());
    }
    let errors = all.iter().filter(|problem| is_error(problem.as_ref())).count();
    let warnings = all.len() - errors;
    if args.format == ProblemFormat::Json {
        println!("{}", report::json(&all));
        return if errors == 0 { Ok(()) } else { Err(Failure::Reported) };
    }
    report::print_problems(&all);
    if all.is_empty() {
        return Ok(());
    }
    let more = if is_cut { "; there are more than are shown" } else { "" };
    eprintln!("{}, {}{more}", counted(errors, "error"), counted(warnings, "warning"));
    if errors == 0 { Ok(()) } else { Err(Failure::Reported) }
}

/// Arguments of `nasc fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; fail if a file is not in canonical layout.
    #[arg(long)]
    pub check: bool,
}

/// Brings files into canonical layout; all that can be, also where one cannot.
///
/// # Errors
/// A file cannot be read or parsed, or, with `--check`, is not in canonical layout.
pub fn fmt(args: &FmtArgs) -> Result<(), Failure> {
    let mut failed = false;
    for path in &args.files {
        if let Err(failure) = format_file(path, args.check) {
            let _ = failure.report();
            failed = true;
        }
    }
    if failed { Err(Failure::Reported) } else { Ok(()) }
}

fn format_file(path: &Path, check: bool) -> Result<(), Failure> {
    let source = input::read_source(path)?;
    let formatted = nas_grammar::format::format(&source).map_err(Failure::Problems)?;
    if formatted == **source.text() {
        return Ok(());
    }
    if check {
        let path = path.display();
        return Err(Failure::input(format!(
            "{path} is not in canonical layout: `nasc fmt {path}`"
        )));
    }
    crate::files::write_whole(path, formatted.as_bytes())
}

/// The network that `--arch` means, with its place in the space.
pub(crate) fn named_network(
    asked: Asked<'_>,
    space: Option<&str>,
    which: &str,
) -> Result<(NamedNetwork, Network), Failure> {
    Input::with(asked, |program, compiler| {
        let named = input::network(program, compiler, space, which)?;
        let network = specialise(&named.space, &named.assignment);
        Ok((named, network))
    })
}

/// Arguments of `nasc explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code of a diagnostic, such as nas::shape::groups.
    pub code: String,
}

/// The page of a diagnostic's code.
///
/// # Errors
/// There is no such code.
pub fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    match nas_grammar::reference::error_page(&args.code) {
        Some(page) => {
            print!("{page}");
            Ok(())
        }
        None => {
            let codes = nas_grammar::reference::error_codes();
            let hint = match probable_code(&args.code, &codes) {
                Some(code) => format!("did you mean {code}?"),
                None => "a code stands above each report, such as nas::shape::groups".to_owned(),
            };
            Err(Failure::input(format!("there is no code `{}`; {hint}", args.code)))
        }
    }
}

/// The code that was meant: by its last part alone, or misspelt.
fn probable_code<'c>(given: &str, codes: &'c [String]) -> Option<&'c str> {
    let mut codes = codes.iter().map(String::as_str);
    let ends = |code: &&str| code.rsplit("::").next() == Some(given);
    codes.clone().find(ends).or_else(|| nas_compiler::error::nearest(given, &mut codes))
}
