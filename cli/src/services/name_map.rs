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
//! than `/` and `.`, `{*path}` any characters, and `*` matches any characters other than `/`, also none; on the right,
//! `{i}` stands for what was captured. So `{*path} = module.{*path}` strips a prefix. A name captured twice must be the same both times. The
//! first line that matches counts; a tensor that no line matches has its own name in the file.

use std::ops::Range;

use miette::LabeledSpan;
use nas_grammar::Source;
use nas_ir::TensorName;

use super::weights_error::{BadRule, IdleRule};

/// Rules, in their order.
#[derive(Debug, Clone)]
pub struct NameMap {
    source: Source,
    rules: Vec<Rule>,
}

/// `pattern = name`.
#[derive(Debug, Clone)]
pub struct Rule {
    left: Vec<Piece>,
    right: Vec<Piece>,
    pattern: Range<usize>,
    name: Range<usize>,
}

/// What is wrong with a part of a line: title, edit, place.
type Fault = (String, &'static str, Range<usize>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Capture(String),
    Any,
}

type Captures<'a> = Vec<(&'a str, &'a str)>;

impl Default for NameMap {
    /// Every tensor has its own name in the file.
    fn default() -> Self {
        Self { source: Source::new("", ""), rules: Vec::new() }
    }
}

impl NameMap {
    /// Reads a name map.
    ///
    /// # Errors
    /// Every line that is no rule.
    pub fn parse(source: Source) -> Result<Self, Vec<BadRule>> {
        let (mut rules, mut faults) = (Vec::new(), Vec::new());
        let mut start = 0;
        for line in source.text().split_inclusive('\n') {
            let code = line.split('#').next().unwrap_or_default();
            if !code.trim().is_empty() {
                match Rule::parse(&trimmed(code, start)) {
                    Ok(rule) => rules.push(rule),
                    Err(fault) => faults.push(fault),
                }
            }
            start += line.len();
        }
        let bad =
            |(title, help, at): Fault| BadRule { title, help, map: source.clone(), at: at.into() };
        let faults: Vec<BadRule> = faults.into_iter().map(bad).collect();
        if faults.is_empty() { Ok(Self { source, rules }) } else { Err(faults) }
    }

    /// The file, for diagnostics that point into it.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the file calls a tensor of the network, and the rule that says so.
    #[must_use]
    pub fn name_in_file(&self, tensor: &str) -> (String, Option<&Rule>) {
        let own = (tensor.to_owned(), None);
        let Some(name) = TensorName::parse(tensor) else { return own };
        let renamed = self.rules.iter().find_map(|rule| Some((rule.apply(name.node)?, rule)));
        renamed.map_or(own, |(node, rule)| {
            (TensorName { node: &node, ..name }.to_string(), Some(rule))
        })
    }

    /// The rules that name none of these tensors.
    #[must_use]
    pub fn idle<'t>(&self, tensors: impl Iterator<Item = &'t str>) -> Vec<IdleRule> {
        let nodes: Vec<&str> =
            tensors.filter_map(|name| Some(TensorName::parse(name)?.node)).collect();
        // Which rules match a node; the first of them names it.
        let matching = |node: &&str| {
            let rules = self.rules.iter().enumerate();
            rules.filter(|(_, rule)| rule.apply(node).is_some()).map(|(i, _)| i).collect()
        };
        let matches: Vec<Vec<usize>> = nodes.iter().map(matching).collect();
        let idle = |i: usize| matches.iter().all(|rules| rules.first() != Some(&i));
        let rules = self.rules.iter().enumerate().filter(|(i, _)| idle(*i));
        rules
            .map(|(i, rule)| {
                let first = matches.iter().find(|rules| rules.contains(&i)).and_then(|r| r.first());
                self.idle_rule(rule, first.and_then(|&first| self.rules.get(first)))
            })
            .collect()
    }

    fn idle_rule(&self, rule: &Rule, earlier: Option<&Rule>) -> IdleRule {
        let label = |rule: &Rule, text: &str| {
            LabeledSpan::new_with_span(Some(text.to_owned()), rule.pattern.clone())
        };
        let (help, at) = match earlier {
            None => (
                "correct the path, or remove the line; `nasc show FILE --stage network --arch ARCH` \
                 prints the paths",
                vec![label(rule, "matches no node that has weights")],
            ),
            Some(earlier) => (
                "remove the line, or put it before the other",
                vec![
                    label(earlier, "matches first"),
                    label(rule, "matches only what an earlier line matches"),
                ],
            ),
        };
        IdleRule { help, map: self.source.clone(), at }
    }
}

impl Rule {
    /// Where the name stands.
    #[must_use]
    pub fn name(&self) -> Range<usize> {
        self.name.clone()
    }

    fn parse(line: &Part<'_>) -> Result<Self, Fault> {
        let Some((left, right)) = line.text.split_once(" = ") else {
            return Err((
                "a rule is `pattern = name`".to_owned(),
                "write the path of a node, ` = ` with spaces around it, and the node's name in the file",
                line.range(),
            ));
        };
        let name_start = line.start + left.len() + " = ".len();
        let (pattern, name) = (trimmed(left, line.start), trimmed(right, name_start));
        let (left, right) = (pieces(&pattern, true)?, pieces(&name, false)?);
        let unknown = right.iter().find_map(|piece| match piece {
            Piece::Capture(name) if !left.contains(piece) => Some(name),
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

/// A part of the file, and where it begins there.
struct Part<'a> {
    text: &'a str,
    start: usize,
}

impl Part<'_> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// A part without the spaces around it.
fn trimmed(text: &str, start: usize) -> Part<'_> {
    let spaces = text.len() - text.trim_start().len();
    Part { text: text.trim(), start: start + spaces }
}

fn pieces(part: &Part<'_>, is_pattern: bool) -> Result<Vec<Piece>, Fault> {
    let fault = |title: &str, help| Err((title.to_owned(), help, part.range()));
    let mut pieces = Vec::new();
    let mut rest = part.text;
    while !rest.is_empty() {
        let end = rest.find(['{', '*']).unwrap_or(rest.len());
        let (plain, special) = rest.split_at(end);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.to_owned()));
        }
        rest = if let Some(after) = special.strip_prefix('{') {
            let Some((name, after)) = after.split_once('}') else {
                return fault("`{` has no `}`", "close the braces: `{i}`");
            };
            let plain = name.strip_prefix('*').unwrap_or(name);
            if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return fault("braces hold a name", "write letters and digits: `{i}`");
            }
            pieces.push(Piece::Capture(name.to_owned()));
            after
        } else if let Some(after) = special.strip_prefix('*') {
            if !is_pattern {
                return fault("`*` stands in patterns only", "write `{i}` on both sides instead");
            }
            pieces.push(Piece::Any);
            after
        } else {
            special
        };
    }
    Ok(pieces)
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
        Piece::Capture(name) if name.starts_with('*') => (&[], 1, Some(name)),
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

    fn parse(text: &str) -> Result<NameMap, Vec<BadRule>> {
        NameMap::parse(Source::new("a.names", text))
    }

    fn name(map: &NameMap, tensor: &str) -> String {
        map.name_in_file(tensor).0
    }

    #[test]
    fn captures_go_over_with_the_name_of_the_tensor() {
        let map = parse(
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
            assert_eq!(name(&map, ours), theirs);
        }
    }

    #[test]
    fn a_prefix_is_stripped() {
        let map = parse("conv.0 = module.stem\n{*path} = module.{*path}").unwrap();
        assert_eq!(name(&map, "conv.0.bias"), "module.stem.bias");
        assert_eq!(name(&map, "unit.1/op=a/conv.0.weight"), "module.unit.1/op=a/conv.0.weight");
    }

    #[test]
    fn the_first_rule_counts_and_captures_agree() {
        let map = parse("a.{i}/b.{i} = same.{i}\na.{i}/b.{j} = {j}.{i}").unwrap();
        assert_eq!(name(&map, "a.1/b.1.bias"), "same.1.bias");
        assert_eq!(name(&map, "a.1/b.2.bias"), "2.1.bias");
    }

    #[test]
    fn every_bad_line_is_pointed_at() {
        let text = "a=b\r\na = {i}  # no\nok = fine\n  a* = b*\n{ = x\n = b\na. = {}";
        let faults = parse(text).unwrap_err();
        let places = faults.iter().map(|f| &text[f.at.offset()..f.at.offset() + f.at.len()]);
        assert_eq!(places.collect::<Vec<_>>(), ["a=b", "{i}", "b*", "{", "= b", "{}"]);
    }

    #[test]
    fn rules_that_name_nothing_are_told_from_those_that_come_too_late() {
        let map = parse("a.{i} = x.{i}\nb = y\na.0 = z\na.1/* = w\n").unwrap();
        let idle = map.idle(["a.0.weight", "a.1.weight", "c.bias"].into_iter());
        let labels: Vec<Vec<&str>> = idle
            .iter()
            .map(|rule| rule.at.iter().filter_map(LabeledSpan::label).collect())
            .collect();
        assert_eq!(
            labels,
            [
                vec!["matches no node that has weights"],
                vec!["matches first", "matches only what an earlier line matches"],
                vec!["matches no node that has weights"],
            ]
        );
    }
}
