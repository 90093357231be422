//! Problems that arise in some networks only. What is wrong in several cases of one value is one
//! report: its title says when the first of them arises, its help names all candidates that lead to
//! one of them.

use indexmap::IndexMap;
use miette::LabeledSpan;
use nas_diagnostics::{Help, Reported, in_some_networks};
use nas_grammar::Problem;
use nas_ir::diagram::Diagram;
use nas_ir::{Choice, DecisionId};

use super::elaborator::Partial;
use super::elaborator::{Elaborator, Guard};
use crate::removal::{options, removal, takes};

impl Elaborator<'_, '_> {
    /// In which case an error arises, as the end of its title: ", with `kernel = 5` in unit.3".
    fn circumstances(&mut self) -> String {
        let is_outer = |guard: &Guard| matches!(guard, Guard::Candidate(..));
        if self.guards.iter().all(is_outer) {
            return String::new();
        }
        let context = self.context(is_outer);
        let condition = self.context(|guard| !is_outer(guard));
        let choices = self.space.selectors.explain(context, condition).unwrap_or_default();
        let mut by_place: IndexMap<&str, Vec<String>> = IndexMap::new();
        for (id, candidate) in choices.into_iter().rev() {
            let Some(decision) = self.space.decision(id) else { continue };
            let name = decision.candidates.get(candidate).map_or("", String::as_str);
            let inside = decision.path.rsplit_once('/').map_or("", |(outer, _)| outer);
            by_place.entry(inside).or_default().push(format!("`{} = {name}`", decision.label));
        }
        let words = by_place.into_iter().map(|(inside, choices)| match inside {
            "" => choices.join(" and "),
            inside => format!("{} in {inside}", choices.join(" and ")),
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { String::new() } else { format!(", with {}", words.join(" and ")) }
    }

    /// Reports a problem of what is elaborated under the guards that there are.
    pub(super) fn report_here(&mut self, problem: Problem) -> Reported {
        let is_value = |guard: &Guard| matches!(guard, Guard::Value(..));
        if self.guards.iter().any(is_value) {
            return self.report_case(problem);
        }
        self.report_partial();
        let with = self.circumstances();
        self.problems.error(match with.as_str() {
            "" => problem,
            _ => in_some_networks(problem, with, None),
        })
    }

    /// Notes a problem of one case of a value; [`Elaborator::finish`] reports it at the latest.
    fn report_case(&mut self, problem: Problem) -> Reported {
        let is_value = |guard: &Guard| matches!(guard, Guard::Value(..));
        let context = self.context(|guard| !is_value(guard));
        let wrong = self.context(|_| true);
        let code = problem.code().map(|code| code.to_string()).unwrap_or_default();
        let at = problem.labels().and_then(|mut labels| labels.next());
        let key = (code, at.map_or(0, |label| label.offset()), self.caller);
        let selectors = &mut self.space.selectors;
        if let Some(known) = self.partial.iter_mut().find(|partial| partial.key == key) {
            known.context = selectors.or(known.context, context);
            known.wrong = selectors.or(known.wrong, wrong);
            return Reported::elsewhere();
        }
        let (with, file) = (self.circumstances(), self.source().name().to_owned());
        self.partial.push(Partial { key, problem, with, file, context, wrong });
        Reported::elsewhere()
    }

    /// Reports what was noted of cases.
    pub(super) fn report_partial(&mut self) {
        for partial in std::mem::take(&mut self.partial) {
            let cure = self.removal(&partial);
            let Partial { problem, with, .. } = partial;
            self.problems.push(in_some_networks(problem, with, cure));
        }
    }

    /// The edit that takes the candidates away with which values are wrong, and its place, if that
    /// is in the same file.
    fn removal(&mut self, partial: &Partial) -> Option<(Help, Option<LabeledSpan>)> {
        let (id, gone) = self.guilty(partial.context, partial.wrong)?;
        let blamed = gone.iter().map(|&candidate| (id, candidate)).collect();
        let help = removal(&self.space, id, &gone, &blamed)?;
        let decision = self.space.decision(id)?;
        let (names, gone) = options(&decision.choice, &decision.candidates, &gone);
        let named: Vec<String> =
            gone.iter().filter_map(|&i| Some(format!("`{}`", names.get(i)?))).collect();
        let is_same_file = || {
            let source = self.space.origin(decision.origin)?.source;
            Some(self.space.origins.sources.get(source)?.name() == partial.file)
        };
        let written = self.space.origins.written(id)?.get(*gone.first()?)?.span;
        let mut labels = partial.problem.labels()?;
        let is_shown = labels.any(|label| {
            let (start, end) = (label.offset(), label.offset() + label.len());
            start <= written.range().start && written.range().end <= end
        });
        let words = format!(
            "{} stand{} here",
            named.join(" and "),
            if named.len() == 1 { "s" } else { "" }
        );
        let label = LabeledSpan::new_with_span(Some(words), written);
        Some((help, (!is_shown && is_same_file() == Some(true)).then_some(label)))
    }

    /// The decision with some candidates of which values are wrong, whatever else is decided, and
    /// with the others right; the first one if there are several.
    fn guilty(&mut self, context: Diagram, wrong: Diagram) -> Option<(DecisionId, Vec<usize>)> {
        let never = self.space.selectors.constant(0);
        let not_wrong = self.space.selectors.rename(wrong, &|holds| u32::from(holds == 0));
        let right = self.space.selectors.and(context, not_wrong);
        if right == never {
            return None;
        }
        let decisions = self.space.selectors.decisions(wrong);
        decisions.into_iter().find_map(|id| {
            let decision = self.space.decisions.get(id.index())?;
            let selectors = &mut self.space.selectors;
            let mut gone = Vec::new();
            for candidate in 0..decision.candidates.len() {
                let choice = [(id, candidate)];
                let is_wrong = selectors.given(wrong, &choice) != never;
                if is_wrong && selectors.given(right, &choice) != never {
                    return None;
                }
                gone.extend(is_wrong.then_some(candidate));
            }
            let can_go = gone.len() < decision.candidates.len()
                && is_removable(&decision.choice, &decision.candidates, &gone);
            can_go.then_some((id, gone))
        })
    }
}

/// Whether these candidates go, and no others, if something is taken from what is chosen among: of
/// a choice of several, one option goes with all sets that take it.
fn is_removable(choice: &Choice, candidates: &[String], gone: &[usize]) -> bool {
    let Choice::Sets { options: all, take } = choice else { return true };
    let (_, options) = options(choice, candidates, gone);
    let [option] = options.as_slice() else { return false };
    let Some(option) = all.get(*option) else { return false };
    all.len() > *take && candidates.iter().filter(|set| takes(set, option)).count() == gone.len()
}
