//! `nasc demo`: the whole job on the shipped data, in a few minutes on two cores.

use std::path::Path;
use std::time::Instant;

use nas_analysis::{count, count_within, range};
use nas_ir::Measure;
use nas_ir::diagram::Entangled;
use nas_search::Store;
use nas_search::store::names;
use nasc::commands::demo::DemoArgs;
use nasc::render::baseline::Baseline;
use nasc::render::report::{Failure, counted};
use nasc::services::compute::ComputeArgs;
use nasc::services::input::DropArgs;
use nasc::services::recipe::RecipeArgs;

use crate::progress::millions;
use crate::training::Training;
use crate::whole::{table, whole};
use nasc::{out, tell};

/// The space of the demo, in the folder of the shipped spaces.
const FILE: &str = "garments_demo.nas";
/// What each of its networks reaches, from there.
const TRUTH: &str = "../truth/garments.jsonl";

/// How to go on after a stop.
const HINT: &str = "go on by the same command";

/// The job; its result as a table on standard output.
///
/// # Errors
/// The shipped files are not there, training fails, or the user stops it.
pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let since = Instant::now();
    let file = nas_spaces::shipped().join(FILE);
    let drop = DropArgs::default();
    let compute =
        ComputeArgs { device: args.device, threads: args.threads, ..ComputeArgs::default() };
    let options = RecipeArgs { drop, recipe: None, set: Vec::new(), seed: None, compute };
    let training = Training::load(&file, &options, |_| None)?;
    describe(&training)?;
    let mut store = open(&training, args.out.as_deref())?;
    tell!("run directory: {}", store.dir().display());
    let baseline = Baseline::read(&nas_spaces::shipped().join(TRUTH))?;
    let done = whole(&training, &mut store, Some(&baseline), HINT)?;
    out!("{}", table(&done, store.dir()))?;
    tell!("done in {:.0} s", since.elapsed().as_secs_f64());
    Ok(())
}

/// What there is to choose from.
fn describe(training: &Training) -> Result<(), Failure> {
    let space = &training.space;
    let entangled = |error: Entangled| Failure::input(space.entanglement(&error));
    let networks = count(space).map_err(entangled)?;
    let macs = range(space, Measure::Macs).map_err(entangled)?;
    let params = range(space, Measure::Params).map_err(entangled)?;
    let thousands = |count: u64| format!("{:.1} k", count as f64 / 1e3);
    let decisions = space.decisions.len();
    let networks = counted(networks, "network");
    tell!("space {}: {networks}, {}", space.name, counted(decisions, "decision"));
    for requirement in &space.requirements {
        let limit = std::slice::from_ref(&requirement.limit);
        let kept = count_within(space, limit).map_err(entangled)?.at_most;
        tell!("  {kept} of them keep `require {}`", requirement.text);
    }
    tell!("  MACs        {} M to {} M", millions(macs.min), millions(macs.max));
    tell!("  parameters  {} to {}", thousands(params.min), thousands(params.max));
    Ok(())
}

/// The run to work in: an unfinished demo goes on, a finished one stays.
fn open(training: &Training, out: Option<&Path>) -> Result<Store, Failure> {
    let is_finished = |dir: &Path| dir.join(names::RESULT).exists();
    if let Some(dir) = out {
        if is_finished(dir) {
            let dir = dir.display();
            return Err(Failure::input(format!(
                "{dir} holds a finished demo; name another folder by `--out`"
            )));
        }
        return training.store(None, |inputs| Store::open(dir, inputs));
    }
    training.store(None, |inputs| {
        let mut number = 0_u32;
        loop {
            number = number.saturating_add(1);
            let name = if number == 1 { "demo".to_owned() } else { format!("demo-{number}") };
            let dir = Path::new("runs").join(name);
            if is_finished(&dir) {
                continue;
            }
            match Store::open(&dir, inputs) {
                Err(error) if error.is_of_another() => {}
                opened => return opened,
            }
        }
    })
}
