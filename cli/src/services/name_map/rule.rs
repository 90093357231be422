//! A line of a name map: a pattern of nodes, and what a file calls a node that it matches.

use std::ops::Range;

/// `pattern = name`.
#[derive(Debug, Clone)]
pub struct Rule {
    left: Vec<Piece>,
    right: Vec<Piece>,
    pattern: Range<usize>,
    name: Range<usize>,
}

/// What is wrong with a part of a line: title, edit, place.
pub(super) type Fault = (String, &'static str, Range<usize>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What stands in the place of a name, and on the right by how much more it is, if it is a number.
    Capture(String, Option<i64>),
    Any,
}

type Captures<'a> = Vec<(&'a str, &'a str)>;

impl Rule {
    /// Where the name stands.
    #[must_use]
    pub fn name(&self) -> Range<usize> {
        self.name.clone()
    }

    /// Where the pattern stands.
    pub(super) fn pattern(&self) -> Range<usize> {
        self.pattern.clone()
    }

    /// Reads a line, without comment and spaces around it.
    pub(super) fn parse(line: &Part<'_>) -> Result<Self, Fault> {
        let Some((left, right)) = line.text.split_once(" = ") else {
            return Err((
                "a rule is `pattern = name`".to_owned(),
                "write the path of a node, ` = ` with spaces around it, and the node's name in the file",
                line.range(),
            ));
        };
        let name_start = line.start + left.len() + " = ".len();
        let (pattern, name) = (Part::trimmed(left, line.start), Part::trimmed(right, name_start));
        let (left, right) = (pattern.pieces(true)?, name.pieces(false)?);
        let is_captured = |name: &str| {
            left.iter().any(|piece| matches!(piece, Piece::Capture(own, _) if own == name))
        };
        let unknown = right.iter().find_map(|piece| match piece {
            Piece::Capture(name, _) if !is_captured(name) => Some(name),
            _ => None,
        });
        if let Some(capture) = unknown {
            return Err((
                format!("the pattern captures no `{{{capture}}}`"),
                "write the same braces on the left, where the captured part stands",
                name.range(),
            ));
        }
        Ok(Self { left, right, pattern: pattern.range(), name: name.range() })
    }

    /// What the file calls a node; none if the pattern does not match it, or if a part that is to be counted on from is
    /// no number or would fall below 0.
    pub(super) fn apply(&self, node: &str) -> Option<String> {
        let mut captures = Captures::new();
        if !matches(&self.left, node, &mut captures) {
            return None;
        }
        let value = |name: &str| captures.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        let mut name = String::new();
        for piece in &self.right {
            match piece {
                Piece::Text(text) => name += text,
                Piece::Capture(capture, None) => name += value(capture)?,
                Piece::Capture(capture, Some(more)) => {
                    let number: u64 = value(capture)?.parse().ok()?;
                    name += &number.checked_add_signed(*more)?.to_string();
                }
                Piece::Any => {}
            }
        }
        Some(name)
    }
}

/// A part of the file, and where it begins there.
pub(super) struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Part<'a> {
    /// A part without the spaces around it.
    pub(super) fn trimmed(text: &'a str, start: usize) -> Self {
        let spaces = text.len() - text.trim_start().len();
        Self { text: text.trim(), start: start + spaces }
    }

    fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn pieces(&self, is_pattern: bool) -> Result<Vec<Piece>, Fault> {
        let fault = |title: &str, help| Err((title.to_owned(), help, self.range()));
        let mut pieces = Vec::new();
        let mut rest = self.text;
        while !rest.is_empty() {
            let end = rest.find(['{', '*']).unwrap_or(rest.len());
            let (plain, special) = rest.split_at(end);
            if !plain.is_empty() {
                pieces.push(Piece::Text(plain.to_owned()));
            }
            rest = if let Some(after) = special.strip_prefix('{') {
                let Some((inner, after)) = after.split_once('}') else {
                    return fault("`{` has no `}`", "close the braces: `{i}`");
                };
                let Some(capture) = capture(inner) else {
                    return fault("braces hold a name", "write letters and digits: `{i}`");
                };
                if is_pattern && matches!(capture, Piece::Capture(_, Some(_))) {
                    return fault(
                        "a number is added in names only",
                        "write `{i}` on the left, and `{i+1}` on the right",
                    );
                }
                pieces.push(capture);
                after
            } else if let Some(after) = special.strip_prefix('*') {
                if !is_pattern {
                    return fault(
                        "`*` stands in patterns only",
                        "write `{i}` on both sides instead",
                    );
                }
                pieces.push(Piece::Any);
                after
            } else {
                special
            };
        }
        Ok(pieces)
    }
}

/// What stands in braces: `i`, `*path`, `i+1` or `i-1`.
fn capture(inner: &str) -> Option<Piece> {
    let end = inner.find(['+', '-']).unwrap_or(inner.len());
    let (name, more) = inner.split_at(end);
    let more = if more.is_empty() {
        None
    } else {
        let is_number = more.bytes().skip(1).all(|digit| digit.is_ascii_digit());
        Some(more.parse().ok().filter(|_| is_number && !name.starts_with('*'))?)
    };
    let plain = name.strip_prefix('*').unwrap_or(name);
    let is_name = !plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| Piece::Capture(name.to_owned(), more))
}

/// Whether the pieces match all of the text; the captures then hold what they took. Tries the
/// longest first.
fn matches<'a>(pieces: &'a [Piece], text: &'a str, captures: &mut Captures<'a>) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    let (forbidden, least, name): (&[char], usize, Option<&str>) = match first {
        Piece::Text(plain) => {
            return text.strip_prefix(plain.as_str()).is_some_and(|t| matches(rest, t, captures));
        }
        Piece::Any => (&['/'], 0, None),
        Piece::Capture(name, _) if name.starts_with('*') => (&[], 1, Some(name)),
        Piece::Capture(name, _) => (&['/', '.'], 1, Some(name)),
    };
    let reach = text.find(forbidden).unwrap_or(text.len());
    for end in (least..=reach).rev().filter(|&end| text.is_char_boundary(end)) {
        let (taken, left) = text.split_at(end);
        let known = name.and_then(|name| captures.iter().find(|(n, _)| *n == name).copied());
        if known.is_some_and(|(_, value)| value != taken) {
            continue;
        }
        let depth = captures.len();
        if let (Some(name), None) = (name, known) {
            captures.push((name, taken));
        }
        if matches(rest, left, captures) {
            return true;
        }
        captures.truncate(depth);
    }
    false
}
