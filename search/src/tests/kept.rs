//! Derivation under requirements.

use std::ops::ControlFlow;

use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Measure};
use tempfile::tempdir;

use super::toy::Toy;
use super::{bytes, create};
use crate::error::RunError;
use crate::record::RunResult;
use crate::regime::{BestKept, Failure, Job, Outcome, run};
use crate::store::{Store, names};

/// A whole run that derives by `best_kept`.
fn run_keeping(
    toy: &Toy,
    store: &mut Store,
    best_kept: &BestKept<'_>,
) -> Result<RunResult, RunError> {
    let specialise = |assignment: &_| toy.network(assignment);
    let job = Job {
        space: &toy.space,
        recipe: &toy.recipe,
        backend: &toy,
        specialise: &specialise,
        best_kept: Some(best_kept),
    };
    match run(&job, store, &mut |_| ControlFlow::Continue(())) {
        Ok(Outcome::Finished(result)) => Ok(*result),
        Err(Failure::Run(error)) => Err(error),
        other => panic!("{other:?}"),
    }
}

/// All networks of the toy: it has four decisions of five candidates.
fn all(toy: &Toy) -> impl Iterator<Item = Assignment> {
    (0..5_usize.pow(4)).map(|number| {
        let mut assignment = Assignment::default();
        for (place, (id, _)) in toy.space.decision_ids().enumerate() {
            assignment.set(id, number / 5_usize.pow(place as u32) % 5);
        }
        assignment
    })
}

#[test]
fn every_network_that_is_derived_keeps_the_limit() {
    let toy = Toy::short();
    let macs =
        |assignment: &Assignment| nas_analysis::costs(&toy.network(assignment)).of(Measure::Macs);
    let mut figures: Vec<u64> = all(&toy).filter_map(|assignment| macs(&assignment)).collect();
    figures.sort_unstable();
    // So few are left that no run without the limit finds one.
    let most = figures[2];
    let best_kept = |scores: &[Vec<f64>]| {
        let kept = all(&toy).filter(|assignment| macs(assignment).is_some_and(|m| m <= most));
        let score = |assignment: &Assignment| -> f64 {
            let rows = toy.space.decision_ids().zip(scores);
            rows.map(|((id, _), row)| row[assignment.get(id)]).sum()
        };
        Ok(kept.max_by(|a, b| score(a).total_cmp(&score(b))))
    };
    let dir = tempdir().unwrap();
    let mut store = create(&toy, dir.path());
    let result = run_keeping(&toy, &mut store, &best_kept).unwrap();
    assert!(result.cost.macs <= most, "{} of at most {most}", result.cost.macs);
    let scores = &bytes(dir.path())[names::SCORES];
    let derived = String::from_utf8(scores.clone()).unwrap();
    let derived: Vec<serde_json::Value> =
        derived.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!derived.is_empty());
    for network in derived {
        let macs = network["cost"]["macs"].as_u64().unwrap();
        assert!(macs <= most, "{network}");
    }
}

#[test]
fn a_search_under_limits_that_nothing_keeps_says_so() {
    let toy = Toy::short();
    let dir = tempdir().unwrap();
    let error = run_keeping(&toy, &mut create(&toy, dir.path()), &|_| Ok(None)).unwrap_err();
    assert!(matches!(error, RunError::NoneKept), "{error}");
}

#[test]
fn entangled_decisions_are_named() {
    let toy = Toy::short();
    let dir = tempdir().unwrap();
    let ids = || toy.space.decision_ids().map(|(id, _)| id).take(2);
    let entangled = |_: &[Vec<f64>]| Err(Entangled::new(ids()));
    let error = run_keeping(&toy, &mut create(&toy, dir.path()), &entangled).unwrap_err();
    let expected = "the requirements cannot be kept: `unit.0/op` and `unit.1/op` are too entangled for \
                    an exact answer";
    assert_eq!(error.to_string(), expected);
}
