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
use nas_diagnostics::Problems;
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
    for name in ["grammar", "compiler/diagnostics", "compiler/ir", "compiler/frontend"] {
        codes_below(&root.join(name).join("src"), &mut codes);
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

/// A help that asks for an edit of a text.
struct Asked {
    text: String,
    help: String,
    labels: Vec<LabeledSpan>,
    /// What the primary label is at, or else the first one.
    at: Range<usize>,
    /// The end of that line, comments left out.
    line_end: usize,
    /// What stands first in quotes.
    piece: String,
}

/// The text after an edit; `None` where the help leaves something open.
type Edit = fn(&Asked) -> Option<String>;

/// The forms of help that an edit follows from, by the words that they begin with; of two that fit,
/// the first one.
const FORMS: [(&str, Edit); 25] = [
    ("did you mean ", Asked::meant),
    ("write `(", Asked::in_place_of),
    ("write `choose` instead of `elastic`", |asked| asked.first_replaced("elastic", "choose")),
    ("write `", Asked::written),
    ("write a range: `", |asked| Some(asked.replaced(asked.at.clone(), &asked.piece))),
    ("write 3 names: `", |asked| Some(asked.replaced(asked.at.clone(), &asked.piece))),
    ("leave out the batch: `", |asked| Some(asked.replaced(asked.at.clone(), &asked.piece))),
    ("leave the candidate `", Asked::without_line),
    ("leave `", Asked::without_elements),
    ("use `groups = ", Asked::with_groups),
    ("declare it with `var ", Asked::declared),
    ("import it: `", |asked| Some(format!("{}\n{}", asked.piece, asked.text))),
    ("close it with `", Asked::closed),
    ("extend the candidate's guard to `", Asked::guarded),
    ("add `else", |asked| Some(asked.inserted(asked.at.end, &format!(" {}", asked.piece)))),
    ("add `input", |asked| asked.inserted_in_braces(&asked.piece)),
    ("remove `", Asked::without_argument),
    ("append `if ", Asked::with_condition),
    ("append `->", |asked| Some(asked.inserted(asked.line_end, &format!(" {} ", asked.piece)))),
    ("remove it, or", |asked| Some(asked.replaced(asked.at.clone(), &asked.piece))),
    ("remove it: it does not show", |asked| Some(asked.replaced(asked.at.clone(), ""))),
    ("rename it", Asked::renamed),
    ("rename each", Asked::renamed),
    ("remove the line;", Asked::without_line_at),
    ("add the line `", |asked| asked.inserted_in_braces(asked.help.split('`').nth(1)?)),
];

/// The text after the edit that a help asks for, and the form of the help; `None` where it leaves
/// something open.
fn edited(text: &str, problem: &dyn Diagnostic) -> Option<(&'static str, String)> {
    let help = problem.help()?.to_string();
    let (form, edit) = FORMS.into_iter().find(|(form, _)| help.starts_with(form))?;
    let labels: Vec<LabeledSpan> = problem.labels()?.collect();
    let label = labels.iter().find(|label| label.primary()).or(labels.first())?;
    let at = label.offset()..label.offset() + label.len();
    let rest = &text[at.start..];
    let line_end = at.start + rest.find(['\n', '/']).unwrap_or(rest.len());
    let piece = help.split(['`', '"']).nth(1).unwrap_or_default().to_owned();
    let asked = Asked { text: text.to_owned(), help, labels, at, line_end, piece };
    Some((form, edit(&asked)?))
}

impl Asked {
    fn replaced(&self, at: Range<usize>, with: &str) -> String {
        format!("{}{with}{}", &self.text[..at.start], &self.text[at.end..])
    }

    fn inserted(&self, at: usize, what: &str) -> String {
        self.replaced(at..at, what)
    }

    /// What the label is at, with the first `old` in it replaced.
    fn first_replaced(&self, old: &str, new: &str) -> Option<String> {
        let start = self.at.start + self.text[self.at.clone()].find(old)?;
        Some(self.replaced(start..start + old.len(), new))
    }

    fn inserted_in_braces(&self, line: &str) -> Option<String> {
        let open = self.at.end + self.text[self.at.end..].find('{')? + 1;
        Some(self.inserted(open, &format!("\n{line}\n")))
    }

    /// Of a label at a string or at what holds one, the string is meant.
    fn meant(&self) -> Option<String> {
        let labelled = &self.text[self.at.clone()];
        let (start, end) = match (labelled.find('"'), labelled.rfind('"')) {
            (Some(first), Some(last)) => (self.at.start + first + 1, self.at.start + last),
            _ => (self.at.start, self.at.end),
        };
        Some(self.replaced(start..end, &self.piece))
    }

    /// "write `(x -> relu)` in place of `x`", where a label is at that.
    fn in_place_of(&self) -> Option<String> {
        let mut quoted = self.help.split('`').skip(1).step_by(2);
        let (new, old) = (quoted.next()?, quoted.next()?);
        let spans = self.labels.iter().map(|label| label.offset()..label.offset() + label.len());
        let at = spans.into_iter().find(|at| &self.text[at.clone()] == old)?;
        self.help.contains("` in place of `").then(|| self.replaced(at, new))
    }

    fn written(&self) -> Option<String> {
        if !self.help.ends_with(&format!("write `{}`", self.piece)) {
            return None;
        }
        let start = start_of(&self.piece, &self.text, self.at.clone())?;
        let end = if self.piece.starts_with("expect ") { self.line_end } else { self.at.end };
        Some(self.replaced(start..end, &self.piece))
    }

    fn without_line_at(&self) -> Option<String> {
        let start = self.text[..self.at.start].rfind('\n')?;
        let end = self.at.end + self.text[self.at.end..].find('\n')?;
        Some(self.replaced(start..end, ""))
    }

    /// The text without the lines of candidates.
    fn without_line(&self) -> Option<String> {
        let name = format!("{}:", self.piece);
        let lines: Vec<&str> =
            self.text.lines().filter(|line| !line.trim_start().starts_with(&name)).collect();
        (lines.len() < self.text.lines().count()).then(|| lines.join("\n"))
    }

    /// The text without some elements of the first list that has all of them; of a list that a label
    /// is at, if there is one.
    fn without_elements(&self) -> Option<String> {
        let gone: Vec<&str> = self.help.split('`').skip(1).step_by(2).collect();
        let is_list = |label: &&LabeledSpan| self.text[label.offset()..].starts_with('[');
        let from = self.labels.iter().find(is_list).map_or(0, LabeledSpan::offset);
        let lists = self.text[from..].match_indices('[').filter_map(|(open, _)| {
            let start = from + open + 1;
            let end = start + self.text[start..].find(']')?;
            let elements: Vec<&str> = self.text[start..end].split(", ").collect();
            gone.iter().all(|name| elements.contains(name)).then_some((start..end, elements))
        });
        let (at, mut elements) = lists.into_iter().next()?;
        elements.retain(|element| !gone.contains(element));
        self.help.ends_with("out of the list").then(|| self.replaced(at, &elements.join(", ")))
    }

    /// The groups that a call gives by name.
    fn with_groups(&self) -> Option<String> {
        let start = self.at.start + self.text[self.at.clone()].find("groups = ")?;
        let end = start + self.text[start..].find([',', ')'])?;
        Some(self.replaced(start..end, &self.piece))
    }

    fn declared(&self) -> Option<String> {
        let name = self.piece.split(' ').nth(1)?;
        let binding = format!("let {name} ");
        let start = self.text[..self.at.start].rfind(&binding)?;
        Some(self.replaced(start..start + 3, "var"))
    }

    /// A string is closed behind its first word, another bracket before what is found instead.
    fn closed(&self) -> Option<String> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = self.text[..self.at.start].trim_end().len();
        let closer = self.help.split('`').nth(1)?;
        Some(match closer {
            "\"" => {
                let opened = self.labels.iter().find(|label| !label.primary())?;
                let inside = opened.offset() + 1;
                let word = self.text[inside..].find(|c| !is_word(c))?;
                self.inserted(inside + word, closer)
            }
            "}" if self.at.end >= self.text.trim_end().len() => format!("{}\n}}", self.text),
            _ => self.inserted(before, closer),
        })
    }

    fn guarded(&self) -> Option<String> {
        let start = self.at.end + self.text[self.at.end..self.line_end].find("if ")?;
        Some(self.replaced(start..self.line_end, &format!("{} ", self.piece)))
    }

    fn without_argument(&self) -> Option<String> {
        let Range { start, end } = self.at;
        if self.text[..start].ends_with(", ") {
            return Some(self.replaced(start - 2..end, ""));
        }
        let comma = if self.text[end..].starts_with(", ") { 2 } else { 0 };
        Some(self.replaced(start..end + comma, ""))
    }

    /// A condition stands behind its candidate, if a label is at that, or at the end of the line.
    fn with_condition(&self) -> Option<String> {
        let is_candidate =
            |label: &&LabeledSpan| label.label().is_some_and(|words| words.contains(" stand"));
        let candidate = self.labels.iter().find(is_candidate);
        let at = candidate.map_or(self.line_end, |label| label.offset() + label.len());
        Some(self.inserted(at, &format!(" {} ", self.piece)))
    }

    /// The text with each label's words in place of what it is at, quotes aside; `None` where a label
    /// does not say them.
    fn renamed(&self) -> Option<String> {
        let mut labels: Vec<&LabeledSpan> = self.labels.iter().collect();
        labels.sort_by_key(|label| std::cmp::Reverse(label.offset()));
        let mut text = self.text.clone();
        for label in labels {
            let name = label.label()?.strip_prefix("now `")?.strip_suffix('`')?;
            let (start, end) = (label.offset(), label.offset() + label.len());
            let quotes = usize::from(text[start..end].starts_with('"'));
            text.replace_range(start + quotes..end - quotes, name);
        }
        Some(text)
    }
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
    let compiler = Compiler::new(&program, &mut problems);
    compiler.with_strategies(SCHEMAS).with_tables(&load_table).check_all();
    problems.into_vec().iter().map(|problem| reported(problem.as_ref(), case)).collect()
}

/// How many reports there are with a code that holds this.
fn count(reports: &[Report], code: &str) -> usize {
    reports.iter().filter(|(_, _, what)| what.contains(code)).count()
}

#[test]
fn an_edit_that_a_help_asks_for_cures() {
    let (mut used, mut faults) = (BTreeSet::new(), Vec::new());
    for case in cases() {
        let (problems, _) = check(&case);
        let reports: Vec<Report> = problems.iter().map(|p| reported(p.as_ref(), &case)).collect();
        for (problem, (file, _, code)) in problems.iter().zip(&reports) {
            let is_here = place(problem.as_ref()).is_some() && *file == case;
            let Ok(text) = std::fs::read_to_string(folder().join(&case)) else { continue };
            let edited = if is_here { edited(&text, problem.as_ref()) } else { None };
            let Some((form, text)) = edited else { continue };
            used.insert(form);
            let left = check_text(&case, &text);
            let is_cured = count(&left, code) < count(&reports, code);
            if !is_cured || count(&left, "nas::parse::") > count(&reports, "nas::parse::") {
                faults.push(format!("{case}: not cured by \"{}\"", problem.help().unwrap()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let forms: BTreeSet<&str> = FORMS.iter().map(|(form, _)| *form).collect();
    assert_eq!(used, forms, "forms that no case has any more");
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
