//! Latency tables by engines: those of Python, with a script that speaks as theirs do, and the tools
//! of vendors on this host and on boards, with scripts that print what they print.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::bench::{Bench, Said};

/// An engine that says what it is asked, and takes as many milliseconds as the file has hundreds of
/// bytes; `{first}` is done with a question before.
const ENGINE: &str = r#"#!/bin/sh
echo "$2" > threads
echo '{"version": "9.1"}'
while read -r question; do
    echo "$question" >> questions
    model=$(echo "$question" | sed 's/.*"model":"\([^"]*\)".*/\1/')
    {first}
    echo "{\"ms\": $(($(wc -c < "$model") / 100))}"
done
"#;

const TRTEXEC: &str = include_str!("../src/commands/latency/engines/recorded/trtexec.txt");
const BENCHNCNN: &str = include_str!("../src/commands/latency/engines/recorded/benchncnn.txt");

fn script(bench: &Bench, name: &str, text: &str) {
    bench.write(name, text);
    fs::set_permissions(bench.path(name), fs::Permissions::from_mode(0o755)).unwrap();
}

fn engine(bench: &Bench, first: &str) {
    script(bench, "python", &ENGINE.replace("{first}", first));
}

/// `nasc` where the scripts of the folder are found first.
fn command(bench: &Bench, args: &str) -> Command {
    let mut command = bench.command(args);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", bench.path("").display()));
    command
}

fn nasc(bench: &Bench, args: &str) -> Said {
    Said::of(args, command(bench, args).output().unwrap())
}

fn table(bench: &Bench) -> Value {
    serde_json::from_slice(&bench.read("t.json")).unwrap()
}

fn lines(bench: &Bench, name: &str) -> Vec<String> {
    let text = String::from_utf8(bench.read(name)).unwrap();
    text.lines().map(str::to_owned).collect()
}

const MEASURE: &str = "latency measure tiny.nas --out t.json --repeats 2 --hardware board";

#[test]
fn an_engine_of_python_says_its_version_and_is_asked_once_a_round() {
    let bench = Bench::new();
    engine(&bench, ":");
    let by = "--engine onnxruntime --python ./python --threads 3 --warmup 5";
    let said = nasc(&bench, &format!("{MEASURE} {by}")).done();
    assert_eq!(said, "tiny: 4 parts in the table, 4 of them new\nt.json\n");
    let device = json!({"hardware": "board", "engine": "onnxruntime", "engine_version": "9.1",
                        "precision": "fp32", "threads": 3, "surrounded": true});
    assert_eq!(table(&bench)["device"], device);
    assert_eq!(lines(&bench, "threads"), ["3"]);
    // Four parts, of which one is at the input; the others stand between neighbours of two kinds.
    let questions = lines(&bench, "questions");
    let surroundings = 1;
    assert_eq!(questions.len(), 2 * (4 + surroundings));
    let question: Value = serde_json::from_str(&questions[0]).unwrap();
    assert_eq!(question["warmup"], 5);
    // Whole networks are measured in the engine that the table is of.
    let check = "latency check tiny.nas --table t.json --measure --repeats 1 --json --python ./python --hardware board";
    let said = nasc(&bench, &format!("{check} --arch first --arch least:macs")).json();
    let networks = said["additivity"]["networks"].as_array().unwrap();
    let names: Vec<&str> = networks.iter().map(|n| n["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "least:macs"]);
    assert!(networks.iter().all(|network| network["measured"].as_f64().unwrap() > 0.0));
    engine(&bench, ":");
    script(&bench, "python", &ENGINE.replace("{first}", ":").replace("9.1", "9.2"));
    nasc(&bench, check).fails(1, &["nas::latency::mixed", "engine_version: 9.1 and 9.2"]);
}

#[test]
fn what_an_engine_refuses_is_told_and_what_was_measured_is_kept() {
    let cases = [
        ("echo '{\"error\": \"no such operator: Fit\"}'; continue", "no such operator: Fit"),
        ("echo out of memory >&2; exit 3", "ended early (exit status: 3): out of memory"),
        ("echo ready; continue", "it answers `ready`"),
        ("echo '{\"ms\": -1}'; continue", "-1 ms is no time"),
    ];
    for (answer, why) in cases {
        let bench = Bench::new();
        engine(&bench, &format!("if [ $(wc -l < questions) -eq 3 ]; then {answer}; fi"));
        let args = format!("{MEASURE} --engine onnxruntime --python ./python");
        nasc(&bench, &args).fails(1, &["nas::latency::refused", why, ".onnx", "t.json.partial"]);
        engine(&bench, ":");
        let said = nasc(&bench, &args);
        assert!(said.err.contains("goes on: 2 of 10 figures are there"), "{}", said.err);
        said.done();
        assert_eq!(lines(&bench, "questions").len(), 3 + 8, "{answer}");
    }
}

#[test]
fn a_measurement_by_an_engine_is_stopped_and_goes_on() {
    let bench = Bench::new();
    engine(&bench, "if [ $(wc -l < questions) -eq 4 ]; then kill -INT $PPID; sleep 600; fi");
    let args = format!("{MEASURE} --engine onnxruntime --python ./python");
    let said = nasc(&bench, &args);
    assert_eq!(said.code, Some(130), "{}", said.err);
    assert!(bench.path("t.json.partial").exists() && !bench.path("t.json").exists());
    engine(&bench, ":");
    let said = nasc(&bench, &args);
    assert!(said.err.contains("goes on: 3 of 10 figures are there"), "{}", said.err);
    said.done();
}

#[test]
fn what_cannot_start_says_what_to_install() {
    let bench = Bench::new();
    let by = format!("{MEASURE} --engine onnxruntime");
    let code = "nas::latency::environment";
    nasc(&bench, &format!("{by} --python ./nowhere")).fails(1, &[code, "there is no such file"]);
    script(&bench, "python", "#!/bin/sh\necho No module named onnxruntime >&2; exit 1\n");
    let said = nasc(&bench, &format!("{by} --python ./python"));
    said.fails(1, &[code, "No module named onnxruntime", "onnxruntime=="]);
    // No package index: the environment is made, and is not taken for whole.
    let pip = "#!/bin/sh\ncase \"$*\" in\n*venv*) mkdir -p \"$4/bin\"; cp pip \"$4/bin/python\";;\n\
               *) echo no connection >&2; exit 1;;\nesac\n";
    script(&bench, "pip", pip);
    script(&bench, "python3", pip);
    for _ in 0..2 {
        let mut command = command(&bench, &by);
        let said = Said::of("no index", command.env("NASC_CACHE", "cache").output().unwrap());
        let help = ["python3 -m venv DIR", "-m pip install onnxruntime==", "--python DIR/"];
        said.fails(1, &[&[code, "no connection", "once"][..], &help].concat());
    }
    script(&bench, "python3", "#!/bin/sh\necho ensurepip is not available; exit 1\n");
    let mut command = command(&bench, &by);
    let said = Said::of("no venv", command.env("NASC_CACHE", "cache").output().unwrap());
    said.fails(1, &[code, "ensurepip is not available", "python3-venv"]);
    nasc(&bench, &format!("{MEASURE} --engine tensorrt"))
        .fails(1, &["nas::latency::engine", "tensorrt", "tract, onnxruntime, openvino", "trtexec"]);
    nasc(&bench, &format!("{MEASURE} --on adb")).fails(1, &["`--on` is for a tool"]);
}

#[test]
fn a_tool_of_a_vendor_is_called_and_heard() {
    let bench = Bench::new();
    bench.write("recorded", TRTEXEC);
    script(&bench, "trtexec", "#!/bin/sh\necho \"$*\" >> calls\ncat recorded\n");
    let by = format!("{MEASURE} --engine trtexec");
    nasc(&bench, &by).fails(1, &["`--engine-version`"]);
    nasc(&bench, &format!("{by} --engine-version 10.3")).done();
    let table = table(&bench);
    assert_eq!(table["device"]["engine"], "trtexec");
    // Each took as long as the surroundings, but the one at the input, which has none.
    let entries = table["entries"].as_object().unwrap();
    let mut times: Vec<u64> =
        entries.values().map(|entry| entry["least"].as_u64().unwrap()).collect();
    times.sort_unstable();
    assert_eq!(times, [1, 1, 1, 682_983]);
    assert!(lines(&bench, "calls")[0].starts_with("--onnx="));
    fs::remove_file(bench.path("t.json")).unwrap();
    bench.write("recorded", "Segmentation fault\n");
    let said = nasc(&bench, &format!("{by} --engine-version 10.3 --retries 0"));
    said.fails(
        1,
        &["nas::latency::answer", "printed no figure that is known of it", "trtexec '--onnx="],
    );
}

#[test]
fn a_tool_runs_on_a_board_that_has_the_models() {
    for (place, reach) in [("adb", "adb"), ("adb:R58", "adb"), ("ssh:me@board", "ssh")] {
        let bench = Bench::new();
        // What reaches the board: copies into its folder, and a shell there.
        let push = "#!/bin/sh\necho \"$0 $*\" >> calls\n[ \"$1\" = -s ] && shift 2\n\
                    case $1 in push) cp \"$2\" \"$3\";; shell) sh -c \"$2\";; esac\n";
        script(&bench, "adb", push);
        script(&bench, "scp", "#!/bin/sh\necho \"$0 $*\" >> calls\ncp \"$2\" \"${3#*:}\"\n");
        script(&bench, "ssh", "#!/bin/sh\necho \"$0 $*\" >> calls\nsh -c \"$4\"\n");
        bench.write("recorded", BENCHNCNN);
        script(
            &bench,
            "ncnn",
            "#!/bin/sh\nfor word; do case $word in param=*) test -f \"${word#*=}\" || exit 2;; \
                shape=*) echo $word >> shapes;; esac; done\ncat recorded\n",
        );
        fs::create_dir(bench.path("models there")).unwrap();
        bench.nasc("latency plan tiny.nas --out plan").done();
        let mut measure =
            command(&bench, "latency measure plan --out t.json --repeats 2 --hardware board");
        let by =
            format!("--engine benchncnn --program ./ncnn --engine-version 20261020 --on {place}");
        measure.args(by.split(' ')).args(["--folder", "models there"]);
        // The files that the tool reads are the user's to convert.
        let said = Said::of("no param", measure.output().unwrap());
        said.fails(1, &[".param is not there: convert plan/"]);
        for name in bench.list("plan").iter().filter(|name| name.ends_with(".onnx")) {
            fs::copy(
                bench.path("plan").join(name),
                bench.path("plan").join(name.replace("onnx", "param")),
            )
            .unwrap();
        }
        Said::of(place, measure.output().unwrap()).done();
        assert_eq!(table(&bench)["device"]["engine_version"], "20261020");
        let calls = lines(&bench, "calls");
        let copies = calls.iter().filter(|call| call.contains("plan/")).count();
        // Five models are copied once, and run twice.
        assert_eq!((copies, calls.len()), (5, 15), "{calls:?}");
        assert!(calls.iter().all(|call| call.contains(reach) || call.contains("scp")), "{calls:?}");
        let shapes = lines(&bench, "shapes");
        assert!(shapes.contains(&"shape=[32,32,3]".to_owned()), "{shapes:?}");
    }
}
