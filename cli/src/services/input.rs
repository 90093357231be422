//! A `.nas` file as a command was given it: loaded, and compiled for what the command asks.

use std::path::{Path, PathBuf};

use nas_diagnostics::{Problems, is_error};
use nas_frontend::Compiler;
use nas_frontend::modules::{LoadTable, Program};
use nas_grammar::Problem;
use nas_search::strategies::SCHEMAS;

use super::source::{Modules, load_table, name_of, read_source};
use crate::render::report::{Failure, print_problems};
use crate::tell;

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

/// Whether a folder is that of a run.
#[must_use]
pub fn is_run(folder: &Path) -> bool {
    folder.join(RUN).is_file()
}

/// Lets a compiler leave out what the run in a folder did without, if there is one.
///
/// # Errors
/// It is to leave out what that run did not.
pub fn as_in_run(compiler: &mut Compiler<'_, '_>, folder: &Path) -> Result<(), Failure> {
    let record = nas_files::read(&folder.join(RUN)).ok();
    let record: Option<serde_json::Value> =
        record.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let drops = record.and_then(|record| record.get("drop_unsupported")?.as_bool());
    let run = folder.display();
    match (drops, compiler.drops_unsupported()) {
        (Some(false), true) => Err(Failure::input(format!(
            "the run in `{run}` was begun without `--drop-unsupported`: leave the option out"
        ))),
        (Some(true), false) => {
            tell!("note: `--drop-unsupported`, as the run in `{run}` was begun with it");
            compiler.drop_unsupported(true);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a compiler left out, if it was to: a line for each.
pub(crate) fn dropped(asked: Asked<'_>, compiler: &Compiler<'_, '_>) -> Vec<String> {
    if compiler.drops_unsupported() && compiler.dropped().is_empty() {
        return vec![format!("{}: nothing is dropped", name_of(asked.path))];
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
        let modules = Modules::of(path, &main);
        let load = |importer: &str, module: &[&str]| modules.load(importer, module);
        let program = Program::load(main, &load, problems);
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
        let (value, problems) = Self::compile(asked.into(), Some(&load_table), inner)?;
        verdict(problems).map(|()| value)
    }

    /// As [`Input::with`], for commands that tell figures: those are there where the space is
    /// well-formed, even if it breaks claims of the file. Whether it does is the verdict, with which
    /// the command ends.
    ///
    /// # Errors
    /// As [`Input::with`], where `inner` has no value.
    pub fn examine<'a, T>(
        asked: impl Into<Asked<'a>>,
        inner: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> Result<T, Failure>,
    ) -> Result<Examined<T>, Failure> {
        let (value, problems) = Self::compile(asked.into(), Some(&load_table), inner)?;
        Ok((value, verdict(problems)))
    }

    /// As [`Input::with`], by a compiler that reads no latency tables: for those who make them.
    ///
    /// # Errors
    /// What is wrong with the file, or what `inner` fails with.
    pub fn without_tables<'a, T>(
        asked: impl Into<Asked<'a>>,
        inner: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (value, problems) = Self::compile(asked.into(), None, inner)?;
        verdict(problems).map(|()| value)
    }

    fn compile<T>(
        asked: Asked<'_>,
        tables: Option<&LoadTable<'_>>,
        inner: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> Result<T, Failure>,
    ) -> Result<(T, Vec<Problem>), Failure> {
        let mut problems = Problems::default();
        let input = Self::load(asked.path, &mut problems)?;
        let mut compiler = asked.compiler(&input.program, &mut problems);
        if let Some(load) = tables {
            compiler = compiler.with_tables(load);
        }
        let result = inner(&input.program, &mut compiler);
        dropped(asked, &compiler).iter().for_each(|line| tell!("{line}"));
        let problems = problems.into_vec();
        match result {
            Ok(value) => Ok((value, problems)),
            // What is wrong with the file says why there is none.
            Err(failure) => Err(verdict(problems).err().unwrap_or(failure)),
        }
    }
}

/// What a file gives, and the verdict on its claims.
pub type Examined<T> = (T, Result<(), Failure>);

/// Fails if one of the problems is an error, and else prints them.
fn verdict(problems: Vec<Problem>) -> Result<(), Failure> {
    if problems.iter().any(|problem| is_error(problem.as_ref())) {
        return Err(Failure::Problems(problems));
    }
    print_problems(&problems);
    Ok(())
}
