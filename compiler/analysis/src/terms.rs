//! What the networks of a space cost, as a sum of functions of few decisions each.

use indexmap::IndexMap;
use nas_ir::diagram::{Diagram, Diagrams, Entangled, OUTSIDE};
use nas_ir::liveness::Liveness;
use nas_ir::operation::Operation;
use nas_ir::quantity::Count;
use nas_ir::{
    Checked, Measure, Node, NodeId, NodeKind, Op, Precision, Quantity, Shape, Space, Table, Varied,
    fault,
};
use rustc_hash::FxHashMap as HashMap;

/// A sum of costs that depend on decisions.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    pub(super) store: Diagrams<u64>,
    /// What is added up.
    pub(super) functions: Vec<Diagram>,
}

/// What the networks cost. Of the measures, only [`Measure::SUMS`] are such sums; the others have
/// no terms.
pub(super) fn terms(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    measure: Measure,
) -> Result<Terms, Entangled> {
    let mut sums = Sums::default();
    if let (Measure::Latency, Some(latency)) = (measure, &space.device.latency) {
        let always = liveness.conditions.constant(1);
        sums.add_where(liveness, always, u128::from(latency.overhead));
    }
    sums.with(space, liveness, measure, &|_| true)
}

/// What a quantity is, as [`terms`] of a measure; one that is no sum has no terms.
pub(super) fn terms_of_quantity(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    quantity: &Quantity,
) -> Result<Terms, Entangled> {
    match quantity {
        Quantity::Measure(measure) => terms(space, liveness, *measure),
        Quantity::Count(count) => counted(space, liveness, count),
        Quantity::Breaks(_) => Ok(Terms::default()),
    }
}

/// One for each decision that makes a difference and counts.
fn counted(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    count: &Count,
) -> Result<Terms, Entangled> {
    let mut terms = Terms::default();
    for (id, decision) in space.decision_ids().filter(|(_, d)| d.label == count.label) {
        let alive = liveness.decision(id);
        let conditions = &mut liveness.conditions;
        let counts = decision.candidates.iter().map(|name| u32::from(count.has(decision, name)));
        let children: Vec<Diagram> = counts.map(|counts| conditions.constant(counts)).collect();
        let choice = conditions.branch(id, &children);
        let counts = conditions.and(alive, choice);
        let one = |counts: &u32| u64::from(*counts);
        terms.functions.push(conditions.map(
            counts,
            &mut terms.store,
            &one,
            &mut HashMap::default(),
        ));
    }
    liveness.conditions.room().map(|()| terms)
}

/// What some of the nodes cost, as [`terms`] of them.
pub(super) fn terms_of(
    space: &Checked<Space>,
    liveness: &mut Liveness,
    measure: Measure,
    is_meant: &dyn Fn(&Node) -> bool,
) -> Result<Terms, Entangled> {
    Sums::default().with(space, liveness, measure, is_meant)
}

/// Costs that are added up before they become functions: what the same selector decides where the
/// same condition holds, by the index that it takes.
#[derive(Default)]
struct Sums(IndexMap<(Diagram, Diagram), Vec<u64>>);

impl Sums {
    /// Adds a cost that is there where a condition holds.
    fn add_where(&mut self, liveness: &mut Liveness, condition: Diagram, cost: u128) {
        let only = liveness.conditions.constant(0);
        self.add((condition, only), 0, cost);
    }

    /// Adds what each index of a selector costs where a condition holds. What one decision selects
    /// is one function. Of several, an index may ask for fewer of them than all indices together,
    /// so that each is a function of its own.
    fn add_each(
        &mut self,
        liveness: &mut Liveness,
        (condition, selector): (Diagram, Diagram),
        costs: impl Iterator<Item = u128>,
    ) {
        let is_of_one = self.is_of_one(liveness, (condition, selector));
        for (index, cost) in (0..).zip(costs).filter(|(_, cost)| *cost > 0) {
            if is_of_one {
                self.add((condition, selector), index, cost);
            } else {
                let taken = liveness.conditions.is(selector, index);
                let condition = liveness.conditions.and(condition, taken);
                self.add_where(liveness, condition, cost);
            }
        }
    }

    /// Whether a selector looks at one decision; `key` is it and its condition.
    fn is_of_one(&self, liveness: &Liveness, key: (Diagram, Diagram)) -> bool {
        self.0.contains_key(&key) || liveness.conditions.decisions(key.1).len() == 1
    }

    fn add(&mut self, key: (Diagram, Diagram), index: u32, cost: u128) {
        if cost > 0 {
            // The checker proved that the sum over all nodes fits.
            let cost = u64::try_from(cost).unwrap_or_else(|_| fault("a cost beyond 64 bits"));
            let (costs, index) = (self.0.entry(key).or_default(), index as usize);
            costs.resize(costs.len().max(index + 1), 0);
            costs.get_mut(index).into_iter().for_each(|sum| *sum = sum.saturating_add(cost));
        }
    }

    /// With what the nodes that are meant cost.
    fn with(
        mut self,
        space: &Checked<Space>,
        liveness: &mut Liveness,
        measure: Measure,
        is_meant: &dyn Fn(&Node) -> bool,
    ) -> Result<Terms, Entangled> {
        match measure {
            Measure::PeakMemory | Measure::Depth => {}
            Measure::Latency => self.parts(space, liveness, is_meant),
            Measure::Macs | Measure::Params | Measure::WeightBytes => {
                for (id, node) in space.graph.nodes().filter(|(_, node)| is_meant(node)) {
                    let NodeKind::Op(op) = &node.kind else { continue };
                    let operation = Operation::of(space, node, op);
                    match (measure, &node.precision) {
                        (Measure::Macs, _) => self.node(id, &operation, liveness, &Op::macs),
                        (Measure::Params, _) => {
                            self.node(id, &operation, liveness, &|op, inputs, _| op.params(inputs));
                        }
                        (_, Some(Varied::By(precision))) => {
                            self.weights(id, &operation, precision, liveness);
                        }
                        _ => {
                            let precision = space.precisions(node).first().copied();
                            let bytes = u128::from(precision.unwrap_or_default().bytes());
                            let cost = |op: &Op, inputs: &[Shape], _| op.params(inputs) * bytes;
                            self.node(id, &operation, liveness, &cost);
                        }
                    }
                    liveness.conditions.room()?;
                }
            }
        }
        let terms = self.into_terms(liveness);
        liveness.conditions.room().map(|()| terms)
    }

    fn node(
        &mut self,
        id: NodeId,
        operation: &Operation<'_>,
        liveness: &mut Liveness,
        cost: &dyn Fn(&Op, &[Shape], Shape) -> u128,
    ) {
        if let Some((op, inputs, output)) = operation.fixed() {
            let cost = cost(op, &inputs, output);
            if cost > 0 {
                self.fixed(id, liveness, cost);
            }
            return;
        }
        let alive = liveness.node(id);
        let cases = operation.cases(&mut liveness.conditions, alive);
        let costs = operation.combinations(&cases).map(|(op, inputs, o)| cost(op, &inputs, o));
        self.add_each(liveness, (alive, cases.selector), costs);
    }

    /// Adds the bytes of the parameters of a node whose precision depends on decisions.
    fn weights(
        &mut self,
        id: NodeId,
        operation: &Operation<'_>,
        precision: &Table<Precision>,
        liveness: &mut Liveness,
    ) {
        let alive = liveness.node(id);
        let cases = operation.cases(&mut liveness.conditions, alive);
        let params = operation.combinations(&cases).map(|(op, inputs, _)| op.params(&inputs));
        let params: Vec<u128> = params.collect();
        let both = liveness.conditions.joint(alive, &[cases.selector, precision.selector()]);
        let cost = |row: &Vec<u32>| {
            let [case, precision_of] = row.as_slice() else { return None };
            let bytes = precision.values().get(*precision_of as usize)?.bytes();
            Some(params.get(*case as usize)? * u128::from(bytes))
        };
        let costs = both
            .combinations
            .iter()
            .map(|row| cost(row).unwrap_or_else(|| fault("a case of another operation")));
        self.add_each(liveness, (alive, both.selector), costs);
    }

    /// Adds what costs the same wherever the node is alive.
    fn fixed(&mut self, id: NodeId, liveness: &mut Liveness, cost: u128) {
        match liveness.taken(id) {
            // What is in the candidates of a decision is one function, as its values are.
            Some((select, selector, index)) if self.is_of_one(liveness, (select, selector)) => {
                self.add((select, selector), index, cost);
            }
            _ => {
                let alive = liveness.node(id);
                self.add_where(liveness, alive, cost);
            }
        }
    }

    fn parts(&mut self, space: &Space, liveness: &mut Liveness, is_meant: &dyn Fn(&Node) -> bool) {
        for part in space.device.latency.iter().flat_map(|latency| &latency.parts) {
            if !is_meant(&space.graph[part.node]) {
                continue;
            }
            let alive = liveness.node(part.node);
            let costs = part.nanoseconds.iter().map(|&nanoseconds| u128::from(nanoseconds));
            self.add_each(liveness, (alive, part.case), costs);
        }
    }

    fn into_terms(self, liveness: &mut Liveness) -> Terms {
        let mut terms = Terms::default();
        for ((condition, selector), costs) in self.0 {
            let conditions = &mut liveness.conditions;
            let cost = |index: u32| costs.get(index as usize).copied().unwrap_or(0);
            let (from, of): (_, &dyn Fn(&u32) -> u64) = match conditions.leaf(selector) {
                Some(&index) => {
                    (condition, &move |holds| if *holds != 0 { cost(index) } else { 0 })
                }
                None => (conditions.within(condition, selector), &|index| {
                    if *index == OUTSIDE { 0 } else { cost(*index) }
                }),
            };
            let function = conditions.map(from, &mut terms.store, of, &mut HashMap::default());
            terms.functions.push(function);
        }
        terms
    }
}
