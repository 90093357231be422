//! How the compiler reports: where a problem is, the calls that led there, and the collector.

use miette::{Diagnostic, LabeledSpan, Severity};
use nas_grammar::ast::Span;
use nas_grammar::parse::MAX_PROBLEMS;
use nas_grammar::{Problem, Source};
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

/// Declares diagnostics: for each a struct with its own fields and those of a [`Place`].
#[macro_export]
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
            pub chain: Vec<$crate::CalledFrom>,
        }

        impl $name {
            pub(crate) fn at(place: $crate::Place $(, $field: impl Into<$type>)*) -> Self {
                let (source_code, labels, help, chain) = place.shown();
                Self { $($field: $field.into(),)* source_code, labels, help, chain }
            }
        }
    )+};
}
/// The problems of a run, in the order in which they were found, each once: up to
/// [`MAX_PROBLEMS`] errors and as many warnings.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    /// Whether there were more.
    is_cut: bool,
    seen: std::collections::HashSet<(String, usize, String)>,
}

impl Problems {
    /// Adds a problem, unless the same one was reported for another instance of its block.
    pub fn push(&mut self, problem: impl Diagnostic + Send + Sync + 'static) {
        self.push_boxed(Box::new(problem));
    }

    /// As [`Problems::push`].
    pub fn push_boxed(&mut self, problem: Problem) {
        if self.count(is_error(problem.as_ref())) >= MAX_PROBLEMS {
            self.is_cut = true;
            return;
        }
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

    /// How many errors there are, or warnings.
    fn count(&self, errors: bool) -> usize {
        self.list.iter().filter(|problem| is_error(problem.as_ref()) == errors).count()
    }

    /// Whether there is room for more errors.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.list.len() < MAX_PROBLEMS || self.count(true) < MAX_PROBLEMS
    }

    /// Whether there were more than are kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether one of them is an error rather than a warning.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|problem| is_error(problem.as_ref()))
    }

    /// All of them. Warnings wait until there are no errors: what seems unused may be used where
    /// an error is. One that may be the cause of errors does not.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Problem> {
        if self.has_errors() {
            self.list.retain(|problem| is_error(problem.as_ref()) || is_cause(problem.as_ref()));
        }
        self.list
    }
}

/// Whether a warning may be the cause of errors, and not what they leave behind.
fn is_cause(problem: &dyn Diagnostic) -> bool {
    // A number other than the one that was meant.
    problem.code().is_some_and(|code| code.to_string() == "nas::names::division")
}

/// Whether a diagnostic is an error rather than a warning or advice.
#[must_use]
pub fn is_error(problem: &dyn Diagnostic) -> bool {
    matches!(problem.severity(), None | Some(Severity::Error))
}

/// Ends on something that was proved impossible: no input is at fault, and going on would make wrong
/// figures. The command reports it as `nas::internal::panic`.
#[cold]
#[track_caller]
#[allow(clippy::panic, reason = "the one way in which a fault of the compiler ends it")]
pub fn fault(what: &str) -> ! {
    panic!("{what}")
}

/// No longer name is mistaken for another, as comparing takes the product of the lengths.
const LONGEST_WORD: usize = 64;

/// The name that was probably meant: near in spelling, at most a third of the letters of the
/// longer name away.
#[must_use]
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let is_word = |name: &str| name.len() <= LONGEST_WORD;
    among
        .into_iter()
        .filter(|candidate| is_word(name) && is_word(candidate))
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| {
            distance > 0 && distance <= length.max(candidate.chars().count()) / 3
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// The name that was probably meant, and all that there are.
pub fn did_you_mean(name: &str, among: &[impl AsRef<str>], lead: &str) -> String {
    let all = listed(among);
    match nearest(name, among.iter().map(AsRef::as_ref)) {
        Some(near) if among.len() == 1 => format!("did you mean `{near}`?"),
        Some(near) => format!("did you mean `{near}`? There are {all}"),
        None => format!("{lead} {all}"),
    }
}

/// Names in a sentence; of many, the first.
pub fn listed(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 16;
    let shown = names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref()));
    let mut shown: Vec<String> = shown.collect();
    if names.len() > MOST {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(nearest("stirde", ["stride", "kernel"]), Some("stride"));
        assert_eq!(nearest("foo", ["stride", "kernel"]), None);
    }

    #[test]
    fn a_third_of_the_letters_is_rounded_down() {
        assert_eq!(nearest("ot", ["op", "out"]), Some("out"));
        assert_eq!(nearest("y", ["x"]), None);
        assert_eq!(nearest("conf", ["conv"]), Some("conv"));
        assert_eq!(nearest("core", ["conv"]), None);
    }
}
