//! The commands that look at files: check, fmt, explain.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::MietteDiagnostic;
use nas_diagnostics::{Problems, is_error};
use nas_frontend::session::NamedNetwork;
use nas_ir::Network;
use nas_passes::specialise;
use rayon::prelude::*;

use crate::input::{self, Asked, DropArgs, Input, load_table};
use crate::process::STACK;
use crate::report::{self, Failure, counted};

/// Arguments of `nasc check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The files; a folder means the `.nas` files in it and in its folders.
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

/// The files that are meant, those of folders in order.
fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        add_files(path, &mut files)
            .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?;
        if files.len() == before {
            return Err(Failure::input(format!(
                "{}: there is no `.nas` file in it",
                path.display()
            )));
        }
    }
    Ok(files)
}

fn add_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            add_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "nas") {
            files.push(path);
        }
    }
    Ok(())
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
    let is_json = args.format == ProblemFormat::Json;
    let files = files_of(&args.files)?;
    let found = each_of(&files, |path| check_file(path, args.drop))?;
    for (path, checked) in files.iter().zip(found) {
        let Checked { problems, dropped } = checked?;
        dropped.iter().for_each(|line| eprintln!("{line}"));
        is_cut |= problems.is_cut();
        let problems = problems.into_vec().into_iter();
        all.extend(problems.map(|p| if is_json { report::placed(p, path) } else { p }));
    }
    let errors = all.iter().filter(|problem| is_error(problem.as_ref())).count();
    let warnings = all.len() - errors;
    if is_json {
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
    /// The files; a folder means the `.nas` files in it and in its folders.
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
    for path in &files_of(&args.files)? {
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
    codes.clone().find(ends).or_else(|| nas_diagnostics::nearest(given, &mut codes))
}
