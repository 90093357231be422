//! Problems of some networks only.

use miette::{Diagnostic, LabeledSpan, Severity};
use nas_grammar::{Help, Problem};

/// A problem that arises in some networks only: its title says in which.
#[derive(Debug)]
struct With {
    problem: Problem,
    with: String,
    help: Option<String>,
    label: Option<LabeledSpan>,
}

/// A problem that arises in some networks only. `with` is the end of its title: ", with `kernel = 5`
/// in unit.3". The cure is the edit after which no network has it, if that is not the problem's
/// own, with a label where to make it.
#[must_use]
pub fn in_some_networks(
    problem: Problem,
    with: String,
    cure: Option<(Help, Option<LabeledSpan>)>,
) -> Problem {
    let (help, label) = cure.unzip();
    let words = help.as_ref().map(Help::to_string);
    let fix = match help {
        Some(help) => help.into_fix(),
        None => problem.fix().cloned(),
    };
    Problem::new(With { problem, with, help: words, label: label.flatten() }, fix)
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
