//! How the compiler reports: where a problem is, the calls that led there, and the collector.

use miette::{Diagnostic, LabeledSpan, Severity};
use nas_grammar::ast::Span;
use nas_grammar::{Problem, Source};
use thiserror::Error;

/// A call on the way from the space to the line of a problem.
#[derive(Debug, Error, Diagnostic)]
#[error("reached through this call")]
#[diagnostic(severity(Advice))]
pub struct CalledFrom {
    /// The file of the call.
    #[source_code]
    pub source_code: Source,
    /// The call.
    #[label("called here")]
    pub at: miette::SourceSpan,
}

/// Where a problem is, in the pieces that every diagnostic has.
#[derive(Debug)]
pub struct Place {
    pub(crate) source: Source,
    pub(crate) labels: Vec<LabeledSpan>,
    pub(crate) help: Option<String>,
    pub(crate) chain: Vec<CalledFrom>,
}

impl Place {
    /// A place in a file, with the words beside it.
    pub(crate) fn new(source: &Source, span: Span, label: impl Into<String>) -> Self {
        let label = LabeledSpan::new_primary_with_span(Some(label.into()), span);
        Self { source: source.clone(), labels: vec![label], help: None, chain: Vec::new() }
    }

    /// Nowhere: for what was not written in a file.
    pub(crate) fn nowhere() -> Self {
        let source = Source::new("", "");
        Self { source, labels: Vec::new(), help: None, chain: Vec::new() }
    }

    /// One more label in the same file.
    pub(crate) fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push(LabeledSpan::new_with_span(Some(label.into()), span));
        self
    }

    /// An edit that would help.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The calls that led here, innermost first.
    pub(crate) fn chain(mut self, calls: Vec<(Source, Span)>) -> Self {
        let calls = calls.into_iter();
        self.chain =
            calls.map(|(source_code, at)| CalledFrom { source_code, at: at.into() }).collect();
        self
    }
}

/// Declares diagnostics: for each a struct with its own fields and those of a [`Place`].
macro_rules! diagnostics {
    ($(
        $(#[doc = $doc:literal])+
        $severity:ident $name:ident [$code:path] $title:literal { $($field:ident : $type:ty),* $(,)? }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, thiserror::Error, miette::Diagnostic)]
        #[error($title)]
        #[diagnostic(code($code), severity($severity))]
        #[allow(missing_docs, reason = "the title says what each field is")]
        pub struct $name {
            $(pub $field: $type,)*
            #[source_code]
            pub source_code: nas_grammar::Source,
            #[label(collection)]
            pub labels: Vec<miette::LabeledSpan>,
            #[help]
            pub help: Option<String>,
            #[related]
            pub chain: Vec<crate::error::CalledFrom>,
        }

        impl $name {
            pub(crate) fn at(place: crate::error::Place $(, $field: impl Into<$type>)*) -> Self {
                let crate::error::Place { source, labels, help, chain } = place;
                Self { $($field: $field.into(),)* source_code: source, labels, help, chain }
            }
        }
    )+};
}
pub(crate) use diagnostics;

/// The problems of a run, in the order in which they were found, each once.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    seen: std::collections::HashSet<(String, usize, String)>,
}

impl Problems {
    /// Adds a problem, unless the same one was reported for another instance of its block.
    pub fn push(&mut self, problem: impl Diagnostic + Send + Sync + 'static) {
        self.push_boxed(Box::new(problem));
    }

    /// As [`Problems::push`].
    pub fn push_boxed(&mut self, problem: Problem) {
        let code = problem.code().map(|code| code.to_string()).unwrap_or_default();
        let at = problem.labels().and_then(|mut l| l.next()).map_or(0, |label| label.offset());
        let file = problem.source_code().and_then(|code| {
            let contents = code.read_span(&(0, 0).into(), 0, 0).ok()?;
            contents.name().map(str::to_owned)
        });
        let has_place = file.is_some();
        if !has_place || self.seen.insert((code, at, file.unwrap_or_default())) {
            self.list.push(problem);
        }
    }

    /// Adds all of them.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push_boxed(problem));
    }

    /// Whether one of them is an error rather than a warning.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| is_error(problem.as_ref()))
    }

    /// All of them.
    #[must_use]
    pub fn into_vec(self) -> Vec<Problem> {
        self.list
    }
}

/// Whether a diagnostic is an error rather than a warning or advice.
#[must_use]
pub fn is_error(problem: &dyn Diagnostic) -> bool {
    matches!(problem.severity(), None | Some(Severity::Error))
}

/// The name that was probably meant: near in spelling, at most a third of the letters away.
#[must_use]
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.chars().count().div_ceil(3);
    among
        .into_iter()
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= limit && distance > 0 && !candidate.is_empty())
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(nearest("stirde", ["stride", "kernel"]), Some("stride"));
        assert_eq!(nearest("foo", ["stride", "kernel"]), None);
    }
}
