//! What a space holds and its target cannot run: where it is, and the edit that removes it.

use indexmap::IndexMap;
use nas_grammar::Source;
use nas_grammar::ast::Span;
use rustc_hash::FxHashMap as HashMap;

use super::blame::{Blamed, Candidates, blame_all};
use super::support::Conditions;
use super::{Refusal, Target, Unsupported};
use crate::analyse::liveness::Liveness;
use crate::check::Checked;
use crate::compile::Compiler;
use crate::diagram::Diagram;
use crate::error::Place;
use crate::ir::operation::Operation;
use crate::ir::origin::Written;
use crate::ir::{Choice, DecisionId, NodeId, NodeKind, Space};
use crate::network::Network;

/// An operator that networks of a space hold and its target cannot run.
pub(super) struct Finding {
    node: NodeId,
    pub(super) refusal: Refusal,
    /// The choices that lead to it.
    pub(super) when: Diagram,
}

/// What a target cannot run of a space.
pub(super) struct Unfit {
    pub(super) findings: Vec<Finding>,
    pub(super) liveness: Liveness,
    /// The candidates without which it runs what depends on decisions.
    pub(super) blamed: Blamed,
}

/// The most values of arguments that one report names.
const MOST_VALUES: usize = 3;

impl Compiler<'_, '_> {
    /// What a target cannot run of a network, each reason once.
    pub fn refusals(&mut self, network: &Network, target: &Target) -> Vec<Refusal> {
        let (program, work) = (self.program, &mut self.work);
        let mut conditions = Conditions { program, work, problems: self.problems };
        let mut refusals: Vec<Refusal> = Vec::new();
        for node in &network.nodes {
            let Some(op) = &node.op else { continue };
            let shapes = network.operand_shapes(node);
            let refusal = conditions.refusal(target, op, &shapes);
            refusals.extend(refusal.filter(|refusal| !refusals.contains(refusal)));
        }
        refusals
    }

    /// Reports what the networks of a space hold that its target cannot run, once for each place.
    /// `asked` is where a recipe, not the space, names the target.
    pub(crate) fn check_target(
        &mut self,
        space: &Checked<Space>,
        target: &Target,
        asked: Option<Span>,
    ) {
        if let Some(unfit) = self.unfit(space, target) {
            self.report_unfit(space, target, unfit, asked);
        }
    }

    pub(super) fn report_unfit(
        &mut self,
        space: &Space,
        target: &Target,
        mut unfit: Unfit,
        asked: Option<Span>,
    ) {
        let mut places: IndexMap<(String, Span), Vec<usize>> = IndexMap::new();
        for (index, finding) in unfit.findings.iter().enumerate() {
            let chain = chain(space, finding);
            let Some((source, span)) = chain.first() else { continue };
            places.entry((source.name().to_owned(), *span)).or_default().push(index);
        }
        for group in places.into_values() {
            let help = unfit.help(space, target, &group);
            let found: Vec<&Finding> =
                group.iter().filter_map(|&index| unfit.findings.get(index)).collect();
            let Some(first) = found.first() else { continue };
            let place = self.unsupported_at(chain(space, first), asked).help(help);
            let problem = Unsupported::at(place, target.name.as_str(), reason(&found));
            self.problems.push(problem);
        }
    }

    fn unsupported_at(&self, chain: Vec<(Source, Span)>, asked: Option<Span>) -> Place {
        let mut calls = chain.into_iter();
        let Some((source, span)) = calls.next() else { return Place::nowhere() };
        let Some(asked) = asked else {
            return Place::new(&source, span, "not supported").chain(calls.collect());
        };
        let main = self.source();
        let place = Place::new(&main, asked, "the target of this search");
        if source.name() == main.name() {
            return place.label(span, "not supported").chain(calls.collect());
        }
        place.chain([(source, span)].into_iter().chain(calls).collect())
    }

    /// What a target cannot run of a space; `None` if it runs all.
    pub(super) fn unfit(&mut self, space: &Checked<Space>, target: &Target) -> Option<Unfit> {
        let mut liveness = Liveness::of(space).ok()?;
        let (program, work) = (self.program, &mut self.work);
        let mut conditions = Conditions { program, work, problems: self.problems };
        let mut known: HashMap<String, Option<Refusal>> = HashMap::default();
        let mut findings = Vec::new();
        for (id, node) in space.graph.nodes() {
            let (NodeKind::Op(op), Some(alive)) = (&node.kind, liveness.node(id)) else { continue };
            let operation = Operation::of(space, node, op);
            let cases = operation.cases(&mut liveness.conditions, alive);
            for (case, (op, inputs, _)) in (0..).zip(operation.combinations(&cases)) {
                let key = format!("{op:?} {inputs:?}");
                let refusal =
                    known.entry(key).or_insert_with(|| conditions.refusal(target, op, &inputs));
                if let Some(refusal) = refusal.clone() {
                    let store = &mut liveness.conditions;
                    let here = store.is(cases.selector, case);
                    let when = store.and(alive, here);
                    findings.push(Finding { node: id, refusal, when });
                }
            }
        }
        if findings.is_empty() {
            return None;
        }
        let always = liveness.conditions.constant(1);
        let mut bads: IndexMap<NodeId, Diagram> = IndexMap::new();
        for Finding { node, when, .. } in findings.iter().filter(|finding| finding.when != always) {
            let bad = bads.entry(*node).or_insert(*when);
            *bad = liveness.conditions.or(*bad, *when);
        }
        let bads: Vec<Diagram> = bads.into_values().collect();
        let blamed = blame_all(space, &mut liveness, &bads);
        Some(Unfit { findings, liveness, blamed })
    }
}

/// Where an operator was written, and the calls that led there.
fn chain(space: &Space, finding: &Finding) -> Vec<(Source, Span)> {
    let node = space.graph.node(finding.node);
    node.map(|node| space.origins.chain(node.origin)).unwrap_or_default()
}

/// The reason of findings at one place: what the first of them misses, and with which arguments.
fn reason(found: &[&Finding]) -> String {
    let Some(first) = found.first() else { return String::new() };
    let mut values: Vec<&str> = Vec::new();
    for Finding { refusal, .. } in found {
        let is_same = refusal.condition == first.refusal.condition;
        if is_same && !values.contains(&refusal.here.as_str()) {
            values.push(&refusal.here);
        }
    }
    let left_out = values.len() > MOST_VALUES;
    values.truncate(MOST_VALUES);
    let more = if left_out { ", or more" } else { "" };
    let here = format!("{}{more}", values.join(", or "));
    Refusal { here, ..first.refusal.clone() }.to_string()
}

impl Unfit {
    /// The edit that removes what is at one place.
    fn help(&mut self, space: &Space, target: &Target, group: &[usize]) -> String {
        let blamed = self.blamed.gone.clone();
        let leads = self.blamed_for(group, &blamed);
        let removal = leads.and_then(|(id, gone)| removal(space, id, &gone, &blamed));
        removal.unwrap_or_else(|| {
            let first = group.first().and_then(|&index| self.findings.get(index));
            first.map_or_else(String::new, |finding| without_candidates(target, &finding.refusal))
        })
    }

    /// The decision that could do without what is at one place, and the candidates that lead there.
    fn blamed_for(
        &mut self,
        group: &[usize],
        blamed: &Candidates,
    ) -> Option<(DecisionId, Vec<usize>)> {
        let whens: Vec<Diagram> =
            group.iter().filter_map(|&index| Some(self.findings.get(index)?.when)).collect();
        let leads: Candidates = blamed
            .iter()
            .copied()
            .filter(|&choice| whens.iter().any(|&when| self.leads(choice, when)))
            .collect();
        let &(id, _) = leads.first()?;
        Some((id, leads.into_iter().filter(|(d, _)| *d == id).map(|(_, c)| c).collect()))
    }

    /// Whether something is there where the decision takes this candidate, and not always.
    pub(super) fn leads(&mut self, (id, candidate): (DecisionId, usize), when: Diagram) -> bool {
        let store = &mut self.liveness.conditions;
        let never = store.constant(0);
        let made = store.given(when, &[(id, candidate)]);
        made != never && made != when
    }
}

/// What helps where no candidate can go.
fn without_candidates(target: &Target, refusal: &Refusal) -> String {
    let name = &target.name;
    match &refusal.condition {
        Some(condition) => {
            format!("give it arguments with which `{condition}` holds, or add a row to `{name}`")
        }
        None => format!("write it with operators of `{name}`, or add `{}` to it", refusal.operator),
    }
}

/// The edit that takes candidates from a decision.
fn removal(space: &Space, id: DecisionId, gone: &[usize], blamed: &Candidates) -> Option<String> {
    let decision = space.decision(id)?;
    let written = space.origins.written(id)?;
    let (names, gone) = options(&decision.choice, &decision.candidates, gone);
    let is_gone = |index: &usize| gone.contains(index);
    let listed = gone.iter().filter_map(|&index| names.get(index));
    let listed: Vec<String> = listed.map(|name| format!("`{name}`")).collect();
    let listed = listed.join(" and ");
    let arm = written.get(*gone.first()?)?;
    if !arm.is_arm {
        return Some(format!("leave {listed} out of the list"));
    }
    let of_arm = |gone: bool| -> Vec<&Written> {
        let all = written.iter().enumerate();
        all.filter(|(i, w)| w.span == arm.span && is_gone(i) == gone).map(|(_, w)| w).collect()
    };
    let guard = guard(&of_arm(true), &of_arm(false));
    let is_kept_elsewhere = gone
        .first()
        .and_then(|&i| names.get(i))
        .is_some_and(|n| runs_elsewhere(space, id, n, blamed));
    Some(match (guard, &arm.guard) {
        (Some(guard), None) => format!("append `if {guard}` to the candidate"),
        (Some(guard), Some(before)) => {
            format!("extend the candidate's guard to `if ({before}) and {guard}`")
        }
        (None, _) if is_kept_elsewhere => {
            format!("append an `if` to candidate {listed} that does not hold in this call")
        }
        (None, _) if gone.len() > 1 => format!("leave the candidates {listed} out"),
        (None, _) => format!("leave the candidate {listed} out"),
    })
}

/// The names of what a decision chooses among, and which of them go with some candidates: of a
/// choice of several, the options that all these candidates take.
fn options(choice: &Choice, candidates: &[String], gone: &[usize]) -> (Vec<String>, Vec<usize>) {
    let Choice::Sets { options, .. } = choice else {
        return (candidates.to_vec(), gone.to_vec());
    };
    let sets: Vec<&String> = gone.iter().filter_map(|&index| candidates.get(index)).collect();
    let takes = |set: &str, option: &str| set.split('+').any(|part| part == option);
    let in_all = |option: &String| sets.iter().all(|set| takes(set, option));
    let members = options.iter().enumerate().filter(|(_, option)| in_all(option));
    (options.clone(), members.map(|(index, _)| index).collect())
}

/// Whether another instance of the same choice keeps the candidate of this name.
fn runs_elsewhere(space: &Space, id: DecisionId, name: &str, blamed: &Candidates) -> bool {
    let place = |id: DecisionId| {
        let origin = space.origin(space.decision(id)?.origin)?;
        Some((origin.source, origin.span))
    };
    space.decision_ids().any(|(other, decision)| {
        let index = decision.candidates.iter().position(|candidate| candidate == name);
        let is_kept = index.is_some_and(|index| !blamed.contains(&(other, index)));
        is_kept && place(other) == place(id)
    })
}

/// A condition on what a comprehension binds that holds of the candidates to keep only; `None` if
/// the line binds nothing or none is kept.
fn guard(gone: &[&Written], kept: &[&Written]) -> Option<String> {
    let bound = &gone.first()?.bound;
    if kept.is_empty() {
        return None;
    }
    let names = bound.iter().map(|(name, _)| name.as_str());
    let by_one = names.filter_map(|name| {
        let values = |all: &[&Written]| -> Vec<String> {
            let mut values: Vec<String> = Vec::new();
            for value in all.iter().flat_map(|w| &w.bound).filter(|(n, _)| n == name) {
                if !values.contains(&value.1) {
                    values.push(value.1.clone());
                }
            }
            values
        };
        separation(name, &values(gone), &values(kept))
    });
    by_one.min_by_key(String::len).or_else(|| {
        let equal = |w: &&Written| -> String {
            let parts: Vec<String> =
                w.bound.iter().map(|(name, value)| format!("{name} == {value}")).collect();
            format!("not ({})", parts.join(" and "))
        };
        let parts: Vec<String> = gone.iter().filter(|w| !w.bound.is_empty()).map(equal).collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    })
}

/// A condition on one name that holds of the values to keep only.
fn separation(name: &str, gone: &[String], kept: &[String]) -> Option<String> {
    if gone.iter().any(|value| kept.contains(value)) {
        return None;
    }
    let numbers = |values: &[String]| -> Option<Vec<f64>> {
        values.iter().map(|value| value.parse().ok()).collect()
    };
    if let (Some(gone), Some(kept)) = (numbers(gone), numbers(kept)) {
        let ends = |values: &[f64]| {
            let ends = values.iter().copied();
            (ends.clone().fold(f64::INFINITY, f64::min), ends.fold(f64::NEG_INFINITY, f64::max))
        };
        let ((least_gone, most_gone), (least_kept, most_kept)) = (ends(&gone), ends(&kept));
        if most_kept < least_gone {
            return Some(format!("{name} <= {most_kept}"));
        }
        if least_kept > most_gone {
            return Some(format!("{name} >= {least_kept}"));
        }
    }
    let parts: Vec<String> = gone.iter().map(|value| format!("{name} != {value}")).collect();
    Some(parts.join(" and "))
}
