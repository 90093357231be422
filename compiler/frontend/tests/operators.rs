//! The operators as the language writes them: documentation, shapes, costs, text form.
#![allow(clippy::panic, reason = "a failed test panics")]

use nas_ir::ops::signature::{Argument, Declaration, Default, Literal};
use nas_ir::ops::{Role, Storage, TABLE, Yields};
use nas_ir::text::{parse, print};
use nas_ir::{Checked, Shape, Space, Varied};
use nas_passes::specialise;

/// A space that is this expression of a map `x`.
fn of_map(expression: &str) -> std::sync::Arc<Checked<Space>> {
    let text =
        format!("space example {{\n    input x: [16, 32, 32]\n    output y = {expression}\n}}\n");
    nas_testing::space(nas_testing::beside_shipped(&text))
}

#[test]
fn every_example_compiles_and_shows_its_operator() {
    for row in TABLE {
        let declaration = row.declaration;
        let text = print(&of_map(declaration.example));
        assert!(text.contains(&format!(" = {}(", declaration.name)), "{text}");
        let again = parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        assert_eq!(print(&again), text);
    }
}

#[test]
fn names_stand_in_alphabetical_order_and_once() {
    let names: Vec<&str> = TABLE.iter().map(|row| row.declaration.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
}

#[test]
fn parameters_have_names_of_their_own_and_defaults_of_their_kind() {
    for row in TABLE {
        let Declaration { name, params, .. } = row.declaration;
        let mut names: Vec<&str> = params.iter().map(|parameter| parameter.name).collect();
        names.sort_unstable();
        assert!(names.is_sorted_by(|a, b| a < b), "{name}: {names:?}");
        for parameter in *params {
            if let Default::Is(value) = parameter.default {
                let read = parameter.kind.argument(&literal(value));
                assert_eq!(read, Some(value), "{name}: {}", parameter.name);
            }
        }
    }
}

/// The properties that an operator's file states go together.
#[test]
fn properties_agree_with_each_other() {
    for row in TABLE {
        let name = row.declaration.name;
        let space = of_map(row.declaration.example);
        let mut nodes = space.graph.nodes().map(|(_, node)| node);
        let node =
            nodes.find(|node| node.fixed_op().is_some_and(|op| op.declaration().name == name));
        let node = node.unwrap_or_else(|| panic!("{name} is not in its example"));
        let op = node.fixed_op().unwrap();
        let shape = |id| *space.graph.shape(id).and_then(Varied::fixed).unwrap();
        let inputs: Vec<Shape> = node.inputs.iter().map(|&id| shape(id)).collect();
        let output = *node.shape.fixed().unwrap();

        let weights = op.weights(&inputs);
        let kernels = weights.iter().filter(|weight| weight.role == Role::Kernel).count();
        assert_eq!(kernels, usize::from(op.has_kernel()), "{name}");
        assert_eq!(op.macs(&inputs, output) > 0, op.has_kernel(), "{name}");
        assert_eq!(op.with_bias().is_some(), op.has_kernel(), "{name}");

        let forwards = matches!(op.yields(), Yields::Operand | Yields::OperandButInTraining);
        assert_eq!(forwards, op.is_elementwise() && op.storage() == Storage::View, "{name}");
        assert_eq!(op.reads_inputs(), op.yields() != Yields::Zeros, "{name}");
        let keeps_shape = forwards || op.yields() == Yields::Zeros || op.is_scaling();
        if keeps_shape || op.storage() == Storage::InPlace {
            assert_eq!([output].as_slice(), inputs, "{name}");
        }

        let channels = inputs[0].channels() as usize;
        let ones = vec![1.0; channels];
        let scaling = op.scaling(&|_| &ones);
        assert_eq!(
            scaling.map(|of_channels| of_channels.len()),
            op.is_scaling().then_some(channels),
            "{name}"
        );

        let declared: Vec<&str> = row.declaration.params.iter().map(|param| param.name).collect();
        let alternatives = op.alternatives(&inputs).unwrap();
        assert!(alternatives.iter().all(|(given, _)| declared.contains(given)), "{name}");
        let has_padding = declared.contains(&"padding");
        assert_eq!(op.window_padding(&inputs).unwrap().is_some(), has_padding, "{name}");
    }
}

/// An argument as it would be written.
fn literal(argument: Argument) -> Literal {
    let pair = |pair: [u32; 2]| Literal::Tuple(pair.map(|n| Literal::Int(n.into())).into());
    match argument {
        Argument::Count(n) => Literal::Int(n.into()),
        Argument::Pair(both) => pair(both),
        Argument::Sides { before, after } => Literal::Tuple(vec![pair(before), pair(after)]),
        Argument::Real(r) => Literal::Real(r),
        Argument::Flag(b) => Literal::Flag(b),
        Argument::Word(word) => Literal::Text(word.to_owned()),
    }
}

/// Shape, MACs and parameters as PyTorch has them.
#[test]
fn shapes_and_costs() {
    let map = |channels, height, width| Shape::from([channels, height, width]);
    for (expression, shape, macs, params) in [
        ("x -> conv(32, 3)", map(32, 32, 32), 4_718_592, 4608),
        ("x -> conv(32, 3, groups = 4, bias = true)", map(32, 32, 32), 1_179_648, 1184),
        ("x -> conv(8, (1, 7), stride = (2, 1))", map(8, 16, 32), 458_752, 896),
        ("x -> conv(8, 3, stride = 2, padding = \"valid\")", map(8, 15, 15), 259_200, 1152),
        ("x -> conv(8, 3, padding = 2)", map(8, 34, 34), 1_331_712, 1152),
        ("x -> conv(8, 3, padding = (0, 1))", map(8, 30, 32), 1_105_920, 1152),
        ("x -> conv(8, 3, stride = 2, padding = ((0, 0), (1, 1)))", map(8, 16, 16), 294_912, 1152),
        // `nn.ConvTranspose2d(16, 8, 3, 2, 1, 1)`
        (
            "x -> conv_transpose(8, 3, stride = 2, output_padding = 1)",
            map(8, 64, 64),
            1_179_648,
            1152,
        ),
        (
            "x -> conv_transpose(8, 2, stride = 2, padding = \"valid\", bias = true)",
            map(8, 64, 64),
            524_288,
            520,
        ),
        (
            "x -> conv_transpose(8, 5, stride = 3, groups = 2, padding = 1)",
            map(8, 96, 96),
            1_638_400,
            1600,
        ),
        ("x -> flatten", Shape::from([16_384]), 0, 0),
        ("x -> flatten -> linear(10)", Shape::from([10]), 163_840, 163_850),
        ("x -> global_avg_pool -> linear(10, bias = false)", Shape::from([10]), 160, 160),
        ("x -> batch_norm", map(16, 32, 32), 0, 32),
        ("x -> batch_norm(affine = false)", map(16, 32, 32), 0, 0),
        ("x -> prelu", map(16, 32, 32), 0, 16),
        ("x -> shift(3, dilation = 2)", map(16, 32, 32), 0, 0),
        ("x -> channel_shuffle(4)", map(16, 32, 32), 0, 0),
        ("x -> channel_slice(4, 9)", map(5, 32, 32), 0, 0),
        ("x -> channel_pad(before = 1, after = 3)", map(20, 32, 32), 0, 0),
        ("x -> pad(top = 1, left = 2, bottom = 3, right = 4)", map(16, 36, 38), 0, 0),
        ("x -> crop(top = 1, left = 1)", map(16, 31, 31), 0, 0),
        ("x -> max_pool(3, stride = 2)", map(16, 15, 15), 0, 0),
        ("x -> max_pool(3, stride = 2, ceil = true)", map(16, 16, 16), 0, 0),
        ("x -> max_pool((3, 2), stride = (1, 2), padding = (1, 0))", map(16, 32, 16), 0, 0),
        ("x -> max_pool(3, stride = 2, padding = ((0, 0), (1, 1)))", map(16, 16, 16), 0, 0),
        // The third window would begin in the padding after.
        ("x -> avg_pool(20, stride = 21, padding = 10, ceil = true)", map(16, 2, 2), 0, 0),
        ("(x -> max_pool(3, stride = 4), x) -> max_unpool(3, stride = 4)", map(16, 32, 32), 0, 0),
        ("x -> dropout(0.2)", map(16, 32, 32), 0, 0),
    ] {
        let space = of_map(expression);
        let network = specialise(&space, &space.first_assignment());
        let output = network.outputs.first().and_then(|port| network.nodes.get(port.node));
        assert_eq!(output.map(|node| node.shape), Some(shape), "{expression}");
        let cost = network.cost();
        assert_eq!((cost.macs, cost.params), (macs, params), "{expression}");
    }
}

/// A map of one pixel is a vector for `linear`, and still a map for convolutions and gates.
#[test]
fn both_ways_to_end_a_classifier() {
    for head in [
        "x -> global_avg_pool -> linear(10)",
        "x -> global_avg_pool -> conv(64, kernel = 1, bias = true) -> hswish -> flatten -> linear(10)",
        "x * (x -> global_avg_pool -> sigmoid) -> flatten -> dropout -> linear(10)",
    ] {
        let space = of_map(head);
        let (_, output) = space.graph.outputs().next().unwrap_or_else(|| panic!("{head}"));
        assert_eq!(output.shape, Varied::Fixed(Shape::from([10])), "{head}");
    }
}
