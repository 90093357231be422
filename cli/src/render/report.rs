//! How commands end: diagnostics rendered for people or as JSON, and exit codes.

use std::error::Error;
use std::fmt::Display;
use std::iter::successors;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, Severity,
    SourceCode,
};
use nas_grammar::ast::Span;
use nas_grammar::{Fix, Problem, Source};
use serde_json::{Map, Value, json};

use super::shown::Shown;
use super::terminal::{has_colours, tell_as_is};
use crate::tell;

/// The input is at fault.
pub const EXIT_INPUT: u8 = 1;
/// A fault of nasc.
pub const EXIT_BUG: u8 = 70;

/// The code of a panic.
pub const PANIC: &str = "nas::internal::panic";

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// Diagnostics.
    Problems(Vec<Problem>),
    /// One sentence about the input.
    Input(String),
    /// One sentence about what the file of the command holds, which the command names.
    Held(String),
    /// The diagnostics are in the compiler's collector.
    Reported,
    /// Stopped by the user; what is on disk is whole.
    Interrupted,
}

impl Failure {
    /// One sentence about the input.
    pub fn input(text: impl Into<String>) -> Self {
        Failure::Input(text.into())
    }

    /// A failure with one diagnostic.
    pub fn problem(problem: impl Diagnostic + Send + Sync + 'static) -> Self {
        Failure::Problems(vec![Problem::from(problem)])
    }

    /// One sentence about what the file of the command holds.
    pub fn held(text: impl Into<String>) -> Self {
        Failure::Held(text.into())
    }

    /// Its first diagnostic; what is none is made one.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        let said = MietteDiagnostic::new(self.summary());
        match self {
            Self::Problems(problems) => problems.into_iter().next().unwrap_or_else(|| said.into()),
            Self::Input(_) | Self::Held(_) | Self::Reported | Self::Interrupted => said.into(),
        }
    }

    /// With the name of the file, if it is about what that holds.
    #[must_use]
    pub fn of_file(self, file: Option<&str>) -> Self {
        match (self, file) {
            (Self::Held(text), Some(file)) => Self::Input(format!("{file}: {text}")),
            (failure, _) => failure,
        }
    }

    /// It in a line, for reports that programs read.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Failure::Problems(problems) => {
                let titles: Vec<String> = problems.iter().map(ToString::to_string).collect();
                titles.join("; ")
            }
            Failure::Input(text) | Failure::Held(text) => text.clone(),
            Failure::Reported => "reported above".to_owned(),
            Failure::Interrupted => "interrupted".to_owned(),
        }
    }

    /// It as people read it.
    #[must_use]
    pub fn text(&self, has_colours: bool) -> String {
        match self {
            Failure::Problems(problems) => {
                let texts = problems.iter().map(|problem| render(problem.as_ref(), has_colours));
                texts.collect::<Vec<_>>().join("\n")
            }
            other => format!("error: {}", other.summary()),
        }
    }

    /// Prints it and returns the exit code.
    #[must_use]
    pub fn report(self) -> u8 {
        match self {
            Failure::Problems(problems) => {
                print_problems(&problems);
                if problems.iter().any(|problem| is_internal(problem.as_ref())) {
                    return EXIT_BUG;
                }
            }
            Failure::Input(text) | Failure::Held(text) => tell!("error: {text}"),
            Failure::Reported => {}
            Failure::Interrupted => {
                tell!("interrupted");
                return 130;
            }
        }
        EXIT_INPUT
    }
}

fn is_internal(problem: &dyn Diagnostic) -> bool {
    problem.code().is_some_and(|code| code.to_string().starts_with("nas::internal::"))
}

/// Prints diagnostics to standard error, for people.
pub fn print_problems(problems: &[Problem]) {
    for problem in problems {
        tell_as_is(&format!("{}\n", render(problem.as_ref(), has_colours())));
    }
}

/// A diagnostic as people read it.
#[must_use]
pub fn render(problem: &dyn Diagnostic, has_colours: bool) -> String {
    let theme =
        if has_colours { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(1);
    let mut text = String::new();
    // Writing to a string does not fail; a span outside its source does, and then shows nothing.
    let _ = handler.render_report(&mut text, &Shown::of(problem));
    text
}

/// "1 error", "2 errors"; of a figure in words, too.
#[must_use]
pub fn counted(n: impl Display, what: &str) -> String {
    let n = n.to_string();
    format!("{n} {what}{}", if n == "1" { "" } else { "s" })
}

/// A problem that knows no place, at one.
#[derive(Debug)]
struct Placed {
    problem: Problem,
    file: Source,
    at: LabeledSpan,
}

impl std::fmt::Display for Placed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for Placed {}

impl Diagnostic for Placed {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.problem.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.problem.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.problem.help()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.at.clone())))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.problem.related()
    }
}

/// A problem for a program to read: if it has no place, at the beginning of the file.
#[must_use]
pub fn placed(problem: Problem, file: &str) -> Problem {
    let has_place = problem.labels().is_some_and(|mut labels| labels.next().is_some());
    if has_place {
        return problem;
    }
    Placed { problem, file: Source::new(file, ""), at: LabeledSpan::new(None, 0, 0) }.into()
}

/// A problem that knows no place, at one of a file.
#[must_use]
pub fn at(problem: impl Into<Problem>, file: &Source, span: Span, label: &str) -> Problem {
    let at = LabeledSpan::new_with_span(Some(label.to_owned()), span);
    Placed { problem: problem.into(), file: file.clone(), at }.into()
}

/// Diagnostics as a JSON array, for editors: of each what it says and where, and as `fix` the edit
/// that cures it, where there is one.
#[must_use]
pub fn json(problems: &[Problem]) -> Value {
    problems.iter().map(|problem| said_json(problem.as_ref(), None, problem.fix())).collect()
}

fn said_json(said: &dyn Diagnostic, outer: Option<&dyn SourceCode>, fix: Option<&Fix>) -> Value {
    let severity = match said.severity() {
        Some(Severity::Error) | None => "error",
        Some(Severity::Warning) => "warning",
        Some(Severity::Advice) => "advice",
    };
    let code = said.source_code().or(outer);
    let labels: Vec<LabeledSpan> = said.labels().into_iter().flatten().collect();
    let causes = successors(said.source(), |&cause: &&dyn Error| cause.source());
    let related = said.related().into_iter().flatten();
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    add("message", json!(said.to_string()));
    said.code().and_then(|code| add("code", json!(code.to_string())));
    add("severity", json!(severity));
    add("causes", causes.map(ToString::to_string).collect());
    said.help().and_then(|help| add("help", json!(help.to_string())));
    code.and_then(|code| add("filename", json!(file_name(code, labels.first()))));
    add("labels", labels.iter().map(label_json).collect());
    add("related", related.map(|related| said_json(related, code, None)).collect());
    fix.and_then(|fix| add("fix", fix_json(fix)));
    Value::Object(fields)
}

fn label_json(label: &LabeledSpan) -> Value {
    let span = json!({"offset": label.offset(), "length": label.len()});
    match label.label() {
        Some(words) => json!({"label": words, "span": span}),
        None => json!({"span": span}),
    }
}

/// The name of the file that a label is in.
fn file_name(code: &dyn SourceCode, label: Option<&LabeledSpan>) -> String {
    let read = label.and_then(|label| code.read_span(label.inner(), 0, 0).ok());
    read.and_then(|read| read.name().map(str::to_owned)).unwrap_or_default()
}

/// The file of a fix, and its edits: all are made, or none. Spans are in bytes of the file as it is.
fn fix_json(fix: &Fix) -> serde_json::Value {
    let edits = fix.edits().iter().map(|edit| {
        let range = edit.span.range();
        json!({
            "span": {"offset": range.start, "length": range.len()},
            "replacement": edit.replacement,
        })
    });
    json!({"filename": fix.source().name(), "edits": edits.collect::<Vec<_>>()})
}
