//! The reference: every code has a page, every example on a page does what the page
//! says, and every `nas` block of the language reference and of the tutorial compiles.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that the tests share are tests too"
)]

mod codes;

use std::collections::BTreeSet;
use std::path::Path;

use nas_diagnostics::{Problems, is_error};
use nas_frontend::Compiler;
use nas_frontend::modules::{LoadError, Program};
use nas_grammar::reference::{error_codes, error_page};
use nas_grammar::{Problem, Source};
use nas_search::strategies::SCHEMAS;
use nas_tests::{ELSEWHERE, PHASES};
use nasc::render::report::PANIC;

/// A code whose example would be no text.
const NOT_TEXT: &str = "nas::parse::not_utf8";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A fenced block: what stands after the backquotes, its line on the page, its text.
struct Fence {
    info: String,
    line: usize,
    text: String,
}

fn fences(page: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<Fence> = None;
    for (index, line) in page.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                open = Some(Fence { info: info.to_owned(), line: index + 1, text: String::new() });
            }
            (Some(_), Some(fence)) => fences.push(fence),
            (None, Some(mut fence)) => {
                fence.text.push_str(line);
                fence.text.push('\n');
                open = Some(fence);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    fences
}

/// Checks a text as a file of this name that stands alone with the standard library.
fn check(name: &str, text: &str) -> Vec<Problem> {
    let load = |_: &str, module: &[&str]| match module {
        ["std", rest @ ..] => match nas_spaces::std_module(&rest.join("/")) {
            Some(text) => Ok(Source::new(format!("std/{}.nas", rest.join("/")), text)),
            None => Err(LoadError::Missing("there is no such module".to_owned())),
        },
        [own] if *own == name => Ok(Source::new(format!("{name}.nas"), text)),
        _ => Err(LoadError::Missing("there is no such file".to_owned())),
    };
    let table = |_: &str, path: &str| match path {
        "board.json" => Ok(Source::new(path, include_str!("../ui/latency/board.json"))),
        "empty.json" => Ok(Source::new(path, include_str!("../ui/latency/empty.json"))),
        _ => Err(LoadError::Missing("there is no such file".to_owned())),
    };
    let mut problems = Problems::default();
    let main = Source::new(format!("{name}.nas"), text);
    let program = Program::load(main, &load, &mut problems);
    let compiler = Compiler::new(&program, &mut problems);
    compiler.with_strategies(SCHEMAS).with_tables(&table).check_all();
    problems.into_vec()
}

fn code(problem: &Problem) -> String {
    problem.code().map(|code| code.to_string()).unwrap_or_default()
}

/// What is wrong with the examples of a page.
fn faults(title: &str, page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for fence in fences(page) {
        let at = format!("{title}, line {}", fence.line);
        if fence.info == "nas" {
            let problems = check("example", &fence.text);
            let errors: Vec<String> = problems
                .iter()
                .filter(|problem| is_error(problem.as_ref()))
                .map(|problem| format!("{} {problem}", code(problem)))
                .collect();
            if !errors.is_empty() {
                faults.push(format!("{at} does not compile: {}", errors.join("; ")));
            }
        } else if let Some(wanted) = fence.info.strip_prefix("nas,error=") {
            // An import cycle of one file needs its name.
            let name = wanted.rsplit("::").next().unwrap_or_default();
            let problems = check(name, &fence.text);
            let raised: BTreeSet<String> = problems.iter().map(code).collect();
            let expected = BTreeSet::from([wanted.to_owned()]);
            if raised != expected {
                faults.push(format!("{at} raises {raised:?}, not {expected:?}"));
            }
            let cures = problems.iter().filter_map(Problem::fix);
            for fix in cures.filter(|fix| fix.source().text().as_ref() == fence.text) {
                // What is written anew may lack something else, which is told then.
                let of_code = |problems: &[Problem]| {
                    problems.iter().filter(|problem| code(problem) == wanted).count()
                };
                if of_code(&check(name, &fix.applied())) >= of_code(&problems) {
                    faults.push(format!("{at} is not cured by \"{fix}\""));
                }
            }
        }
    }
    faults
}

#[test]
fn examples_on_error_pages_raise_their_code_and_cures_compile() {
    let mut found = Vec::new();
    for code in error_codes() {
        let page = error_page(&code).unwrap();
        found.extend(faults(&code, page));
        let phase = code.split("::").nth(1).unwrap_or_default();
        let infos: Vec<String> = fences(page).into_iter().map(|fence| fence.info).collect();
        let wanted =
            if PHASES.contains(&phase) && !ELSEWHERE.contains(&code.as_str()) && code != NOT_TEXT {
                vec![format!("nas,error={code}"), "nas".to_owned()]
            } else {
                Vec::new()
            };
        if infos != wanted {
            found.push(format!("{code} has the blocks {infos:?}, not {wanted:?}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let listed = codes::listed().into_iter().map(|code| code.name.to_owned());
    let mut codes: BTreeSet<String> = listed.chain(codes::derived()).collect();
    codes.insert(PANIC.to_owned());
    let pages: BTreeSet<String> = error_codes().into_iter().collect();
    let without: Vec<&String> = codes.difference(&pages).collect();
    let stale: Vec<&String> = pages.difference(&codes).collect();
    assert!(without.is_empty(), "without a page: {without:?}");
    assert!(stale.is_empty(), "with a page, and in no list and no attribute: {stale:?}");
}

#[test]
fn blocks_of_the_language_reference_and_of_the_tutorial_compile() {
    for (page, least) in [("language.md", 15), ("tutorial.md", 9)] {
        let text = std::fs::read_to_string(root().join("grammar/reference").join(page)).unwrap();
        let examples = fences(&text).iter().filter(|fence| fence.info == "nas").count();
        assert!(examples >= least, "{page} has {examples} examples");
        let faults = faults(page, &text);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
