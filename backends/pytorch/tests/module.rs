//! The text of modules: blocks are classes, what differs between them their arguments, and no tensor is lost.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;

use nas_cases::cases;
use nas_cases::networks::{Builder, NORM, conv, groups};
use nas_ir::ops::{Add, Conv, GlobalAvgPool, Linear, Relu};
use nas_ir::{Network, Op, Shape};
use nas_pytorch::emit;

/// An inverted residual layer: expansion, depthwise convolution, projection, and the operand if it has the same shape.
fn layer(b: &mut Builder, path: &str, x: usize, [from, hidden, to]: [u32; 3]) -> usize {
    let deep = Conv { groups: groups(hidden), ..conv(hidden, 3) };
    let mut y = x;
    for (number, op) in [conv(hidden, 1), deep, conv(to, 1)].into_iter().enumerate() {
        y = b.op(&format!("{path}/conv_bn.{number}/conv.0"), Op::Conv(op), &[y]);
        y = b.op(&format!("{path}/conv_bn.{number}/batch_norm.0"), Op::BatchNorm(NORM), &[y]);
        if number < 2 {
            y = b.op(&format!("{path}/conv_bn.{number}/relu.0"), Op::Relu(Relu), &[y]);
        }
    }
    if from == to { b.op(&format!("{path}/add.0"), Op::Add(Add), &[x, y]) } else { y }
}

fn network() -> Network {
    let mut b = Builder::new("small_net");
    let mut y = b.input("image", Shape::from([3, 8, 8]));
    y = layer(&mut b, "stem.0/mbconv.0", y, [3, 6, 4]);
    for (index, hidden) in [8, 16, 16].into_iter().enumerate() {
        y = layer(&mut b, &format!("repeat.0.{index}/mbconv.0"), y, [4, hidden, 4]);
    }
    let y = b.op("global_avg_pool.0", Op::GlobalAvgPool(GlobalAvgPool), &[y]);
    let y = b.op("linear.0", Op::Linear(Linear { out: 5, bias: true }), &[y]);
    b.choice("repeat.0/depth", "3").output("logits", y).network()
}

#[test]
fn blocks_are_written_once_and_loops_are_loops() {
    let text = emit(&network()).model;
    insta::assert_snapshot!(text);
}

#[test]
fn every_tensor_has_one_name() {
    for (name, network) in cases::all().into_iter().chain([("whole".to_owned(), network())]) {
        let module = emit(&network);
        let names: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&module.names).unwrap();
        let found: BTreeSet<&str> = names.values().map(|value| value.as_str().unwrap()).collect();
        let weights = network.weights();
        let needed: BTreeSet<&str> = weights.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(found, needed, "{name}");
        assert_eq!(names.len(), needed.len(), "{name}");
        // What is imported is used, and what is used is imported.
        let imports = module.model.lines().find(|line| line.starts_with("from .layers")).unwrap();
        assert!(imports.contains("load_weights"), "{name}");
    }
}
