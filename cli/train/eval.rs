//! `nasc eval`: the score of one network.

use std::path::Path;

use nas_ir::{Model, Network};
use nas_search::Metrics;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::Split;
use nasc::commands::eval::{EvalArgs, SplitName};
use nasc::render::bar::Bar;
use nasc::render::report::Failure;
use nasc::services::pick::Which;
use nasc::services::provenance::Origin;
use nasc::services::source::io_reason;
use nasc::services::weights_file;

use crate::engine::{FileEngine, score_file};
use crate::scores::{confusion_lines, score_lines};
use crate::training::{Training, stopped};
use nasc::outln;
use nasc::render::stream;

/// The score of a network with its weights.
fn score_weights(
    args: &EvalArgs,
    training: &Training,
    network: Network,
    split: Split,
) -> Result<Metrics, Failure> {
    let path = args.weights.as_deref().ok_or_else(|| Failure::input("no weights"))?;
    training.expected_with(&network, path)?;
    let Model { network, weights } =
        weights_file::load_for_use(network, path, args.names.as_deref())?;
    let mut network = training.backend()?.trainable(&network).map_err(Failure::problem)?;
    network.load(&weights).map_err(|fault| Failure::Problems(vec![fault]))?;
    let bar = Bar::new()?;
    let score = network.score(split, &mut |step| bar.step("score", step.done, step.of));
    bar.finish();
    score.map_err(stopped)
}

/// The bytes of an exported file, and which network it is of, if it says so.
fn exported(path: &Path, args: &EvalArgs) -> Result<(Vec<u8>, Option<Origin>), Failure> {
    if let Some(option) = args.recipe.compute.given() {
        return Err(Failure::input(format!(
            "`{option}` is of networks in libtorch, and `--onnx` scores a file in tract or by `--runner`"
        )));
    }
    let bytes = nas_files::read(path)
        .map_err(|error| Failure::input(format!("{}: {}", path.display(), io_reason(&error))))?;
    let origin = Origin::of(path, &bytes)?;
    Ok((bytes, origin))
}

/// Prints the score of a network.
///
/// # Errors
/// The inputs are at fault, scoring fails, or the user stops it.
pub(crate) fn run(args: &EvalArgs) -> Result<(), Failure> {
    let EvalArgs { file, recipe, space, arch, .. } = args;
    let exported = args.onnx.as_deref().map(|path| exported(path, args)).transpose()?;
    let origin = exported.as_ref().and_then(|(_, origin)| origin.as_ref());
    let which = arch.as_deref().map(Which::Named).or(origin.map(Which::Of));
    let which = which.ok_or_else(|| {
        Failure::input("the file does not say which network it is of: name it by `--arch`")
    })?;
    let (training, network) = Training::load_network(file, recipe, space.as_deref(), which, None)?;
    if let Some(origin) = origin {
        origin.check(&network)?;
    }
    let split = match args.split {
        SplitName::Val => Split::Val,
        SplitName::Test => Split::Test,
    };
    let score = match exported.zip(args.onnx.as_deref()) {
        Some(((bytes, _), path)) => {
            let engine = FileEngine::new(path, bytes, args.runner.as_ref(), &training, &network)?;
            score_file(&training, engine, split)?
        }
        None => score_weights(args, &training, network, split)?,
    };
    if args.json {
        return stream::json(&score, true);
    }
    let classes = training.dataset()?.classes;
    for (name, value) in score_lines(&score, &classes) {
        outln!("{name:<20}{value}")?;
    }
    for line in score.confusion().map(|of| confusion_lines(of, &classes)).unwrap_or_default() {
        outln!("{line}")?;
    }
    Ok(())
}
