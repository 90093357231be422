//! Loading, running and verifying whole models.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

use miette::Diagnostic;
use nas_cases::networks::{Builder, NORM, VALID, conv, groups, same, with_weights};
use nas_ir::ops::{AvgPool, Conv, Mul, Pool, Relu, Resize, ResizeMode, ResizeTo, Sigmoid};
use nas_ir::{Elements, Network, Op, Shape};
use nas_onnx::{Options, emit};
use nas_passes::model::for_export;
use nas_tract::{CaseReport, Model, Report, Tensor, Tolerance, TractError, seeded_inputs};
use onnx_protobuf::tensor_shape_proto::dimension;
use onnx_protobuf::{GraphProto, Message, ModelProto, ValueInfoProto, type_proto};

/// A stem, a dilated depthwise convolution and the gated head of LR-ASPP, `[3, h, w]` to
/// `[classes, h, w]`.
fn segmenter(height: u32, width: u32, pool: ([u32; 2], [u32; 2])) -> Network {
    let mut b = Builder::new("segmenter");
    let x = b.input("image", Shape::from([3, height, width]));
    let stem = Conv { stride: [8, 8], ..conv(8, 3) };
    let x = b.op("conv.0", Op::Conv(stem), &[x]);
    let x = b.op("batch_norm.0", Op::BatchNorm(NORM), &[x]);
    let x = b.op("relu.0", Op::Relu(Relu), &[x]);
    let deep =
        Conv { groups: groups(8), dilation: [2, 2], padding: same([3, 3], [2, 2]), ..conv(8, 3) };
    let x = b.op("conv.1", Op::Conv(deep), &[x]);
    let x = b.op("batch_norm.1", Op::BatchNorm(NORM), &[x]);
    let (kernel, stride) = pool;
    let window = Pool { kernel, stride, padding: VALID, ceil: false };
    let pool = AvgPool { window, count_include_pad: false };
    let gate = b.op("avg_pool.0", Op::AvgPool(pool), &[x]);
    let gate = b.op("conv.2", Op::Conv(Conv { bias: true, ..conv(8, 1) }), &[gate]);
    let gate = b.op("sigmoid.0", Op::Sigmoid(Sigmoid), &[gate]);
    let size = [height / 8, width / 8];
    let bilinear = |to| Resize { to, mode: ResizeMode::Bilinear, align_corners: true };
    let gate = b.op("resize.0", Op::Resize(bilinear(ResizeTo::Size(size))), &[gate]);
    let x = b.op("mul.0", Op::Mul(Mul), &[x, gate]);
    let x = b.op("conv.3", Op::Conv(conv(5, 1)), &[x]);
    let x = b.op("resize.1", Op::Resize(bilinear(ResizeTo::Scale([8, 8]))), &[x]);
    b.output("logits", x).network()
}

fn small() -> (Network, Vec<u8>) {
    let network = segmenter(64, 96, ([3, 3], [2, 2]));
    let bytes = emit(&for_export(with_weights(&network)).unwrap(), &Options::default()).unwrap();
    (network, bytes)
}

/// The outputs of a model for a seed.
fn outputs(model: &Model, seed: u64) -> Vec<Tensor> {
    let shapes: Vec<&[u32]> = model.inputs().iter().map(|port| port.dims.as_slice()).collect();
    model.run(&seeded_inputs(&shapes, seed)).unwrap()
}

/// How a model does on recorded outputs of the seeds 0, 1, ….
fn judge(model: &Model, recorded: &[Vec<Tensor>], tolerance: Tolerance) -> Report {
    let case = |(seed, expected): (u64, &Vec<Tensor>)| {
        let actual = outputs(model, seed);
        let names: Vec<String> = model.outputs().iter().map(|port| port.name.clone()).collect();
        CaseReport::new(format!("seed {seed}"), &names, expected, &actual, tolerance)
    };
    let cases: Result<Vec<_>, _> = (0..).zip(recorded).map(case).collect();
    Report::new(tolerance, cases.unwrap())
}

#[test]
fn ports_have_names_and_shapes() {
    let model = Model::load(&small().1).unwrap();
    let ports = [model.inputs(), model.outputs()].concat();
    let ports: Vec<(&str, &[u32])> =
        ports.iter().map(|port| (port.name.as_str(), port.dims.as_slice())).collect();
    assert_eq!(ports, [("image", &[1, 3, 64, 96][..]), ("logits", &[1, 5, 64, 96][..])]);
}

#[test]
fn a_model_runs_at_the_size_of_a_street_scene() {
    let network = segmenter(1024, 2048, ([49, 49], [16, 20]));
    let bytes = emit(&for_export(with_weights(&network)).unwrap(), &Options::default()).unwrap();
    let model = Model::load(&bytes).unwrap();
    let outputs = model.run(&seeded_inputs(&[[1, 3, 1024, 2048]], 0)).unwrap();
    assert_eq!(outputs[0].dims, [1, 5, 1024, 2048]);
    assert!(outputs[0].floats().unwrap().iter().all(|x| x.is_finite()));
}

#[test]
fn runs_are_reproducible_and_reports_are_serialised() {
    let model = Model::load(&small().1).unwrap();
    let report = judge(&model, &[outputs(&model, 0), outputs(&model, 1)], Tolerance::Exact);
    assert!(report.passed);
    assert_eq!(report.worst.unwrap().max_abs, 0.0);
    assert_eq!(report.worst.unwrap().positions, 64 * 96);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[test]
fn each_run_takes_its_part_of_the_time() {
    let model = Model::load(&small().1).unwrap();
    let shapes: Vec<&[u32]> = model.inputs().iter().map(|port| port.dims.as_slice()).collect();
    let inputs = seeded_inputs(&shapes, 0);
    let since = std::time::Instant::now();
    let times = model.time(&inputs, 1, 3).unwrap();
    assert_eq!(times.len(), 3);
    assert!(times.iter().sum::<std::time::Duration>() < since.elapsed());
    assert!(times.iter().max().is_some_and(|longest| !longest.is_zero()));
    assert_eq!(code(&model.time(&[], 1, 3).unwrap_err()), "nas::tract::tensors");
}

#[test]
fn the_worst_case_fails_the_report() {
    let model = Model::load(&small().1).unwrap();
    let mut recorded = [outputs(&model, 0), outputs(&model, 1)];
    let largest = recorded[1][0].floats().unwrap().iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    recorded[1][0].floats_mut().unwrap()[7] += largest * 1e-3;
    let report = judge(&model, &recorded, Tolerance::Export);
    assert_eq!(
        (report.cases[0].passed, report.cases[1].passed, report.passed),
        (true, false, false)
    );
    let (case, output) = report.worst_output().unwrap();
    assert_eq!((case.name.as_str(), output.name.as_str()), ("seed 1", "logits"));
    assert_eq!(report.worst, Some(output.agreement));
    assert!(judge(&model, &recorded, Tolerance::Loose).passed);
    assert!(!judge(&model, &[], Tolerance::Loose).passed, "nothing was verified");
}

#[test]
fn the_version_is_that_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock").replace("\r\n", "\n");
    let package = format!("name = \"tract-onnx\"\nversion = \"{}\"\n", nas_tract::VERSION);
    assert!(lock.contains(&package), "{package}");
}

fn code(error: &TractError) -> String {
    error.code().unwrap().to_string()
}

#[test]
fn tensors_that_are_not_the_models_are_refused() {
    let (_, bytes) = small();
    let model = Model::load(&bytes).unwrap();
    let tensor = |dims: &[u32], elements| Tensor::of_floats(dims, vec![0.0; elements]);
    for inputs in [
        vec![],
        vec![tensor(&[1, 3, 64, 95], 3 * 64 * 95)],
        vec![tensor(&[1, 3, 64, 96], 5)],
        vec![tensor(&[1, 3, 64, 96], 3 * 64 * 96); 2],
        vec![Tensor { dims: vec![1, 3, 64, 96], elements: Elements::I8(vec![0; 3 * 64 * 96]) }],
    ] {
        assert_eq!(code(&model.run(&inputs).unwrap_err()), "nas::tract::tensors");
    }
    let (names, actual) = (["y".to_owned()], outputs(&model, 0));
    let error = CaseReport::new("none".to_owned(), &names, &[], &actual, Tolerance::Loose);
    assert_eq!(code(&error.unwrap_err()), "nas::tract::tensors");
}

#[test]
fn files_that_are_not_models_are_refused() {
    let (_, bytes) = small();
    for bytes in [&b"not a model"[..], &[], &bytes[..bytes.len() / 2]] {
        assert_eq!(code(&Model::load(bytes).unwrap_err()), "nas::tract::load");
    }
}

/// The small model with its graph changed.
fn changed(change: impl FnOnce(&mut GraphProto)) -> Result<Model, TractError> {
    Model::load(&rewritten(change))
}

/// Its bytes.
fn rewritten(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut model = ModelProto::parse_from_bytes(&small().1).unwrap();
    change(model.graph.mut_or_insert_default());
    model.write_to_bytes().unwrap()
}

fn set_size(value: &mut ValueInfoProto, axis: usize, size: dimension::Value) {
    let kind = value.type_.mut_or_insert_default();
    let Some(type_proto::Value::TensorType(tensor)) = &mut kind.value else { panic!("no tensor") };
    tensor.shape.mut_or_insert_default().dim[axis].value = Some(size);
}

#[test]
fn stated_shapes_must_be_those_of_the_operators() {
    assert!(changed(|_| {}).is_ok());
    let wrong = dimension::Value::DimValue(7);
    let inside = changed(|graph| set_size(&mut graph.value_info[2], 1, wrong.clone()));
    let output = changed(|graph| set_size(&mut graph.output[0], 1, wrong));
    for refused in [inside, output] {
        assert_eq!(code(&refused.unwrap_err()), "nas::tract::load");
    }
}

#[test]
fn sizes_that_are_no_numbers_are_refused() {
    let named = dimension::Value::DimParam("batch".to_owned());
    let error = changed(|graph| {
        // Only shapes that follow from the input's are left.
        graph.value_info.clear();
        graph.output[0].type_ = None.into();
        set_size(&mut graph.input[0], 0, named);
    });
    assert_eq!(code(&error.unwrap_err()), "nas::tract::port");
}

#[test]
fn sizes_that_are_left_open_are_those_of_the_inputs_that_are_asked_for() {
    let named = || dimension::Value::DimParam("batch".to_owned());
    let bytes = rewritten(|graph| {
        set_size(&mut graph.input[0], 0, named());
        let values = graph.value_info.iter_mut().chain(&mut graph.output);
        values.for_each(|value| set_size(value, 0, named()));
    });
    let model = Model::load_for(&bytes, &[vec![1, 3, 64, 96]]).unwrap();
    assert_eq!(outputs(&model, 0), outputs(&Model::load(&small().1).unwrap(), 0));
    // What the file states stays, whatever is asked for.
    let other = Model::load_for(&bytes, &[vec![1, 3, 32, 32]]).unwrap();
    assert_eq!(other.inputs()[0].dims, [1, 3, 64, 96]);
    let error = Model::load_for(&bytes, &[vec![3, 64, 96]]).unwrap_err();
    assert_eq!(code(&error), "nas::tract::port");
}

#[test]
fn broken_graphs_are_refused() {
    let no_output = changed(|graph| graph.output[0].name = "nothing".to_owned());
    assert_eq!(
        no_output.unwrap_err().to_string(),
        "tract does not load the model: nothing computes its output `nothing`"
    );
    for refused in [
        changed(|graph| graph.node[1].input[0] = "nothing".to_owned()),
        changed(|graph| graph.node[1].op_type = "Nothing".to_owned()),
        changed(|graph| drop(graph.initializer.remove(0))),
        // tract divides by it.
        changed(|graph| graph.node[0].attribute[2].ints = vec![0, 0]),
    ] {
        assert_eq!(code(&refused.unwrap_err()), "nas::tract::load");
    }
}
