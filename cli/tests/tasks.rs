//! Every task from a folder of images to a network that is verified: search, retraining, evaluation, export.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use nas_testing::pictures::{self, Splits};
use serde_json::Value;

use crate::bench::{Bench, keys};

/// A space with what follows its input, and one search by a name.
fn space(inputs: &str, task: &str, layers: &str, strategy: &str, data: &str) -> String {
    format!(
        r#"use std.blocks.conv_bn_relu

block unit(x, out) {{
    x -> choose op {{
        small: conv_bn_relu(out, kernel = 1)
        large: conv_bn_relu(out, kernel = 3)
    }}
}}

space tiny {{
    {inputs}
    task {task}

    output out = {layers}
}}

search quick of tiny {{
    {strategy}
    data made {{ path = "data", batch = 4{data} }}
    retrain {{ epochs = 12, batch = 4, rate = 0.05 -> 0 cosine }}
}}
"#
    )
}

const SPLITS: Splits = [("train", 12), ("val", 4), ("test", 4)];
/// A strategy that trains choices, and one that tries networks with the weights of a supernet.
const RELAXED: &str = "strategy darts { }\n    schedule { epochs = 2, warmup = 1, split = 0.5 }\n    derive { sample = 2, keep = 1 }";
const EVOLUTION: &str = "strategy aging_evolution { population = 2, tournament = 2 }\n    schedule { epochs = 2 }\n    derive { sample = 3, keep = 1 }";
/// Layers that answer with a map of the size of the input.
const MAP: &str = "image -> conv_bn_relu(8, kernel = 3) -> unit(8) -> unit(8) -> conv(1, kernel = 1, bias = true)";
/// Layers that answer with two numbers.
const VECTOR: &str = "image -> conv_bn_relu(8, kernel = 3, stride = 2) -> unit(8) -> conv_bn_relu(8, kernel = 3, stride = 2) -> flatten -> linear(2)";

/// A finished search in `run`, what its result says, and that what it found scores and exports as it says.
fn whole(bench: &Bench, text: &str) -> Value {
    bench.write("tiny.nas", text);
    let table = bench.nasc("search tiny.nas --out run").done();
    assert!(table.lines().last().unwrap().contains("passed: tract"), "{table}");
    bench.nasc("verify run/network.onnx").done();
    let result: Value = serde_json::from_slice(&bench.read("run/result.json")).unwrap();
    let found = "--arch run/assignment.json --weights run/weights.safetensors";
    let score = bench.nasc(&format!("eval tiny.nas {found} --split test --json")).json();
    assert_eq!(keys(&score), keys(&result["test"]));
    let [now, then] = [&score, &result["test"]].map(|score| score["loss"].as_f64().unwrap());
    assert!((now - then).abs() < 1e-5, "{now} is not {then}");
    bench.nasc(&format!("export tiny.nas {found} -o again.onnx")).done();
    bench.nasc("retrain tiny.nas --arch run/assignment.json --out retrained").done();
    result
}

fn of(result: &Value, split: &str, metric: &str) -> f64 {
    result[split][metric].as_f64().unwrap_or_else(|| panic!("{metric} in {result}"))
}

#[test]
fn a_map_is_regressed_in_its_unit_without_what_is_not_known() {
    let bench = Bench::new();
    pictures::depths(&bench.path("data"), SPLITS);
    bench.write("data/dataset.json", r#"{"map": {"scale": 0.001, "invalid": 0, "peak": 3}}"#);
    let text = space("input image: [3, 16, 16]", "regression(1)", MAP, RELAXED, "");
    let text =
        text.replace("    retrain", "    loss { regression = huber, delta = 0.5 }\n    retrain");
    let result = whole(&bench, &text);
    assert_eq!(keys(&result["test"]), ["mae", "rmse", "psnr", "loss"]);
    // The ground is at 3 m and 63 of 240 pixels at 1 m: always to answer 3 would miss by 0.5 m.
    let error = of(&result, "test", "mae");
    assert!(error < 0.3, "{result}");
    assert!(of(&result, "test", "rmse") >= error);
}

#[test]
fn pictures_are_made_sharp_by_a_network_with_a_larger_output() {
    let bench = Bench::new();
    pictures::coarse(&bench.path("data"), SPLITS);
    let larger = MAP.replace(" -> conv(1", " -> resize(scale = 2) -> conv(1");
    let text = space("input image: [1, 8, 8]", "regression(1)", &larger, EVOLUTION, "");
    let result = whole(&bench, &text.replace("strategy", "maximize psnr\n    strategy"));
    assert!(of(&result, "test", "psnr") > 10.0, "{result}");
    let small = text.replace("resize(scale = 2)", "relu");
    bench.write("small.nas", small);
    let words = ["nas::data::size_mismatch", "as many times that as the output of the space"];
    bench.nasc("search small.nas --out more").fails(1, &words);
}

#[test]
fn a_vector_is_regressed_and_moves_with_its_image() {
    let bench = Bench::new();
    pictures::middles(&bench.path("data"), SPLITS);
    let text = space("input image: [3, 16, 16]", "regression(2)", VECTOR, EVOLUTION, "");
    bench.write("tiny.nas", &text);
    bench.nasc("search tiny.nas --out run").fails(1, &["nas::data::numbers_move", "flip = false"]);
    let places = r#"{"vector": {"numbers": "positions", "swap": []}}"#;
    bench.write("data/dataset.json", places);
    let result = whole(&bench, &text);
    assert_eq!(keys(&result["test"]), ["mae", "rmse", "loss"]);
    assert!(of(&result, "test", "mae") < 0.2, "{result}");
    bench.write("three.nas", text.replace("(2)", "(3)"));
    bench.nasc("search three.nas --out more").fails(1, &["nas::data::other_numbers", "`x`, `y`"]);
    bench.write("data/val/targets.csv", "image,x,y\n0.png,0.5,left\n");
    let words = ["nas::data::bad_table", "val/targets.csv`, line 2", "`left` for `y`"];
    bench.nasc("search tiny.nas --out more").fails(1, &words);
}

#[test]
fn several_labels_of_an_image_are_learned() {
    let bench = Bench::new();
    pictures::halves(&bench.path("data"), [("train", 16), ("val", 8), ("test", 8)]);
    let text =
        space("input image: [3, 16, 16]", "multilabel(2)", VECTOR, EVOLUTION, ", flip = false");
    let result = whole(&bench, &text);
    let names =
        ["f1", "micro_f1", "auroc", "mean_ap", "loss", "class_f1", "class_auroc", "class_ap"];
    assert_eq!(keys(&result["test"]), names);
    assert!(of(&result, "test", "auroc") > 0.5, "{result}");
    let found = "--arch run/assignment.json --weights run/weights.safetensors";
    let told = bench.nasc(&format!("eval tiny.nas {found}")).done();
    assert!(told.starts_with("F1 ") && told.contains("\nAUROC upper "), "{told}");
    // Of one class all images have the same label: its AUROC is not defined, and that is told.
    let rows: String = (0..8).map(|number| format!("{number}.png,1,{}\n", number % 2)).collect();
    bench.write("data/val/labels.csv", format!("image,upper,left\n{rows}"));
    let told = bench.nasc(&format!("eval tiny.nas {found}")).done();
    assert!(
        told.lines().any(|line| line.starts_with("AUROC upper") && line.ends_with("none")),
        "{told}"
    );
}

#[test]
fn a_network_sees_two_inputs() {
    let bench = Bench::new();
    pictures::rgb_and_depth(&bench.path("data"), SPLITS);
    let described = r#"{"inputs": {"depth": {"scale": 0.001, "mean": [2], "std": [1]}}}"#;
    bench.write("data/dataset.json", described);
    let inputs = "input rgb: [3, 16, 16]\n    input depth: [1, 16, 16]";
    let layers = MAP.replace("image ->", "concat([rgb, depth]) ->").replace("conv(1,", "conv(2,");
    let text = space(inputs, "segmentation(2)", &layers, RELAXED, "");
    let result = whole(&bench, &text);
    assert!(of(&result, "test", "miou") > 0.8, "only the depth tells the classes: {result}");
    let onnx = String::from_utf8_lossy(&bench.read("run/network.onnx")).into_owned();
    assert!(
        onnx.contains(r#"{"input":"depth","order":"grey","height":16,"width":16,"scale":0.001"#)
    );
    fs::remove_file(bench.path("data/val/depth/2.png")).unwrap();
    bench.nasc("search tiny.nas --out more").fails(1, &["nas::data::missing_input", "val/depth"]);
}

#[test]
fn a_killed_search_of_a_regression_goes_on_to_the_same_end() {
    let bench = Bench::new();
    pictures::depths(&bench.path("data"), SPLITS);
    bench.write("tiny.nas", space("input image: [3, 16, 16]", "regression(1)", MAP, RELAXED, ""));
    let mut command = bench.command("search tiny.nas --out run");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("warm-up 1/2") {
        assert_ne!(told.read_line(&mut err).unwrap(), 0, "{err}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!bench.path("run/result.json").exists(), "it was done before it was killed");
    bench.nasc("search tiny.nas --out run --resume").done();
    bench.nasc("search tiny.nas --out whole").done();
    for name in ["result.json", "weights.safetensors", "network.onnx"] {
        let [run, whole] = ["run", "whole"].map(|run| bench.read(&format!("{run}/{name}")));
        assert!(run == whole, "{name} differs");
    }
}
