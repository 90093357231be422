//! What the network costs that holds all candidates at once.

use std::collections::BTreeSet;

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::liveness::Liveness;
use nas_ir::operation::{Case, Operation, WeightGroup};
use nas_ir::ops::Weight;
use nas_ir::{
    Checked, Cost, DecisionId, IdVec, NodeId, NodeKind, Pick, Precision, Space, Varied, fault,
};

use super::owners::owners;

/// The supernet of a space: all candidates with their own weights, evaluated side by side. A search
/// has no train outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supernet {
    /// For each decision and candidate, what is there for this candidate alone; the candidates of
    /// decisions inside it included. Of a value, what is computed with it, and the weights that no
    /// other value has.
    pub candidates: IdVec<DecisionId, Vec<Cost>>,
    /// What is there whatever the decisions.
    pub fixed: Cost,
    /// All weights, and the multiply-accumulates of a forward pass through all candidates.
    pub total: Cost,
}

impl Supernet {
    /// The supernet of a space.
    #[must_use]
    pub fn of(space: &Checked<Space>) -> Self {
        let mut supernet = Self {
            candidates: space.widths().map(|&width| vec![Cost::default(); width]),
            fixed: Cost::default(),
            total: Cost::default(),
        };
        let (mut selectors, alive) = conditions(space);
        let (owners, train_only) = (owners(space), space.graph.train_only());
        for (id, node) in space.graph.nodes() {
            let NodeKind::Op(op) = &node.kind else { continue };
            if train_only[id] {
                continue;
            }
            let operation = Operation::of(space, node, op);
            let precision = node.precision.as_ref().filter(|_| op.has_kernel());
            let all = costs(space, (&operation, precision), &mut selectors, alive[id]);
            for (mut cost, mut picks) in all {
                match &owners[id] {
                    Some(owners) => picks.extend(owners),
                    // It is held, but never evaluated.
                    None => cost.macs = 0,
                }
                supernet.add(cost, picks);
            }
        }
        supernet
    }

    fn add(&mut self, cost: Cost, picks: BTreeSet<Pick>) {
        self.total += cost;
        if picks.is_empty() {
            self.fixed += cost;
        }
        for (decision, candidate) in picks {
            let slot = self.candidates[decision].get_mut(candidate);
            *slot.unwrap_or_else(|| fault("a pick of no candidate")) += cost;
        }
    }

    /// The architecture parameters of a search by gradient: one for each candidate.
    #[must_use]
    pub fn architecture_params(&self) -> usize {
        self.candidates.rows().iter().map(Vec::len).sum()
    }
}

/// When each node is part of the network; always, where the decisions are too entangled to say. Then
/// cases may be counted that no network has.
fn conditions(space: &Checked<Space>) -> (Selectors, IdVec<NodeId, Diagram>) {
    space.whole_liveness().and_then(Liveness::into_nodes).unwrap_or_else(|_| {
        let mut selectors = space.selectors.clone();
        let always = selectors.constant(1);
        (selectors, space.graph.table(always))
    })
}

const NO_CASE: &str = "weights of no case";

/// What an operator costs in all of its cases where the node is `alive`, each part with the picks
/// without which it is not there; what cases have in common is held once. Each precision is evaluated for itself.
fn costs(
    space: &Space,
    (operation, precision): (&Operation<'_>, Option<&Varied<Precision>>),
    selectors: &mut Selectors,
    alive: Diagram,
) -> Vec<(Cost, BTreeSet<Pick>)> {
    let precision = precision.and_then(Varied::selector);
    if let (Some((op, inputs, output)), None) = (operation.fixed(), precision) {
        return vec![(Cost::of(op, &inputs, output), BTreeSet::new())];
    }
    let joint = operation.cases(selectors, alive);
    let cases: Vec<Case<'_>> = operation.combinations(&joint).collect();
    let of_cases = |selectors: &mut Selectors, selector: Diagram, count: usize| {
        let implied = (0..count as u32).map(|index| {
            let holds = selectors.is(selector, index);
            selectors.implied(holds)
        });
        implied.collect::<Vec<BTreeSet<Pick>>>()
    };
    let picks = of_cases(selectors, joint.selector, cases.len());
    let precision = precision.unwrap_or_else(|| selectors.constant(0));
    let evaluated = selectors.joint(alive, &[joint.selector, precision]);
    let picks_evaluated = of_cases(selectors, evaluated.selector, evaluated.combinations.len());
    let macs = evaluated.combinations.iter().zip(picks_evaluated).map(|(row, picks)| {
        let case = row.first().and_then(|&case| cases.get(case as usize));
        let (op, inputs, output) = case.unwrap_or_else(|| fault(NO_CASE));
        let Cost { macs, .. } = Cost::of(op, inputs, *output);
        (Cost { macs, params: 0 }, picks)
    });
    let params = operation.weight_groups(space, selectors, &joint).into_iter().map(|group| {
        let case = |&case: &usize| cases.get(case).unwrap_or_else(|| fault(NO_CASE));
        let members = group.cases.iter().map(case);
        let common = WeightGroup::common(members.map(|(op, inputs, _)| op.weights(inputs)));
        let trainable = common.iter().filter(|weight| weight.role.is_trainable());
        let params = trainable.map(Weight::elements).fold(0, u64::saturating_add);
        let picks_of = |&case: &usize| picks.get(case).unwrap_or_else(|| fault(NO_CASE)).clone();
        let picks = group.cases.iter().map(picks_of);
        let common = picks.reduce(|a, b| a.intersection(&b).copied().collect());
        (Cost { macs: 0, params }, common.unwrap_or_else(|| fault(NO_CASE)))
    });
    macs.chain(params).collect()
}
