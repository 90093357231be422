//! Decisions of which a factor on their result tells nothing: batch norms take it out again.
//!
//! A straight-through gradient (GDAS, Dong and Yang 2019, equation 7) is that of a factor on the result of the one
//! candidate that runs. What follows without a bias has the factor, too; a batch norm divides by the deviation of
//! what it reads, and loses it. Where that happens on every way to an output, the loss does not change with the
//! factor, and the gradient is zero whatever the candidate is worth.

use nas_ir::ops::Factor;
use nas_ir::{Checked, DecisionId, Node, NodeId, NodeKind, Op, Space, Varied};
use rustc_hash::FxHashMap as HashMap;

/// What a factor on the results of a decision makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The value is zero with and without it.
    Zero,
    /// The value stays as it is.
    None,
    /// The value has this power of the factor.
    Power(u32),
    /// The value has powers of the factor that differ between networks, or are none in some.
    Powers,
    /// The value changes in another way.
    Other,
}

/// The decisions of which no output shows a factor on their results, in any network; in their order.
#[must_use]
pub fn absorbed(space: &Checked<Space>) -> Vec<DecisionId> {
    let mut results: HashMap<DecisionId, Vec<NodeId>> = HashMap::default();
    for (id, node) in space.graph.nodes() {
        for decision in decided(space, node) {
            results.entry(decision).or_default().push(id);
        }
    }
    let ids = space.decision_ids().map(|(id, _)| id);
    ids.filter(|id| results.get(id).is_some_and(|nodes| is_absorbed(space, nodes))).collect()
}

/// The decisions whose candidates meet in a node: they decide what it does, in which precision it multiplies by a kernel, or
/// what shape its operands have, and not its own shape. It is there that the factor of a candidate counts.
fn decided(space: &Space, node: &Node) -> Vec<DecisionId> {
    let of = |selector| space.selectors.decisions(selector);
    let (own, precision) = match &node.kind {
        NodeKind::Select(selector) => (Some(*selector), None),
        // What has no kernel computes the same in each precision while it is trained.
        NodeKind::Op(op) => (op.selector(), node.precision.as_ref().filter(|_| op.has_kernel())),
        NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => (None, None),
    };
    let precision = precision.and_then(Varied::selector);
    let of_operands =
        node.inputs.iter().filter_map(|&operand| space.graph.shape(operand)?.selector());
    let own = own.into_iter().chain(precision);
    let mut decided: Vec<DecisionId> = own.chain(of_operands).flat_map(of).collect();
    if let Some(shape) = node.shape.selector() {
        let apart = of(shape);
        decided.retain(|decision| !apart.contains(decision));
    }
    decided.sort_unstable();
    decided.dedup();
    decided
}

/// Whether no output changes with a factor on these nodes.
fn is_absorbed(space: &Space, results: &[NodeId]) -> bool {
    let mut effects: HashMap<NodeId, Effect> = HashMap::default();
    for (id, node) in space.graph.nodes() {
        let operands: Vec<Effect> = node
            .inputs
            .iter()
            .map(|operand| effects.get(operand).copied().unwrap_or(Effect::None))
            .collect();
        let effect = match &node.kind {
            NodeKind::Input => Effect::None,
            NodeKind::Op(op) => of_operator(op, &operands),
            NodeKind::Select(_) => operands.iter().copied().reduce(either).unwrap_or(Effect::None),
            NodeKind::Output | NodeKind::TrainOutput { .. } => {
                if operands.iter().any(|effect| !matches!(effect, Effect::None | Effect::Zero)) {
                    return false;
                }
                continue;
            }
        };
        let is_result = results.binary_search(&id).is_ok();
        effects.insert(id, if is_result { scaled(effect) } else { effect });
    }
    true
}

/// That of a value on which the factor is put, once more.
fn scaled(effect: Effect) -> Effect {
    match effect {
        Effect::Zero => Effect::Zero,
        Effect::None => Effect::Power(1),
        Effect::Power(power) => Effect::Power(power.saturating_add(1)),
        Effect::Powers => Effect::Powers,
        Effect::Other => Effect::Other,
    }
}

/// That of a value which is one of two.
fn either(one: Effect, other: Effect) -> Effect {
    match (one, other) {
        (Effect::Other, _) | (_, Effect::Other) => Effect::Other,
        (Effect::Zero, effect) | (effect, Effect::Zero) => effect,
        (one, other) if one == other => one,
        _ => Effect::Powers,
    }
}

/// That of what operators make of their operands.
fn of_operator(op: &Varied<Op>, operands: &[Effect]) -> Effect {
    let each = op.values().iter().map(|op| of_one(op, operands));
    each.reduce(either).unwrap_or(Effect::Other)
}

fn of_one(op: &Op, operands: &[Effect]) -> Effect {
    if !op.reads_inputs() {
        return Effect::Zero;
    }
    // Operands of which not all have the same factor show it by their difference.
    let one = |one: Effect, other: Effect| if one == other { one } else { Effect::Other };
    let read = operands.iter().copied().filter(|effect| *effect != Effect::Zero);
    let read = read.reduce(one).unwrap_or(Effect::None);
    match (read, op.factor()) {
        (Effect::Zero | Effect::None, _) => Effect::None,
        (Effect::Powers, _) if operands.len() > 1 => Effect::Other,
        (Effect::Other, _) | (_, Factor::Changed) => Effect::Other,
        (Effect::Power(_) | Effect::Powers, Factor::Removed) => Effect::None,
        (kept @ (Effect::Power(_) | Effect::Powers), Factor::Kept) => kept,
    }
}
