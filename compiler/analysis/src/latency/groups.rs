//! Where a space is cut: which of its nodes are measured together.
//!
//! Engines fuse an operator with its neighbours, so that a part should hold what is computed
//! together: all of a candidate, what only passes over its result, and whatever else is there in the
//! same networks. Cutting is not free either: each cut costs a part its share of fusion. Three rules
//! decide, as the nodes are met in order:
//!
//! - An operator joins the groups of its operands if they are there in the same networks and it adds
//!   no decision that would multiply the cases of either.
//! - A choice takes in the groups that are there exactly where it picks them: its candidates.
//! - What follows a choice joins it only if it is elementwise: the addition of a residual, an
//!   activation. All else would be measured again for each candidate.
//!
//! A group has a stage, one more than those of the groups that it reads. Only groups of the latest
//! stage are joined, which keeps a group from reading what its own results make.

use std::collections::BTreeSet;

use nas_ir::diagram::{Diagram, Entangled, Selectors};
use nas_ir::id_vec::Id;
use nas_ir::liveness::Liveness;
use nas_ir::{DecisionId, IdVec, Node, NodeId, NodeKind, Op, Space, Varied, fault};

/// The most combinations of decisions of which a choice may consist with those inside its candidates:
/// beyond, what candidates decide for themselves is measured apart. A diagram branches on inner
/// decisions first, so that each combination of them may have a row of its own.
const MAX_COMBINATIONS: usize = 1024;

/// Nodes that are measured together.
#[derive(Debug)]
pub(super) struct Group {
    /// Its nodes, in order; not empty.
    pub(super) nodes: Vec<NodeId>,
    /// The choice that it is about, if it has one: then the group is there where this node is, else
    /// where its first node is.
    pub(super) choice: Option<NodeId>,
    /// When it is part of a network.
    pub(super) condition: Diagram,
    stage: u32,
    /// The decisions on which its cases depend.
    decisions: BTreeSet<DecisionId>,
}

/// The groups of the nodes of a space that are part of a network, in the order of their first nodes.
pub(super) fn groups(space: &Space, liveness: &mut Liveness) -> Result<Vec<Group>, Entangled> {
    let never = liveness.conditions.constant(0);
    let of = space.graph.table(None);
    let mut cutter = Cutter { space, groups: IdVec::default(), of };
    for (id, node) in space.graph.nodes() {
        let alive = liveness.node(id);
        if alive == never {
            continue;
        }
        let group = match &node.kind {
            NodeKind::Op(op) => cutter.operator(id, node, op, alive, &liveness.conditions),
            NodeKind::Select(selector) => {
                cutter.select(id, node, *selector, alive, &mut liveness.conditions)
            }
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => continue,
        };
        cutter.of[id] = Some(group);
        liveness.conditions.room()?;
    }
    let groups = cutter.groups.into_iter().filter_map(Result::ok);
    let mut groups: Vec<Group> = groups.collect();
    groups.iter_mut().for_each(|group| group.nodes.sort_unstable());
    groups.sort_unstable_by_key(|group| group.nodes.first().copied());
    Ok(groups)
}

struct Cutter<'s> {
    space: &'s Space,
    /// Groups, or those that they were joined to.
    groups: IdVec<GroupId, Result<Group, GroupId>>,
    /// For each node, the group that it was put in.
    of: IdVec<NodeId, Option<GroupId>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct GroupId(usize);

impl Id for GroupId {
    const OF: &'static str = "groups";

    fn of_row(row: usize) -> Self {
        Self(row)
    }

    fn row(self) -> usize {
        self.0
    }
}

const GONE: &str = "a group that was joined to another one";

impl Cutter<'_> {
    /// The group of a node.
    fn group_of(&self, id: NodeId) -> Option<GroupId> {
        let mut group = self.of[id]?;
        while let Err(to) = self.groups[group] {
            group = to;
        }
        Some(group)
    }

    fn get(&self, group: GroupId) -> &Group {
        self.groups[group].as_ref().unwrap_or_else(|_| fault(GONE))
    }

    fn get_mut(&mut self, group: GroupId) -> &mut Group {
        self.groups[group].as_mut().unwrap_or_else(|_| fault(GONE))
    }

    /// The groups of these nodes, with a node of each.
    fn around(&self, nodes: &[NodeId]) -> Vec<(GroupId, NodeId)> {
        let mut around: Vec<(GroupId, NodeId)> = Vec::new();
        for &node in nodes {
            if let Some(group) = self.group_of(node)
                && around.iter().all(|(known, _)| *known != group)
            {
                around.push((group, node));
            }
        }
        around
    }

    fn add(&mut self, group: Group) -> GroupId {
        self.groups.push(Ok(group))
    }

    /// Puts the nodes of `from` into `to`, another group.
    fn join(&mut self, to: GroupId, from: GroupId) {
        let gone = std::mem::replace(&mut self.groups[from], Err(to));
        let mut gone = gone.unwrap_or_else(|_| fault(GONE));
        let group = self.get_mut(to);
        if group.nodes.len() < gone.nodes.len() {
            std::mem::swap(&mut group.nodes, &mut gone.nodes);
        }
        group.nodes.extend(gone.nodes);
        group.decisions.extend(gone.decisions);
        group.stage = group.stage.max(gone.stage);
    }

    fn operator(
        &mut self,
        id: NodeId,
        node: &Node,
        op: &Varied<Op>,
        alive: Diagram,
        conditions: &Selectors,
    ) -> GroupId {
        let operands = if op.reads_inputs() { self.around(&node.inputs) } else { Vec::new() };
        let stage = operands.iter().map(|(group, _)| self.get(*group).stage).max();
        let latest = |(group, _): &&(GroupId, NodeId)| Some(self.get(*group).stage) == stage;
        let latest: Vec<(GroupId, NodeId)> = operands.iter().filter(latest).copied().collect();
        let own = Own {
            alive,
            is_elementwise: op.is_elementwise(),
            decisions: self.decisions(node, op, conditions),
        };
        let joined = self.joined(&own, &latest, conditions);
        let Some((&first, rest)) = joined.split_first() else {
            return self.add(Group {
                nodes: vec![id],
                choice: None,
                condition: alive,
                stage: stage.map_or(0, |stage| stage + 1),
                decisions: own.decisions,
            });
        };
        rest.iter().for_each(|&other| self.join(first, other));
        let group = self.get_mut(first);
        group.nodes.push(id);
        group.decisions.extend(own.decisions);
        first
    }

    /// The groups that an operator joins: one about a choice, or all of these, or none.
    fn joined(
        &self,
        own: &Own,
        latest: &[(GroupId, NodeId)],
        conditions: &Selectors,
    ) -> Vec<GroupId> {
        let choice = |(group, _): &(GroupId, NodeId)| Some((self.get(*group).choice?, *group));
        if let Some((_, group)) = latest.iter().filter_map(choice).max() {
            return if own.follows(self.get(group)) { vec![group] } else { Vec::new() };
        }
        let joins = |(group, operand): &(GroupId, NodeId)| {
            let group = self.get(*group);
            own.follows(group) || own.continues(group, &self.shape_decisions(*operand, conditions))
        };
        if latest.iter().all(joins) {
            latest.iter().map(|(group, _)| *group).collect()
        } else {
            Vec::new()
        }
    }

    /// The decisions on which the operator, the shapes of its operands and its shape depend.
    fn decisions(
        &self,
        node: &Node,
        op: &Varied<Op>,
        conditions: &Selectors,
    ) -> BTreeSet<DecisionId> {
        let mut decisions: BTreeSet<DecisionId> = selectors(self.space, node, op)
            .flat_map(|selector| conditions.decisions(selector))
            .collect();
        decisions.extend(node.shape.selector().into_iter().flat_map(|by| conditions.decisions(by)));
        decisions
    }

    fn shape_decisions(&self, id: NodeId, conditions: &Selectors) -> BTreeSet<DecisionId> {
        let selector = self.space.graph[id].shape.selector();
        selector.map(|by| conditions.decisions(by)).unwrap_or_default()
    }

    fn select(
        &mut self,
        id: NodeId,
        node: &Node,
        selector: Diagram,
        alive: Diagram,
        conditions: &mut Selectors,
    ) -> GroupId {
        let mut candidates = Vec::new();
        let mut stage = 0;
        for (index, &operand) in node.inputs.iter().enumerate() {
            let Some(number) = self.group_of(operand) else { continue };
            let group = self.get(number);
            stage = stage.max(group.stage);
            let taken = conditions.is(selector, index as u32);
            if group.condition == conditions.and(alive, taken) && !candidates.contains(&number) {
                candidates.push(number);
            }
        }
        let own = conditions.decisions(selector);
        if self.combinations(&own, &candidates) > MAX_COMBINATIONS {
            let adds_none = |group: &Group| group.decisions.is_subset(&own);
            candidates.retain(|&candidate| adds_none(self.get(candidate)));
        }
        let group = self.add(Group {
            nodes: vec![id],
            choice: Some(id),
            condition: alive,
            stage,
            decisions: own,
        });
        candidates.into_iter().for_each(|candidate| self.join(group, candidate));
        group
    }

    /// How many combinations there are of these decisions and those of the groups.
    fn combinations(&self, own: &BTreeSet<DecisionId>, groups: &[GroupId]) -> usize {
        let inner = groups.iter().map(|&group| self.get(group));
        let mut all: BTreeSet<DecisionId> = own.clone();
        all.extend(inner.flat_map(|group| group.decisions.iter().copied()));
        let widths = all.iter().map(|&id| self.space[id].candidates.len());
        widths.fold(1, usize::saturating_mul)
    }
}

/// What decides which groups an operator joins.
struct Own {
    alive: Diagram,
    is_elementwise: bool,
    decisions: BTreeSet<DecisionId>,
}

impl Own {
    /// Whether it is no more than a pass over the result of the group, and adds no case.
    fn follows(&self, group: &Group) -> bool {
        self.alive == group.condition
            && self.is_elementwise
            && self.decisions.is_subset(&group.decisions)
    }

    /// Whether to measure it apart would save no case: both depend on nothing, or the tensor between
    /// them carries the decisions of one to the other.
    fn continues(&self, group: &Group, tensor: &BTreeSet<DecisionId>) -> bool {
        let nested = || {
            self.decisions.is_subset(&group.decisions) || group.decisions.is_subset(&self.decisions)
        };
        let is_fixed = self.decisions.is_empty() && group.decisions.is_empty();
        self.alive == group.condition && (is_fixed || (!tensor.is_empty() && nested()))
    }
}

/// The selectors of an operator, of its precision and of the shapes of its operands.
pub(super) fn selectors<'s>(
    space: &'s Space,
    node: &'s Node,
    op: &'s Varied<Op>,
) -> impl Iterator<Item = Diagram> + 's {
    let shapes = node.inputs.iter().filter_map(|&id| space.graph[id].shape.selector());
    let precision = node.precision.as_ref().and_then(Varied::selector);
    op.selector().into_iter().chain(precision).chain(shapes)
}
