//! The commands that train: search, retrain, eval, on images made up here.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Output, Stdio};

use nas_testing::pictures;
use serde_json::Value;

use crate::bench::{Bench, Said, TINY, keys, tiny_for_target};

/// The files of a finished search.
const RUN: [&str; 19] = [
    "assignment.json",
    "candidates.json",
    "data.json",
    "decisions.json",
    "input.json",
    "nasc.lock",
    "network.check.safetensors",
    "network.onnx",
    "network.verify.json",
    "predictions.svg",
    "recipe.json",
    "report.svg",
    "result.json",
    "run.json",
    "run.sqlite",
    "sources",
    "space.txt",
    "supernet.safetensors",
    "weights.safetensors",
];

/// A folder with images of two classes.
fn bench() -> Bench {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 8), ("val", 4), ("test", 4)]);
    bench
}

/// Starts a search, stops it after its first epoch, and returns how it ended.
fn stopped(bench: &Bench, stop: impl FnOnce(&mut Child)) -> Said {
    let args = "search tiny.nas --out run";
    let mut command = bench.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("warm-up 1/4") {
        assert_ne!(told.read_line(&mut err).unwrap(), 0, "{err}");
    }
    stop(&mut child);
    told.read_to_string(&mut err).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(!bench.path("run/result.json").exists(), "it was done before it was stopped");
    Said::of(args, Output { stderr: err.into_bytes(), ..ended })
}

/// That a run which goes on ends as one does that was never stopped, but for its timing.
fn goes_on(bench: &Bench) {
    let resumed = bench.nasc("search tiny.nas --out run --resume");
    assert!(resumed.err.contains("goes on: search, "), "{}", resumed.err);
    let whole = bench.nasc("search tiny.nas --out whole");
    assert_eq!(resumed.done().replace("run/", "whole/"), whole.done());
    assert_eq!(bench.list("run"), RUN);
    assert_eq!(bench.list("whole"), RUN);
    for name in RUN.iter().filter(|&&name| !["sources", "run.sqlite"].contains(&name)) {
        let [run, whole] = ["run", "whole"].map(|run| bench.read(&format!("{run}/{name}")));
        assert!(run == whole, "{name} differs");
    }
    assert_eq!(bench.records("run"), bench.records("whole"));
}

/// What the run says of itself.
fn result(bench: &Bench) -> Value {
    serde_json::from_slice(&bench.read("run/result.json")).unwrap()
}

/// The space is the same for any target; the network is written for that of the search.
#[test]
fn a_search_writes_in_the_operator_set_of_its_target() {
    let bench = bench();
    bench.write("tiny.nas", tiny_for_target("search quick of tiny"));
    bench.nasc("search tiny.nas --out run").done();
    assert_eq!(bench.opset("run/network.onnx"), 19);
}

#[test]
fn a_search_leaves_a_whole_run_and_a_table() {
    let bench = bench();
    let table = bench.nasc("search tiny.nas --out run").done();
    let names: Vec<&str> = table.lines().map(|line| line.split("  ").next().unwrap()).collect();
    assert_eq!(names[..3], ["space", "unit.0/op", "unit.1/op"]);
    assert!(
        ["MACs", "parameters", "input", "ONNX"].iter().all(|name| names.contains(name)),
        "{table}"
    );
    assert!(table.lines().last().unwrap().contains("passed: tract"), "{table}");
    assert_eq!(bench.list("run"), RUN);
    assert_eq!(bench.list("run/sources"), ["std", "tiny.nas"]);
    let records = bench.records("run");
    assert_eq!(records["epochs"].as_array().unwrap().len(), 4 + 2);
    assert_eq!(records["result"], result(&bench));

    bench.nasc("verify run/network.onnx").done();
    assert_eq!(bench.opset("run/network.onnx"), 17);
    let onnx = String::from_utf8_lossy(&bench.read("run/network.onnx")).into_owned();
    let expected = r#"{"input":"image","order":"RGB","height":"#;
    assert!(onnx.contains("nasc.input") && onnx.contains(expected));
    bench.nasc("export tiny.nas --arch run/assignment.json --weights run/weights.safetensors -o a.onnx").done();
    let exported = String::from_utf8_lossy(&bench.read("a.onnx")).into_owned();
    assert!(exported.contains(expected), "what is exported once more expects the same");
    let cost = bench.nasc("cost tiny.nas --arch run/assignment.json --json").json();
    assert_eq!(result(&bench)["cost"], cost);
    assert_eq!(bench.nasc("search tiny.nas --out run --resume").done(), table);
}

#[test]
fn a_result_is_held_against_other_networks() {
    let bench = bench();
    bench.nasc("search tiny.nas --out run --baseline none.jsonl").fails(1, &["none.jsonl: "]);
    assert!(!bench.path("run").exists(), "that is known before anything is trained");
    bench.nasc("search tiny.nas --out run").done();
    bench.nasc("runs export run --format jsonl -o tried.jsonl").done();
    let tried = bench.read("tried.jsonl");
    let count = tried.iter().filter(|&&byte| byte == b'\n').count();
    let drawn = || String::from_utf8(bench.read("run/report.svg")).unwrap();
    let legend = "none was drawn at random: there is no baseline";
    assert!(drawn().contains(legend));
    let table = bench.nasc("search tiny.nas --out run --resume --baseline tried.jsonl").done();
    let row = table.lines().find(|line| line.starts_with("beside tried.jsonl "));
    assert!(row.is_some_and(|row| row.contains(&format!(" {count} networks, mIoU "))), "{table}");
    assert!(!drawn().contains(legend));
    let other = String::from_utf8(tried).unwrap().replace("\"miou\":", "\"accuracy_of_another\":");
    bench.write("other.jsonl", other);
    bench
        .nasc("search tiny.nas --out run --resume --baseline other.jsonl")
        .fails(1, &["other.jsonl"]);
}

#[test]
fn a_killed_search_goes_on_to_the_same_end() {
    let bench = bench();
    let said = stopped(&bench, |child| child.kill().unwrap());
    assert_eq!(said.code, None);
    goes_on(&bench);
}

#[cfg(unix)]
#[test]
fn a_search_that_the_user_stops_goes_on_to_the_same_end() {
    let bench = bench();
    let said = stopped(&bench, |child| {
        let kill = format!("kill -INT {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    });
    said.fails(130, &["stopping after this step", "run is whole", "--resume"]);
    goes_on(&bench);
}

#[test]
fn a_run_is_not_mixed_with_another() {
    let bench = bench();
    let _ = stopped(&bench, |child| child.kill().unwrap());
    bench.nasc("search tiny.nas --out run").fails(1, &["nas::run::exists", "--resume"]);
    bench
        .nasc("search tiny.nas --out run --resume --set schedule.epochs=3")
        .fails(1, &["nas::run::differs", "`schedule.epochs` is 4 in it and 3 now"]);
    bench.nasc("demo --out run").fails(1, &["nas::run::differs"]);
}

/// [`TINY`] on a host of its own, with the latency of its networks in the objective; no two of them are
/// made of the same parts.
fn on_host(limit: &str) -> String {
    let space = "space tiny(classes = 2, size = 32)";
    TINY.replace(
        space,
        &format!("target host {{ latency table \"host.json\" }}\n\n{space} for host"),
    )
    .replacen("unit(8)", "unit(16)", 1)
    .replace("0.01 * macs / 1M", "0.1 * latency / 1ms")
    .replace("    task", &format!("{limit}    task"))
    .replace("sample = 2", "sample = 4")
}

/// The networks of the space and their latencies in nanoseconds, the fastest first.
fn latencies(bench: &Bench) -> Vec<(Value, u64)> {
    let drawn = bench.nasc("sample tiny.nas -n 100").done();
    let network = |line: &str| {
        let network: Value = serde_json::from_str(line).unwrap();
        let nanoseconds = (network["latency"].as_f64().unwrap() * 1e9).round();
        (network["choices"].clone(), nanoseconds as u64)
    };
    let mut networks: Vec<(Value, u64)> = drawn.lines().map(network).collect();
    networks.sort_by_key(|(choices, nanoseconds)| (*nanoseconds, choices.to_string()));
    networks.dedup();
    networks
}

/// The log-probability of a network after the last epoch of the search.
fn score(bench: &Bench, choices: &Value) -> f64 {
    let records = bench.records("run");
    let mut epochs = records["epochs"].as_array().unwrap().iter().rev();
    let last = epochs.find(|epoch| epoch["phase"] == "search").unwrap();
    let decisions = ["unit.0/op", "unit.1/op"].into_iter().enumerate();
    let probability = |(decision, path): (usize, &str)| {
        let candidate = usize::from(choices[path] == "large");
        last["probabilities"][decision][candidate].as_f64().unwrap()
    };
    decisions.map(|decision| probability(decision).ln()).sum()
}

#[test]
fn a_search_under_a_measured_latency_derives_the_best_that_keeps_it() {
    let bench = bench();
    bench.write("tiny.nas", on_host(""));
    bench.nasc("latency measure tiny.nas --out host.json --repeats 5").done();
    let networks = latencies(&bench);
    let limit = (networks[1].1 + networks[2].1) / 2;
    assert!(networks.len() == 4 && networks[1].1 < limit && limit < networks[2].1, "{networks:?}");
    bench.write("tiny.nas", on_host(&format!("    require latency <= {}us\n", limit as f64 / 1e3)));

    let said = stopped(&bench, |child| child.kill().unwrap());
    assert_eq!(said.code, None);
    goes_on(&bench);

    let scored = bench.records("run")["trials"].as_array().unwrap().clone();
    let of_table = |network: &Value| {
        let known = networks.iter().find(|(choices, _)| *choices == network["choices"]).unwrap();
        assert_eq!(network["cost"]["latency"].as_f64().unwrap(), known.1 as f64 / 1e9);
        known.1
    };
    assert!(scored.iter().all(|network| of_table(network) <= limit), "{scored:?}");
    // The first is the most probable of all that keep the limit.
    let best = scored[0]["choices"].clone();
    let kept = networks.iter().take_while(|(_, nanoseconds)| *nanoseconds <= limit);
    assert!(kept.map(|(choices, _)| score(&bench, choices)).all(|s| s <= score(&bench, &best)));
    // What is retrained scored best with inherited weights.
    let result = result(&bench);
    assert!(of_table(&result) <= limit, "{result}");
    let miou = |network: &Value| network["score"]["miou"].as_f64().unwrap();
    let inherited = result["trial"]["miou"].as_f64().unwrap();
    assert!(scored.iter().all(|network| miou(network) <= inherited), "{result}");

    let table = String::from_utf8(bench.read("host.json")).unwrap();
    bench.write("host.json", table.replace("\"repeats\":5", "\"repeats\":6"));
    let resumed = bench.nasc("search tiny.nas --out run --resume");
    resumed.fails(1, &["nas::run::differs", "`host.json` has changed"]);
}

#[test]
fn a_search_that_cannot_reach_its_end_does_not_begin() {
    let bench = bench();
    let search = |rest: &str| bench.nasc(&format!("search tiny.nas --out run {rest}"));
    let short = ["nas::data::too_few_images", "batch of 16", "make `retrain.batch` smaller"];
    search("--set retrain.batch=16").fails(1, &short);
    let short = ["4 images for the weights of the search", "`data.batch`", "`schedule.split`"];
    search("--set data.batch=5").fails(1, &short);
    search("--set data.path=nope").fails(1, &["wrong_value", "write `--set 'data.path=\"nope\"'`"]);
    search("--set schedule.epoch=5").fails(1, &["nas::recipe::unknown_field", "`epochs`"]);
    search("--recipe quikc").fails(1, &["did you mean `quick`?"]);
    bench.write("aimless.nas", TINY.replace("    task segmentation(classes, ignore = 255)\n", ""));
    bench.nasc("search aimless.nas --out run").fails(1, &["nas::train::task", "it has no task"]);
    fs::remove_dir_all(bench.path("data/val")).unwrap();
    search("").fails(1, &["nas::data::missing_split"]);
    assert!(!bench.path("run").exists());
}

/// Two decisions before batch norms.
const BLIND: &str = "\
use std.blocks.conv_bn_relu
space blind {
    input image: [3, 16, 16]
    task classification(4)
    var x = image
    for i in 0..2 {
        x = x -> choose op { a: conv(8, kernel = 1), b: conv(8, kernel = 3) } -> conv_bn_relu(8, kernel = 1)
    }
    output logits = x -> global_avg_pool -> linear(4)
}
search quick of blind {
    strategy gdas {}
}
";

#[test]
fn what_a_search_refuses_is_known_to_check() {
    let bench = bench();
    bench.write("aimless.nas", TINY.replace("    task segmentation(classes, ignore = 255)\n", ""));
    let task = ["nas::train::task", "it has no task", "aimless.nas:26", "searched here"];
    bench.nasc("check aimless.nas").fails(1, &task);
    let soft = TINY
        .replace("of tiny {\n    min", "of tiny {\n    strategy gumbel { mixing = soft }\n    min");
    bench.write(
        "widths.nas",
        soft.replace("-> conv_bn_relu(8, ", "-> conv_bn_relu(choose [8, 16], "),
    );
    let shapes = [
        "nas::run::refused",
        "one construct is in the way",
        "`strategy proxyless",
        "searched here",
    ];
    bench.nasc("check widths.nas").fails(1, &shapes);
    bench.write("blind.nas", BLIND);
    let absorbed = ["nas::train::absorbed", "`op` and one more decision", "`strategy proxyless {"];
    bench.nasc("check blind.nas").fails(1, &absorbed);
    bench.nasc("check tiny.nas").done();
}

/// The table of truth holds every network of its space, with what it costs.
#[test]
fn the_truth_about_garments_is_searched() {
    let bench = Bench::new();
    let truth = Path::new(env!("CARGO_MANIFEST_DIR")).join("truth");
    for file in ["garments.nas", "garments.jsonl"] {
        fs::copy(truth.join(file), bench.path(file)).unwrap();
    }
    let few = "search garments.nas --recipe known --set derive.sample=5 --out few --baseline garments.jsonl";
    let table = bench.nasc(few).done();
    let row = "243 networks, accuracy 0.644 to 0.873, mean 0.854; ";
    assert!(
        table.lines().any(|line| line.starts_with("beside garments.jsonl ") && line.contains(row))
    );
    let source = String::from_utf8(bench.read("garments.nas")).unwrap();
    bench.write("garments.nas", source.replace("strategy bayesian {}", "strategy grid {}"));
    let source = String::from_utf8(bench.read("garments.nas")).unwrap();
    bench.write("garments.nas", source.replace("    derive { sample = 40 }\n", ""));
    bench.nasc("search garments.nas --recipe known --out all").done();
    let lines = |file: &str| -> Vec<Value> {
        let text = String::from_utf8(bench.read(file)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    bench.nasc("runs export all --format jsonl -o all.jsonl").done();
    let (known, found) = (lines("garments.jsonl"), lines("all.jsonl"));
    assert_eq!((known.len(), found.len()), (243, 243));
    for (known, found) in known.iter().zip(&found) {
        assert_eq!(known["choices"], found["choices"]);
        assert_eq!(known["cost"], found["cost"]);
        assert_eq!(known["score"]["accuracy"], found["score"]["accuracy"]);
    }
}

#[test]
fn known_scores_are_searched_without_data_and_without_training() {
    let bench = Bench::new();
    let (space, _) = TINY.split_once("search quick").unwrap();
    let recipe = "search known of tiny {\n    strategy local_search {}\n    \
                  score { by = table, table = \"known.jsonl\" }\n    derive { sample = 3, keep = 2 }\n}\n";
    // Nothing is trained, so that it need be for no task.
    let space = space.replace("    task segmentation(classes, ignore = 255)\n", "");
    bench.write("known.nas", format!("{space}{recipe}"));
    bench.nasc("check known.nas").done();
    let search = |rest: &str| bench.nasc(&format!("search known.nas --out run {rest}"));
    search("").fails(1, &["known.jsonl"]);
    let mut lines = String::new();
    for (n, (a, b)) in
        [("small", "small"), ("small", "large"), ("large", "small")].iter().enumerate()
    {
        lines += &format!(
            "{{\"choices\": {{\"unit.0/op\": \"{a}\", \"unit.1/op\": \"{b}\"}}, \"score\": {{\"accuracy\": 0.{n}}}}}\n"
        );
    }
    bench.write("known.jsonl", format!("{lines}half"));
    search("").fails(1, &["nas::search::table", "line 4 of `known.jsonl`"]);
    assert!(!bench.path("run").exists());
    // It holds three of the four networks.
    bench.write("known.jsonl", &lines);
    search("").fails(1, &["nas::run::unscored", "`unit.0/op` = large, `unit.1/op` = large"]);
    fs::remove_dir_all(bench.path("run")).unwrap();
    let fourth = lines.lines().next().unwrap().replace("small", "large").replace("0.0", "0.9");
    bench.write("known.jsonl", format!("{lines}{fourth}\n"));
    let table = search("").done();
    assert!(table.contains("val accuracy, known"), "{table}");
    assert_eq!(search("--resume").done(), table);
    assert!(!bench.path("run/weights.safetensors").exists());
    // What a run tried is a table too.
    bench.nasc("runs export run --format jsonl -o known.jsonl").done();
    search("--resume").fails(1, &["nas::run::differs", "`known.jsonl` has changed"]);
    bench.write("known.nas", format!("{space}{}", recipe.replace("known.jsonl", "run")));
    let again = bench.nasc("search known.nas --out again").done();
    assert_eq!(again.replace("again/", "run/"), table);
    assert_eq!(bench.read("again/sources/run"), bench.read("known.jsonl"));
    bench.write("known.nas", format!("{space}{}", recipe.replace("known.jsonl", "data")));
    fs::create_dir(bench.path("data")).unwrap();
    bench.nasc("search known.nas --out more").fails(1, &["nas::run::none", "`data` holds no run"]);
}

#[test]
fn a_file_without_a_recipe_is_shown_one() {
    let bench = bench();
    let (space, _) = TINY.split_once("search quick").unwrap();
    bench.write("bare.nas", space);
    let search = |rest: &str| bench.nasc(&format!("search bare.nas --out run {rest}"));
    let said = search("");
    let begun = [
        "nas::run::no_recipe",
        "bare.nas has no recipe for `tiny`",
        "search tiny_search of tiny {",
    ];
    said.fails(1, &begun);
    bench.nasc("retrain bare.nas --arch random:1 --out run").fails(1, &begun);
    assert!(!bench.path("run").exists());
    let small = "--set data.batch=2 --set retrain.batch=2 --set schedule.epochs=1";
    search(&format!("--set data.path=\"data\" {small} --set retrain.epochs=1")).done();
}

#[test]
fn what_does_not_fit_into_memory_does_not_begin() {
    let bench = Bench::new();
    pictures::edges(&bench.path("data"), [("train", 128), ("val", 4), ("test", 4)]);
    let large = "--set data.crop=(8192,8192) --set data.batch=64";
    let said = bench.nasc(&format!("search tiny.nas --out run {large}"));
    said.fails(1, &["nas::train::memory", "the search takes about", "`data.batch`"]);
    assert!(!bench.path("run").exists());
}

#[test]
fn what_dataset_json_says_is_what_the_task_does() {
    let bench = bench();
    for (json, code) in [
        (r#"{"classes": ["one"]}"#, "nas::data::other_classes"),
        (r#"{"ignore": 1}"#, "nas::data::other_ignore"),
    ] {
        bench.write("data/dataset.json", json);
        bench.nasc("search tiny.nas --out run").fails(1, &[code]);
    }
    assert!(!bench.path("run").exists());
}

#[test]
fn bad_data_are_found_before_the_first_epoch_and_leave_no_folder() {
    let bench = bench();
    let label = bench.path("data/test/labels/0.png");
    let good = fs::read(&label).unwrap();
    pictures::save(&image::GrayImage::from_pixel(32, 32, image::Luma([9])), &label);
    let search = || bench.nasc("search tiny.nas --out run");
    search().fails(1, &["nas::data::", "test/labels/0.png", "repair the data"]);
    assert!(!bench.path("run").exists());
    fs::write(&label, good).unwrap();
    let said = bench.nasc("search tiny.nas --out run --resume");
    assert!(said.err.contains("no run in `run` yet: this begins one"), "{}", said.err);
    said.done();
}

#[test]
fn a_run_goes_on_by_what_its_space_and_its_data_are() {
    let bench = bench();
    let _ = stopped(&bench, |child| child.kill().unwrap());
    bench.write("tiny.nas", format!("// Said otherwise.\n{TINY}"));
    fs::rename(bench.path("data"), bench.path("moved")).unwrap();
    let search = |rest: &str| bench.nasc(&format!("search tiny.nas --out run --resume {rest}"));
    // The statistics of the images come from here.
    let mean = r#"{"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}"#;
    bench.write("moved/dataset.json", mean);
    let moved = r#"--set data.path="moved""#;
    let new = ["nas::run::differs", "`dataset.json` of the data is new"];
    search(moved).fails(1, &new);
    fs::remove_file(bench.path("moved/dataset.json")).unwrap();
    let said = search(&format!("{moved} --set retrain.epochs=3"));
    assert!(said.err.contains("note: `retrain.epochs` was 2 and is 3"), "{}", said.err);
    said.done();
    assert_eq!(bench.records("run")["epochs"].as_array().unwrap().len(), 4 + 3);
    fs::remove_file(bench.path("run/weights.safetensors")).unwrap();
    let missing =
        ["nas::run::damaged", "`weights.safetensors` of the run is damaged: it is missing"];
    search(&format!("{moved} --set retrain.epochs=3")).fails(1, &missing);
}

#[test]
fn data_that_are_hardly_meant_are_warned_of() {
    let bench = bench();
    for split in ["train", "val", "test"] {
        let folder = bench.path(&format!("data/{split}/labels"));
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mut labels = image::open(&path).unwrap().into_luma8();
            labels.pixels_mut().for_each(|pixel| pixel.0[0] *= 255);
            pictures::save(&labels, &path);
        }
    }
    let retrain = "retrain tiny.nas --arch first --out run";
    let said = bench.nasc(retrain);
    let warnings: Vec<&str> =
        said.err.lines().filter(|line| line.contains("never occurs in")).collect();
    assert_eq!(warnings.len(), 3, "{}", said.err);
    assert!(warnings[0].contains("class 1 never occurs in `train`; 5"), "{}", said.err);
    assert!(said.err.contains("nas::data::never_occurs"), "{}", said.err);
    said.done();

    // Not even scored is what has no labels.
    let labels = image::GrayImage::from_pixel(32, 32, image::Luma([255]));
    for number in 0..4 {
        pictures::save(&labels, &bench.path(&format!("data/val/labels/{number}.png")));
    }
    let eval = "eval tiny.nas --arch first --weights run/weights.safetensors --split val";
    bench.nasc(eval).fails(1, &["nas::data::no_labels", "no pixel of `val`"]);
}

#[test]
fn a_retrained_network_scores_as_its_run_says() {
    let bench = bench();
    let retrain = "retrain tiny.nas --arch first --out run";
    let told = bench.nasc(retrain).done();
    assert!(told.lines().last().unwrap().ends_with("run/weights.safetensors"), "{told}");
    let again = bench.nasc(retrain);
    assert!(again.err.contains("the run is finished already"), "{}", again.err);
    assert_eq!(again.done(), told);

    let result = result(&bench);
    let weights = "--weights run/weights.safetensors";
    for split in ["val", "test"] {
        let eval = format!("eval tiny.nas --arch run/result.json {weights} --split {split} --json");
        let score = bench.nasc(&eval).json();
        assert_eq!(keys(&score), keys(&result[split]));
        let [now, then] = [&score, &result[split]].map(|score| score["loss"].as_f64().unwrap());
        assert!((now - then).abs() < 1e-5, "{now} is not {then}");
    }
    let other = bench.nasc(&format!("eval tiny.nas --arch random:3 {weights}"));
    other.fails(1, &["nas::weights::missing", "by `--arch` the network of these weights"]);
    bench.nasc("retrain tiny.nas --arch random:3 --out run").fails(1, &["nas::run::differs"]);
}

#[test]
fn a_classification_is_trained_on_folders_of_classes() {
    let bench = Bench::new();
    let classified = TINY
        .replace("task segmentation(classes, ignore = 255)", "task classification(classes)")
        .replace("conv(classes, kernel = 1, bias = true)", "global_avg_pool")
        .replace("resize(scale = 2)", "linear(classes)");
    bench.write("tiny.nas", classified);
    pictures::blue_and_red(&bench.path("data"), [("train", 4), ("val", 2), ("test", 2)]);
    let table = bench.nasc("search tiny.nas --out run").done();
    for row in ["val accuracy, inherited weights ", "val accuracy ", "test accuracy "] {
        assert!(table.lines().any(|line| line.starts_with(row)), "{table}");
    }
    assert_eq!(bench.list("run"), RUN);
    assert_eq!(keys(&result(&bench)["val"]), ["accuracy", "f1", "loss", "class_f1"]);
    let found = "--arch run/assignment.json --weights run/weights.safetensors";
    let told = bench.nasc(&format!("eval tiny.nas {found} --split test")).done();
    assert!(
        told.starts_with("accuracy ") && told.contains("\nF1 ") && told.contains("\nloss "),
        "{told}"
    );

    fs::rename(bench.path("data/val/red"), bench.path("data/val/crimson")).unwrap();
    bench.nasc("search tiny.nas --out more").fails(1, &["nas::data::unknown_class", "blue, red"]);
}

#[test]
fn a_run_goes_on_without_what_it_was_begun_without() {
    let bench = bench();
    let target = "\ntarget npu { supports { conv(kernel <= 3), relu, resize } }\n\nspace tiny";
    let tiny = TINY.replace("\nspace tiny", target).replace("size = 32) {", "size = 32) for npu {");
    let large = "        large: conv_bn_relu(out, kernel = 3)\n";
    let huge = large.replace("large", "huge").replace('3', "5");
    bench.write("tiny.nas", tiny.replace(large, &format!("{large}{huge}")));
    let note = |run: &str| format!("`--drop-unsupported`, as the run in `{run}` was begun with it");

    let table = bench.nasc("search tiny.nas --out runs/quick --drop-unsupported").done();
    for resumed in ["", " --out runs/quick"] {
        let said = bench.nasc(&format!("search tiny.nas --resume{resumed}"));
        assert!(said.err.contains(&note("runs/quick")), "{}", said.err);
        assert!(
            said.err.contains("dropped: tiny: `unit.0/op` goes without `huge`"),
            "{}",
            said.err
        );
        assert_eq!(said.done(), table);
    }
    let found = "--arch runs/quick/assignment.json --weights runs/quick/weights.safetensors";
    let said = bench.nasc(&format!("export tiny.nas {found} -o net.onnx"));
    assert!(said.err.contains(&note("runs/quick")), "{}", said.err);
    said.done();
    bench.nasc("retrain tiny.nas --arch first --out more --drop-unsupported").done();
    let said = bench.nasc("retrain tiny.nas --arch first --out more");
    assert!(said.err.contains(&note("more")), "{}", said.err);
    said.done();

    bench.nasc("retrain tiny.nas --arch first --out whole").done();
    let against = "the run in `whole` was begun without `--drop-unsupported`: leave the option out";
    for command in
        ["retrain tiny.nas --arch first --out whole", "cost tiny.nas --arch whole/result.json"]
    {
        bench.nasc(&format!("{command} --drop-unsupported")).fails(1, &[against]);
    }
    let mixed = "retrain tiny.nas --arch runs/quick/result.json --out whole";
    bench.nasc(mixed).fails(1, &["begun without `--drop-unsupported`"]);
}

#[test]
fn what_only_training_has_stays_behind() {
    let bench = bench();
    let head = "        -> resize(scale = 2)\n";
    let aux = format!("{head}    train output aux = image -> conv(classes, kernel = 3)\n");
    bench.write("tiny.nas", TINY.replace(head, &aux));
    bench.nasc("retrain tiny.nas --arch first --out run").done();
    let weights = bench.read("run/weights.safetensors");
    // The name of the head's convolution, in the header of the file.
    assert!(weights.windows(15).any(|bytes| bytes == b"\"conv.1.weight\""));
    let from = "--arch first --weights run/weights.safetensors";
    bench.nasc(&format!("export tiny.nas {from} -o net.onnx")).done();
    assert!(!bench.read("net.onnx").windows(6).any(|bytes| bytes == b"conv.1"));
    bench.nasc(&format!("retrain tiny.nas {from} --out more")).done();
}

#[test]
fn a_finished_demo_is_not_touched() {
    let bench = Bench::new();
    fs::create_dir(bench.path("run")).unwrap();
    bench.write("run/result.json", "{}");
    bench.nasc("demo --out run").fails(1, &["run holds a finished demo", "`--out`"]);
    assert_eq!(bench.list("run"), ["result.json"]);
}

/// Of a 1x1 convolution with a stride and few channels, whose gradient ended the process.
#[test]
fn a_network_that_begins_with_a_strided_1x1_convolution_is_trained() {
    let bench = Bench::new();
    let data = nas_spaces::shipped().join("data/landcover");
    let text = format!(
        "space t(classes = 7, size = 64) {{
    input image: [3, size, size]
    task segmentation(classes)
    output logits = image -> conv(16, kernel = 1, stride = 2) -> conv(classes, kernel = 1, bias = true)
        -> resize(scale = 2)
}}
arch a of t {{ }}
search s of t {{
    minimize cross_entropy
    data landcover {{ path = {data:?}, batch = 16 }}
    retrain {{ epochs = 1 }}
}}
"
    );
    bench.write("strided.nas", text);
    let told = bench.nasc("retrain strided.nas --arch a --out run").done();
    assert!(told.contains("test mIoU"), "{told}");
}

/// More threads than any use of them, each of which takes memory, are refused as an argument.
#[test]
fn threads_are_bounded_by_the_cores() {
    let bench = Bench::new();
    for command in ["retrain tiny.nas --arch first", "search tiny.nas", "demo"] {
        bench.nasc(&format!("{command} --threads 1000000")).fails(2, &["1000000 is not in 1..="]);
    }
}

/// What moves weights, all of it other than the default.
const MOVES: &str = "
    data edges { path = \"data\", batch = 2, randaugment = 1, mixup = 0.4, cutmix = 1 }
    loss { smoothing = 0.1, class_weights = balanced, focal = 1, dice = 0.3 }
    weights adamw { rate = 0.01 -> 0 one_cycle, warmup = 1, accumulate = 2, ema = 0.9, freeze = \"**.bias\" }
    retrain lamb { rate = 0.02 -> 0.002 step(2), accumulate = 3, ema = 0.5, epochs = 2, batch = 2, freeze = \"unit.*/op=small/**\" }";

#[test]
fn a_search_with_all_that_moves_weights_goes_on_to_the_same_end() {
    let bench = bench();
    let text = TINY.replace("    data edges { path = \"data\", batch = 4 }", MOVES);
    bench.write("tiny.nas", text.replace("    retrain { epochs = 2, batch = 4 }\n", ""));
    let said = stopped(&bench, |child| child.kill().unwrap());
    assert_eq!(said.code, None);
    goes_on(&bench);
    let recipe: Value = serde_json::from_slice(&bench.read("run/recipe.json")).unwrap();
    assert_eq!(recipe["retrain"]["rate"]["law"], "step(2)");
    assert_eq!(recipe["weights"]["optimizer"], "adamw");
}

#[test]
fn a_data_set_need_not_have_test_images() {
    let bench = bench();
    fs::remove_dir_all(bench.path("data/test")).unwrap();
    let table = bench.nasc("search tiny.nas --out run").done();
    assert!(table.contains("val mIoU") && !table.contains("test"), "{table}");
    assert!(result(&bench).get("test").is_none());
}

#[test]
fn a_training_begins_with_the_weights_of_a_file_as_far_as_they_fit() {
    let bench = bench();
    let retrain = "retrain tiny.nas --arch first --set retrain.rate=0.05";
    bench.nasc(&format!("{retrain} --out one --set retrain.epochs=1")).done();
    let from =
        format!("{retrain} --out two --set retrain.weights_from=\"one/weights.safetensors\"");
    let said = bench.nasc(&from);
    assert!(said.err.contains("retrain.weights_from: "), "{}", said.err);
    assert!(!said.err.contains("begin fresh"), "{}", said.err);
    said.done();
    let supernet =
        "search tiny.nas --out three --set weights.weights_from=\"one/weights.safetensors\"";
    let said = bench.nasc(supernet);
    assert!(said.err.contains("not in the file begin fresh, such as `"), "{}", said.err);
    said.done();
    // Its rate stays, so that it may go on for longer.
    let longer = format!("{from} --set retrain.epochs=3");
    bench.nasc(&longer).done();
    let epochs = bench.nasc("runs export two --table epochs --format csv").done();
    assert_eq!(epochs.lines().count(), 1 + 3, "{epochs}");
    let frozen = format!("{retrain} --out four --set retrain.freeze=\"nowhere/**\"");
    bench.nasc(&frozen).fails(1, &["nas::train::freezes_nothing"]);
}

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
    bench.nasc("retrain tiny.nas --arch first --out run").fails(1, &["teacher.onnx: "]);
}

/// The gigabytes behind some words of what was told.
#[cfg(target_os = "linux")]
fn gigabytes(told: &str, words: &str) -> f64 {
    let rest = told.split_once(words).unwrap_or_else(|| panic!("no {words}: {told}")).1;
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Within 15 %, with few images in a batch, where the process itself is half of it, and with many.
#[cfg(target_os = "linux")]
#[test]
fn a_retraining_takes_the_memory_that_is_forecast() {
    let bench = Bench::new();
    let space = nas_spaces::shipped().join("landcover_demo.nas");
    for batch in [16, 64] {
        let retrain = format!("retrain {} --arch random:1 --out run{batch}", space.display());
        let short = "--set data.take=128 --set retrain.epochs=1";
        let said = bench.nasc(&format!("{retrain} {short} --set retrain.batch={batch}"));
        let forecast = gigabytes(&said.err, "memory: the retraining about ");
        let taken = gigabytes(&said.err.replace("memory: the", ""), "memory: ");
        assert!((forecast / taken - 1.0).abs() < 0.15, "{forecast} for {taken}: {}", said.err);
        said.done();
    }
}
