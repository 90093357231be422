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
//! `{i}` stands for what was captured, and `{i+1}` and `{i-1}` for the number beside it. So `{*path} = module.{*path}` strips
//! a prefix. A name captured twice must be the same both times, and where a number would fall below 0 the line does not match.
//!
//! Of the lines that match a tensor the first counts that gives it a name which the file has, and where the file has none of
//! them, the first; a tensor that no line matches has its own name in the file.

mod rule;

use miette::LabeledSpan;
use nas_grammar::Source;
use nas_ir::TensorName;

pub use rule::Rule;
use rule::{Fault, Part};

use super::weights_error::{BadRule, IdleRule};

/// Rules, in their order.
#[derive(Debug, Clone)]
pub struct NameMap {
    source: Source,
    rules: Vec<Rule>,
}

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
                match Rule::parse(&Part::trimmed(code, start)) {
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

    /// What a file calls a tensor of the network, and the rule that says so. `has` is whether the file has a tensor of a name.
    #[must_use]
    pub fn name_in_file(
        &self,
        tensor: &str,
        has: impl Fn(&str) -> bool,
    ) -> (String, Option<&Rule>) {
        let mut names = self.names(tensor);
        let counts = counting(&names, has);
        if counts < names.len() {
            let Named { name, rule, .. } = names.swap_remove(counts);
            return (name, Some(rule));
        }
        (tensor.to_owned(), None)
    }

    /// What each rule that matches a tensor calls it.
    fn names(&self, tensor: &str) -> Vec<Named<'_>> {
        let Some(own) = TensorName::parse(tensor) else { return Vec::new() };
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(place, rule)| {
                let node = rule.apply(own.node)?;
                Some(Named { place, rule, name: TensorName { node: &node, ..own }.to_string() })
            })
            .collect()
    }

    /// The rules that name none of these tensors.
    #[must_use]
    pub fn idle<'t>(
        &self,
        tensors: impl Iterator<Item = &'t str>,
        has: impl Fn(&str) -> bool,
    ) -> Vec<IdleRule> {
        let named: Vec<(Vec<Named<'_>>, usize)> = tensors
            .map(|tensor| {
                let names = self.names(tensor);
                let counts = counting(&names, &has);
                (names, counts)
            })
            .collect();
        // Which rule names a tensor that this one matches; itself, if it does.
        let instead = |place: usize| {
            let tensors =
                named.iter().filter(|(names, _)| names.iter().any(|it| it.place == place));
            let mut naming = tensors.filter_map(|(names, counts)| names.get(*counts));
            let first = naming.next();
            naming.find(|it| it.place == place).or(first)
        };
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(place, rule)| match instead(place) {
                Some(other) if other.place == place => None,
                other => Some(self.idle_rule(rule, place, other)),
            })
            .collect()
    }

    fn idle_rule(&self, rule: &Rule, place: usize, instead: Option<&Named<'_>>) -> IdleRule {
        let label = |rule: &Rule, text: &str| {
            LabeledSpan::new_with_span(Some(text.to_owned()), rule.pattern())
        };
        let (help, at) = match instead {
            None => (
                "correct the path, or remove the line; `nasc show FILE --stage network --arch ARCH` \
                 prints the paths",
                vec![label(rule, "matches no node that has weights")],
            ),
            Some(earlier) if earlier.place < place => (
                "remove the line, or put it before the other",
                vec![
                    label(earlier.rule, "matches first"),
                    label(rule, "matches only what an earlier line matches"),
                ],
            ),
            Some(later) => (
                "correct the name, or remove the line",
                vec![
                    label(rule, "gives only names that the file does not have"),
                    label(later.rule, "gives one that it has"),
                ],
            ),
        };
        IdleRule { help, map: self.source.clone(), at }
    }
}

/// What a rule calls a tensor.
struct Named<'m> {
    /// The place of the rule among all.
    place: usize,
    rule: &'m Rule,
    name: String,
}

/// Which of the names of a tensor counts: the first that the file has, else the first.
fn counting(names: &[Named<'_>], has: impl Fn(&str) -> bool) -> usize {
    names.iter().position(|named| has(&named.name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NameMap, Vec<BadRule>> {
        NameMap::parse(Source::new("a.names", text))
    }

    fn name(map: &NameMap, tensor: &str) -> String {
        map.name_in_file(tensor, |_| true).0
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
        let text = "a=b\r\na = {i}  # no\nok = fine\n  a* = b*\n{ = x\n = b\na. = {}\n{i+1} = b\n{*i} = {*i+1}\n\
                    {i} = {i+x}\n{i} = {i+-1}";
        let faults = parse(text).unwrap_err();
        let places = faults.iter().map(|f| &text[f.at.offset()..f.at.offset() + f.at.len()]);
        assert_eq!(
            places.collect::<Vec<_>>(),
            ["a=b", "{i}", "b*", "{", "= b", "{}", "{i+1}", "{*i+1}", "{i+x}", "{i+-1}"]
        );
    }

    #[test]
    fn rules_that_name_nothing_are_told_from_those_that_come_too_late() {
        let map = parse("a.{i} = x.{i}\nb = y\na.0 = z\na.1/* = w\n").unwrap();
        let idle = map.idle(["a.0.weight", "a.1.weight", "c.bias"].into_iter(), |_| true);
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

    #[test]
    fn a_name_has_the_number_beside_the_captured_one() {
        let map = parse("unit.{i}/conv.{j} = blocks.{i-1}.conv{j+1}\nunit.{i}/* = first").unwrap();
        assert_eq!(name(&map, "unit.10/conv.9.weight"), "blocks.9.conv10.weight");
        assert_eq!(name(&map, "unit.0/conv.0.weight"), "first.weight");
        assert_eq!(name(&map, "unit.x/conv.0.weight"), "first.weight");
        let most = u64::MAX;
        assert_eq!(name(&map, &format!("unit.1/conv.{most}.bias")), "first.bias");
    }

    #[test]
    fn a_name_that_the_file_has_goes_before_one_that_it_lacks() {
        let map = parse("a.{i} = x.{i}\na.{i} = x.{i+1}\nb = y").unwrap();
        let has = |name: &str| ["x.0.weight", "x.3.weight"].contains(&name);
        let named = |tensor| map.name_in_file(tensor, has).0;
        assert_eq!(named("a.0.weight"), "x.0.weight");
        assert_eq!(named("a.2.weight"), "x.3.weight");
        // Where it has none of them, the first is what is told to be missing.
        assert_eq!(named("a.7.weight"), "x.7.weight");
        let idle = map.idle(["a.2.weight", "a.2.bias"].into_iter(), |name| name == "x.3.weight");
        assert_eq!(idle.len(), 1, "the bias is missing as x.2.bias, which the first line says");
        let idle = map.idle(["a.2.weight"].into_iter(), has);
        let labels: Vec<_> = idle[0].at.iter().filter_map(LabeledSpan::label).collect();
        assert_eq!(
            labels,
            ["gives only names that the file does not have", "gives one that it has"]
        );
    }
}
