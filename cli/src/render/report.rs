//! How commands end: diagnostics rendered for people or as JSON, and exit codes.

use std::io::IsTerminal;
use std::path::Path;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, JSONReportHandler, LabeledSpan, Severity,
};
use nas_grammar::{Fix, Problem, Source};
use serde_json::json;

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

    /// It in a line, for reports that programs read.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Failure::Problems(problems) => {
                let titles: Vec<String> = problems.iter().map(ToString::to_string).collect();
                titles.join("; ")
            }
            Failure::Input(text) => text.clone(),
            Failure::Reported => "reported above".to_owned(),
            Failure::Interrupted => "interrupted".to_owned(),
        }
    }

    /// It as people read it.
    #[must_use]
    pub fn text(&self, is_terminal: bool) -> String {
        match self {
            Failure::Problems(problems) => {
                let texts = problems.iter().map(|problem| render(problem.as_ref(), is_terminal));
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
            Failure::Input(text) => eprintln!("error: {text}"),
            Failure::Reported => {}
            Failure::Interrupted => {
                eprintln!("interrupted");
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
        eprintln!("{}", render(problem.as_ref(), std::io::stderr().is_terminal()));
    }
}

/// A diagnostic as people read it.
#[must_use]
pub fn render(problem: &dyn Diagnostic, is_terminal: bool) -> String {
    let theme =
        if is_terminal { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(1);
    let mut text = String::new();
    // Writing to a string does not fail; a span outside its source does, and then shows nothing.
    let _ = handler.render_report(&mut text, problem);
    text
}

/// "1 error", "2 errors".
#[must_use]
pub fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A problem of a file as a whole, at its beginning: programs read which file it is.
#[derive(Debug)]
struct OfFile {
    problem: Problem,
    file: Source,
}

impl std::fmt::Display for OfFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for OfFile {}

impl Diagnostic for OfFile {
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
        Some(Box::new(std::iter::once(LabeledSpan::new(None, 0, 0))))
    }
}

/// A problem for a program to read: if it has no place, that of the file.
#[must_use]
pub fn placed(problem: Problem, file: &Path) -> Problem {
    let has_place = problem.labels().is_some_and(|mut labels| labels.next().is_some());
    if has_place {
        return problem;
    }
    OfFile { problem, file: Source::new(file.display().to_string(), "") }.into()
}

/// Diagnostics as a JSON array, for editors: what miette writes of each, and as `fix` the edit that
/// cures it, where there is one.
#[must_use]
pub fn json(problems: &[Problem]) -> String {
    let reports: Vec<String> = problems
        .iter()
        .map(|problem| {
            let mut text = String::new();
            let _ = JSONReportHandler::new().render_report(&mut text, problem.as_ref());
            match (text.strip_suffix('}'), problem.fix()) {
                (Some(open), Some(fix)) => format!("{open},\"fix\": {}}}", fix_json(fix)),
                _ => text,
            }
        })
        .collect();
    format!("[{}]", reports.join(",\n"))
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
