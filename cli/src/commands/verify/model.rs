//! A model that others made: run in tract on inputs of a seed, and held against an engine of the user's, or against the
//! definitions of its operators where they are ours.

use nas_ir::{Elements, Tensor};
use nas_onnx_read::{Element, Fact, Graph, ReadError, Sizes, infer, inputs};
use nas_tract::{CaseReport, Report, Tolerance};

use super::outcome::{Outcome, Tried, TriedCase, TriedOutput};
use crate::render::report::Failure;
use crate::services::definitions;
use crate::services::drawn::drawn;
use crate::services::foreign::ForeignFile;
use crate::services::in_tract::filled;
use crate::services::onnx_file::{Recorded, repeat};
use crate::services::record::Record;
use crate::services::reference::LARGE;
use crate::services::runner::Runner;
use crate::services::verification::Verification;

/// How many images a file of any number is tried on beside one.
const IMAGES: u64 = 3;

/// What comes of a model without a record, whose inputs have the sizes that are given or the file states; and what tract
/// answers.
///
/// # Errors
/// It is no model, sizes are open, or an engine does not run it.
pub(super) fn verify(
    file: &ForeignFile,
    sizes: &Sizes,
    asked: Option<Tolerance>,
    runner: Option<&Runner>,
) -> Result<(Outcome, Record), Failure> {
    let graph = file.graph()?;
    let tolerance = asked.unwrap_or_else(|| tolerance(&graph));
    let trials = trials(&graph, sizes);
    let mut cases = Vec::new();
    for (seed, sizes) in (1..).zip(&trials) {
        cases.push(drawn(&graph, sizes, seed)?);
    }
    let drawn = Record { reference: String::new(), tolerance, cases, resized: None };
    let answered = filled(&file.path, &drawn)?;
    if let Some(runner) = runner {
        let (record, record_path) = (&answered, "what tract answers");
        let recorded = Recorded { onnx: &file.bytes, path: &file.path, record, record_path };
        let compared = repeat(&recorded, None, Some(runner))?;
        return Ok((Outcome::Compared(Box::new(compared)), answered));
    }
    let defined = defined(file, &answered);
    let outcome = match defined {
        Ok(defined) => {
            let reports = answered.cases.iter().zip(&defined).map(|(case, expected)| {
                let (names, found): (Vec<String>, Vec<Tensor>) =
                    case.outputs.iter().cloned().unzip();
                CaseReport::new(case.name.clone(), &names, expected, &found, tolerance)
            });
            let reports = reports.collect::<Result<_, _>>().map_err(Failure::problem)?;
            let report = Report::new(tolerance, reports);
            let reference = definitions::NAME.to_owned();
            Outcome::Compared(Box::new(Verification::new(reference, report)))
        }
        Err(why) => Outcome::Tried(tried(&graph, &trials, &answered, &why)),
    };
    Ok((outcome, answered))
}

/// What the cases of a record have to answer by the definitions of the operators, as many cases as take not too long.
fn defined(file: &ForeignFile, answered: &Record) -> Result<Vec<Vec<Tensor>>, Failure> {
    let (mut defined, mut left) = (Vec::new(), definitions::MOST_MACS);
    for case in &answered.cases {
        match definitions::outputs(file, case, &mut left) {
            Ok(outputs) => defined.push(outputs),
            Err(why) if defined.is_empty() => return Err(why),
            Err(_) => break,
        }
    }
    Ok(defined)
}

/// How far engines may be apart: of numbers of fewer bits they are further.
fn tolerance(graph: &Graph<'_>) -> Tolerance {
    let is_coarse = |element: Element| {
        matches!(element, Element::F16 | Element::Bf16 | Element::I8 | Element::U8)
    };
    let constants = graph.values.rows().iter().filter_map(|value| value.constant.as_ref());
    let mut large = constants.filter(|constant| constant.count() > 1);
    if large.any(|constant| is_coarse(constant.element)) {
        Tolerance::Coarse
    } else {
        Tolerance::Export
    }
}

/// The sizes of the inputs in each case: two seeds, of large inputs one; where batches are open, more images.
fn trials(graph: &Graph<'_>, given: &Sizes) -> Vec<Sizes> {
    let elements: u64 = inputs(graph, given)
        .map(|facts| facts.iter().filter_map(Fact::count).fold(0, u64::saturating_add))
        .unwrap_or_default();
    let mut trials = vec![given.clone(); if elements > LARGE as u64 { 1 } else { 2 }];
    let open = graph.open_batches();
    if given.is_empty() && !open.is_empty() && open.len() == graph.inputs.len() {
        let more = inputs(graph, given).map(|facts| {
            let sizes = graph.inputs.iter().zip(facts).map(|(&id, fact)| {
                let mut dims = fact.dims;
                dims.iter_mut().take(1).for_each(|batch| *batch = IMAGES);
                (graph.values[id].name.to_owned(), dims)
            });
            sizes.collect::<Sizes>()
        });
        trials.extend(more);
    }
    trials
}

/// What tract answered, and whether that has the sizes that follow.
fn tried(graph: &Graph<'_>, trials: &[Sizes], answered: &Record, why: &Failure) -> Tried {
    let mut note = format!("{}; name an engine to compare with by `--runner`", why.summary());
    let mut cases = Vec::new();
    for (case, sizes) in answered.cases.iter().zip(trials) {
        let inferred = infer(graph, sizes);
        if let Err(error @ ReadError::Unsupported { .. }) = &inferred {
            note = format!("{error}; {note}");
        }
        let outputs = case.outputs.iter().zip(&graph.outputs).map(|((name, tensor), &id)| {
            let needed = inferred.as_ref().ok().and_then(|inferred| inferred.fact(id));
            let needed = needed.map(|fact| fact.dims.clone());
            let is_other = |needed: &Vec<u64>| {
                !tensor.dims.iter().map(|&dim| u64::from(dim)).eq(needed.iter().copied())
            };
            TriedOutput {
                name: name.clone(),
                dims: tensor.dims.clone(),
                not_finite: not_finite(&tensor.elements),
                needed: needed.filter(is_other),
            }
        });
        cases.push(TriedCase { name: case.name.clone(), outputs: outputs.collect() });
    }
    let passed = cases.iter().all(|case| case.outputs.iter().all(TriedOutput::passed));
    let (engine, inputs) = (answered.reference.clone(), graph.inputs_in_words());
    Tried { engine, passed, inputs, cases, note }
}

fn not_finite(elements: &Elements) -> usize {
    match elements {
        Elements::F32(all) => all.iter().filter(|x| !x.is_finite()).count(),
        Elements::F16(all) => {
            all.iter().filter(|&&bits| !half::f16::from_bits(bits).is_finite()).count()
        }
        Elements::I8(_) | Elements::U8(_) | Elements::I32(_) | Elements::I64(_) => 0,
    }
}
