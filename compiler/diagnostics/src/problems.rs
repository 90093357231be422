//! The collector of problems.

use miette::{Diagnostic, Severity};
use nas_grammar::parse::MAX_PROBLEMS;
use nas_grammar::{Allow, Problem, Source};

use crate::reported::Reported;

/// The problems of a run, in the order in which they were found, each once: up to
/// [`MAX_PROBLEMS`] errors and as many warnings.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    /// Whether there were more.
    is_cut: bool,
    seen: std::collections::HashSet<(String, usize, String)>,
    /// What comments allow.
    allowed: Vec<Allowed>,
}

/// A code that a comment of a file allows, and whether anything had it.
#[derive(Debug)]
struct Allowed {
    file: String,
    allow: Allow,
    is_used: bool,
}

impl Problems {
    /// Adds a problem, unless the same one was reported for another instance of its block.
    pub fn push(&mut self, problem: impl Into<Problem>) {
        let problem = problem.into();
        if self.is_allowed(&problem) {
            return;
        }
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

    /// Notes what the comments of a file allow: what is warned of in these lines is left out.
    pub fn allow(&mut self, source: &Source) {
        let noted = |allow| Allowed { file: source.name().to_owned(), allow, is_used: false };
        self.allowed.extend(nas_grammar::allows(source).into_iter().map(noted));
    }

    /// What comments of a file allow, and nothing was warned of.
    #[must_use]
    pub fn idle_allows(&self, source: &Source) -> Vec<Allow> {
        let idle = self.allowed.iter().filter(|a| !a.is_used && a.file == source.name());
        idle.map(|allowed| allowed.allow.clone()).collect()
    }

    /// Whether a comment allows a problem.
    fn is_allowed(&mut self, problem: &Problem) -> bool {
        if self.allowed.is_empty() || is_error(problem.as_ref()) {
            return false;
        }
        let code = problem.code().map(|code| code.to_string()).unwrap_or_default();
        let labels: Vec<_> = problem.labels().into_iter().flatten().collect();
        let Some(label) = labels.iter().find(|label| label.primary()).or(labels.first()) else {
            return false;
        };
        let contents = problem.source_code().and_then(|c| c.read_span(label.inner(), 0, 0).ok());
        let Some((file, line)) = contents.and_then(|c| Some((c.name()?.to_owned(), c.line())))
        else {
            return false;
        };
        let mut allowing = self.allowed.iter_mut().filter(|allowed| {
            allowed.file == file
                && allowed.allow.lines.contains(&line)
                && allowed.allow.code == code
        });
        allowing.next().map(|allowed| allowed.is_used = true).is_some()
    }

    /// Adds an error; what it leaves missing holds the evidence.
    pub fn error(&mut self, problem: impl Into<Problem>) -> Reported {
        self.push(problem);
        Reported::elsewhere()
    }

    /// Adds all of them.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
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
