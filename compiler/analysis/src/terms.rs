//! What the networks of a space cost, as a sum of terms that depend on few decisions each.

use indexmap::IndexMap;
use nas_ir::diagram::{Diagram, Entangled};
use nas_ir::liveness::Liveness;
use nas_ir::operation::Operation;
use nas_ir::{Checked, Measure, Node, NodeId, NodeKind, Op, Precision, Shape, Space, fault};

/// A share of the cost, and when it is part of the network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) cost: u64,
    pub(super) condition: Diagram,
}

/// What the networks cost: a sum of terms, one for each distinct condition. Of the measures, only
/// [`Measure::SUMS`] are such sums; the others have no terms.
pub(super) fn terms(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    measure: Measure,
) -> Result<Vec<Term>, Entangled> {
    let mut sums = Sums::default();
    if let (Measure::Latency, Some(latency)) = (measure, &space.device.latency) {
        sums.add(liveness.conditions.constant(1), u128::from(latency.overhead));
    }
    sums.with(space, liveness, measure, &|_| true)
}

/// What some of the nodes cost, as [`terms`] of them.
pub(super) fn terms_of(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    measure: Measure,
    is_meant: &dyn Fn(&Node) -> bool,
) -> Result<Vec<Term>, Entangled> {
    Sums::default().with(space, liveness, measure, is_meant)
}

/// By what parameters are multiplied.
fn factor(measure: Measure, precision: Precision) -> u128 {
    if measure == Measure::WeightBytes { u128::from(precision.bytes()) } else { 1 }
}

/// The sum of the costs under each condition.
#[derive(Default)]
struct Sums(IndexMap<Diagram, u64>);

impl Sums {
    fn add(&mut self, condition: Diagram, cost: u128) {
        if cost > 0 {
            // The checker proved that the sum over all nodes fits.
            let cost = u64::try_from(cost).unwrap_or_else(|_| fault("a cost beyond 64 bits"));
            let sum = self.0.entry(condition).or_default();
            *sum = sum.saturating_add(cost);
        }
    }

    /// With what the nodes that are meant cost.
    fn with(
        mut self,
        space: &Checked<Space>,
        liveness: &mut Liveness,
        measure: Measure,
        is_meant: &dyn Fn(&Node) -> bool,
    ) -> Result<Vec<Term>, Entangled> {
        match measure {
            Measure::PeakMemory | Measure::Depth => {}
            Measure::Latency => self.parts(space, liveness, is_meant),
            Measure::Macs | Measure::Params | Measure::WeightBytes => {
                let precision = space.device.precision;
                let cost = |op: &Op, inputs: &[Shape], output| match measure {
                    Measure::Macs => op.macs(inputs, output),
                    _ => op.params(inputs) * factor(measure, precision),
                };
                for (id, node) in space.graph.nodes().filter(|(_, node)| is_meant(node)) {
                    self.node(space, (id, node), liveness, &cost);
                    liveness.conditions.room()?;
                }
            }
        }
        liveness.conditions.room().map(|()| self.into_terms())
    }

    fn node(
        &mut self,
        space: &Space,
        (id, node): (NodeId, &Node),
        liveness: &mut Liveness,
        cost: &dyn Fn(&Op, &[Shape], Shape) -> u128,
    ) {
        let NodeKind::Op(op) = &node.kind else { return };
        let operation = Operation::of(space, node, op);
        if let Some((op, inputs, output)) = operation.fixed() {
            let cost = cost(op, &inputs, output);
            if cost > 0 {
                self.add(liveness.node(id), cost);
            }
            return;
        }
        let alive = liveness.node(id);
        let conditions = &mut liveness.conditions;
        let cases = operation.cases(conditions, alive);
        for (index, (op, inputs, output)) in operation.combinations(&cases).enumerate() {
            let case = conditions.is(cases.selector, index as u32);
            let condition = conditions.and(alive, case);
            self.add(condition, cost(op, &inputs, output));
        }
    }

    fn parts(&mut self, space: &Space, liveness: &mut Liveness, is_meant: &dyn Fn(&Node) -> bool) {
        for part in space.device.latency.iter().flat_map(|latency| &latency.parts) {
            if !is_meant(&space.graph[part.node]) {
                continue;
            }
            let alive = liveness.node(part.node);
            for (index, &nanoseconds) in part.nanoseconds.iter().enumerate() {
                let case = liveness.conditions.is(part.case, index as u32);
                let condition = liveness.conditions.and(alive, case);
                self.add(condition, u128::from(nanoseconds));
            }
        }
    }

    fn into_terms(self) -> Vec<Term> {
        self.0.into_iter().map(|(condition, cost)| Term { cost, condition }).collect()
    }
}
