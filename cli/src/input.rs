//! Reading `.nas` files: the loader of imports, and the compiled parts that commands ask for.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use nas_analysis::least_under;
use nas_diagnostics::{Problems, is_error, nearest};
use nas_frontend::Compiler;
use nas_frontend::items::arch;
use nas_frontend::items::search::Override;
use nas_frontend::modules::{LoadError, LoadTable, Program};
use nas_frontend::session::NamedNetwork;
use nas_grammar::parse::{MAX_BYTES, decode};
use nas_grammar::{Problem, Source, ast};
use nas_ir::recipe::Recipe;
use nas_ir::requirement::Requirement;
use nas_ir::{Assignment, Checked, Form, Limit, Measure, Space};
use nas_search::strategies::SCHEMAS;
use serde::Deserialize;

use crate::report::Failure;

/// The option of what compiles a space.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct DropArgs {
    /// Leave out the candidates that the target of the space cannot run, and say which.
    #[arg(long)]
    pub drop_unsupported: bool,
}

impl DropArgs {
    /// A file as this option asks for it.
    #[must_use]
    pub fn of(self, path: &Path) -> Asked<'_> {
        Asked { path, drop_unsupported: self.drop_unsupported }
    }
}

/// A file, and whether its spaces go without what their targets cannot run.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    path: &'a Path,
    drop_unsupported: bool,
}

impl Asked<'_> {
    /// A compiler that leaves out what is to be left out.
    pub(crate) fn compiler<'p, 'e>(
        self,
        program: &'p Program,
        problems: &'e mut Problems,
    ) -> Compiler<'p, 'e> {
        let mut compiler = Compiler::new(program, problems).with_strategies(SCHEMAS);
        compiler.drop_unsupported(self.drop_unsupported);
        compiler
    }
}

/// The record of a run in its folder.
const RUN: &str = "run.json";

/// Lets a compiler leave out what the run in a folder did without, if there is one.
///
/// # Errors
/// It is to leave out what that run did not.
pub fn as_in_run(compiler: &mut Compiler<'_, '_>, folder: &Path) -> Result<(), Failure> {
    let record = std::fs::read(folder.join(RUN)).ok();
    let record: Option<serde_json::Value> =
        record.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let drops = record.and_then(|record| record.get("drop_unsupported")?.as_bool());
    let run = folder.display();
    match (drops, compiler.drops_unsupported()) {
        (Some(false), true) => Err(Failure::input(format!(
            "the run in `{run}` was begun without `--drop-unsupported`: leave the option out"
        ))),
        (Some(true), false) => {
            eprintln!("note: `--drop-unsupported`, as the run in `{run}` was begun with it");
            compiler.drop_unsupported(true);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a compiler left out, if it was to: a line for each.
pub(crate) fn dropped(asked: Asked<'_>, compiler: &Compiler<'_, '_>) -> Vec<String> {
    if compiler.drops_unsupported() && compiler.dropped().is_empty() {
        return vec![format!("{}: nothing is dropped", asked.path.display())];
    }
    compiler.dropped().iter().map(|dropped| format!("dropped: {dropped}")).collect()
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for Asked<'a> {
    fn from(path: &'a P) -> Self {
        DropArgs::default().of(path.as_ref())
    }
}

/// A loaded file, with the program that it and its imports make.
pub struct Input {
    /// The path as given.
    pub path: PathBuf,
    /// The program.
    pub program: Program,
}

impl Input {
    /// Reads a file and what it imports. Problems found on the way are added.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(path: &Path, problems: &mut Problems) -> Result<Self, Failure> {
        let main = read_source(path)?;
        let program = Program::load(main, &load_module, problems);
        Ok(Self { path: path.to_owned(), program })
    }

    /// Reads a file and hands a compiler of it to `inner`; problems of either fail, warnings
    /// are printed.
    ///
    /// # Errors
    /// What is wrong with the file, or what `inner` fails with.
    pub fn with<'a, T>(
        asked: impl Into<Asked<'a>>,
        inner: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        Self::compile(asked.into(), Some(&load_table), inner)
    }

    /// As [`Input::with`], by a compiler that reads no latency tables: for those who make them.
    ///
    /// # Errors
    /// What is wrong with the file, or what `inner` fails with.
    pub fn without_tables<'a, T>(
        asked: impl Into<Asked<'a>>,
        inner: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        Self::compile(asked.into(), None, inner)
    }

    fn compile<T>(
        asked: Asked<'_>,
        tables: Option<&LoadTable<'_>>,
        inner: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut problems = Problems::default();
        let input = Self::load(asked.path, &mut problems)?;
        let mut compiler = asked.compiler(&input.program, &mut problems);
        if let Some(load) = tables {
            compiler = compiler.with_tables(load);
        }
        let result = inner(&input.program, &mut compiler);
        dropped(asked, &compiler).iter().for_each(|line| eprintln!("{line}"));
        let problems = problems.into_vec();
        if problems.iter().any(|problem| is_error(problem.as_ref())) {
            return Err(Failure::Problems(problems));
        }
        crate::report::print_problems(&problems);
        result
    }
}

/// The text of a file that was named on the command line.
///
/// # Errors
/// It cannot be read.
pub fn read_source(path: &Path) -> Result<Source, Failure> {
    read(path).map_err(|error| match error {
        LoadError::Unreadable(problem) => Failure::Problems(vec![problem]),
        reason => {
            let with_ending = path.with_extension("nas");
            let near = (!path.exists() && with_ending.is_file())
                .then(|| format!("; did you mean {}?", with_ending.display()));
            Failure::input(format!("{}: {reason}{}", path.display(), near.unwrap_or_default()))
        }
    })
}

fn read(path: &Path) -> Result<Source, LoadError> {
    let bytes = read_bytes(path).map_err(|error| LoadError::Missing(io_reason(&error)))?;
    decode(&path.display().to_string(), bytes).map_err(LoadError::Unreadable)
}

/// The bytes of a file, or one more than a source may have: a device may have no end.
fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a file could not be read, in plain words.
#[must_use]
pub fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// `std.blocks` is part of the compiler; other modules are files beside the importing one.
///
/// # Errors
/// There is no such module, or it cannot be read.
pub fn load_module(importer: &str, module: &[&str]) -> Result<Source, LoadError> {
    if let ["std", rest @ ..] = module {
        let name = rest.join("/");
        return match nas_spaces::std_module(&name) {
            Some(text) => Ok(Source::new(format!("std/{name}.nas"), text)),
            None => {
                let known = nas_spaces::std_modules();
                Err(LoadError::Unknown(known.iter().map(|name| format!("std.{name}")).collect()))
            }
        };
    }
    read_beside(importer, &module.iter().collect::<PathBuf>().with_extension("nas"))
}

/// A latency table lies where its path leads to from the folder of the file that names it.
///
/// # Errors
/// It cannot be read.
pub fn load_table(importer: &str, path: &str) -> Result<Source, LoadError> {
    read_beside(importer, Path::new(path))
}

fn read_beside(file: &str, path: &Path) -> Result<Source, LoadError> {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let path = folder.join(path);
    read(&path).map_err(|error| match error {
        LoadError::Missing(reason) => LoadError::Missing(format!("{}: {reason}", path.display())),
        other => other,
    })
}

/// The space that a command works on: the one named, or the only one of the file.
///
/// # Errors
/// There is none of this name, or several to choose from.
pub fn space(
    program: &Program,
    compiler: &mut Compiler<'_, '_>,
    name: Option<&str>,
) -> Result<Arc<Checked<Space>>, Failure> {
    let name = pick("space", "`--space`", name, &space_names(program))?;
    compiler.space(name, &[]).ok_or(Failure::Reported)
}

fn space_names(program: &Program) -> Vec<&str> {
    program.spaces().map(|space| space.name.name.as_str()).collect()
}

/// The one that is named, or the only one there is; `by` says how to name one.
fn pick<'a>(
    what: &str,
    by: &str,
    name: Option<&str>,
    names: &[&'a str],
) -> Result<&'a str, Failure> {
    if let Some(found) = names.iter().find(|found| Some(**found) == name) {
        return Ok(found);
    }
    match (name, names) {
        (Some(name), []) => Err(Failure::input(format!("the file has no {what} `{name}`"))),
        (Some(name), names) => Err(Failure::input(format!(
            "the file has no {what} `{name}`{}; it has {}",
            hint(name, names),
            names.join(", ")
        ))),
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::input(format!("the file has no {what}"))),
        (None, names) => Err(Failure::input(format!(
            "the file has several {what}s; pick one by {by}: {}",
            names.join(", ")
        ))),
    }
}

/// The name that was probably meant, in brackets.
fn hint(name: &str, among: &[&str]) -> String {
    let near = nearest(name, among.iter().copied());
    near.map_or(String::new(), |near| format!(" (did you mean `{near}`?)"))
}

/// The network that `--arch` means: an `arch` item, a JSON file, `random:SEED`, uniformly from the
/// space, or `least:MEASURE` and `greatest:MEASURE`, at an end of it. A file in the folder of a run
/// is of the space of that run.
///
/// # Errors
/// It means none of them, or the file does not fit the space.
pub fn network<'p>(
    program: &'p Program,
    compiler: &mut Compiler<'p, '_>,
    space_name: Option<&str>,
    which: &str,
) -> Result<NamedNetwork, Failure> {
    if let Some(item) = program.archs().find(|item| item.name.name == which) {
        return compiler.named_network(item).ok_or(Failure::Reported);
    }
    if let Some(seed) = which.strip_prefix("random:") {
        let seed = seed.parse().map_err(|_| {
            Failure::input(format!("`{which}`: the seed is a whole number, such as random:1"))
        })?;
        let space = space(program, compiler, space_name)?;
        let assignment = crate::sample::draw(&space, seed)?.next().ok_or(Failure::Reported)??;
        return Ok(NamedNetwork { space, assignment });
    }
    if let Some((end @ ("least" | "greatest"), measure)) = which.split_once(':') {
        let space = space(program, compiler, space_name)?;
        let assignment = extreme(&space, end == "greatest", measure)?;
        return Ok(NamedNetwork { space, assignment });
    }
    if which.ends_with(".json") {
        as_in_run(compiler, Path::new(which).parent().unwrap_or(Path::new("")))?;
        let space = space(program, compiler, space_name)?;
        let assignment = arch::from_choices(&space, &read_choices(which)?)
            .map_err(|misfit| Failure::input(format!("{which}: {misfit}")))?;
        return Ok(NamedNetwork { space, assignment });
    }
    let names: Vec<&str> = program.archs().map(|item| item.name.name.as_str()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Failure::input(format!(
        "there is no network `{which}`{}: name an `arch` item of the file ({known}), a JSON file, random:SEED, or least:MEASURE",
        hint(which, &names)
    )))
}

/// The network of the least or the greatest value of a measure, of all in the space.
fn extreme(
    space: &Checked<Space>,
    is_greatest: bool,
    measure: &str,
) -> Result<Assignment, Failure> {
    let sums = Measure::SUMS.map(Measure::name);
    let Some(measure) = Measure::named(measure).filter(|measure| measure.is_sum()) else {
        let (near, sums) = (hint(measure, &sums), sums.join(", "));
        return Err(Failure::input(format!(
            "`{measure}` is no sum of which the networks at the ends are known{near}: {sums} are"
        )));
    };
    if measure == Measure::Latency && space.device.latency.is_none() {
        return Err(Failure::input(format!("space `{}` has no latency table", space.name)));
    }
    let form = Form(vec![(measure, if is_greatest { -1 } else { 1 })]);
    let limits = known_requirements(space).map(|requirement| requirement.limit.clone());
    let found = least_under(space, &form, &limits.collect::<Vec<Limit>>());
    let found = found.map_err(|error| Failure::input(error.named(space)))?;
    let none = || Failure::input(format!("no network of `{}` keeps its requirements", space.name));
    found.map(|best| best.assignment).ok_or_else(none)
}

/// The requirements of a space of which it can be told whether a network keeps them. What latencies
/// must be, a space without a table leaves to the targets of its searches.
pub fn known_requirements(space: &Space) -> impl Iterator<Item = &Requirement> {
    space.requirements.iter().filter(|requirement| !lacks_table(space, requirement))
}

/// Whether a requirement limits latencies that nothing tells.
pub fn lacks_table(space: &Space, requirement: &Requirement) -> bool {
    space.device.latency.is_none() && requirement.reads(Measure::Latency)
}

/// The candidate of each decision, from a JSON file that holds them or has them as its `choices`,
/// as a line of `nasc sample` and the result of a run do.
fn read_choices(file: &str) -> Result<IndexMap<String, String>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::input(format!("{file}: {}", io_reason(&error))))?;
    let misfit = |error: serde_json::Error| {
        Failure::input(format!(
            "{file} is not one JSON object of decisions and candidates: {error}"
        ))
    };
    let whole: serde_json::Value = serde_json::from_str(&text).map_err(misfit)?;
    let choices = whole.get("choices").filter(|choices| choices.is_object());
    IndexMap::deserialize(choices.unwrap_or(&whole)).map_err(misfit)
}

/// The recipe that a command works with, and its space: the one named, the only one of the
/// file, or the defaults for the only space where the file has none.
///
/// # Errors
/// There is none of this name, or several to choose from, or an override does not fit.
pub fn recipe<'p>(
    program: &'p Program,
    compiler: &mut Compiler<'p, '_>,
    name: Option<&str>,
    set: &[String],
) -> Result<(Recipe, Arc<Checked<Space>>), Failure> {
    let overrides = set
        .iter()
        .map(|text| Override::parse(text))
        .collect::<Result<Vec<Override>, Vec<Problem>>>()
        .map_err(Failure::Problems)?;
    let picked = pick_recipe(program, name)?;
    let space = match picked {
        PickedRecipe::Item(item) => compiler.searched(item),
        PickedRecipe::Defaults(space) => compiler.space(space, &[]),
    };
    let space = space.ok_or(Failure::Reported)?;
    let recipe = match picked {
        PickedRecipe::Item(item) => compiler.recipe(&item.name.name, &overrides),
        PickedRecipe::Defaults(space) => compiler.default_recipe(space, &overrides),
    };
    Ok((recipe.ok_or(Failure::Reported)?, space))
}

/// What a recipe is made from.
#[derive(Debug, Clone, Copy)]
pub enum PickedRecipe<'p> {
    /// An item of the file.
    Item(&'p ast::Search),
    /// The defaults, for the space of this name.
    Defaults(&'p str),
}

impl<'p> PickedRecipe<'p> {
    /// The name of the recipe.
    #[must_use]
    pub fn name(self) -> &'p str {
        match self {
            Self::Item(item) => &item.name.name,
            Self::Defaults(space) => space,
        }
    }
}

/// Which recipe [`recipe`] makes.
///
/// # Errors
/// There is none of this name, or several to choose from.
pub fn pick_recipe<'p>(
    program: &'p Program,
    name: Option<&str>,
) -> Result<PickedRecipe<'p>, Failure> {
    let names: Vec<&str> = program.recipes().map(|item| item.name.name.as_str()).collect();
    if name.is_none() && names.is_empty() {
        let by = "an item `search NAME of SPACE {}`";
        return pick("space", by, None, &space_names(program)).map(PickedRecipe::Defaults);
    }
    let name = pick("recipe", "`--recipe`", name, &names)?;
    let item = program.recipes().find(|item| item.name.name == name);
    item.map(PickedRecipe::Item).ok_or(Failure::Reported)
}
