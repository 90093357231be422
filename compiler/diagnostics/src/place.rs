//! Where a problem is, and the calls that led there.

use miette::{Diagnostic, LabeledSpan};
use nas_grammar::Source;
use nas_grammar::ast::Span;
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
    /// An edit that would help.
    pub help: Option<String>,
    /// The calls that led there, innermost first.
    pub calls: Vec<(Source, Span)>,
}

impl Place {
    /// A place in a file, with the words beside it.
    pub fn new(source: &Source, span: Span, label: impl Into<String>) -> Self {
        let label = LabeledSpan::new_primary_with_span(Some(label.into()), span);
        Self { source: source.clone(), labels: vec![label], help: None, calls: Vec::new() }
    }

    /// Nowhere: for what was not written in a file.
    pub fn nowhere() -> Self {
        let source = Source::new("", "");
        Self { source, labels: Vec::new(), help: None, calls: Vec::new() }
    }

    /// One more label in the same file.
    pub fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push(LabeledSpan::new_with_span(Some(label.into()), span));
        self
    }

    /// An edit that would help.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The calls that led here, innermost first.
    pub fn chain(mut self, calls: Vec<(Source, Span)>) -> Self {
        self.calls = calls;
        self
    }

    /// The file, the labels in it, the help and what led there, as they are shown. What arises in
    /// the standard library is shown at the call that leads into it, where it can be cured.
    pub fn shown(self) -> (Source, Vec<LabeledSpan>, Option<String>, Vec<CalledFrom>) {
        let Self { mut source, mut labels, help, mut calls } = self;
        let mut chain = Vec::new();
        let entrance = calls.iter().position(|(from, _)| !from.is_library());
        if let Some(entrance) = entrance.filter(|_| source.is_library()) {
            let (from, at) = calls.remove(entrance);
            let label = LabeledSpan::new_primary_with_span(Some("in this call".to_owned()), at);
            let source_code = std::mem::replace(&mut source, from);
            let labels = std::mem::replace(&mut labels, vec![label]);
            chain.push(CalledFrom::Library { source_code, labels });
        }
        chain.extend(shown_calls(calls));
        (source, labels, help, chain)
    }
}

/// Calls, innermost first; the middle of a long chain is left out.
fn shown_calls(calls: Vec<(Source, Span)>) -> Vec<CalledFrom> {
    let (inner, outer) = SHOWN_CALLS;
    let left_out = calls.len().saturating_sub(inner + outer);
    let calls = calls.into_iter();
    let call = |(source_code, at): (Source, Span)| CalledFrom::Call { source_code, at: at.into() };
    let mut shown: Vec<CalledFrom> = calls.map(call).collect();
    // In place of a single call, the note would save nothing.
    if left_out > 1 {
        shown.splice(inner..inner + left_out, [CalledFrom::Between(left_out)]);
    }
    shown
}
