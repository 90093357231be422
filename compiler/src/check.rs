//! `Checked<Space>`: the only thing that analyses and backends accept, and the checker that
//! makes it.

use std::ops::Deref;

use crate::error::{Place, Problems, diagnostics};
use crate::ir::origin::OriginId;
use crate::ir::{NodeId, NodeKind, Space, Task};

diagnostics! {
    /// A space that takes nothing.
    Error NoInput [nas::space::no_input] "space `{space}` has no input" { space: String }
    /// A space that gives nothing.
    Error NoOutput [nas::space::no_output] "space `{space}` has no output" { space: String }
    /// A tensor that reaches no output.
    Warning UnusedTensor [nas::space::unused_tensor] "the result of this `{what}` reaches no output" { what: String }
    /// An output that the task cannot use.
    Error TaskOutput [nas::space::task_output] "a segmentation of {classes} classes needs an output {needed}, not {found}" { classes: u32, needed: String, found: String }
    /// Costs whose sum leaves the range of what the compiler computes with.
    Error CostOverflow [nas::space::cost_overflow] "the {measure} of space `{space}` leave the range of 64 bits" { measure: String, space: String }
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
    fn place(&self, origin: Option<OriginId>, label: &str) -> Place {
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
        for (id, node) in self.space.graph.nodes() {
            if node.inputs.iter().any(|operand| *operand >= id) {
                self.broken(id, "an operand that comes after it");
                continue;
            }
            let shapes: Vec<_> =
                node.inputs.iter().filter_map(|&i| self.space.graph.shape(i)).collect();
            match &node.kind {
                NodeKind::Input if shapes.is_empty() => {}
                NodeKind::Output if shapes == [node.shape] => {}
                NodeKind::Input | NodeKind::Output => self.broken(id, "a port with other operands"),
                NodeKind::Op(op) => {
                    if op.shape(&shapes) != Ok(node.shape) {
                        self.broken(id, "a shape that does not follow from its operands");
                    }
                }
                NodeKind::Select(decision) => {
                    let count = self.space.decision(*decision).map(|d| d.candidates.len());
                    if count != Some(shapes.len()) || shapes.iter().any(|s| *s != node.shape) {
                        self.broken(id, "a select whose candidates do not agree");
                    }
                }
            }
        }
    }

    fn ports(&mut self) {
        let name = self.space.name.as_str();
        let graph = &self.space.graph;
        if graph.inputs().next().is_none() {
            let place = self.place(None, "").help("add `input image: [3, 224, 224]`");
            self.problems.push(NoInput::at(place, name));
        }
        let Some((_, output)) = graph.outputs().next() else {
            let place = self.place(None, "").help("add `output logits = …`");
            self.problems.push(NoOutput::at(place, name));
            return;
        };
        let Some(Task::Segmentation { classes, .. }) = self.space.task else { return };
        let size = graph.inputs().next().and_then(|(_, input)| input.shape.spatial());
        if output.shape.channels() != classes || output.shape.spatial() != size {
            let [h, w] = size.unwrap_or_default();
            let place = self.place(output.origin, "this output").help(
                "end with a convolution to `classes` channels, and resize to the input's height and width",
            );
            let needed = format!("[{classes}, {h}, {w}]");
            self.problems.push(TaskOutput::at(place, classes, needed, output.shape.to_string()));
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
            if !is_end || reaches.get(id.index()) == Some(&true) {
                continue;
            }
            let what = match &node.kind {
                NodeKind::Op(op) => op.declaration().name,
                NodeKind::Select(_) => "choose",
                NodeKind::Input | NodeKind::Output => continue,
            };
            let place = self.place(node.origin, "computed here").help("use it, or remove it");
            self.problems.push(UnusedTensor::at(place, what));
        }
    }

    /// The sum over all candidates bounds the cost of every network.
    fn costs(&mut self) {
        let (mut macs, mut params) = (0u128, 0u128);
        for (_, node) in self.space.graph.nodes() {
            if let NodeKind::Op(op) = &node.kind {
                let shapes: Vec<_> =
                    node.inputs.iter().filter_map(|&i| self.space.graph.shape(i)).collect();
                macs = macs.saturating_add(op.macs(&shapes, node.shape));
                params = params.saturating_add(op.params(&shapes));
            }
        }
        for (measure, sum) in [("macs", macs), ("params", params)] {
            if sum > u128::from(u64::MAX) {
                let place = self.place(None, "").help("use fewer or smaller layers");
                self.problems.push(CostOverflow::at(place, measure, self.space.name.as_str()));
            }
        }
    }
}
