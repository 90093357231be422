//! What a syntax error says: its title, its labels and its help.

use miette::LabeledSpan;
use pest::error::{Error, ErrorVariant, InputLocation};

use crate::ast::Span;
use crate::brackets::innermost_open;
use crate::error::Syntax;
use crate::fix::{Fix, Help};
use crate::habits::{self, Unexpected};
use crate::problem::Problem;
use crate::rules::Rule;
use crate::scan::{Scanner, TokenKind};
use crate::source::Source;
use crate::words;

/// What a source is the text of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// A file of items.
    File,
    /// An argument of a command.
    Argument,
}

/// The report of the parser's error in the item at `start`, and where it is.
pub(crate) fn syntax_error(
    source: &Source,
    whole: Whole,
    start: usize,
    error: &Error<Rule>,
) -> (Problem, usize) {
    let at = start
        + match error.location {
            InputLocation::Pos(at) => at,
            InputLocation::Span((at, _)) => at,
        };
    let rules = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => &[],
    };
    (expected(source, whole, start, at, rules), at)
}

/// The report that one of these was expected at a place in the item at `start`.
pub(crate) fn expected(
    source: &Source,
    whole: Whole,
    start: usize,
    at: usize,
    rules: &[Rule],
) -> Problem {
    let text: &str = source.text();
    let blanks = text.get(at..).unwrap_or_default();
    // Where no space may stand, as between a name and its `(`, the next token says more.
    let rest = blanks.trim_start_matches([' ', '\t']);
    let at = at + blanks.len() - rest.len();
    let before = text.get(start..at).unwrap_or_default();
    let unexpected = Unexpected { source, start, before, rest, rules };
    let open = unclosed(unexpected);
    let mut title = format!("expected {}", words::phrase(rules));
    let mut label = found(unexpected, whole);
    let commented = open.as_ref().and_then(|open| {
        let line = unexpected.before.get(open.at..)?.lines().next()?;
        habits::commented_closer(unexpected, open.at, line, open.bracket, closing(open.bracket))
    });
    let help = match open.as_ref().filter(|open| open.is_cause) {
        _ if commented.is_some() => commented,
        Some(open) => Some(closed(unexpected, open)),
        None if whole == Whole::File
            && is_cut_short(unexpected)
            && !unexpected.before.is_empty() =>
        {
            let (line, _) = source.line_column(start);
            Some(Help::advice(format!("the item that begins in line {line} is not finished")))
        }
        None => {
            if let Some(word) = habits::word_for_name(unexpected) {
                let reserved = format!("`{word}` is a word of the language and cannot be a name");
                label = std::mem::replace(&mut title, reserved);
            }
            habits::help(unexpected)
        }
    };
    let mut labels = vec![LabeledSpan::new_primary_with_span(Some(label), found_at(text, at))];
    labels.extend(open.map(|open| {
        let label = format!("this `{}` is not closed", open.bracket);
        LabeledSpan::new_with_span(Some(label), Span::new(start + open.at, start + open.at + 1))
    }));
    let words = help.as_ref().map(Help::to_string);
    let said = Syntax { title, source_code: source.clone(), labels, help: words };
    Problem::new(said, help.and_then(Help::into_fix))
}

fn found(unexpected: Unexpected<'_>, whole: Whole) -> String {
    match whole {
        _ if !unexpected.rest.is_empty() => format!("found {}", words::found(unexpected.rest).0),
        Whole::File => "the file ends here".to_owned(),
        Whole::Argument => "the text ends here".to_owned(),
    }
}

/// The token at a place; at the end of the file, the last character that shows.
fn found_at(text: &str, at: usize) -> Span {
    let (_, length) = words::found(text.get(at..).unwrap_or_default());
    let shown = text.trim_end();
    match shown.chars().next_back() {
        Some(last) if length == 0 => Span::new(shown.len() - last.len_utf8(), shown.len()),
        _ => Span::new(at, at + length),
    }
}

/// Whether the file or the next item begins where the item goes on.
fn is_cut_short(unexpected: Unexpected<'_>) -> bool {
    let starts_line = unexpected.before.ends_with('\n');
    unexpected.rest.is_empty() || (starts_line && words::begins_item(unexpected.rest))
}

/// A bracket or a quote that is not closed.
struct Open {
    at: usize,
    bracket: char,
    /// Whether that is what is wrong, as far as one can see.
    is_cause: bool,
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        quote => quote,
    }
}

/// How to close a bracket before what is found instead, or a string behind its first word.
fn closed(unexpected: Unexpected<'_>, open: &Open) -> Help {
    let closer = closing(open.bracket);
    let says = |new: &str| format!("close it with `{new}`");
    if open.bracket == '"' {
        let inside = unexpected.before.get(open.at + 1..).unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = inside.find(|c| !is_word(c)).unwrap_or(inside.len());
        let end = open.at + 1 + word;
        return match word {
            0 => Help::advice(says("\"")),
            _ => Fix::replace(unexpected.at(end, end), closer, says).into(),
        };
    }
    let end = end_of_words(unexpected.before);
    // A brace closes in a line of its own.
    let new_line = if open.bracket == '{' { "\n" } else { "" };
    Fix::replace(unexpected.at(end, end), format!("{new_line}{closer}"), says).into()
}

/// Where what a text says ends, without the comments and blanks at its end.
fn end_of_words(text: &str) -> usize {
    let mut end = text.trim_end().len();
    let comments = Scanner::new(text).filter(|token| token.kind == TokenKind::Comment);
    for comment in comments.collect::<Vec<_>>().into_iter().rev() {
        if comment.end < end {
            break;
        }
        end = text.get(..comment.start).unwrap_or_default().trim_end().len();
    }
    end
}

/// The bracket or quote before the place of an error that is not closed, where it should be shown.
fn unclosed(unexpected: Unexpected<'_>) -> Option<Open> {
    let first = unexpected.rest.chars().next();
    if unexpected.rules.contains(&Rule::close_string) {
        let at = unexpected.before.rfind('"').filter(|_| first != Some('\\'))?;
        return Some(Open { at, bracket: '"', is_cause: true });
    }
    let (at, bracket) = innermost_open(unexpected.before)?;
    let rule = match bracket {
        '(' => Rule::close_paren,
        '[' => Rule::close_bracket,
        _ => Rule::close_brace,
    };
    if !unexpected.rules.contains(&rule) {
        return None;
    }
    let is_wrong_closer =
        first.is_some_and(|c| matches!(c, ')' | ']' | '}') && c != closing(bracket));
    let line = unexpected.before.rsplit('\n').next().unwrap_or_default();
    let starts_line = line.trim().is_empty();
    let is_round = bracket != '{';
    let is_cause = is_cut_short(unexpected)
        || (is_round && is_wrong_closer)
        || (is_round && starts_line && words::begins_statement(unexpected.rest));
    (is_cause || (is_round && starts_line)).then_some(Open { at, bracket, is_cause })
}
