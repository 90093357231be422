//! What helps against a problem: an edit that cures it, or advice.

use std::fmt;

use crate::ast::Span;
use crate::source::{At, Source};

/// The most characters of an edit that a help quotes whole.
const QUOTED: usize = 80;
/// How many characters of each end of a longer one it quotes.
const QUOTED_END: usize = 32;

/// One replacement: an insertion where the span is empty, a removal where the replacement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

impl Edit {
    /// This in place of what stands there.
    pub fn new(span: Span, replacement: impl Into<String>) -> Self {
        Self { span, replacement: replacement.into() }
    }
}

/// Edits of one file that cure a problem when all of them are made.
///
/// The help is made from the edits, by the constructor, so that both say the same. Constructors
/// that take `says` hand it the edit as text, fit to be quoted in a line.
#[derive(Debug, Clone)]
pub struct Fix {
    source: Source,
    edits: Vec<Edit>,
    help: String,
}

impl Fix {
    /// Several edits. INVARIANT: no two of them overlap.
    pub fn of(source: &Source, mut edits: Vec<Edit>, help: impl Into<String>) -> Self {
        edits.sort_by_key(|edit| edit.span.start);
        Self { source: source.clone(), edits, help: help.into() }
    }

    /// This in place of what stands there.
    pub fn replace(
        at: At<'_>,
        replacement: impl Into<String>,
        says: impl FnOnce(&str) -> String,
    ) -> Self {
        let edit = Edit::new(at.span, replacement);
        let help = says(&quoted(&edit.replacement));
        Self::of(at.source, vec![edit], help)
    }

    /// "write `…`": this in place of what stands there.
    pub fn write(at: At<'_>, replacement: impl Into<String>) -> Self {
        Self::replace(at, replacement, |new| format!("write `{new}`"))
    }

    /// "did you mean `…`?": this name in place of what stands there.
    pub fn meant(at: At<'_>, name: &str) -> Self {
        Self::replace(at, name, |name| format!("did you mean `{name}`?"))
    }

    /// This before what stands there.
    pub fn before(at: At<'_>, text: impl Into<String>, says: impl FnOnce(&str) -> String) -> Self {
        Self::replace(at.begin(), text, says)
    }

    /// This behind what stands there.
    pub fn behind(at: At<'_>, text: impl Into<String>, says: impl FnOnce(&str) -> String) -> Self {
        Self::replace(at.end(), text, says)
    }

    /// Nothing in place of what stands there.
    pub fn remove(at: At<'_>, says: impl FnOnce(&str) -> String) -> Self {
        Self::of(at.source, vec![Edit::new(at.span, "")], says(&quoted(at.text())))
    }

    /// Nothing in place of an argument, an element or a name between commas, and of one comma beside
    /// it.
    pub fn remove_listed(at: At<'_>, says: impl FnOnce(&str) -> String) -> Self {
        Self::of(at.source, vec![Edit::new(at.with_comma().span, "")], says(&quoted(at.text())))
    }

    /// Nothing in place of what stands there, and no empty line where it stood alone.
    pub fn remove_line(at: At<'_>, says: impl FnOnce(&str) -> String) -> Self {
        let gone = at.lines().unwrap_or_else(|| at.with_comma());
        Self::of(at.source, vec![Edit::new(gone.span, "")], says(&quoted(at.text())))
    }

    /// Nothing in place of some of the elements of a list, given in the order of the file, nor of the
    /// commas or lines between them.
    pub fn without(
        source: &Source,
        elements: &[Span],
        is_gone: impl Fn(usize) -> bool,
        help: impl Into<String>,
    ) -> Self {
        let mut edits = Vec::new();
        let mut kept: Option<Span> = None;
        let mut run: Option<Span> = None;
        let last = elements.len();
        for (index, &element) in elements.iter().enumerate() {
            if is_gone(index) {
                run = Some(run.map_or(element, |run| run.to(element)));
            }
            let next = elements.get(index + 1).filter(|_| !is_gone(index + 1));
            if let Some(gone) = run.filter(|_| next.is_some() || index + 1 == last) {
                run = None;
                let span = match (source.at(gone).lines(), kept, next) {
                    (Some(lines), _, _) => lines.span,
                    (None, Some(kept), _) => Span { start: kept.end, ..gone },
                    (None, None, Some(next)) => Span { end: next.start, ..gone },
                    (None, None, None) => gone,
                };
                edits.push(Edit::new(span, ""));
            }
            if !is_gone(index) {
                kept = Some(element);
            }
        }
        Self::of(source, edits, help)
    }

    /// Lines at the beginning of the braces that open behind a place; `says` gets the first of them.
    pub fn lines_in_braces(
        at: At<'_>,
        lines: &[impl AsRef<str>],
        says: impl FnOnce(&str) -> String,
    ) -> Option<Self> {
        const INDENTATION: &str = "    ";
        let opened = at.braces()?;
        let rest = opened.behind().split('\n').next().unwrap_or_default();
        let beside = rest.trim();
        let (start, end) = match beside {
            // A comment stays beside the brace.
            _ if beside.is_empty() || beside.starts_with("//") => (rest.len(), String::new()),
            _ if beside.starts_with('}') => (0, "\n".to_owned()),
            _ => (0, format!("\n{INDENTATION}")),
        };
        let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
        let new = format!("\n{INDENTATION}{}{end}", lines.join(&format!("\n{INDENTATION}")));
        let start = opened.span.range().start + start;
        let edit = Edit::new(Span::new(start, start), new);
        Some(Self::of(at.source, vec![edit], says(&quoted(lines.first()?))))
    }

    /// More words at the end of the help.
    #[must_use]
    pub fn and(mut self, words: impl AsRef<str>) -> Self {
        self.help.push_str(words.as_ref());
        self
    }

    /// The file.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The edits, in the order of the file; no two of them overlap.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The text of the file after all edits.
    #[must_use]
    pub fn applied(&self) -> String {
        let text = self.source.text();
        let (mut edited, mut end) = (String::new(), 0);
        for Edit { span, replacement } in &self.edits {
            let range = span.range();
            edited.push_str(text.get(end..range.start).unwrap_or_default());
            edited.push_str(replacement);
            end = range.end;
        }
        edited.push_str(text.get(end..).unwrap_or_default());
        edited
    }
}

/// The help.
impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.help)
    }
}

/// A text as a help quotes it: in one line, and of a long one both ends.
fn quoted(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let length = line.chars().count();
    if length <= QUOTED {
        return line;
    }
    let (first, last): (String, String) =
        (line.chars().take(QUOTED_END).collect(), line.chars().skip(length - QUOTED_END).collect());
    format!("{first} … {last}")
}

/// What helps against a problem.
#[derive(Debug, Clone)]
pub enum Help {
    /// Words that leave open what exactly to write.
    Advice(String),
    /// One definite edit.
    Fix(Fix),
}

impl Help {
    /// Words that leave open what exactly to write.
    pub fn advice(words: impl Into<String>) -> Self {
        Self::Advice(words.into())
    }

    /// The edit, if it is one.
    #[must_use]
    pub fn into_fix(self) -> Option<Fix> {
        match self {
            Self::Advice(_) => None,
            Self::Fix(fix) => Some(fix),
        }
    }
}

impl From<Fix> for Help {
    fn from(fix: Fix) -> Self {
        Self::Fix(fix)
    }
}

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advice(words) => f.write_str(words),
            Self::Fix(fix) => fix.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, Fix, quoted};
    use crate::ast::Span;
    use crate::source::Source;

    #[test]
    fn edits_are_made_together() {
        let source = Source::new("a.nas", "one two three");
        let edits = vec![
            Edit::new(Span::new(8, 13), "3"),
            Edit::new(Span::new(0, 3), "1"),
            Edit::new(Span::new(4, 8), ""),
        ];
        assert_eq!(Fix::of(&source, edits, "").applied(), "1 3");
    }

    #[test]
    fn a_help_quotes_the_edit() {
        let source = Source::new("a.nas", "let y = True");
        let fix = Fix::write(source.at(Span::new(8, 12)), "true");
        assert_eq!(
            (fix.applied(), fix.to_string()),
            ("let y = true".into(), "write `true`".into())
        );
    }

    #[test]
    fn an_argument_goes_with_a_comma() {
        let source = Source::new("a.nas", "f(one, two)");
        let without = |start, end| {
            let fix = Fix::remove_listed(source.at(Span::new(start, end)), |gone| gone.to_owned());
            (fix.applied(), fix.to_string())
        };
        assert_eq!(without(2, 5), ("f(two)".into(), "one".into()));
        assert_eq!(without(7, 10), ("f(one)".into(), "two".into()));
        assert_eq!(without(2, 10), ("f()".into(), "one, two".into()));
    }

    #[test]
    fn what_stood_alone_in_its_line_goes_with_it() {
        let source = Source::new("a.nas", "{\n    one // of them\n    two, three\n}");
        let without = |start, end| {
            Fix::remove_line(source.at(Span::new(start, end)), str::to_owned).applied()
        };
        assert_eq!(without(6, 9), "{\n    two, three\n}");
        assert_eq!(without(25, 28), "{\n    one // of them\n    three\n}");
    }

    #[test]
    fn elements_go_with_what_is_between_them() {
        let source = Source::new("a.nas", "[1, 2, 3]");
        let elements = [1, 4, 7].map(|start| Span::new(start, start + 1));
        let without = |gone: &[usize]| {
            Fix::without(&source, &elements, |index| gone.contains(&index), "").applied()
        };
        assert_eq!(without(&[0]), "[2, 3]");
        assert_eq!(without(&[0, 1]), "[3]");
        assert_eq!(without(&[1, 2]), "[1]");
        assert_eq!(without(&[0, 2]), "[2]");
        assert_eq!(without(&[0, 1, 2]), "[]");
    }

    #[test]
    fn lines_stand_in_braces() {
        let with = |text: &str| {
            let source = Source::new("a.nas", text);
            let fix = Fix::lines_in_braces(source.at(Span::new(0, 1)), &["1", "2"], str::to_owned);
            fix.unwrap().applied()
        };
        assert_eq!(with("s(a = [if b { c }]) {}"), "s(a = [if b { c }]) {\n    1\n    2\n}");
        assert_eq!(with("s { // t\n    3\n}"), "s { // t\n    1\n    2\n    3\n}");
        assert_eq!(with("s { 3 }"), "s {\n    1\n    2\n     3 }");
    }

    #[test]
    fn what_is_long_is_quoted_by_its_ends() {
        assert_eq!(quoted(" a\n    b "), "a b");
        assert_eq!(quoted(&"x".repeat(90)), format!("{0} … {0}", "x".repeat(32)));
    }
}
