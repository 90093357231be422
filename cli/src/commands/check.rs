//! `nasc check`: every problem of files.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::MietteDiagnostic;
use nas_diagnostics::{Problems, is_error};
use nas_frontend::session::SoundSearch;
use nas_grammar::{Problem, Source};
use nas_search::strategies;
use rayon::prelude::*;

use crate::process::STACK;
use crate::render::report::{self, Failure, counted};
use crate::render::stream;
use crate::services::folders::files_of;
use crate::services::input::{self, DropArgs, Input};
use crate::services::source::{load_table, name_of};
use crate::tell;

/// Arguments of `nasc check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The files; a folder means the `.nas` files in it and in its folders but those of runs, `-` standard input.
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

/// What was found in a file, and what is told of it beside.
struct Checked {
    problems: Problems,
    notes: Vec<String>,
}

fn check_file(path: &Path, drop: DropArgs) -> Result<Checked, Failure> {
    let (mut problems, mut notes) = (Problems::default(), Vec::new());
    match Input::load(path, &mut problems) {
        Ok(input) => {
            let asked = drop.of(path);
            let compiler = asked.compiler(&input.program, &mut problems);
            let mut compiler = compiler.with_tables(&load_table);
            let searches = compiler.check_all();
            notes = input::dropped(asked, &compiler);
            let main = input.program.module(input.program.main());
            if main.is_some_and(|main| main.file.items.is_empty()) && !problems.has_errors() {
                notes.push(format!("note: {} holds no item", name_of(path)));
            }
            let file = main.map(|main| &main.source);
            problems.extend(searches.iter().filter_map(|search| refusal(search, file?)));
        }
        Err(Failure::Problems(found)) => problems.extend(found),
        Err(Failure::Input(text) | Failure::Held(text)) => {
            problems.push(MietteDiagnostic::new(text))
        }
        Err(other) => return Err(other),
    }
    Ok(Checked { problems, notes })
}

/// What would refuse a search before it began.
fn refusal(search: &SoundSearch<'_>, file: &Source) -> Option<Problem> {
    let refused = strategies::check(&search.space, &search.recipe).err()?;
    Some(report::at(refused, file, search.item.space.name.span, "searched here"))
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
pub fn run(args: &CheckArgs) -> Result<(), Failure> {
    let (mut all, mut is_cut) = (Vec::new(), false);
    let is_json = args.format == ProblemFormat::Json;
    let files = files_of(&args.files)?;
    let found = each_of(&files, |path| check_file(path, args.drop))?;
    for (path, checked) in files.iter().zip(found) {
        let Checked { problems, notes } = checked?;
        notes.iter().for_each(|line| tell!("{line}"));
        is_cut |= problems.is_cut();
        let problems = problems.into_vec().into_iter();
        all.extend(problems.map(|p| if is_json { report::placed(p, &name_of(path)) } else { p }));
    }
    let errors = all.iter().filter(|problem| is_error(problem.as_ref())).count();
    let warnings = all.len() - errors;
    if is_json {
        stream::json(&report::json(&all), false)?;
        return if errors == 0 { Ok(()) } else { Err(Failure::Reported) };
    }
    report::print_problems(&all);
    if all.is_empty() {
        return Ok(());
    }
    let more = if is_cut { "; there are more than are shown" } else { "" };
    tell!("{}, {}{more}", counted(errors, "error"), counted(warnings, "warning"));
    if errors == 0 { Ok(()) } else { Err(Failure::Reported) }
}
