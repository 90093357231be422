//! Searches under requirements.

use nas_ir::Measure;
use nas_ir::diagram::Entangled;
use nas_testing::folder;

use super::toy::{Toy, worths};
use super::{create, go, whole};
use crate::error::{Failure, RunError};

/// The toy under a requirement.
fn required(require: &str) -> Toy {
    Toy::of(&worths(), require).searched_by(Toy::short().recipe)
}

fn failure(toy: &Toy) -> RunError {
    let dir = folder();
    match go(toy, &mut create(toy, dir.path()), None) {
        Err(Failure::Run(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_network_that_is_derived_keeps_the_limit() {
    // The cheapest network has 40; so few keep the limit that no run without it finds one.
    let toy = required("require macs <= 140");
    let dir = folder();
    let result = whole(&toy, dir.path());
    assert!(result.cost.macs <= 140, "{}", result.cost.macs);
    let scored = super::tried(&super::resume(&toy, dir.path()));
    assert!(!scored.is_empty());
    assert!(scored.iter().all(|network| network.cost.of(Measure::Macs).unwrap() <= 140));
    let free = Toy::short();
    let dir = folder();
    whole(&free, dir.path());
    let scored = super::tried(&super::resume(&free, dir.path()));
    assert!(scored.iter().all(|network| network.cost.macs > 140), "{scored:?}");
}

#[test]
fn a_search_under_limits_that_nothing_keeps_says_so() {
    // What is no sum is not proved before the search.
    let error = failure(&required("require peak_memory <= 1"));
    assert!(matches!(error, RunError::NoneKept), "{error}");
}

#[test]
fn entangled_decisions_are_named() {
    let toy = Toy::short();
    let ids = toy.space.decision_ids().map(|(id, _)| id).take(2);
    let error = RunError::entangled_requirements(&toy.space, &Entangled::new(ids));
    let expected = "the requirements cannot be kept: `u0.0/op` and `u1.0/op` are too entangled for \
                    an exact answer";
    assert_eq!(error.to_string(), expected);
}
