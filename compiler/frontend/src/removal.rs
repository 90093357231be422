//! How to write a space without some candidates of a decision.

use indexmap::IndexMap;
use nas_diagnostics::{Edit, Fix, Help};
use nas_grammar::Source;
use nas_grammar::ast::Span;
use nas_ir::origin::Written;
use nas_ir::{Choice, DecisionId, Space};

/// Candidates, by decision and index; those of outer decisions first.
pub(crate) type Candidates = Vec<(DecisionId, usize)>;

/// The edit that takes candidates from a decision. `blamed` are all candidates that have to go.
pub(crate) fn removal(
    space: &Space,
    id: DecisionId,
    gone: &[usize],
    blamed: &Candidates,
) -> Option<Help> {
    let decision = space.decision(id)?;
    let written = space.origins.written(id)?;
    let source = space.origins.at(decision.origin)?.source;
    let (names, gone) = options(&decision.choice, &decision.candidates, gone);
    let is_gone = |index: &usize| gone.contains(index);
    let listed = gone.iter().filter_map(|&index| names.get(index));
    let listed: Vec<String> = listed.map(|name| format!("`{name}`")).collect();
    let listed = listed.join(" and ");
    let arm = written.get(*gone.first()?)?;
    if !arm.is_arm {
        return Some(without(source, written, &gone, format!("leave {listed} out of the list")));
    }
    let whole = source.at(arm.whole.unwrap_or(arm.span));
    let of_arm = |gone: bool| -> Vec<&Written> {
        let all = written.iter().enumerate();
        all.filter(|(i, w)| w.span == arm.span && is_gone(i) == gone).map(|(_, w)| w).collect()
    };
    let guard = guard(&of_arm(true), &of_arm(false));
    let is_kept_elsewhere = gone
        .first()
        .and_then(|&i| names.get(i))
        .is_some_and(|n| runs_elsewhere(space, id, n, blamed));
    Some(match (guard, arm.guard) {
        (Some(guard), None) => {
            let says = |new: &str| format!("append `{new}` to the candidate");
            Fix::behind(whole, format!(" if {guard}"), says).into()
        }
        (Some(guard), Some(before)) => {
            let before = source.at(before);
            let says = |new: &str| format!("extend the candidate's guard to `if {new}`");
            Fix::replace(before, format!("({}) and {guard}", before.text()), says).into()
        }
        (None, _) if is_kept_elsewhere => Help::advice(format!(
            "append an `if` to candidate {listed} that does not hold in this call"
        )),
        (None, _) => {
            let candidates = if gone.len() > 1 { "candidates" } else { "candidate" };
            without(source, written, &gone, format!("leave the {candidates} {listed} out"))
        }
    })
}

/// The choice without some of what it is among, if each of these was written by itself.
fn without(source: &Source, written: &[Written], gone: &[usize], help: String) -> Help {
    // Whether all goes that was written at a place.
    let mut places: IndexMap<Span, bool> = IndexMap::new();
    for (index, written) in written.iter().enumerate() {
        let Some(whole) = written.whole else { return Help::advice(help) };
        let goes = !written.is_made && gone.contains(&index);
        places.entry(whole).and_modify(|all| *all &= goes).or_insert(goes);
    }
    let spans: Vec<Span> = places.keys().copied().collect();
    let going: Vec<Span> =
        places.iter().filter(|(_, goes)| **goes).map(|(span, _)| *span).collect();
    if going.len() < gone.len() {
        return Help::advice(help);
    }
    if written.iter().all(|written| !written.is_arm) {
        let is_gone = |index: usize| spans.get(index).is_some_and(|span| going.contains(span));
        return Fix::without(source, &spans, is_gone, help).into();
    }
    // Between the candidates of this choice may stand others, which a condition leaves out here.
    let edits = going.into_iter().map(|span| {
        let at = source.at(span);
        Edit::new(at.lines().unwrap_or_else(|| at.with_comma()).span, "")
    });
    let edits: Vec<Edit> = edits.collect();
    let is_apart = edits.iter().zip(edits.iter().skip(1)).all(|(a, b)| a.span.end <= b.span.start);
    if is_apart { Fix::of(source, edits, help).into() } else { Help::advice(help) }
}

/// The names of what a decision chooses among, and which of them go with some candidates: of a
/// choice of several, the options that all these candidates take.
pub(crate) fn options(
    choice: &Choice,
    candidates: &[String],
    gone: &[usize],
) -> (Vec<String>, Vec<usize>) {
    let Choice::Sets { options, .. } = choice else {
        return (candidates.to_vec(), gone.to_vec());
    };
    let sets: Vec<&String> = gone.iter().filter_map(|&index| candidates.get(index)).collect();
    let in_all = |option: &String| sets.iter().all(|set| takes(set, option));
    let members = options.iter().enumerate().filter(|(_, option)| in_all(option));
    (options.clone(), members.map(|(index, _)| index).collect())
}

/// Whether a set, by its name, has an option.
pub(crate) fn takes(set: &str, option: &str) -> bool {
    set.split('+').any(|part| part == option)
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
