//! What the parser reports.

use miette::{Diagnostic, LabeledSpan, SourceSpan};
use thiserror::Error;

use crate::source::Source;

/// One diagnostic, whatever phase raised it.
pub type Problem = Box<dyn Diagnostic + Send + Sync>;

/// The text does not follow the grammar.
#[derive(Debug, Error, Diagnostic)]
#[error("{title}")]
#[diagnostic(code(nas::parse::syntax))]
pub struct Syntax {
    /// What could have stood there, in words.
    pub title: String,
    #[source_code]
    /// The file.
    pub source_code: Source,
    #[label(collection)]
    /// Where, with what stands there, and the bracket that is not closed.
    pub labels: Vec<LabeledSpan>,
    #[help]
    /// An edit, where one is likely.
    pub help: Option<String>,
}

/// Brackets, or operators of one expression, beyond what a reader or a stack can take.
#[derive(Debug, Error, Diagnostic)]
#[error("{what} more than {limit} deep")]
#[diagnostic(code(nas::parse::nesting), help("{help}"))]
pub struct Nesting {
    /// What is too deep.
    pub what: &'static str,
    /// The limit.
    pub limit: usize,
    /// An edit.
    pub help: &'static str,
    #[source_code]
    /// The file.
    pub source_code: Source,
    #[label("the limit is passed here")]
    /// Where.
    pub at: SourceSpan,
}

/// The file is larger than a file of this language ever is.
#[derive(Debug, Error, Diagnostic)]
#[error("{name} has more than {limit} bytes")]
#[diagnostic(code(nas::parse::too_large), help("split it into files and `use` them"))]
pub struct TooLarge {
    /// The file's name.
    pub name: String,
    /// The limit.
    pub limit: usize,
}

/// The file is not text.
#[derive(Debug, Error, Diagnostic)]
#[error("{name} is not UTF-8 text")]
#[diagnostic(
    code(nas::parse::not_utf8),
    help("save it as UTF-8; the first invalid byte is at offset {offset}, in line {line}")
)]
pub struct NotUtf8 {
    /// The file's name.
    pub name: String,
    /// Offset of the first byte that is not UTF-8.
    pub offset: usize,
    /// Its line, from 1.
    pub line: usize,
    #[source_code]
    /// The file, with a mark in place of what is not UTF-8.
    pub source_code: Source,
    #[label("not UTF-8")]
    /// The first mark.
    pub at: SourceSpan,
}
