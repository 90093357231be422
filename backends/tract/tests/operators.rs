//! Every operator: emitted as ONNX, run in tract, compared with its definition.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

mod cases;
mod claims;
mod reference;
#[path = "../../onnx/tests/support/mod.rs"]
mod support;

use nas_compiler::Network;
use nas_compiler::ops::{Op, TABLE};
use nas_onnx::{OPSETS, Options, emit};
use nas_tract::{Model, Tolerance, compare, seeded_inputs};

/// What is wrong with the network at this operator set, if anything.
fn disagreement(network: &Network, opset: i64) -> Option<String> {
    let weights = support::weights(network);
    let options = Options { opset, ..Options::default() };
    let bytes = emit(network, &weights, &options).unwrap();
    let model = match Model::load(&bytes) {
        Ok(model) => model,
        Err(error) => return Some(error.to_string()),
    };
    let shapes: Vec<&[u32]> = model.inputs().iter().map(|port| port.dims.as_slice()).collect();
    let inputs = seeded_inputs(&shapes, 1);
    let expected = reference::run(network, &weights, &inputs);
    let actual = match model.run(&inputs) {
        Ok(actual) => actual,
        Err(error) => return Some(error.to_string()),
    };
    for ((port, inferred), (expected, actual)) in
        network.outputs.iter().zip(model.outputs()).zip(expected.iter().zip(&actual))
    {
        if (&port.name, &expected.dims) != (&inferred.name, &inferred.dims) {
            return Some(format!("{} {:?} is {inferred:?}", port.name, expected.dims));
        }
        match compare(expected, actual) {
            Ok(agreement) if Tolerance::Tight.allows(&agreement) => {}
            other => return Some(format!("{}: {other:?}", port.name)),
        }
    }
    (actual.len() != network.outputs.len()).then(|| format!("{} outputs", actual.len()))
}

#[test]
fn tract_agrees_with_the_definition_of_every_operator() {
    let mut problems = Vec::new();
    for (name, network) in cases::all() {
        for opset in [*OPSETS.start(), 14, 17, 18, 19, *OPSETS.end()] {
            if let Some(problem) = disagreement(&network, opset) {
                problems.push(format!("{name} at opset {opset}: {problem}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_operator_of_the_table_has_a_case() {
    let used: Vec<&str> = cases::all()
        .iter()
        .flat_map(|(_, network)| network.nodes.iter().filter_map(|node| node.op.as_ref()))
        .map(|op: &Op| op.declaration().name)
        .collect();
    let missing: Vec<&str> =
        TABLE.iter().map(|row| row.declaration.name).filter(|name| !used.contains(name)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn the_shipped_target_of_tract_claims_what_tract_runs() {
    let claims = claims::Claims::load();
    for (name, network) in cases::all() {
        let refusals = claims.of(&network);
        let (_, refusal) = refusals.iter().find(|(target, _)| target == "tract").unwrap();
        assert_eq!(refusal.as_deref(), None, "{name}");
    }
}

/// What no case meets is claimed of something that nobody tries.
#[test]
fn every_operator_of_the_shipped_targets_has_a_case_that_they_claim() {
    let claims = claims::Claims::load();
    let cases = cases::all();
    let said: Vec<_> = cases.iter().map(|(_, network)| claims.of(network)).collect();
    for (target, operator) in claims.rows() {
        let is_about = |network: &Network| {
            let mut ops = network.nodes.iter().filter_map(|node| node.op.as_ref());
            ops.any(|op| op.declaration().name == operator)
        };
        let is_claimed = cases.iter().zip(&said).any(|((_, network), said)| {
            is_about(network) && said.contains(&(target.clone(), None))
        });
        assert!(is_claimed, "{target}: {operator}");
    }
}
