//! What is left of networks, node by node.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use nas_cases::networks::{Builder, conv};
use nas_ir::network::{NetworkNode, Port, TrainOutput};
use nas_ir::ops::{Add, Dropout, Identity, Relu, Zero};
use nas_ir::{Network, Op, Shape};
use nas_passes::simplify;

const MAP: fn() -> Shape = || Shape::from([3, 4, 4]);

/// A line for each node and port, the nodes that training adds after a bar.
fn text(network: &Network) -> String {
    let name = |&node: &usize| network.node(node).unwrap().name.clone();
    let node = |node: &NetworkNode| {
        let operands: Vec<String> = node.inputs.iter().map(name).collect();
        format!("{}({})", node.name, operands.join(", "))
    };
    let port = |port: &Port| format!("{} = {}", port.name, name(&port.node));
    let mut lines: Vec<String> = network.nodes.iter().map(node).collect();
    lines.extend(network.outputs.iter().map(port));
    if !network.training.outputs.is_empty() {
        lines.push("|".to_owned());
        lines.extend(network.training.nodes.iter().map(node));
        lines.extend(network.training.outputs.iter().map(|output| port(&output.port)));
    }
    lines.join("; ")
}

#[test]
fn identities_are_their_operands() {
    let mut b = Builder::new("s");
    let x = b.input("x", MAP());
    let one = b.op("identity.0", Op::Identity(Identity), &[x]);
    let two = b.op("identity.1", Op::Identity(Identity), &[one]);
    let y = b.op("relu.0", Op::Relu(Relu), &[two]);
    let network = simplify(b.output("y", y).output("same", two).network());
    assert_eq!(text(&network), "x(); relu.0(x); y = relu.0; same = x");
}

#[test]
fn zeros_add_nothing() {
    let zero = |b: &mut Builder, name| b.constant(name, Op::Zero(Zero), MAP());
    let sum = |b: &mut Builder, operands: &[usize]| b.op("add.0", Op::Add(Add), operands);
    let cases: [(&[&str], &str); 6] = [
        (&["x", "z"], "x(); y = x"),
        (&["z", "x", "z"], "x(); y = x"),
        (&["x", "r"], "x(); relu.0(x); add.0(x, relu.0); y = add.0"),
        (&["x", "z", "r", "x"], "x(); relu.0(x); add.0(x, relu.0, x); y = add.0"),
        (&["z", "i"], "x(); zero.0(); y = zero.0"),
        (&["i", "r"], "x(); relu.0(x); y = relu.0"),
    ];
    for (operands, expected) in cases {
        let mut b = Builder::new("s");
        let x = b.input("x", MAP());
        let r = b.op("relu.0", Op::Relu(Relu), &[x]);
        let z = zero(&mut b, "zero.0");
        let other = zero(&mut b, "zero.1");
        let i = b.op("identity.0", Op::Identity(Identity), &[other]);
        let of = |name: &&str| {
            [("x", x), ("r", r), ("z", z), ("i", i)].into_iter().find(|(n, _)| n == name).unwrap().1
        };
        let operands: Vec<usize> = operands.iter().map(of).collect();
        let y = sum(&mut b, &operands);
        assert_eq!(text(&simplify(b.output("y", y).network())), expected);
    }
}

/// What acts in training is no identity there, and its operand no zeros.
#[test]
fn dropped_zeros_are_added() {
    let mut b = Builder::new("s");
    let x = b.input("x", MAP());
    let z = b.constant("zero.0", Op::Zero(Zero), MAP());
    let d = b.op("dropout.0", Op::Dropout(Dropout { p: 0.5 }), &[z]);
    let y = b.op("add.0", Op::Add(Add), &[x, d]);
    let network = b.output("y", y).network();
    assert_eq!(text(&simplify(network.clone())), text(&network));
}

#[test]
fn what_only_training_reads_goes_there() {
    let mut b = Builder::new("s");
    let x = b.input("x", MAP());
    let z = b.constant("zero.0", Op::Zero(Zero), MAP());
    let sum = b.op("add.0", Op::Add(Add), &[x, z]);
    let unread = b.op("relu.0", Op::Relu(Relu), &[x]);
    let y = b.op("conv.0", Op::Conv(conv(3, 1)), &[sum]);
    let mut network = b.output("y", y).network();
    let added =
        |name: &str, op, inputs: Vec<usize>| NetworkNode::new(name, Some(op), inputs, MAP());
    let own = network.nodes.len();
    network.training.nodes = vec![
        added("identity.1", Op::Identity(Identity), vec![y]),
        added("relu.1", Op::Relu(Relu), vec![own]),
        added("relu.3", Op::Relu(Relu), vec![z]),
        added("relu.2", Op::Relu(Relu), vec![unread]),
    ];
    let output =
        |name: &str, node| TrainOutput { port: Port { name: name.to_owned(), node }, weight: 0.4 };
    network.training.outputs = vec![output("a", own + 1), output("b", own + 2)];
    let network = simplify(network);
    assert_eq!(
        text(&network),
        "x(); conv.0(x); y = conv.0; |; zero.0(); relu.1(conv.0); relu.3(zero.0); a = relu.1; \
         b = relu.3"
    );
    assert_eq!(simplify(network.clone()), network);
}
