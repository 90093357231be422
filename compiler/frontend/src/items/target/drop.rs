//! `--drop-unsupported`: a space without the candidates that its target cannot run.

use std::fmt;

use indexmap::IndexMap;
use nas_diagnostics::{Place, Problems};
use nas_ir::verify::verify;
use nas_ir::{Checked, DecisionId, Space};
use nas_passes::restrict;

use super::device::Target;
use super::errors::Unsupported;
use super::support::Refusal;
use super::unsupported::{Unfit, report_unfit, unfit};
use crate::context::Context;

/// A candidate that went, of decisions of one label, for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The space.
    pub space: String,
    /// The path of the first of the decisions.
    pub path: String,
    /// How many decisions there are.
    pub places: usize,
    /// The candidate.
    pub candidate: String,
    /// Why it went.
    pub refusal: Refusal,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Dropped { space, path, places, candidate, refusal } = self;
        write!(f, "{space}: `{path}` goes without `{candidate}`: {refusal}")?;
        match places {
            1 => Ok(()),
            2 => write!(f, " (1 more place)"),
            n => write!(f, " ({} more places)", n - 1),
        }
    }
}

/// The space without the candidates that the target cannot run, and what went; `None` after a
/// report.
pub(crate) fn without_unsupported(
    context: &mut Context<'_, '_>,
    space: Checked<Space>,
    target: &Target,
) -> Option<(Checked<Space>, Vec<Dropped>)> {
    let Some(mut found) = unfit(context, &space, target) else { return Some((space, Vec::new())) };
    let always = found.liveness.conditions.constant(1);
    if found.findings.iter().any(|finding| finding.when == always) {
        found.findings.retain(|finding| finding.when == always);
        report_unfit(context, &space, target, found, None);
        return None;
    }
    if let Some(&id) = found.blamed.hopeless.first() {
        report_emptied(context, &space, target, id);
        return None;
    }
    let gone = found.blamed.gone.clone();
    let went = found.went(&space, &gone);
    // What there is to warn of was said of the whole space.
    let checked = verify(restrict(&space, &gone), &mut Problems::default())?;
    Some((checked, went))
}

/// A decision of which the target runs no candidate.
fn report_emptied(context: &mut Context<'_, '_>, space: &Space, target: &Target, id: DecisionId) {
    let Some(decision) = space.decision(id) else { return };
    let mut chain = space.origins.chain(decision.origin).into_iter();
    let Some((source, span)) = chain.next() else { return };
    let place = Place::new(&source, span, "no candidate would be left")
        .chain(chain.collect())
        .advice("add a candidate that it runs; without `--drop-unsupported` each one is named");
    let reason = format!("it runs no candidate of `{}`", decision.path);
    context.problems.push(Unsupported::at(place, target.name.as_str(), reason));
}

impl Unfit {
    /// What went, one entry for each label, candidate and reason.
    fn went(&mut self, space: &Space, gone: &[(DecisionId, usize)]) -> Vec<Dropped> {
        let mut all: IndexMap<(String, String, Refusal), Dropped> = IndexMap::new();
        for &(id, candidate) in gone {
            let Some(decision) = space.decision(id) else { continue };
            let (Some(refusal), Some(name)) =
                (self.refusal_of((id, candidate)), decision.candidates.get(candidate))
            else {
                continue;
            };
            let key = (decision.label.clone(), name.clone(), refusal.clone());
            let dropped = all.entry(key).or_insert_with(|| Dropped {
                space: space.name.clone(),
                path: decision.path.clone(),
                places: 0,
                candidate: name.clone(),
                refusal,
            });
            dropped.places += 1;
        }
        all.into_values().collect()
    }

    /// The first reason why a candidate goes.
    fn refusal_of(&mut self, choice: (DecisionId, usize)) -> Option<Refusal> {
        let whens: Vec<_> = self.findings.iter().map(|finding| finding.when).collect();
        let first = whens.into_iter().position(|when| self.leads(choice, when))?;
        self.findings.get(first).map(|finding| finding.refusal.clone())
    }
}
