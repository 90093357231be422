//! From the lines of an `arch` item to an assignment.

use std::collections::HashMap;

use indexmap::IndexMap;
use nas_diagnostics::{Place, Problems, listed};
use nas_grammar::Source;
use nas_grammar::ast::{Arch, ArchChoice, ArchEntry, Span};
use nas_ir::{Assignment, Checked, Decision, DecisionId, Space};

use super::drift::{self, Fate};
use super::errors::{DecidedTwice, NoCandidate};
use super::given::{self, Given, Reader};

/// A line of an item, and the decisions that it makes; none if the space has none of its name.
pub(super) struct Line<'a> {
    pub(super) choice: &'a ArchChoice,
    pub(super) given: Vec<Given>,
    pub(super) decisions: Vec<DecisionId>,
}

pub(super) struct Resolver<'s> {
    pub(super) space: &'s Checked<Space>,
    pub(super) source: &'s Source,
    pub(super) problems: Problems,
    pub(super) assignment: Assignment,
    pub(super) by_path: HashMap<&'s str, DecisionId>,
    pub(super) by_label: IndexMap<&'s str, Vec<DecisionId>>,
    /// Whether some line is about the decision; one row per decision.
    pub(super) is_claimed: Vec<bool>,
    /// Where each decision was made.
    pub(super) decided: HashMap<DecisionId, Span>,
    /// Candidates that decisions do not have.
    pub(super) unknown: Vec<(DecisionId, String, Span)>,
    /// Whether it is not known what some line was to decide.
    pub(super) is_unclear: bool,
}

impl<'s> Resolver<'s> {
    pub(super) fn new(space: &'s Checked<Space>, source: &'s Source) -> Self {
        let mut by_label: IndexMap<&str, Vec<DecisionId>> = IndexMap::new();
        for (id, decision) in space.decision_ids() {
            by_label.entry(&decision.label).or_default().push(id);
        }
        Self {
            space,
            source,
            problems: Problems::default(),
            assignment: space.first_assignment(),
            by_path: space.decision_ids().map(|(id, d)| (d.path.as_str(), id)).collect(),
            by_label,
            is_claimed: vec![false; space.decisions.len()],
            decided: HashMap::new(),
            unknown: Vec::new(),
            is_unclear: false,
        }
    }

    pub(super) fn decision(&self, id: DecisionId) -> Option<&'s Decision> {
        let space: &'s Space = self.space;
        space.decision(id)
    }

    pub(super) fn decisions(&self, ids: &[DecisionId]) -> impl Iterator<Item = &'s Decision> {
        ids.iter().filter_map(|id| self.decision(*id))
    }

    pub(super) fn claim(&mut self, ids: &[DecisionId]) {
        for id in ids {
            self.is_claimed.get_mut(id.index()).into_iter().for_each(|slot| *slot = true);
        }
    }

    pub(super) fn is_open(&self, id: DecisionId) -> bool {
        self.is_claimed.get(id.index()) == Some(&false)
    }

    /// The labels that no line uses, with their decisions.
    pub(super) fn open_labels(&self) -> impl Iterator<Item = (&'s str, &[DecisionId])> {
        let is_open = |ids: &[DecisionId]| ids.iter().all(|id| self.is_open(*id));
        let labels = self.by_label.iter().map(|(label, ids)| (*label, ids.as_slice()));
        labels.filter(move |(_, ids)| is_open(ids))
    }

    /// Whether a decision makes a difference after those that are made.
    pub(super) fn is_alive(&self, id: DecisionId, assignment: &Assignment) -> bool {
        // What is too entangled to say may matter.
        let Ok(liveness) = self.space.liveness() else { return true };
        *liveness.conditions.value(liveness.decision(id), assignment) == 1
    }

    /// Whether it does in the space as it was written.
    pub(super) fn was_alive(&self, id: DecisionId, assignment: &Assignment) -> bool {
        match self.space.mattered.get(id.index()) {
            Some(&condition) => *self.space.selectors.value(condition, assignment) == 1,
            None => self.is_alive(id, assignment),
        }
    }

    pub(super) fn read<'a>(
        &mut self,
        arch: &'a Arch,
        reader: &mut Reader<'_, '_>,
    ) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        for entry in &arch.entries {
            let ArchEntry::Choice(choice) = entry else { continue };
            let key = choice.key.name.as_str();
            let decisions = if choice.quoted {
                self.by_path.get(key).copied().into_iter().collect()
            } else {
                self.by_label.get(key).cloned().unwrap_or_default()
            };
            self.claim(&decisions);
            let words = given::words(self.decisions(&decisions), &self.space.origins);
            match reader.line(choice, &words, &mut self.problems) {
                Some(given) => lines.push(Line { choice, given, decisions }),
                None => self.is_unclear = true,
            }
        }
        lines
    }

    /// Finds out what became of the decisions that the space does not have, and reports it. What
    /// only has another name is decided as if it was said so.
    pub(super) fn find_lost<'a>(&mut self, lines: Vec<Line<'a>>) -> Vec<Line<'a>> {
        let (lost, mut found): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| line.decisions.is_empty());
        let (paths, labels): (Vec<_>, Vec<_>) =
            lost.into_iter().partition(|line| line.choice.quoted);
        found.extend(self.lost_paths(paths));
        found.extend(labels.into_iter().filter_map(|line| self.lost_label(line)));
        found
    }

    pub(super) fn lost_paths<'a>(&mut self, lines: Vec<Line<'a>>) -> Vec<Line<'a>> {
        let given: Vec<_> = lines
            .iter()
            .filter_map(|line| Some((line.choice.key.name.as_str(), &line.given.first()?.value)))
            .collect();
        let fates = drift::fates(self.space, &given, |id| self.is_open(id));
        let (mut moved, mut gone, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for (line, fate) in lines.into_iter().zip(fates) {
            match fate {
                Fate::Became(id) => {
                    moved.extend(self.decision(id).map(|d| (&line.choice.key, d.path.as_str())));
                    self.claim(&[id]);
                    found.push(Line { decisions: vec![id], ..line });
                }
                Fate::Gone => gone.push(line.choice),
                Fate::Within => {}
            }
        }
        self.report_moved(&moved);
        self.report_gone(&gone);
        found
    }

    pub(super) fn lost_label<'a>(&mut self, line: Line<'a>) -> Option<Line<'a>> {
        let key = &line.choice.key;
        if !self.problems.has_room() {
            return None;
        }
        let given: Vec<_> = line.given.iter().map(|given| &given.value).collect();
        let open = self.open_labels().map(|(label, ids)| (label, self.decisions(ids).collect()));
        let Some(label) = drift::relabelled(&key.name, &given, open) else {
            self.report_lost_label(line.choice);
            return None;
        };
        let decisions = self.by_label.get(label).cloned().unwrap_or_default();
        self.report_moved(&[(key, label)]);
        self.claim(&decisions);
        Some(Line { decisions, ..line })
    }

    /// Lines that may be short because of what others decide come after those.
    pub(super) fn decide_all(&mut self, lines: Vec<Line<'_>>) {
        let (sure, mut others): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| line.given.len() == line.decisions.len());
        others.sort_by_key(|line| line.decisions.first().copied());
        for line in sure {
            self.decide_line(&line.decisions, line.given);
        }
        for line in others {
            // An item is of the space as it was written; a decision that candidates which went leave
            // nothing to decide may be left out.
            let written = self.reachable(&line, Self::was_alive);
            let left = self.reachable(&line, Self::is_alive);
            let count = line.given.len();
            match [&written, &left].into_iter().find(|chosen| chosen.len() == count) {
                Some(chosen) => self.decide_line(chosen, line.given),
                // After a decision that is not known, it is not known which ones are reachable.
                None if !self.unknown.is_empty() => self.is_unclear = true,
                None => self.wrong_count(&line, &written),
            }
        }
    }

    pub(super) fn decide_line(&mut self, decisions: &[DecisionId], given: Vec<Given>) {
        for (id, given) in decisions.iter().zip(given) {
            self.decide(*id, &given);
        }
    }

    /// The decisions of a line that make a difference after those before them, each decided by the
    /// next value.
    pub(super) fn reachable(
        &self,
        line: &Line<'_>,
        is_alive: fn(&Self, DecisionId, &Assignment) -> bool,
    ) -> Vec<DecisionId> {
        let mut assignment = self.assignment.clone();
        let mut values = line.given.iter();
        let mut reachable = line.decisions.clone();
        reachable.retain(|id| {
            let is_alive = is_alive(self, *id, &assignment);
            if is_alive {
                let given = values.next().zip(self.decision(*id));
                let index = given.and_then(|(given, d)| given::candidate(&given.value, d));
                assignment.set(*id, index.unwrap_or(0));
            }
            is_alive
        });
        reachable
    }

    pub(super) fn decide(&mut self, id: DecisionId, given: &Given) {
        let Some(decision) = self.decision(id) else { return };
        if let Some(first) = self.decided.insert(id, given.span) {
            let place = Place::new(self.source, given.span, "again here")
                .label(first, "first here")
                .advice("remove one of them");
            self.problems.push(DecidedTwice::at(place, decision.path.as_str()));
            self.is_unclear = true;
        }
        let Some(name) = given::candidate_name(&given.value, decision) else {
            let place = Place::new(self.source, given.span, "not a name")
                .advice(format!("write one of {}", listed(&decision.candidates)));
            self.problems.push(NoCandidate::at(place));
            self.is_unclear = true;
            return;
        };
        match decision.candidates.iter().position(|candidate| *candidate == name) {
            Some(index) => self.assignment.set(id, index),
            None => self.unknown.push((id, name, given.span)),
        }
    }
}
