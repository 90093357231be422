//! A space without some candidates of its decisions.

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::origin::retain;
use nas_ir::{
    Checked, Choice, DecisionId, Graph, IdVec, Node, NodeId, NodeKind, Pick, Space, Varied, fault,
    varied,
};
use rustc_hash::FxHashMap as HashMap;

/// The space without these candidates. Decisions, paths and labels stay, a decision with one
/// candidate left too; nodes that only what is gone led to are gone. Each decision must keep a
/// candidate, or nothing of the space has a meaning.
#[must_use]
pub fn restrict(space: &Checked<Space>, gone: &[Pick]) -> Space {
    let kept: IdVec<DecisionId, Vec<usize>> = space
        .decision_ids()
        .map(|(id, decision)| {
            let all = 0..decision.candidates.len();
            all.filter(|&candidate| !gone.contains(&(id, candidate))).collect()
        })
        .collect();
    let mut pass = Pass { space, kept, selectors: Selectors::default(), known: HashMap::default() };
    let nodes: IdVec<NodeId, Node> = space.graph.nodes().map(|(_, node)| pass.node(node)).collect();
    let is_needed = pass.needed(&nodes);
    let mut graph = Graph::default();
    let mut places: HashMap<NodeId, NodeId> = HashMap::default();
    for ((id, _), node) in space.graph.nodes().zip(nodes) {
        if is_needed[id] {
            places.insert(id, pass.place(node, &places, &mut graph));
        }
    }
    let mattered = pass.mattered();
    let mut result = Space { graph, mattered, ..Space::clone(space) };
    result.dropped = space.dropped.iter().filter_map(|id| places.get(id).copied()).collect();
    for &(id, candidate) in gone {
        if let Some(name) = space[id].candidates.get(candidate) {
            result.origins.note_gone(&space[id].path, name);
        }
    }
    for ((id, kept), decision) in pass.kept.iter().zip(&mut result.decisions) {
        retain(&mut decision.candidates, kept);
        if !matches!(decision.choice, Choice::Sets { .. }) {
            result.origins.keep_written(id, kept);
        }
    }
    result.selectors = pass.selectors;
    result
}

struct Pass<'s> {
    space: &'s Checked<Space>,
    /// The candidates that each decision keeps.
    kept: IdVec<DecisionId, Vec<usize>>,
    /// The store of the result.
    selectors: Selectors,
    known: HashMap<Diagram, Diagram>,
}

impl Pass<'_> {
    fn selector(&mut self, selector: Diagram) -> Diagram {
        let Self { space, kept, selectors, known } = self;
        space.selectors.of_candidates(selector, selectors, kept, known)
    }

    fn varied<T: Clone + PartialEq>(&mut self, value: &Varied<T>) -> Varied<T> {
        let Some(selector) = value.selector() else { return value.clone() };
        let selector = self.selector(selector);
        let found = varied(&mut self.selectors, selector, value.values(), |a, b| a == b);
        // The leaves are among those that there were.
        found.unwrap_or_else(|| fault("a value that the space did not have"))
    }

    /// When each decision made a difference in the whole space, of the candidates that are kept.
    fn mattered(&mut self) -> Vec<Diagram> {
        let Self { space, kept, selectors, .. } = self;
        let (store, whole) = match space.liveness() {
            _ if !space.mattered.is_empty() => (&space.selectors, space.mattered.clone()),
            Ok(liveness) => {
                let ids = space.decision_ids().map(|(id, _)| id);
                (&liveness.conditions, ids.map(|id| liveness.decision(id)).collect())
            }
            Err(_) => return Vec::new(),
        };
        let mut known = HashMap::default();
        let kept = |condition| store.of_candidates(condition, selectors, kept, &mut known);
        whole.into_iter().map(kept).collect()
    }

    /// The node with fewer cases, its operands those of the old graph.
    fn node(&mut self, node: &Node) -> Node {
        let kind = match &node.kind {
            NodeKind::Op(op) => NodeKind::Op(self.varied(op)),
            NodeKind::Select(selector) => NodeKind::Select(self.selector(*selector)),
            other => other.clone(),
        };
        let precision = node.precision.as_ref().map(|precision| self.varied(precision));
        Node { kind, shape: self.varied(&node.shape), precision, ..node.clone() }
    }

    /// The operands of a select that it may take, of another node all.
    fn operands(&self, node: &Node) -> Vec<NodeId> {
        let NodeKind::Select(selector) = node.kind else { return node.inputs.clone() };
        let taken = self.selectors.leaves(selector);
        let is_taken = |index: usize| taken.iter().any(|&&leaf| leaf as usize == index);
        let operands = node.inputs.iter().enumerate().filter(|(index, _)| is_taken(*index));
        operands.map(|(_, &operand)| operand).collect()
    }

    /// Whether each node is a port or one that such a node reads.
    fn needed(&self, nodes: &IdVec<NodeId, Node>) -> IdVec<NodeId, bool> {
        let mut needed = self.space.graph.table(false);
        for (id, node) in nodes.iter().rev() {
            needed[id] |= !matches!(node.kind, NodeKind::Op(_) | NodeKind::Select(_));
            if needed[id] {
                self.operands(node).into_iter().for_each(|operand| needed[operand] = true);
            }
        }
        needed
    }

    /// Adds a node to the new graph; a select that takes one operand only is that operand.
    fn place(
        &mut self,
        mut node: Node,
        places: &HashMap<NodeId, NodeId>,
        graph: &mut Graph,
    ) -> NodeId {
        let place = |id: &NodeId| places.get(id).copied();
        let place = |id| place(id).unwrap_or_else(|| fault("an operand that is not needed"));
        let new: Vec<NodeId> = self.operands(&node).iter().map(place).collect();
        if let NodeKind::Select(selector) = node.kind {
            if let [only] = new.as_slice() {
                return *only;
            }
            let mut taken: Vec<u32> =
                self.selectors.leaves(selector).into_iter().copied().collect();
            taken.sort_unstable();
            let renamed = |leaf| match taken.binary_search(&leaf) {
                Ok(position) => position as u32,
                Err(_) => fault("an operand that is never taken"),
            };
            node.kind = NodeKind::Select(self.selectors.rename(selector, &renamed));
        }
        node.inputs = new;
        graph.add(node)
    }
}
