//! The forms of files: batches and sizes that are fixed or open, half precision, inputs of bytes, answers in the place of
//! outputs. Each against the definition of the operators.

use std::num::NonZeroU32;

use nas_cases::networks::{Builder, conv, with_weights};
use nas_cases::{cases, reference};
use nas_ir::open_size::Why;
use nas_ir::ops::Relu;
use nas_ir::{Elements, Op, OpenSize, Opset, Shape, Tensor};
use nas_onnx::{Answer, Batch, InputType, Numbers, Options, emit, operator_set};
use nas_passes::model::for_export;
use nas_tract::{Model, Tolerance, seeded_inputs};

use super::{Case, shapes};

/// What a file of a case makes of inputs, the sizes that it leaves open being theirs.
fn run(model: &nas_ir::Model, options: &Options, inputs: &[Tensor]) -> Result<Vec<Tensor>, String> {
    let onnx = emit(&for_export(model.clone()).unwrap(), options).map_err(|e| e.to_string())?;
    let sizes: Vec<Vec<u32>> = inputs.iter().map(|input| input.dims.clone()).collect();
    let model = Model::load_for(&onnx, &sizes).map_err(|error| error.to_string())?;
    model.run(inputs).map_err(|error| error.to_string())
}

/// Tensors of one image each as one of all images.
fn stacked(images: &[Tensor]) -> Tensor {
    let dims = &images[0].dims;
    let all: Vec<f32> = images.iter().flat_map(|image| image.floats().unwrap().to_vec()).collect();
    let dims: Vec<u32> =
        std::iter::once(images.len() as u32).chain(dims[1..].iter().copied()).collect();
    Tensor::of_floats(dims, all)
}

#[test]
fn files_of_several_images_answer_as_those_of_one_do() {
    let mut problems = Vec::new();
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        let model = with_weights(&network);
        let images: Vec<Vec<Tensor>> =
            (1..=3).map(|seed| seeded_inputs(&shapes(&network, &network.inputs), seed)).collect();
        let answers: Vec<Vec<Tensor>> =
            images.iter().map(|image| reference::run(&model, image)).collect();
        let columns = |of: &[Vec<Tensor>]| -> Vec<Tensor> {
            let all = 0..of[0].len();
            all.map(|at| stacked(&of.iter().map(|row| row[at].clone()).collect::<Vec<_>>()))
                .collect()
        };
        let case = Case { model, inputs: columns(&images), expected: columns(&answers) };
        for batch in [Batch::Open, Batch::Of(NonZeroU32::new(3).unwrap())] {
            for opset in [11, 13, 21].map(|version| operator_set(version).unwrap()) {
                let options = Options { opset, batch, ..Options::default() };
                let outputs = run(&case.model, &options, &case.inputs);
                let verdict = outputs.and_then(|outputs| case.judge(&outputs));
                problems
                    .extend(verdict.err().map(|why| format!("{name}, {batch:?}, {opset}: {why}")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn files_of_open_sizes_answer_as_those_of_that_size_do() {
    let (mut problems, mut closed) = (Vec::new(), Vec::new());
    for (name, network) in cases::all() {
        let open = match OpenSize::of(&network) {
            Ok(open) => open,
            Err(why) => {
                closed.push((name.clone(), why.why));
                let options = Options { open_size: true, ..Options::default() };
                assert!(emit(&with_weights(&network), &options).is_err(), "{name}");
                continue;
            }
        };
        let larger = open.enlarged(&network, [2, 1]);
        assert_eq!(larger.verify(), Ok(()), "{name}");
        let model = with_weights(&network);
        let model_of_size =
            nas_ir::Model { network: larger.clone(), weights: model.weights.clone() };
        let inputs = seeded_inputs(&shapes(&larger, &larger.inputs), 1);
        let expected = reference::run(&model_of_size, &inputs);
        let case = Case { model, inputs, expected };
        for batch in [Batch::Open, Batch::default()] {
            for opset in [11, 13, 21].map(|version| operator_set(version).unwrap()) {
                let options = Options { opset, batch, open_size: true, ..Options::default() };
                let outputs = run(&case.model, &options, &case.inputs);
                let verdict = outputs.and_then(|outputs| case.judge(&outputs));
                problems
                    .extend(verdict.err().map(|why| format!("{name}, {batch:?}, {opset}: {why}")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    for (name, why) in closed {
        let expected = match name.as_str() {
            "flatten_map" => Why::Vector,
            "linear_of_pixel" => Why::Parameters,
            name if name.starts_with("mul_") => Why::Inputs,
            name if name.starts_with("resize_") && name.contains("_to_") => Why::Size,
            name if ["vector", "linear"].iter().any(|part| name.contains(part)) => Why::NoMap,
            other => panic!("{other} is not open: {why}"),
        };
        assert_eq!(why, expected, "{name}");
    }
}

#[test]
fn files_of_half_precision_answer_nearly_the_same() {
    let mut problems = Vec::new();
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        let case = Case::new(&network);
        let options = Options { numbers: Numbers::Half, ..Options::default() };
        let outputs = run(&case.model, &options, &case.inputs);
        let verdict = outputs.and_then(|outputs| case.judge_within(&outputs, Tolerance::Loose));
        problems.extend(verdict.err().map(|why| format!("{name}: {why}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn lean_files_answer_the_same() {
    let mut problems = Vec::new();
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        let case = Case::new(&network);
        let whole = run(&case.model, &Options::default(), &case.inputs);
        let options = Options { lean: true, ..Options::default() };
        if run(&case.model, &options, &case.inputs) != whole || whole.is_err() {
            problems.push(name);
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A map of four channels with a softmax, an arg-max and a top-k of it, and a vector likewise.
#[test]
fn answers_are_those_of_the_outputs() {
    for shape in [Shape::from([4, 3, 5]), Shape::from([6])] {
        let mut b = Builder::new("s");
        let x = b.input("x", shape);
        let y = b.op("relu.0", Op::Relu(Relu), &[x]);
        let network = b.output("y", y).network();
        let input = seeded_inputs(&shapes(&network, &network.inputs), 1);
        let channels = shape.channels() as usize;
        let (data, positions) = (input[0].floats().unwrap(), shape.positions() as usize);
        let column = |at: usize| -> Vec<f32> {
            (0..channels).map(|channel| data[channel * positions + at].max(0.0)).collect()
        };
        let model = with_weights(&network);
        let two = NonZeroU32::new(2).unwrap();
        for opset in Opset::all() {
            let answered = |answer| {
                let options = Options { opset, answers: vec![answer], ..Options::default() };
                run(&model, &options, &input).unwrap()
            };
            let soft = answered(Answer::Softmax).remove(0);
            let first = answered(Answer::ArgMax).remove(0);
            let [values, indices] = answered(Answer::Top(two)).try_into().unwrap();
            assert_eq!(soft.dims, shape.batched(1));
            assert_eq!(first.dims.len(), shape.batched(1).len() - 1);
            for at in 0..positions {
                let column = column(at);
                let sum: f64 = column.iter().map(|&x| f64::from(x).exp()).sum();
                for (channel, &x) in column.iter().enumerate() {
                    let found = soft.floats().unwrap()[channel * positions + at];
                    assert!((f64::from(found) - f64::from(x).exp() / sum).abs() < 1e-6);
                }
                let mut order: Vec<usize> = (0..channels).collect();
                order.sort_by(|&a, &b| column[b].total_cmp(&column[a]));
                let whole = |tensor: &Tensor, at: usize| match &tensor.elements {
                    Elements::I64(all) => all[at] as usize,
                    other => panic!("{other:?}"),
                };
                assert_eq!(whole(&first, at), order[0]);
                for rank in 0..2 {
                    let place = rank * positions + at;
                    assert_eq!(values.floats().unwrap()[place], column[order[rank]]);
                    let found = whole(&indices, place);
                    assert_eq!(column[found], column[order[rank]]);
                }
            }
        }
    }
}

#[test]
fn bytes_are_taken_as_the_numbers_they_are() {
    let mut b = Builder::new("s");
    let x = b.input("x", Shape::from([3, 6, 6]));
    let y = b.op("conv.0", Op::Conv(conv(4, 3)), &[x]);
    let model = with_weights(&b.output("y", y).network());
    let bytes: Vec<u8> = (0..108).map(|i| (i * 37 % 256) as u8).collect();
    let floats = bytes.iter().map(|&byte| f32::from(byte)).collect();
    let inputs = vec![Tensor::of_floats([1, 3, 6, 6], floats)];
    let expected = reference::run(&model, &inputs);
    let inputs = vec![Tensor { dims: vec![1, 3, 6, 6], elements: Elements::U8(bytes) }];
    let case = Case { model, inputs, expected };
    for (numbers, tolerance) in
        [(Numbers::Float, Tolerance::Tight), (Numbers::Half, Tolerance::Loose)]
    {
        let options = Options { inputs: InputType::Byte, numbers, ..Options::default() };
        let outputs = run(&case.model, &options, &case.inputs).unwrap();
        case.judge_within(&outputs, tolerance).unwrap();
    }
}
