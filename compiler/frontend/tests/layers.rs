//! What the layers of a space cost, against its networks one by one.
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use nas_analysis::{Layer, Range, layers};
use nas_grammar::Source;
use nas_ir::{DecisionId, Measure, Network};
use nas_passes::specialise;

/// Two units in a block that holds most of the nodes.
const STACKED: &str = "\
    block unit(x, out) {\n    x -> choose op { small: conv(out, kernel = 1)\n        \
    large: conv(out, kernel = 3) -> relu\n        deep: conv(out, kernel = 3) -> conv(out, kernel = 3) }\n}\n\
    block stack(x) { x -> unit(4) -> unit(6) }\n\
    space stacked {\n    input x: [3, 8, 8]\n    output y = x -> stack -> conv(2, kernel = 1)\n}\n";

fn macs(network: &Network, path: &str) -> u64 {
    let nodes = network.nodes.iter().filter(|node| node.name.starts_with(path));
    nodes.map(|node| network.node_cost(node).macs).sum()
}

#[test]
fn layers_cost_what_the_networks_spend_on_them() {
    let space = nas_testing::space(Source::new("stacked.nas", STACKED));
    let networks: Vec<Network> = (0..9)
        .map(|index| {
            let mut assignment = space.first_assignment();
            assignment.set(DecisionId::new(0), index / 3);
            assignment.set(DecisionId::new(1), index % 3);
            specialise(&space, &assignment)
        })
        .collect();
    let layers = layers(&space, Measure::Macs).unwrap();
    let paths: Vec<&str> = layers.iter().map(|layer| layer.path.as_str()).collect();
    assert_eq!(paths, ["stack.0/unit.0", "stack.0/unit.1", "conv.0"]);
    for Layer { path, range, mean } in &layers {
        let spent = networks.iter().map(|network| macs(network, path));
        let ends = Range { min: spent.clone().min().unwrap(), max: spent.clone().max().unwrap() };
        assert_eq!(*range, ends, "{path}");
        assert!((mean - spent.sum::<u64>() as f64 / 9.0).abs() < 1e-6, "{path}");
    }
}
