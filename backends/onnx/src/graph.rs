//! The graph of a model: names, nodes, constants and sizes, in the order of the network.

use std::collections::BTreeSet;

use nas_ir::network::{NamedWeight, NetworkNode, Port};
use nas_ir::ops::{BatchNorm, Role};
use nas_ir::{IdVec, Model, Network, OpenSize, Opset, Precision, Shape, Tensor, fault};
use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use protobuf::Enum;

use crate::error::EmitError;
use crate::message::{self, Value, attribute};
use crate::options::{Answer, InputType, Integers, Numbers, Options};
use crate::sizes::{self, Openness, Size};

/// The largest 16-bit float.
const HALF_MAX: f32 = 65_504.0;

/// What the lowering of one node sees of its surroundings.
pub(crate) struct Site {
    /// The node's index in the network.
    pub(crate) index: usize,
    /// The node's path.
    pub(crate) path: String,
    /// The names of the operands' values.
    pub(crate) inputs: Vec<String>,
    /// The shapes of the operands.
    pub(crate) shapes: Vec<Shape>,
    /// The name of the node's value.
    pub(crate) output: String,
    /// Its shape.
    pub(crate) shape: Shape,
    /// Its sizes in the file.
    pub(crate) sizes: Vec<Size>,
    /// Whether these are all numbers, so that constants may hold them.
    pub(crate) is_fixed: bool,
}

impl Site {
    /// Its sizes as constants hold them: those of so many images.
    // INVARIANT: only asked for where they are all numbers.
    pub(crate) fn numbers(&self) -> Vec<i64> {
        sizes::fixed(&self.sizes).unwrap_or_else(|| fault("open sizes where numbers are needed"))
    }
}

/// A value of the file: name, element type, sizes.
pub(crate) type Output<'a> = (&'a str, DataType, Vec<Size>);

/// A graph under construction.
pub(crate) struct Graph<'m> {
    pub(crate) model: &'m Model,
    pub(crate) options: &'m Options,
    pub(crate) open: Openness,
    /// The type of the floats that the node at hand computes with.
    float: DataType,
    /// For each node, the type and name of its value before it is rounded.
    pub(crate) made: IdVec<usize, (DataType, String)>,
    /// For each node, the name of its value in each type that it is there in, its own first.
    values: IdVec<usize, Vec<(DataType, String)>>,
    proto: GraphProto,
    pub(crate) not_finite: Vec<String>,
    too_large: Vec<String>,
}

impl<'m> Graph<'m> {
    /// The graph of a verified model, still without nodes.
    ///
    /// # Errors
    /// Sizes are to be open that cannot be.
    pub(crate) fn new(model: &'m Model, options: &'m Options) -> Result<Self, EmitError> {
        let network = &model.network;
        if network.nodes.iter().any(|node| node.rounding.is_of_integers()) {
            Integers::check(options.opset)?;
        }
        let size = options.open_size.then(|| OpenSize::of(network)).transpose();
        let size = size.map_err(|closed| EmitError::closed(network, &closed))?;
        let choices: Vec<String> =
            network.choices.iter().map(|(path, choice)| format!("{path} = {choice}\n")).collect();
        let proto = GraphProto {
            name: network.space.clone(),
            doc_string: choices.concat(),
            ..GraphProto::default()
        };
        let mut graph = Self {
            model,
            options,
            open: Openness { batch: options.batch, size },
            float: DataType::FLOAT,
            made: IdVec::default(),
            values: IdVec::default(),
            proto,
            not_finite: Vec::new(),
            too_large: Vec::new(),
        };
        let named = value_names(network, |node, port| match (&node.op, &node.rounding.value) {
            (None, _) => Some(graph.input_type()),
            (Some(_), Some(_)) if graph.answer(port) == Answer::Values => Some(DataType::FLOAT),
            _ => graph.is_direct(node, port).then_some(DataType::FLOAT),
        });
        for (node, (kind, name)) in network.nodes.iter().zip(named) {
            let (is_named, float) = (kind.is_some(), graph.float_of(node));
            let made = (kind.unwrap_or(float), name.clone());
            let rounded = match (&node.op, node.rounding.value) {
                (_, None) => None,
                (Some(_), Some(_)) if is_named => Some(name),
                (_, Some(_)) => Some(format!("{name}:rounded")),
            };
            // A value that has the name of an output is that which is rounded.
            let made = match (&rounded, &node.op) {
                (Some(_), Some(_)) => (float, node.value_name().to_owned()),
                _ => made,
            };
            let read = rounded.map_or_else(|| made.clone(), |name| (DataType::FLOAT, name));
            graph.made.push(made);
            graph.values.push(vec![read]);
        }
        Ok(graph)
    }

    /// The type of the floats that the node at hand computes with.
    pub(crate) fn float(&self) -> DataType {
        self.float
    }

    /// Whether the node at hand computes with 16-bit floats in a file that does not as a whole.
    pub(crate) fn is_other(&self) -> bool {
        self.float == DataType::FLOAT16 && self.options.numbers == Numbers::Float
    }

    /// The type of the floats that a node computes with.
    fn float_of(&self, node: &NetworkNode) -> DataType {
        match (self.options.numbers, node.rounding.precision) {
            (Numbers::Half, _) | (Numbers::Float, Precision::Fp16) => DataType::FLOAT16,
            (Numbers::Float, Precision::Fp32 | Precision::Int8) => DataType::FLOAT,
        }
    }

    pub(crate) fn opset(&self) -> Opset {
        self.options.opset
    }

    fn input_type(&self) -> DataType {
        match self.options.inputs {
            InputType::Float => DataType::FLOAT,
            InputType::Byte => DataType::UINT8,
        }
    }

    /// What is answered in the place of an output.
    fn answer(&self, port: usize) -> Answer {
        self.options.answers.get(port).copied().unwrap_or_default()
    }

    /// Whether an output is the value of its node as that computes it.
    fn is_direct(&self, node: &NetworkNode, port: usize) -> bool {
        self.answer(port) == Answer::Values && self.float_of(node) == DataType::FLOAT
    }

    pub(crate) fn site(&mut self, index: usize, node: &NetworkNode) -> Site {
        let float = self.float_of(node);
        self.float = float;
        let inputs = node.inputs.iter().map(|&operand| self.read(operand, float)).collect();
        let sizes = self.open.of_node(index, node.shape);
        Site {
            index,
            path: node.name.clone(),
            inputs,
            shapes: self.model.network.operand_shapes(node),
            output: self.made[index].1.clone(),
            shape: node.shape,
            is_fixed: sizes::fixed(&sizes).is_some(),
            sizes,
        }
    }

    /// The value of a node as it is made: its type and name.
    pub(crate) fn value(&self, index: usize) -> (DataType, String) {
        let value = self.values[index].first().cloned();
        value.unwrap_or_else(|| fault("a value without a name"))
    }

    /// The name of the value of a node in a type, to which it is converted once.
    pub(crate) fn read(&mut self, index: usize, kind: DataType) -> String {
        if let Some((_, name)) = self.values[index].iter().find(|(own, _)| *own == kind) {
            return name.clone();
        }
        let (_, own) = self.value(index);
        let name = format!("{own}:{}", message::type_name(kind));
        let node = self.model.network.node(index);
        let sizes = self.open.of_node(index, node.map_or(Shape::from([1]), |node| node.shape));
        self.cast(own, &name, kind, sizes);
        self.values[index].push((kind, name.clone()));
        name
    }

    pub(crate) fn cast(&mut self, from: String, name: &str, kind: DataType, sizes: Vec<Size>) {
        let to = vec![attribute("to", Value::Int(kind.value().into()))];
        self.node_of("Cast", name, vec![from], to, &[(name, kind, sizes)]);
    }

    /// The name of a constant of 32-bit floats in the type in which the node at hand computes.
    pub(crate) fn of_float(&mut self, name: String, dims: &[u32]) -> String {
        if self.float() == DataType::FLOAT {
            return name;
        }
        let half = format!("{name}:half");
        self.cast(name, &half, self.float(), sizes::of_numbers(dims));
        half
    }

    /// The name of an operand's value, in the type in which the node at hand computes.
    pub(crate) fn name(&mut self, index: usize) -> String {
        let float = self.float();
        self.read(index, float)
    }

    /// The name of the first input's value, of which the number of images is read where a node has no operand.
    pub(crate) fn input(&mut self) -> String {
        let port = self.model.network.inputs.first();
        let node = port.unwrap_or_else(|| fault("a network without inputs")).node;
        self.name(node)
    }

    /// The node whose size the value of this one has, where its operands do not say it.
    pub(crate) fn like(&self, index: usize) -> Option<usize> {
        self.open.size.as_ref().and_then(|open| open.like[index])
    }

    /// Whether the value of a node is larger than that of its operand by these factors, whatever the size of the inputs.
    pub(crate) fn grows_by(&self, index: usize, factors: [i64; 2]) -> bool {
        let Some(open) = &self.open.size else { return true };
        let operand = self.model.network.node(index).and_then(|node| node.inputs.first());
        operand.is_some_and(|&operand| {
            let both = open.growth[operand].into_iter().zip(open.growth[index]);
            both.zip(factors).all(|((from, to), factor)| i64::from(to) == i64::from(from) * factor)
        })
    }

    /// Adds a constant and answers its name.
    pub(crate) fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.proto.initializer.push(tensor);
        name
    }

    /// Adds a constant that many nodes share, once, and answers its name.
    pub(crate) fn shared(&mut self, tensor: TensorProto) -> String {
        if self.proto.initializer.iter().any(|own| own.name == tensor.name) {
            return tensor.name;
        }
        self.constant(tensor)
    }

    /// Adds a constant of whole numbers, named after the node, and answers its name.
    pub(crate) fn integers(&mut self, site: &Site, name: &str, values: &[i64]) -> String {
        self.constant(message::integers(&format!("{}.{name}", site.path), values))
    }

    /// Adds a constant of floats of the type that the node at hand computes with, and answers its name.
    pub(crate) fn floats(&mut self, name: &str, dims: &[u32], data: &[f32]) -> String {
        let tensor = self.float_tensor(name, dims, data);
        self.constant(tensor)
    }

    /// Floats of the type that the node at hand computes with.
    pub(crate) fn float_tensor(&mut self, name: &str, dims: &[u32], data: &[f32]) -> TensorProto {
        if !data.iter().all(|x| x.is_finite()) {
            self.not_finite.push(name.to_owned());
        }
        match self.float {
            DataType::FLOAT => message::floats(name, dims, data),
            _ => {
                if data.iter().any(|x| x.is_finite() && x.abs() > HALF_MAX) {
                    self.too_large.push(name.to_owned());
                }
                message::halves(name, dims, data)
            }
        }
    }

    /// Adds a node of the file that computes `output`, which is a value of the network or, with
    /// other sizes, a step on the way to one.
    pub(crate) fn node(
        &mut self,
        kind: &str,
        name: &str,
        inputs: Vec<String>,
        attribute: Vec<AttributeProto>,
        (output, sizes): (&str, Vec<Size>),
    ) {
        let output = (output, self.float(), sizes);
        self.node_of(kind, name, inputs, attribute, &[output]);
    }

    /// Adds a node of the file that computes values of any element types and sizes.
    pub(crate) fn node_of(
        &mut self,
        kind: &str,
        name: &str,
        inputs: Vec<String>,
        attribute: Vec<AttributeProto>,
        outputs: &[Output<'_>],
    ) {
        self.proto.node.push(NodeProto {
            op_type: kind.to_owned(),
            name: name.to_owned(),
            input: inputs,
            output: outputs.iter().map(|(output, ..)| (*output).to_owned()).collect(),
            attribute,
            ..NodeProto::default()
        });
        for (output, kind, sizes) in outputs {
            self.proto.value_info.push(message::value_info(output, *kind, sizes));
        }
    }

    /// Adds all tensors of a node's parameters and answers their names, in the order of the
    /// operator's table.
    pub(crate) fn weights(&mut self, site: &Site) -> Vec<String> {
        let needed = self.needed(site);
        let steps = self.model.network.nodes.get(site.index).and_then(|node| {
            let steps = node.rounding.kernel.as_deref()?;
            let operand = self.model.network.node(*node.inputs.first()?)?;
            Some((node.op.as_ref()?, steps, operand.rounding.value))
        });
        let tensor = |named: &NamedWeight| match (steps, named.weight.role) {
            (Some((op, steps, _)), Role::Kernel) => self.integer_kernel(named, op, steps),
            (Some((_, steps, Some(grid))), Role::Bias) => self.integer_bias(named, steps, grid),
            _ => self.tensor(named, &named.weight.dims),
        };
        needed.iter().map(tensor).collect()
    }

    /// Adds the slopes of a node, `[channels]`, with as many sizes of 1 after them as the value has
    /// directions, and answers their name.
    pub(crate) fn slopes(&mut self, site: &Site) -> Vec<String> {
        let (needed, shape) = (self.needed(site), site.shape.pooled());
        needed.iter().map(|it| self.tensor(it, shape.dims())).collect()
    }

    /// What a batch norm subtracts of each channel, if it does no more.
    pub(crate) fn subtracted(&self, site: &Site, norm: &BatchNorm) -> Option<Vec<f32>> {
        if norm.affine || norm.eps != 0.0 {
            return None;
        }
        let [mean, variance] = self.needed(site).try_into().ok()?;
        let of = |named: &NamedWeight| self.model.weights.get(&named.name)?.floats();
        let is_one = of(&variance)?.iter().all(|&variance| variance == 1.0);
        is_one.then(|| of(&mean).map(<[f32]>::to_vec)).flatten()
    }

    /// The tensors of a node's parameters.
    fn needed(&self, site: &Site) -> Vec<NamedWeight> {
        let network = &self.model.network;
        network.nodes.get(site.index).map_or_else(Vec::new, |node| network.node_weights(node))
    }

    /// Adds a tensor of the model with these sizes, and answers its name.
    // INVARIANT: the model is verified, so that it has each tensor that it needs, in 32-bit floats.
    fn tensor(&mut self, NamedWeight { name, .. }: &NamedWeight, dims: &[u32]) -> String {
        let floats = self.model.weights.get(name).and_then(Tensor::floats);
        let floats = floats.unwrap_or_else(|| fault("a verified model without one of its tensors"));
        self.floats(name, dims, floats)
    }

    pub(crate) fn finish(mut self) -> Result<GraphProto, EmitError> {
        let network = &self.model.network;
        for port in &network.inputs {
            if let Some(node) = network.nodes.get(port.node) {
                let sizes = self.open.of_input(port.node, node.shape);
                let info = message::value_info(&port.name, self.input_type(), &sizes);
                self.proto.input.push(info);
            }
        }
        for (place, port) in network.outputs.iter().enumerate() {
            if let Some(node) = network.nodes.get(port.node) {
                self.answered(place, port, node.shape)?;
            }
        }
        // What is stated of outputs is stated once.
        let outputs: BTreeSet<String> =
            self.proto.output.iter().map(|it| it.name.clone()).collect();
        self.proto.value_info.retain(|info| !outputs.contains(&info.name));
        if !self.not_finite.is_empty() {
            return Err(EmitError::NotFinite { names: self.not_finite });
        }
        if !self.too_large.is_empty() {
            return Err(EmitError::TooLargeForHalf { names: self.too_large });
        }
        unique_names(&self.proto)?;
        Ok(self.proto)
    }

    /// Adds an output, and what makes the answer of the value of its node.
    fn answered(&mut self, place: usize, port: &Port, shape: Shape) -> Result<(), EmitError> {
        let (name, sizes) = (port.name.as_str(), self.open.of_node(port.node, shape));
        let float = DataType::FLOAT;
        let answer = self.answer(place);
        if answer == Answer::Values {
            let (kind, value) = self.value(port.node);
            if kind != float {
                self.cast(value, name, float, sizes.clone());
            } else if value != name {
                let output = (name, float, sizes.clone());
                self.node_of("Identity", name, vec![value], vec![], &[output]);
            }
            self.output(name, float, &sizes);
            return Ok(());
        }
        let value = self.read(port.node, float);
        let axis = || attribute("axis", Value::Int(1));
        match answer {
            Answer::Values => {}
            Answer::Softmax => {
                self.softmax(name, value, &sizes);
                self.output(name, float, &sizes);
            }
            Answer::ArgMax => {
                let mut sizes = sizes;
                sizes.remove(1);
                let attributes = vec![axis(), attribute("keepdims", Value::Int(0))];
                let output = (name, DataType::INT64, sizes.clone());
                self.node_of("ArgMax", name, vec![value], attributes, &[output]);
                self.output(name, DataType::INT64, &sizes);
            }
            Answer::Top(most) => {
                if most.get() > shape.channels() {
                    let (output, channels) = (name.to_owned(), shape.channels());
                    return Err(EmitError::Top { output, asked: most.get(), channels });
                }
                let mut sizes = sizes;
                sizes
                    .iter_mut()
                    .skip(1)
                    .take(1)
                    .for_each(|size| *size = Size::Of(most.get().into()));
                let count = message::integers(&format!("{name}.k"), &[most.get().into()]);
                let (count, indices) = (self.constant(count), format!("{name}_indices"));
                let outputs =
                    [(name, float, sizes.clone()), (&indices, DataType::INT64, sizes.clone())];
                self.node_of("TopK", name, vec![value, count], vec![axis()], &outputs);
                self.output(name, float, &sizes);
                self.output(&indices, DataType::INT64, &sizes);
            }
        }
        Ok(())
    }

    /// Before operator set 13 softmax is over all axes from a given one on, so that maps are turned for it.
    fn softmax(&mut self, name: &str, value: String, sizes: &[Size]) {
        let node = |kind: &str| format!("{name}:{kind}");
        let softmax = |axis: i64| vec![attribute("axis", Value::Int(axis))];
        let float = DataType::FLOAT;
        let [batch, channels, spatial @ ..] = sizes else { return };
        if self.opset().version() >= 13 || spatial.is_empty() {
            self.node_of(
                "Softmax",
                name,
                vec![value],
                softmax(1),
                &[(name, float, sizes.to_vec())],
            );
            return;
        }
        let last = sizes.len() as i64 - 1;
        let there: Vec<i64> = std::iter::once(0).chain(2..=last).chain([1]).collect();
        let back: Vec<i64> = [0, last].into_iter().chain(1..last).collect();
        let turned: Vec<Size> =
            std::iter::once(batch).chain(spatial).chain([channels]).cloned().collect();
        let (last_one, soft) = (node("channels_last"), node("softmax"));
        let turn = |axes| vec![attribute("perm", Value::Ints(axes))];
        let outputs = [(last_one.as_str(), float, turned.clone())];
        self.node_of("Transpose", &last_one, vec![value], turn(there), &outputs);
        let outputs = [(soft.as_str(), float, turned)];
        self.node_of("Softmax", &soft, vec![last_one.clone()], softmax(last), &outputs);
        let outputs = [(name, float, sizes.to_vec())];
        self.node_of("Transpose", name, vec![soft.clone()], turn(back), &outputs);
    }

    fn output(&mut self, name: &str, kind: DataType, sizes: &[Size]) {
        let info: ValueInfoProto = message::value_info(name, kind, sizes);
        self.proto.output.push(info);
    }
}

/// For each node the name of its value, and its type where `named` says one: the input's, or the first output's that
/// may be called so, else the path of the node whose value it is.
fn value_names(
    network: &Network,
    named: impl Fn(&NetworkNode, usize) -> Option<DataType>,
) -> Vec<(Option<DataType>, String)> {
    let mut names: Vec<(Option<DataType>, String)> =
        network.nodes.iter().map(|node| (None, node.value_name().to_owned())).collect();
    // In reverse, so that the first port of a node wins; inputs last: they cannot be renamed.
    let outputs = network.outputs.iter().enumerate().rev();
    for (place, port) in outputs.chain(network.inputs.iter().enumerate()) {
        let kind = network.nodes.get(port.node).and_then(|node| named(node, place));
        if let (Some(kind), Some(name)) = (kind, names.get_mut(port.node)) {
            *name = (Some(kind), port.name.clone());
        }
    }
    names
}

/// ONNX wants every value to be made once.
fn unique_names(graph: &GraphProto) -> Result<(), EmitError> {
    let inputs = graph.input.iter().map(|value| &value.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    let made = graph.node.iter().flat_map(|node| &node.output);
    let nodes: BTreeSet<&String> = graph.node.iter().map(|node| &node.name).collect();
    // Engines call a node that stands for an input by its name.
    if let Some(name) = inputs.clone().find(|name| nodes.contains(name)) {
        return Err(EmitError::DuplicateName { name: name.clone() });
    }
    let mut seen = BTreeSet::new();
    match inputs.chain(constants).chain(made).find(|&name| !seen.insert(name)) {
        Some(name) => Err(EmitError::DuplicateName { name: name.clone() }),
        None => Ok(()),
    }
}
