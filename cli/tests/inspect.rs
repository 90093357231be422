//! The commands that look: check, fmt, explain, analyze, cost, sample, show.

use serde_json::{Value, json};

use crate::bench::{Bench, TINY, keys};

/// [`TINY`] with a misspelt operator.
fn misspelt() -> String {
    TINY.replace("-> resize", "-> resise")
}

#[test]
fn check_says_nothing_of_a_good_file() {
    let said = Bench::new().nasc("check tiny.nas");
    assert_eq!((said.code, &*said.out, &*said.err), (Some(0), "", ""));
}

#[test]
fn check_reports_every_file_to_standard_error() {
    let bench = Bench::new();
    bench.write("bad.nas", misspelt());
    bench.nasc("check bad.nas nope.nas tiny.nas").fails(
        1,
        &[
            "nas::names::unknown",
            "bad.nas:20:12",
            "did you mean `resize`?",
            "nope.nas: there is no such file",
            "2 errors, 0 warnings",
        ],
    );
}

#[test]
fn a_folder_means_the_files_in_it() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("all/inner")).unwrap();
    std::fs::create_dir(bench.path("none")).unwrap();
    bench.write("all/tiny.nas", TINY);
    bench.write("all/inner/bad.nas", misspelt());
    bench.write("all/notes.txt", "no space");
    bench.nasc("check all").fails(1, &["all/inner/bad.nas:20:12", "1 error, 0 warnings"]);
    // What a run keeps of its sources is not meant.
    std::fs::create_dir_all(bench.path("all/runs/quick/sources")).unwrap();
    bench.write("all/runs/quick/run.json", "{}");
    bench.write("all/runs/quick/sources/bad.nas", misspelt());
    bench.nasc("check all").fails(1, &["1 error, 0 warnings"]);
    assert_eq!(bench.nasc("fmt --check all").done(), "");
    bench.nasc("check none").fails(1, &["there is no `.nas` file in it"]);
}

#[test]
fn warnings_do_not_fail() {
    let bench = Bench::new();
    bench.write("unused.nas", TINY.replacen("use", "use std.heads.lr_aspp_global\nuse", 1));
    let said = bench.nasc("check unused.nas");
    assert!(said.err.contains("0 errors, 1 warning\n"), "{}", said.err);
    assert_eq!(said.done(), "");
}

#[test]
fn check_as_json_has_the_span_of_a_problem_and_its_cure() {
    let bench = Bench::new();
    assert_eq!(bench.nasc("check --format json tiny.nas").json(), json!([]));
    bench.write("bad.nas", misspelt());
    let said = bench.nasc("check --format json nope.nas bad.nas");
    assert_eq!((said.code, &*said.err), (Some(1), ""));
    let problems: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(problems.as_array().unwrap().len(), 2, "{problems:#}");
    assert_eq!(problems[0]["message"], "nope.nas: there is no such file");
    assert_eq!(problems[0]["filename"], "nope.nas");
    assert_eq!(problems[1]["code"], "nas::names::unknown");
    assert_eq!(problems[1]["severity"], "error");
    assert_eq!(problems[1]["filename"], "bad.nas");
    let span = json!({"offset": misspelt().find("resise"), "length": 6});
    assert_eq!(problems[1]["labels"][0]["span"], span);
    let edit = json!({"span": span, "replacement": "resize"});
    assert_eq!(problems[1]["fix"], json!({"filename": "bad.nas", "edits": [edit]}));
    assert_eq!(problems[0].get("fix"), None);
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    let bench = Bench::new();
    for args in ["", "anlyze tiny.nas", "check", "analyze tiny.nas --jsn", "sample"] {
        bench.nasc(args).fails(2, &["Usage: nasc"]);
    }
    bench.nasc("check --format jason tiny.nas").fails(2, &["possible values: text, json"]);
    bench.nasc("show tiny.nas --stage network").fails(2, &["--arch <ARCH>"]);
}

#[test]
fn choices_that_no_longer_fit_are_all_told() {
    let bench = Bench::new();
    bench.write(
        "old.json",
        r#"{"layer.0/op": "small", "layer.1/op": "large", "layer.1/act": "relu"}"#,
    );
    bench.nasc("cost tiny.nas --arch old.json").fails(
        1,
        &[
            "old.json: the choices do not fit the space",
            "`layer.0/op` is now `unit.0/op`: rename it",
            "`layer.1/op` is now `unit.1/op`: rename it",
            "no decision `layer.1/act`: remove it",
        ],
    );
}

#[test]
fn a_supernet_has_one_decision_or_several() {
    let bench = Bench::new();
    let one = "space one { input x: [4, 8, 8] output y = x -> conv(4, kernel = choose k [1, 3]) }";
    bench.write("one.nas", one);
    let said = bench.nasc("show one.nas --stage supernet").done();
    assert!(said.starts_with("1 decision, 2 architecture parameters\n"), "{said}");
    assert!(said.contains("9_216"), "the kernel of 3 costs its multiply-accumulates: {said}");
    let said = bench.nasc("show tiny.nas --stage supernet").done();
    assert!(said.starts_with("2 decisions, "), "{said}");
}

#[test]
fn what_is_misspelt_is_suggested() {
    let bench = Bench::new();
    bench.nasc("analyze tiny").fails(1, &["did you mean tiny.nas?"]);
    bench.nasc("analyze tiny.nas --space tin").fails(1, &["did you mean `tiny`?"]);
    bench.nasc("cost tiny.nas --arch frist").fails(1, &["did you mean `first`?", "random:SEED"]);
}

#[test]
fn fmt_check_changes_nothing() {
    let bench = Bench::new();
    assert_eq!(bench.nasc("fmt --check tiny.nas").done(), "");
    let loose = TINY.replace(" = ", "=");
    bench.write("loose.nas", &loose);
    bench
        .nasc("fmt --check loose.nas tiny.nas")
        .fails(1, &["loose.nas is not in canonical layout"]);
    assert_eq!(bench.read("loose.nas"), loose.as_bytes());
}

#[test]
fn fmt_goes_on_after_a_file_that_it_cannot_read() {
    let bench = Bench::new();
    bench.write("bytes.nas", b"\xff");
    bench.write("loose.nas", TINY.replace(" = ", "="));
    bench
        .nasc("fmt bytes.nas nope.nas loose.nas")
        .fails(1, &["nas::parse::not_utf8", "nope.nas: there is no such file"]);
    assert_eq!(bench.read("loose.nas"), TINY.as_bytes());
}

#[test]
fn explain_knows_codes_and_what_was_probably_meant() {
    let bench = Bench::new();
    let page = bench.nasc("explain nas::shape::groups").done();
    assert!(page.starts_with("# nas::shape::groups\n"), "{page}");
    for misspelt in ["nas::shape::grops", "groups"] {
        let explained = bench.nasc(&format!("explain {misspelt}"));
        explained.fails(1, &["did you mean nas::shape::groups?"]);
    }
    bench.nasc("explain nothing-like-it").fails(1, &["there is no code `nothing-like-it`"]);
}

/// The cost of each of the four networks.
fn costs(bench: &Bench) -> Vec<Value> {
    let words = ["small", "large"];
    let all = words.iter().flat_map(|first| words.iter().map(move |second| (first, second)));
    all.map(|(first, second)| {
        let choices = json!({"unit.0/op": first, "unit.1/op": second});
        bench.write("arch.json", choices.to_string());
        bench.nasc("cost tiny.nas --arch arch.json --json").json()
    })
    .collect()
}

#[test]
fn analyze_agrees_with_the_cost_of_each_network() {
    let bench = Bench::new();
    let analysis = bench.nasc("analyze tiny.nas --json").json();
    assert_eq!(keys(&analysis)[..4], ["count", "decisions", "macs", "params"]);
    assert_eq!((&analysis["count"], &analysis["decisions"]), (&json!("4"), &json!(2)));
    let costs = costs(&bench);
    for measure in ["macs", "params"] {
        let figures = costs.iter().map(|cost| cost[measure].as_u64().unwrap());
        assert_eq!(analysis[measure]["min"], figures.clone().min().unwrap());
        assert_eq!(analysis[measure]["max"], figures.max().unwrap());
    }
    // 3x3 of 3 to 8 channels, twice 1x1 of 8 to 8, 1x1 of 8 to 2: each on 16x16 pixels.
    assert_eq!(analysis["macs"]["min"], 16 * 16 * (9 * 3 * 8 + 2 * 8 * 8 + 8 * 2));
}

#[test]
fn a_count_beyond_64_bits_is_whole() {
    let bench = Bench::new();
    let units = "-> unit(8)\n        ".repeat(70);
    bench.write("tiny.nas", TINY.replacen("-> unit(8)\n        ", &units, 1));
    let analysis = bench.nasc("analyze tiny.nas --json").json();
    assert_eq!(analysis["count"], "2361183241434822606848"); // 2 to the 71st
}

#[test]
fn the_layers_of_a_network_sum_to_its_cost() {
    let bench = Bench::new();
    let cost = bench.nasc("cost tiny.nas --arch first --layers --json").json();
    let measures = ["macs", "params", "weight_bytes", "peak_memory", "latency", "depth"];
    assert_eq!(keys(&cost), [&measures[..], &["layers"]].concat());
    let layers = cost["layers"].as_array().unwrap();
    assert_eq!(keys(&layers[0]), ["name", "shape", "macs", "params"]);
    assert_eq!(layers[0]["shape"], json!([8, 16, 16]));
    for measure in ["macs", "params"] {
        let sum: u64 = layers.iter().map(|layer| layer[measure].as_u64().unwrap()).sum();
        assert_eq!(cost[measure], sum);
    }
    let text = bench.nasc("cost tiny.nas --arch first --layers").done();
    assert_eq!(text.lines().count(), 1 + layers.len() + 2 + measures.len(), "{text}");
}

#[test]
fn a_network_costs_something_in_each_measure() {
    let bench = Bench::new();
    let cost = bench.nasc("cost tiny.nas --arch first --json").json();
    assert_eq!(cost["weight_bytes"], 4 * cost["params"].as_u64().unwrap());
    // The input and what the first layer makes of it.
    assert_eq!(cost["peak_memory"], 4 * (3 * 32 * 32 + 8 * 16 * 16));
    assert_eq!((&cost["latency"], &cost["depth"]), (&Value::Null, &json!(4)));
    let text = bench.nasc("cost tiny.nas --arch first").done();
    let row = |measure: &str| text.lines().find(|line| line.starts_with(measure)).unwrap();
    assert!(row("peak_memory").ends_with(" 20_480"), "{text}");
    assert!(row("latency").ends_with(" no latency table"), "{text}");
}

#[test]
fn figures_come_before_what_is_wrong_with_claims() {
    let bench = Bench::new();
    let claimed = "space s {
    input x: [3, 8, 8]
    output y = x -> choose op { a: conv(8, kernel = 3), b: conv(8, kernel = 5) }
    require macs <= 10
}
arch narrow of s { op = a  expect macs == 5 }
";
    bench.write("claimed.nas", claimed);
    let cost = bench.nasc("cost claimed.nas --arch narrow");
    assert!(cost.out.contains("13_824"), "{}", cost.out);
    assert_eq!(cost.code, Some(1));
    assert!(cost.err.contains("nas::expect::failed"), "{}", cost.err);
    assert!(cost.err.contains("nas::require::impossible"), "{}", cost.err);
    let analysis = bench.nasc("analyze claimed.nas --json");
    let figures: Value = serde_json::from_str(&analysis.out).unwrap();
    assert_eq!(figures["count"], "2");
    assert_eq!(analysis.code, Some(1));
    assert!(analysis.err.contains("nas::require::impossible"), "{}", analysis.err);
    // What is no space has no figures.
    bench.write("broken.nas", claimed.replace("kernel = 5", "kernel = 5, groups = 2"));
    assert_eq!(bench.nasc("analyze broken.nas").out, "");
}

#[test]
fn a_network_that_does_not_fit_into_memory_is_a_warning() {
    let bench = Bench::new();
    let target = "target chip { precision int8 memory 5KiB }\n";
    bench.write("chip.nas", format!("{target}{}", TINY.replace("32) {", "32) for chip {")));
    let said = bench.nasc("cost chip.nas --arch first --json");
    let warning = "warning: the target has 5_120 bytes of memory, and the network needs ";
    assert!(said.err.contains(warning), "{}", said.err);
    let cost = said.json();
    assert_eq!((&cost["peak_memory"], &cost["weight_bytes"]), (&json!(5_120), &cost["params"]));
}

#[test]
fn samples_depend_on_the_seed_alone_and_are_networks() {
    let bench = Bench::new();
    let drawn = bench.nasc("sample tiny.nas -n 3 --seed 1").done();
    assert_eq!(drawn, bench.nasc("sample tiny.nas --seed 1 -n 3").done());
    assert_ne!(drawn, bench.nasc("sample tiny.nas --seed 2 -n 3").done());
    assert_eq!(drawn.lines().count(), 3);
    for line in drawn.lines() {
        bench.write("drawn.json", line);
        let sample: Value = serde_json::from_str(line).unwrap();
        let cost = bench.nasc("cost tiny.nas --arch drawn.json --json").json();
        assert_eq!((&sample["macs"], &sample["params"]), (&cost["macs"], &cost["params"]));
    }
    bench.write("drawn.json", &drawn);
    bench.nasc("cost tiny.nas --arch drawn.json").fails(1, &["not one JSON object", "line 2"]);
}

#[test]
fn of_several_spaces_one_is_named() {
    let bench = Bench::new();
    let wide = "space wide { input x: [1, 2, 2] output y = x -> conv(4, kernel = 1) }";
    bench.write("two.nas", format!("{TINY}\n{wide}\n"));
    bench.nasc("analyze two.nas").fails(1, &["several spaces", "`--space`: tiny, wide"]);
    let analysis = bench.nasc("analyze two.nas --space wide --json").json();
    assert_eq!((&analysis["count"], &analysis["decisions"]), (&json!("1"), &json!(0)));
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_ends_the_command_quietly() {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    let bench = Bench::new();
    let mut command = bench.command("sample tiny.nas -n 1000000000");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut begin = [0; 11];
    child.stdout.take().unwrap().read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"{\"choices\":");
    let ended = child.wait_with_output().unwrap();
    let sigpipe = 13;
    assert_eq!((ended.status.signal(), &*ended.stderr), (Some(sigpipe), &b""[..]));
}

/// A space of which the target runs a part.
const PARTLY: &str = r#"
target npu {
    supports { conv(kernel <= 3), relu }
}

space demo for npu {
    input x: [3, 16, 16]
    var y = x
    for bias in [false, true] {
        y = y -> choose op {
            for k in [1, 3, 5] { "k{k}": conv(3, kernel = k, bias = bias) }
            gate: conv(3, kernel = 3) -> sigmoid
            wide: conv(3, kernel = elastic kernel [3, 5]) -> relu
        }
    }
    output z = y
}

arch kept of demo {
    op = [k3, k1]
}

expect demo.count == 36
"#;

#[test]
fn what_the_target_cannot_run_is_dropped_on_demand() {
    let bench = Bench::new();
    bench.write("partly.nas", PARTLY);
    bench.nasc("check partly.nas").fails(1, &["append `if k <= 3` to the candidate"]);

    let said = bench.nasc("check --drop-unsupported partly.nas");
    let lines: Vec<&str> = said.err.lines().collect();
    let gone = [
        "dropped: demo: `op` goes without `k5`: `conv` only where kernel <= 3, and here kernel = 5 (1 more place)",
        "dropped: demo: `op` goes without `gate`: it has no `sigmoid` (1 more place)",
        "dropped: demo: `op=wide/kernel` goes without `5`: `conv` only where kernel <= 3, and here kernel = 5 (1 more place)",
    ];
    assert_eq!((said.code, lines), (Some(0), gone.to_vec()));

    // Three candidates are left for each of the two decisions.
    let said = bench.nasc("analyze --drop-unsupported partly.nas");
    assert!(said.out.starts_with("9 networks"), "{}", said.out);
    bench.write("used.nas", PARTLY.replace("[k3, k1]", "[k5, k1]"));
    let help = "the target cannot run it, so it was dropped; take one of `k1`, `k3`, `wide`";
    bench.nasc("cost --arch kept --drop-unsupported used.nas").fails(1, &[help]);
}

/// One decision of three keeps a candidate only, and its other one is called as a constant is.
const ONE_LEFT: &str = r#"
target npu { supports { conv(kernel <= 3), relu } }

const wide = 3

block unit(x, is_last = false) {
    x -> choose op {
        small: conv(3, kernel = 1)
        wide: conv(3, kernel = 5)
        middle: conv(3, kernel = 3) if not is_last
    }
}

space demo for npu {
    input x: [3, 16, 16]
    output z = x -> choose first { none: relu, some: unit() } -> unit(is_last = true) -> unit()
}

arch demo_net of demo {
    first = none
    op = OP
}
"#;

#[test]
fn an_item_speaks_of_the_space_as_it_was_written() {
    let bench = Bench::new();
    let cost = |op: &str| {
        bench.write("left.nas", ONE_LEFT.replace("OP", op));
        bench.nasc("cost left.nas --arch demo_net --drop-unsupported --json")
    };
    let whole = cost("[small, middle]").json();
    // A decision that has nothing to decide may be left out, and one that is not reachable be named.
    assert_eq!(cost("[middle]").json(), whole);
    assert_eq!(cost("[small, small, middle]").json(), whole);
    cost("[middle, small, small, small]").fails(1, &["`op` stands for 2 decisions, and 4 are"]);

    let only = "the target cannot run it, so it was dropped; take `small`, the only one left";
    cost("[wide, small]").fails(1, &["`unit.0/op` has no candidate `wide`", only]);
    let one_of = "the target cannot run it, so it was dropped; take one of `small`, `middle`";
    cost("[small, wide]").fails(1, &["`unit.1/op` has no candidate `wide`", one_of]);

    let from_file = |op: &str| {
        bench.write("net.json", format!(r#"{{"first": "none", {op} "unit.1/op": "middle"}}"#));
        bench.nasc("cost left.nas --arch net.json --drop-unsupported --json")
    };
    assert_eq!(from_file("").json(), whole);
    assert_eq!(from_file(r#""unit.0/op": "small","#).json(), whole);
    from_file(r#""unit.0/op": "wide","#).fails(1, &["`unit.0/op` has no candidate `wide`", only]);
}

#[test]
fn a_decision_keeps_a_candidate() {
    let bench = Bench::new();
    bench.write("none.nas", PARTLY.replace("kernel <= 3), relu", "kernel > 9)"));
    let reason = "it runs no candidate of `op`";
    bench.nasc("check --drop-unsupported none.nas").fails(1, &[reason]);
}

#[cfg(unix)]
#[test]
fn a_file_is_one_module_whatever_links_lead_to_it() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        std::os::unix::fs::symlink(".", bench.path(name)).unwrap();
    }
    // By names, each level would be twice as many modules as the one before.
    const LEVELS: usize = 24;
    for level in 0..LEVELS {
        let next = level + 1;
        let text = format!(
            "use a.m{next}.p{next}\nuse b.m{next}.q{next}\n\nblock p{level}(x) {{\n    x -> p{next}()\n}}\n\n\
             block q{level}(x) {{\n    x -> q{next}()\n}}\n"
        );
        bench.write(&format!("m{level}.nas"), text);
    }
    let last = |uses: &str| {
        let blocks =
            ["p", "q"].map(|name| format!("block {name}{LEVELS}(x) {{\n    x -> relu\n}}\n"));
        bench.write(&format!("m{LEVELS}.nas"), [uses, &blocks.concat()].concat());
    };
    last("");
    bench.write(
        "main.nas",
        "use a.m0.p0\nuse b.m0.q0\n\nspace s() {\n    input image: [3, 8, 8]\n    output y = image -> p0() \
         -> q0() -> conv(2, kernel = 1)\n}\n",
    );
    bench.nasc("check main.nas").done();
    last("use b.main.s\n");
    bench.nasc("check main.nas").fails(1, &["nas::names::cycle"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_neither_read_nor_replaced() {
    let bench = Bench::new();
    for pipe in ["pipe.nas", "pipe.json"] {
        let made = std::process::Command::new("mkfifo").arg(bench.path(pipe)).status().unwrap();
        assert!(made.success());
    }
    let told = &["it is a pipe, and no file"];
    for command in [
        "check pipe.nas",
        "fmt pipe.nas",
        "show pipe.nas",
        "verify pipe.nas",
        "cost tiny.nas --arch pipe.json",
        "latency check tiny.nas --table pipe.nas",
        "export tiny.nas --arch first -o pipe.nas",
        "export tiny.nas --arch first -o x.onnx --weights pipe.nas",
    ] {
        let said = bench.nasc(command);
        assert!(said.code == Some(1) && said.err.contains(told[0]), "{command}: {}", said.err);
    }
    bench.write("main.nas", "use pipe.x\n");
    bench.nasc("check main.nas").fails(1, told);
    std::os::unix::fs::symlink("/dev/null", bench.path("null")).unwrap();
    bench
        .nasc("export tiny.nas --arch first -o null")
        .fails(1, &["it is a device, and no file", "name another file by `-o`"]);
    assert!(bench.path("null").symlink_metadata().unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn fmt_writes_through_a_link() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("real")).unwrap();
    bench.write("real/a.nas", "block a(x) {\n  x  ->  relu\n}\n");
    std::os::unix::fs::symlink("real/a.nas", bench.path("link.nas")).unwrap();
    bench.nasc("fmt link.nas").done();
    assert!(bench.path("link.nas").symlink_metadata().unwrap().is_symlink());
    assert_eq!(bench.read("real/a.nas"), b"block a(x) {\n    x -> relu\n}\n");
}

/// A space with a network that does not read its input, the cheapest of all.
const CONSTANT: &str = r#"space blank {
    input image: [3, 8, 8]
    output y = image -> conv(4, kernel = 1) -> choose op {
        none: zero
        plain: conv(4, kernel = 3)
    }
}

arch unread of blank {
    op = none
}
"#;

#[test]
fn networks_that_do_not_read_their_input_are_left_out_unless_asked_for() {
    let bench = Bench::new();
    bench.write("blank.nas", CONSTANT);
    let warned = bench.nasc("check blank.nas");
    assert_eq!(warned.code, Some(0));
    for words in
        ["1 of 2 networks (50.00 %) of `blank`", "no input reaches this where `op` is `none`"]
    {
        assert!(warned.err.contains(words), "{}", warned.err);
    }
    let drawn = |options: &str| {
        let lines = bench.nasc(&format!("sample blank.nas -n 20 {options}")).done();
        let op = |line: &str| serde_json::from_str::<Value>(line).unwrap()["choices"]["op"].clone();
        let mut drawn: Vec<String> = lines.lines().map(|line| op(line).to_string()).collect();
        drawn.sort();
        drawn.dedup();
        drawn
    };
    assert_eq!(drawn(""), ["\"plain\""]);
    assert_eq!(drawn("--where macs<=1M"), ["\"plain\""]);
    assert_eq!(drawn("--constant"), ["\"none\"", "\"plain\""]);
    bench
        .nasc("sample blank.nas --where macs<=1K")
        .fails(1, &["no network that reads its input keeps `macs <= 1K`"]);
    let least = bench.nasc("cost blank.nas --arch least:macs --json").json();
    assert_eq!(least["macs"], json!(8 * 8 * (3 * 4 + 9 * 4 * 4)));
    let analysis = bench.nasc("analyze blank.nas --json").json();
    assert_eq!((&analysis["count"], &analysis["reading"]), (&json!("2"), &json!("1")));
    bench
        .nasc("export blank.nas --arch unread -o net.onnx")
        .fails(1, &["an output of `unread` depends on no input", "`--constant`"]);
}

#[test]
fn a_hundred_thousand_decisions_are_no_more_than_can_be_held() {
    let bench = Bench::new();
    let text = "space s { input x: [8, 4, 4] output out = x -> repeat 100000 { choose op { a: relu, b: sigmoid } } }";
    bench.write("many.nas", text);
    let least = bench.nasc("cost many.nas --arch least:macs --json").json();
    assert_eq!(least["macs"], json!(0));
}

#[test]
fn scores_are_held_against_others() {
    let bench = Bench::new();
    let line = |n: usize, accuracy: f64, macs: u64| {
        format!(
            "{{\"choices\": {{\"op\": \"c{n}\"}}, \"score\": {{\"accuracy\": {accuracy}}}, \"cost\": {{\"macs\": {macs}}}}}\n"
        )
    };
    let scores: String =
        [0.1, 0.5, 0.3, 0.4].iter().zip(0..).map(|(s, n)| line(n, *s, 9)).collect();
    bench.write("scores.jsonl", &scores);
    let others = [(3, 0.7), (0, 0.2), (1, 0.6), (4, 0.9)];
    bench.write("others.jsonl", others.map(|(n, score)| line(n, score, 9)).concat());
    let said = bench.nasc("rank scores.jsonl --truth others.jsonl").done();
    let words: Vec<Vec<&str>> = said.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["3", "networks", "in", "both"]);
    // Of three pairs two are ordered alike; all have the same MACs.
    assert_eq!(words[2], ["Kendall's", "tau", "0.333", "-"]);
    assert_eq!(words[5], ["true", "rank", "of", "the", "first", "2", "3"]);
    let json = bench.nasc("rank scores.jsonl --truth others.jsonl --json").json();
    assert_eq!(json["networks"], json!(3));
    assert_eq!(json["scores"]["spearman_rho"], json!(0.5));
    assert_eq!(json["macs"]["kendall_tau"], Value::Null);
    bench.write("other.jsonl", line(7, 0.1, 1));
    let said = bench.nasc("rank scores.jsonl --truth other.jsonl");
    said.fails(1, &["`scores.jsonl` and `other.jsonl` have 0 networks in common"]);
    bench.nasc("rank none.jsonl --truth others.jsonl").fails(1, &["none.jsonl"]);
    bench.nasc("rank others.jsonl --truth tiny.nas").fails(1, &["nas::search::table"]);
    std::fs::create_dir(bench.path("run")).unwrap();
    bench.nasc("rank run --truth others.jsonl").fails(1, &["nas::run::none", "`run` holds no run"]);
}
