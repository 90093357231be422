//! `nasc search`: search, derive, retrain, export, verify, in one run directory.

use std::path::Path;

use nas_search::Store;
use nasc::commands::search::SearchArgs;
use nasc::render::baseline::Baseline;
use nasc::render::report::Failure;

use crate::training::Training;
use crate::whole::{table, whole};
use nasc::{out, tell};

/// How to go on after a stop.
const HINT: &str = "go on by the same command with `--resume`";

/// The whole job; a table of the result on standard output.
///
/// # Errors
/// The inputs are at fault, training fails, or the user stops it.
pub(crate) fn run(mut args: SearchArgs) -> Result<(), Failure> {
    args.recipe.set.extend(args.jobs.map(|jobs| format!("score.jobs={jobs}")));
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    let folder = |recipe: &str| {
        let default = || Path::new("runs").join(recipe);
        args.out.clone().unwrap_or_else(default)
    };
    let resumed = |recipe: &str| args.resume.then(|| folder(recipe));
    let training = Training::load(&args.file, &args.recipe, resumed)?.stepping(&args.steps)?;
    let dir = folder(&training.recipe.name);
    let open = if args.resume { Store::open } else { Store::create };
    let mut store = training.store(None, |inputs| open(&dir, inputs))?;
    if args.resume && !store.is_resumed() {
        tell!("there is no run in `{}` yet: this begins one", dir.display());
    }
    let done = whole(&training, &mut store, baseline.as_ref(), HINT)?;
    let doubt = done.exported.as_ref().and_then(|exported| exported.verification.doubt());
    if let Some(doubt) = doubt {
        tell!("{doubt}");
    }
    out!("{}", table(&done, &dir))
}
