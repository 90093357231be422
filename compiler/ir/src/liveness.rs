//! When a node is part of the network: as a function of the decisions.
//!
//! The walk from the outputs to the inputs combines conditions where a select is alive; in between
//! it only notes by which selects a node is read. What a select reads whatever it takes is read
//! wherever the select is. So the nodes of candidates need no diagram unless somebody asks.

use rustc_hash::FxHashMap as HashMap;

use crate::diagram::{Diagram, Entangled, Memo, Selectors};
use crate::ids::{DecisionId, NodeId};
use crate::node::{Node, NodeKind};
use crate::space::Space;

/// A node that is read in more ways than this gets its diagram at once.
const MAX_WAYS: usize = 64;

/// For every node and every decision of a space, the assignments under which it matters.
#[derive(Debug)]
pub struct Liveness {
    /// The store of the conditions: that of the space, and more.
    pub conditions: Selectors,
    /// For each node, how it is read: a place in `readings`.
    nodes: Vec<usize>,
    readings: Vec<Reading>,
    decisions: Vec<Diagram>,
    known: Known,
}

/// How a node is read.
#[derive(Debug, Clone)]
struct Reading {
    /// It is read where one of them holds; in order, each once.
    ways: Vec<Way>,
    /// The condition, once it was asked for.
    condition: Option<Diagram>,
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

/// The readings of what nothing reads, and of what is read always.
const NEVER: usize = 0;
const ALWAYS: usize = 1;

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
        let (nodes, readings) = (self.nodes.clone(), self.readings.clone());
        Self { conditions, nodes, readings, decisions: self.decisions.clone(), known }
    }
}

impl Liveness {
    /// With the conditions of all nodes.
    pub(crate) fn whole(mut self) -> Result<Self, Entangled> {
        for reading in 0..self.readings.len() {
            self.condition(reading);
            self.conditions.room()?;
        }
        Ok(self)
    }

    /// A node is alive where an output, or an operator that is alive, reads it, directly or
    /// through selects that take it. A decision matters where a node is alive whose select,
    /// operator or shape depends on it. What only train outputs read is never alive.
    pub(crate) fn new(space: &Space) -> Result<Self, Entangled> {
        let mut walk = Walk::new(space, |kind| matches!(kind, NodeKind::Output));
        for (id, node) in space.graph.nodes().rev() {
            walk.visit(id, node);
            walk.decide(id, node);
            walk.liveness.conditions.room()?;
        }
        Ok(walk.liveness)
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
        self.condition(self.nodes.get(id.index()).copied().unwrap_or(NEVER))
    }

    /// When each node is part of the network, and the store of these conditions.
    ///
    /// # Errors
    /// [`Entangled`] where the conditions grow beyond what can be held.
    pub fn into_nodes(mut self) -> Result<(Selectors, Vec<Diagram>), Entangled> {
        let nodes = std::mem::take(&mut self.nodes);
        let mut conditions = Vec::with_capacity(nodes.len());
        for reading in nodes {
            conditions.push(self.condition(reading));
            self.conditions.room()?;
        }
        Ok((self.conditions, conditions))
    }

    /// When a decision makes a difference.
    #[must_use]
    pub fn decision(&self, id: DecisionId) -> Option<Diagram> {
        self.decisions.get(id.index()).copied()
    }

    fn condition(&mut self, reading: usize) -> Diagram {
        let Some(found) = self.readings.get(reading) else { return self.conditions.constant(0) };
        if let Some(known) = found.condition {
            return known;
        }
        let condition = self.any(&found.ways.clone());
        self.readings.get_mut(reading).into_iter().for_each(|r| r.condition = Some(condition));
        condition
    }

    /// The condition under which one of the ways holds.
    fn any(&mut self, ways: &[Way]) -> Diagram {
        let mut condition = self.conditions.constant(0);
        for &way in ways {
            let holds = match way {
                Way::Where(condition) => condition,
                Way::Taken { alive, selector, index } => {
                    let taken = self.is(selector, index);
                    self.conditions.and_with(alive, taken, &mut self.known.and)
                }
            };
            condition = self.conditions.or_with(condition, holds, &mut self.known.or);
        }
        condition
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
    /// As this reading says.
    As(usize),
    /// In these ways, in order.
    In(Vec<Way>),
}

/// A walk from the outputs to the inputs.
struct Walk {
    liveness: Liveness,
    is_output: fn(&NodeKind) -> bool,
    seen: Vec<Seen>,
    /// The readings by their ways.
    readings: HashMap<Vec<Way>, usize>,
    /// How a select is read that is alive so, and has this selector, and how many operands it has.
    selects: HashMap<(Diagram, Diagram), (usize, u32)>,
    /// For each selector, the decisions that it looks at, and when it does.
    matters: HashMap<Diagram, Vec<(DecisionId, Diagram)>>,
}

impl Walk {
    fn new(space: &Space, is_output: fn(&NodeKind) -> bool) -> Self {
        let mut conditions = space.selectors.clone();
        let (never, always) = (conditions.constant(0), conditions.constant(1));
        let reading = |ways, condition| Reading { ways, condition: Some(condition) };
        let liveness = Liveness {
            nodes: vec![NEVER; space.graph.len()],
            readings: vec![reading(vec![], never), reading(vec![Way::Where(always)], always)],
            decisions: vec![never; space.decisions.len()],
            known: Known::new(&mut conditions),
            conditions,
        };
        let seen = vec![Seen::Nothing; space.graph.len()];
        let (readings, selects, matters) =
            (HashMap::default(), HashMap::default(), HashMap::default());
        Self { liveness, is_output, seen, readings, selects, matters }
    }

    /// Settles how a node is read, all readers of which were visited, and notes how it reads others.
    fn visit(&mut self, id: NodeId, node: &Node) {
        // An input is part of every network, read or not: it is part of the interface.
        let is_kept = node.kind == NodeKind::Input || (self.is_output)(&node.kind);
        let reading = if is_kept { ALWAYS } else { self.settle(id) };
        self.liveness.nodes.get_mut(id.index()).into_iter().for_each(|slot| *slot = reading);
        match &node.kind {
            _ if reading == NEVER => {}
            NodeKind::Select(selector) => {
                let (alive, selector) = (self.liveness.condition(reading), *selector);
                // INVARIANT: the first one, so that nothing is read as it is read itself.
                let count = node.inputs.len() as u32;
                self.selects.entry((alive, selector)).or_insert((reading, count));
                for (index, &operand) in (0..).zip(&node.inputs) {
                    self.read_in(operand, &[Way::Taken { alive, selector, index }]);
                }
            }
            NodeKind::Op(op) if !op.reads_inputs() => {}
            _ => node.inputs.iter().for_each(|&operand| self.read_as(operand, reading)),
        }
    }

    /// The reading of a node whose readers were all seen.
    fn settle(&mut self, id: NodeId) -> usize {
        match self.seen.get_mut(id.index()).map(std::mem::take).unwrap_or_default() {
            Seen::Nothing => NEVER,
            Seen::As(reading) => reading,
            Seen::In(ways) => {
                let readings = &mut self.liveness.readings;
                *self.readings.entry(ways).or_insert_with_key(|ways| {
                    readings.push(Reading { ways: ways.clone(), condition: None });
                    readings.len() - 1
                })
            }
        }
    }

    /// The node is read where another one is.
    fn read_as(&mut self, node: NodeId, reading: usize) {
        match self.seen.get(node.index()) {
            Some(Seen::As(before)) if *before == reading || *before == ALWAYS => {}
            Some(Seen::Nothing) => self.now(node, Seen::As(reading)),
            _ if reading == ALWAYS => self.now(node, Seen::As(ALWAYS)),
            _ => {
                let ways = self.liveness.readings.get(reading).map(|r| r.ways.clone());
                self.read_in(node, &ways.unwrap_or_default());
            }
        }
    }

    /// The node is read in these ways, too.
    fn read_in(&mut self, node: NodeId, added: &[Way]) {
        let mut ways = match self.seen.get_mut(node.index()).map(std::mem::take) {
            Some(Seen::As(ALWAYS)) => return self.now(node, Seen::As(ALWAYS)),
            Some(Seen::As(before)) => {
                self.liveness.readings.get(before).map(|r| r.ways.clone()).unwrap_or_default()
            }
            Some(Seen::In(ways)) => ways,
            Some(Seen::Nothing) | None => Vec::new(),
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
        let seen = if ways.is_empty() { Seen::Nothing } else { Seen::In(ways) };
        self.now(node, seen);
        whole.into_iter().for_each(|reading| self.read_as(node, reading));
    }

    /// What a select reads whatever it takes is read wherever the select is: takes out the ways by
    /// the select of this one, if they are all that it has, and returns how that is read.
    fn take_whole(&self, ways: &mut Vec<Way>, one: Way) -> Option<usize> {
        let Way::Taken { alive, selector, .. } = one else { return None };
        let &(reading, operands) = self.selects.get(&(alive, selector))?;
        let start = ways.partition_point(|way| *way < Way::Taken { alive, selector, index: 0 });
        let of_it = ways.get(start..)?.iter().take_while(|way| way.is_of(one)).count();
        // Another select by the same selector may have more operands, which are never taken.
        let index = operands.checked_sub(1)?;
        let last = Way::Taken { alive, selector, index };
        let is_whole = ways.get(start + index as usize) == Some(&last);
        is_whole.then(|| {
            ways.drain(start..start + of_it);
            reading
        })
    }

    fn now(&mut self, node: NodeId, seen: Seen) {
        if let Some(slot) = self.seen.get_mut(node.index()) {
            *slot = seen;
        }
    }

    /// The decisions at which a node looks matter where it is alive and comes to look at them.
    fn decide(&mut self, id: NodeId, node: &Node) {
        let selector = match &node.kind {
            NodeKind::Select(selector) => Some(*selector),
            NodeKind::Op(op) => op.selector(),
            NodeKind::Input => node.shape.selector(),
            NodeKind::Output | NodeKind::TrainOutput { .. } => None,
        };
        let Some(selector) = selector else { return };
        let alive = self.liveness.node(id);
        let Liveness { conditions, known, decisions, .. } = &mut self.liveness;
        let looked_at = self.matters.entry(selector).or_insert_with(|| {
            let looked_at = conditions.decisions(selector).into_iter();
            looked_at.map(|by| (by, conditions.matters(selector, by))).collect()
        });
        for &(decision, matters) in looked_at.iter() {
            let matters = conditions.and_with(alive, matters, &mut known.and);
            if let Some(before) = decisions.get_mut(decision.index()) {
                *before = conditions.or_with(*before, matters, &mut known.or);
            }
        }
    }
}
