//! What only training has: train outputs, and the part of a network that they read.
#![allow(clippy::panic, clippy::unwrap_used, reason = "functions that only tests use")]

use nas_ir::network::TrainingPart;
use nas_ir::{Network, Op};
use nas_passes::specialise;

const TRUNK: &str = r#"
space s {
    input image: [3, 16, 16]
    task classification(10)
    let width = choose width [8, 16]
    let near = image -> choose op { thin: conv(8, kernel = 1), wide: conv(8, kernel = 3) }
    let far = near -> conv(width, kernel = 3) -> relu
    output logits = far -> global_avg_pool -> linear(10)
"#;

/// Behind the trunk: reads a choice of the network, a constant, and a tensor of a varying shape.
const HEADS: &str = r#"
    train output first = near + (near -> zero) -> identity -> conv(2 * width, kernel = 1)
        -> global_avg_pool -> linear(10)
    train(0.25) output second = far -> relu -> global_avg_pool -> linear(10)
}
"#;

/// The last networks of the trunk with the heads and without.
fn both() -> [Network; 2] {
    [HEADS, "}"].map(|rest| {
        let space = nas_testing::space(nas_testing::beside_shipped(&format!("{TRUNK}{rest}")));
        let mut assignment = space.first_assignment();
        space.decision_ids().for_each(|(id, _)| assignment.set(id, 1));
        specialise(&space, &assignment)
    })
}

#[test]
fn a_network_is_the_same_with_train_outputs_and_without() {
    let [with, without] = both();
    assert_eq!(without.training, TrainingPart::default());
    assert_eq!(Network { training: TrainingPart::default(), ..with }, without);
}

#[test]
fn what_train_outputs_read_stands_behind_the_network() {
    let [network, _] = both();
    let names = |nodes: &[usize]| -> Vec<&str> {
        nodes.iter().map(|&node| network.node(node).unwrap().name.as_str()).collect()
    };
    let added = network.training.nodes.iter();
    let added: Vec<_> = added.map(|n| (n.name.as_str(), names(&n.inputs))).collect();
    assert_eq!(
        added,
        [
            // The sum with zero and the identity are gone.
            ("conv.1", vec!["op=wide/conv.0"]),
            ("global_avg_pool.1", vec!["conv.1"]),
            ("linear.1", vec!["global_avg_pool.1"]),
            ("relu.1", vec!["relu.0"]),
            ("global_avg_pool.2", vec!["relu.1"]),
            ("linear.2", vec!["global_avg_pool.2"]),
        ]
    );
    let outputs = network.training.outputs.iter();
    let outputs: Vec<_> =
        outputs.map(|o| (o.port.name.as_str(), names(&[o.port.node])[0], o.weight)).collect();
    assert_eq!(outputs, [("first", "linear.1", 0.4), ("second", "linear.2", 0.25)]);
    let Some(Op::Conv(conv)) = &network.training.nodes[0].op else { panic!("no convolution") };
    assert_eq!(conv.out, 32, "twice the chosen width");
    let weights: Vec<String> = network.training_weights().into_iter().map(|w| w.name).collect();
    let expected = ["conv.1.weight", "linear.1.weight", "linear.1.bias", "linear.2.weight"];
    assert_eq!(weights[..4], expected);
}

#[test]
fn train_outputs_are_not_counted_and_cost_nothing() {
    let [with, without] = [HEADS, "}"].map(|rest| {
        let space = nas_testing::space(nas_testing::beside_shipped(&format!("{TRUNK}{rest}")));
        (nas_analysis::count(&space).unwrap(), nas_analysis::Supernet::of(&space))
    });
    assert_eq!(with, without);
}

/// A published network of a shipped file.
fn published(file: &str, arch: &str) -> Network {
    let (network, problems) =
        nas_testing::compile(nas_testing::shipped(file), |program, compiler| {
            let item = program.archs().find(|item| item.name.name == arch).unwrap();
            let network = compiler.named_network(item).unwrap();
            specialise(&network.space, &network.assignment)
        });
    assert_eq!(problems, Vec::<String>::new());
    network
}

/// 3,825,768 parameters of DARTS V2 for CIFAR-10 in training, 3,349,342 of them its own.
#[test]
fn the_auxiliary_head_of_darts_has_the_published_size() {
    let network = published("darts.nas", "v2_cifar");
    let params = network.training.nodes.iter().map(|node| network.node_cost(node).params);
    assert_eq!(network.cost().params + params.sum::<u64>(), 3_825_768);
    let weights: Vec<f64> = network.training.outputs.iter().map(|output| output.weight).collect();
    assert_eq!(weights, [0.4]);
}

/// The rates of the drop paths of a network, in order.
fn drop_paths(network: &Network) -> Vec<f64> {
    let rate = |op: &Op| if let Op::DropPath(drop_path) = op { Some(drop_path.p) } else { None };
    network.nodes.iter().filter_map(|node| node.op.as_ref().and_then(rate)).collect()
}

/// On all edges but the identities: 6 of the 8 in a normal cell, of which there are 18, and 5 in a
/// reduction.
#[test]
fn darts_drops_the_paths_that_are_no_identities() {
    assert_eq!(drop_paths(&published("darts.nas", "v2_cifar")), vec![0.2; 18 * 6 + 2 * 5]);
    assert_eq!(drop_paths(&published("darts.nas", "v2_imagenet")), Vec::<f64>::new());
}

#[test]
fn the_rates_of_nasnet_grow_from_cell_to_cell() {
    let mut rates = drop_paths(&published("nasnet.nas", "nasnet_a_cifar"));
    rates.dedup();
    let expected: Vec<f64> = (1..=20).map(|cell| 0.4 * f64::from(cell) / 20.0).collect();
    assert_eq!(rates, expected);
}
