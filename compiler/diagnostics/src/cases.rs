//! Problems of some networks only.

use miette::{Diagnostic, LabeledSpan, Severity};
use nas_grammar::Problem;

/// A problem that arises in some networks only: its title says in which.
#[derive(Debug)]
pub struct With {
    /// The problem.
    pub problem: Problem,
    /// The end of the title: ", with `kernel = 5` in unit.3".
    pub with: String,
    /// The edit after which no network has it, if that is not the problem's own.
    pub help: Option<String>,
    /// Where to make that edit.
    pub label: Option<LabeledSpan>,
}

impl std::fmt::Display for With {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.problem, self.with)
    }
}

impl std::error::Error for With {}

impl Diagnostic for With {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.problem.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.problem.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match &self.help {
            Some(help) => Some(Box::new(help)),
            None => self.problem.help(),
        }
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.problem.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.problem.labels().into_iter().flatten();
        Some(Box::new(labels.chain(self.label.clone())))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.problem.related()
    }
}
