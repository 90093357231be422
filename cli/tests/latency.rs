//! Latency tables: plan, measure, import, check, with scripts in the place of a board.

use std::fs;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Bench, Said, TINY, keys, tiny_for_target};

/// What the script of [`runner`] does beside answering: nothing.
const CALM: &str = "";
/// The figure of a model is its size.
const ANSWER: &str = "echo \"$(($(wc -c < \"$1\") / 100)) ms\"";

/// A folder with the plan of [`TINY`], its parts alone.
fn planned() -> Bench {
    let bench = Bench::new();
    bench.nasc("latency plan tiny.nas --out plan --alone").done();
    bench
}

/// Makes `run.sh`, which notes the model that it is called with and answers.
fn runner(bench: &Bench, before: &str, answer: &str) {
    bench.write("run.sh", format!("echo \"$1\" >> calls\n{before}\n{answer}\n"));
}

/// A measurement by `run.sh` into `t.json`.
fn measurement(bench: &Bench, more: &str) -> Command {
    let device = "--hardware board --engine bench --engine-version 2";
    let mut command =
        bench.command(&format!("latency measure plan --out t.json --repeats 3 {device} {more}"));
    command.args(["--runner", "sh run.sh {model}"]);
    command
}

fn measured(bench: &Bench, more: &str) -> Said {
    Said::of("latency measure", measurement(bench, more).output().unwrap())
}

fn calls(bench: &Bench) -> usize {
    String::from_utf8(bench.read("calls")).unwrap().lines().count()
}

fn table(bench: &Bench) -> Value {
    serde_json::from_slice(&bench.read("t.json")).unwrap()
}

#[test]
fn a_plan_is_in_the_operator_set_of_the_target() {
    let bench = Bench::new();
    bench.write("board.nas", tiny_for_target("space tiny(classes = 2, size = 32)"));
    for (file, opset) in [("tiny.nas", 17), ("board.nas", 19)] {
        bench.nasc(&format!("latency plan {file} --out plan")).done();
        let manifest: Value = serde_json::from_slice(&bench.read("plan/manifest.json")).unwrap();
        assert_eq!(manifest["opset"], opset, "{file}");
        let key = manifest["parts"][0]["key"].as_str().unwrap();
        assert_eq!(bench.opset(&format!("plan/{key}.onnx")), opset, "{file}");
    }
}

#[test]
fn a_plan_holds_each_distinct_part_once() {
    let [one, two] = [planned(), planned()];
    let names = one.list("plan");
    assert_eq!(names, two.list("plan"));
    for name in &names {
        let name = format!("plan/{name}");
        assert_eq!(one.read(&name), two.read(&name), "{name}");
    }
    let manifest: Value = serde_json::from_slice(&one.read("plan/manifest.json")).unwrap();
    let parts = manifest["parts"].as_array().unwrap();
    // Both units have the same candidates.
    let places: Vec<usize> = parts.iter().map(|p| p["places"].as_array().unwrap().len()).collect();
    assert_eq!(places, [1, 2, 2, 1]);
    assert_eq!(parts[1]["inputs"], json!([{"name": "input.0", "shape": [1, 8, 16, 16]}]));
    let listed: Vec<String> =
        parts.iter().map(|part| format!("{}.onnx", part["key"].as_str().unwrap())).collect();
    assert!(names.len() == 5 && listed.iter().all(|name| names.contains(name)), "{names:?}");
}

#[test]
fn a_plan_that_was_interrupted_goes_on() {
    let bench = planned();
    let before = bench.list("plan");
    std::fs::remove_file(bench.path("plan/manifest.json")).unwrap();
    let one = before.iter().find(|name| name.ends_with(".onnx")).unwrap();
    std::fs::remove_file(bench.path("plan").join(one)).unwrap();
    bench.nasc("latency plan tiny.nas --out plan --alone").done();
    assert_eq!(bench.list("plan"), before);
}

#[test]
fn a_plan_replaces_a_plan_and_nothing_else() {
    let bench = planned();
    let before = bench.list("plan");
    bench.write("tiny.nas", TINY.replace("kernel = 3)\n    }", "kernel = 5)\n    }"));
    let said = bench.nasc("latency plan tiny.nas --out plan --alone").done();
    assert!(said.starts_with("plan of tiny") && said.contains("to measure"), "{said}");
    let after = bench.list("plan");
    assert!(after.len() == before.len() && after != before, "{after:?}");
    bench.nasc("latency plan tiny.nas --out .").fails(1, &["something else than a plan"]);
    fs::create_dir(bench.path("empty")).unwrap();
    bench.nasc("latency measure empty --out t.json").fails(1, &["nas::latency::plan", "no such"]);
}

/// What names files comes from a file that another may have written.
#[test]
fn a_plan_names_no_file_but_its_own() {
    let bench = planned();
    let bytes = bench.read("plan/manifest.json");
    bench.write("victim.onnx", "kept");
    let elsewhere = bench.path("victim").display().to_string();
    let digits = "0".repeat(30);
    for key in ["../victim", &elsewhere, "victim", "", &format!("./{digits}"), &"F".repeat(32)] {
        let mut manifest: Value = serde_json::from_slice(&bytes).unwrap();
        manifest["parts"][0]["key"] = json!(key);
        let text = serde_json::to_string(&manifest).unwrap();
        bench.write("plan/manifest.json", &text);
        bench.write("figures.csv", format!("key,ms\n{key},1\n"));
        bench.write("other.nas", TINY.replace("kernel = 3)\n    }", "kernel = 5)\n    }"));
        let device = "--hardware h --engine e --engine-version 1";
        for command in [
            "latency plan other.nas --out plan",
            "latency measure plan --out t.json",
            &format!("latency import figures.csv --plan plan --out t.json {device}"),
        ] {
            let told = ["nas::latency::plan", "no key of a part", "32 hexadecimal digits"];
            bench.nasc(command).fails(1, &told);
        }
        assert_eq!(bench.read("victim.onnx"), b"kept", "{key}");
        assert_eq!(bench.read("plan/manifest.json"), text.as_bytes(), "{key}");
        let entry = json!({"about": "", "least": 1, "median": 1, "spread": 0, "repeats": 1});
        let table = json!({"version": 1, "device": {"hardware": "h", "engine": "tract",
            "engine_version": "1", "precision": "fp32", "threads": 1}, "entries": {key: entry}});
        bench.write("t.json", table.to_string());
        bench
            .nasc("latency check tiny.nas --table t.json")
            .fails(1, &["nas::latency::format", "no key of a part"]);
        fs::remove_file(bench.path("t.json")).unwrap();
    }
}

#[test]
fn a_command_measures_each_part_once_a_round() {
    let bench = planned();
    runner(&bench, CALM, ANSWER);
    let said = measured(&bench, "").done();
    assert_eq!(said, "tiny: 4 parts in the table, 4 of them new\nt.json\n");
    assert_eq!(calls(&bench), 12);
    let table = table(&bench);
    let device = json!({"hardware": "board", "engine": "bench", "engine_version": "2",
                        "precision": "fp32", "threads": 1});
    assert_eq!(table["device"], device);
    for (key, entry) in table["entries"].as_object().unwrap() {
        let size = bench.read(&format!("plan/{key}.onnx")).len() as u64;
        let names = ["least", "median", "spread", "repeats"];
        let time = size / 100 * 1_000_000;
        assert_eq!(names.map(|name| entry[name].as_u64().unwrap()), [time, time, 0, 3]);
    }
    // All is there: nothing is measured again, and the file stays.
    let before = bench.read("t.json");
    assert!(measured(&bench, "").done().contains("0 of them new"));
    assert_eq!((calls(&bench), bench.read("t.json")), (12, before));
    assert!(!bench.path("t.json.partial").exists());
}

#[test]
fn a_table_is_of_one_device() {
    let bench = planned();
    runner(&bench, CALM, ANSWER);
    measured(&bench, "").done();
    let mut other = measurement(&bench, "");
    other.args(["--threads", "4"]);
    let said = Said::of("measure --threads 4", other.output().unwrap());
    said.fails(1, &["nas::latency::mixed", "threads: 1 and 4"]);
    bench.nasc("latency measure plan --out t.json").fails(1, &["nas::latency::mixed", "hardware"]);
}

#[test]
fn bad_answers_are_shown_and_what_was_measured_is_kept() {
    let cases = [
        ("echo no board >&2; exit 3", "failed (exit status: 3)", "no board"),
        ("echo ready", "printed no number of milliseconds", "ready"),
        ("echo 1 2", "printed 2 numbers in one line", "1 2"),
        ("echo 3,2 ms", "a comma is no decimal point", "3,2 ms"),
        ("echo Median: 4 ms; echo Min: 3 ms", "`Median: 4 ms`, `Min: 3 ms`", "--pattern"),
        ("seq 200000", "printed more than 1 MiB", "it wrote: 1"),
        ("echo -4 ms", "printed -4, which is no time", "-4 ms"),
        ("echo NaN", "printed NaN, which is no time", "NaN"),
        ("sleep 60", "took longer than 1s", "nothing"),
    ];
    for (answer, why, shown) in cases {
        let bench = planned();
        // The second model is the one that goes wrong, each time.
        let before = format!("if [ $(wc -l < calls) -gt 1 ]; then {answer}; exit; fi");
        runner(&bench, &before, "echo 5");
        let timeout = if answer.contains("sleep") { "--timeout 1" } else { "" };
        let said = measured(&bench, &format!("--retries 1 {timeout}"));
        let command = format!("sh run.sh {}", plan_file(&bench, 1));
        said.fails(1, &["nas::latency::answer", why, shown, &command, "; again", "t.json.partial"]);
        assert!(calls(&bench) == 3 && !bench.path("t.json").exists(), "{answer}");
        runner(&bench, CALM, "echo 5");
        measured(&bench, "").done();
        assert_eq!(calls(&bench), 3 + 11, "{answer}");
    }
}

#[test]
fn a_pattern_says_which_of_several_figures_counts() {
    let bench = planned();
    runner(&bench, CALM, "printf 'Median: 4.97 ms\\nAverage: 5.02 ms\\nMin: 4.71 ms\\n'");
    let run = |pattern: Option<&str>| {
        let mut command = measurement(&bench, "--retries 0");
        command.args(pattern.into_iter().flat_map(|pattern| ["--pattern", pattern]));
        Said::of("measure", command.output().unwrap())
    };
    run(None).fails(1, &["nas::latency::answer", "`Median: 4.97 ms`, `Average: 5.02 ms`"]);
    run(Some(r"(\S+) ms")).fails(1, &["nas::latency::mixed", "pattern: none and"]);
    fs::remove_file(bench.path("t.json.partial")).unwrap();
    run(Some(r"Median: \S+ ms")).fails(2, &["--pattern", "into parentheses"]);
    run(Some(r"(\S+) ms")).fails(1, &["nas::latency::answer", "3 texts that `--pattern` matches"]);
    fs::remove_file(bench.path("t.json.partial")).unwrap();
    run(Some(r"Min: (\S+) ms")).done();
    let table = table(&bench);
    let entries = table["entries"].as_object().unwrap();
    assert!(entries.values().all(|entry| entry["least"] == 4_710_000), "{table}");
}

/// The path of the model of a part, as the command is given it.
fn plan_file(bench: &Bench, part: usize) -> String {
    let manifest: Value = serde_json::from_slice(&bench.read("plan/manifest.json")).unwrap();
    format!("plan/{}.onnx", manifest["parts"][part]["key"].as_str().unwrap())
}

#[test]
fn a_command_must_take_a_model_and_be_described() {
    let bench = planned();
    let measure = |runner: &str, more: &str| {
        let mut command = bench.command(&format!("latency measure plan --out t.json {more}"));
        Said::of(runner, command.args(["--runner", runner]).output().unwrap())
    };
    measure("bench", "").fails(1, &["nas::latency::runner", "where the model goes"]);
    measure("sh -c 'bench {model}", "").fails(1, &["a quote is not closed"]);
    measure("bench {model}", "--hardware b").fails(1, &["`--engine` and `--engine-version`"]);
    let device = "--hardware b --engine e --engine-version 1 --retries 0";
    measure("./nowhere {model}", device).fails(1, &["cannot be started: there is no such file"]);
    // No shell sees the text: `;` is an argument like any other.
    runner(&bench, CALM, "echo 5");
    measure("sh run.sh {model} ; touch broken", device).done();
    assert!(!bench.path("broken").exists());
}

#[test]
fn a_killed_measurement_goes_on_to_the_same_table() {
    let [whole, killed, stopped] = [planned(), planned(), planned()];
    runner(&whole, CALM, ANSWER);
    measured(&whole, "").done();
    for (bench, signal, code) in [(&killed, "KILL", None), (&stopped, "INT", Some(130))] {
        let at_seven = format!("if [ $(wc -l < calls) -eq 7 ]; then kill -{signal} $PPID; fi");
        runner(bench, &at_seven, ANSWER);
        let said = measured(bench, "");
        assert_eq!((said.code, &*said.out), (code, ""), "{}", said.err);
        assert!(bench.path("t.json.partial").exists() && !bench.path("t.json").exists());
        runner(bench, CALM, ANSWER);
        let said = measured(bench, "");
        assert!(said.err.contains("figures are there"), "{}", said.err);
        said.done();
        assert_eq!(bench.read("t.json"), whole.read("t.json"));
        // What was asked for when the signal came may be asked for again.
        assert!((12..=13).contains(&calls(bench)), "{}", calls(bench));
    }
}

#[cfg(unix)]
#[test]
fn what_a_command_starts_ends_with_it() {
    let cases = [
        ("wait", "--timeout 1 --retries 0", Some(1)),
        ("kill -INT $PPID; wait", "", Some(130)),
        // It answers, and leaves behind what it started.
        (":", "", Some(0)),
    ];
    for (then, more, code) in cases {
        let bench = planned();
        let pipe = bench.path("alive");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // A pipe is at its end when all that hold it have ended.
        let (sender, end) = channel();
        std::thread::spawn(move || sender.send(fs::read(pipe)));
        let first = "[ $(wc -l < calls) -eq 1 ]";
        let before = format!("if {first}; then exec 3> alive; sleep 600 & {then}; fi");
        runner(&bench, &before, ANSWER);
        let said = measured(&bench, more);
        assert_eq!(said.code, code, "{}", said.err);
        assert!(end.recv_timeout(Duration::from_secs(30)).is_ok(), "{then}: it lives on");
    }
}

#[test]
fn figures_from_elsewhere_become_a_table() {
    let bench = planned();
    let import = "latency import f --plan plan --hardware h --engine e --engine-version 1 --out";
    let key = |part| {
        let path = plan_file(&bench, part);
        path.trim_start_matches("plan/").trim_end_matches(".onnx").to_owned()
    };
    let [a, b, c, d] = [key(0), key(1), key(2), key(3)];
    bench.write("f", format!("{{\"{a}\": 1.5, \"{b}\": 2,\n\"{c}\": 0.25, \"{d}\": 3}}"));
    let said = bench.nasc(&format!("{import} json.json")).done();
    assert_eq!(said, "tiny: 4 parts\njson.json\n");
    bench.write(
        "f",
        format!("runs,ms,key\n1,1.5,{a}\n\n1,2, {b}.onnx\n1,0.25,x/{c}.onnx\n1,3,{d}\n"),
    );
    bench.nasc(&format!("{import} csv.json")).done();
    assert_eq!(bench.read("json.json"), bench.read("csv.json"));
    let table: Value = serde_json::from_slice(&bench.read("csv.json")).unwrap();
    assert_eq!(table["entries"][&a]["least"], 1_500_000);
    assert_eq!(table["entries"][&c]["repeats"], 1);
}

#[test]
fn quoted_cells_are_read_whole() {
    let bench = planned();
    let keys: Vec<String> = (0..4).map(|part| plan_file(&bench, part)).collect();
    let import = |text: &str| {
        bench.write("f.csv", text);
        let device = "--hardware h --engine e --engine-version 1";
        bench.nasc(&format!("latency import f.csv --plan plan --out t.json {device}"))
    };
    let rows = |about: &str, more: &str| {
        let row = |key: &String| format!("{key},{about},7.5{more}\r\n");
        format!("\u{feff}key,about,\"ms\"\r\n\r\n{}", keys.iter().map(row).collect::<String>())
    };
    for about in ["\"conv: [3, 16, 16] -> [8]\"", "\"two\r\nlines, \"\"quoted\"\"\"", "plain", ""] {
        import(&rows(about, "")).done();
        let table = table(&bench);
        let entries = table["entries"].as_object().unwrap();
        assert!(entries.values().all(|entry| entry["least"] == 7_500_000), "{about}: {table}");
        fs::remove_file(bench.path("t.json")).unwrap();
    }
    let code = "nas::latency::figures";
    let bad = [
        (rows("conv: [3, 16, 16] -> [8]", ""), "5 values under 3 columns"),
        (rows("x", ",9"), "4 values under 3 columns"),
        (rows("x", "").replacen(",7.5", "", 1), "2 values under 3 columns"),
        (rows("x", "").replacen(",7.5", ",\"7,5\"", 1), "`7,5` is no number of milliseconds"),
        (rows("x", "").replacen(",7.5", ",1e9", 1), "1000000000 ms is no time"),
        (rows("x", "").replacen(",7.5", ",1e-9", 1), "ms is no time"),
        (rows("x", "").replacen("about", "ms", 1), "several columns `ms`"),
        (rows("x", "").replacen(",x", ",\"x", 1), "a quote is not closed"),
    ];
    for (text, why) in bad {
        import(&text).fails(1, &[code, "f.csv", why]);
        assert!(!bench.path("t.json").exists(), "{why}");
    }
}

#[test]
fn figures_that_do_not_fit_are_shown_with_their_lines() {
    let bench = planned();
    let import = |text: String| {
        bench.write("f.csv", text);
        let device = "--hardware h --engine e --engine-version 1";
        bench.nasc(&format!("latency import f.csv --plan plan --out t.json {device}"))
    };
    let file = plan_file(&bench, 0);
    let code = "nas::latency::figures";
    import(format!("key,ms\n{file},1\nabc,1\n{file},2\n{file},x\n{file},-1\n{file},nan\n")).fails(
        1,
        &[
            code,
            "f.csv:3:1",
            "the plan has no model `abc`",
            "4 │",
            "this model has a figure already",
            "`x` is no number of milliseconds",
            "-1 ms is no time",
            "NaN ms is no time",
        ],
    );
    import(format!("key,ms\n{file},1\n")).fails(1, &[code, "figures lack", "3 more models"]);
    import(format!("key,ms\n{file}\n")).fails(1, &[code, "f.csv:2:1", "1 values under 2 columns"]);
    import("name,ms\n".to_owned()).fails(1, &[code, "f.csv:1:1", "no column `key`"]);
    import(format!("{{\"{file}\": 1,\n \"{file}\": 2}}")).fails(1, &[code, "f.csv:2:2", "already"]);
    import("{\n\"a\": 1,}".to_owned()).fails(1, &[code, "f.csv:2:", "trailing comma"]);
    import(String::new()).fails(1, &[code, "the file is empty"]);
    assert!(!bench.path("t.json").exists());
}

#[test]
fn check_names_what_lacks_and_what_no_part_needs() {
    let bench = planned();
    runner(&bench, CALM, ANSWER);
    measured(&bench, "").done();
    let said = bench.nasc("latency check tiny.nas --table t.json").done();
    assert!(said.starts_with("tiny: all 4 parts are in the table\nboard, bench 2, fp32"), "{said}");
    bench.write("wide.nas", TINY.replace("unit(8)", "unit(12)"));
    bench.nasc("latency check wide.nas --table t.json").fails(
        1,
        &["nas::latency::lacking", "lacks 5 of the 6 parts of `tiny`", "-> [12, 16, 16]"],
    );
    bench.write(
        "narrow.nas",
        TINY.replace("large: conv_bn_relu(out, kernel = 3)", "no: identity()"),
    );
    let said = bench.nasc("latency check narrow.nas --table t.json").done();
    assert!(said.contains("1 entry is of no part of this space:\n"), "{said}");
    bench.write("t.json", "{\"version\": 1}");
    bench
        .nasc("latency check tiny.nas --table t.json")
        .fails(1, &["nas::latency::format", "line 1"]);
}

#[test]
fn check_compares_whole_networks() {
    let bench = planned();
    runner(&bench, CALM, ANSWER);
    measured(&bench, "").done();
    let check = |more: &str| {
        let args = format!("latency check tiny.nas --table t.json --measure --repeats 2 {more}");
        let mut command = bench.command(&args);
        let output = command.args(["--runner", "sh run.sh {model}"]).output().unwrap();
        Said::of(&args, output)
    };
    let said = check("--json --svg plot.svg --write").json();
    assert_eq!(keys(&said), ["space", "device", "parts", "stale", "correction", "additivity"]);
    let additivity = &said["additivity"];
    // The space has four networks, however many are asked for.
    let networks = additivity["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 4);
    for name in ["sum", "fitted", "left_out", "macs"] {
        assert_eq!(additivity[name]["networks"], 4, "{name}");
    }
    // Larger kernels make larger files: the sum of the sizes ranks as the sizes of the wholes.
    assert_eq!(additivity["sum"]["spearman"], 1.0);
    assert_eq!(table(&bench)["correction"], additivity["correction"]);
    let svg = String::from_utf8(bench.read("plot.svg")).unwrap();
    assert_eq!(svg.matches("<circle").count(), 8, "{svg}");
    let said = check("").done();
    assert!(said.contains("4 networks") && said.contains("rank correlation"), "{said}");
    assert!(said.contains("its correction predicts 4 networks"), "{said}");
}

#[test]
fn tract_measures_a_space_on_this_host() {
    let bench = Bench::new();
    bench.nasc("latency measure tiny.nas --out t.json --repeats 2 --hardware here").done();
    let table = table(&bench);
    assert_eq!(table["device"]["surrounded"], true);
    assert_eq!(table["device"]["engine"], "tract");
    assert_eq!(table["entries"].as_object().unwrap().len(), 4);
    let check = "latency check tiny.nas --table t.json --measure --repeats 2 --json";
    let said = bench.nasc(&format!("{check} --hardware here")).json();
    let networks = said["additivity"]["networks"].as_array().unwrap();
    assert!(networks.iter().all(|network| network["measured"].as_f64().unwrap() > 0.0));
    bench.nasc(&format!("{check} --hardware there")).fails(1, &["hardware: here and there"]);
}
