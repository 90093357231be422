//! Faults that were found: told apart, kept, and tried again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::case::{Case, Step};
use super::run::{self, Fault};
use super::tree::Tree;

/// What names the parts of a folder in which a fault is kept.
const CASE: &str = "case.json";
const FILES: &str = "files";
const EXPECTED: &str = "expected";

/// What tells a fault from others: what is wrong, the command, and the first line that it says of it.
/// Numbers do not count.
pub(crate) fn signature(case: &Case, fault: &Fault) -> String {
    let command = case.steps.get(fault.step).map(name).unwrap_or_default();
    let said = String::from_utf8_lossy(&fault.ran.err);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // A panic says where and why in the lines behind the first.
    let start = lines.iter().position(|line| line.contains("panicked")).unwrap_or_default();
    let is_panic = lines.get(start).is_some_and(|line| line.contains("panicked"));
    let words = lines.iter().skip(start).take(if is_panic { 2 } else { 1 });
    let words: Vec<&str> = words.copied().collect();
    let text = format!("{command}: {}: {}", fault.what, words.join(" "));
    let mut short = String::new();
    for c in text.chars().take(300) {
        let c = if c.is_ascii_digit() { '#' } else { c };
        if !(c == '#' && short.ends_with('#')) {
            short.extend(c.escape_debug());
        }
    }
    short
}

/// The words of a command before its options and files.
fn name(step: &Step) -> String {
    let is_word = |arg: &&String| !arg.starts_with('-') && !arg.contains(['.', '/']);
    step.args.iter().take(2).take_while(is_word).cloned().collect::<Vec<_>>().join(" ")
}

/// Keeps a case and its fault in a folder.
pub(crate) fn keep(folder: &Path, case: &Case, fault: &Fault) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    case.files.write(&folder.join(FILES))?;
    case.expected.write(&folder.join(EXPECTED))?;
    let steps: Vec<Value> = case.steps.iter().map(Step::to_json).collect();
    let shown = |step: &Step| format!("nasc {}\n", step.args.join(" "));
    let commands: String = case.steps.iter().take(fault.step + 1).map(shown).collect();
    let status = fault.ran.status.map_or("killed".to_owned(), |status| status.to_string());
    let what = format!("{}\n{status}\n\n{commands}", fault.what);
    for (name, bytes) in [
        (CASE, serde_json::to_vec_pretty(&json!({"steps": steps}))?),
        ("what.txt", what.into_bytes()),
        ("stdout", beginning(&fault.ran.out)),
        ("stderr", beginning(&fault.ran.err)),
    ] {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// As much of a stream as is worth keeping.
fn beginning(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().take(1 << 20).copied().collect()
}

/// The case of such a folder.
pub(crate) fn kept(folder: &Path) -> Result<Case> {
    let path = folder.join(CASE);
    let bytes = fs::read(&path).with_context(|| format!("{} holds no fault", folder.display()))?;
    let value: Value = serde_json::from_slice(&bytes)?;
    let steps = value.get("steps").and_then(Value::as_array).into_iter().flatten();
    Ok(Case {
        files: Tree::read(&folder.join(FILES))?,
        steps: steps.map(Step::from_json).collect(),
        expected: Tree::read(&folder.join(EXPECTED))?,
    })
}

/// Runs such a case again and says what comes of it; whether that is a fault.
pub(crate) fn replay(nasc: &Path, folder: &Path) -> Result<bool> {
    let case = kept(folder)?;
    let outcome = run::case(nasc, &case)?;
    for (step, code) in case.steps.iter().zip(&outcome.codes) {
        println!("nasc {}: {code:?}", step.args.join(" "));
    }
    match &outcome.fault {
        None => println!("no fault"),
        Some(fault) => {
            println!("{}", signature(&case, fault));
            println!("{}", String::from_utf8_lossy(&fault.ran.err));
        }
    }
    Ok(outcome.fault.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::run::Ran;

    fn fault(err: &str) -> Fault {
        let ran =
            Ran { status: None, out: Vec::new(), err: err.as_bytes().to_vec(), outlived: false };
        Fault { what: "it took more than 30 s".to_owned(), step: 0, ran }
    }

    fn case() -> Case {
        let files = Tree::default().with("in/put.nas", b"space".as_slice());
        let steps = vec![Step::quick("latency plan put.nas").writes("plan").must_end_well()];
        Case { files: files.clone(), steps, expected: files }
    }

    #[test]
    fn faults_are_told_apart_by_what_they_say() {
        let of = |err| signature(&case(), &fault(err));
        assert_eq!(of("\nline 12\nmore"), of("line 7"));
        assert_ne!(of("line 12"), of("lines 12"));
        let panic = "error\n  thread panicked at src/a.rs:1:2:\n  too long\n";
        assert!(of(panic).ends_with("thread panicked at src/a.rs:#:#: too long"), "{}", of(panic));
    }

    #[test]
    fn what_is_kept_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        keep(&folder.path().join("fault"), &case(), &fault("")).unwrap();
        let again = kept(&folder.path().join("fault")).unwrap();
        assert_eq!(again.steps, case().steps);
        assert_eq!(again.files.files(), ["in/put.nas"]);
        assert_eq!(again.expected.bytes("in/put.nas"), b"space");
    }
}
