//! What the network costs that holds all candidates at once.

use std::collections::BTreeSet;

use super::owners::{Candidate, owners};
use crate::check::Checked;
use crate::diagram::Selectors;
use crate::ir::operation::Operation;
use crate::ir::{Choice, NodeKind, Space};
use crate::network::Cost;

/// The supernet of a space: all candidates with their own weights, evaluated side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supernet {
    /// For each decision and candidate, what is there for this candidate alone; the candidates of
    /// decisions inside it included.
    pub candidates: Vec<Vec<Cost>>,
    /// What is there whatever the decisions.
    pub fixed: Cost,
    /// All weights, and the multiply-accumulates of a forward pass through all candidates.
    pub total: Cost,
}

impl Supernet {
    /// The supernet of a space.
    #[must_use]
    pub fn of(space: &Checked<Space>) -> Self {
        let widths = space.decisions.iter().map(|decision| decision.candidates.len());
        let mut supernet = Self {
            candidates: widths.map(|width| vec![Cost::default(); width]).collect(),
            fixed: Cost::default(),
            total: Cost::default(),
        };
        let mut selectors = space.selectors.clone();
        for ((_, node), owners) in space.graph.nodes().zip(owners(space)) {
            let NodeKind::Op(op) = &node.kind else { continue };
            let mut cost = cost(space, &Operation::of(space, node, op), &mut selectors);
            if owners.is_none() {
                // Held, but never evaluated.
                cost.macs = 0;
            }
            supernet.add(cost, owners.unwrap_or_default());
        }
        supernet
    }

    fn add(&mut self, cost: Cost, owners: BTreeSet<Candidate>) {
        self.total += cost;
        if owners.is_empty() {
            self.fixed += cost;
        }
        for (decision, candidate) in owners {
            let row = self.candidates.get_mut(decision.index());
            if let Some(slot) = row.and_then(|row| row.get_mut(candidate)) {
                *slot += cost;
            }
        }
    }

    /// The architecture parameters of a search by gradient: one for each candidate.
    #[must_use]
    pub fn architecture_params(&self) -> usize {
        self.candidates.iter().map(Vec::len).sum()
    }
}

/// What an operator costs in all of its cases. Those between which only elastic decisions choose
/// have the weights of the largest in common.
fn cost(space: &Space, operation: &Operation<'_>, selectors: &mut Selectors) -> Cost {
    if let Some((op, inputs, output)) = operation.fixed() {
        return Cost::of(op, &inputs, output);
    }
    let always = selectors.constant(1);
    let cases = operation.cases(selectors, always);
    let decisions = selectors.decisions(cases.selector);
    let mut decisions = decisions.iter().filter_map(|&id| space.decision(id));
    let is_shared = decisions.all(|decision| decision.choice == Choice::Elastic);
    let costs = operation.combinations(&cases);
    costs.fold(Cost::default(), |sum, (op, inputs, output)| {
        let Cost { macs, params } = Cost::of(op, &inputs, output);
        let macs = sum.macs.saturating_add(macs);
        let params =
            if is_shared { sum.params.max(params) } else { sum.params.saturating_add(params) };
        Cost { macs, params }
    })
}
