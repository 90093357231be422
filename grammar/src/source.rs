//! A source file: its name as shown to people, and its text.

use std::sync::Arc;

use miette::{MietteError, MietteSpanContents, NamedSource, SourceSpan, SpanContents};

/// The widest line that is shown whole, in bytes. Of a wider one, only what is near a place is
/// shown: no terminal holds it, and renderers count columns in 16 bits.
const WIDEST: usize = 8192;
/// How many bytes before and after a place are near it.
const NEAR: usize = 60;

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

    /// One-based line and column (in characters) of a byte offset.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text().get(..offset).unwrap_or(self.text());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl miette::SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.named.read_span(span, context_lines_before, context_lines_after)?;
        let is_wide = |line: &[u8]| line.len() > WIDEST;
        if contents.data().split(|&byte| byte == b'\n').any(is_wide) {
            return self.read_near(span);
        }
        Ok(contents)
    }
}

impl Source {
    /// What stands near a place in a wide line.
    fn read_near(&self, span: &SourceSpan) -> Result<Box<dyn SpanContents<'_> + '_>, MietteError> {
        let text = self.text();
        let (start, end) = (span.offset(), span.offset() + span.len());
        if span.len() > WIDEST {
            return Err(MietteError::OutOfBounds);
        }
        let first = text.floor_char_boundary(start.saturating_sub(NEAR));
        let last = text.ceil_char_boundary(end + NEAR);
        let before = text.get(first..start).and_then(|near| near.rfind('\n'));
        let first = before.map_or(first, |newline| first + newline + 1);
        let after = text.get(end..last).and_then(|near| near.find('\n'));
        let last = after.map_or(last, |newline| end + newline);
        let data = text.get(first..last).ok_or(MietteError::OutOfBounds)?;
        let (line, column) = self.line_column(first);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name().to_owned(),
            data.as_bytes(),
            (first, last - first).into(),
            line - 1,
            column - 1,
            1,
        )))
    }
}
