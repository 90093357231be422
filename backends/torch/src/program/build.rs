//! From a network or a space to a program.
//!
//! A node of which operator, operands or shape depend on decisions becomes one instruction for
//! each of its cases, and a select among them. An input whose size depends on decisions is given
//! at the largest and brought to size; an output whose size does is brought back to the largest.
//!
//! Parameters are named as in the network, by the path of the node and the role. Where cases have
//! tensors of their own, choices stand between ([`WeightGroup::label`]):
//! `unit.3/conv.0[unit.3/kernel=5].weight`.

mod rounding;

use std::collections::{BTreeSet, HashMap};

use nas_ir::diagram::Diagram;
use nas_ir::network::{self, NetworkNode, Port};
use nas_ir::operation::{Case, Operation, WeightGroup, is_window};
use nas_ir::ops::{Channels, Initial, Resize, ResizeMode, ResizeTo, Role, Weight};
use nas_ir::{
    Checked, Network, Node, NodeId, NodeKind, Op, Precision, Shape, Space, TensorName, Varied,
};

use super::instruction::{
    Instruction, InstructionKind, OpCase, Output, ParameterSpec, Program, Select, TrainOutput,
    Transform, WeightView,
};
use super::table::{ParameterId, SelectId, ValueId};
use crate::error::TorchError;

type Built<T> = Result<T, TorchError>;

impl Program {
    /// The program of a network. If it is `fed` pictures of another size than that of its input, it
    /// answers in that size too.
    ///
    /// # Errors
    /// A fault of this crate: the program is not well-formed.
    pub(crate) fn of_network(network: &Network, fed: Option<Shape>) -> Built<Self> {
        Builder::default().network(network, fed)?.finish()
    }

    /// As `of_network`, of a network whose layers read numbers as their precision has them.
    ///
    /// # Errors
    /// As `of_network`.
    pub(crate) fn in_precision(network: &Network, fed: Option<Shape>) -> Built<Self> {
        Builder::narrowing().network(network, fed)?.finish()
    }

    /// As `in_precision`, with what training adds.
    ///
    /// # Errors
    /// As `of_network`.
    pub(crate) fn in_training(network: &Network, fed: Option<Shape>) -> Built<Self> {
        let mut builder = Builder::narrowing().network(network, fed)?;
        builder.network_nodes(network, &network.training.nodes, fed)?;
        for network::TrainOutput { port, weight } in &network.training.outputs {
            let output = builder.network_output(network, port, fed)?;
            builder.program.train_outputs.push(TrainOutput { output, weight: *weight });
        }
        builder.finish()
    }

    /// As `of_network`, of a network that learns to compute with the numbers that its nodes round to: the steps of grids are
    /// parameters, `powers_of_two` if they are to stay such, and so are kernels and biases before they are rounded.
    ///
    /// # Errors
    /// As `of_network`.
    pub(crate) fn learning(
        network: &Network,
        fed: Option<Shape>,
        powers_of_two: bool,
    ) -> Built<Self> {
        let learning = Some(Learning::new(powers_of_two));
        Builder { learning, ..Builder::default() }.network(network, fed)?.finish()
    }

    /// The program of a supernet. A search trains without train outputs.
    ///
    /// # Errors
    /// Something depends on decisions that are too entangled to list its cases; or as `of_network`.
    pub(crate) fn of_space(space: &Checked<Space>) -> Built<Self> {
        Builder::narrowing().space(space)
    }

    /// The same, in which a value with several numbers of channels is masked before an operator that joins them: the
    /// program of FBNetV2 (Wan et al. 2020, section 3.1).
    ///
    /// # Errors
    /// As `of_space`.
    pub(crate) fn masked(space: &Checked<Space>) -> Built<Self> {
        Builder { masks: true, ..Builder::narrowing() }.space(space)
    }

    /// The program of a supernet in which a smaller elastic kernel is not just the centre of the next larger one, but what a
    /// matrix of its own makes of that (once-for-all, Cai et al. 2020, section 3.3).
    ///
    /// # Errors
    /// As `of_space`.
    pub(crate) fn transformed(space: &Checked<Space>) -> Built<Self> {
        Builder { transforms: true, ..Builder::narrowing() }.space(space)
    }
}

/// The windows below the largest of the kernels that cases have in common, in descending order; none where they do not
/// lie in each other.
fn windows(role: Role, weights: &[Vec<Weight>]) -> Vec<[u32; 2]> {
    let own = weights.iter().flatten().filter(|weight| weight.role == role);
    let mut windows: Vec<[u32; 2]> = own
        .filter_map(|weight| match weight.dims.as_slice() {
            &[_, _, height, width] if is_window(role, 2) => Some([height, width]),
            _ => None,
        })
        .collect();
    windows.sort_unstable_by(|a, b| b.cmp(a));
    windows.dedup();
    let lie_in_each_other = windows
        .is_sorted_by(|outer, inner| outer.iter().zip(inner).all(|(outer, inner)| outer >= inner));
    if lie_in_each_other { windows.split_off(windows.len().min(1)) } else { Vec::new() }
}

fn varies(node: &Node) -> bool {
    let is_fixed = !matches!(&node.kind, NodeKind::Op(op) if op.fixed().is_none());
    !is_fixed || node.shape.fixed().is_none()
}

#[derive(Default)]
struct Builder {
    program: Program,
    /// The value of each node so far; none of one that the program leaves out.
    values: Vec<Option<ValueId>>,
    /// The rules of selects and masks.
    selects: HashMap<Select, SelectId>,
    /// Whether there are masks.
    masks: bool,
    /// Whether smaller kernels have matrices.
    transforms: bool,
    /// The masked value of a node, where there is one.
    masked: HashMap<usize, ValueId>,
    /// Whether what computes in a precision reads numbers as that has them.
    narrows: bool,
    /// Values as they are read in a precision.
    narrowed: HashMap<(ValueId, Precision), ValueId>,
    /// What the grids of a network learn.
    learning: Option<Learning>,
}

/// Grids whose steps learn.
struct Learning {
    powers_of_two: bool,
    /// The step of each group of values.
    steps: HashMap<usize, ParameterId>,
}

impl Learning {
    fn new(powers_of_two: bool) -> Self {
        Self { powers_of_two, steps: HashMap::new() }
    }
}

impl Builder {
    fn space(mut self, space: &Checked<Space>) -> Built<Program> {
        let builder = &mut self;
        let entangled = |reason| TorchError::entangled(space, &reason);
        builder.program.selectors = space.selectors.clone();
        let mut alive = None;
        if space.graph.nodes().any(|(_, node)| varies(node)) {
            let liveness = space.whole_liveness().map_err(entangled)?;
            let (selectors, nodes) = liveness.into_nodes().map_err(entangled)?;
            builder.program.selectors = selectors;
            alive = Some(nodes);
        }
        let always = builder.program.selectors.constant(1);
        let train_only = space.graph.train_only();
        for (id, node) in space.graph.nodes() {
            let value = if train_only[id] {
                None
            } else {
                let alive = match &alive {
                    Some(alive) => alive[id],
                    None => always,
                };
                Some(builder.node(space, node, alive)?)
            };
            builder.values.push(value);
            builder.program.selectors.room().map_err(entangled)?;
        }
        self.finish()
    }

    /// Of layers that read numbers as their precision has them.
    fn narrowing() -> Self {
        Self { narrows: true, ..Self::default() }
    }

    fn network(mut self, network: &Network, fed: Option<Shape>) -> Built<Self> {
        self.network_nodes(network, &network.nodes, fed)?;
        for port in &network.outputs {
            let output = self.network_output(network, port, fed)?;
            self.program.outputs.push(output);
        }
        Ok(self)
    }

    fn finish(mut self) -> Built<Program> {
        self.program.unproved = self.program.verify()?;
        Ok(self.program)
    }

    fn network_nodes(
        &mut self,
        network: &Network,
        nodes: &[NetworkNode],
        fed: Option<Shape>,
    ) -> Built<()> {
        for node in nodes {
            let value = match &node.op {
                Some(op) => {
                    let case = (op, network.operand_shapes(node), node.shape);
                    let mut views: Vec<WeightView> =
                        self.group(&node.name, None, &[&case])?.into_iter().flatten().collect();
                    self.round_weights(network, node, &mut views)?;
                    self.case(&node.name, (&case, node.precision), &node.inputs, views)?
                }
                None => {
                    // What is fed has one size for all inputs, and the channels of each.
                    let channels = node.shape.channels();
                    let given = fed.map_or(node.shape, |fed| fed.with_channels(channels));
                    let value = self.input(&node.name, given);
                    self.resized(&node.name, value, given, node.shape)?
                }
            };
            let value = self.round(node, value);
            self.values.push(Some(value));
        }
        Ok(())
    }

    /// The value at a port; a picture of the input's size in that of the pictures that are fed.
    fn network_output(
        &mut self,
        network: &Network,
        port: &Port,
        fed: Option<Shape>,
    ) -> Built<Output> {
        let shape_of = |port: &Port| match network.node(port.node) {
            Some(node) => Ok(node.shape),
            None => Err(TorchError::broken(format!("`{}` is the value of no node", port.name))),
        };
        let shape = shape_of(port)?;
        let own = network.inputs.last().map(shape_of).transpose()?;
        let is_picture = own.is_some_and(|own| own.spatial() == shape.spatial());
        let asked = fed.filter(|_| is_picture);
        let asked = asked.map_or(shape, |fed| fed.with_channels(shape.channels()));
        let value = self.resized(&port.name, self.value(port.node)?, shape, asked)?;
        Ok(Output { value, shape: asked })
    }

    /// The value of a node.
    fn value(&self, node: usize) -> Built<ValueId> {
        let missing = || TorchError::broken(format!("node {node} is read and has no value"));
        self.values.get(node).copied().flatten().ok_or_else(missing)
    }

    fn push(&mut self, node: &str, kind: InstructionKind, operands: Vec<ValueId>) -> ValueId {
        self.program.instructions.push(Instruction { node: node.to_owned(), kind, operands })
    }

    fn node(&mut self, space: &Space, node: &Node, alive: Diagram) -> Built<ValueId> {
        let name = node.name.as_str();
        let operands: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
        match &node.kind {
            NodeKind::Input => {
                let fed = node.shape.largest();
                let value = self.input(name, fed);
                let cases = node.shape.values().iter();
                let values = cases.map(|&shape| self.resized(name, value, fed, shape));
                let values = values.collect::<Result<_, _>>()?;
                self.select(name, node.shape.selector(), values, &node.shape)
            }
            NodeKind::Output => {
                let read = self.only_operand(name, &operands)?;
                let shape = node.shape.largest();
                let cases = node.shape.values().iter();
                let values = cases.map(|&case| self.resized(name, read, case, shape));
                let values = values.collect::<Result<_, _>>()?;
                let fixed = Varied::Fixed(shape);
                let value = self.select(name, node.shape.selector(), values, &fixed)?;
                let value = self.push(name, InstructionKind::Output, vec![value]);
                self.program.outputs.push(Output { value, shape });
                Ok(value)
            }
            NodeKind::Op(op) => {
                let operation = Operation::of(space, node, op);
                let precision = node.precision.as_ref().filter(|_| self.narrows && op.has_kernel());
                let only = precision.map_or(Some(None), |it| it.fixed().copied().map(Some));
                match (operation.fixed(), only) {
                    (Some(case), Some(precision)) => {
                        self.only_case(name, (case, precision), &operands)
                    }
                    _ => self.cases(space, node, (&operation, precision), alive),
                }
            }
            NodeKind::TrainOutput { .. } => self.only_operand(name, &operands),
            NodeKind::Select(selector) => {
                let values = operands.iter().map(|&node| self.value(node));
                let values = values.collect::<Result<_, _>>()?;
                self.select(name, Some(*selector), values, &node.shape)
            }
        }
    }

    fn only_operand(&self, name: &str, operands: &[usize]) -> Built<ValueId> {
        match operands {
            [operand] => self.value(*operand),
            _ => Err(TorchError::broken(format!("`{name}` has {} operands", operands.len()))),
        }
    }

    /// An input that is given in this shape.
    fn input(&mut self, name: &str, shape: Shape) -> ValueId {
        self.program.inputs.push(shape);
        self.push(name, InstructionKind::Input(self.program.inputs.len() - 1), Vec::new())
    }

    /// A map brought to another size, if it is another.
    fn resized(&mut self, name: &str, value: ValueId, from: Shape, to: Shape) -> Built<ValueId> {
        if from == to {
            return Ok(value);
        }
        let is_map = from.plane().is_some() && from.channels() == to.channels();
        let Some(size) = to.plane().filter(|_| is_map) else {
            let reason = format!("{from} of `{name}` cannot be brought to the size of {to}");
            return Err(TorchError::broken(reason));
        };
        let mode = ResizeMode::Bilinear;
        let op = Op::Resize(Resize { to: ResizeTo::Size(size), mode, align_corners: false });
        let case = OpCase { op, inputs: vec![from], output: to, weights: Vec::new() };
        Ok(self.push(name, InstructionKind::Op(case), vec![value]))
    }

    fn only_case(
        &mut self,
        name: &str,
        (case, precision): (Case<'_>, Option<Precision>),
        operands: &[usize],
    ) -> Built<ValueId> {
        let weights = self.group(name, None, &[&case])?.into_iter().flatten().collect();
        self.case(name, (&case, precision), operands, weights)
    }

    /// An operator whose operands are the values of these nodes, and what it computes with.
    fn case(
        &mut self,
        name: &str,
        ((op, inputs, output), precision): (&Case<'_>, Option<Precision>),
        operands: &[usize],
        mut weights: Vec<WeightView>,
    ) -> Built<ValueId> {
        // What is not read must not be evaluated; the shape is known without it.
        let (read, inputs) = match op.reads_inputs() {
            true => (operands, inputs.clone()),
            false => (&[][..], Vec::new()),
        };
        let joins = op.channels() == Channels::Joined;
        let value = |node: &usize| match self.masked.get(node).filter(|_| joins) {
            Some(masked) => Ok(*masked),
            None => self.value(*node),
        };
        let mut values = read.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        if let Some(precision) = precision.filter(|_| self.narrows && op.has_kernel()) {
            values.iter_mut().for_each(|value| *value = self.narrowed(name, *value, precision));
            self.narrow_weights(op, precision, &mut weights)?;
        }
        let (op, output) = (Op::clone(op), *output);
        let case = OpCase { op, inputs, output, weights };
        Ok(self.push(name, InstructionKind::Op(case), values))
    }

    /// An operator for each case of a node and each precision that it computes in, and the select among them. All precisions have
    /// their weights in common.
    fn cases(
        &mut self,
        space: &Space,
        node: &Node,
        (operation, precision): (&Operation<'_>, Option<&Varied<Precision>>),
        alive: Diagram,
    ) -> Built<ValueId> {
        let joint = operation.cases(&mut self.program.selectors, alive);
        let cases: Vec<Case<'_>> = operation.combinations(&joint).collect();
        let unknown = || TorchError::broken(format!("a case of `{}` is unknown", node.name));
        let mut weights = vec![None; cases.len()];
        for group in operation.weight_groups(space, &mut self.program.selectors, &joint) {
            let members = group.cases.iter().map(|&case| cases.get(case));
            let members: Vec<&Case<'_>> = members.collect::<Option<_>>().ok_or_else(unknown)?;
            let label = group.label(space);
            let views = self.group(&node.name, label.as_deref(), &members)?;
            for (&case, views) in group.cases.iter().zip(views) {
                *weights.get_mut(case).ok_or_else(unknown)? = Some(views);
            }
        }
        let operands: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
        if self.masks && cases.iter().any(|(op, ..)| op.channels() == Channels::Joined) {
            node.inputs
                .iter()
                .try_for_each(|&operand| self.mask(&space.graph[operand], operand))?;
        }
        let selectors = &mut self.program.selectors;
        let index = match precision {
            Some(precision) => precision.index(selectors),
            None => selectors.constant(0),
        };
        let whole = selectors.joint(alive, &[joint.selector, index]);
        let mut values = Vec::with_capacity(whole.combinations.len());
        for row in &whole.combinations {
            let [case, index] = [0, 1].map(|place| row.get(place).map(|&index| index as usize));
            let (case, index) = case.zip(index).ok_or_else(unknown)?;
            let views = weights.get(case).cloned().flatten().ok_or_else(unknown)?;
            let case = cases.get(case).ok_or_else(unknown)?;
            let precision = precision.and_then(|precision| precision.values().get(index).copied());
            values.push(self.case(&node.name, (case, precision), &operands, views)?);
        }
        self.select(&node.name, Some(whole.selector), values, &node.shape)
    }

    /// Masks the value of a node, once, if it has several numbers of channels.
    fn mask(&mut self, node: &Node, id: NodeId) -> Built<()> {
        let Some(selector) = node.shape.selector() else { return Ok(()) };
        if self.masked.contains_key(&id.index()) {
            return Ok(());
        }
        let channels = node.shape.values().iter().map(Shape::channels).collect();
        let rule = self.rule(Select { selector, mixes: BTreeSet::new(), channels });
        let value = self.value(id.index())?;
        let masked = self.push(&node.name, InstructionKind::Mask(rule), vec![value]);
        self.masked.insert(id.index(), masked);
        Ok(())
    }

    /// Adds the tensors that some cases have in common; gives what each case reads.
    fn group(
        &mut self,
        node: &str,
        group: Option<&str>,
        cases: &[&Case<'_>],
    ) -> Built<Vec<Vec<WeightView>>> {
        let weights = cases.iter().map(|(op, inputs, _)| op.weights(inputs));
        let weights: Vec<Vec<Weight>> = weights.collect();
        let mut common = Vec::new();
        for Weight { role, dims, initial } in WeightGroup::common(weights.iter().cloned()) {
            let name = TensorName { node, group, part: role.into() }.to_string();
            let windows = if self.transforms { windows(role, &weights) } else { Vec::new() };
            let matrices = windows.into_iter().map(|window| self.transform(&name, window));
            let matrices: Vec<Transform> = matrices.collect();
            let spec = ParameterSpec { name, role, dims: dims.clone(), initial };
            common.push((role, dims, self.program.parameters.push(spec), matrices));
        }
        let view = |weight: &Weight| {
            let found = common.iter().find(|(role, ..)| *role == weight.role);
            let view = |(_, dims, id, matrices): &(Role, Vec<u32>, ParameterId, Vec<Transform>)| {
                let own = weight.dims.get(2..).unwrap_or_default();
                let is_on_the_way = |transform: &&Transform| {
                    transform.window.iter().zip(own).all(|(size, own)| size >= own)
                };
                let transforms = matrices.iter().filter(is_on_the_way).copied().collect();
                WeightView { transforms, ..WeightView::new(*id, weight, dims) }
            };
            let found = found.map(view);
            found.ok_or_else(|| TorchError::broken(format!("a tensor of `{node}` is missing")))
        };
        weights.iter().map(|list| list.iter().map(view).collect()).collect()
    }

    /// Adds the matrix by which a kernel, a tensor of this name, comes to a smaller window; it begins as the identity.
    fn transform(&mut self, kernel: &str, window: [u32; 2]) -> Transform {
        let [height, width] = window;
        let name = format!("{kernel}.to_{height}x{width}");
        let (role, size) = (Role::Kernel, height * width);
        let (dims, initial) = (vec![size, size], Initial::Constant(0.0));
        let spec = ParameterSpec { name, role, dims, initial };
        Transform { matrix: self.program.parameters.push(spec), window }
    }

    /// The operand that the selector says, each an instruction; the only one, if it is.
    fn select(
        &mut self,
        name: &str,
        selector: Option<Diagram>,
        operands: Vec<ValueId>,
        shape: &Varied<Shape>,
    ) -> Built<ValueId> {
        let selector = match (selector, operands.as_slice()) {
            (_, [only]) => return Ok(*only),
            (Some(selector), [_, ..]) => selector,
            (_, operands) => {
                let reason = format!("nothing selects among {} of `{name}`", operands.len());
                return Err(TorchError::broken(reason));
            }
        };
        let selectors = &self.program.selectors;
        let apart = shape.selector().map(|by| selectors.decisions(by)).unwrap_or_default();
        let mixes = selectors.decisions(selector).difference(&apart).copied().collect();
        let id = self.rule(Select { selector, mixes, channels: Vec::new() });
        Ok(self.push(name, InstructionKind::Select(id), operands))
    }

    /// The id of a rule.
    fn rule(&mut self, select: Select) -> SelectId {
        if let Some(id) = self.selects.get(&select) {
            return *id;
        }
        let id = self.program.selects.push(select.clone());
        self.selects.insert(select, id);
        id
    }
}
