//! A source file: its name as shown to people, and its text.

use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, NamedSource, SourceSpan, SpanContents};

use crate::ast::Span;
use crate::scan::{Scanner, Token, TokenKind};

/// What may stand between the words of a line.
const BLANKS: [char; 2] = [' ', '\t'];

/// One source file. Cheap to clone; every diagnostic carries the one it points into.
#[derive(Debug, Clone)]
pub struct Source {
    named: NamedSource<Arc<str>>,
    /// Whether it is a file of the standard library.
    is_library: bool,
}

impl Source {
    /// A source with the name that diagnostics show.
    pub fn new(name: impl AsRef<str>, text: impl Into<Arc<str>>) -> Self {
        Self { named: NamedSource::new(name, text.into()), is_library: false }
    }

    /// It as a file of the standard library, which its readers do not edit.
    #[must_use]
    pub fn of_library(self) -> Self {
        Self { is_library: true, ..self }
    }

    /// Whether it is a file of the standard library.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.is_library
    }

    /// The name that diagnostics show.
    #[must_use]
    pub fn name(&self) -> &str {
        self.named.name()
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        self.named.inner()
    }

    /// A place in it.
    #[must_use]
    pub fn at(&self, span: Span) -> At<'_> {
        At { source: self, span }
    }

    /// Where a name or a word stands, strings and comments aside.
    #[must_use]
    pub fn places_of(&self, word: &str) -> Vec<Span> {
        let text = self.text();
        let is_word = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::ItemWord);
        let places = Scanner::new(text).filter(is_word).map(|token| token.start..token.end);
        let places = places.filter(|place| text.get(place.clone()) == Some(word));
        places.map(|place| Span::new(place.start, place.end)).collect()
    }

    /// One-based line and column (in characters) of a byte offset.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text().get(..offset).unwrap_or(self.text());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// Lines end at `\n` alone, and columns count characters, as [`Source::line_column`] has it.
impl miette::SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.text();
        let (start, end) = (span.offset(), span.offset().saturating_add(span.len()));
        if end > text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let first = before(text, text.floor_char_boundary(start), context_lines_before);
        let last = behind(text, text.ceil_char_boundary(end), context_lines_after);
        let data = text.get(first..last).ok_or(MietteError::OutOfBounds)?;
        let (line, column) = self.line_column(first);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name().to_owned(),
            data.as_bytes(),
            (first, last - first).into(),
            line - 1,
            column - 1,
            line - 1 + data.matches('\n').count(),
        )))
    }
}

/// The beginning of the line so many lines above a place; with none, the place itself.
fn before(text: &str, place: usize, lines: usize) -> usize {
    let Some(above) = text.get(..place).filter(|_| lines > 0) else { return place };
    above.rmatch_indices('\n').nth(lines).map_or(0, |(newline, _)| newline + 1)
}

/// The end of the line so many lines below a place; with none, the place itself.
fn behind(text: &str, place: usize, lines: usize) -> usize {
    let Some(below) = text.get(place..).filter(|_| lines > 0) else { return place };
    below.match_indices('\n').nth(lines).map_or(text.len(), |(newline, _)| place + newline + 1)
}

/// A place in a file.
#[derive(Debug, Clone, Copy)]
pub struct At<'s> {
    /// The file.
    pub source: &'s Source,
    /// Where in it.
    pub span: Span,
}

impl<'s> At<'s> {
    /// What stands there.
    #[must_use]
    pub fn text(self) -> &'s str {
        self.source.text().get(self.span.range()).unwrap_or_default()
    }

    /// The place before its first character.
    #[must_use]
    pub fn begin(self) -> Self {
        Self { span: Span { end: self.span.start, ..self.span }, ..self }
    }

    /// The place behind its last character.
    #[must_use]
    pub fn end(self) -> Self {
        Self { span: Span { start: self.span.end, ..self.span }, ..self }
    }

    /// Another place in the same file.
    #[must_use]
    pub fn move_to(self, start: usize, end: usize) -> Self {
        Self { span: Span::new(start, end), ..self }
    }

    /// The text of the file before it.
    #[must_use]
    pub fn before(self) -> &'s str {
        self.source.text().get(..self.span.range().start).unwrap_or_default()
    }

    /// The text of the file behind it.
    #[must_use]
    pub fn behind(self) -> &'s str {
        self.source.text().get(self.span.range().end..).unwrap_or_default()
    }

    /// The place behind the next `{` after it that stands in no parentheses.
    #[must_use]
    pub fn braces(self) -> Option<Self> {
        let mut depth = 0usize;
        let opening = self.behind().char_indices().find(|&(_, c)| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == '{' && depth == 0
        });
        let inside = self.span.range().end + opening?.0 + 1;
        Some(self.move_to(inside, inside))
    }

    /// It with the comma before it, or, of a first one, with the comma behind it.
    #[must_use]
    pub fn with_comma(self) -> Self {
        let range = self.span.range();
        if let Some(before) = self.before().trim_end().strip_suffix(',') {
            return self.move_to(before.len(), range.end);
        }
        let behind = self.behind();
        match behind.trim_start_matches(BLANKS).strip_prefix(',') {
            Some(rest) => {
                let rest = rest.trim_start_matches(BLANKS);
                self.move_to(range.start, range.end + behind.len() - rest.len())
            }
            None => self,
        }
    }

    /// The lines that it stands in, if nothing but a comment stands beside it.
    #[must_use]
    pub fn lines(self) -> Option<Self> {
        let (before, behind) = (self.before(), self.behind());
        let above = before.trim_end_matches(BLANKS);
        let begins_line = above.is_empty() || above.ends_with('\n');
        let line = behind.split_inclusive('\n').next().unwrap_or_default();
        let rest = line.trim_start_matches([' ', '\t', ',']).trim_end();
        let is_alone = begins_line && (rest.is_empty() || rest.starts_with("//"));
        is_alone.then(|| self.move_to(above.len(), self.span.range().end + line.len()))
    }
}
