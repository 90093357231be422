//! When a node is part of the network: as a function of the decisions.
//!
//! The walk from the outputs to the inputs combines conditions where a select is alive; in between
//! it only notes by which selects a node is read. What a select reads whatever it takes is read
//! wherever the select is. So the nodes of candidates need no diagram unless somebody asks.

use nas_diagnostics::fault;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::diagram::{Diagram, Entangled, Memo, Selectors};
use crate::id_vec::{Id, IdVec};
use crate::ids::{DecisionId, NodeId};
use crate::node::{Node, NodeKind};
use crate::reading::{has_zeros, reading};
use crate::space::Space;

/// A node that is read in more ways than this gets its diagram at once.
const MAX_WAYS: usize = 64;

/// For every node and every decision of a space, the assignments under which it matters.
#[derive(Debug)]
pub struct Liveness {
    /// The store of the conditions: that of the space, and more.
    pub conditions: Selectors,
    /// For each node, how it is read.
    nodes: IdVec<NodeId, UseId>,
    uses: IdVec<UseId, Use>,
    decisions: IdVec<DecisionId, Diagram>,
    reading: Result<Diagram, Entangled>,
    known: Known,
}

/// How nodes are read, by each other and by outputs.
#[derive(Debug, Clone)]
struct Use {
    /// It is read where one of them holds; in order, each once.
    ways: Vec<Way>,
    /// The condition, once it was asked for.
    condition: Option<Diagram>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct UseId(u32);

impl Id for UseId {
    const OF: &'static str = "uses";

    fn of_row(row: usize) -> Self {
        // INVARIANT: there are hardly more than nodes.
        Self(row as u32)
    }

    fn row(self) -> usize {
        self.0 as usize
    }
}

/// A way to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Way {
    /// By a select, where it is alive and takes this index.
    Taken { alive: Diagram, selector: Diagram, index: u32 },
    /// Where this holds.
    Where(Diagram),
}

impl Way {
    /// Whether both are by the same select, or by two that are alive and choose together.
    fn is_of(self, other: Self) -> bool {
        match (self, other) {
            (
                Self::Taken { alive: a, selector: s, .. },
                Self::Taken { alive: b, selector: t, .. },
            ) => (a, s) == (b, t),
            _ => false,
        }
    }
}

/// The uses of what nothing reads, and of what is read always.
const NEVER: UseId = UseId(0);
const ALWAYS: UseId = UseId(1);

/// What was combined before: the same conditions meet again and again.
#[derive(Debug)]
struct Known {
    and: Memo,
    or: Memo,
    is: HashMap<(Diagram, u32), Diagram>,
}

impl Known {
    fn new(conditions: &mut Selectors) -> Self {
        Self { and: conditions.memo(), or: conditions.memo(), is: HashMap::default() }
    }
}

impl Clone for Liveness {
    fn clone(&self) -> Self {
        let mut conditions = self.conditions.clone();
        let known = Known::new(&mut conditions);
        let (nodes, uses) = (self.nodes.clone(), self.uses.clone());
        let (decisions, reading) = (self.decisions.clone(), self.reading.clone());
        Self { conditions, nodes, uses, decisions, reading, known }
    }
}

impl Liveness {
    /// With the conditions of all nodes but those that are only [`Self::taken`]: there is little to
    /// combine for these, which may be as many as candidates.
    pub(crate) fn whole(mut self) -> Result<Self, Entangled> {
        for id in self.uses.ids() {
            if !matches!(*self.uses[id].ways, [Way::Taken { .. }]) {
                self.condition(id);
                self.conditions.room()?;
            }
        }
        Ok(self)
    }

    /// A node is alive where an output, or an operator that is alive, reads it, directly or
    /// through selects that take it. A decision matters where a node is alive whose select,
    /// operator or shape depends on it. What only train outputs read is never alive.
    pub(crate) fn new(space: &Space) -> Result<Self, Entangled> {
        let mut liveness =
            Walk::new(space, |kind| matches!(kind, NodeKind::Output)).whole(space)?;
        if has_zeros(space) {
            // Apart, so that the rest holds where this grows too large.
            let mut conditions = liveness.conditions.clone();
            liveness.reading = reading(space, &mut conditions);
            if liveness.reading.is_ok() {
                liveness.conditions = conditions;
            }
        }
        Ok(liveness)
    }

    /// As `new`, if what reads nothing, such as `zero`, read its operand: what stands before it counts
    /// as it is written.
    pub(crate) fn as_written(space: &Space) -> Result<Self, Entangled> {
        let mut walk = Walk::new(space, |kind| matches!(kind, NodeKind::Output));
        walk.reads_all = true;
        walk.whole(space)
    }

    /// The nodes of `new`, and those that a train output reads, which are alive too. For the
    /// checker, which proves the shapes of these as well, and asks for no decision.
    pub(crate) fn in_training(space: &Space) -> Result<Self, Entangled> {
        let is_output = |kind: &_| matches!(kind, NodeKind::Output | NodeKind::TrainOutput { .. });
        let mut walk = Walk::new(space, is_output);
        for (id, node) in space.graph.nodes().rev() {
            walk.visit(id, node);
            walk.liveness.conditions.room()?;
        }
        Ok(walk.liveness)
    }

    /// When a node is part of the network. Once there is no [`Selectors::room`], that means nothing.
    pub fn node(&mut self, id: NodeId) -> Diagram {
        self.condition(self.nodes[id])
    }

    /// For a node that one select alone reads: when that is part of the network, its selector, and the
    /// index at which it takes the node.
    #[must_use]
    pub fn taken(&self, id: NodeId) -> Option<(Diagram, Diagram, u32)> {
        match *self.uses[self.nodes[id]].ways {
            [Way::Taken { alive, selector, index }] => Some((alive, selector, index)),
            _ => None,
        }
    }

    /// When each node is part of the network, and the store of these conditions.
    ///
    /// # Errors
    /// [`Entangled`] where the conditions grow beyond what can be held.
    pub fn into_nodes(mut self) -> Result<(Selectors, IdVec<NodeId, Diagram>), Entangled> {
        let nodes = std::mem::take(&mut self.nodes);
        let mut conditions = IdVec::with_capacity(nodes.len());
        for id in nodes {
            conditions.push(self.condition(id));
            self.conditions.room()?;
        }
        Ok((self.conditions, conditions))
    }

    /// When every output of the network depends on an input.
    ///
    /// # Errors
    /// [`Entangled`] where the condition grows beyond what can be held.
    pub fn reads_input(&self) -> Result<Diagram, Entangled> {
        self.reading.clone()
    }

    /// When a decision makes a difference.
    #[must_use]
    pub fn decision(&self, id: DecisionId) -> Diagram {
        self.decisions[id]
    }

    fn condition(&mut self, id: UseId) -> Diagram {
        if let Some(known) = self.uses[id].condition {
            return known;
        }
        let condition = self.any(&self.uses[id].ways.clone());
        self.uses[id].condition = Some(condition);
        condition
    }

    /// The condition under which one of the ways holds, which are in order.
    fn any(&mut self, ways: &[Way]) -> Diagram {
        let mut condition = self.conditions.constant(0);
        for ways in ways.chunk_by(|one, other| one.is_of(*other)) {
            let holds = match *ways {
                [Way::Where(condition)] => condition,
                [Way::Taken { alive, selector, index }] => {
                    let taken = self.is(selector, index);
                    self.conditions.and_with(alive, taken, &mut self.known.and)
                }
                ref ways => self.one_of(ways),
            };
            condition = self.conditions.or_with(condition, holds, &mut self.known.or);
        }
        condition
    }

    /// The condition under which one of several ways by one select holds.
    fn one_of(&mut self, ways: &[Way]) -> Diagram {
        let Some(Way::Taken { alive, selector, .. }) = ways.first().copied() else {
            fault("ways by no select")
        };
        let index =
            |way: &Way| if let Way::Taken { index, .. } = *way { Some(index) } else { None };
        let indices: HashSet<u32> = ways.iter().filter_map(index).collect();
        let taken = self.conditions.rename(selector, &|i| u32::from(indices.contains(&i)));
        self.conditions.and_with(alive, taken, &mut self.known.and)
    }

    fn is(&mut self, selector: Diagram, index: u32) -> Diagram {
        let conditions = &mut self.conditions;
        *self.known.is.entry((selector, index)).or_insert_with(|| conditions.is(selector, index))
    }
}

/// How a node is read, as far as its readers were seen.
#[derive(Debug, Clone, Default)]
enum Seen {
    #[default]
    Nothing,
    /// As this says.
    As(UseId),
    /// In these ways, in order.
    In(Vec<Way>),
}

/// A walk from the outputs to the inputs.
struct Walk {
    liveness: Liveness,
    is_output: fn(&NodeKind) -> bool,
    /// Whether operators count as reading their operands that do not.
    reads_all: bool,
    seen: IdVec<NodeId, Seen>,
    /// The uses by their ways.
    uses: HashMap<Vec<Way>, UseId>,
    /// How a select is read that is alive so, and has this selector, and how many operands it has.
    selects: HashMap<(Diagram, Diagram), (UseId, u32)>,
    /// For each selector, the decisions that it looks at, and when it does.
    matters: HashMap<Diagram, Vec<(DecisionId, Diagram)>>,
}

impl Walk {
    fn new(space: &Space, is_output: fn(&NodeKind) -> bool) -> Self {
        let mut conditions = space.selectors.clone();
        let (never, always) = (conditions.constant(0), conditions.constant(1));
        let of = |ways, condition| Use { ways, condition: Some(condition) };
        let liveness = Liveness {
            nodes: space.graph.table(NEVER),
            uses: vec![of(vec![], never), of(vec![Way::Where(always)], always)].into(),
            decisions: space.decision_table(never),
            reading: Ok(always),
            known: Known::new(&mut conditions),
            conditions,
        };
        let seen = space.graph.table(Seen::Nothing);
        let (uses, selects, matters) = Default::default();
        Self { liveness, is_output, reads_all: false, seen, uses, selects, matters }
    }

    /// From the outputs to the inputs, with the decisions that matter.
    fn whole(mut self, space: &Space) -> Result<Liveness, Entangled> {
        for (id, node) in space.graph.nodes().rev() {
            self.visit(id, node);
            self.decide(id, node);
            self.liveness.conditions.room()?;
        }
        Ok(self.liveness)
    }

    /// Settles how a node is read, all readers of which were visited, and notes how it reads others.
    fn visit(&mut self, id: NodeId, node: &Node) {
        // An input is part of every network, read or not: it is part of the interface.
        let is_kept = node.kind == NodeKind::Input || (self.is_output)(&node.kind);
        let own = if is_kept { ALWAYS } else { self.settle(id) };
        self.liveness.nodes[id] = own;
        match &node.kind {
            _ if own == NEVER => {}
            NodeKind::Select(selector) => {
                let (alive, selector) = (self.liveness.condition(own), *selector);
                // INVARIANT: the first one, so that nothing is read as it is read itself.
                let count = node.inputs.len() as u32;
                self.selects.entry((alive, selector)).or_insert((own, count));
                for (index, &operand) in (0..).zip(&node.inputs) {
                    self.read_in(operand, &[Way::Taken { alive, selector, index }]);
                }
            }
            NodeKind::Op(op) if !(self.reads_all || op.reads_inputs()) => {}
            _ => node.inputs.iter().for_each(|&operand| self.read_as(operand, own)),
        }
    }

    /// How a node is read whose readers were all seen.
    fn settle(&mut self, id: NodeId) -> UseId {
        match std::mem::take(&mut self.seen[id]) {
            Seen::Nothing => NEVER,
            Seen::As(other) => other,
            Seen::In(ways) => {
                let uses = &mut self.liveness.uses;
                let new = |ways: &Vec<Way>| uses.push(Use { ways: ways.clone(), condition: None });
                *self.uses.entry(ways).or_insert_with_key(new)
            }
        }
    }

    /// The node is read where another one is, which is read so.
    fn read_as(&mut self, node: NodeId, other: UseId) {
        match self.seen[node] {
            Seen::As(before) if before == other || before == ALWAYS => {}
            Seen::Nothing => self.seen[node] = Seen::As(other),
            _ if other == ALWAYS => self.seen[node] = Seen::As(ALWAYS),
            _ => {
                let ways = self.liveness.uses[other].ways.clone();
                self.read_in(node, &ways);
            }
        }
    }

    /// The node is read in these ways, too.
    fn read_in(&mut self, node: NodeId, added: &[Way]) {
        let mut ways = match std::mem::take(&mut self.seen[node]) {
            Seen::As(ALWAYS) => {
                self.seen[node] = Seen::As(ALWAYS);
                return;
            }
            Seen::As(before) => self.liveness.uses[before].ways.clone(),
            Seen::In(ways) => ways,
            Seen::Nothing => Vec::new(),
        };
        let mut whole = Vec::new();
        for &way in added {
            if let Err(place) = ways.binary_search(&way) {
                ways.insert(place, way);
                whole.extend(self.take_whole(&mut ways, way));
            }
        }
        if ways.len() > MAX_WAYS {
            let condition = self.liveness.any(&ways);
            ways = vec![Way::Where(condition)];
        }
        self.seen[node] = if ways.is_empty() { Seen::Nothing } else { Seen::In(ways) };
        whole.into_iter().for_each(|select| self.read_as(node, select));
    }

    /// What a select reads whatever it takes is read wherever the select is: takes out the ways by
    /// the select of this one, if they are all that it has, and returns how that is read.
    fn take_whole(&self, ways: &mut Vec<Way>, one: Way) -> Option<UseId> {
        let Way::Taken { alive, selector, .. } = one else { return None };
        let &(select, operands) = self.selects.get(&(alive, selector))?;
        let start = ways.partition_point(|way| *way < Way::Taken { alive, selector, index: 0 });
        let of_it = ways.get(start..)?.iter().take_while(|way| way.is_of(one)).count();
        // Another select by the same selector may have more operands, which are never taken.
        let index = operands.checked_sub(1)?;
        let last = Way::Taken { alive, selector, index };
        let is_whole = ways.get(start + index as usize) == Some(&last);
        is_whole.then(|| {
            ways.drain(start..start + of_it);
            select
        })
    }

    /// The decisions at which a node looks matter where it is alive and comes to look at them.
    fn decide(&mut self, id: NodeId, node: &Node) {
        for selector in node.selectors() {
            let alive = self.liveness.node(id);
            let Liveness { conditions, known, decisions, .. } = &mut self.liveness;
            let looked_at = self.matters.entry(selector).or_insert_with(|| {
                let looked_at = conditions.decisions(selector).into_iter();
                looked_at.map(|by| (by, conditions.matters(selector, by))).collect()
            });
            for &(decision, matters) in looked_at.iter() {
                let matters = conditions.and_with(alive, matters, &mut known.and);
                let before = &mut decisions[decision];
                *before = conditions.or_with(*before, matters, &mut known.or);
            }
        }
    }
}
