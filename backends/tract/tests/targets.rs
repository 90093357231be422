//! What the shipped targets claim of the operators.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

mod claims;

use nas_cases::cases;
use nas_ir::Network;

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
