//! The text form of spaces and networks.
#![allow(clippy::panic, reason = "functions that only tests use")]

use nas_diagnostics::Problems;
use nas_grammar::Source;
use nas_ir::device::Device;
use nas_ir::ops::{AvgPool, BatchNorm, Conv, Padding, Pool, Relu, Resize, ResizeMode, ResizeTo};
use nas_ir::quantity::{Count, Order};
use nas_ir::text::{dot, parse, print, print_network};
use nas_ir::verify::verify;
use nas_ir::{
    Choice, Decision, Form, Graph, Limit, Node, NodeKind, Op, Opset, Precision, Quantity, Shape,
    Space, Varied,
};
use nas_passes::specialise;
use nas_testing::random;
use proptest::prelude::*;

/// Everything of a space but where and how it was written, and selectors: their ids depend on the store.
fn content(space: &Space) -> (String, String, Vec<Node>, Vec<Decision>, Vec<Limit>) {
    let is_fixed = |node: &Node| {
        let has_one = node.precision.as_ref().is_none_or(|precision| precision.fixed().is_some());
        has_one && node.fixed_op().is_some() && node.shape.fixed().is_some()
    };
    let nodes = space.graph.nodes().filter(|(_, node)| is_fixed(node));
    let nodes = nodes.map(|(_, node)| Node { origin: None, ..node.clone() });
    let decisions = space.decisions.iter().map(|d| Decision { origin: None, ..d.clone() });
    let (nodes, decisions) = (nodes.collect(), decisions.collect());
    let limits = space.requirements.iter().map(|requirement| requirement.limit.clone()).collect();
    let device = Device { latency: None, ..space.device.clone() };
    (space.name.clone(), format!("{:?} {device:?}", space.task), nodes, decisions, limits)
}

fn assert_round_trip(space: &Space) {
    let text = print(space);
    let parsed = parse(&text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    assert_eq!(content(&parsed), content(space));
    assert_eq!(print(&parsed), text);
}

#[test]
fn shipped_spaces_round_trip() {
    for name in ["squeezenas_small.nas", "squeezenas_large.nas", "landcover_demo.nas"] {
        assert_round_trip(&nas_testing::space(nas_testing::shipped(name)));
    }
}

#[test]
fn a_space_keeps_what_its_target_gives_it() {
    let mut space = one_op(Op::Relu(Relu), Shape::from([3, 8, 8]));
    space.device.precision = Precision::Int8;
    space.device.opset = Some(Opset::OLDEST);
    space.device.memory = Some(5_000_000_000);
    assert!(print(&space).contains("\nprecision int8\nopset 11\nmemory 5000000000\n"));
    assert_round_trip(&space);
}

#[test]
fn what_is_required_of_choices_stands_in_the_text() {
    let mut space = one_op(Op::Relu(Relu), Shape::from([3, 8, 8]));
    for (label, is_decreasing, text) in
        [("width", false, "breaks increasing width"), ("a b", true, "breaks decreasing \"a b\"")]
    {
        let order = Order { label: label.to_owned(), is_decreasing };
        let limit = Limit { form: Form::multiple(Quantity::Breaks(order), 1), most: 0 };
        space.requirements.push(limit.into());
        assert!(print(&space).contains(&format!("\nrequire 1 * {text} <= 0\n")));
    }
    let count =
        Count { label: "op".to_owned(), candidates: vec!["3x3".to_owned(), "skip".to_owned()] };
    let limit = Limit { form: Form::multiple(Quantity::Count(count), -2), most: -3 };
    space.requirements.push(limit.into());
    assert!(print(&space).contains("\nrequire -2 * count op [\"3x3\", skip] <= -3\n"));
    assert_round_trip(&space);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_spaces_round_trip(text in random::source()) {
        assert_round_trip(&nas_testing::space(Source::new("random.nas", text.as_str())));
    }

    #[test]
    fn names_of_any_characters_round_trip(name in any::<String>(), other in any::<String>()) {
        let mut space = one_op(Op::BatchNorm(BatchNorm { eps: 1e-5, momentum: 0.1, affine: true }), Shape::from([3, 8, 8]));
        space.name = name.clone();
        space.decisions.push(Decision {
            path: other.clone(),
            label: name.clone(),
            choice: Choice::Parts,
            candidates: vec![name, other],
            origin: None,
        });
        assert_round_trip(&space);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "space a\n(n0 = |conv|input|select|require|opset|precision|memory|int8|macs|count|breaks|increasing|<=|[dn][0-9]|[(){}\\[\\]\",: =0-9\\\\]|\n){0,40}") {
        if let Ok(space) = parse(&text) {
            assert_round_trip(&space);
        }
    }
}

/// A space with one operator on a map of 3 x 8 x 8.
fn one_op(op: Op, shape: Shape) -> Space {
    let mut graph = Graph::default();
    let node =
        |kind, inputs, shape, name: &str| Node::new(kind, inputs, Varied::Fixed(shape), name);
    let input = graph.add(node(NodeKind::Input, vec![], Shape::from([3, 8, 8]), "image"));
    let inner = graph.add(node(NodeKind::Op(Varied::Fixed(op)), vec![input], shape, "op.0"));
    graph.add(node(NodeKind::Output, vec![inner], shape, "result"));
    Space { name: "one".to_owned(), graph, ..Space::default() }
}

/// Passes may make operators that the language cannot write.
#[test]
fn operators_that_only_passes_make_round_trip() {
    let sides = Padding { before: [0, 1], after: [2, 1] };
    let conv = Conv {
        out: 4,
        kernel: [3, 2],
        stride: [1, 2],
        dilation: [1, 1],
        groups: std::num::NonZeroU32::MIN,
        bias: true,
        padding: sides,
    };
    let window = Pool {
        kernel: [4, 4],
        stride: [2, 1],
        padding: Padding { before: [0, 0], after: [1, 2] },
        ceil: true,
    };
    let pool = AvgPool { window, count_include_pad: true };
    let resize = |to| Op::Resize(Resize { to, mode: ResizeMode::Nearest, align_corners: false });
    for op in [
        Op::Conv(conv),
        Op::Conv(Conv { padding: Padding { before: [1, 0], after: [1, 0] }, ..conv }),
        Op::AvgPool(pool),
        Op::BatchNorm(BatchNorm { eps: 1e-300, momentum: 0.1 + 0.2, affine: false }),
        resize(ResizeTo::Size([3, 5])),
        resize(ResizeTo::Scale([2, 1])),
    ] {
        let shape = op.shape(&[Shape::from([3, 8, 8])]).unwrap();
        assert_round_trip(&one_op(op, shape));
    }
}

#[test]
fn errors_name_the_line_and_what_was_expected() {
    let start = "space s\nd0 = decision \"op\" label \"op\" [a, b]\nn0 = input \"x\" : [3, 8, 8]\n";
    for (line, expected) in [
        ("n1 = convolve(n0) \"c\" : [3, 8, 8]", "line 4: expected the name of an operator"),
        ("n1 = conv(n0) {out = 3} \"c\" : [3, 8, 8]", "line 4: expected a value for `kernel`"),
        (
            "n1 = conv(n0) {out = 0, kernel = (1, 1)} \"c\" : [3]",
            "line 4: expected a whole number of at least 1",
        ),
        (
            "n1 = conv(n0) {size = 3} \"c\" : [3]",
            "line 4: expected a parameter among: out, kernel, stride, dilation, groups, bias, padding",
        ),
        ("n1 = relu(n1) \"r\" : [3, 8, 8]", "line 4: expected a node of a line above"),
        (
            "n1 = select d1 (n0, n0) \"s\" : [3, 8, 8]",
            "line 4: expected a decision of a line above",
        ),
        (
            "n2 = relu(n0) \"r\" : [3, 8, 8]",
            "line 4: expected `task`, `precision`, `opset`, `memory`, `require`, a decision, a table or a node, the next being d1, t0 and n1",
        ),
        ("n1 = train output (n0) {weight = true} \"r\" : [3, 8, 8]", "line 4: expected a number"),
        ("n1 = relu(n0) \"r : [3, 8, 8]", "line 4: expected a closing quote"),
        ("n1 = relu(n0) \"r\" : []", "line 4: expected a shape of 1 to 5 sizes"),
        ("n1 = relu(n0) \"r\" : [3, 8, 8, 8, 8, 8]", "line 4: expected a shape of 1 to 5 sizes"),
        ("n1 = relu(n0) \"r\" : [3, 8, 8] and", "line 4: expected the end of the line"),
        ("require 3 * flops <= 5", "line 4: expected a measure, `count` or `breaks`"),
        ("require 3 * macs <= few", "line 4: expected a whole number"),
        ("d1 = decision \"e\" label \"e\" []", "line 4: expected at least one candidate"),
    ] {
        let error = parse(&format!("{start}{line}\n")).map(|space| print(&space)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{line}");
    }
    assert_eq!(
        parse("").map(|space| print(&space)).unwrap_err().to_string(),
        "line 1: expected `space NAME`"
    );
}

/// Decisions change the arguments of an operator, never what it is.
#[test]
fn an_operator_is_the_same_in_every_network() {
    let text = |op: &str, channels: u32| {
        format!(
            "space s\nd0 = decision \"op\" label \"op\" [a, b]\nn0 = input \"x\" : [3, 8, 8]\n\
             n1 = op d0 {{{op}}} (n0) \"r\" : [{channels}, 8, 8]\n\
             n2 = output (n1) \"y\" : [{channels}, 8, 8]\n"
        )
    };
    let verified = |op: &str, channels| {
        let mut problems = Problems::default();
        let space = verify(parse(&text(op, channels)).unwrap(), &mut problems);
        let problems: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
        (space.is_some(), problems.join("; "))
    };
    let conv = |kernel| format!("conv() {{out = 4, kernel = {kernel}}}");
    assert_eq!(verified(&format!("{} | {}", conv(1), conv(3)), 4), (true, String::new()));
    let (is_sound, problems) = verified("relu() | zero()", 3);
    assert!(!is_sound && problems.contains("n1: an operator that is another one"), "{problems}");
}

const SMALL: &str = r#"
use std.blocks.conv_bn_relu

block residual(x) {
    let y = x -> choose op {
        for k in [1, 3] { "conv {k}": conv(8, kernel = k) -> batch_norm }
        average: avg_pool(3, stride = 1, padding = "same")
        skip: zero
    }
    x + y
}

space small {
    input image: [3, 16, 16]
    task segmentation(7)
    require macs / params <= 30 and latency <= 12ms
    require count(op != "conv 1") - count(op == skip) <= 0
    let x = image -> conv_bn_relu(8, kernel = 3, stride = 2) -> residual
    output logits = x -> conv(7, kernel = 1, bias = true) -> resize(scale = 2)
    train output aux = x -> conv(7, kernel = 1) -> resize(scale = 2)
}
"#;

#[test]
fn the_text_of_a_space_and_its_networks() {
    let space = nas_testing::space(nas_testing::beside_shipped(SMALL));
    assert_round_trip(&space);
    insta::assert_snapshot!("space", print(&space));
    insta::assert_snapshot!("dot", dot(&space));
    let (id, _) = space.decision_ids().next().unwrap();
    for (candidate, name) in [(1, "network_conv"), (3, "network_skip")] {
        let mut assignment = space.first_assignment();
        assignment.set(id, candidate);
        insta::assert_snapshot!(name, print_network(&specialise(&space, &assignment)));
    }
}
