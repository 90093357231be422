//! Comments that allow what is warned of: `// allow nas::names::unused`.

use crate::ast::Span;
use crate::scan::{Scanner, TokenKind};
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
    /// The line, counted from 0: that of the comment, or the next one if the comment stands alone.
    pub line: usize,
}

/// The codes that the comments of a file allow. After the codes, a comment may say why.
#[must_use]
pub fn allows(source: &Source) -> Vec<Allow> {
    let text = source.text();
    let comments = Scanner::new(text).filter(|token| token.kind == TokenKind::Comment);
    let mut found = Vec::new();
    for token in comments {
        let comment = text.get(token.start..token.end).unwrap_or_default();
        let mut words = comment.trim_start_matches('/').split([' ', '\t', ',', '\r']);
        if words.find(|word| !word.is_empty()) != Some(ALLOW) {
            continue;
        }
        let words = words.filter(|word| !word.is_empty());
        let codes: Vec<&str> = words.take_while(|word| word.starts_with(CODE)).collect();
        let before = text.get(..token.start).unwrap_or_default();
        let is_alone = before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
        let line = before.matches('\n').count() + usize::from(is_alone);
        let comment = Span::new(token.start, token.end);
        found.extend(codes.iter().map(|code| Allow {
            code: (*code).to_owned(),
            comment,
            is_only: codes.len() == 1,
            line,
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::allows;
    use crate::source::Source;

    #[test]
    fn a_comment_allows_codes_in_its_line_or_in_the_next() {
        let text = "a // allow nas::a::b, nas::c::d as it is\n  // allow nas::e::f\nb\n// allows nas::g::h\n\"// allow nas::i::j\"\n";
        let found = allows(&Source::new("a.nas", text));
        let shown: Vec<_> = found.iter().map(|a| (a.code.as_str(), a.line, a.is_only)).collect();
        let wanted = [("nas::a::b", 0, false), ("nas::c::d", 0, false), ("nas::e::f", 2, true)];
        assert_eq!(shown, wanted);
    }
}
