//! Where a problem is, and the calls that led there.

use miette::{Diagnostic, LabeledSpan};
use nas_grammar::ast::Span;
use nas_grammar::{Fix, Help, Source};
use thiserror::Error;

/// A step on the way from the space to the line of a problem.
#[derive(Debug, Error, Diagnostic)]
pub enum CalledFrom {
    /// A call.
    #[error("reached through this call")]
    #[diagnostic(severity(Advice))]
    Call {
        /// The file of the call.
        #[source_code]
        source_code: Source,
        /// The call.
        #[label("called here")]
        at: miette::SourceSpan,
    },
    /// A `use`.
    #[error("reached through this `use`")]
    #[diagnostic(severity(Advice))]
    Use {
        /// The file of the `use`.
        #[source_code]
        source_code: Source,
        /// The module that it imports.
        #[label("imported here")]
        at: miette::SourceSpan,
    },
    /// The line of the standard library in which it arises.
    #[error("it arises in this line of the library")]
    #[diagnostic(severity(Advice))]
    Library {
        /// The file of the library.
        #[source_code]
        source_code: Source,
        /// What is wrong there.
        #[label(collection)]
        labels: Vec<LabeledSpan>,
    },
    /// Calls that are left out of a long chain.
    #[error("… {0} calls between")]
    #[diagnostic(severity(Advice))]
    Between(usize),
}

/// How many calls of a chain are shown next to the problem, and next to the space.
const SHOWN_CALLS: (usize, usize) = (3, 2);

/// Where a problem is, in the pieces that every diagnostic has.
#[derive(Debug)]
pub struct Place {
    /// The file.
    pub source: Source,
    /// What is marked in it, the guilty place first.
    pub labels: Vec<LabeledSpan>,
    /// What helps.
    pub help: Option<Help>,
    /// What led there, innermost first.
    pub steps: Vec<Step>,
}

/// A step on the way to a place: a call or a `use`.
#[derive(Debug, Clone)]
pub enum Step {
    /// A call.
    Call(Source, Span),
    /// A `use`.
    Use(Source, Span),
}

/// A place as it is shown.
pub struct Shown {
    /// The file.
    pub source: Source,
    /// What is marked in it.
    pub labels: Vec<LabeledSpan>,
    /// What helps, in words.
    pub help: Option<String>,
    /// The edit that cures it.
    pub fix: Option<Fix>,
    /// What led there.
    pub chain: Vec<CalledFrom>,
}

impl Place {
    /// A place in a file, with the words beside it.
    pub fn new(source: &Source, span: Span, label: impl Into<String>) -> Self {
        let label = LabeledSpan::new_primary_with_span(Some(label.into()), span);
        Self { source: source.clone(), labels: vec![label], help: None, steps: Vec::new() }
    }

    /// Nowhere: for what was not written in a file.
    pub fn nowhere() -> Self {
        let source = Source::new("", "");
        Self { source, labels: Vec::new(), help: None, steps: Vec::new() }
    }

    /// One more label in the same file.
    pub fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push(LabeledSpan::new_with_span(Some(label.into()), span));
        self
    }

    /// What helps: advice, or an edit that cures.
    pub fn help(mut self, help: Help) -> Self {
        self.help = Some(help);
        self
    }

    /// Words that help, and leave open what exactly to write.
    pub fn advice(self, words: impl Into<String>) -> Self {
        self.help(Help::advice(words))
    }

    /// The edit that cures.
    pub fn fix(self, fix: Fix) -> Self {
        self.help(Help::Fix(fix))
    }

    /// The calls that led here, innermost first.
    pub fn chain(mut self, calls: Vec<(Source, Span)>) -> Self {
        self.steps = calls.into_iter().map(|(source, at)| Step::Call(source, at)).collect();
        self
    }

    /// The place as it is shown. What arises in the standard library is shown at the call that leads
    /// into it, where it can be cured; nobody edits the library itself.
    pub fn shown(self) -> Shown {
        let Self { mut source, mut labels, help, mut steps } = self;
        let mut chain = Vec::new();
        let entrance = steps.iter().position(|step| !step.source().is_library());
        if let Some(entrance) = entrance.filter(|_| source.is_library()) {
            let step = steps.remove(entrance);
            let label =
                LabeledSpan::new_primary_with_span(Some("in this call".to_owned()), step.at());
            let source_code = std::mem::replace(&mut source, step.source().clone());
            let labels = std::mem::replace(&mut labels, vec![label]);
            chain.push(CalledFrom::Library { source_code, labels });
        }
        chain.extend(shown_steps(steps));
        let words = help.as_ref().map(Help::to_string);
        let fix = help.and_then(Help::into_fix).filter(|fix| !fix.source().is_library());
        Shown { source, labels, help: words, fix, chain }
    }
}

impl Step {
    fn source(&self) -> &Source {
        let (Self::Call(source, _) | Self::Use(source, _)) = self;
        source
    }

    fn at(&self) -> Span {
        let (Self::Call(_, at) | Self::Use(_, at)) = self;
        *at
    }
}

impl From<Step> for CalledFrom {
    fn from(step: Step) -> Self {
        match step {
            Step::Call(source_code, at) => Self::Call { source_code, at: at.into() },
            Step::Use(source_code, at) => Self::Use { source_code, at: at.into() },
        }
    }
}

/// Steps, innermost first; the middle of a long chain is left out.
fn shown_steps(steps: Vec<Step>) -> Vec<CalledFrom> {
    let (inner, outer) = SHOWN_CALLS;
    let left_out = steps.len().saturating_sub(inner + outer);
    let mut shown: Vec<CalledFrom> = steps.into_iter().map(CalledFrom::from).collect();
    // In place of a single call, the note would save nothing.
    if left_out > 1 {
        shown.splice(inner..inner + left_out, [CalledFrom::Between(left_out)]);
    }
    shown
}
