//! Programs as text, and what the verifier refuses.

use std::collections::BTreeMap;

use nas_cases::cases;
use nas_ir::{Network, Precision, Shape};
use nas_passes::specialise;
use nas_quantise::Scheme;
use nas_testing::shipped;
use tch::{Device, Kind, Tensor};

use super::rounding::Learning;
use super::source::space;
use super::varied::{DARTS, ELASTIC, NASNET, SIZES};
use crate::error::TorchError;
use crate::mixing::{Mix, assigned, of_selects};
use crate::network::TorchNetwork;
use crate::program::Program;
use crate::schedule::Schedule;
use crate::statistics::Statistics;

/// A chosen kernel, an elastic width, zeros beside a residual, and a head for training.
const SMALL: &str = r#"
space s() {
    input image: [3, 8, 8]
    task segmentation(2)
    let x = image -> conv(elastic width [2, 4], kernel = choose kernel [1, 3]) -> batch_norm
        -> relu -> conv(4, kernel = 1)
    let y = x + (x -> choose op { pool: max_pool(3, stride = 1, padding = "same"), skip: zero })
    output logits = y -> conv(2, kernel = 1, bias = true)
    train(0.25) output helper = x -> conv(2, kernel = 1)
}
"#;

fn supernet(text: &str) -> Program {
    Program::of_space(&space(text)).unwrap()
}

/// A network that learns to compute with integers, and one layer with 16-bit floats.
fn learning(powers_of_two: bool) -> TorchNetwork {
    let space = space(SMALL);
    let network = specialise(&space, &space.first_assignment());
    let scheme = Scheme { symmetric: false, powers_of_two };
    let half = |network: &Network| {
        let last = network.nodes.iter().position(|node| node.name.ends_with("conv.2")).unwrap();
        BTreeMap::from([(last, Precision::Fp16)])
    };
    Learning::of(&network, scheme, half).network()
}

fn network(text: &str) -> Program {
    let space = space(text);
    let network = specialise(&space, &space.first_assignment());
    Program::in_training(&network, Some(Shape::from([3, 16, 16]))).unwrap()
}

#[test]
fn a_supernet_as_text() {
    insta::assert_snapshot!(supernet(SMALL));
}

/// It is fed pictures of twice the size, and answers in their size.
#[test]
fn a_network_in_training_as_text() {
    insta::assert_snapshot!(network(SMALL));
}

#[test]
fn what_is_printed_is_parsed() {
    let of_cases = cases::all().into_iter();
    let of_cases = of_cases.map(|(_, network)| Program::of_network(&network, None).unwrap());
    let of_texts = [SMALL, DARTS, ELASTIC, NASNET, SIZES].map(supernet);
    let transformed = Program::transformed(&space(ELASTIC)).unwrap();
    assert!(transformed.to_string().contains(" * p"), "{transformed}");
    let learning = [false, true].map(|powers| learning(powers).program);
    for part in ["by 2^p", " along 0", " times p", " = round 2^p", " = round half", "by half"] {
        assert!(learning[1].to_string().contains(part), "{part}: {}", learning[1]);
    }
    let programs = of_cases.chain(of_texts).chain([network(SMALL), transformed]);
    for program in programs.chain(learning) {
        let text = program.to_string();
        let parsed: Program = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(parsed.to_string(), text);
        assert_eq!(parsed.instructions, program.instructions);
        assert_eq!(parsed.parameters, program.parameters);
        assert_eq!((&parsed.inputs, &parsed.outputs), (&program.inputs, &program.outputs));
        assert_eq!(parsed.train_outputs, program.train_outputs);
        parsed.verify().unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
}

/// The fault that the verifier finds in a program with one line, or part of one, replaced.
#[track_caller]
fn fault(program: &Program, from: &str, to: &str) -> String {
    let text = program.to_string();
    assert!(text.contains(from), "{from} is not in\n{text}");
    let broken: Program = text.replacen(from, to, 1).parse().unwrap();
    match broken.verify() {
        Err(TorchError::Broken { reason, .. }) => reason,
        other => panic!("{from} -> {to}: {other:?}"),
    }
}

#[test]
fn programs_that_are_not_well_formed_are_refused() {
    let program: Program = BASE.parse().unwrap();
    program.verify().unwrap();
    for (from, to, expected) in [
        // Operands.
        ("relu(v1:", "relu(v3:", "v3 is not there yet"),
        ("relu(v1:", "relu(v2:", "v2 is not there yet"),
        ("relu(v1: [4, 8, 8])", "relu()", "an operator of one tensor has 0"),
        ("relu(v1: [4, 8, 8])", "relu(v1: [4, 8, 8], v0: [3, 8, 8])", "one tensor has 2"),
        ("relu(v1: [4, 8, 8])", "relu(_: [4, 8, 8])", "it reads 0 operands, not 1"),
        ("zero()", "zero(v1: [4, 8, 8])", "it reads 1 operands, not 0"),
        ("output (v4)", "output (v3, v4)", "it reads 2 operands, not 1"),
        // Shapes.
        ("\"act\" : [4, 8, 8]", "\"act\" : [4, 8, 9]", "its shape is [4, 8, 8]"),
        (
            "relu(v1: [4, 8, 8]) \"act\" : [4, 8, 8]",
            "relu(v1: [3, 8, 8]) \"act\" : [3, 8, 8]",
            "v1 is [4, 8, 8], not [3, 8, 8]",
        ),
        ("groups = 1", "groups = 3", "its operands do not fit"),
        ("\noutput v5 : [4, 8, 8]", "\noutput v5 : [4, 8]", "v5 is [4, 8, 8], not [4, 8]"),
        ("\noutput v5 : [4, 8, 8]", "\noutput v5 : []", ""),
        // Parameters.
        ("[p0, p1] \"head\"", "[p0] \"head\"", "it reads 1 parameters, not 2"),
        ("[p0, p1] \"head\"", "[p1, p0] \"head\"", "p1 is a Bias, not a Kernel"),
        ("[p0, p1] \"head\"", "[p0, p7] \"head\"", "there is no p7"),
        ("[4, 3, 1, 1] normal", "[4, 3, 3, 3] normal", "p0 has no such part [4, 3, 1, 1]"),
        ("[p0, p1] \"head\"", "[p0(1+4, 0+3, 0+1, 0+1), p1] \"head\"", "p0 has no such part"),
        ("[p0, p1] \"head\"", "[p0(0+3, 0+3, 0+1, 0+1), p1] \"head\"", "p0 has no such part"),
        ("[p0, p1] \"head\"", "[p0(0+4, 0+3), p1] \"head\"", "p0 has no such part"),
        ("\"head.bias\"", "\"head.weight\"", "p1: another parameter is named `head.weight`"),
        // Inputs and outputs.
        ("input 0", "input 1", "there is no input 1"),
        ("input [3, 8, 8]\n", "input [3, 8, 8]\ninput [3, 8, 8]\n", "no instruction is input 1"),
        ("output v5 :", "output v9 :", "output v9: v9 is not there yet"),
        ("output v5 : [4,", "output v5 : [5,", "v5 is [4, 8, 8], not [5, 8, 8]"),
        // Selects.
        ("select s0", "select s3", "there is no s3"),
        ("(v2, v3)", "(v2)", "s0 takes one of 2 operands"),
        ("[0, 1]", "[0, 4]", "s0 takes one of 5 operands"),
        ("mixes [d0]", "mixes [d0, d1]", "s0: it mixes by decisions that do not matter to it"),
        ("mixes [d0]", "mixes []", "s0 does not mix by d0"),
        ("(v2, v3)", "(v2, v0)", "an output wants v5 as [4, 8, 8] where it has another shape"),
    ] {
        if expected.is_empty() {
            assert!(BASE.replace(from, to).parse::<Program>().is_err(), "{to}");
            continue;
        }
        let found = fault(&program, from, to);
        assert!(found.contains(expected), "{from} -> {to}: {found}");
    }
}

const BASE: &str = r#"
program

input [3, 8, 8]

p0 = kernel "head.weight" [4, 3, 1, 1] normal 0.5
p1 = bias "head.bias" [4] constant 0.0

t0 = by d0 [0, 1]

s0 = t0 mixes [d0]

v0 = input 0 "image"
v1 = conv(v0: [3, 8, 8]) {out = 4, kernel = (1, 1), groups = 1, bias = true} [p0, p1] "head" : [4, 8, 8]
v2 = relu(v1: [4, 8, 8]) "act" : [4, 8, 8]
v3 = zero() "none" : [4, 8, 8]
v4 = select s0 (v2, v3) "op"
v5 = output (v4) "logits"

output v5 : [4, 8, 8]
"#;

#[test]
fn a_matrix_brings_a_larger_kernel_to_a_smaller_one() {
    let program: Program = TRANSFORMED.parse().unwrap();
    program.verify().unwrap();
    for (from, to, expected) in [
        (" * p1[1, 1]", " * p1[3, 3]", "the last matrix of p0 makes no [4, 3, 1, 1]"),
        (" * p1[1, 1]", " * p0[1, 1]", "p0 brings no kernel [3, 3] to [1, 1]"),
        (" * p1[1, 1]", " * p7[1, 1]", "p7 brings no kernel"),
        (" * p1[1, 1]", " * p1[5, 5] * p1[1, 1]", "p1 brings no kernel [3, 3] to [5, 5]"),
        ("to_1x1\" [1, 1]", "to_1x1\" [9, 9]", "p1 brings no kernel"),
    ] {
        let found = fault(&program, from, to);
        assert!(found.contains(expected), "{from} -> {to}: {found}");
    }
}

/// A kernel of which a smaller one is made.
const TRANSFORMED: &str = r#"
program

input [3, 8, 8]

p0 = kernel "head.weight" [4, 3, 3, 3] normal 0.5
p1 = kernel "head.weight.to_1x1" [1, 1] constant 0.0

v0 = input 0 "image"
v1 = conv(v0: [3, 8, 8]) {out = 4, kernel = (1, 1), groups = 1, bias = false} [p0(0+4, 0+3, 1+1, 1+1) * p1[1, 1]] "head" : [4, 8, 8]
v2 = output (v1) "logits"

output v2 : [4, 8, 8]
"#;

#[track_caller]
fn broken<T>(made: Result<T, TorchError>) -> String {
    match made.map(drop) {
        Err(error @ TorchError::Broken { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// What is missing is told, and stands for nothing.
#[test]
fn what_is_missing_is_a_fault_of_the_backend() {
    let text = space(SMALL);
    let program = supernet(SMALL);
    let selects = assigned(&program, &text, &text.first_assignment()).unwrap();
    let some = &selects[..1];
    assert!(broken(Schedule::new(&program, some)).ends_with("nothing says what s3 does"));
    let decisions = [Mix::One { candidate: 0, factor: None }];
    assert!(broken(of_selects(&program, &decisions)).ends_with("nothing says what d1 does"));
    let one = |candidate| Mix::One { candidate, factor: None };
    let decisions = [one(0), one(7), one(0)];
    assert!(broken(of_selects(&program, &decisions)).ends_with("d1 has no candidate 7"));

    let network = specialise(&text, &text.first_assignment());
    let network = TorchNetwork::new(&network, 1, Device::Cpu).unwrap();
    assert!(broken(network.forward(&[], false)).ends_with("a program is given no input"));
    // Nor is it the fault of a crop.
    let mut other = network.evaluation(Statistics::Running);
    let longer = Schedule::new(&program, &selects).unwrap();
    other.schedule = &longer;
    let crop = Tensor::zeros([1, 3, 4, 4], (Kind::Float, Device::Cpu));
    let error = broken(other.run(&[crop]));
    assert!(
        error.contains("is read and has no value") || error.contains("there is no v"),
        "{error}"
    );
}

/// An operator for each of two widths, and what they read for each.
const WIDTHS: &str = r#"
program

input [3, 8, 8]

t0 = by d0 [0, 1]
t1 = by d0 [1, 0]
t2 = by d1 [t0, t1]

s0 = t0 mixes []
s1 = t0 mixes [d0]
s2 = t2 mixes [d0, d1]
s3 = t1 mixes [d0]

v0 = input 0 "image"
v1 = channel_slice(v0: [3, 8, 8]) {start = 0, end = 1} "narrow" : [1, 8, 8]
v2 = channel_slice(v0: [3, 8, 8]) {start = 0, end = 2} "wide" : [2, 8, 8]
v3 = select s0 (v1, v2) "width"
v4 = channel_pad(v3: [1, 8, 8]) {after = 1} "pad" : [2, 8, 8]
v5 = channel_pad(v3: [2, 8, 8]) "pad" : [2, 8, 8]
v6 = select s1 (v4, v5) "pad"

output v6 : [2, 8, 8]
"#;

/// Of a value of several shapes, whoever reads it meets the one that it wants.
#[test]
fn shapes_follow_under_all_decisions() {
    let program: Program = WIDTHS.parse().unwrap();
    program.verify().unwrap();
    // The cases in the other order, under the wrong decision as well, for both at once.
    let wants = "v4 wants v3 as [1, 8, 8] where it has another shape";
    assert!(fault(&program, "select s1 (v4, v5)", "select s3 (v4, v5)").contains(wants));
    assert!(fault(&program, "select s1 (v4, v5)", "select s2 (v4, v5)").contains(wants));
    let wants = "an output wants v3 as [2, 8, 8] where it has another shape";
    assert!(fault(&program, "output v6", "output v3").contains(wants));
    let vector = "v2 = flatten(v0: [3, 8, 8]) \"wide\" : [192]";
    let line = "v2 = channel_slice(v0: [3, 8, 8]) {start = 0, end = 2} \"wide\" : [2, 8, 8]";
    assert!(fault(&program, line, vector).contains("maps and vectors are its operands"));
    // In the order of the other rule, and so with the other width each.
    let other = WIDTHS.replace("select s1 (v4, v5)", "select s3 (v5, v4)");
    assert!(other.parse::<Program>().unwrap().verify().unwrap().is_empty());
    // A decision counts where its values meet in one shape.
    let never = fault(&program, "select s1 (v4, v5)", "select s0 (v4, v5)");
    assert!(never.contains("s0 does not mix by d0, and its shape is always the same"), "{never}");
}

/// The conditions of all shipped spaces fit into the tables of the verifier.
#[test]
fn all_is_proved_of_the_shipped_spaces() {
    for name in nas_testing::shipped_names() {
        let (spaces, problems) = nas_testing::compile(shipped(&name), |program, compiler| {
            let spaces = program.spaces().map(|item| compiler.space(&item.name.name, &[]));
            spaces.collect::<Option<Vec<_>>>()
        });
        for space in spaces.unwrap_or_else(|| panic!("{name}: {problems:?}")) {
            let program = Program::of_space(&space)
                .unwrap_or_else(|error| panic!("{name}: {}: {error}", space.name));
            assert!(program.unproved.is_empty(), "{name}: {}: {:?}", space.name, program.unproved);
        }
    }
}
