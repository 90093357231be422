//! A source file: its name as shown to people, and its text.

use std::sync::Arc;

use miette::NamedSource;

/// One source file. Cheap to clone; every diagnostic carries the one it points into.
#[derive(Debug, Clone)]
pub struct Source {
    named: NamedSource<Arc<str>>,
}

impl Source {
    /// A source with the name that diagnostics show.
    pub fn new(name: impl AsRef<str>, text: impl Into<Arc<str>>) -> Self {
        Self { named: NamedSource::new(name, text.into()) }
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
        span: &miette::SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        self.named.read_span(span, context_lines_before, context_lines_after)
    }
}
