//! Networks of integers: what tract and libtorch make of a rounded network, against its definition.

use std::collections::BTreeMap;

use nas_cases::networks::with_weights;
use nas_cases::{cases, reference};
use nas_ir::{Model, Op, Precision, Tensor};
use nas_onnx::{Integers, Options, emit, operator_set};
use nas_passes::model::for_export;
use nas_quantise::{Grids, Method, Plan, Scheme, calibrated};
use nas_tract::seeded_inputs;

use super::shapes;

/// A case as a network of integers, by its definition on some inputs, where every so many nodes with a kernel, from the first,
/// compute with 16-bit floats.
fn rounded(model: &Model, scheme: Scheme, halves: Option<usize>) -> Model {
    let model = for_export(model.clone()).unwrap();
    let kernels = model.network.nodes.iter().enumerate();
    let kernels = kernels.filter(|(_, node)| node.op.as_ref().is_some_and(Op::has_kernel));
    let kernels: Vec<usize> = kernels.map(|(index, _)| index).collect();
    let halves = halves.map_or_else(BTreeMap::new, |each| {
        kernels.iter().step_by(each).map(|&index| (index, Precision::Fp16)).collect()
    });
    let plan = Plan::of(&model.network, &halves);
    let inputs = shapes(&model.network, &model.network.inputs);
    let batches: Vec<Vec<Tensor>> = (1..=3).map(|seed| seeded_inputs(&inputs, seed)).collect();
    let mut run = |model: &Model, inputs: &[Tensor]| Ok::<_, ()>(reference::run(model, inputs));
    let grids = calibrated(&model, &plan, (Method::MinMax, scheme), &batches, &mut run).unwrap();
    Grids::of(scheme, &model, &plan, grids).rounded(model, &plan)
}

/// By how many steps of their grids outputs are apart: the most, and the share that is apart at all.
fn steps_apart(model: &Model, expected: &[Tensor], found: &[Tensor]) -> (f64, f64) {
    let (mut most, mut apart, mut all) = (0.0_f64, 0, 0);
    for (port, (expected, found)) in model.network.outputs.iter().zip(expected.iter().zip(found)) {
        let grid = model.network.nodes[port.node].rounding.value;
        let step = grid.map_or(1e-6, |grid| f64::from(grid.step));
        assert_eq!(expected.dims, found.dims);
        for (&a, &b) in expected.floats().unwrap().iter().zip(found.floats().unwrap()) {
            let steps = ((f64::from(a) - f64::from(b)) / step).abs();
            most = most.max(steps);
            apart += usize::from(steps > 0.5);
            all += 1;
        }
    }
    (most, f64::from(apart as u32) / f64::from(all as u32))
}

#[test]
fn networks_of_integers_are_within_a_step_of_their_definition() {
    let mut problems = Vec::new();
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        for scheme in [Scheme::default(), Scheme { symmetric: true, powers_of_two: true }] {
            let model = rounded(&with_weights(&network), scheme, None);
            assert_eq!(model.verify(), Ok(()), "{name}");
            let inputs = seeded_inputs(&shapes(&network, &network.inputs), 4);
            let expected = reference::run(&model, &inputs);
            let mut judge = |engine: &str, outputs: Result<Vec<Tensor>, String>| {
                let outputs = match outputs {
                    Ok(outputs) => outputs,
                    Err(why) => return problems.push(format!("{name} in {engine}: {why}")),
                };
                let (most, share) = steps_apart(&model, &expected, &outputs);
                // Means of numbers of a grid often lie in the middle of two, where the last digit decides.
                let is_mean =
                    ["avg_pool", "resize", "global"].iter().any(|mean| name.contains(mean));
                if most > 1.01 || share > if is_mean { 0.15 } else { 0.02 } {
                    problems.push(format!("{name} in {engine}: {most} steps, {share} are apart"));
                }
            };
            let torch = nas_torch::run(&model, &inputs).map_err(|error| error.to_string());
            judge("libtorch", torch);
            for (opset, levels) in [(13, Integers::Signed), (21, Integers::Unsigned)] {
                let opset = operator_set(opset).unwrap();
                let options = Options { opset, levels, ..Options::default() };
                let onnx = emit(&model, &options).unwrap();
                let tract = nas_tract::Model::load(&onnx).and_then(|model| model.run(&inputs));
                judge(&format!("tract, {levels:?}"), tract.map_err(|error| error.to_string()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// How far outputs may be apart where some layers compute with 16-bit floats, by the largest of them, beside one step of their
/// grid: 16 bits have a thousandth of each number.
const OF_HALVES: f32 = 0.02;

#[test]
fn networks_of_integers_with_layers_of_16_bit_floats_are_near_their_definition() {
    let (mut problems, mut casts) = (Vec::new(), 0);
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        for each in [1, 2] {
            let model = rounded(&with_weights(&network), Scheme::default(), Some(each));
            assert_eq!(model.verify(), Ok(()), "{name}");
            let inputs = seeded_inputs(&shapes(&network, &network.inputs), 4);
            let expected = reference::run(&model, &inputs);
            let mut judge = |engine: &str, outputs: Result<Vec<Tensor>, String>| {
                let outputs = match outputs {
                    Ok(outputs) => outputs,
                    Err(why) => return problems.push(format!("{name} in {engine}: {why}")),
                };
                for ((expected, found), port) in
                    expected.iter().zip(&outputs).zip(&model.network.outputs)
                {
                    let grid = model.network.nodes[port.node].rounding.value;
                    let step = grid.map_or(0.0, |grid| 1.01 * grid.step);
                    let pairs = || expected.floats().unwrap().iter().zip(found.floats().unwrap());
                    let largest = pairs().fold(1e-3_f32, |most, (a, _)| most.max(a.abs()));
                    let apart = pairs().fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
                    if expected.dims != found.dims || apart > step + OF_HALVES * largest {
                        problems.push(format!("{name} in {engine}: {apart} of {largest}"));
                    }
                }
            };
            judge("libtorch", nas_torch::run(&model, &inputs).map_err(|error| error.to_string()));
            for opset in [13, 21] {
                let opset = operator_set(opset).unwrap();
                let onnx = emit(&model, &Options { opset, ..Options::default() }).unwrap();
                let text = nas_onnx::dump(&onnx).unwrap();
                casts += text.matches(": float16[").count();
                let tract = nas_tract::Model::load(&onnx).and_then(|model| model.run(&inputs));
                judge("tract", tract.map_err(|error| error.to_string()));
            }
        }
    }
    assert!(casts > 100, "{casts}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
