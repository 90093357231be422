//! `Checked<Space>`: the only thing that analyses and backends accept, and the checker that
//! makes it.

use std::ops::Deref;

use crate::analyse::liveness::Liveness;
use crate::diagram::{Diagram, Selectors};
use crate::error::{Place, Problems, diagnostics};
use crate::ir::operation::Operation;
use crate::ir::origin::OriginId;
use crate::ir::{Node, NodeId, NodeKind, Space};
use crate::measure::Measure;
use crate::shape::Shape;
use crate::target::Precision;

diagnostics! {
    /// A space that takes nothing.
    Error NoInput [nas::space::no_input] "space `{space}` has no input" { space: String }
    /// A space that gives nothing.
    Error NoOutput [nas::space::no_output] "space `{space}` has no output" { space: String }
    /// A tensor that reaches no output.
    Warning UnusedTensor [nas::space::unused_tensor] "the result of this `{what}` reaches no output" { what: String }
    /// An output that the task cannot use.
    Error TaskOutput [nas::space::task_output] "{task} needs an output {needed}, not {found}" { task: String, needed: String, found: String }
    /// Costs whose sum leaves the range of what the compiler computes with.
    Error CostOverflow [nas::space::cost_overflow] "the {measure} of space `{space}` leave the range of 64 bits" { measure: String, space: String }
    /// Decisions that no table of bounded size holds.
    Error Entangled [nas::space::entangled] "the decisions of space `{space}` are too entangled to prove its shapes" { space: String }
    /// A fault of the compiler.
    Error Broken [nas::internal::broken_space] "the compiler made a space that is not well-formed: {what}" { what: String }
}

/// Something that the checker proved well-formed. Only the checker makes it.
#[derive(Debug, Clone)]
pub struct Checked<T>(T);

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Proves a space well-formed: every shape follows from its operands, the candidates of each
/// select agree, inputs and outputs are there and fit the task, sums of costs fit into 64 bits.
/// `None` if an error was reported; warnings leave a space checked.
pub fn check(space: Space, problems: &mut Problems) -> Option<Checked<Space>> {
    let mut checker = Checker { space: &space, problems: Problems::default() };
    checker.structure();
    checker.ports();
    checker.unused();
    checker.costs();
    let found = checker.problems;
    let is_sound = !found.has_errors();
    problems.extend(found.into_vec());
    is_sound.then_some(Checked(space))
}

struct Checker<'s> {
    space: &'s Space,
    problems: Problems,
}

impl Checker<'_> {
    fn place(&self, origin: Option<OriginId>, label: impl Into<String>) -> Place {
        let origins = &self.space.origins;
        let mut chain = origins.chain(origin).into_iter();
        match chain.next() {
            Some((source, span)) => Place::new(&source, span, label).chain(chain.collect()),
            None => Place::nowhere(),
        }
    }

    fn broken(&mut self, id: NodeId, what: &str) {
        let place = Place::nowhere().help("please report it with the file");
        self.problems.push(Broken::at(place, format!("{id}: {what}")));
    }

    /// Every node follows from its operands. The elaborator builds such spaces; one that was
    /// read from the text form may be anything.
    fn structure(&mut self) {
        let mut varying = Vec::new();
        for (id, node) in self.space.graph.nodes() {
            if node.inputs.iter().any(|operand| *operand >= id) {
                self.broken(id, "an operand that comes after it");
                continue;
            }
            let inputs = node.inputs.iter().filter_map(|&i| self.space.graph.shape(i)?.fixed());
            let inputs: Vec<Shape> = inputs.copied().collect();
            match (node.shape.fixed(), inputs.len() == node.inputs.len()) {
                (Some(&output), true) => self.fixed_node(id, node, &inputs, output),
                _ => varying.push((id, node)),
            }
        }
        if !varying.is_empty() {
            self.varying_nodes(&varying);
        }
    }

    /// A node of which at most the operator varies.
    fn fixed_node(&mut self, id: NodeId, node: &Node, inputs: &[Shape], output: Shape) {
        match &node.kind {
            NodeKind::Input if inputs.is_empty() => {}
            NodeKind::Output if inputs == [output] => {}
            NodeKind::Input | NodeKind::Output => self.broken(id, "a port with other operands"),
            NodeKind::Op(op) => {
                if op.values().iter().any(|op| op.shape(inputs) != Ok(output)) {
                    self.broken(id, "a shape that does not follow from its operands");
                }
            }
            NodeKind::Select(selector) => {
                let leaves = self.space.selectors.leaves(*selector);
                let is_sound =
                    !leaves.is_empty() && leaves.iter().all(|&&l| (l as usize) < inputs.len());
                if !is_sound || inputs.iter().any(|shape| *shape != output) {
                    self.broken(id, "a select whose operands do not agree");
                }
            }
        }
    }

    /// Nodes whose shape, or an operand's, depends on decisions: proved for all assignments
    /// under which the node is alive.
    fn varying_nodes(&mut self, nodes: &[(NodeId, &Node)]) {
        let Ok(mut liveness) = Liveness::of_unchecked(self.space) else {
            let place = self.place(self.space.origin, "this space");
            let place = place.help("let fewer choices meet in one tensor");
            self.problems.push(Entangled::at(place, self.space.name.as_str()));
            return;
        };
        for &(id, node) in nodes {
            let Some(alive) = liveness.node(id) else { continue };
            if !self.follows(node, alive, &mut liveness.conditions) {
                self.broken(id, "a shape that does not follow from its operands");
            }
        }
    }

    fn follows(&self, node: &Node, alive: Diagram, selectors: &mut Selectors) -> bool {
        let shape_of = |id: &NodeId| self.space.graph.shape(*id);
        match &node.kind {
            NodeKind::Input => node.inputs.is_empty(),
            NodeKind::Output => match node.inputs.as_slice() {
                [operand] => shape_of(operand) == Some(&node.shape),
                _ => false,
            },
            NodeKind::Op(op) => {
                let operation = Operation::of(self.space, node, op);
                let cases = operation.cases(selectors, alive);
                let mut cases = operation.combinations(&cases);
                cases.all(|(op, inputs, output)| op.shape(&inputs) == Ok(output))
            }
            NodeKind::Select(selector) => {
                let inputs: Vec<_> = node.inputs.iter().filter_map(shape_of).collect();
                let mut parts = vec![*selector, node.shape.index(selectors)];
                parts.extend(inputs.iter().map(|shape| shape.index(selectors)));
                let cases = selectors.joint(alive, &parts);
                cases.combinations.iter().all(|row| {
                    let [taken, output, shapes @ ..] = row.as_slice() else { return false };
                    let taken = *taken as usize;
                    let index = shapes.get(taken).map(|&index| index as usize);
                    let shape = inputs.get(taken).zip(index).and_then(|(s, i)| s.values().get(i));
                    shape.is_some() && shape == node.shape.values().get(*output as usize)
                })
            }
        }
    }

    fn ports(&mut self) {
        let name = self.space.name.as_str();
        let graph = &self.space.graph;
        let Some((_, input)) = graph.inputs().next() else {
            // Without an input there is nothing to make an output of.
            let place = self.place(self.space.origin, "this space");
            let place = place.help("add `input image: [3, 224, 224]`");
            self.problems.push(NoInput::at(place, name));
            return;
        };
        let Some((_, output)) = graph.outputs().next() else {
            let place = self.place(self.space.origin, "this space");
            let place = place.help("end it with `output logits = …`");
            self.problems.push(NoOutput::at(place, name));
            return;
        };
        let Some(task) = self.space.task else { return };
        let mut selectors = self.space.selectors.clone();
        let always = selectors.constant(1);
        let parts = [input.shape.index(&mut selectors), output.shape.index(&mut selectors)];
        let cases = selectors.joint(always, &parts).combinations;
        let shapes = cases.iter().filter_map(|row| {
            let [i, o] = row.as_slice() else { return None };
            Some((input.shape.values().get(*i as usize)?, output.shape.values().get(*o as usize)?))
        });
        for (input, found) in shapes {
            if let Some((needed, help)) = task.misfit(*input, *found) {
                let place = self.place(output.origin, "this output").help(help);
                let what = task.describe();
                self.problems.push(TaskOutput::at(
                    place,
                    what,
                    needed.to_string(),
                    found.to_string(),
                ));
                return;
            }
        }
    }

    /// Warns where a chain of operators ends that reaches no output, whatever is chosen.
    fn unused(&mut self) {
        let mut reaches = vec![false; self.space.graph.len()];
        for (id, node) in self.space.graph.nodes().rev() {
            let is_output = node.kind == NodeKind::Output;
            if !is_output && reaches.get(id.index()) != Some(&true) {
                continue;
            }
            for operand in &node.inputs {
                if let Some(slot) = reaches.get_mut(operand.index()) {
                    *slot = true;
                }
            }
        }
        for (id, node) in self.space.graph.nodes() {
            let is_end = self.space.graph.consumers(id).next().is_none();
            let is_told = self.space.dropped.contains(&id);
            if !is_end || is_told || reaches.get(id.index()) == Some(&true) {
                continue;
            }
            let what = match &node.kind {
                NodeKind::Op(op) => op.name(),
                NodeKind::Select(_) => "choose",
                NodeKind::Input | NodeKind::Output => continue,
            };
            let place = self.place(node.origin, "computed here").help("use it, or remove it");
            self.problems.push(UnusedTensor::at(place, what));
        }
    }

    /// The sum over all candidates, the dearest case of each, bounds the cost of every network.
    fn costs(&mut self) {
        let (mut macs, mut params) = (0u128, 0u128);
        let mut selectors = self.space.selectors.clone();
        let always = selectors.constant(1);
        for (_, node) in self.space.graph.nodes() {
            let NodeKind::Op(op) = &node.kind else { continue };
            let operation = Operation::of(self.space, node, op);
            let (node_macs, node_params) = match operation.fixed() {
                Some((op, inputs, output)) => (op.macs(&inputs, output), op.params(&inputs)),
                None => {
                    let cases = operation.cases(&mut selectors, always);
                    let costs = operation.combinations(&cases);
                    let costs = costs.map(|(op, i, output)| (op.macs(&i, output), op.params(&i)));
                    costs.fold((0, 0), |(m, p), (macs, params)| (m.max(macs), p.max(params)))
                }
            };
            macs = macs.saturating_add(node_macs);
            params = params.saturating_add(node_params);
        }
        let bytes = params.saturating_mul(u128::from(Precision::Fp32.bytes()));
        let sums =
            [(Measure::Macs, macs), (Measure::Params, params), (Measure::WeightBytes, bytes)];
        // More bytes than fit follow from more parameters than fit: one report is enough.
        let too_large = sums.into_iter().find(|(_, sum)| *sum > u128::from(u64::MAX));
        if let Some((measure, sum)) = too_large {
            let place = self.place(self.space.origin, format!("{sum} over all candidates"));
            let place = place.help("use fewer layers, fewer channels or a smaller input");
            self.problems.push(CostOverflow::at(place, measure.name(), self.space.name.as_str()));
        }
    }
}
