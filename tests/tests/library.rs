//! The blocks of the standard library: each compiles, with the shape that its documentation says;
//! what trains with branches computes the same when they are folded.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the functions that the tests share are tests too"
)]

use std::collections::BTreeSet;

use nas_cases::networks::with_weights;
use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_grammar::Source;
use nas_grammar::ast::ItemKind;
use nas_grammar::parse::parse;
use nas_ir::{Model, Network, Op, Shape, Tensor};
use nas_passes::{reparameterise, specialise};
use nas_tract::{Tolerance, compare, seeded_inputs};
use nasc::services::source::load_module;

/// Module, block, its use on maps `a`, `b` and `c`, what it gives.
type Row = (&'static str, &'static str, &'static str, &'static str);

/// The shapes of the maps.
const MAPS: &str = "
    input a: [8, 12, 16]
    input b: [8, 6, 8]
    input c: [4, 12, 16]
    input d: [8, 1, 1]
";

const BLOCKS: &[Row] = &[
    ("blocks", "activation", "a -> activation(\"hswish\")", "[8, 12, 16]"),
    ("blocks", "conv_bn", "a -> conv_bn(6, kernel = 3, stride = 2, act = \"relu6\")", "[6, 6, 8]"),
    ("blocks", "conv_bn_relu", "a -> conv_bn_relu(6, kernel = 5, groups = 2)", "[6, 12, 16]"),
    ("blocks", "relu_conv_bn", "a -> relu_conv_bn(6, kernel = 1, stride = 2)", "[6, 6, 8]"),
    ("blocks", "inverted_residual", "a -> inverted_residual(6, stride = 2)", "[6, 6, 8]"),
    ("blocks", "factorized_reduce", "a -> factorized_reduce(6)", "[6, 6, 8]"),
    ("blocks", "squeeze_excite", "a -> squeeze_excite(4)", "[8, 12, 16]"),
    ("blocks", "mbconv", "a -> mbconv(8, act = \"hswish\", se = 0.25)", "[8, 12, 16]"),
    // Without an expansion it has the width of its input, which no rounding changes.
    ("blocks", "mbconv", "c -> conv(12, kernel = 1) -> mbconv(16, 2, expand = 1)", "[16, 6, 8]"),
    ("blocks", "separable_conv", "a -> separable_conv(6, stride = 2)", "[6, 6, 8]"),
    ("blocks", "dil_conv", "a -> dil_conv(6, kernel = 3, dilation = 2)", "[6, 12, 16]"),
    ("blocks", "sep_conv", "a -> sep_conv(6, kernel = 5, stride = 2)", "[6, 6, 8]"),
    ("blocks", "factorized_reduce_bn", "a -> factorized_reduce_bn(7)", "[7, 6, 8]"),
    ("blocks", "dropped", "a -> dropped(0.2)", "[8, 12, 16]"),
    ("blocks", "pool", "a -> pool(\"avg\", 3, 2)", "[8, 6, 8]"),
    ("blocks", "pool_bn", "a -> pool_bn(\"max\", 3)", "[8, 12, 16]"),
    ("cells", "fit", "(a, b) -> fit(6)", "[6, 6, 8]"),
    ("cells", "pool_to", "a -> pool_to(6, \"max\", 3, 2)", "[6, 6, 8]"),
    ("cells", "squeezed", "a -> squeezed(8, [(3, 2)])", "[8, 6, 8]"),
    ("cells", "cell_op", "a -> cell_op(\"line\", 7, 8, 2)", "[8, 6, 8]"),
    ("cells", "identity_to", "a -> identity_to(6, 2)", "[6, 6, 8]"),
    ("cells", "operator", "a -> operator(8, 1, [(\"sep\", 3)], 0.1)", "[8, 12, 16]"),
    ("cells", "nodes", "(a, a) -> nodes(8, 1, [(\"max\", 3)], [5, 6], 0.0)", "[16, 12, 16]"),
    ("cells", "normal", "(c, a) -> normal(8, [(\"max\", 3)], [4, 5, 6], 0.0)", "[24, 12, 16]"),
    ("cells", "reduction", "(c, a) -> reduction(8, [(\"max\", 3)], [1, 6], 0.0)", "[16, 6, 8]"),
    (
        "cells",
        "cell_network",
        "(a -> cell_network([(\"max\", 3)], 4, 1, 5, [[5, 6], [5, 6]]))[0]",
        "[5]",
    ),
    ("classic", "conv_relu", "a -> conv_relu(6, kernel = 3, stride = 2)", "[6, 6, 8]"),
    ("classic", "fire", "a -> fire(4, 6)", "[12, 12, 16]"),
    ("classic", "shortcut", "a -> shortcut(6, 2)", "[6, 6, 8]"),
    ("classic", "basic_residual", "a -> basic_residual(6, 2)", "[6, 6, 8]"),
    ("classic", "bottleneck_residual", "a -> bottleneck_residual(6)", "[24, 12, 16]"),
    ("heads", "lr_aspp_fuse", "(b, d, c) -> lr_aspp_fuse(5, 6, 2)", "[5, 24, 32]"),
    (
        "heads",
        "lr_aspp",
        "(b, c) -> lr_aspp(5, 6, 2, pool = (3, 4), pool_stride = (2, 3))",
        "[5, 24, 32]",
    ),
    ("heads", "lr_aspp_global", "(b, c) -> lr_aspp_global(5, 6, 2)", "[5, 24, 32]"),
    ("heads", "pixel_classifier", "a -> pixel_classifier(5, (24, 32))", "[5, 24, 32]"),
    ("heads", "atrous_separable_conv", "a -> atrous_separable_conv(6)", "[6, 12, 16]"),
    ("heads", "aspp", "a -> aspp(6, rates = [2, 3])", "[6, 12, 16]"),
    ("heads", "deeplab_decoder", "(b, c) -> deeplab_decoder(6, mid = 4)", "[6, 12, 16]"),
    ("heads", "auxiliary_head", "a -> auxiliary_head(5)", "[5]"),
    ("mobile", "shuffle_unit", "a -> shuffle_unit(24, 2, stride = 2)", "[24, 6, 8]"),
    ("mobile", "squeezenext", "a -> squeezenext(16, stride = 2)", "[16, 6, 8]"),
    ("mobile", "shift_residual", "a -> shift_residual(9, stride = 2)", "[9, 6, 8]"),
    ("reparam", "folded_conv", "a -> folded_conv(6, 3, 2, \"relu\")", "[6, 6, 8]"),
    ("reparam", "rep_vgg", "a -> rep_vgg(8)", "[8, 12, 16]"),
    ("reparam", "qarep_vgg", "a -> qarep_vgg(6, stride = 2)", "[6, 6, 8]"),
    ("segmentation", "concat_downsample", "a -> concat_downsample(12)", "[12, 6, 8]"),
    ("segmentation", "asymmetric_conv", "a -> asymmetric_conv(6, dilation = 2)", "[6, 12, 16]"),
    ("segmentation", "conv_bn_pair", "a -> conv_bn_pair(6, stride = 2)", "[6, 6, 8]"),
    ("segmentation", "eda_module", "a -> eda_module(4, dilation = 2)", "[12, 12, 16]"),
    ("segmentation", "enet_merge", "(c, a) -> enet_merge(prelu, 0.1)", "[8, 12, 16]"),
    ("segmentation", "enet_bottleneck", "a -> enet_bottleneck(asymmetric = true)", "[8, 12, 16]"),
    ("segmentation", "enet_down", "a -> enet_down(12)", "[12, 6, 8]"),
    ("segmentation", "enet_up", "(b, c) -> enet_up", "[4, 12, 16]"),
];

/// The network of a block, every decision at its first candidate.
fn network(module: &str, block: &str, call: &str) -> Network {
    let is_read = |line: &&str| {
        let name = line.trim().strip_prefix("input ").and_then(|rest| rest.split(':').next());
        name.is_some_and(|name| call.split(|c: char| !c.is_alphanumeric()).any(|word| word == name))
    };
    let inputs: Vec<&str> = MAPS.lines().filter(is_read).collect();
    let text = format!(
        "use std.{module}.{block}\nspace s() {{\n{}\n output y = {call}\n}}\n",
        inputs.join("\n")
    );
    let mut problems = Problems::default();
    let program = Program::load(Source::new("s.nas", text.clone()), &load_module, &mut problems);
    let space = Compiler::new(&program, &mut problems).space("s", &[]);
    let problems: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
    let space = space.unwrap_or_else(|| panic!("{text}: {problems:?}"));
    specialise(&space, &space.first_assignment())
}

#[test]
fn every_block_compiles_to_the_shape_that_it_states() {
    for (module, block, call, expected) in BLOCKS {
        let network = network(module, block, call);
        let shape = network.nodes[network.outputs[0].node].shape;
        assert_eq!(shape.to_string(), *expected, "std.{module}.{block}");
    }
}

#[test]
fn every_block_has_a_row() {
    let mut library = BTreeSet::new();
    for module in nas_spaces::std_modules() {
        let text = nas_spaces::std_module(module).unwrap();
        let file = parse(&Source::new(format!("std/{module}.nas"), text)).file;
        for item in file.items {
            if let ItemKind::Block(block) = item.kind {
                library.insert((module, block.name.name.clone()));
            }
        }
    }
    let rows = BLOCKS.iter().map(|(module, block, ..)| (*module, (*block).to_owned()));
    assert_eq!(rows.collect::<BTreeSet<_>>(), library);
}

/// A block in two forms: with its branches, and the single convolution that these fold into.
fn forms(block: &str, (out, kernel, stride): (u32, u32, u32)) -> [Network; 2] {
    [false, true].map(|folded| {
        let call =
            format!("a -> {block}({out}, {kernel}, {stride}, \"hswish\", folded = {folded})");
        network("reparam", block, &call)
    })
}

/// What a network computes, whatever its nodes are called.
fn structure(network: &Network) -> Vec<(Option<&Op>, &[usize], Shape)> {
    network.nodes.iter().map(|n| (n.op.as_ref(), n.inputs.as_slice(), n.shape)).collect()
}

fn answer(model: &Model, image: &Tensor) -> Tensor {
    nas_torch::run(model, std::slice::from_ref(image)).unwrap().remove(0)
}

/// Branches that the pass folds are the folded form of the block, and answer as before.
#[test]
fn folded_branches_compute_what_the_branches_do() {
    for block in ["rep_vgg", "qarep_vgg"] {
        for size in [(8, 3, 1), (8, 3, 2), (6, 3, 1), (8, 5, 1)] {
            let [branches, single] = forms(block, size);
            let branches = with_weights(&branches);
            let folded = reparameterise(branches.clone());
            assert_eq!(folded.verify(), Ok(()));
            assert_eq!(structure(&folded.network), structure(&single), "{block}{size:?}");
            let image = seeded_inputs(&[[1, 8, 12, 16]], 1).remove(0);
            let agreement = compare(&answer(&branches, &image), &answer(&folded, &image)).unwrap();
            assert!(Tolerance::Tight.allows(&agreement), "{block}{size:?}: {agreement:?}");
        }
    }
}
