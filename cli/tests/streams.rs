//! Streams of the command: what hostile names come to on them, what is said where they are full, and
//! sources that come over standard input.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::bench::{Bench, Said, TINY};

/// A name that sets a colour, moves back and turns the order of reading.
const HOSTILE: &str = "k\u{8}\u{1b}[31m\u{9b}1m\u{202e}";

/// A space whose candidates, the one like the other, are called [`HOSTILE`]; or not.
fn hostile(is_right: bool) -> String {
    let second = if is_right { "other" } else { HOSTILE };
    format!(
        "space s {{\n    input x: [1, 2, 2]\n    output y = x -> choose op {{\n        \"{HOSTILE}\": relu\n        \
         \"{second}\": sigmoid\n    }}\n}}\n"
    )
}

#[track_caller]
fn is_plain(said: &str) {
    assert!(!said.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{said:?}");
}

#[test]
fn what_names_hold_is_shown_and_not_obeyed() {
    let bench = Bench::new();
    bench.write("bad.nas", hostile(false));
    let said = bench.nasc("check bad.nas");
    is_plain(&said.err);
    assert!(said.err.contains("k\\u{8}\\u{1b}[31m\\u{9b}1m\\u{202e}"), "{}", said.err);
    let said = bench.nasc("check --format json bad.nas");
    is_plain(&said.out);
    let problems: Value = serde_json::from_str(&said.out).unwrap();
    assert!(problems.to_string().contains("\\u001b[31m"), "{problems}");

    bench.write("good.nas", hostile(true));
    for args in [
        "show good.nas",
        "show good.nas --format dot",
        "show good.nas --stage supernet",
        "show good.nas --stage supernet --format json",
        "show good.nas --stage ast",
        "show good.nas --arch random:1",
        "analyze good.nas",
        "analyze good.nas --json",
        "sample good.nas",
        "cost good.nas --arch random:1 --layers",
    ] {
        is_plain(&bench.nasc(args).done());
    }
    let dot = bench.nasc("show good.nas --format dot").done();
    assert!(dot.contains("\\\\u{1b}[31m"), "graphviz reads one backslash: {dot}");
    for args in ["show good.nas --format svg", "show good.nas --format svg --arch random:1"] {
        let svg = bench.nasc(args).done();
        is_plain(&svg);
        assert!(roxmltree::Document::parse(&svg).is_ok(), "{svg}");
    }
}

#[test]
fn names_of_files_and_arguments_are_shown_and_not_obeyed() {
    let bench = Bench::new();
    bench.write("a\u{1b}[31m.nas", TINY.replace("-> resize", "-> resise"));
    for args in [
        "check a\u{1b}[31m.nas",
        "fmt --check no\u{1b}[31m.nas",
        "cost tiny.nas --arch \u{1b}[31m",
        "\u{1b}[31m",
        "show tiny.nas --\u{1b}[31m",
        "explain \u{1b}[31m",
    ] {
        let said = bench.nasc(args);
        assert_ne!(said.code, Some(0), "{args:?}");
        is_plain(&said.err);
        assert!(said.err.contains("\\u{1b}[31m"), "{args:?}: {}", said.err);
    }
}

/// Each way of printing, in short.
const PRINTING: [&str; 17] = [
    "--version",
    "--help",
    "help check",
    "check --help",
    "explain nas::shape::groups",
    "check --format json tiny.nas",
    "show tiny.nas",
    "show tiny.nas --format dot",
    "show tiny.nas --format svg",
    "show tiny.nas --stage ast",
    "show tiny.nas --stage supernet",
    "show tiny.nas --arch first",
    "analyze tiny.nas",
    "analyze tiny.nas --json",
    "cost tiny.nas --arch first",
    "sample tiny.nas -n 20",
    "latency plan tiny.nas",
];

#[test]
#[cfg(target_os = "linux")]
fn a_full_output_is_no_fault_of_nasc() {
    let bench = Bench::new();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in PRINTING {
        let said = bench.command(args).stdout(full()).output().unwrap();
        let said = Said::of(args, said);
        assert_eq!(said.code, Some(1), "{args}: {}", said.err);
        let last = said.err.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("error: cannot write to standard output: No space"),
            "{args}: {}",
            said.err
        );
        assert!(!said.err.contains("nas::internal"), "{args}: {}", said.err);
    }
    // What cannot be told is not told, and what was found decides the exit.
    bench.write("bad.nas", TINY.replace("-> resize", "-> resise"));
    for (args, code) in [("check tiny.nas", 0), ("check bad.nas", 1), ("fmt nope.nas", 1), ("", 2)]
    {
        let status = bench.command(args).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args}");
    }
}

#[test]
fn a_closed_pipe_ends_it_silently() {
    use std::os::unix::process::ExitStatusExt;
    let bench = Bench::new();
    for args in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let said = bench.command(args).stdout(writer).output().unwrap();
        let pipe = 13;
        assert_eq!(said.status.signal(), Some(pipe), "{args}: {:?}", said.status);
        assert!(!String::from_utf8_lossy(&said.stderr).contains("error"), "{args}");
    }
}

/// `nasc` with this text on its standard input.
fn with_input(bench: &Bench, args: &str, text: &str) -> Said {
    let mut command: Command = bench.command(args);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read it may be done by now.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    Said::of(args, child.wait_with_output().unwrap())
}

#[test]
fn a_source_can_come_over_standard_input() {
    let bench = Bench::new();
    let said = with_input(&bench, "check -", TINY);
    assert_eq!((said.code, &*said.out, &*said.err), (Some(0), "", ""));
    let bad = TINY.replace("-> resize", "-> resise");
    with_input(&bench, "check -", &bad).fails(1, &["<stdin>:20:12", "1 error, 0 warnings"]);
    let said = with_input(&bench, "check --format json -", &bad);
    let problems: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(problems[0]["filename"], "<stdin>");
    // Imports are found from the working folder.
    bench.write("parts.nas", "block twice(x) { x -> relu -> relu }\n");
    let uses =
        "use parts.twice\n\nspace s {\n    input x: [1, 2, 2]\n    output y = x -> twice\n}\n";
    assert_eq!(with_input(&bench, "check -", uses).done(), "");
    assert!(with_input(&bench, "analyze -", TINY).done().contains("4"));
    with_input(&bench, "check - -", TINY).fails(1, &["can be read once"]);
    with_input(&bench, "check tiny.nas -", "nonsense").fails(1, &["<stdin>:1:1"]);
}

#[test]
fn standard_input_is_formatted_to_standard_output() {
    let bench = Bench::new();
    let crowded = TINY.replace(" = [small", "=[small");
    assert_eq!(with_input(&bench, "fmt -", &crowded).done(), TINY);
    assert_eq!(with_input(&bench, "fmt -", TINY).done(), TINY);
    assert_eq!(with_input(&bench, "fmt --check -", TINY).done(), "");
    with_input(&bench, "fmt --check -", &crowded)
        .fails(1, &["<stdin> is not in canonical layout\n"]);
    with_input(&bench, "fmt -", "space {").fails(1, &["<stdin>:1:7"]);
    // What is written is the file, byte by byte.
    let comment = format!("// \u{1b} {HOSTILE}\n");
    let said = with_input(&bench, "fmt -", &comment);
    assert!(said.code != Some(0) || said.out == comment, "{said:?}");
    let mut file = String::new();
    File::open(bench.path("tiny.nas")).unwrap().read_to_string(&mut file).unwrap();
    assert_eq!(file, TINY);
}

#[test]
fn a_report_of_a_very_long_line_is_the_usual_one() {
    let bench = Bench::new();
    let text = format!(
        "space s {{ input x: [1, 2, 2] output y = x -> conv({}, kernel = 1) }}\n",
        "9".repeat(20_000)
    );
    bench.write("long.nas", text);
    let said = bench.nasc("check long.nas");
    assert!(said.err.contains("[long.nas:1:") && said.err.contains("9…9"), "{}", said.err);
    assert!(said.err.lines().all(|line| line.chars().count() < 250), "{}", said.err);
    said.fails(1, &["1 error, 0 warnings"]);
}
