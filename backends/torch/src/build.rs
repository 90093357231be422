//! From a network or a space to a program and the parameters that it needs.
//!
//! A node of which operator, operands or shape depend on decisions becomes one instruction for
//! each of its cases, and a select among them. An input whose size depends on decisions is given
//! at the largest and brought to size; an output whose size does is brought back to the largest.
//!
//! Parameters are named as in the network, by the path of the node and the role. Where cases have
//! tensors of their own, choices stand between ([`WeightGroup::label`]):
//! `unit.3/conv.0[unit.3/kernel=5].weight`.

use std::collections::HashMap;

use nas_ir::diagram::{Diagram, Entangled};
use nas_ir::network::{NetworkNode, Port, TrainOutput};
use nas_ir::operation::{Case, Operation, WeightGroup};
use nas_ir::ops::{Resize, ResizeMode, ResizeTo, Weight};
use nas_ir::{Checked, Network, Node, NodeKind, Op, Shape, Space, TensorName, Varied};

use crate::parameters::{Reading, Spec};
use crate::program::{self, Instruction, Operator, Output, Program, Select, Work};

impl Program {
    /// The program of a network, and the parameters it needs. If it is `fed` pictures of another
    /// size than that of its input, it answers in that size too.
    pub(crate) fn of_network(network: &Network, fed: Option<Shape>) -> (Self, Vec<Spec>) {
        let builder = Builder::of_network(network, fed);
        (builder.program, builder.specs)
    }

    /// As `of_network`, with what training adds.
    pub(crate) fn in_training(network: &Network, fed: Option<Shape>) -> (Self, Vec<Spec>) {
        let mut builder = Builder::of_network(network, fed);
        builder.network_nodes(network, &network.training.nodes, fed);
        for TrainOutput { port, weight } in &network.training.outputs {
            let output = builder.network_output(network, port, fed);
            let added = program::TrainOutput { output, weight: *weight };
            builder.program.train_outputs.push(added);
        }
        (builder.program, builder.specs)
    }

    /// The program of a supernet, and the parameters of all its candidates. A search trains without
    /// train outputs.
    ///
    /// # Errors
    /// Something depends on decisions that are too entangled to list its cases.
    pub(crate) fn of_space(space: &Checked<Space>) -> Result<(Self, Vec<Spec>), Entangled> {
        let mut builder = Builder::default();
        builder.program.selectors = space.selectors.clone();
        let mut alive = Vec::new();
        if space.graph.nodes().any(|(_, node)| varies(node)) {
            (builder.program.selectors, alive) = space.whole_liveness()?.into_nodes()?;
        }
        let always = builder.program.selectors.constant(1);
        for ((id, node), train_only) in space.graph.nodes().zip(space.graph.train_only()) {
            if train_only {
                // Nothing reads its place.
                builder.places.push(0);
                continue;
            }
            let alive = alive.get(id.index()).copied().unwrap_or(always);
            let row = builder.node(space, node, alive);
            builder.places.push(row);
            builder.program.selectors.room()?;
        }
        Ok((builder.program, builder.specs))
    }
}

fn varies(node: &Node) -> bool {
    let is_fixed = !matches!(&node.kind, NodeKind::Op(op) if op.fixed().is_none());
    !is_fixed || node.shape.fixed().is_none()
}

/// The shape that is along each axis as large as the largest.
pub(crate) fn largest(shape: &Varied<Shape>) -> Shape {
    let axis = |axis: usize| {
        let sizes = shape.values().iter().filter_map(|shape| shape.dims().get(axis).copied());
        sizes.max()
    };
    let dims: Vec<u32> = (0..).map_while(axis).collect();
    // INVARIANT: the shapes of a node have one rank.
    Shape::from_dims(&dims).unwrap_or(Shape::vector(0))
}

#[derive(Default)]
struct Builder {
    program: Program,
    specs: Vec<Spec>,
    /// For each node so far, the instruction with its value.
    places: Vec<usize>,
    /// The rows of [`Program::selects`].
    selects: HashMap<Select, usize>,
}

impl Builder {
    fn of_network(network: &Network, fed: Option<Shape>) -> Self {
        let mut builder = Self::default();
        builder.network_nodes(network, &network.nodes, fed);
        for port in &network.outputs {
            let output = builder.network_output(network, port, fed);
            builder.program.outputs.push(output);
        }
        builder
    }

    fn network_nodes(&mut self, network: &Network, nodes: &[NetworkNode], fed: Option<Shape>) {
        for node in nodes {
            let row = match &node.op {
                Some(op) => {
                    let case = (op, network.operand_shapes(node), node.shape);
                    self.only_case(&node.name, case, &node.inputs)
                }
                None => {
                    let given = fed.unwrap_or(node.shape);
                    let row = self.input(&node.name, given);
                    self.resized(&node.name, row, given, node.shape)
                }
            };
            self.places.push(row);
        }
    }

    /// The value at a port; a picture of the input's size in that of the pictures that are fed.
    fn network_output(&mut self, network: &Network, port: &Port, fed: Option<Shape>) -> Output {
        let shape_of = |port: &Port| network.node(port.node).map(|node| node.shape);
        let shape = shape_of(port).unwrap_or(Shape::vector(0));
        let own = network.inputs.last().and_then(shape_of);
        let is_picture = own.is_some_and(|own| own.spatial() == shape.spatial());
        let asked = fed.filter(|_| is_picture);
        let asked = asked.map_or(shape, |fed| fed.with_channels(shape.channels()));
        let row = self.resized(&port.name, self.place(port.node), shape, asked);
        Output { row, shape: asked }
    }

    fn place(&self, node: usize) -> usize {
        // INVARIANT: operands come first.
        self.places.get(node).copied().unwrap_or_default()
    }

    fn push(&mut self, name: &str, work: Work, inputs: Vec<usize>, weights: Vec<Reading>) -> usize {
        let name = name.to_owned();
        self.program.instructions.push(Instruction { name, work, inputs, weights });
        self.program.instructions.len() - 1
    }

    fn node(&mut self, space: &Space, node: &Node, alive: Diagram) -> usize {
        let name = node.name.as_str();
        let operands: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
        let first = operands.first().map_or(0, |&node| self.place(node));
        match &node.kind {
            NodeKind::Input => {
                let fed = largest(&node.shape);
                let row = self.input(name, fed);
                let cases = node.shape.values().iter();
                let rows = cases.map(|&shape| self.resized(name, row, fed, shape)).collect();
                self.select(name, node.shape.selector(), rows, &node.shape)
            }
            NodeKind::Output => {
                let shape = largest(&node.shape);
                let cases = node.shape.values().iter();
                let rows = cases.map(|&case| self.resized(name, first, case, shape)).collect();
                let row = self.select(name, node.shape.selector(), rows, &Varied::Fixed(shape));
                let row = self.push(name, Work::Output, vec![row], Vec::new());
                self.program.outputs.push(Output { row, shape });
                row
            }
            NodeKind::Op(op) => {
                let operation = Operation::of(space, node, op);
                match operation.fixed() {
                    Some(case) => self.only_case(name, case, &operands),
                    None => self.cases(space, node, &operation, alive),
                }
            }
            NodeKind::TrainOutput { .. } => first,
            NodeKind::Select(selector) => {
                let rows = operands.iter().map(|&node| self.place(node)).collect();
                self.select(name, Some(*selector), rows, &node.shape)
            }
        }
    }

    /// An input that is given in this shape.
    fn input(&mut self, name: &str, shape: Shape) -> usize {
        self.program.inputs.push(shape);
        self.push(name, Work::Input(self.program.inputs.len() - 1), Vec::new(), Vec::new())
    }

    /// A map brought to another size, if it is another.
    fn resized(&mut self, name: &str, row: usize, from: Shape, to: Shape) -> usize {
        let Some(size) = to.spatial().filter(|_| from != to) else { return row };
        let mode = ResizeMode::Bilinear;
        let op = Op::Resize(Resize { to: ResizeTo::Size(size), mode, align_corners: false });
        let work = Work::Op(Operator { op, inputs: vec![from], output: to });
        self.push(name, work, vec![row], Vec::new())
    }

    fn only_case(&mut self, name: &str, case: Case<'_>, operands: &[usize]) -> usize {
        let weights = self.group(name, None, &[&case]).into_iter().flatten().collect();
        self.case(name, &case, operands, weights)
    }

    /// An operator whose operands are the values of these nodes.
    fn case(
        &mut self,
        name: &str,
        (op, inputs, output): &Case<'_>,
        operands: &[usize],
        weights: Vec<Reading>,
    ) -> usize {
        // What is not read must not be evaluated; the shape is known without it.
        let read = if op.reads_inputs() { operands } else { &[] };
        let rows = read.iter().map(|&node| self.place(node)).collect();
        let (op, inputs, output) = (Op::clone(op), inputs.clone(), *output);
        self.push(name, Work::Op(Operator { op, inputs, output }), rows, weights)
    }

    /// An operator for each case of a node, and the select among them.
    fn cases(
        &mut self,
        space: &Space,
        node: &Node,
        operation: &Operation<'_>,
        alive: Diagram,
    ) -> usize {
        let joint = operation.cases(&mut self.program.selectors, alive);
        let cases: Vec<Case<'_>> = operation.combinations(&joint).collect();
        let mut weights = vec![Vec::new(); cases.len()];
        for group in operation.weight_groups(space, &mut self.program.selectors, &joint) {
            let members = group.cases.iter().filter_map(|&case| cases.get(case));
            let members: Vec<&Case<'_>> = members.collect();
            let label = group.label(space);
            let reads = self.group(&node.name, label.as_deref(), &members);
            for (&case, read) in group.cases.iter().zip(reads) {
                weights.get_mut(case).into_iter().for_each(|slot| *slot = read.clone());
            }
        }
        let operands: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
        let rows = cases.iter().zip(weights);
        let rows = rows.map(|(case, read)| self.case(&node.name, case, &operands, read)).collect();
        self.select(&node.name, Some(joint.selector), rows, &node.shape)
    }

    /// Adds the tensors that some cases have in common; gives what each case reads.
    fn group(&mut self, node: &str, group: Option<&str>, cases: &[&Case<'_>]) -> Vec<Vec<Reading>> {
        let weights = cases.iter().map(|(op, inputs, _)| op.weights(inputs));
        let weights: Vec<Vec<Weight>> = weights.collect();
        let first = self.specs.len();
        let common = WeightGroup::common(weights.iter().cloned());
        for Weight { role, dims, initial } in common.iter().cloned() {
            let name = TensorName { node, group, part: role.into() }.to_string();
            self.specs.push(Spec { name, role, dims, initial });
        }
        let read = |weight: &Weight| {
            let place = common.iter().position(|common| common.role == weight.role)?;
            Some(Reading::new(first + place, weight, &common.get(place)?.dims))
        };
        weights.iter().map(|list| list.iter().filter_map(read).collect()).collect()
    }

    /// The operand that the selector says, each an instruction; the only one, if it is.
    fn select(
        &mut self,
        name: &str,
        selector: Option<Diagram>,
        operands: Vec<usize>,
        shape: &Varied<Shape>,
    ) -> usize {
        let Some(selector) = selector.filter(|_| operands.len() != 1) else {
            return operands.first().copied().unwrap_or_default();
        };
        let selectors = &self.program.selectors;
        let apart = shape.selector().map(|by| selectors.decisions(by)).unwrap_or_default();
        let mixes = selectors.decisions(selector).difference(&apart).copied().collect();
        let select = Select { selector, mixes };
        let selects = &mut self.program.selects;
        let number = *self.selects.entry(select.clone()).or_insert_with(|| {
            selects.push(select);
            selects.len() - 1
        });
        self.push(name, Work::Select(number), operands, Vec::new())
    }
}
