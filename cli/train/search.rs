//! `nasc search`: search, derive, retrain, export, verify, in one run directory.

use std::path::Path;

use nas_search::Store;
use nasc::commands::search::SearchArgs;
use nasc::render::report::Failure;

use crate::training::Training;
use crate::whole::{table, whole};
use nasc::out;

/// How to go on after a stop.
const HINT: &str = "go on by the same command with `--resume`";

/// The whole job; a table of the result on standard output.
///
/// # Errors
/// The inputs are at fault, training fails, or the user stops it.
pub(crate) fn run(args: &SearchArgs) -> Result<(), Failure> {
    let folder = |recipe: &str| {
        let default = || Path::new("runs").join(recipe);
        args.out.clone().unwrap_or_else(default)
    };
    let resumed = |recipe: &str| args.resume.then(|| folder(recipe));
    let training = Training::load(&args.file, &args.recipe, resumed)?;
    let dir = folder(&training.recipe.name);
    let opened = if args.resume { resume(&training, &dir) } else { create(&training, &dir) };
    let mut store = opened?;
    let done = whole(&training, &mut store, HINT)?;
    out!("{}", table(&done, &dir))
}

/// A new run in a folder.
///
/// # Errors
/// The data set cannot be read; else see [`Store::create`].
fn create(training: &Training, dir: &Path) -> Result<Store, Failure> {
    training.store(None, |inputs| Store::create(dir, inputs))
}

/// The run of a folder.
///
/// # Errors
/// The data set cannot be read; else see [`Store::resume`].
fn resume(training: &Training, dir: &Path) -> Result<Store, Failure> {
    training.store(None, |inputs| Store::resume(dir, inputs))
}
