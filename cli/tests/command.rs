//! Searches whose networks a command scores: here a script for `sh`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::Bench;

/// A space of two inputs and two outputs, for no task, and its search.
const STEREO: &str = r#"//! What nasc itself cannot train.
space stereo {
    input left: [3, 16, 16]
    input right: [3, 16, 16]
    let seen = (left, right) -> concat -> choose op {
        small: conv(4, kernel = 1)
        middle: conv(4, kernel = 3)
        large: conv(4, kernel = 5)
    } -> batch_norm -> relu
    output depth = seen -> conv(1, kernel = 1)
    output sure = seen -> conv(choose width [1, 2], kernel = 1)
}

const SCRIPT = "train.sh"

search mine of stereo {
    strategy aging_evolution { population = 3, tournament = 2 }
    score {
        by = command
        command = "SLOT=$NASC_SLOT sh {SCRIPT} {json} {onnx} {weights} {epochs}"
        metric = "error"
        direction = lower
        epochs = 3
    }
    derive { sample = 5, keep = 2 }
}
"#;

/// Prefers large kernels.
const SCRIPT: &str = r#"
grep -q '"large"' "$1" && error=1 || { grep -q '"middle"' "$1" && error=2 || error=4; }
grep -q '"macs"' "$1" || exit 3
test -s "$2" && test -s "$3" || exit 4
echo "slot $SLOT"
for epoch in $(seq $4); do echo "{\"epoch\": $epoch, \"error\": 9}"; done
echo "{\"error\": $error, \"fps\": 1e2, \"note\": \"done\"}"
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("stereo.nas", STEREO);
    bench.write("train.sh", SCRIPT);
    bench
}

#[test]
fn a_space_that_nasc_cannot_train_is_searched_by_a_script() {
    let bench = bench();
    bench.nasc("check stereo.nas").done();
    let said = bench.nasc("search stereo.nas --out run --jobs 2");
    assert!(said.err.contains("network 5/5: error "), "{}", said.err);
    let table = said.done();
    assert!(table.contains("large") && table.contains("val error after 3 epochs"), "{table}");
    let scored = bench.records("run")["trials"].as_array().unwrap().clone();
    assert_eq!(scored.len(), 5);
    assert_eq!(scored[0]["score"]["fps"], 100.0);
    assert_eq!(scored[0]["score"]["direction"], "lower");
    let result: Value = serde_json::from_slice(&bench.read("run/result.json")).unwrap();
    assert_eq!((&result["trial"]["error"], &result["budget"]["epochs"]), (&1.0.into(), &3.into()));
    let recipe: Value = serde_json::from_slice(&bench.read("run/recipe.json")).unwrap();
    let command = "SLOT=$NASC_SLOT sh train.sh {json} {onnx} {weights} {epochs}";
    assert_eq!(
        (&recipe["score"]["command"], &recipe["score"]["jobs"]),
        (&command.into(), &2.into())
    );
    let files = ["log.txt", "metrics.jsonl", "network.json", "network.onnx", "weights.safetensors"];
    assert_eq!(bench.list("run/trials/000004"), files);
    assert_eq!(bench.opset("run/trials/000004/network.onnx"), 17);
    // What the command read of a network is what other commands read and write.
    let arch = "--arch run/trials/000004/network.json";
    let cost = bench.nasc(&format!("cost stereo.nas {arch} --json")).json();
    assert_eq!(scored[4]["cost"], cost);
    let weights = "--weights run/trials/000004/weights.safetensors";
    bench.nasc(&format!("export stereo.nas {arch} {weights} -o again.onnx")).done();
    // A run that is done stays so, and one of other jobs is another.
    let again = bench.nasc("search stereo.nas --out run --resume --jobs 2");
    assert_eq!(again.done(), table);
    bench
        .nasc("search stereo.nas --out run --resume")
        .fails(1, &["nas::run::differs", "score.jobs"]);
    bench.nasc("search stereo.nas --out other --jobs 2").done();
    assert_eq!(bench.records("run")["trials"], bench.records("other")["trials"]);
    for name in ["result.json", "trials/000004/network.onnx", "trials/000004/log.txt"] {
        let [run, other] = ["run", "other"].map(|run| bench.read(&format!("{run}/{name}")));
        assert!(run == other, "{name} differs");
    }
}

#[test]
fn a_script_that_scores_nothing_is_shown() {
    let bench = bench();
    bench.write("train.sh", "echo no module named torch >&2; exit 1");
    let said = bench.nasc("search stereo.nas --out run");
    said.fails(
        1,
        &[
            "nas::search::command",
            "none of the first 3 trials: it failed (exit status: 1)",
            "| no module named torch",
            "network.json",
            "trials/000002/log.txt",
            "network 1/5: failed: it failed (exit status: 1)",
        ],
    );
    bench.write("train.sh", SCRIPT);
    bench.nasc("search stereo.nas --out run --resume").done();
    let no_metric = STEREO.replace("        metric = \"error\"\n        direction = lower\n", "");
    bench.write("stereo.nas", no_metric);
    let told = ["nas::search::metric", "it has no task", "metric = \"accuracy\"", "searched here"];
    bench.nasc("check stereo.nas").fails(1, &told);
}

/// Starts a search whose command never ends; ends it by a signal, and sees that the command ends too.
fn ends_with_nasc(signal: &str) {
    let bench = bench();
    bench.write("train.sh", "sleep 600 & echo $! > pid.new; mv pid.new pid; wait");
    let mut command = bench.command("search stereo.nas --out run");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("networks to score") {
        assert_ne!(told.read_line(&mut err).unwrap(), 0, "{err}");
    }
    let deadline = Instant::now() + Duration::from_secs(120);
    while !bench.path("pid").exists() {
        assert!(Instant::now() < deadline, "the command was not started");
        std::thread::yield_now();
    }
    let pid = fs::read_to_string(bench.path("pid")).unwrap();
    let shell =
        |script: String| Command::new("sh").args(["-c", &script]).status().unwrap().success();
    assert!(shell(format!("kill -{signal} {}", child.id())));
    child.wait().unwrap();
    let is_alive = || {
        let pid = pid.trim();
        // One that nobody waits for stays as a zombie, where there is no `init`.
        shell(format!(
            "kill -0 {pid} 2>/dev/null && ! grep -q '^State:.Z' /proc/{pid}/status 2>/dev/null"
        ))
    };
    while is_alive() {
        assert!(Instant::now() < deadline, "the command goes on after {signal}");
    }
}

#[test]
fn a_command_ends_with_nasc() {
    for signal in ["INT", "TERM", "KILL"] {
        ends_with_nasc(signal);
    }
}
