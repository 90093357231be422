//! Files that nasc wrote, read as those of others: sizes, costs and values are those of the networks that they are of.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

use std::collections::BTreeSet;

use nas_cases::networks::{Builder, conv, single, with_weights};
use nas_cases::{cases, reference};
use nas_ir::ops::{Relu, Storage};
use nas_ir::{Grid, Model, Network, Op, Opset, Shape, Tensor};
use nas_onnx::{Options, emit};
use nas_onnx_read::{Matched, ReadError, Sizes, costs, infer, matched, read};
use nas_passes::model::for_export;

/// The networks of every operator, their files, and the models that these are of.
fn files() -> Vec<(String, Model, Vec<u8>)> {
    let all = cases::all().into_iter().chain(cases::other_ranks());
    let file = |(name, network): (_, Network)| {
        let model = for_export(with_weights(&network)).unwrap();
        let options = Options { opset: Opset::new(17).unwrap(), ..Options::default() };
        let onnx = emit(&model, &options).unwrap();
        (name, model, onnx)
    };
    all.map(file).collect()
}

fn network_of(onnx: &[u8]) -> Result<Matched, ReadError> {
    let graph = read(onnx).unwrap();
    let inferred = infer(&graph, &Sizes::new()).unwrap();
    matched(&graph, &inferred, &mut |_, _| unreachable!())
}

#[test]
fn every_value_has_the_sizes_that_the_file_states() {
    for (name, _, onnx) in files() {
        let graph = read(&onnx).unwrap();
        let inferred = infer(&graph, &Sizes::new()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut count = 0;
        for (id, value) in graph.values.iter() {
            let Some(stated) = &value.stated else { continue };
            let Some(sizes) = &stated.sizes else { continue };
            let fact = inferred.fact(id).unwrap_or_else(|| panic!("{name}: {}", value.name));
            let found: Vec<String> = fact.dims.iter().map(u64::to_string).collect();
            let stated_sizes: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            assert_eq!(
                (fact.element, found),
                (stated.element, stated_sizes),
                "{name}: {}",
                value.name
            );
            count += 1;
        }
        assert!(count >= 2, "{name}");
    }
}

#[test]
fn what_is_counted_is_what_the_network_has() {
    for (name, model, onnx) in files() {
        let graph = read(&onnx).unwrap();
        let inferred = infer(&graph, &Sizes::new()).unwrap();
        let found = costs(&graph, &inferred).unwrap();
        let own = model.network.cost();
        let sum = |of: fn(&nas_onnx_read::NodeCost) -> u64| found.nodes.iter().map(of).sum::<u64>();
        // In a file shifts are convolutions, and a norm without scale and shift has ones and zeros.
        if !(name.contains("shift") || name.contains("not_affine")) {
            assert_eq!(sum(|cost| cost.macs), own.macs, "{name}");
            assert_eq!(found.depth, model.network.depth(), "{name}");
            assert_eq!(sum(|cost| cost.params), own.params, "{name}");
            assert_eq!(sum(|cost| cost.bytes), own.params * 4, "{name}");
        }
    }
}

/// Pairs of `QuantizeLinear` and `DequantizeLinear` say where an engine has integers; the floats between are nowhere.
#[test]
fn values_of_integers_take_the_bytes_of_integers() {
    let mut b = Builder::new("rounded");
    let image = b.input("image", Shape::from([4, 8, 8]));
    let one = b.op("one", Op::Conv(conv(16, 3)), &[image]);
    let two = b.op("two", Op::Relu(Relu), &[one]);
    let three = b.op("three", Op::Conv(conv(16, 3)), &[two]);
    let four = b.op("four", Op::Relu(Relu), &[three]);
    let five = b.op("five", Op::Conv(conv(2, 1)), &[four]);
    let mut model = with_weights(&b.output("y", five).network());
    for node in [image, two, four, five] {
        model.network.nodes[node].rounding.value = Some(Grid { step: 0.1, zero: 128 });
    }
    for node in [one, three, five] {
        let channels = model.network.nodes[node].shape.channels() as usize;
        model.network.nodes[node].rounding.kernel = Some(vec![0.01; channels]);
    }
    let options = Options { opset: Opset::new(17).unwrap(), ..Options::default() };
    let onnx = emit(&model, &options).unwrap();
    let graph = read(&onnx).unwrap();
    let found = costs(&graph, &infer(&graph, &Sizes::new()).unwrap()).unwrap();
    let own = found.tensors.iter().filter(|made| made.storage == Some(Storage::Own));
    let own: Vec<u64> = own.map(|made| made.bytes).collect();
    // The convolutions with what is fused with them; of the last one the output is floats.
    assert_eq!(own, [16 * 64, 16 * 64, 2 * 64, 4 * 2 * 64]);
    let image = &found.tensors[0];
    assert_eq!((image.bytes, image.storage), (4 * 4 * 64, None));
    // Of the image, which is an input, integers are another tensor.
    assert_eq!(
        (found.tensors[1].bytes, found.tensors[1].storage),
        (4 * 64, Some(Storage::InPlace))
    );
}

fn inputs(network: &Network) -> Vec<Tensor> {
    let number = |place: usize| ((place * 37 % 101) as f32 - 50.0) / 25.0;
    let ports = network.inputs.iter().map(|port| {
        let dims = network.port_shape(port).batched(1);
        let count = dims.iter().product::<u32>() as usize;
        Tensor::of_floats(dims, (0..count).map(number).collect())
    });
    ports.collect()
}

#[test]
fn a_file_of_ours_is_a_network_again_that_computes_the_same() {
    let mut others = BTreeSet::new();
    let mut same = 0;
    for (name, model, onnx) in files() {
        let matched = match network_of(&onnx) {
            Ok(matched) => matched,
            Err(ReadError::NotOurs { node, why }) => {
                others.insert(format!("{name}: {node}: {why}"));
                continue;
            }
            Err(other) => panic!("{name}: {other}"),
        };
        let given = inputs(&model.network);
        let [expected, found] = [&model, &matched.model].map(|it| reference::run(it, &given));
        assert_eq!(expected.len(), found.len(), "{name}");
        for (expected, found) in expected.iter().zip(&found) {
            assert_eq!(expected.dims, found.dims, "{name}");
            let pairs = expected.floats().unwrap().iter().zip(found.floats().unwrap());
            let far = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(far < 1e-4, "{name}: {far}");
        }
        same += 1;
    }
    // What is written as several nodes, or as constants, is no operator of ours any more.
    let list = others.into_iter().collect::<Vec<_>>().join("\n");
    assert!(same > 60, "{same}\n{list}");
    let is_expected = |words: &&str| {
        ["zero", "shift", "unpool", "nearest", "constant"].iter().any(|it| words.contains(it))
    };
    let unexpected: Vec<&str> = list.lines().filter(|words| !is_expected(words)).collect();
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

#[test]
fn names_lead_to_nodes() {
    let network = single(nas_ir::Op::Relu(nas_ir::ops::Relu), &[[2, 3, 3].into()]);
    let onnx = emit(&with_weights(&network), &Options::default()).unwrap();
    let Matched { model, names } = network_of(&onnx).unwrap();
    for (name, node) in names {
        let own = &model.network.nodes[node].name;
        assert_eq!(own.strip_suffix(":made").unwrap_or(own), name);
    }
}
