//! What `nasc check` says about each file of `tests/ui`, against the rendering beside it and the
//! markers in it.
//!
//! A case is `tests/ui/<phase>/<case>.nas`; its diagnostics, as they are printed where the output
//! is no terminal, are `<case>.stderr`. The guilty line carries `// error[code]` or
//! `// warning[code]`, so that intent survives a re-bless (`BLESS=1`). What has no line is expected
//! on the first one. Files that cases import are in folders below, such as `names/parts`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that the tests share are tests too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, LabeledSpan, Severity};
use nas_compiler::Compiler;
use nas_compiler::error::Problems;
use nas_compiler::modules::{LoadError, Program};
use nas_compiler::recipe::Override;
use nas_grammar::{Problem, Source, parse::decode};
use nasc::input::{Input, load_table};
use nasc::report::{Failure, render};

/// Phases whose every code has a case here.
const PHASES: [&str; 14] = [
    "parse", "names", "eval", "args", "shape", "choice", "space", "limits", "arch", "expect",
    "recipe", "require", "target", "latency",
];

/// Codes of these phases that no case here can raise: two that have tests of their own below, and
/// those of `nasc latency`, which `cli/tests/latency.rs` tests.
const ELSEWHERE: [&str; 9] = [
    "nas::parse::too_large",
    "nas::recipe::override_form",
    "nas::latency::answer",
    "nas::latency::figures",
    "nas::latency::format",
    "nas::latency::lacking",
    "nas::latency::mixed",
    "nas::latency::plan",
    "nas::latency::runner",
];

/// A file, a line from 1, and `error[code]` or `warning[code]`.
type Report = (String, usize, String);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

/// The files of a folder with this extension, sorted, as `<phase>/<name>`.
fn files(phase: &str, extension: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder().join(phase)).unwrap();
    let mut found: Vec<String> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .map(|path| format!("{phase}/{}", path.file_name().unwrap().to_str().unwrap()))
        .collect();
    found.sort();
    found
}

fn cases() -> Vec<String> {
    let mut phases: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    phases.sort();
    phases.iter().flat_map(|phase| files(phase, "nas")).collect()
}

/// Everything that `nasc check` reports for a file, and the names of the files that it read.
fn check(case: &str) -> (Vec<Problem>, Vec<String>) {
    // Diagnostics show the path as it was given: relative, so that no machine's path is in them.
    std::env::set_current_dir(folder()).unwrap();
    let mut problems = Problems::default();
    match Input::load(Path::new(case), &mut problems) {
        Ok(input) => {
            Compiler::new(&input.program, &mut problems).with_tables(&load_table).check_all();
            let names = input.program.modules.iter().map(|m| m.source.name().to_owned());
            (problems.into_vec(), names.filter(|name| !name.starts_with("std/")).collect())
        }
        Err(Failure::Problems(found)) => (found, vec![case.to_owned()]),
        Err(other) => panic!("{case}: {other:?}"),
    }
}

/// The file and line that a diagnostic points at first.
fn place(problem: &dyn Diagnostic) -> Option<(String, usize)> {
    let labels: Vec<_> = problem.labels().into_iter().flatten().collect();
    let label = labels.iter().find(|label| label.primary()).or(labels.first())?;
    let contents = problem.source_code()?.read_span(label.inner(), 0, 0).unwrap();
    Some((contents.name()?.to_owned(), contents.line() + 1))
}

/// A report inside the standard library is expected at the call that led there.
fn reported(problem: &dyn Diagnostic, main: &str) -> Report {
    let code = problem.code().map(|code| code.to_string()).unwrap_or_default();
    let severity = match problem.severity() {
        None | Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Advice) => "advice",
    };
    let chain = problem.related().into_iter().flatten().filter_map(place);
    let places = place(problem).into_iter().chain(chain);
    let mut own = places.filter(|(file, _)| !file.starts_with("std/"));
    let (file, line) = own.next().unwrap_or_else(|| (main.to_owned(), 1));
    (file, line, format!("{severity}[{code}]"))
}

/// The markers of a file.
fn expected(file: &str) -> BTreeSet<Report> {
    let text = std::fs::read(folder().join(file)).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut markers = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let Some((_, comment)) = line.split_once("//") else { continue };
        for word in comment.split_whitespace() {
            if (word.starts_with("error[") || word.starts_with("warning[")) && word.ends_with(']') {
                markers.insert((file.to_owned(), index + 1, word.to_owned()));
            }
        }
    }
    markers
}

fn rendered(problems: &[Problem]) -> String {
    let reports: Vec<String> = problems.iter().map(|p| render(p.as_ref(), false)).collect();
    let text = reports.join("\n");
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// What is wrong with a case; nothing if it is as it should be.
fn faults(case: &str, bless: bool) -> Vec<String> {
    let (problems, sources) = check(case);
    let found: BTreeSet<Report> = problems.iter().map(|p| reported(p.as_ref(), case)).collect();
    let wanted: BTreeSet<Report> = sources.iter().flat_map(|file| expected(file)).collect();
    let show = |(file, line, what): &Report| format!("{file}:{line}: {what}");
    let mut faults: Vec<String> = Vec::new();
    faults.extend(wanted.difference(&found).map(|r| format!("not reported: {}", show(r))));
    faults.extend(found.difference(&wanted).map(|r| format!("not marked: {}", show(r))));
    if wanted.is_empty() {
        faults.push(format!("{case} has no marker"));
    }
    if found.len() != problems.len() {
        faults.push(format!("{case} reports one code twice on one line"));
    }
    let text = rendered(&problems);
    let beside = folder().join(case).with_extension("stderr");
    if bless {
        std::fs::write(&beside, text).unwrap();
    } else if std::fs::read_to_string(&beside).unwrap_or_default() != text {
        faults.push(format!(
            "{case} says something else than its .stderr (BLESS=1 rewrites):\n{text}"
        ));
    }
    faults
}

#[test]
fn every_case_says_what_it_should() {
    let bless = std::env::var_os("BLESS").is_some();
    let faults: Vec<String> = cases().iter().flat_map(|case| faults(case, bless)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_rendering_is_an_orphan() {
    let cases = cases();
    let orphans: Vec<String> = PHASES
        .iter()
        .flat_map(|phase| files(phase, "stderr"))
        .filter(|file| !cases.contains(&file.replace(".stderr", ".nas")))
        .collect();
    assert!(orphans.is_empty(), "without a case: {}", orphans.join(", "));
}

#[test]
fn every_code_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut codes = BTreeMap::new();
    for folder in ["compiler/src", "grammar/src"] {
        codes_below(&root.join(folder), &mut codes);
    }
    let markers: BTreeSet<String> = cases().iter().flat_map(|c| expected(c)).map(|r| r.2).collect();
    let missing: Vec<String> = codes
        .into_iter()
        .filter(|(code, _)| PHASES.iter().any(|p| code.starts_with(&format!("nas::{p}::"))))
        .filter(|(code, _)| !ELSEWHERE.contains(&code.as_str()))
        .filter(|(code, _)| !markers.iter().any(|marker| marker.ends_with(&format!("[{code}]"))))
        .map(|(code, file)| format!("{code} ({})", file.display()))
        .collect();
    assert!(missing.is_empty(), "no case raises\n{}", missing.join("\n"));
}

/// Every `[nas::phase::name]` and `code(nas::phase::name)` below a folder, with its file.
fn codes_below(folder: &Path, codes: &mut BTreeMap<String, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            codes_below(&path, codes);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for opening in ["[nas::", "code(nas::"] {
                for rest in text.split(opening).skip(1) {
                    let name: String = rest
                        .chars()
                        .take_while(|c| {
                            c.is_ascii_lowercase() || matches!(c, '_' | ':' | '0'..='9')
                        })
                        .collect();
                    codes.insert(format!("nas::{name}"), path.clone());
                }
            }
        }
    }
}

/// The forms of help that an edit follows from, by the words that they begin with.
const FORMS: [&str; 10] = [
    "did you mean ",
    "write `",
    "add `else",
    "remove `",
    "append `",
    "remove it, or",
    "rename it",
    "rename each",
    "remove the line;",
    "add the line `",
];

/// The text after the edit that a help asks for, and the form of the help; `None` where it leaves
/// something open.
fn edited(text: &str, problem: &dyn Diagnostic) -> Option<(&'static str, String)> {
    let help = problem.help()?.to_string();
    let form = FORMS.into_iter().find(|form| help.starts_with(form))?;
    let mut labels = problem.labels()?;
    if form.starts_with("rename ") {
        return Some((form, renamed(text, labels)?));
    }
    let label = labels.find(LabeledSpan::primary)?;
    let (mut start, mut end) = (label.offset(), label.offset() + label.len());
    let piece = help.split(['`', '"']).nth(1)?;
    let line_end = start + text[start..].find(['\n', '/'])?;
    let mut with = piece.to_owned();
    match form {
        "did you mean " if text[start..end].contains('"') => {
            (start, end) =
                (start + text[start..end].find('"')? + 1, start + text[start..end].rfind('"')?);
        }
        "write `" if !help.ends_with(&format!("write `{piece}`")) => return None,
        "write `" => {
            start = start_of(piece, text, start..end)?;
            end = if piece.starts_with("expect ") { line_end } else { end };
        }
        "add `else" => (start, with) = (end, format!(" {piece}")),
        "remove `" => {
            let comma = text[..start].ends_with(", ");
            (start, with) = (if comma { start - 2 } else { start }, String::new());
            end += if !comma && text[end..].starts_with(", ") { 2 } else { 0 };
        }
        "append `" => (start, end, with) = (line_end, line_end, format!(" {piece} ")),
        "remove the line;" => {
            start = text[..start].rfind('\n')?;
            (end, with) = (end + text[end..].find('\n')?, String::new());
        }
        "add the line `" => {
            start = end + text[end..].find('{')? + 1;
            (end, with) = (start, format!("\n{}\n", help.split('`').nth(1)?));
        }
        _ => {}
    }
    Some((form, format!("{}{with}{}", &text[..start], &text[end..])))
}

/// The text with each label's words in place of what it is at, quotes aside; `None` where a label
/// does not say them.
fn renamed(text: &str, labels: impl Iterator<Item = LabeledSpan>) -> Option<String> {
    let mut labels: Vec<LabeledSpan> = labels.collect();
    labels.sort_by_key(|label| std::cmp::Reverse(label.offset()));
    let mut text = text.to_owned();
    for label in labels {
        let name = label.label()?.strip_prefix("now `")?.strip_suffix('`')?.to_owned();
        let old = &text[label.offset()..label.offset() + label.len()];
        let quotes = usize::from(old.starts_with('"'));
        text.replace_range(label.offset() + quotes..label.offset() + label.len() - quotes, &name);
    }
    Some(text)
}

/// Where that begins which this takes the place of: at the label, or before it where the label is at
/// the value alone of what the piece names. `None` if the piece holds names that stand for others.
fn start_of(piece: &str, text: &str, label: Range<usize>) -> Option<usize> {
    let is_open = piece.contains('…') || piece.starts_with('(');
    if is_open || text[label.end..].starts_with('(') {
        return None;
    }
    let name = piece.split(' ').next()?;
    let line = text[..label.start].rfind('\n')? + 1;
    let places = text[line..label.start].match_indices(name).map(|(at, _)| line + at);
    let is_name = |at: &usize| {
        let (before, after) = (&text[..*at], &text[*at + name.len()..]);
        after.starts_with(' ') && !before.ends_with(char::is_alphanumeric)
    };
    Some(places.filter(is_name).last().unwrap_or(label.start))
}

/// What is reported of a text that stands where a case stands.
fn check_text(case: &str, text: &str) -> Vec<Report> {
    let beside = |importer: &str, module: &[&str]| {
        if let ["std", rest @ ..] = module {
            let name = rest.join("/");
            let found = nas_spaces::std_module(&name)
                .map(|text| Source::new(format!("std/{name}.nas"), text));
            return found.ok_or_else(|| LoadError::Missing("there is no such module".to_owned()));
        }
        let name = Path::new(importer).with_file_name(module.join("/")).with_extension("nas");
        let text = std::fs::read_to_string(folder().join(&name));
        let text = text.map_err(|error| LoadError::Missing(error.to_string()))?;
        Ok(Source::new(name.to_str().unwrap(), text))
    };
    let mut problems = Problems::default();
    let program = Program::load(Source::new(case, text), &beside, &mut problems);
    Compiler::new(&program, &mut problems).with_tables(&load_table).check_all();
    problems.into_vec().iter().map(|problem| reported(problem.as_ref(), case)).collect()
}

#[test]
fn an_edit_that_a_help_asks_for_cures() {
    let mut used = BTreeSet::new();
    let mut faults = Vec::new();
    for case in cases() {
        let (problems, _) = check(&case);
        for problem in &problems {
            let report = reported(problem.as_ref(), &case);
            if place(problem.as_ref()).is_none_or(|(file, _)| file != case) {
                continue;
            }
            let text = std::fs::read_to_string(folder().join(&case)).unwrap_or_default();
            let Some((form, text)) = edited(&text, problem.as_ref()) else { continue };
            used.insert(form);
            let is_left = |left: &Report| *left == report || left.2.contains("[nas::parse::");
            if check_text(&case, &text).iter().any(is_left) {
                faults.push(format!("{case}: not cured by \"{}\"", problem.help().unwrap()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(used, BTreeSet::from(FORMS), "forms that no case has any more");
}

#[test]
fn a_file_beyond_the_limit_is_refused() {
    let bytes = vec![b'\n'; nas_grammar::parse::MAX_BYTES + 1];
    let problem = decode("large.nas", bytes).unwrap_err();
    assert_eq!(reported(problem.as_ref(), "large.nas").2, "error[nas::parse::too_large]");
}

#[test]
fn an_override_of_another_form_is_refused() {
    for text in ["", "schedule", "schedule.epochs", "=3", "schedule.epochs=", "a.b.c=1"] {
        let problems = Override::parse(text).unwrap_err();
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
        assert_eq!(
            reported(problem.as_ref(), "--set").2,
            "error[nas::recipe::override_form]",
            "{text}"
        );
    }
}

#[test]
fn a_file_without_items_is_fine() {
    for text in ["", "\n\n", "// nothing\n", "//! nothing\n"] {
        let load = |_: &str, _: &[&str]| Err(LoadError::Missing("nothing is beside it".to_owned()));
        let mut problems = Problems::default();
        let program = Program::load(Source::new("empty.nas", text), &load, &mut problems);
        Compiler::new(&program, &mut problems).check_all();
        assert_eq!(rendered(&problems.into_vec()), "", "{text:?}");
    }
}
