//! Names of tensors in files that others wrote.
//!
//! A name map is a text file of lines `pattern = name`:
//!
//! ```text
//! # the trunk                                     a comment, to the end of the line
//! conv_bn_relu.0/conv.0 = encoder.conv1.0
//! unit.{i}/op=*/inverted_residual.0/conv.0 = encoder.residuals.{i}.op.6
//! ```
//!
//! On the left stands a node of the network, without the name of the tensor; on the right what
//! the file calls it, to which `.weight`, `.bias`, `.running_mean` or `.running_var` is carried
//! over. ` = ` has spaces around it. On the left, `{i}` captures one or more characters other
//! than `/` and `.`, and `*` matches any characters other than `/`, also none; on the right, `{i}`
//! stands for what was captured. A name captured twice must be the same both times. The
//! first line that matches counts; a tensor that no line matches has its own name in the file.

/// Rules, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameMap {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    left: Vec<Piece>,
    right: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Capture(String),
    Any,
}

type Captures<'a> = Vec<(&'a str, &'a str)>;

impl NameMap {
    /// Reads a name map.
    ///
    /// # Errors
    /// One phrase for each line that is no rule, with its number.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let mut map = Self::default();
        let mut faults = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            match Rule::parse(line) {
                Ok(rule) => map.rules.push(rule),
                Err(why) => faults.push(format!("line {number}: {why}")),
            }
        }
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }

    /// What the file calls a tensor of the network.
    #[must_use]
    pub fn name_in_file(&self, tensor: &str) -> String {
        let Some((node, suffix)) = tensor.rsplit_once('.') else { return tensor.to_owned() };
        let name = self.rules.iter().find_map(|rule| rule.apply(node));
        name.map_or_else(|| tensor.to_owned(), |name| format!("{name}.{suffix}"))
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Self, String> {
        let Some((left, right)) = line.split_once(" = ") else {
            return Err("expected `pattern = name`, with spaces around the `=`".to_owned());
        };
        let (left, right) = (pieces(left.trim(), true)?, pieces(right.trim(), false)?);
        for piece in &right {
            if let Piece::Capture(name) = piece
                && !left.contains(piece)
            {
                return Err(format!("the pattern captures no `{{{name}}}`"));
            }
        }
        Ok(Self { left, right })
    }

    fn apply(&self, node: &str) -> Option<String> {
        let mut captures = Captures::new();
        if !matches(&self.left, node, &mut captures) {
            return None;
        }
        let value = |name: &str| captures.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
        let parts = self.right.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Capture(name) => value(name).unwrap_or_default(),
            Piece::Any => "",
        });
        Some(parts.collect())
    }
}

fn pieces(text: &str, is_pattern: bool) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['{', '*']).unwrap_or(rest.len());
        let (plain, special) = rest.split_at(end);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.to_owned()));
        }
        rest = if let Some(after) = special.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or("`{` without its `}`")?;
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("`{{{name}}}`: a name of letters and digits stands in braces"));
            }
            pieces.push(Piece::Capture(name.to_owned()));
            after
        } else if let Some(after) = special.strip_prefix('*') {
            if !is_pattern {
                return Err("`*` stands in patterns only; capture with `{name}`".to_owned());
            }
            pieces.push(Piece::Any);
            after
        } else {
            special
        };
    }
    if pieces.is_empty() { Err("one side is empty".to_owned()) } else { Ok(pieces) }
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
        Piece::Capture(name) => (&['/', '.'], 1, Some(name)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_go_over_with_the_name_of_the_tensor() {
        let map = NameMap::parse(
            "# units\nunit.{i}/op=*/conv.{j} = residuals.{i}.op.{j}   # both\nstem = conv1\n",
        )
        .unwrap();
        for (ours, theirs) in [
            ("unit.12/op=k3_e1/conv.0.weight", "residuals.12.op.0.weight"),
            ("stem.running_mean", "conv1.running_mean"),
            ("unit.12/conv.0.weight", "unit.12/conv.0.weight"),
            ("unit.1/op=a/b/conv.0.weight", "unit.1/op=a/b/conv.0.weight"),
            ("unit./op=a/conv.0.bias", "unit./op=a/conv.0.bias"),
        ] {
            assert_eq!(map.name_in_file(ours), theirs);
        }
    }

    #[test]
    fn the_first_rule_counts_and_captures_agree() {
        let map = NameMap::parse("a.{i}/b.{i} = same.{i}\na.{i}/b.{j} = {j}.{i}").unwrap();
        assert_eq!(map.name_in_file("a.1/b.1.bias"), "same.1.bias");
        assert_eq!(map.name_in_file("a.1/b.2.bias"), "2.1.bias");
    }

    #[test]
    fn every_bad_line_is_named() {
        let faults = NameMap::parse("a=b\na = {i}\nok = fine\na* = b*\n{ = x\n").unwrap_err();
        let lines: Vec<&str> = faults.iter().map(|f| f.split(':').next().unwrap()).collect();
        assert_eq!(lines, ["line 1", "line 2", "line 4", "line 5"]);
    }
}
