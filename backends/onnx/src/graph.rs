//! The graph of a model: names, nodes, constants and shapes, in the order of the network.

use std::collections::BTreeSet;

use nas_ir::network::NetworkNode;
use nas_ir::ops::{Role, Scaling};
use nas_ir::{Network, Opset, Shape, TensorName, Weights};
use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

use crate::error::EmitError;
use crate::fold;
use crate::message;

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
}

/// A value of the file: name, element type, sizes.
pub(crate) type Output<'a> = (&'a str, DataType, Vec<i64>);

/// A graph under construction.
pub(crate) struct Graph<'n> {
    network: &'n Network,
    weights: &'n Weights,
    pub(crate) opset: Opset,
    /// For each node, the one that it takes in.
    folds: Vec<Option<usize>>,
    /// For each node, the name of its value.
    values: Vec<String>,
    proto: GraphProto,
    not_finite: Vec<String>,
}

impl<'n> Graph<'n> {
    pub(crate) fn new(network: &'n Network, weights: &'n Weights, opset: Opset) -> Self {
        let folds = fold::plan(network);
        let values = value_names(network, &folds);
        let choices: Vec<String> =
            network.choices.iter().map(|(path, choice)| format!("{path} = {choice}\n")).collect();
        let proto = GraphProto {
            name: network.space.clone(),
            doc_string: choices.concat(),
            ..GraphProto::default()
        };
        Self { network, weights, opset, folds, values, proto, not_finite: Vec::new() }
    }

    pub(crate) fn is_folded(&self, index: usize) -> bool {
        self.folds.contains(&Some(index))
    }

    pub(crate) fn site(&self, index: usize, node: &NetworkNode) -> Site {
        Site {
            index,
            path: node.name.clone(),
            inputs: node.inputs.iter().map(|&operand| self.value(operand)).collect(),
            shapes: self.network.operand_shapes(node),
            output: self.value(index),
            shape: node.shape,
        }
    }

    // INVARIANT: `check` has seen that every index is one of a node.
    fn value(&self, index: usize) -> String {
        self.values.get(index).cloned().unwrap_or_default()
    }

    /// Adds a constant and answers its name.
    pub(crate) fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.proto.initializer.push(tensor);
        name
    }

    /// Adds a constant of floats and answers its name.
    pub(crate) fn floats(&mut self, name: &str, dims: &[u32], data: &[f32]) -> String {
        if !data.iter().all(|x| x.is_finite()) {
            self.not_finite.push(name.to_owned());
        }
        self.constant(message::floats(name, dims, data))
    }

    /// Adds a constant that many nodes share, once, and answers its name.
    pub(crate) fn shared_scalar(&mut self, name: &str, value: f32) -> String {
        if self.proto.initializer.iter().any(|tensor| tensor.name == name) {
            return name.to_owned();
        }
        self.floats(name, &[], &[value])
    }

    /// Adds a node of the file that computes `output`, which is a value of the network or, with
    /// another shape, a step on the way to one.
    pub(crate) fn node(
        &mut self,
        kind: &str,
        name: &str,
        inputs: Vec<String>,
        attribute: Vec<AttributeProto>,
        (output, shape): (&str, Shape),
    ) {
        let output = (output, DataType::FLOAT, message::batched(shape));
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
            if self.network.outputs.iter().all(|port| port.name != *output) {
                self.proto.value_info.push(message::value_info(output, *kind, sizes));
            }
        }
    }

    /// The tensor of a node's parameters in this role.
    fn weight(&self, node: &NetworkNode, role: Role) -> &'n [f32] {
        let name = TensorName::new(&node.name, role).to_string();
        self.weights.get(&name).map_or(&[], |tensor| &tensor.data)
    }

    /// Adds kernel and bias of a convolution, what it takes in folded in, and answers their names.
    pub(crate) fn conv_weights(&mut self, site: &Site, has_bias: bool) -> Vec<String> {
        let network = self.network;
        let Some(node) = network.nodes.get(site.index) else { return Vec::new() };
        let dims = network.node_weights(node).into_iter().next().map_or(vec![], |w| w.weight.dims);
        let kernel = self.weight(node, Role::Kernel);
        let bias = has_bias.then(|| self.weight(node, Role::Bias));
        let folded = self.folds.get(site.index).copied().flatten();
        let (kernel, bias) = match folded.and_then(|index| self.scaling(index)) {
            Some(scaling) => {
                let (kernel, bias) = fold::fold(kernel, bias, &scaling);
                (kernel, Some(bias))
            }
            None => (kernel.to_vec(), bias.map(<[f32]>::to_vec)),
        };
        let name = |role| TensorName::new(&site.path, role).to_string();
        let mut names = vec![self.floats(&name(Role::Kernel), &dims, &kernel)];
        if let Some(bias) = bias {
            names.push(self.floats(&name(Role::Bias), &[site.shape.channels()], &bias));
        }
        names
    }

    /// What a node does to each channel, if it only scales them.
    fn scaling(&self, index: usize) -> Option<Vec<Scaling>> {
        let node = self.network.nodes.get(index)?;
        node.op.as_ref()?.scaling(&|role| self.weight(node, role))
    }

    /// Adds all tensors of a node's parameters as they are and answers their names, in the order
    /// of the operator's table.
    pub(crate) fn plain_weights(&mut self, site: &Site) -> Vec<String> {
        let network = self.network;
        let Some(node) = network.nodes.get(site.index) else { return Vec::new() };
        let all = network.node_weights(node).into_iter();
        all.map(|named| {
            let data = self.weight(node, named.weight.role);
            self.floats(&named.name, &named.weight.dims, data)
        })
        .collect()
    }

    /// Adds the slopes of a node, `[channels]`, with as many sizes of 1 after them as the value has
    /// directions, and answers their name.
    pub(crate) fn slopes(&mut self, site: &Site) -> Vec<String> {
        let network = self.network;
        let Some(node) = network.nodes.get(site.index) else { return Vec::new() };
        let data = self.weight(node, Role::Slope);
        let name = TensorName::new(&site.path, Role::Slope).to_string();
        vec![self.floats(&name, site.shape.pooled().dims(), data)]
    }

    pub(crate) fn finish(mut self) -> Result<GraphProto, EmitError> {
        let network = self.network;
        for port in &network.inputs {
            if let Some(node) = network.nodes.get(port.node) {
                self.proto.input.push(port_info(&port.name, node.shape));
            }
        }
        for port in &network.outputs {
            let Some(node) = network.nodes.get(port.node) else { continue };
            let value = self.value(port.node);
            if value != port.name {
                self.node("Identity", &port.name, vec![value], vec![], (&port.name, node.shape));
            }
            self.proto.output.push(port_info(&port.name, node.shape));
        }
        if !self.not_finite.is_empty() {
            return Err(EmitError::NotFinite { names: self.not_finite });
        }
        unique_names(&self.proto)?;
        Ok(self.proto)
    }
}

fn port_info(name: &str, shape: Shape) -> ValueInfoProto {
    message::value_info(name, DataType::FLOAT, &message::batched(shape))
}

/// The names of the nodes' values: the input's or the first output's where there is one, else the
/// node's path. A convolution that takes in a batch norm has that one's value.
fn value_names(network: &Network, folds: &[Option<usize>]) -> Vec<String> {
    let mut names: Vec<String> = network.nodes.iter().map(|node| node.name.clone()).collect();
    // In reverse, so that the first port of a node wins; inputs last: they cannot be renamed.
    for port in network.outputs.iter().rev().chain(&network.inputs) {
        if let Some(name) = names.get_mut(port.node) {
            name.clone_from(&port.name);
        }
    }
    for (conv, norm) in folds.iter().enumerate() {
        let value = norm.and_then(|norm| names.get(norm).cloned());
        if let (Some(name), Some(value)) = (names.get_mut(conv), value) {
            *name = value;
        }
    }
    names
}

/// ONNX wants every value to be made once.
fn unique_names(graph: &GraphProto) -> Result<(), EmitError> {
    let inputs = graph.input.iter().map(|value| &value.name);
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    let made = graph.node.iter().flat_map(|node| &node.output);
    let mut seen = BTreeSet::new();
    match inputs.chain(constants).chain(made).find(|&name| !seen.insert(name)) {
        Some(name) => Err(EmitError::DuplicateName { name: name.clone() }),
        None => Ok(()),
    }
}
