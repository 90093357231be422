//! Networks of integers: `nasc int8`, from training to a file that is verified; packages of a network.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use nas_testing::pictures;
use nasc::services::package;
use serde_json::Value;

use crate::bench::{Bench, TINY};

/// A search of some seconds, and its network.
const FOUND: &str = "--arch run/assignment.json --weights run/weights.safetensors";

#[test]
fn a_trained_network_computes_with_integers_as_well_as_with_floats() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    let report = |name: &str| -> Value {
        serde_json::from_slice(&bench.read(&format!("{name}.integers.json"))).unwrap()
    };
    let said = bench.nasc(&format!("int8 tiny.nas {FOUND} -o net.onnx --sensitivity"));
    assert!(
        said.err.contains("passed: tract") && said.err.contains("with integers"),
        "{}",
        said.err
    );
    said.done();
    bench.nasc("verify net.onnx").done();
    let plain = report("net");
    let [fp32, int8] = ["fp32", "int8"].map(|key| plain[key].as_f64().unwrap());
    assert!((fp32 - int8).abs() < 0.05, "{plain}");
    // The convolutions of the stem, the two units and the head.
    assert_eq!(plain["layers"].as_array().unwrap().len(), 4);
    let text = nas_onnx::dump(&bench.read("net.onnx")).unwrap();
    assert_eq!(
        text.lines().filter(|line| line.contains(": int8[") && line.contains("constant")).count(),
        4 + 4 + 6
    );

    // In another form it scores the same: the images are turned into what the file takes.
    let form = "--input-type uint8 --normalise --channel-order bgr --batch dynamic --answer argmax";
    bench.nasc(&format!("int8 tiny.nas {FOUND} -o form.onnx {form}")).done();
    bench.nasc("verify form.onnx").done();
    let said = bench.nasc("eval tiny.nas --arch run/assignment.json --onnx form.onnx");
    said.fails(1, &["form.onnx answers `logits` by argmax", "without `--answer`"]);
    let formed = report("form")["int8"].as_f64().unwrap();
    assert!((formed - int8).abs() < 0.05, "{formed} and {int8}");

    // Coarse steps lose more than is allowed, and floats give it back, at the latest where all layers have them.
    let coarse = COARSE;
    bench.nasc(&format!("int8 tiny.nas {FOUND} -o coarse.onnx {coarse} --within 0")).done();
    assert!(report("coarse")["int8"].as_f64().unwrap() >= fp32, "{}", report("coarse"));

    let with = format!("{coarse} --within 0 --floats fp16 --opset 13");
    bench.nasc(&format!("int8 tiny.nas {FOUND} -o half.onnx {with}")).done();
    bench.nasc("verify half.onnx").done();
    let half = report("half");
    assert!(half["int8"].as_f64().unwrap() >= fp32 - 1e-3, "{half}");
    let layers = half["floats"].as_array().unwrap();
    assert!(!layers.is_empty(), "{half}");
    let text = nas_onnx::dump(&bench.read("half.onnx")).unwrap();
    for layer in layers {
        assert_eq!(layer["precision"], "fp16");
        let kernel = format!("{}.weight: float16[", layer["path"].as_str().unwrap());
        assert!(text.contains(&kernel), "{kernel}\n{text}");
    }
    let said = bench.nasc(&format!("int8 tiny.nas {FOUND} -o none.onnx --floats fp16"));
    said.fails(2, &["--within"]);

    let said = bench.nasc(&format!("int8 tiny.nas {FOUND} -o old.onnx --opset 11"));
    said.fails(1, &["nas::onnx::integers", "13 or a later one"]);
}

#[test]
fn layers_compute_with_what_the_space_says() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    let unit = "-> unit(8)\n        -> unit(8)\n";
    let chosen = unit.replace("unit(8)", "unit(8, precision = choose precision [int8, fp16])");
    let text = crate::bench::TINY.replace(unit, &chosen);
    let text =
        text.replace("op = [small, large]", "op = [small, large]\n    precision = [fp16, int8]");
    assert_ne!(text, crate::bench::TINY);
    bench.write("tiny.nas", text.replace("macs / 1M", "weight_bytes / 1K"));
    bench.nasc("search tiny.nas --out run").done();
    bench.nasc("retrain tiny.nas --arch first --out first").done();
    let weights = "--arch first --weights first/weights.safetensors";
    bench.nasc(&format!("int8 tiny.nas {weights} -o net.onnx --opset 13")).done();
    bench.nasc("verify net.onnx").done();
    let report: Value = serde_json::from_slice(&bench.read("net.integers.json")).unwrap();
    // The stem and the head say nothing, and without a target that is floats of 32 bits.
    let floats = report["floats"].as_array().unwrap();
    let precisions: Vec<(bool, &str)> = floats
        .iter()
        .map(|layer| [&layer["path"], &layer["precision"]].map(|it| it.as_str().unwrap()))
        .map(|[path, precision]| (path.starts_with("unit.0/"), precision))
        .collect();
    assert_eq!(precisions, [(false, "fp32"), (true, "fp16"), (false, "fp32")], "{report}");
    assert!(!report.to_string().contains("unit.1/"), "{report}");
    // The network of floats is one of floats.
    let said = bench.nasc(&format!("export tiny.nas {weights} -o floats.onnx"));
    assert!(said.err.contains("with floats, also in 1 layer of int8"), "{}", said.err);
    said.done();
    bench.nasc("verify floats.onnx").done();
    // The models of its parts compute with what the parts do, unless the operator set cannot say it.
    let said = bench.nasc("latency plan tiny.nas --out plan");
    assert!(!said.err.contains("warning"), "{}", said.err);
    said.done();
    let models = std::fs::read_dir(bench.path("plan")).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|extension| extension == "onnx")
            .then(|| std::fs::read(path).unwrap())
    });
    let texts: Vec<String> = models.map(|model| nas_onnx::dump(&model).unwrap()).collect();
    let holding = |kind: &str| texts.iter().filter(|text| text.contains(kind)).count();
    assert!(holding("QuantizeLinear") >= 2 && holding("float16[") >= 2, "{texts:?}");
    let old = text.replace("space tiny", "target board {\n    opset 11\n}\n\nspace tiny");
    bench.write("old.nas", old.replace("size = 32) {", "size = 32) for board {"));
    let said = bench.nasc("latency plan old.nas --out old");
    assert!(said.err.contains("2 of 6 parts compute with int8"), "{}", said.err);
    said.done();
}

/// Grids that end so far within the values that a small network loses by them.
const COARSE: &str = "--powers-of-two --symmetric --method percentile=0.5 --keep-biases --images 4";

/// Grids that are chosen without care.
const CARELESS: &str = "--powers-of-two --symmetric --method min-max --keep-biases --images 4";
/// A network that has learned too little yet, and its weights.
const ONCE: &str = "--arch first --weights once/weights.safetensors";

#[test]
fn a_tuned_network_is_better_and_its_file_is_what_was_trained() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("retrain tiny.nas --arch first --out once --set retrain.epochs=1").done();
    let tune = "--tune 4 --tune-rate 0.005 --tune-run tuned";
    let said = bench.nasc(&format!("int8 tiny.nas {ONCE} -o net.onnx {CARELESS} {tune}"));
    assert!(said.err.contains("passed: tract"), "{}", said.err);
    said.done();
    bench.nasc("verify net.onnx").done();
    let json = |name: &str| -> Value { serde_json::from_slice(&bench.read(name)).unwrap() };
    let report = json("net.integers.json");
    let [untuned, tuned] = ["untuned", "int8"].map(|key| report[key].as_f64().unwrap());
    assert!(tuned > untuned, "{report}");
    // The network that was trained and the one that is written score the same to the last digit, and so does the file.
    let result = json("tuned/result.json");
    assert_eq!(result["val"]["miou"].as_f64(), Some(tuned), "{result}");
    let score = bench.nasc("eval tiny.nas --arch first --onnx net.onnx --json");
    assert!((score.json()["miou"].as_f64().unwrap() - tuned).abs() < 2e-3);
    let records = bench.records("tuned");
    let losses: Vec<f64> = records["epochs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|epoch| epoch["train"]["loss"].as_f64().unwrap())
        .collect();
    assert!(losses.len() == 4 && losses[3] < losses[0], "{losses:?}");

    // What it has learned is that of the folded network, which can be written, rounded anew and scored, but not trained.
    let learned = "--arch first --weights tuned/weights.safetensors";
    let said = bench.nasc(&format!("export tiny.nas {learned} -o floats.onnx"));
    assert!(said.err.contains("batch norms are folded"), "{}", said.err);
    said.done();
    bench.nasc("verify floats.onnx").done();
    bench.nasc(&format!("int8 tiny.nas {learned} -o rounded.onnx --images 4")).done();
    bench.nasc(&format!("eval tiny.nas {learned}")).done();
    let said = bench.nasc(&format!("retrain tiny.nas {learned} --out on"));
    said.fails(1, &["nas::weights", "`nasc int8 --tune`"]);

    // It is done, and is not done again; with other integers it would be another run.
    let again = bench.nasc(&format!("int8 tiny.nas {ONCE} -o again.onnx {CARELESS} {tune}"));
    assert!(!again.err.contains("retrain 1/4"), "{}", again.err);
    again.done();
    assert_eq!(bench.read("again.onnx"), bench.read("net.onnx"));
    let other = bench.nasc(&format!("int8 tiny.nas {ONCE} -o other.onnx {tune}"));
    other.fails(1, &["nas::run::differs", "it began with other weights"]);
    let said = bench.nasc(&format!("int8 tiny.nas {ONCE} -o other.onnx --tune-rate 0.1"));
    said.fails(2, &["--tune <EPOCHS>"]);
    let said = bench.nasc(&format!("int8 tiny.nas {ONCE} -o other.onnx --tune 1 --tune-rate 0"));
    said.fails(2, &["a number above 0"]);
}

#[cfg(unix)]
#[test]
fn tuning_that_is_stopped_goes_on_and_leaves_no_file_before_it_is_done() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    let tune =
        |name: &str| format!("int8 tiny.nas {FOUND} -o {name}.onnx --tune 40 --tune-run {name}");
    let mut command = bench.command(&tune("stopped"));
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("retrain 2/40") {
        assert_ne!(told.read_line(&mut err).unwrap(), 0, "{err}");
    }
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    told.read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    assert!(err.contains("stopped is whole: go on by the same command"), "{err}");
    assert!(!bench.path("stopped.onnx").exists() && !bench.path("stopped.integers.json").exists());

    let said = bench.nasc(&tune("stopped"));
    assert!(!said.err.contains("retrain 2/40"), "{}", said.err);
    said.done();
    bench.nasc(&tune("whole")).done();
    assert_eq!(bench.read("stopped.onnx"), bench.read("whole.onnx"));
    assert_eq!(bench.records("stopped"), bench.records("whole"));
}

#[test]
fn a_package_has_all_that_is_needed_and_is_held_against_its_checksums() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    bench.write("TERMS", "as you like");
    let form = "--batch dynamic --rename image=data --licence TERMS";
    bench.nasc(&format!("export tiny.nas {FOUND} --package net {form}")).done();
    let said = bench.nasc("verify net");
    assert_eq!(said.out.matches(": passed: ").count(), 3, "{}{}", said.out, said.err);
    assert!(said.err.contains("files are as they were packed"), "{}", said.err);
    said.done();

    let manifest: Value = serde_json::from_slice(&bench.read("net/manifest.json")).unwrap();
    assert_eq!(manifest["inputs"][0]["name"], "data");
    assert_eq!(manifest["inputs"][0]["sizes"], serde_json::json!(["batch", 3, 32, 32]));
    assert_eq!(manifest["preprocessing"]["input"], "data");
    let models = manifest["models"].as_array().unwrap();
    let precisions: Vec<&str> =
        models.iter().map(|model| model["precision"].as_str().unwrap()).collect();
    assert_eq!(precisions, ["fp32", "fp16", "int8"]);
    for model in models {
        assert_eq!(model["vectors"][0]["name"], "picture 1", "{model}");
    }
    let [fp32, fp16, int8] =
        [0, 1, 2].map(|at: usize| models[at]["metrics"]["miou"].as_f64().unwrap());
    assert!((fp32 - fp16).abs() < 0.02 && (fp32 - int8).abs() < 0.05, "{fp32} {fp16} {int8}");
    let page = String::from_utf8(bench.read("net/README.md")).unwrap();
    assert!(
        page.contains("| input | `data` | batch x 3 x 32 x 32 | float32 | a picture"),
        "{page}"
    );
    assert!(page.contains("The licence of the weights is in `LICENCE`"), "{page}");
    let score =
        bench.nasc("eval tiny.nas --arch run/assignment.json --onnx net/fp32/model.onnx --json");
    assert!((score.json()["miou"].as_f64().unwrap() - fp32).abs() < 1e-6);

    // Written again it is the same but for times, and nothing else is overwritten.
    let sums = |text: Vec<u8>| -> Vec<String> {
        let text = String::from_utf8(text).unwrap();
        let timed = ["manifest.json", "README.md"];
        text.lines()
            .filter(|line| !timed.iter().any(|name| line.ends_with(name)))
            .map(str::to_owned)
            .collect()
    };
    let first = sums(bench.read("net/SHA256SUMS"));
    bench.nasc(&format!("export tiny.nas {FOUND} --package net --answer argmax")).done();
    assert!(
        !bench.path("net/LICENCE").exists() && !bench.path("net/fp32/test_data_set_2").exists()
    );
    let manifest: Value = serde_json::from_slice(&bench.read("net/manifest.json")).unwrap();
    assert_eq!(manifest["outputs"][0]["answer"], "argmax");
    bench.nasc("verify net").done();
    bench.nasc(&format!("export tiny.nas {FOUND} --package net {form}")).done();
    assert_eq!(sums(bench.read("net/SHA256SUMS")), first);
    let other = bench.nasc(&format!("export tiny.nas {FOUND} --package data"));
    other.fails(1, &["cannot write a package to data", "something else is there"]);

    // What nobody packed is told of; what was changed is an error, and ends nothing else.
    bench.write("net/notes", "mine");
    let said = bench.nasc("verify net");
    assert!(said.err.contains("without a checksum: notes\n"), "{}", said.err);
    said.done();
    bench.nasc("verify net --check net.check.safetensors").fails(1, &["net is a package"]);
    // One model of it is held against the vectors of the package.
    let said = bench.nasc("verify net/int8/model.onnx");
    assert!(said.out.starts_with("net/int8/model.onnx: passed: "), "{}", said.out);
    said.done();
    let mut vector = bench.read("net/int8/test_data_set_0/output_0.npy");
    *vector.last_mut().unwrap() ^= 0x40;
    bench.write("net/int8/test_data_set_0/output_0.npy", vector);
    bench.nasc(&format!("export tiny.nas {FOUND} -o alone.onnx")).done();
    let said = bench.nasc("verify net alone.onnx");
    assert!(said.out.starts_with("alone.onnx: passed: "), "{}", said.out);
    assert_eq!(said.code, Some(1));
    for words in ["nas::package::damaged", "output_0.npy", "not the file that was packed"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    std::fs::remove_file(bench.path("net/README.md")).unwrap();
    let words = ["2 faults", "`README.md`: there is no such file", "output_0.npy` is not the file"];
    bench.nasc("verify net").fails(1, &words);
    assert!(said.err.ends_with("error: not verified: net\n"), "{}", said.err);

    // A package without models proves nothing.
    let mut manifest: Value = serde_json::from_slice(&bench.read("net/manifest.json")).unwrap();
    manifest["models"] = Value::Array(Vec::new());
    let manifest = manifest.to_string();
    std::fs::create_dir(bench.path("none")).unwrap();
    bench.write("none/manifest.json", &manifest);
    bench.write("none/SHA256SUMS", package::sums([("manifest.json", manifest.as_bytes())]));
    bench.nasc("verify none").fails(1, &["nas::package::damaged", "it has no models"]);
}

/// Where the recipe reads images otherwise than the run did that trained the weights, there is no score of the network.
#[test]
fn weights_are_used_on_images_as_they_were_trained_on() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    for command in ["eval tiny.nas", "int8 tiny.nas -o net.onnx", "export tiny.nas --package net"] {
        let said = bench.nasc(&format!("{command} {FOUND} --set data.fit=letterbox"));
        let words = ["nas::train::other_images", "run/weights.safetensors", "letterboxed, (value"];
        said.fails(1, &words);
    }
    assert!(!bench.path("net").exists() && !bench.path("net.onnx").exists());
    // A file of other classes is no answer of the network.
    bench.write("more.nas", TINY.replacen("classes = 2", "classes = 5", 1));
    bench.nasc("export more.nas --arch first -o more.onnx").done();
    let said = bench.nasc("eval tiny.nas --arch first --onnx more.onnx");
    said.fails(1, &["more.onnx answers [", "the same classes"]);
}

/// A file is scored as the network that it is of, on images as it takes them, also where nothing was known of the weights.
#[test]
fn an_exported_file_says_what_it_is() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    let score = |what: &str| {
        let scored = bench.nasc(&format!("eval tiny.nas {what} --json")).json();
        scored["loss"].as_f64().unwrap()
    };
    let trained = score(FOUND);
    std::fs::create_dir(bench.path("alone")).unwrap();
    bench.write("alone/weights.safetensors", bench.read("run/weights.safetensors"));
    let input: Value = serde_json::from_slice(&bench.read("run/input.json")).unwrap();
    let list = |key: &str| input[key].to_string().replace(['[', ']'], "");
    let normalise = format!("--normalise={}/{}", list("mean"), list("std"));
    let export = "export tiny.nas --arch run/assignment.json --weights alone/weights.safetensors";
    for (name, form) in [
        ("plain", ""),
        ("reversed", "--channel-order bgr"),
        ("raw", &normalise),
        ("both", &format!("{normalise} --channel-order bgr --rename image=data")),
    ] {
        bench.nasc(&format!("{export} -o {name}.onnx {form}")).done();
        let found = score(&format!("--onnx {name}.onnx"));
        assert!((found - trained).abs() < 1e-4, "{name}: {found} and {trained}");
    }
    let other = ["least:macs", "greatest:macs"]
        .map(|arch| bench.nasc(&format!("eval tiny.nas --onnx plain.onnx --arch {arch}")))
        .into_iter()
        .find(|said| said.code == Some(1));
    other.unwrap().fails(1, &["plain.onnx is another network than `--arch` names, by "]);
    for (command, words) in [
        (format!("{export} -o no.onnx --set data.batch=2"), "`--set` says nothing of a file"),
        (format!("{export} -o no.onnx --threads 1"), "`--threads` says nothing of a file"),
        (format!("{export} -o no.onnx --seed 1"), "`--seed` is of fresh weights"),
        (format!("{export} -o no.onnx --format pytorch"), "name one such as `no`"),
        ("eval tiny.nas --onnx plain.onnx --threads 1".to_owned(), "`--threads` is of networks"),
        (format!("int8 tiny.nas {FOUND} -o no.onnx --memory 1GB"), "none without `--tune`"),
    ] {
        bench.nasc(&command).fails(1, &[words]);
    }
    assert!(!bench.path("no.onnx").exists());
}

#[test]
fn a_package_that_cannot_be_is_refused_before_anything_is_made() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 16), ("val", 8), ("test", 4)]);
    bench.nasc("search tiny.nas --out run").done();
    let package = |rest: &str| bench.nasc(&format!("export tiny.nas {FOUND} --package net {rest}"));
    let made = "bytes, ";
    for (rest, code, words) in [
        ("--opset 12", 1, "13 or a later one"),
        ("--licence NOWHERE", 1, "NOWHERE: "),
        ("--precision fp16", 2, "cannot be used with"),
        ("--format pytorch", 2, "cannot be used with"),
    ] {
        let said = package(rest);
        assert!(!said.err.contains(made), "{rest}: {}", said.err);
        said.fails(code, &[words]);
    }
    assert!(!bench.path("net").exists());
    let wrong = |rest: &str| bench.nasc(&format!("int8 tiny.nas {FOUND} -o net.onnx {rest}"));
    wrong("--method percentile=2").fails(2, &["a share from 0.5 to 1"]);
    wrong("--method median").fails(2, &["`min-max`, `percentile`"]);
    wrong("--images 0").fails(2, &["1.."]);
    // Nothing is written over what is read.
    let over = |command: &str| bench.nasc(command).fails(1, &["it is what is read here"]);
    over(&format!("export tiny.nas {FOUND} -o run/assignment.json"));
    over(&format!("int8 tiny.nas {FOUND} -o run/weights.safetensors"));
    bench.nasc(&format!("export tiny.nas {FOUND} -o own.onnx")).done();
    over("int8 own.onnx --data data/val/images -o own.onnx");
    bench.nasc("verify own.onnx").done();
    let licence = bench.nasc(&format!("export tiny.nas {FOUND} -o net.onnx --licence tiny.nas"));
    licence.fails(2, &["cannot be used with"]);
}
