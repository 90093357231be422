//! What a space holds and its target cannot run: where it is, and the edit that removes it.

use indexmap::{IndexMap, IndexSet};
use nas_diagnostics::{Help, Place};
use nas_grammar::Source;
use nas_grammar::ast::Span;
use nas_ir::diagram::Diagram;
use nas_ir::liveness::Liveness;
use nas_ir::operation::Operation;
use nas_ir::{Checked, DecisionId, Network, NodeId, NodeKind, Space};
use rustc_hash::FxHashMap as HashMap;

use super::blame::{Blamed, blame_all};
use super::device::Target;
use super::errors::Unsupported;
use super::support::Conditions;
use super::support::Refusal;
use crate::context::Context;
use crate::removal::{Candidates, removal};

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

/// What a target cannot run of a network, each reason once.
pub(crate) fn refusals(
    context: &mut Context<'_, '_>,
    network: &Network,
    target: &Target,
) -> Vec<Refusal> {
    let (program, fuel) = (context.program, &mut context.fuel);
    let mut conditions = Conditions { program, fuel, problems: context.problems };
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
pub(crate) fn check(
    context: &mut Context<'_, '_>,
    space: &Checked<Space>,
    target: &Target,
    asked: Option<Span>,
) {
    if let Some(unfit) = unfit(context, space, target) {
        report_unfit(context, space, target, unfit, asked);
    }
}

pub(super) fn report_unfit(
    context: &mut Context<'_, '_>,
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
        let place = unsupported_at(context, chain(space, first), asked).help(help);
        let problem = Unsupported::at(place, target.name.as_str(), reason(&found));
        context.problems.push(problem);
    }
}

fn unsupported_at(
    context: &Context<'_, '_>,
    chain: Vec<(Source, Span)>,
    asked: Option<Span>,
) -> Place {
    let mut calls = chain.into_iter();
    let Some((source, span)) = calls.next() else { return Place::nowhere() };
    let Some(asked) = asked else {
        return Place::new(&source, span, "not supported").chain(calls.collect());
    };
    let main = context.source();
    let place = Place::new(&main, asked, "the target of this search");
    if source.name() == main.name() {
        return place.label(span, "not supported").chain(calls.collect());
    }
    place.chain([(source, span)].into_iter().chain(calls).collect())
}

/// What a target cannot run of a space; `None` if it runs all.
pub(super) fn unfit(
    context: &mut Context<'_, '_>,
    space: &Checked<Space>,
    target: &Target,
) -> Option<Unfit> {
    let mut liveness = space.whole_liveness().ok()?;
    let (program, fuel) = (context.program, &mut context.fuel);
    let mut conditions = Conditions { program, fuel, problems: context.problems };
    let mut known: HashMap<String, Option<Refusal>> = HashMap::default();
    let mut findings = Vec::new();
    for (id, node) in space.graph.nodes() {
        let NodeKind::Op(op) = &node.kind else { continue };
        let alive = liveness.node(id);
        liveness.conditions.room().ok()?;
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
    let whens = findings.iter().map(|finding| finding.when);
    let bads: IndexSet<Diagram> = whens.filter(|&when| when != always).collect();
    let blamed = blame_all(space, &mut liveness, &bads);
    Some(Unfit { findings, liveness, blamed })
}

/// Where an operator was written, and the calls that led there.
fn chain(space: &Space, finding: &Finding) -> Vec<(Source, Span)> {
    let node = space.graph.node(finding.node);
    node.map(|node| space.origins.chain(node.origin)).unwrap_or_default()
}

/// The reasons of findings at one place: what they miss, and with which arguments.
fn reason(found: &[&Finding]) -> String {
    let mut missing: IndexMap<(&'static str, Option<&str>), Vec<&str>> = IndexMap::new();
    for Finding { refusal: Refusal { operator, condition, here }, .. } in found {
        let values = missing.entry((operator, condition.as_deref())).or_default();
        if !values.contains(&here.as_str()) {
            values.push(here);
        }
    }
    let shown = |((operator, condition), mut values): ((&'static str, Option<&str>), Vec<&str>)| {
        let more = if values.len() > MOST_VALUES { ", or more" } else { "" };
        values.truncate(MOST_VALUES);
        let (condition, here) = (condition.map(str::to_owned), values.join(", or "));
        Refusal { operator, condition, here: format!("{here}{more}") }.to_string()
    };
    missing.into_iter().map(shown).collect::<Vec<_>>().join("; ")
}

impl Unfit {
    /// The edit that removes what is at one place.
    fn help(&mut self, space: &Space, target: &Target, group: &[usize]) -> Help {
        let blamed = self.blamed.gone.clone();
        let leads = self.blamed_for(group, &blamed);
        let removal = leads.and_then(|(id, gone)| removal(space, id, &gone, &blamed));
        removal.unwrap_or_else(|| {
            let first = group.first().and_then(|&index| self.findings.get(index));
            let words = first.map(|finding| without_candidates(target, &finding.refusal));
            Help::Advice(words.unwrap_or_default())
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
