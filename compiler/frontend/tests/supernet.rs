//! The supernet: published figures, and owners of nodes against their definition.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "functions that only tests use"
)]

use std::collections::BTreeSet;

use nas_analysis::Supernet;
use nas_analysis::owners::owners;
use nas_grammar::Source;
use nas_ir::{Checked, Cost, NodeKind, Pick, Space};
use nas_testing::random;
use proptest::prelude::*;

/// Counted on the published search code; at 1024 x 2048.
#[test]
fn supernets_hold_what_was_published() {
    for (file, macs, params, choices, fixed) in [
        ("squeezenas_small.nas", 49_298_079_744, 3_668_366, 260, (791_019_520, 94_398)),
        ("squeezenas_large.nas", 139_209_031_680, 11_581_606, 286, (493_961_216, 44_886)),
        ("squeezenas_xlarge.nas", 344_009_867_264, 26_146_171, 286, (3_266_838_528, 223_267)),
    ] {
        let supernet = Supernet::of(&nas_testing::space(nas_testing::shipped(file)));
        assert_eq!(supernet.total, Cost { macs, params }, "{file}");
        assert_eq!(supernet.fixed, Cost { macs: fixed.0, params: fixed.1 }, "{file}");
        assert_eq!(supernet.architecture_params(), choices, "{file}");
        let candidates: Cost = supernet.candidates.rows().iter().flatten().copied().sum();
        assert_eq!(candidates.params, params - fixed.1, "{file}: no choice is inside another");
    }
}

/// Elastic decisions add no weights: the supernet has those of the largest network, which
/// `ofa.nas` states.
#[test]
fn elastic_candidates_have_their_weights_in_common() {
    let supernet = Supernet::of(&nas_testing::space(nas_testing::shipped("ofa.nas")));
    assert_eq!(supernet.total.params, 7_664_760);
}

/// Each precision is evaluated for itself, and all read the same weights.
#[test]
fn precisions_have_their_weights_in_common() {
    let text = "space s {
        input x: [3, 4, 4]
        let y = x -> conv(8, kernel = choose kernel [1, 3], precision = choose precision [int8, fp16]) -> relu
        output z = y -> conv(2, kernel = 1, precision = int8)
    }";
    let supernet = Supernet::of(&nas_testing::space(Source::new("s.nas", text)));
    let [small, large, head] = [3 * 8, 3 * 8 * 9, 8 * 2];
    assert_eq!(supernet.fixed, Cost { macs: 16 * head, params: head });
    let of_precision = Cost { macs: 16 * (small + large), params: 0 };
    let of_kernel = |weights: u64| Cost { macs: 2 * 16 * weights, params: weights };
    let candidates: Vec<Vec<Cost>> = supernet.candidates.rows().to_vec();
    assert_eq!(candidates, [vec![of_kernel(small), of_kernel(large)], vec![of_precision; 2]]);
    let macs = 16 * (2 * (small + large) + head);
    assert_eq!(supernet.total, Cost { macs, params: small + large + head });
}

/// The nodes that are reached from inputs and outputs without going through this candidate.
fn reached(space: &Checked<Space>, without: Option<Pick>) -> BTreeSet<usize> {
    let ports = space.graph.inputs().chain(space.graph.outputs());
    let mut open: Vec<_> = ports.map(|(id, _)| id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node = space.graph.node(id).unwrap();
        if !seen.insert(id.index()) {
            continue;
        }
        match &node.kind {
            NodeKind::Op(op) if !op.reads_inputs() => {}
            NodeKind::Select(selector) => {
                let decision = space.selectors.as_choice(*selector);
                let ways = node.inputs.iter().enumerate();
                open.extend(
                    ways.filter(|(i, _)| without.is_none() || without != decision.map(|d| (d, *i)))
                        .map(|(_, id)| id),
                );
            }
            NodeKind::Op(_) | NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => {
                open.extend(&node.inputs)
            }
        }
    }
    seen
}

proptest! {
    #[test]
    fn a_node_belongs_to_the_candidates_without_which_it_is_not_read(text in random::source()) {
        let space = nas_testing::space(Source::new("random.nas", text));
        let all = reached(&space, None);
        let mut expected: Vec<Option<BTreeSet<Pick>>> = vec![None; space.graph.len()];
        for node in &all {
            expected[*node] = Some(BTreeSet::new());
        }
        for (id, decision) in space.decision_ids() {
            for candidate in 0..decision.candidates.len() {
                for node in all.difference(&reached(&space, Some((id, candidate)))) {
                    expected[*node].as_mut().unwrap().insert((id, candidate));
                }
            }
        }
        prop_assert_eq!(owners(&space), expected.into());
    }
}

/// `kernel`, chosen, has weights of its own for each value; `expand`, elastic, none.
#[test]
fn values_cost_what_is_computed_with_them() {
    let text = "space s {
        input x: [4, 10, 10]
        let y = x -> conv(8, kernel = choose kernel [1, 3])
        let z = y -> conv(8 * elastic expand [1, 2], kernel = 1)
        output out = z -> conv(4, kernel = 1)
    }";
    let supernet = Supernet::of(&nas_testing::space(Source::new("s.nas", text)));
    let cost = |macs, params| Cost { macs, params };
    assert_eq!(supernet.candidates.rows()[0], [cost(3_200, 32), cost(28_800, 288)], "kernel");
    let wide = 100 * (8 * 16 + 16 * 4);
    assert_eq!(supernet.candidates.rows()[1], [cost(wide / 2, 0), cost(wide, 0)], "expand");
    assert_eq!(supernet.fixed, cost(0, 8 * 16 + 16 * 4));
    let candidates: Cost = supernet.candidates.rows().iter().flatten().copied().sum();
    assert_eq!(candidates.macs, supernet.total.macs);
    assert_eq!(candidates.params + supernet.fixed.params, supernet.total.params);
}
