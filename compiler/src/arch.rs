//! `arch` items: from the lines of an item to an assignment of the space.

use std::collections::HashMap;

use indexmap::IndexMap;
use nas_grammar::Source;
use nas_grammar::ast::{Arch, ArchChoice, ArchEntry, Expr, ExprKind, Span, TextPart};

use crate::analyse::liveness::Liveness;
use crate::assignment::Assignment;
use crate::check::Checked;
use crate::error::{Place, Problems, diagnostics, nearest};
use crate::ir::{Decision, DecisionId, Space};
use crate::specialise::specialise;

diagnostics! {
    /// A label or a path that no decision has.
    Error UnknownDecision [nas::arch::decision] "`{space}` has no decision `{key}`" { space: String, key: String }
    /// A candidate that the decision does not have.
    Error UnknownCandidate [nas::arch::candidate] "`{decision}` has no candidate `{name}`" { decision: String, name: String }
    /// Another number of candidates than of decisions.
    Error WrongCount [nas::arch::count] "`{label}` stands for {decisions} decisions, {given} given" { label: String, decisions: usize, given: usize }
    /// Decisions that nothing decides.
    Error Undecided [nas::arch::undecided] "{count} decisions of `{space}` are not made: {paths}" { count: usize, space: String, paths: String }
    /// A decision made twice.
    Error DecidedTwice [nas::arch::twice] "`{path}` is decided twice" { path: String }
    /// Something that names no candidate.
    Error NoCandidate [nas::arch::value] "expected the name of a candidate" {}
}

/// The assignment that an `arch` item means, or `None` after a report.
pub(crate) fn assignment(
    arch: &Arch,
    space: &Checked<Space>,
    source: &Source,
    problems: &mut Problems,
) -> Option<Assignment> {
    let mut resolver = Resolver {
        space,
        source,
        problems: Problems::default(),
        assignment: Assignment::first(space),
        decided: HashMap::new(),
    };
    for entry in &arch.entries {
        if let ArchEntry::Choice(choice) = entry {
            resolver.choice(choice);
        }
    }
    resolver.report_undecided(arch.name.span);
    let Resolver { assignment, problems: found, .. } = resolver;
    let is_sound = !found.has_errors();
    problems.extend(found.into_vec());
    is_sound.then_some(assignment)
}

/// Why choices by path do not make an assignment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A path that no decision has.
    #[error("the space has no decision `{0}`")]
    Decision(String),
    /// A candidate that the decision does not have.
    #[error("`{0}` has no candidate `{1}`")]
    Candidate(String, String),
    /// A decision that the others leave reachable, and that is not made.
    #[error("decision `{0}` is not made")]
    Undecided(String),
}

/// The assignment that choices by path make, as result files hold them.
///
/// # Errors
/// The first choice that does not fit the space, or the first decision left open.
pub fn from_choices(
    space: &Checked<Space>,
    choices: &IndexMap<String, String>,
) -> Result<Assignment, Misfit> {
    let mut assignment = Assignment::first(space);
    for (path, name) in choices {
        let found = space.decision_ids().find(|(_, decision)| decision.path == *path);
        let (id, decision) = found.ok_or_else(|| Misfit::Decision(path.clone()))?;
        let index = decision.candidates.iter().position(|candidate| candidate == name);
        let index = index.ok_or_else(|| Misfit::Candidate(path.clone(), name.clone()))?;
        assignment.set(id, index);
    }
    let made = specialise(space, &assignment).choices;
    match made.into_iter().find(|(path, _)| !choices.contains_key(path)) {
        Some((path, _)) => Err(Misfit::Undecided(path)),
        None => Ok(assignment),
    }
}

struct Resolver<'s> {
    space: &'s Checked<Space>,
    source: &'s Source,
    problems: Problems,
    assignment: Assignment,
    /// Where each decision was made.
    decided: HashMap<DecisionId, Span>,
}

impl Resolver<'_> {
    fn choice(&mut self, choice: &ArchChoice) {
        let key = choice.key.name.as_str();
        let matching: Vec<(DecisionId, Decision)> = self
            .space
            .decision_ids()
            .filter(|(_, d)| if choice.quoted { d.path == key } else { d.label == key })
            .map(|(id, decision)| (id, decision.clone()))
            .collect();
        if matching.is_empty() {
            let known = self.space.decisions.iter();
            let names: Vec<&str> =
                known.map(|d| if choice.quoted { &*d.path } else { &*d.label }).collect();
            let help = match (nearest(key, names.iter().copied()), names.first()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(first)) => {
                    format!("its decisions are called `{first}` and so on; `nasc show` lists them")
                }
                (None, None) => "it has no decisions at all".to_owned(),
            };
            let place = Place::new(self.source, choice.key.span, "no such decision").help(help);
            self.problems.push(UnknownDecision::at(place, self.space.name.as_str(), key));
            return;
        }
        let given: Vec<&Expr> = match &choice.value.kind {
            ExprKind::List(values) if !choice.quoted => values.iter().collect(),
            _ => vec![&choice.value],
        };
        let chosen = if given.len() == matching.len() {
            matching.clone()
        } else {
            self.reachable(matching.clone(), &given)
        };
        if chosen.len() != given.len() {
            let place = Place::new(self.source, choice.value.span, format!("{} here", given.len()))
                .help(format!("give {} candidates, in order of appearance", matching.len()));
            self.problems.push(WrongCount::at(place, key, matching.len(), given.len()));
            // What is wrong with this line is said; its decisions need no second report.
            for (id, _) in matching {
                self.decided.entry(id).or_insert(choice.key.span);
            }
            return;
        }
        for ((id, decision), value) in chosen.into_iter().zip(given) {
            self.decide(id, &decision, value);
        }
    }

    /// The decisions that those before them leave reachable, each decided by the next value.
    fn reachable(
        &self,
        matching: Vec<(DecisionId, Decision)>,
        given: &[&Expr],
    ) -> Vec<(DecisionId, Decision)> {
        let Ok(liveness) = Liveness::of(self.space) else { return matching };
        let mut assignment = self.assignment.clone();
        let mut values = given.iter();
        matching
            .into_iter()
            .filter(|(id, decision)| {
                let condition = liveness.decision(*id);
                let alive = condition.and_then(|c| liveness.conditions.value(c, &assignment));
                if alive != Some(&true) {
                    return false;
                }
                let name = values.next().and_then(|value| candidate_name(value));
                let index = name.and_then(|n| decision.candidates.iter().position(|c| *c == n));
                assignment.set(*id, index.unwrap_or(0));
                true
            })
            .collect()
    }

    fn decide(&mut self, id: DecisionId, decision: &Decision, value: &Expr) {
        if let Some(first) = self.decided.insert(id, value.span) {
            let place = Place::new(self.source, value.span, "again here")
                .label(first, "first here")
                .help("remove one of them");
            self.problems.push(DecidedTwice::at(place, decision.path.as_str()));
        }
        let Some(name) = candidate_name(value) else {
            let place = Place::new(self.source, value.span, "not a name")
                .help(format!("candidates are {}", decision.candidates.join(", ")));
            self.problems.push(NoCandidate::at(place));
            return;
        };
        match decision.candidates.iter().position(|candidate| *candidate == name) {
            Some(index) => self.assignment.set(id, index),
            None => {
                let candidates = decision.candidates.iter().map(String::as_str);
                let help = match nearest(&name, candidates) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("candidates are {}", decision.candidates.join(", ")),
                };
                let place = Place::new(self.source, value.span, "no such candidate").help(help);
                self.problems.push(UnknownCandidate::at(place, decision.path.as_str(), name));
            }
        }
    }

    fn report_undecided(&mut self, span: Span) {
        let missing: Vec<(DecisionId, &Decision)> =
            self.space.decision_ids().filter(|(id, _)| !self.decided.contains_key(id)).collect();
        if missing.is_empty() {
            return;
        }
        let liveness = Liveness::of(self.space).ok();
        let paths: Vec<&str> = missing
            .into_iter()
            .filter(|(id, _)| {
                let Some(liveness) = &liveness else { return true };
                let condition = liveness.decision(*id);
                condition.and_then(|c| liveness.conditions.value(c, &self.assignment))
                    == Some(&true)
            })
            .map(|(_, decision)| decision.path.as_str())
            .collect();
        if let Some(first) = paths.first() {
            let place = Place::new(self.source, span, "incomplete")
                .help(format!("add a line such as `\"{first}\" = …`"));
            let shown: Vec<&str> = paths.iter().take(5).copied().collect();
            let more = if paths.len() > 5 { ", …" } else { "" };
            let listed = format!("{}{more}", shown.join(", "));
            self.problems.push(Undecided::at(place, paths.len(), self.space.name.as_str(), listed));
        }
    }
}

/// The candidate that an expression names: a name, a number or a string as written.
fn candidate_name(value: &Expr) -> Option<String> {
    match &value.kind {
        ExprKind::Name(name) | ExprKind::Number(name) => Some(name.clone()),
        ExprKind::Text(parts) => match parts.as_slice() {
            [TextPart::Literal(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
