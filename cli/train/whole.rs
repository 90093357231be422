//! A whole search in one run directory: search, derive, retrain, export, verify.

use std::path::{Path, PathBuf};

use nas_ir::measure::grouped;
use nas_ir::{Metric, Model};
use nas_passes::specialise;
use nas_search::metrics::MetricName;
use nas_search::record::{Front, FrontNetwork, Record, RunResult, RunWork, Trained};
use nas_search::store::{Recorded, names};
use nas_search::{Metrics, Phase, Store, Work, objective};
use nas_tract::Tolerance;
use nasc::render;
use nasc::render::baseline::Baseline;
use nasc::render::costs::milliseconds;
use nasc::render::report::{Failure, counted};
use nasc::services::expected::Expected;
use nasc::services::form::Form;
use nasc::services::name_map::NameMap;
use nasc::services::onnx_file::{Making, OnnxFile, TriedOn, folded, onnx_file, tell_of_integers};
use nasc::services::provenance::provenance;
use nasc::services::verification::Verification;
use nasc::services::weights_file;

use crate::predictions;
use crate::progress::millions;
use crate::reference::libtorch;
use crate::scores::value_of;
use crate::training::Training;

/// The ONNX file of a run.
pub(crate) const ONNX: &str = "network.onnx";
/// Its verification report.
pub(crate) const REPORT: &str = "network.verify.json";
/// Its record for `nasc verify`.
pub(crate) const CHECK: &str = "network.check.safetensors";
/// The picture of a run.
pub(crate) const REPORT_SVG: &str = "report.svg";
/// What to do about outputs that differ.
const HELP: &str = "the weights are kept: `nasc export FILE --arch DIR/assignment.json --weights \
                    DIR/weights.safetensors --tolerance loose -o NAME.onnx` allows more";

/// What came of a run.
pub(crate) struct Done {
    /// Choices, cost and scores.
    pub(crate) result: RunResult,
    /// The goals of the recipe, and what the trial reaches of each.
    pub(crate) reached: Vec<(String, f64)>,
    /// The front of a search for several goals.
    pub(crate) front: Option<Front>,
    /// How long the search took, all its sessions together, in seconds.
    pub(crate) seconds: f64,
    /// How it stands among the networks that it is held against.
    pub(crate) beside: Vec<(String, String)>,
    /// What was written of the network; nothing where none was trained.
    pub(crate) exported: Option<Exported>,
}

/// What was written of a trained network.
pub(crate) struct Exported {
    /// How the ONNX file did.
    pub(crate) verification: Verification,
    /// What the network expects of a picture.
    expected: Option<Expected>,
    /// The picture of what it says.
    predictions: PathBuf,
}

/// Does what is left of a run, and writes the ONNX file of what was trained. The hint says how to go on after a stop.
///
/// # Errors
/// Training fails, the user stops it, or tract and libtorch do not agree.
pub(crate) fn whole(
    training: &Training,
    store: &mut Store,
    baseline: Option<&Baseline>,
    hint: &str,
) -> Result<Done, Failure> {
    let result = training.run(store, hint)?;
    let exported = match result.trained {
        Some(_) => Some(export(training, store, &result)?),
        None => None,
    };
    let beside = picture(store, baseline)?;
    let reached = reached(training, &result)?;
    let has_front = result.trial.is_some() && training.recipe.objective.goals.len() > 1;
    let front = has_front.then(|| store.read_json(names::FRONT).map_err(Failure::problem));
    let seconds = searched(store)?;
    Ok(Done { result, reached, front: front.transpose()?, seconds, beside, exported })
}

/// How long the search of a run took, in seconds.
fn searched(store: &Store) -> Result<f64, Failure> {
    let recorded = Recorded::open(store.dir()).map_err(Failure::problem)?;
    let timings = recorded.timings().map_err(Failure::problem)?;
    let timings = timings.iter().filter(|of| matches!(of.phase, Phase::Search | Phase::Derive));
    Ok(timings.map(|timing| timing.seconds).sum())
}

/// Draws the run; how its result stands among the networks that it is held against, in rows of the table.
pub(crate) fn picture(
    store: &mut Store,
    baseline: Option<&Baseline>,
) -> Result<Vec<(String, String)>, Failure> {
    let recorded = Recorded::open(store.dir()).map_err(Failure::problem)?;
    let svg = render::run::svg(&recorded, baseline)?;
    store.write(REPORT_SVG, svg.as_bytes()).map_err(Failure::problem)?;
    let (Some(baseline), Some(result)) = (baseline, recorded.result()) else {
        return Ok(Vec::new());
    };
    let last = recorded.epochs().map_err(Failure::problem)?.into_iter().rev().find_map(|record| {
        if let Record::Retrain(epoch) = record { Some(epoch.val) } else { None }
    });
    let rows = last.or_else(|| result.trial.clone()).map(|score| baseline.rows(result, &score));
    rows.transpose().map(Option::unwrap_or_default)
}

/// The goals of the recipe, and what the network of a result reached of each as a trial.
fn reached(training: &Training, result: &RunResult) -> Result<Vec<(String, f64)>, Failure> {
    let Some(trial) = &result.trial else { return Ok(Vec::new()) };
    let goals = training.recipe.objective.goals.iter();
    let reached = goals.map(|goal| {
        let value = objective::value(goal, trial, &result.cost).map_err(Failure::problem)?;
        Ok((goal.to_string(), value))
    });
    reached.collect()
}

/// The network of a finished run, with its weights.
///
/// # Errors
/// The run has no weights, or they are not those of the network.
pub(crate) fn trained(
    training: &Training,
    store: &Store,
    result: &RunResult,
) -> Result<Model, Failure> {
    let assignment = nas_frontend::items::arch::from_choices(&training.space, &result.choices)
        .map_err(|misfit| Failure::input(format!("{}: {misfit}", names::RESULT)))?;
    let network = specialise(&training.space, &assignment);
    let bytes = store.read(names::WEIGHTS).map_err(Failure::problem)?;
    let bytes = bytes.ok_or_else(|| Failure::input("the run has no weights"))?;
    weights_file::take(network, &bytes, names::WEIGHTS, &NameMap::default())
}

/// Draws what the network of a finished run says; the path of the picture.
///
/// # Errors
/// As [`predictions::draw`].
pub(crate) fn predicted(
    training: &Training,
    store: &mut Store,
    result: &RunResult,
    model: &Model,
) -> Result<PathBuf, Failure> {
    let score = result.trained.as_ref().map(|trained| {
        let (metric, value) = trained.val.primary();
        format!(": val {} {}", metric.title(), value_of(metric, value))
    });
    let (space, macs) = (&result.space, millions(result.cost.macs));
    let title = format!("{space}{}, {macs} M MACs", score.unwrap_or_default());
    predictions::draw(training, store, model, &title)
}

/// Writes and verifies the ONNX file of a finished run.
fn export(training: &Training, store: &mut Store, result: &RunResult) -> Result<Exported, Failure> {
    let model = trained(training, store, result)?;
    let expected = training.expected(&model.network)?;
    let provenance =
        provenance(&model.network, &training.sources, names::WEIGHTS, expected.as_ref());
    let opset = training.space.device.opset.unwrap_or_default();
    let form = Form::default();
    let making =
        Making { form: &form, opset, tolerance: Tolerance::Export, provenance, on: TriedOn::Whole };
    let made = onnx_file(&model, &folded(model.clone())?, making, Some(&libtorch()))?;
    tell_of_integers(&model.network);
    let verification = keep(store, made)?;
    let predictions = predicted(training, store, result, &model)?;
    Ok(Exported { verification, expected, predictions })
}

/// Writes what was made, or where it did not pass only the report of why.
fn keep(store: &mut Store, made: OnnxFile) -> Result<Verification, Failure> {
    let OnnxFile { onnx, report, record } = made;
    if !report.report.passed {
        for name in [ONNX, CHECK] {
            store.remove(name).map_err(Failure::problem)?;
        }
        store.write_json(REPORT, &report).map_err(Failure::problem)?;
        return Err(report.failure(ONNX, HELP, HELP));
    }
    store.write(CHECK, &record.to_bytes()?).map_err(Failure::problem)?;
    store.write_json(REPORT, &report).map_err(Failure::problem)?;
    store.write(ONNX, &onnx).map_err(Failure::problem)?;
    Ok(report)
}

/// A value of a goal: a large one, as costs are, as a whole number, others with four digits or so.
fn figure(value: f64) -> String {
    match value.abs() {
        1e3.. if value.is_finite() => grouped(format!("{value:.0}")),
        0.0 | 1e-3.. => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    }
}

/// What the search took: images, seconds, and how many trainings of the result that is.
fn taken(work: &RunWork, seconds: f64) -> String {
    let Work { forward, backward } = work.search;
    let [forward, backward] = [forward, backward].map(|images| grouped(images.to_string()));
    let trainings = work.trainings().map(|count| format!(", the work of {count:.1} trainings"));
    let trainings = trainings.unwrap_or_default();
    format!("{forward} images forward, {backward} backward, {seconds:.0} s{trainings}")
}

/// The result for people.
#[must_use]
pub(crate) fn table(done: &Done, dir: &Path) -> String {
    let RunResult { space, choices, cost, trial, budget, trial_epoch, work, trained } =
        &done.result;
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row("space", space.clone());
    for (path, candidate) in choices {
        row(path, candidate.clone());
    }
    row("MACs", format!("{} M", millions(cost.macs)));
    if let Some(latency) = cost.latency {
        row("latency", milliseconds(latency));
    }
    row("parameters", format!("{:.1} k", cost.params as f64 / 1e3));
    if let Some(trial) = trial {
        let (metric, value) = trial.primary();
        let how = match (budget.epochs, trained) {
            (0, Some(_)) if matches!(metric, MetricName::Known(_)) => {
                ", inherited weights".to_owned()
            }
            (0, Some(_)) => ", untrained".to_owned(),
            (0, None) => ", known".to_owned(),
            (epochs, _) => match trial_epoch {
                Some(best) => format!(" in epoch {} of {epochs}", best.saturating_add(1)),
                None => format!(" after {}", counted(epochs as usize, "epoch")),
            },
        };
        row(&format!("val {}{how}", metric.title()), value_of(metric, value));
    }
    for (goal, value) in &done.reached {
        row("reached", format!("{} by `{goal}`", figure(*value)));
    }
    if let Some(Front { goals, reference, hypervolume, networks }) = &done.front {
        let reference: Vec<String> = reference.iter().map(|value| figure(*value)).collect();
        let (count, volume) = (counted(networks.len(), "network"), figure(*hypervolume));
        row("front", format!("{count}, hypervolume {volume} from ({})", reference.join(", ")));
        if let Some(first) = goals.first() {
            row("taken of it", format!("the best by `{first}`"));
        }
        for FrontNetwork { values, network } in networks {
            let values: Vec<String> = values.iter().map(|value| figure(*value)).collect();
            row(&format!("  network {}", network.number.saturating_add(1)), values.join(", "));
        }
    }
    if let Some(Trained { epoch, val, test, .. }) = trained {
        let (primary, best) = val.primary();
        let best = format!("{} (epoch {})", value_of(primary, best), epoch.saturating_add(1));
        row(&format!("val {}", primary.title()), best);
        let tested = test.iter().flat_map(Metrics::values);
        for (metric, value) in tested.filter(|(metric, _)| **metric != Metric::Loss) {
            row(&format!("test {}", metric.title()), value_of(metric, value));
        }
    }
    for (name, value) in &done.beside {
        row(name, value.clone());
    }
    if !work.search.is_none() {
        row("the search took", taken(work, done.seconds));
    }
    row("report", dir.join(REPORT_SVG).display().to_string());
    if let Some(Exported { verification, expected, predictions }) = &done.exported {
        row("predictions", predictions.display().to_string());
        for input in expected.iter().flat_map(Expected::inputs) {
            row("input", input.to_string());
        }
        row("ONNX", dir.join(ONNX).display().to_string());
        row("verification", verification.summary());
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let width = width.max(27) + 1;
    rows.iter().map(|(name, value)| format!("{name:<width$}{value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use nas_ir::Space;
    use nas_ir::recipe::Recipe;
    use nas_search::Inputs;
    use nas_tract::{Agreement, CaseReport, OutputReport, Report};
    use nasc::services::record::Record;

    use super::*;

    /// A file whose only output is this far off.
    fn made(max_rel: f64) -> OnnxFile {
        let tolerance = Tolerance::Export;
        let agreement =
            Agreement { max_abs: 0.5, max_rel, not_finite: 0, argmax_agreement: 1.0, positions: 1 };
        let passed = tolerance.allows(&agreement);
        let output = OutputReport { name: "logits".to_owned(), dims: vec![1], passed, agreement };
        let case = CaseReport { name: "seed 1".to_owned(), passed, outputs: vec![output] };
        let report = Report::new(tolerance, vec![case]);
        let reference = "libtorch".to_owned();
        let (cases, resized) = (Vec::new(), None);
        let record = Record { reference: reference.clone(), tolerance, cases, resized };
        let report = Verification::new(reference, report);
        OnnxFile { onnx: b"onnx".to_vec(), report, record }
    }

    #[test]
    fn a_network_that_is_not_verified_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::default();
        let recipe = Recipe::default_for("s", nas_search::strategies::SCHEMAS[0]).unwrap();
        let (sources, data, versions) = (&[], &[], &[]);
        let inputs = Inputs {
            space_ref: "s",
            space: &space,
            drop_unsupported: false,
            sources,
            start: None,
            recipe: &recipe,
            data,
            versions,
        };
        let mut store = Store::create(dir.path(), &inputs).unwrap();
        let exist = || [ONNX, REPORT, CHECK].map(|name| dir.path().join(name).exists());
        keep(&mut store, made(1e-6)).unwrap();
        assert_eq!(exist(), [true, true, true]);
        let failure = keep(&mut store, made(1e-2)).err().unwrap();
        assert_eq!(exist(), [false, true, false]);
        let Failure::Problems(problems) = &failure else { panic!("{failure:?}") };
        let text = problems[0].to_string();
        assert!(
            text.contains("output `logits` on the input of seed 1: differs by 5.00e-1"),
            "{text}"
        );
        assert_eq!(failure.report(), 1);
    }
}
