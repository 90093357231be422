//! Runs that are stopped, killed or begun again, and what they go on with.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::bench::{Bench, Said, TINY};
use crate::training::{RUN, bench};

/// Starts a search, stops it after its first epoch, and returns how it ended.
pub(crate) fn stopped(bench: &Bench, stop: impl FnOnce(&mut Child)) -> Said {
    let args = "search tiny.nas --out run";
    let mut command = bench.command(args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("warm-up 1/4") {
        assert_ne!(told.read_line(&mut err).unwrap(), 0, "{err}");
    }
    // Its state is written while the next one goes on.
    while !bench.path("run/supernet.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended without a state");
        std::thread::sleep(Duration::from_millis(1));
    }
    stop(&mut child);
    told.read_to_string(&mut err).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(!bench.path("run/result.json").exists(), "it was done before it was stopped");
    Said::of(args, Output { stderr: err.into_bytes(), ..ended })
}

/// What is told at the end, but for how long it took.
fn without_seconds(told: &str) -> String {
    let line = |line: &str| match line.split_once(" backward, ") {
        Some((images, rest)) => format!("{images}, {}", rest.split_once(", ").unwrap().1),
        None => line.to_owned(),
    };
    told.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// That a run which goes on ends as one does that was never stopped, but for its timing.
pub(crate) fn goes_on(bench: &Bench) {
    let resumed = bench.nasc("search tiny.nas --out run --resume");
    assert!(resumed.err.contains("goes on: search, "), "{}", resumed.err);
    let whole = bench.nasc("search tiny.nas --out whole");
    let [resumed, whole] = [resumed, whole].map(|said| without_seconds(&said.done()));
    assert_eq!(resumed.replace("run/", "whole/"), whole);
    assert_eq!(bench.list("run"), RUN);
    assert_eq!(bench.list("whole"), RUN);
    for name in RUN.iter().filter(|&&name| !["sources", "run.sqlite"].contains(&name)) {
        let [run, whole] = ["run", "whole"].map(|run| bench.read(&format!("{run}/{name}")));
        assert!(run == whole, "{name} differs");
    }
    assert_eq!(bench.records("run"), bench.records("whole"));
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
fn a_finished_demo_is_not_touched() {
    let bench = Bench::new();
    fs::create_dir(bench.path("run")).unwrap();
    bench.write("run/result.json", "{}");
    bench.nasc("demo --out run").fails(1, &["run holds a finished demo", "`--out`"]);
    assert_eq!(bench.list("run"), ["result.json"]);
}
