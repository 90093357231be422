//! Networks that learn from a teacher.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, TINY};
use crate::training::bench;

/// The file of a teacher: a network of a space like the tiny one, with fresh weights.
fn teacher(bench: &Bench, name: &str, space: &str, seed: u32) {
    bench.write("other.nas", TINY.replace("tiny(classes = 2, size = 32)", space));
    bench.nasc(&format!("export other.nas --arch random:{seed} -o {name}")).done();
}

#[test]
fn a_network_learns_from_a_teacher_and_goes_on_with_no_other() {
    let bench = bench();
    let retrain = "retrain tiny.nas --arch first --set retrain.rate=0.05 --set retrain.epochs=4";
    bench.nasc(&format!("{retrain} --out plain")).done();
    bench
        .nasc("export tiny.nas --arch first --weights plain/weights.safetensors -o teacher.onnx")
        .done();
    let text = TINY.replace("retrain {", "retrain { teacher = \"teacher.onnx\", weight = 1,");
    bench.write("tiny.nas", text);
    let said = bench.nasc(&format!("{retrain} --out taught --set data.flip=false")).done();
    assert!(said.contains("val mIoU"), "{said}");
    assert_eq!(bench.read("taught/sources/teacher.onnx"), bench.read("teacher.onnx"));
    let recipe: Value = serde_json::from_slice(&bench.read("taught/recipe.json")).unwrap();
    assert_eq!(recipe["retrain"]["teacher"], "teacher.onnx");
    // What it learns differs from what the labels teach.
    assert_ne!(bench.read("taught/weights.safetensors"), bench.read("plain/weights.safetensors"));
    teacher(&bench, "teacher.onnx", "tiny(classes = 2, size = 32)", 1);
    let other = bench.nasc(&format!("{retrain} --out taught --set data.flip=false"));
    other.fails(1, &["nas::run::differs", "teacher.onnx"]);
}

/// A trial of a search that trains each network learns as the retraining does.
#[test]
fn trials_that_are_trained_learn_from_the_teacher_too() {
    let bench = bench();
    teacher(&bench, "teacher.onnx", "tiny(classes = 2, size = 32)", 1);
    let search = |out: &str, more: &str| {
        let text = TINY
            .replace(
                "schedule {",
                "strategy random { }\n    score { by = train, epochs = 1 }\n    // {",
            )
            .replace("retrain {", &format!("retrain {{ {more}"));
        bench.write("tiny.nas", text);
        bench.nasc(&format!("search tiny.nas --out {out}")).done();
        bench.records(out)["trials"].clone()
    };
    let alone = search("alone", "");
    assert_ne!(search("taught", "teacher = \"teacher.onnx\", temperature = 2, "), alone);
}

#[test]
fn a_file_that_cannot_teach_is_refused_at_its_line() {
    let bench = bench();
    let text = TINY.replace("retrain {", "retrain { teacher = \"teacher.onnx\",");
    bench.write("tiny.nas", text);
    let refused = |words: &[&str]| {
        let said = bench.nasc("retrain tiny.nas --arch first --out run");
        let words = [words, &["nas::train::teacher", "tiny.nas:32:"]].concat();
        said.fails(1, &words);
        assert!(!bench.path("run").exists(), "a run that cannot begin leaves a folder");
    };
    teacher(&bench, "teacher.onnx", "tiny(classes = 3, size = 32)", 1);
    refused(&[
        "`teacher.onnx` cannot teach the networks of `tiny`: its output `logits` is [1, 3, 32, 32], and",
        "the networks answer [1, 2, 32, 32]",
    ]);
    teacher(&bench, "teacher.onnx", "tiny(classes = 2, size = 64)", 1);
    refused(&[
        "`teacher.onnx` cannot teach the networks of `tiny`: its input `image` is [1, 3, 64, 64], and an",
        "image in training is [1, 3, 32, 32]",
    ]);
    bench.write("teacher.onnx", "no model");
    refused(&["`teacher.onnx` cannot teach the networks of `tiny`: tract does not load the model"]);
    fs::remove_file(bench.path("teacher.onnx")).unwrap();
    refused(&["`teacher.onnx` cannot teach the networks of `tiny`: No such file"]);
}
