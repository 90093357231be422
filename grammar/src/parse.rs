//! From text to syntax tree: limits, item by item, so that each item can have its own error.

use std::ops::Range;
use std::string::FromUtf8Error;

use pest::Parser;
use pest::error::{Error, ErrorVariant};
use pest::iterators::Pairs;

use crate::ast::{File, Item, Span};
use crate::build;
use crate::error::{Nesting, NotUtf8, TooLarge};
pub use crate::limits::MAX_NESTING;
use crate::limits::Outline;
use crate::problem::Problem;
use crate::rules::{NasParser, Rule};
use crate::source::Source;
use crate::syntax::{Whole, expected, syntax_error};
use crate::words;

/// The largest source that is read, in bytes.
pub const MAX_BYTES: usize = 8 << 20;

/// The most problems that are reported of a file; more help nobody.
pub const MAX_PROBLEMS: usize = 100;

/// A parsed file and what is wrong with it.
#[derive(Debug)]
pub struct Parsed {
    /// The items that could be read.
    pub file: File,
    /// Syntax errors; empty if the whole file was read.
    pub problems: Vec<Problem>,
}

/// The text of a file's bytes.
///
/// # Errors
/// A file that is too large or not UTF-8.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Source, Problem> {
    if bytes.len() > MAX_BYTES {
        return Err(TooLarge { name: name.to_owned(), limit: MAX_BYTES }.into());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(not_utf8(name, &error).into()),
    }
}

fn not_utf8(name: &str, error: &FromUtf8Error) -> NotUtf8 {
    let offset = error.utf8_error().valid_up_to();
    let line = error.as_bytes().iter().take(offset).filter(|&&b| b == b'\n').count() + 1;
    let text = String::from_utf8_lossy(error.as_bytes());
    let mark = char::REPLACEMENT_CHARACTER.len_utf8();
    NotUtf8 {
        name: name.to_owned(),
        offset,
        line,
        source_code: Source::new(name, text),
        at: Span::new(offset, offset + mark).into(),
    }
}

/// Parses a file. What could be read comes back even where something could not.
#[must_use]
pub fn parse(source: &Source) -> Parsed {
    let text: &str = source.text();
    let mut parsed = Parsed { file: File::default(), problems: Vec::new() };
    if text.len() > MAX_BYTES {
        let name = source.name().to_owned();
        parsed.problems.push(TooLarge { name, limit: MAX_BYTES }.into());
        return parsed;
    }
    let outline = Outline::new(text);
    // A byte order mark says nothing in UTF-8, and editors write it unasked.
    let mut position = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    loop {
        let trivia = skip_trivia(text, position);
        parsed.file.docs.extend(trivia.file_docs);
        if trivia.end >= text.len() {
            return parsed;
        }
        // One more than are shown tells that there are more.
        if parsed.problems.len() > MAX_PROBLEMS {
            parsed.file.unread.extend(names_in(text, trivia.end..text.len()));
            return parsed;
        }
        if let Some(at) = outline.too_deep(trivia.end) {
            parsed.problems.push(too_nested(source, at).into());
            position = next_item(text, at);
            parsed.file.unread.extend(names_in(text, trivia.end..position));
            continue;
        }
        let reach = outline.reach(trivia.end).unwrap_or(text.len());
        match parse_item(source, trivia.end..reach, trivia.docs) {
            Ok(item) => {
                position = item.span.end as usize;
                parsed.file.items.push(item);
            }
            Err(failure) => {
                let unread = failure.item.as_ref().map_or(trivia.end, |item| item.span.range().end);
                parsed.file.items.extend(failure.item);
                parsed.problems.push(failure.problem);
                position = next_item(text, failure.at.max(trivia.end + 1));
                parsed.file.unread.extend(names_in(text, unread..position));
            }
        }
    }
}

/// Why an item could not be read.
struct Failure {
    problem: Problem,
    at: usize,
    /// The item, where what follows it is at fault.
    item: Option<Item>,
}

/// Parses the item at the start of a range, which may hold the word of the next item at its end.
// pest indexes the lines of all the text that it is given: given the rest of the file for each
// item, a file of many items would take quadratic time.
fn parse_item(
    source: &Source,
    Range { start, end }: Range<usize>,
    docs: Vec<String>,
) -> Result<Item, Box<Failure>> {
    let text = source.text().get(start..end).unwrap_or_default();
    match NasParser::parse(Rule::one_item, text) {
        Ok(pairs) => build_item(source, start, pairs, docs),
        Err(error) => {
            let (problem, at) = syntax_error(source, Whole::File, start, &error);
            let alone = is_behind_item(&error).then(|| NasParser::parse(Rule::item, text).ok());
            let built = alone.flatten().map(|pairs| build_item(source, start, pairs, docs));
            // What stands on the same line probably belongs to it.
            let is_apart = |item: &Item| {
                let between = source.text().get(item.span.range().end..at).unwrap_or_default();
                between.contains('\n')
            };
            let item = built.and_then(Result::ok).filter(is_apart);
            Err(Box::new(Failure { problem, at, item }))
        }
    }
}

/// Whether the item itself is whole.
fn is_behind_item(error: &Error<Rule>) -> bool {
    matches!(&error.variant, ErrorVariant::ParsingError { positives, .. }
        if positives.contains(&Rule::EOI))
}

fn build_item(
    source: &Source,
    start: usize,
    mut pairs: Pairs<'_, Rule>,
    docs: Vec<String>,
) -> Result<Item, Box<Failure>> {
    let built = match pairs.next() {
        Some(pair) => build::Builder::new(source, start).item(pair, docs),
        None => {
            let problem = expected(source, Whole::File, start, start, &[Rule::item]);
            return Err(Box::new(Failure { problem, at: start, item: None }));
        }
    };
    built.map_err(|too_deep| {
        Box::new(Failure { problem: Problem::from(*too_deep), at: start, item: None })
    })
}

/// White space, comments and documentation between items.
struct Trivia {
    file_docs: Vec<String>,
    docs: Vec<String>,
    end: usize,
}

fn skip_trivia(text: &str, start: usize) -> Trivia {
    let mut trivia = Trivia { file_docs: Vec::new(), docs: Vec::new(), end: start };
    loop {
        let rest = text.get(trivia.end..).unwrap_or_default();
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        trivia.end = text.len() - trimmed.len();
        if !trimmed.starts_with("//") {
            return trivia;
        }
        let line = trimmed.split('\n').next().unwrap_or_default();
        trivia.end += line.len();
        let line = line.trim_end();
        if let Some(doc) = line.strip_prefix("//!") {
            trivia.file_docs.push(doc.strip_prefix(' ').unwrap_or(doc).to_owned());
        } else if let Some(doc) = line.strip_prefix("///") {
            trivia.docs.push(doc.strip_prefix(' ').unwrap_or(doc).to_owned());
        }
    }
}

/// The words of a part of the text.
fn names_in(text: &str, part: Range<usize>) -> impl Iterator<Item = String> {
    let words = text.get(part).unwrap_or_default();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Where the next item after `from` seems to begin, with its documentation: an item's word at the
/// start of a line. `from` itself may be that place.
fn next_item(text: &str, from: usize) -> usize {
    let mut line_start = text.get(..from).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
    if line_start < from {
        line_start = next_line(text, from);
    }
    let mut docs_start = None;
    while line_start < text.len() {
        let line = text.get(line_start..).unwrap_or_default();
        if words::begins_item(line) {
            return docs_start.unwrap_or(line_start);
        }
        docs_start = line.starts_with("///").then(|| docs_start.unwrap_or(line_start));
        line_start = next_line(text, line_start);
    }
    text.len()
}

fn next_line(text: &str, from: usize) -> usize {
    let newline = text.get(from..).and_then(|rest| rest.find('\n'));
    newline.map_or(text.len(), |at| from + at + 1)
}

pub(crate) fn too_nested(source: &Source, at: usize) -> Nesting {
    Nesting {
        what: "brackets nest",
        limit: MAX_NESTING,
        help: "name the inner parts with `let`, or make them a block",
        source_code: source.clone(),
        at: Span::new(at, at + 1).into(),
    }
}
