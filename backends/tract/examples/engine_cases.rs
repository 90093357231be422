//! Writes the cases of each operator for other engines: ONNX files, inputs, what the operators'
//! definitions make of them, and what the shipped targets and tract say, once for each operator set
//! that a target names. `cargo xtask engines` runs it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a part of the tests"
)]

#[path = "../tests/claims/mod.rs"]
mod claims;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use nas_cases::networks::{Builder, conv, with_weights};
use nas_cases::{cases, reference};
use nas_ir::network::Port;
use nas_ir::ops::Flatten;
use nas_ir::{Network, Op, Opset, Shape, Tensor};
use nas_onnx::{Options, emit};
use nas_passes::model::for_export;
use nas_tract::{Model, Tolerance, compare, seeded_inputs};
use serde_json::{Value, json};

/// Cases of no operator: a constant alone, and inputs that go straight to outputs.
const OTHERS: [&str; 3] = ["zero", "input_is_output", "outputs_share_nodes"];

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| panic!("give a folder"));
    let folder = Path::new(&folder);
    let claims = claims::Claims::load();
    let opsets = claims.opsets();
    for opset in BTreeSet::from_iter(opsets.values()) {
        write_all(&folder.join(format!("opset{opset}")), *opset, &claims);
    }
    let versions: BTreeMap<&String, i64> =
        opsets.iter().map(|(target, opset)| (target, opset.version())).collect();
    write_json(&folder.join("opsets.json"), &json!(versions));
}

fn write_all(folder: &Path, opset: Opset, claims: &claims::Claims) {
    std::fs::create_dir_all(folder).unwrap();
    let cases = cases::all().into_iter().filter(|(name, _)| !OTHERS.contains(&name.as_str()));
    let cases: Vec<Value> = cases
        .map(|(name, network)| {
            let network = amid(&network);
            let mut case = write(folder, &name, &network, opset);
            case["refusals"] = json!(BTreeMap::from_iter(claims.of(&network)));
            case["operators"] = operators(&network);
            case
        })
        .collect();
    write_json(&folder.join("cases.json"), &json!(cases));
}

fn write_json(path: &Path, value: &Value) {
    std::fs::write(path, serde_json::to_string_pretty(value).unwrap()).unwrap();
}

/// The operators that the case is about: all but those in front of it, or these if there are no
/// others.
fn operators(network: &Network) -> Value {
    let own = network.nodes.iter().filter(|node| !is_stem(&node.name));
    let mut names: Vec<&str> =
        own.filter_map(|node| Some(node.op.as_ref()?.declaration().name)).collect();
    names.sort_unstable();
    names.dedup();
    json!(names)
}

fn is_stem(name: &str) -> bool {
    name.starts_with("stem.") || name.starts_with("vector.")
}

/// The network with a convolution after each of its inputs: engines guess the layout of what they
/// read, and some work in place on it.
fn amid(network: &Network) -> Network {
    let mut b = Builder::new(&network.space);
    let mut places: Vec<usize> = Vec::new();
    for node in &network.nodes {
        let inputs: Vec<usize> = node.inputs.iter().map(|&input| places[input]).collect();
        places.push(match &node.op {
            None => stem(&mut b, &node.name, node.shape),
            Some(op) if inputs.is_empty() => b.constant(&node.name, op.clone(), node.shape),
            Some(op) => b.op(&node.name, op.clone(), &inputs),
        });
    }
    for port in &network.outputs {
        b.output(&port.name, places[port.node]);
    }
    b.network()
}

fn stem(b: &mut Builder, name: &str, shape: Shape) -> usize {
    let [h, w] = shape.plane().unwrap_or([1, 1]);
    let x = b.input(name, shape.with_spatial([h, w]));
    let x = b.op(&format!("stem.{name}"), Op::Conv(conv(shape.channels(), 1)), &[x]);
    if shape.is_spatial() { x } else { b.op(&format!("vector.{name}"), Op::Flatten(Flatten), &[x]) }
}

fn write(folder: &Path, name: &str, network: &Network, opset: Opset) -> Value {
    let model = with_weights(network);
    let options = Options { opset, ..Options::default() };
    let bytes = emit(&for_export(model.clone()).unwrap(), &options).unwrap();
    std::fs::write(folder.join(format!("{name}.onnx")), &bytes).unwrap();
    let shapes: Vec<Vec<u32>> = network.inputs.iter().map(|port| batched(network, port)).collect();
    let inputs = seeded_inputs(&shapes, 1);
    let outputs = reference::run(&model, &inputs);
    let ports = |kind: &str, ports: &[Port], tensors: &[Tensor]| -> Vec<Value> {
        let tensors = ports.iter().zip(tensors).enumerate();
        tensors
            .map(|(i, (port, tensor))| {
                let file = format!("{name}.{kind}{i}");
                let data: Vec<u8> =
                    tensor.floats().unwrap().iter().flat_map(|x| x.to_le_bytes()).collect();
                std::fs::write(folder.join(&file), data).unwrap();
                json!({ "name": port.name, "dims": tensor.dims, "file": file })
            })
            .collect()
    };
    json!({
        "name": name,
        "inputs": ports("in", &network.inputs, &inputs),
        "outputs": ports("out", &network.outputs, &outputs),
        "tract": verdict(&bytes, &inputs, &outputs),
    })
}

/// What tract makes of a case, in the words of the runners of other engines.
fn verdict(bytes: &[u8], inputs: &[Tensor], expected: &[Tensor]) -> String {
    let actual = match Model::load(bytes).and_then(|model| model.run(inputs)) {
        Ok(actual) => actual,
        Err(error) => return format!("refused: {error}"),
    };
    let agrees = |(a, b)| compare(a, b).is_ok_and(|found| Tolerance::Tight.allows(&found));
    let is_same = expected.len() == actual.len() && expected.iter().zip(&actual).all(agrees);
    if is_same { "runs" } else { "differs" }.to_owned()
}

fn batched(network: &Network, port: &Port) -> Vec<u32> {
    network.port_shape(port).batched(1)
}
