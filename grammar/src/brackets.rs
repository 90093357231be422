//! The brackets of an unfinished text.

use crate::scan::{Scanner, TokenKind};

/// The brackets that are open at the end of a text, outermost first, each with its place.
pub(crate) fn open_brackets(text: &str) -> Vec<(usize, char)> {
    let Brackets { open, .. } = Brackets::of(text);
    open.into_iter().map(|opened| (opened.at, opened.bracket)).collect()
}

/// The bracket of an unfinished text that is not closed: by its layout, or else the innermost.
pub(crate) fn innermost_open(text: &str) -> Option<(usize, char)> {
    let Brackets { open, left_of_its_line } = Brackets::of(text);
    let innermost = *open.last()?;
    let opened = left_of_its_line.unwrap_or(innermost);
    Some((opened.at, opened.bracket))
}

/// An opening bracket.
#[derive(Clone, Copy)]
struct Opened {
    at: usize,
    bracket: char,
    /// How many blanks its line begins with.
    indentation: usize,
}

/// What the brackets of an unfinished text tell.
#[derive(Default)]
struct Brackets {
    open: Vec<Opened>,
    /// The first whose closing bracket begins a line and stands left of the line that opens it.
    left_of_its_line: Option<Opened>,
}

impl Brackets {
    fn of(text: &str) -> Self {
        let mut brackets = Self::default();
        let (mut end, mut line, mut indentation) = (0, 0, blanks(text));
        for token in Scanner::new(text) {
            let between = text.get(end..token.start).unwrap_or_default();
            if let Some(newline) = between.rfind('\n') {
                line = end + newline + 1;
                indentation = blanks(text.get(line..).unwrap_or_default());
            }
            end = token.end;
            let first = text.get(token.start..).and_then(|rest| rest.chars().next());
            match token.kind {
                TokenKind::Open => {
                    let at = token.start;
                    let opened = first.map(|bracket| Opened { at, bracket, indentation });
                    brackets.open.extend(opened);
                }
                TokenKind::Close(_) => {
                    let begins_line = token.start == line + indentation;
                    let opened = brackets.open.pop();
                    let moved = opened.filter(|o| begins_line && indentation < o.indentation);
                    brackets.left_of_its_line = brackets.left_of_its_line.or(moved);
                }
                TokenKind::Word
                | TokenKind::ItemWord
                | TokenKind::Comment
                | TokenKind::Other(_) => {}
            }
        }
        brackets
    }
}

/// How many blanks a text begins with.
pub(crate) fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}
