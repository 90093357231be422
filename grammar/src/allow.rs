//! Comments that allow what is warned of: `// allow nas::names::unused`.

use crate::ast::Span;
use crate::scan::{Scanner, Token, TokenKind};
use crate::source::Source;

/// The word that such a comment begins with.
const ALLOW: &str = "allow";

/// How codes begin.
const CODE: &str = "nas::";

/// A code that a comment allows in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// The code.
    pub code: String,
    /// The comment.
    pub comment: Span,
    /// Whether the comment allows nothing else.
    pub is_only: bool,
    /// The lines, counted from 0: that of the comment, or the next one if the comment stands alone; and
    /// that of the bracket that is closed before the comment, or opened right before it. So what is laid
    /// out over several lines keeps the comment behind its last one, or first inside.
    pub lines: Vec<usize>,
}

/// The codes that the comments of a file allow. After the codes, a comment may say why.
#[must_use]
pub fn allows(source: &Source) -> Vec<Allow> {
    let text = source.text();
    let (mut found, mut brackets) = (Vec::new(), Brackets::default());
    for token in Scanner::new(text) {
        if token.kind != TokenKind::Comment {
            brackets.pass(token);
            continue;
        }
        let comment = text.get(token.start..token.end).unwrap_or_default();
        let mut words = comment.trim_start_matches('/').split([' ', '\t', ',', '\r']);
        if words.find(|word| !word.is_empty()) != Some(ALLOW) {
            continue;
        }
        let words = words.filter(|word| !word.is_empty());
        let codes: Vec<&str> = words.take_while(|word| word.starts_with(CODE)).collect();
        let line = |at| text.get(..at).unwrap_or_default().matches('\n').count();
        let before = text.get(..token.start).unwrap_or_default();
        let is_alone = before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        let mut lines = vec![line(token.start) + usize::from(is_alone)];
        lines.extend(brackets.beside(is_alone).map(line));
        let comment = Span::new(token.start, token.end);
        found.extend(codes.iter().map(|code| Allow {
            code: (*code).to_owned(),
            comment,
            is_only: codes.len() == 1,
            lines: lines.clone(),
        }));
    }
    found
}

/// The brackets that were passed: where those stand that are open, and the one that the last token opened or
/// closed.
#[derive(Default)]
struct Brackets {
    open: Vec<usize>,
    last: Option<(TokenKind, usize)>,
}

impl Brackets {
    fn pass(&mut self, token: Token) {
        let at = match token.kind {
            TokenKind::Open => {
                self.open.push(token.start);
                Some(token.start)
            }
            TokenKind::Close(_) => self.open.pop(),
            TokenKind::Word | TokenKind::ItemWord | TokenKind::Comment | TokenKind::Other(_) => {
                None
            }
        };
        self.last = at.map(|at| (token.kind, at));
    }

    /// Where the bracket stands that is opened right before a comment that stands alone, or closed right
    /// before one that does not.
    fn beside(&self, is_alone: bool) -> Option<usize> {
        let (kind, at) = self.last?;
        (is_alone == (kind == TokenKind::Open)).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::allows;
    use crate::source::Source;

    #[test]
    fn a_comment_allows_codes_in_its_line_or_in_the_next() {
        let text = "a // allow nas::a::b, nas::c::d as it is\n  // allow nas::e::f\nb\n// allows nas::g::h\n\"// allow nas::i::j\"\n";
        let found = allows(&Source::new("a.nas", text));
        let shown: Vec<_> =
            found.iter().map(|a| (a.code.as_str(), a.lines[0], a.is_only)).collect();
        let wanted = [("nas::a::b", 0, false), ("nas::c::d", 0, false), ("nas::e::f", 2, true)];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn a_comment_beside_a_bracket_allows_in_the_line_of_the_opening_one() {
        let lines = |text: &str| allows(&Source::new("a.nas", text)).remove(0).lines;
        assert_eq!(lines("a {\n// allow nas::a::b\nb }"), [2, 0]);
        assert_eq!(lines("a {\nf(b)\n} // allow nas::a::b\n"), [2, 0]);
        assert_eq!(lines("a {\nb\n// allow nas::a::b\n}"), [3]);
        assert_eq!(lines("a {}\n// allow nas::a::b\nb"), [2]);
    }
}
