//! From a space and an assignment to one network.

use nas_ir::diagram::Diagram;
use nas_ir::network::{NetworkNode, Port, TrainOutput, TrainingPart};
use nas_ir::ops::Yields;
use nas_ir::{Assignment, Checked, DecisionId, Network, Node, NodeId, NodeKind, Op, Shape, Space};

/// The network that an assignment picks: selects resolved, `identity` and additions of `zero`
/// gone, what no output reads left out. Names of nodes are those of the space. What only train
/// outputs read stands apart, in [`Network::training`].
#[must_use]
pub fn specialise(space: &Checked<Space>, assignment: &Assignment) -> Network {
    let mut builder = Builder {
        space,
        assignment,
        resolved: vec![None; space.graph.len()],
        place: vec![None; space.graph.len()],
        network: Network {
            space: space.name.clone(),
            task: space.task,
            precision: space.device.precision,
            latency: None,
            choices: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            training: TrainingPart::default(),
        },
    };
    builder.resolve();
    builder.emit();
    builder.emit_training();
    builder.network
}

struct Builder<'s> {
    space: &'s Checked<Space>,
    assignment: &'s Assignment,
    /// For each node, the node whose value it has once decisions are made.
    resolved: Vec<Option<NodeId>>,
    /// For each node, its index in the network.
    place: Vec<Option<usize>>,
    network: Network,
}

impl<'s> Builder<'s> {
    fn target(&self, id: NodeId) -> NodeId {
        self.resolved.get(id.index()).copied().flatten().unwrap_or(id)
    }

    /// The operator of a node in this network.
    fn op(&self, node: &'s Node) -> Option<&'s Op> {
        let NodeKind::Op(op) = &node.kind else { return None };
        op.get(&self.space.selectors, self.assignment)
    }

    /// The operand that a select takes in this network.
    fn taken(&self, node: &Node, selector: Diagram) -> Option<NodeId> {
        let index = self.space.selectors.value(selector, self.assignment)?;
        node.inputs.get(*index as usize).copied()
    }

    /// What the value of a node is that is an operator.
    fn yields(&self, node: &Node) -> Option<Yields> {
        self.op(node).map(Op::yields)
    }

    fn is_zero(&self, id: NodeId) -> bool {
        let node = self.space.graph.node(self.target(id));
        node.is_some_and(|node| self.yields(node) == Some(Yields::Zeros))
    }

    fn operands(&self, node: &Node) -> Vec<NodeId> {
        let all = node.inputs.iter().map(|&id| self.target(id));
        match self.yields(node) {
            Some(Yields::Sum) => {
                let kept: Vec<NodeId> = all.clone().filter(|&id| !self.is_zero(id)).collect();
                // A sum of zeros only is one of them.
                if kept.is_empty() { all.take(1).collect() } else { kept }
            }
            Some(Yields::Zeros) => Vec::new(),
            Some(Yields::Operand | Yields::OperandButInTraining | Yields::Computed) | None => {
                all.collect()
            }
        }
    }

    /// Operands come first, so one pass forwards values through selects, identities and sums
    /// of one.
    fn resolve(&mut self) {
        for (id, node) in self.space.graph.nodes() {
            let forwarded = match &node.kind {
                NodeKind::Select(selector) => self.taken(node, *selector).map(|id| self.target(id)),
                NodeKind::Op(_) => self.forwarded(node),
                NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => None,
            };
            if let (Some(slot), Some(to)) = (self.resolved.get_mut(id.index()), forwarded) {
                *slot = Some(to);
            }
        }
    }

    /// The node whose value that of an operator is, if it computes none.
    fn forwarded(&self, node: &Node) -> Option<NodeId> {
        match self.yields(node)? {
            Yields::Operand => node.inputs.first().map(|&id| self.target(id)),
            Yields::Sum => match self.operands(node).as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            Yields::OperandButInTraining | Yields::Zeros | Yields::Computed => None,
        }
    }

    /// For each node of the space, selects included, whether it is an end or an end reads it.
    fn reachable(&self, is_end: impl Fn(&NodeKind) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.space.graph.len()];
        for (id, node) in self.space.graph.nodes().rev() {
            let is_reached = is_end(&node.kind) || reached.get(id.index()) == Some(&true);
            if !is_reached {
                continue;
            }
            if let Some(slot) = reached.get_mut(id.index()) {
                *slot = true;
            }
            let read: Vec<NodeId> = match (&node.kind, self.op(node)) {
                (NodeKind::Select(selector), _) => {
                    self.taken(node, *selector).into_iter().collect()
                }
                (_, Some(op)) if !op.reads_inputs() => Vec::new(),
                _ => node.inputs.clone(),
            };
            for operand in read {
                if let Some(slot) = reached.get_mut(operand.index()) {
                    *slot = true;
                }
            }
        }
        reached
    }

    /// Writes what the outputs read, in order.
    fn emit(&mut self) {
        let reached = self.reachable(|kind| matches!(kind, NodeKind::Output | NodeKind::Input));
        self.network.latency = self.latency(&reached);
        let read = self.read(&reached);
        let mut matters = vec![false; self.space.decisions.len()];
        for (id, node) in self.space.graph.nodes() {
            if reached.get(id.index()) != Some(&true) {
                continue;
            }
            for decision in self.decided_by(node) {
                matters.get_mut(decision.index()).into_iter().for_each(|slot| *slot = true);
            }
            match &node.kind {
                NodeKind::Output => {
                    let operand = node.inputs.first().map(|&id| self.target(id));
                    if let Some(place) = operand.and_then(|id| self.place_of(id)) {
                        self.network.outputs.push(Port { name: node.name.clone(), node: place });
                    }
                }
                NodeKind::Input => {
                    let made = self.made(id, node);
                    let place = self.network.nodes.len();
                    self.network.nodes.push(made);
                    self.network.inputs.push(Port { name: node.name.clone(), node: place });
                }
                NodeKind::Op(_) if self.target(id) == id && read.get(id.index()) == Some(&true) => {
                    let made = self.made(id, node);
                    self.network.nodes.push(made);
                }
                NodeKind::Op(_) | NodeKind::Select(_) | NodeKind::TrainOutput { .. } => {}
            }
        }
        let decisions = self.space.decision_ids().zip(matters);
        self.network.choices = decisions
            .filter(|(_, matters)| *matters)
            .filter_map(|((id, decision), _)| {
                let candidate = decision.candidates.get(self.assignment.get(id))?;
                Some((decision.path.clone(), candidate.clone()))
            })
            .collect();
    }

    /// The nanoseconds of the parts that are in this network, each in its case.
    fn latency(&self, reached: &[bool]) -> Option<u64> {
        let latency = self.space.device.latency.as_ref()?;
        let parts = latency.parts.iter();
        let alive = parts.filter(|part| reached.get(part.node.index()) == Some(&true));
        let each = alive.filter_map(|part| {
            let case = self.space.selectors.value(part.case, self.assignment)?;
            part.nanoseconds.get(*case as usize).copied()
        });
        Some(each.fold(latency.overhead, u64::saturating_add))
    }

    /// Writes what train outputs read and is not there yet, in order.
    fn emit_training(&mut self) {
        let reached = self.reachable(|kind| matches!(kind, NodeKind::TrainOutput { .. }));
        let read = self.read(&reached);
        for (id, node) in self.space.graph.nodes() {
            match &node.kind {
                NodeKind::TrainOutput { weight } => {
                    let operand = node.inputs.first().map(|&id| self.target(id));
                    if let Some(place) = operand.and_then(|id| self.place_of(id)) {
                        let port = Port { name: node.name.clone(), node: place };
                        let output = TrainOutput { port, weight: *weight };
                        self.network.training.outputs.push(output);
                    }
                }
                NodeKind::Op(_)
                    if read.get(id.index()) == Some(&true)
                        && self.target(id) == id
                        && self.place_of(id).is_none() =>
                {
                    let made = self.made(id, node);
                    self.network.training.nodes.push(made);
                }
                NodeKind::Op(_) | NodeKind::Select(_) | NodeKind::Input | NodeKind::Output => {}
            }
        }
    }

    /// The decisions that matter to a node of this network.
    fn decided_by(&self, node: &Node) -> Vec<DecisionId> {
        let selector = match &node.kind {
            NodeKind::Select(selector) => Some(*selector),
            NodeKind::Op(op) => op.selector(),
            NodeKind::Input => node.shape.selector(),
            NodeKind::Output | NodeKind::TrainOutput { .. } => None,
        };
        let path = |selector| self.space.selectors.path(selector, self.assignment);
        selector.map(path).unwrap_or_default()
    }

    /// The nodes whose values some node of the network reads, selects and dropped zeros aside.
    fn read(&self, reached: &[bool]) -> Vec<bool> {
        let mut read = vec![false; self.space.graph.len()];
        for (id, node) in self.space.graph.nodes() {
            let is_forwarded = self.target(id) != id;
            if is_forwarded || reached.get(id.index()) != Some(&true) {
                continue;
            }
            for operand in self.operands(node) {
                if let Some(slot) = read.get_mut(operand.index()) {
                    *slot = true;
                }
            }
        }
        read
    }

    fn place_of(&self, id: NodeId) -> Option<usize> {
        self.place.get(id.index()).copied().flatten()
    }

    /// The node in this network, behind those that are there.
    fn made(&mut self, id: NodeId, node: &'s Node) -> NetworkNode {
        let inputs =
            self.operands(node).into_iter().filter_map(|operand| self.place_of(operand)).collect();
        let place = self.network.nodes.len() + self.network.training.nodes.len();
        if let Some(slot) = self.place.get_mut(id.index()) {
            *slot = Some(place);
        }
        // INVARIANT: the checker proved a shape for every assignment.
        let shape = node.shape.get(&self.space.selectors, self.assignment).copied();
        NetworkNode {
            name: node.name.clone(),
            op: self.op(node).cloned(),
            inputs,
            shape: shape.unwrap_or(Shape::vector(0)),
        }
    }
}
