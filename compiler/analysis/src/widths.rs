//! Decisions on numbers of channels alone, for all candidates of which one computation with the most channels stands.
//!
//! In FBNetV2 (Wan et al. 2020, section 3.1) a block runs once with the most channels; that of fewer is its first
//! channels, the others being zeros. So it is where the candidates share their weights, each operator on the way either
//! keeps channels apart or joins all of them, and nothing else depends on the decision.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::operation::{branches, for_each_pair};
use nas_ir::ops::Channels;
use nas_ir::{Checked, Choice, DecisionId, Node, NodeKind, Op, Shape, Space, Varied};

/// A decision on which the shape of a value depends.
#[derive(Debug, Clone, PartialEq)]
pub struct Width {
    /// Which.
    pub decision: DecisionId,
    /// Its candidates, those of fewer channels first; or what is in the way of one computation for all of them.
    pub candidates: Result<Vec<usize>, Obstacle>,
}

/// What is in the way of one computation for all candidates of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The value of this node differs in more than its channels.
    Sizes {
        /// The path of the node.
        node: String,
        /// Its shapes.
        shapes: Vec<Shape>,
    },
    /// This input or output has several numbers of channels.
    Port(String),
    /// At this node the decision selects a part of the network, too.
    Part(String),
    /// What the operator of this node does depends on the decision in more than channels.
    Operator(String),
    /// The operator of this node puts channels elsewhere, by how many there are.
    Rearranged(String),
    /// No candidate has the most channels everywhere.
    Crossing,
    /// Each candidate has weights of its own.
    OwnWeights,
}

/// The decisions on which shapes depend, in their order. What only training has does not count.
#[must_use]
pub fn widths(space: &Checked<Space>) -> Vec<Width> {
    let mut survey = Survey::new(space);
    let train_only = space.graph.train_only();
    let nodes = || space.graph.nodes().filter(|(id, _)| !train_only[*id]).map(|(_, node)| node);
    // What stands in a part that a decision selects has its shape in that case.
    for node in nodes() {
        survey.shape(node);
        survey.part(node);
    }
    nodes().for_each(|node| survey.operator(node));
    survey.end()
}

/// The decisions on which something depends.
fn decisions<T>(space: &Space, varied: &Varied<T>) -> BTreeSet<DecisionId> {
    varied.selector().map(|selector| space.selectors.decisions(selector)).unwrap_or_default()
}

/// Two candidates of a decision, and the indices to which they lead where nothing else differs.
struct Pair {
    candidates: (usize, usize),
    indices: [u32; 2],
}

struct Survey<'s> {
    space: &'s Space,
    /// A copy of the space's, in which candidates are compared.
    selectors: Selectors,
    /// The decisions on which shapes depend.
    found: BTreeSet<DecisionId>,
    /// Pairs of candidates of which the first has fewer channels somewhere.
    narrower: BTreeMap<DecisionId, BTreeSet<(usize, usize)>>,
    /// What is in the way first.
    obstacles: BTreeMap<DecisionId, Obstacle>,
}

impl<'s> Survey<'s> {
    fn new(space: &'s Space) -> Self {
        let (narrower, obstacles) = (BTreeMap::new(), BTreeMap::new());
        let (selectors, found) = (space.selectors.clone(), BTreeSet::new());
        Self { space, selectors, found, narrower, obstacles }
    }

    fn object(&mut self, decision: DecisionId, obstacle: Obstacle) {
        self.obstacles.entry(decision).or_insert(obstacle);
    }

    /// Compares the shapes that the candidates of each decision give a node.
    fn shape(&mut self, node: &Node) {
        let Some(selector) = node.shape.selector() else { return };
        let shapes = node.shape.values();
        for (decision, pairs) in self.pairs(selector) {
            self.found.insert(decision);
            for Pair { candidates: (a, b), indices } in pairs {
                let [Some(one), Some(other)] = indices.map(|index| shapes.get(index as usize))
                else {
                    continue;
                };
                if one.spatial() != other.spatial() {
                    let (node, shapes) = (node.name.clone(), shapes.to_vec());
                    self.object(decision, Obstacle::Sizes { node, shapes });
                }
                let narrower = self.narrower.entry(decision).or_default();
                match one.channels().cmp(&other.channels()) {
                    Ordering::Less => narrower.insert((a, b)),
                    Ordering::Equal => false,
                    Ordering::Greater => narrower.insert((b, a)),
                };
            }
        }
    }

    /// For each decision in a selector the pairs of its candidates.
    fn pairs(&mut self, selector: Diagram) -> Vec<(DecisionId, Vec<Pair>)> {
        let mut all = Vec::new();
        for (decision, children) in branches(&self.selectors, selector) {
            let pairs = RefCell::new(Vec::new());
            for (i, &one) in children.iter().enumerate() {
                for (j, &other) in children.iter().enumerate().skip(i + 1) {
                    for_each_pair(&mut self.selectors, one, other, &|a, b| {
                        let (candidates, indices) = ((i, j), [a, b]);
                        pairs.borrow_mut().push(Pair { candidates, indices });
                    });
                }
            }
            all.push((decision, pairs.into_inner()));
        }
        all
    }

    /// Looks for decisions that select more than channels, or that an input or output depends on.
    fn part(&mut self, node: &Node) {
        let name = || node.name.clone();
        match &node.kind {
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => {
                let own = decisions(self.space, &node.shape);
                own.into_iter().for_each(|id| self.object(id, Obstacle::Port(name())));
            }
            NodeKind::Select(selector) => {
                let selects = self.space.selectors.decisions(*selector);
                selects.into_iter().for_each(|id| self.object(id, Obstacle::Part(name())));
            }
            NodeKind::Op(_) => {}
        }
    }

    /// Looks for what is in the way in an operator.
    fn operator(&mut self, node: &Node) {
        let NodeKind::Op(op) = &node.kind else { return };
        for (decision, pairs) in op.selector().map(|by| self.pairs(by)).unwrap_or_default() {
            if pairs.into_iter().any(|pair| !differs_in_channels_alone(op, pair.indices)) {
                self.object(decision, Obstacle::Operator(node.name.clone()));
            }
        }
        let own = decisions(self.space, &node.shape);
        let operands = node.inputs.iter().filter_map(|&operand| self.space.graph.shape(operand));
        let read = operands.flat_map(|shape| decisions(self.space, shape)).collect::<BTreeSet<_>>();
        let moved: BTreeSet<DecisionId> = match channels(op) {
            Channels::Joined => BTreeSet::new(),
            Channels::Apart => read.difference(&own).copied().collect(),
            Channels::Rearranged => read.union(&own).copied().collect(),
        };
        for decision in moved {
            self.object(decision, Obstacle::Rearranged(node.name.clone()));
        }
    }

    fn end(self) -> Vec<Width> {
        let width = |&decision: &DecisionId| Width { decision, candidates: self.order(decision) };
        self.found.iter().map(width).collect()
    }

    /// The candidates of a decision, those of fewer channels first.
    fn order(&self, id: DecisionId) -> Result<Vec<usize>, Obstacle> {
        if let Some(obstacle) = self.obstacles.get(&id) {
            return Err(obstacle.clone());
        }
        let decision = &self.space[id];
        let none = BTreeSet::new();
        let narrower = self.narrower.get(&id).unwrap_or(&none);
        if narrower.iter().any(|&(one, other)| narrower.contains(&(other, one))) {
            return Err(Obstacle::Crossing);
        }
        if decision.choice != Choice::Elastic {
            return Err(Obstacle::OwnWeights);
        }
        // INVARIANT: no two are each narrower than the other somewhere, so that one that is narrower than another has
        // fewer that are narrower than itself.
        let mut order: Vec<usize> = (0..decision.candidates.len()).collect();
        order.sort_by_key(|own| narrower.iter().filter(|(_, other)| other == own).count());
        Ok(order)
    }
}

/// Whether two cases of an operator are the same but for numbers of channels.
fn differs_in_channels_alone(op: &Varied<Op>, cases: [u32; 2]) -> bool {
    let [one, other] = cases.map(|case| op.values().get(case as usize));
    one.zip(other).is_some_and(|(one, other)| one.differs_in_channels_alone(other))
}

/// What all cases of an operator do with channels.
fn channels(op: &Varied<Op>) -> Channels {
    let each = op.values().iter().map(Op::channels);
    let same = |one, other| if one == other { one } else { Channels::Rearranged };
    each.reduce(same).unwrap_or(Channels::Rearranged)
}
