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

mod codes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, Severity};
use nas_diagnostics::{Fix, Problems};
use nas_frontend::Compiler;
use nas_frontend::items::search::Override;
use nas_frontend::modules::{LoadError, Program};
use nas_grammar::parse::decode;
use nas_grammar::{Problem, Source};
use nas_search::strategies::SCHEMAS;
use nas_tests::{ELSEWHERE, PHASES};
use nasc::render::report::{Failure, render};
use nasc::services::input::Input;
use nasc::services::source::load_table;

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
            let compiler = Compiler::new(&input.program, &mut problems);
            compiler.with_strategies(SCHEMAS).with_tables(&load_table).check_all();
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

/// How markers call a severity.
fn word(severity: Option<Severity>) -> &'static str {
    match severity {
        None | Some(Severity::Error) => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Advice) => "advice",
    }
}

/// A report inside the standard library is expected at the call that led there.
fn reported(problem: &dyn Diagnostic, main: &str) -> Report {
    let code = problem.code().map(|code| code.to_string()).unwrap_or_default();
    let severity = word(problem.severity());
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
    let markers: BTreeSet<String> = cases().iter().flat_map(|c| expected(c)).map(|r| r.2).collect();
    let missing: Vec<String> = codes::listed()
        .into_iter()
        .filter(|code| PHASES.iter().any(|p| code.name.starts_with(&format!("nas::{p}::"))))
        .filter(|code| !ELSEWHERE.contains(&code.name))
        .map(|code| format!("{}[{}]", word(Some(code.severity)), code.name))
        .filter(|marker| !markers.contains(marker))
        .collect();
    assert!(missing.is_empty(), "no case raises\n{}", missing.join("\n"));
}

/// What is reported of a case in which one file has another text.
fn check_edited(case: &str, file: &str, text: &str) -> Vec<Report> {
    let source = |name: &str| {
        if name == file {
            return Ok(Source::new(name, text));
        }
        let read = std::fs::read_to_string(folder().join(name));
        Ok(Source::new(name, read.map_err(|error| LoadError::Missing(error.to_string()))?))
    };
    let beside = |importer: &str, module: &[&str]| {
        if let ["std", rest @ ..] = module {
            let name = rest.join("/");
            let found = nas_spaces::std_module(&name)
                .map(|text| Source::new(format!("std/{name}.nas"), text));
            return found.ok_or_else(|| LoadError::Missing("there is no such module".to_owned()));
        }
        let name = Path::new(importer).with_file_name(module.join("/")).with_extension("nas");
        source(name.to_str().unwrap())
    };
    let mut problems = Problems::default();
    let program = Program::load(source(case).unwrap(), &beside, &mut problems);
    let compiler = Compiler::new(&program, &mut problems);
    compiler.with_strategies(SCHEMAS).with_tables(&load_table).check_all();
    problems.into_vec().iter().map(|problem| reported(problem.as_ref(), case)).collect()
}

/// Errors that a cure uncovers, as what is reported hid them: the case, and their code.
const UNCOVERED: [(&str, &str); 1] = [
    // Without an input there is nothing to make an output of.
    ("space/no_input.nas", "error[nas::space::no_output]"),
];

/// What is wrong with the edit of a problem, one of some reports of a case.
fn faults_of_fix(case: &str, reports: &[Report], code: &str, fix: &Fix) -> Vec<String> {
    let text = fix.source().text();
    let mut faults = Vec::new();
    let mut end = 0;
    for edit in fix.edits() {
        let range = edit.span.range();
        if range.start < end || text.get(range.clone()).is_none() {
            faults.push(format!("edits at {range:?}, behind {end}"));
        }
        end = range.end;
    }
    if fix.source().is_library() {
        faults.push("edits the library".to_owned());
    }
    let left = check_edited(case, fix.source().name(), &fix.applied());
    let count =
        |reports: &[Report], code: &str| reports.iter().filter(|(_, _, what)| what == code).count();
    if count(&left, code) >= count(reports, code) {
        faults.push("does not cure".to_owned());
    }
    let codes: BTreeSet<&str> = left.iter().map(|(_, _, what)| what.as_str()).collect();
    for new in codes.into_iter().filter(|new| new.starts_with("error[")) {
        if count(&left, new) > count(reports, new) && !UNCOVERED.contains(&(case, new)) {
            faults.push(format!("brings {new}"));
        }
    }
    let says = |fault| format!("{case}, {code}: \"{fix}\" {fault}:\n{}", fix.applied());
    faults.into_iter().map(says).collect()
}

/// The fewest reports of all cases that carry their cure.
const FIXES: usize = 185;

#[test]
fn every_fix_cures_and_breaks_nothing() {
    let (mut fixes, mut all, mut faults) = (0, 0, Vec::new());
    for case in cases() {
        let (problems, _) = check(&case);
        let reports: Vec<Report> = problems.iter().map(|p| reported(p.as_ref(), &case)).collect();
        all += problems.len();
        for (problem, (_, _, code)) in problems.iter().zip(&reports) {
            let Some(fix) = problem.fix() else {
                continue;
            };
            fixes += 1;
            assert_eq!(problem.help().unwrap().to_string(), fix.to_string(), "{case}");
            faults.extend(faults_of_fix(&case, &reports, code, fix));
        }
    }
    println!("{fixes} of {all} reports carry the edit that cures them");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(fixes >= FIXES, "only {fixes} of {all} reports carry the edit that cures them");
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
