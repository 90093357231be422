//! What became of the decisions that an item makes, where its space has changed since.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use indexmap::IndexMap;
use nas_diagnostics::nearest;
use nas_ir::{Decision, DecisionId, Space};

use super::given::candidate;
use crate::elaborate::Value;

/// What became of a path that the space does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is probably this decision now.
    Became(DecisionId),
    /// It is gone.
    Gone,
    /// The decision is gone in a candidate of which it was made.
    Within,
}

/// What became of each path that is lost, given with the candidate that it was to take. Only
/// decisions that are open, which is to say that no other line makes them, may be meant.
pub(super) fn fates(
    space: &Space,
    lost: &[(&str, &Value)],
    is_open: impl Fn(DecisionId) -> bool,
) -> Vec<Fate> {
    let open = space.decision_ids().filter(|(id, _)| is_open(*id)).collect();
    let mut drift = Drift { lost, open, became: vec![None; lost.len()] };
    drift.pair(|path| (scope(path), label(path)));
    drift.pair(place);
    drift.follow();
    drift.fates()
}

/// The label that is probably meant by one that is lost: one of those that no line uses, whose
/// decisions have the candidates.
pub(super) fn relabelled<'s>(
    lost: &str,
    given: &[&Value],
    open: impl Iterator<Item = (&'s str, Vec<&'s Decision>)>,
) -> Option<&'s str> {
    let is_fitting = |(_, decisions): &(&str, Vec<&Decision>)| {
        let fits = |value: &&Value| decisions.iter().any(|d| candidate(value, d).is_some());
        given.len() <= decisions.len() && given.iter().all(fits)
    };
    let labels: Vec<&str> = open.filter(is_fitting).map(|(label, _)| label).collect();
    match labels.as_slice() {
        [only] => Some(only),
        labels => nearest(lost, labels.iter().copied()),
    }
}

/// Paths that are lost, and decisions that they may have become.
#[derive(Default)]
struct Group<'a> {
    lost: Vec<usize>,
    open: Vec<(DecisionId, &'a Decision)>,
}

struct Drift<'a> {
    lost: &'a [(&'a str, &'a Value)],
    /// The decisions that may be meant.
    open: Vec<(DecisionId, &'a Decision)>,
    /// For each path that is lost, what it became.
    became: Vec<Option<DecisionId>>,
}

impl<'a> Drift<'a> {
    /// Pairs what has one key, in the order of the paths, where there are as many decisions as
    /// paths and all have the candidates. What is inside a candidate goes with its decision.
    fn pair<K: Hash + Eq>(&mut self, key: impl Fn(&'a str) -> K) {
        let paths: HashSet<&str> = self.lost.iter().map(|(path, _)| *path).collect();
        let open: HashSet<&str> = self.open.iter().map(|(_, d)| d.path.as_str()).collect();
        let mut groups: IndexMap<K, Group<'_>> = IndexMap::new();
        for (index, (path, _)) in self.lost.iter().enumerate() {
            let is_open = self.became.get(index) == Some(&None);
            if is_open && !outer(path).any(|outer| paths.contains(outer)) {
                groups.entry(key(path)).or_default().lost.push(index);
            }
        }
        let taken: HashSet<DecisionId> = self.became.iter().flatten().copied().collect();
        for (id, decision) in &self.open {
            if !taken.contains(id)
                && !outer(&decision.path).any(|outer| open.contains(outer))
                && let Some(group) = groups.get_mut(&key(&decision.path))
            {
                group.open.push((*id, decision));
            }
        }
        let pairs: Vec<_> = groups.into_values().filter_map(|group| self.in_order(group)).collect();
        for (index, id) in pairs.into_iter().flatten() {
            self.became.get_mut(index).into_iter().for_each(|slot| *slot = Some(id));
        }
    }

    fn in_order(&self, group: Group<'_>) -> Option<Vec<(usize, DecisionId)>> {
        let Group { mut lost, mut open } = group;
        if lost.len() != open.len() {
            return None;
        }
        lost.sort_by_cached_key(|&index| self.lost.get(index).map(|(path, _)| ordered(path)));
        open.sort_by_cached_key(|(_, decision)| ordered(&decision.path));
        let pairs = lost.into_iter().zip(open);
        let fitting = pairs.map(|(index, (id, decision))| {
            let (_, value) = self.lost.get(index)?;
            candidate(value, decision).map(|_| (index, id))
        });
        fitting.collect()
    }

    /// What is inside a candidate of a decision that has another path now.
    fn follow(&mut self) {
        let by_path: HashMap<&str, (DecisionId, &Decision)> =
            self.open.iter().map(|(id, d)| (d.path.as_str(), (*id, *d))).collect();
        let paths: HashMap<DecisionId, &str> =
            self.open.iter().map(|(id, d)| (*id, d.path.as_str())).collect();
        let moved = self.lost.iter().zip(&self.became);
        let moved: HashMap<&str, &str> =
            moved.filter_map(|((path, _), id)| Some((*path, *paths.get(id.as_ref()?)?))).collect();
        for ((path, value), became) in self.lost.iter().zip(&mut self.became) {
            let now = outer(path).find_map(|outer| {
                Some(format!("{}{}", moved.get(outer)?, path.get(outer.len()..)?))
            });
            if became.is_none()
                && let Some((id, decision)) = now.and_then(|now| by_path.get(now.as_str()))
            {
                *became = candidate(value, decision).map(|_| *id);
            }
        }
    }

    fn fates(&self) -> Vec<Fate> {
        let all = || self.lost.iter().map(|(path, _)| *path).zip(&self.became);
        let gone: HashSet<&str> =
            all().filter(|(_, became)| became.is_none()).map(|(path, _)| path).collect();
        let fate = |(path, became): (&str, &Option<DecisionId>)| match became {
            Some(id) => Fate::Became(*id),
            None if outer(path).any(|outer| gone.contains(outer)) => Fate::Within,
            None => Fate::Gone,
        };
        all().map(fate).collect()
    }
}

/// The decisions in whose candidates a path is, innermost first: of `unit/op=k3/kernel`, `unit/op`.
fn outer(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('=').filter_map(|(at, _)| path.get(..at))
}

/// The candidate that a path is in.
fn scope(path: &str) -> &str {
    let (outer, rest) = path.rsplit_once('=').unwrap_or(("", path));
    let candidate = if outer.is_empty() { 0 } else { rest.find('/').unwrap_or(rest.len()) + 1 };
    path.get(..outer.len() + candidate).unwrap_or_default()
}

/// Where the choice of a path stands.
fn place(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(place, _)| place)
}

/// The label of a path, without the number of those after the first.
fn label(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    last.split('.').next().unwrap_or(last)
}

/// A key that orders paths as the numbers in them do.
fn ordered(path: &str) -> Vec<(&str, u64)> {
    path.split(['/', '='])
        .map(|part| {
            let (name, number) = part.rsplit_once('.').unwrap_or((part, "0"));
            (name, number.parse().unwrap_or(0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{label, outer, place, scope};

    #[test]
    fn a_path_has_parts() {
        let path = "unit.2/op=k3/inner=wide/kernel.1";
        assert_eq!(label(path), "kernel");
        assert_eq!(place(path), "unit.2/op=k3/inner=wide");
        assert_eq!(scope(path), "unit.2/op=k3/inner=wide");
        assert_eq!(outer(path).collect::<Vec<_>>(), ["unit.2/op=k3/inner", "unit.2/op"]);
        assert_eq!((label("op"), place("op"), scope("op")), ("op", "", ""));
    }
}
