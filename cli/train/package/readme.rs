//! The page of a package for people.

use nasc::services::expected::Expected;
use nasc::services::package::{Manifest, ModelInfo, PortInfo};
use serde_json::Value;

/// What the package is, how a picture is prepared, how its models are run, and how well they do.
pub(super) fn page(manifest: &Manifest) -> String {
    let Manifest { network, inputs, outputs, classes, models, licence, .. } = manifest;
    let mut text = format!(
        "# {}\n\nA neural network as ONNX models, with test vectors and the proof that they are right. It was written by nasc {}; nothing \
         of nasc is needed to use it.\n",
        network.space, manifest.nasc
    );
    text += "\n## Inputs and outputs\n\n| | name | sizes | type | what it is |\n| --- | --- | --- | --- | --- |\n";
    for (side, ports) in [("input", inputs), ("output", outputs)] {
        for PortInfo { name, sizes, kind, answer } in ports {
            let what = match (side, answer.as_deref()) {
                ("input", _) => "a picture, prepared as below".to_owned(),
                (_, answer) => answered(answer),
            };
            text += &format!("| {side} | `{name}` | {} | {kind} | {what} |\n", listed(sizes));
        }
    }
    text += "\nSizes are batch, channels, height, width, in planes; words stand for sizes that are open.\n";
    if !classes.is_empty() {
        text += "The classes are in `classes.txt`, a line each in the order of the channels; the first is 0.\n";
    }
    text += &preparation(manifest.preprocessing.as_ref());
    text += "\n## Models\n\n| precision | file | bytes | opset | ms on one core | metrics of the validation images |\n| --- | --- | --- | --- | --- | --- |\n";
    for model in models {
        text += &row(model);
    }
    text += "\nTimes and metrics are of tract where the package was made, an engine that nobody tunes for; measure on yours. Models of \
             int8 are in QDQ form: values between pairs of `QuantizeLinear` and `DequantizeLinear` are integers, kernels have a step for each channel.\n";
    text += "\n## Check that an engine runs a model\n\n\
             `test_data_set_N` beside each model holds inputs and the outputs that they have to give, as ONNX has its own vectors (`input_0.pb`, \
             `output_0.pb`) and as `.npy`. Outputs may be apart by this much of their largest value:\n\n| precision | bound |\n| --- | --- |\n";
    for model in models {
        text += &format!("| {} | {:e} |\n", model.precision, model.bound);
    }
    text += "\n    pip install onnxruntime numpy\n    python examples/run.py fp32\n\n\
             `examples/run.c` does the same in C. `sha256sum -c SHA256SUMS` says whether all files are as they were packed; where there is nasc, \
             `nasc verify .` does that, and runs every model on its vectors.\n";
    text += "\n## Cost\n\n| measure | |\n| --- | --- |\n";
    for (measure, value) in manifest.costs.as_object().into_iter().flatten() {
        if !value.is_null() {
            text += &format!("| {measure} | {value} |\n");
        }
    }
    text += "\nMultiply-accumulates are those of convolutions and linear layers for one image. `layers.csv` has each layer.\n";
    text += "\n## Where it is from\n\n`manifest.json` has all of it: the choices of the network, the checksums of its sources and weights, the recipe.\n";
    text += &match licence {
        Some(file) => format!("\nThe licence of the weights is in `{file}`.\n"),
        None => "\nNothing is said here of the licence of the weights: ask whoever gave you the package.\n".to_owned(),
    };
    text
}

/// What an output is, by its answer in the manifest.
fn answered(answer: Option<&str>) -> String {
    match answer {
        None => "what the network says: of classes a score each, the largest for the likeliest"
            .to_owned(),
        Some("softmax") => "the probability of each class".to_owned(),
        Some("argmax") => "the number of the likeliest class".to_owned(),
        Some(top) => match top.strip_suffix(" indices") {
            None => "the largest scores, in descending order".to_owned(),
            Some(_) => "the numbers of their classes".to_owned(),
        },
    }
}

fn listed(sizes: &[Value]) -> String {
    let size = |size: &Value| match size {
        Value::String(symbol) => symbol.clone(),
        other => other.to_string(),
    };
    sizes.iter().map(size).collect::<Vec<_>>().join(" x ")
}

fn preparation(expected: Option<&Expected>) -> String {
    let Some(expected) = expected else {
        return "\n## Preparing a picture\n\nNothing is known of how pictures were prepared for these weights.\n".to_owned();
    };
    let mut text = "\n## Preparing a picture\n".to_owned();
    for input in expected.inputs() {
        text += &format!("\n`{input}`\n");
    }
    text + "\nThat is: the name of the input, the order of its planes, height and width, what is done to a picture of another size or shape, and what is \
            done to each number. A picture is resized with bilinear interpolation.\n"
}

fn row(model: &ModelInfo) -> String {
    let ModelInfo { precision, file, bytes, opset, measured, metrics, .. } = model;
    let metrics = metrics.as_ref().and_then(Value::as_object).into_iter().flatten();
    let metrics = metrics.map(|(name, value)| match value.as_f64() {
        Some(number) => format!("{name} {number:.4}"),
        None => format!("{name} {value}"),
    });
    let metrics = metrics.collect::<Vec<_>>().join(", ");
    let milliseconds = measured.milliseconds;
    format!("| {precision} | `{file}` | {bytes} | {opset} | {milliseconds} | {metrics} |\n")
}
