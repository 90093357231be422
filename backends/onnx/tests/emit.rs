//! What the emitter writes, as text, and what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

use miette::Diagnostic;
use nas_cases::networks::{Builder, NORM, conv, groups, same, with_weights};
use nas_ir::network::Port;
use nas_ir::ops::{
    Add, Border, Concat, Conv, Crop, GlobalAvgPool, Hswish, Mul, Relu, Relu6, Resize, ResizeMode,
    ResizeTo, Sigmoid, Zero,
};
use nas_ir::{Network, Op, Opset, Shape, Weights};
use nas_onnx::{EmitError, Options, Resized, dump, emit, operator_set};
use nas_passes::model::for_export;
use onnx_protobuf::attribute_proto::AttributeType;
use onnx_protobuf::{Message, ModelProto};

/// Folded and unfolded batch norms, a sum of three, a gate, a constant, a resize by a factor.
fn small() -> Network {
    let mut b = Builder::new("tiny");
    b.choice("unit.0/op", "k3_e1").choice("unit.1/op", "skip");
    let image = b.input("image", Shape::from([3, 8, 8]));
    let stem = Conv { stride: [2, 2], ..conv(4, 3) };
    let x = b.op("conv_bn.0/conv.0", Op::Conv(stem), &[image]);
    let x = b.op("conv_bn.0/batch_norm.0", Op::BatchNorm(NORM), &[x]);
    let x = b.op("conv_bn.0/relu.0", Op::Relu(Relu), &[x]);
    let deep = Conv {
        groups: groups(4),
        bias: true,
        dilation: [2, 2],
        padding: same([3, 3], [2, 2]),
        ..conv(4, 3)
    };
    let y = b.op("unit.0/op=k3_e1/conv.0", Op::Conv(deep), &[x]);
    let n = b.op("unit.0/op=k3_e1/batch_norm.0", Op::BatchNorm(NORM), &[y]);
    let h = b.op("unit.0/op=k3_e1/hswish.0", Op::Hswish(Hswish), &[n]);
    let sum = b.op("add.0", Op::Add(Add), &[x, y, h]);
    let gate = b.op("global_avg_pool.0", Op::GlobalAvgPool(GlobalAvgPool), &[sum]);
    let gate = b.op("sigmoid.0", Op::Sigmoid(Sigmoid), &[gate]);
    let gated = b.op("mul.0", Op::Mul(Mul), &[sum, gate]);
    let none = b.constant("unit.1/op=skip/zero.0", Op::Zero(Zero), Shape::from([4, 4, 4]));
    let both = b.op("concat.0", Op::Concat(Concat), &[gated, none]);
    let clipped = b.op("relu6.0", Op::Relu6(Relu6), &[both]);
    let cut = Crop(Border { top: 1, left: 0, bottom: 0, right: 1 });
    let cut = b.op("crop.0", Op::Crop(cut), &[clipped]);
    let up =
        Resize { to: ResizeTo::Scale([2, 2]), mode: ResizeMode::Bilinear, align_corners: false };
    let up = b.op("resize.0", Op::Resize(up), &[cut]);
    b.output("logits", up).output("features", sum).output("again", up);
    b.network()
}

fn text(network: &Network, opset: Opset) -> String {
    let options = Options {
        opset,
        producer_version: "0.0.0".to_owned(),
        provenance: vec![("nasc.seed".to_owned(), "7".to_owned())],
        ..Options::default()
    };
    dump(&emit(&for_export(with_weights(network)).unwrap(), &options).unwrap()).unwrap()
}

#[test]
fn a_small_model_as_text() {
    insta::assert_snapshot!(text(&small(), Opset::default()));
}

#[test]
fn older_operator_sets_spell_hswish_out() {
    let lines: Vec<String> = text(&small(), Opset::OLDEST)
        .lines()
        .filter(|l| l.contains("hswish"))
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_same_network_gives_the_same_bytes() {
    let model = for_export(with_weights(&small())).unwrap();
    for opset in Opset::all() {
        let options = Options { opset, ..Options::default() };
        let bytes = emit(&model, &options).unwrap();
        assert_eq!(bytes, emit(&model.clone(), &options).unwrap());
    }
}

#[test]
fn every_value_has_a_shape() {
    for opset in Opset::all() {
        assert!(!text(&small(), opset).contains(": ?"));
    }
}

#[test]
fn a_lean_file_has_no_names_but_those_of_its_ports() {
    let mut network = small();
    // Names that values might else have.
    network.outputs[0].name = "0".to_owned();
    network.inputs[0].name = "1".to_owned();
    let model = for_export(with_weights(&network)).unwrap();
    let whole = emit(&model, &Options::default()).unwrap();
    let lean = emit(&model, &Options { lean: true, ..Options::default() }).unwrap();
    let (text, whole_text) = (dump(&lean).unwrap(), dump(&whole).unwrap());
    assert!(whole_text.contains("conv_bn.0"));
    for part in ["conv_bn.0", "unit.0", "add.0", "relu6"] {
        assert!(!text.contains(part), "{part} in\n{text}");
    }
    assert_eq!(text.lines().count(), whole_text.lines().count() - network.choices.len());
    insta::assert_snapshot!(text);
}

/// The error, its code and its message.
fn refused(network: &Network, change: impl FnOnce(&mut Weights)) -> String {
    let mut model = with_weights(network);
    change(&mut model.weights);
    let folded = for_export(model).map_err(EmitError::from);
    let error = folded.and_then(|model| emit(&model, &Options::default())).unwrap_err();
    format!("{}: {error}", error.code().unwrap())
}

fn floats<'w>(weights: &'w mut Weights, name: &str) -> &'w mut Vec<f32> {
    weights[name].floats_mut().unwrap()
}

#[test]
fn operator_sets_out_of_range_are_refused() {
    for opset in [-1, 0, 10, 22, i64::from(u8::MAX) + 18] {
        let error = operator_set(opset).unwrap_err();
        assert_eq!(error, EmitError::Opset { opset });
        assert_eq!(error.help().unwrap().to_string(), "use an operator set from 11 to 21");
    }
    let versions: Vec<i64> = Opset::all().map(Opset::version).collect();
    assert_eq!(versions, (11..=21).collect::<Vec<_>>());
    assert!(versions.into_iter().all(|version| operator_set(version).is_ok()));
}

#[test]
fn weights_that_do_not_fit_are_all_named() {
    let message = refused(&small(), |weights| {
        weights.shift_remove("conv_bn.0/conv.0.weight");
        weights["conv_bn.0/batch_norm.0.running_var"].dims = vec![5];
        floats(weights, "unit.0/op=k3_e1/conv.0.bias").pop();
    });
    insta::assert_snapshot!(message);
}

#[test]
fn weights_that_are_not_numbers_are_refused() {
    let message = refused(&small(), |weights| {
        floats(weights, "conv_bn.0/batch_norm.0.running_var")[0] = -1.0;
        floats(weights, "unit.0/op=k3_e1/conv.0.bias")[1] = f32::INFINITY;
    });
    insta::assert_snapshot!(message);
}

#[test]
fn an_output_called_like_an_input_is_refused() {
    let mut network = small();
    network.outputs[1].name = "image".to_owned();
    assert_eq!(
        refused(&network, |_| {}),
        "nas::onnx::duplicate_name: two values would be called `image`"
    );
}

#[test]
fn networks_that_contradict_themselves_are_our_bug() {
    type Break = fn(&mut Network);
    let broken: [(&str, Break); 4] = [
        ("a wrong shape", |n| n.nodes[3].shape = Shape::from([4, 4, 5])),
        ("an operand too late", |n| n.nodes[3].inputs = vec![4]),
        ("no operand", |n| n.nodes[3].inputs = vec![]),
        ("a port of no node", |n| n.outputs.push(Port { name: "more".to_owned(), node: 99 })),
    ];
    for (what, break_it) in broken {
        let mut network = small();
        break_it(&mut network);
        let message = refused(&network, |_| {});
        assert!(message.starts_with("nas::internal::onnx_network"), "{what}: {message}");
    }
}

#[test]
fn other_files_have_no_text() {
    let error = dump(b"not a model").unwrap_err();
    assert_eq!(error.code().unwrap().to_string(), "nas::onnx::not_a_model");
}

#[test]
fn attributes_are_no_zeros_which_protobuf_leaves_out() {
    for (name, network) in nas_cases::cases::all() {
        let model = for_export(with_weights(&network)).unwrap();
        let onnx = emit(&model, &Options::default()).unwrap();
        let file = ModelProto::parse_from_bytes(&onnx).unwrap();
        let attributes = file.graph.node.iter().flat_map(|node| &node.attribute);
        let mut zeros = attributes.filter(|it| it.type_ == AttributeType::INT.into() && it.i == 0);
        assert!(zeros.next().is_none(), "{name}");
    }
}

#[test]
fn a_file_for_another_size_differs_in_sizes_alone() {
    let mean = |size: u32, channels: u32| {
        let mut b = Builder::new("gated");
        let image = b.input("image", Shape::from([3, size, size]));
        let x = b.op("conv.0", Op::Conv(conv(channels, 3)), &[image]);
        let pooled = b.op("global_avg_pool.0", Op::GlobalAvgPool(GlobalAvgPool), &[x]);
        let to = ResizeTo::Size([size, size]);
        let nearest = Resize { to, mode: ResizeMode::Nearest, align_corners: false };
        let wide = b.op("resize.0", Op::Resize(nearest), &[pooled]);
        let half = Resize {
            to: ResizeTo::Size([size - 3, size - 3]),
            mode: ResizeMode::Bilinear,
            ..nearest
        };
        let narrow = b.op("resize.1", Op::Resize(half), &[x]);
        let sum = b.op("add.0", Op::Add(Add), &[x, wide]);
        b.output("y", sum).output("z", narrow);
        emit(&with_weights(&b.network()), &Options::default()).unwrap()
    };
    let (small, large) = (mean(8, 4), mean(16, 4));
    let resized = Resized::of(&large, &small).unwrap().unwrap();
    let cut = dump(&resized.apply(&large).unwrap()).unwrap();
    assert!(cut.contains("image: f32[1, 3, 8, 8]"), "{cut}");
    assert_eq!(
        Resized::of(&resized.apply(&large).unwrap(), &small).unwrap().as_ref().map(|_| ()),
        Some(())
    );
    // Other nodes, other weights: nothing that sizes alone would make equal.
    assert_eq!(Resized::of(&large, &mean(8, 5)).unwrap(), None);
    assert!(Resized::of(b"no", &small).is_err());
}
