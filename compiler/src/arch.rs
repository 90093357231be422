//! `arch` items: from the lines of an item to an assignment of the space.

use std::collections::HashMap;

use indexmap::IndexMap;
use nas_grammar::Source;
use nas_grammar::ast::{Arch, ArchChoice, ArchEntry, Element, Expr, ExprKind, Span, TextPart};

use crate::analyse::liveness::Liveness;
use crate::assignment::Assignment;
use crate::check::Checked;
use crate::elaborate::number;
use crate::error::{Place, Problems, diagnostics};
use crate::ir::{Choice, Decision, DecisionId, Space};
use crate::names::{did_you_mean, listed};
use crate::specialise::specialise;

diagnostics! {
    /// A label or a path that no decision has.
    Error UnknownDecision [nas::arch::decision] "`{space}` has no decision `{key}`" { space: String, key: String }
    /// A candidate that the decision does not have.
    Error UnknownCandidate [nas::arch::candidate] "`{decision}` has no candidate `{name}`" { decision: String, name: String }
    /// Another number of candidates than of decisions.
    Error WrongCount [nas::arch::count] "`{label}` stands for {decisions}, and {given} given" { label: String, decisions: String, given: String }
    /// Decisions that nothing decides.
    Error Undecided [nas::arch::undecided] "{decisions} of `{space}` {verb} not made: {paths}" { decisions: String, space: String, verb: String, paths: String }
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
    // What a line with a fault in it was to decide is not known.
    if !resolver.problems.has_errors() {
        resolver.report_undecided(arch.name.span);
    }
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
            self.unknown_decision(choice);
            return;
        }
        let Some(given) = self.given(choice) else { return };
        let chosen = if given.len() == matching.len() {
            matching.clone()
        } else {
            self.reachable(matching.clone(), &given)
        };
        if chosen.len() != given.len() {
            self.wrong_count(choice, &matching, given.len());
            return;
        }
        for ((id, decision), value) in chosen.into_iter().zip(given) {
            self.decide(id, &decision, value);
        }
    }

    /// The candidates that a line gives.
    fn given<'c>(&mut self, choice: &'c ArchChoice) -> Option<Vec<&'c Expr>> {
        let elements = match &choice.value.kind {
            ExprKind::List(elements) if !choice.quoted => elements,
            _ => return Some(vec![&choice.value]),
        };
        let mut given = Vec::new();
        for element in elements {
            match element {
                Element::Value(value) => given.push(value),
                Element::For(_, _, span) => {
                    let place = Place::new(self.source, *span, "not a name");
                    let place = place.help("write the candidates one by one");
                    self.problems.push(NoCandidate::at(place));
                    return None;
                }
            }
        }
        Some(given)
    }

    fn unknown_decision(&mut self, choice: &ArchChoice) {
        let key = choice.key.name.as_str();
        let mut known: Vec<&str> = Vec::new();
        for decision in &self.space.decisions {
            let name = if choice.quoted { &*decision.path } else { &*decision.label };
            if !known.contains(&name) {
                known.push(name);
            }
        }
        let help = match known.as_slice() {
            [] => "the space has no decisions at all; remove this line".to_owned(),
            known if choice.quoted => did_you_mean(key, known, "its decisions are"),
            known => did_you_mean(key, known, "its decisions are labelled"),
        };
        let place = Place::new(self.source, choice.key.span, "no such decision").help(help);
        self.problems.push(UnknownDecision::at(place, self.space.name.as_str(), key));
    }

    fn wrong_count(
        &mut self,
        choice: &ArchChoice,
        matching: &[(DecisionId, Decision)],
        given: usize,
    ) {
        let paths: Vec<&str> = matching.iter().map(|(_, d)| d.path.as_str()).collect();
        let help = format!("give one candidate for each, in this order: {}", listed(&paths));
        let place = Place::new(self.source, choice.value.span, format!("{given} here")).help(help);
        let given = if given == 1 { "1 is".to_owned() } else { format!("{given} are") };
        let decisions = decisions(matching.len());
        self.problems.push(WrongCount::at(place, choice.key.name.as_str(), decisions, given));
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
                if alive != Some(&1) {
                    return false;
                }
                let name = values.next().and_then(|value| candidate_name(value, decision));
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
        let Some(name) = candidate_name(value, decision) else {
            let place = Place::new(self.source, value.span, "not a name")
                .help(format!("write one of {}", listed(&decision.candidates)));
            self.problems.push(NoCandidate::at(place));
            return;
        };
        match decision.candidates.iter().position(|candidate| *candidate == name) {
            Some(index) => self.assignment.set(id, index),
            None => {
                let help = match &decision.choice {
                    Choice::Sets { options, take } => {
                        format!("write a list of {take} of {}, in this order", listed(options))
                    }
                    Choice::Parts | Choice::Values | Choice::Elastic => {
                        did_you_mean(&name, &decision.candidates, "its candidates are")
                    }
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
        let missing: Vec<&Decision> = missing
            .into_iter()
            .filter(|(id, _)| {
                let Some(liveness) = &liveness else { return true };
                let condition = liveness.decision(*id);
                condition.and_then(|c| liveness.conditions.value(c, &self.assignment)) == Some(&1)
            })
            .map(|(_, decision)| decision)
            .collect();
        let Some(first) = missing.first() else { return };
        let candidate = first.candidates.first().map_or("…", String::as_str);
        let line = format!("`\"{}\" = {}`", first.path, as_written(candidate));
        let help = if missing.len() == 1 {
            format!("add the line {line}")
        } else {
            format!("add a line for each, such as {line}")
        };
        let place = Place::new(self.source, span, "incomplete").help(help);
        let paths: Vec<&str> = missing.iter().take(5).map(|d| d.path.as_str()).collect();
        let more = if missing.len() > 5 { ", …" } else { "" };
        let listed = format!("{}{more}", paths.join(", "));
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let space = self.space.name.as_str();
        self.problems.push(Undecided::at(place, decisions(missing.len()), space, verb, listed));
    }
}

/// "1 decision", "2 decisions".
fn decisions(count: usize) -> String {
    format!("{count} decision{}", if count == 1 { "" } else { "s" })
}

/// A candidate as an `arch` item names it: in quotes where it is neither a name nor a number.
fn as_written(candidate: &str) -> String {
    let is_word = candidate.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word { candidate.to_owned() } else { format!("\"{candidate}\"") }
}

/// The candidate that an expression names: a name, a number or a string as written; a list of
/// those for a set.
fn candidate_name(value: &Expr, decision: &Decision) -> Option<String> {
    match (&value.kind, &decision.choice) {
        (ExprKind::List(elements), Choice::Sets { .. }) => {
            let names = elements.iter().map(|element| match element {
                Element::Value(value) => option_name(value),
                Element::For(..) => None,
            });
            names.collect::<Option<Vec<String>>>().map(|names| names.join("+"))
        }
        _ => option_name(value),
    }
}

fn option_name(value: &Expr) -> Option<String> {
    match &value.kind {
        // As the value is printed that it names: 1.0 is the candidate 1.
        ExprKind::Number(literal) => {
            Some(number(literal).map_or_else(|| literal.clone(), |value| value.to_string()))
        }
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Text(parts) => match parts.as_slice() {
            [TextPart::Literal(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}
