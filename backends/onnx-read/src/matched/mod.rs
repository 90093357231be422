//! A graph as a network of nasc, where its operators are ours.

mod layers;
mod moves;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use nas_ir::network::{NetworkNode, Port};
use nas_ir::{IdVec, Model, Network, Op, Shape, Tensor, Weights};

use crate::constant::{Constant, Data, Outside, floats_of};
use crate::error::ReadError;
use crate::fact::Fact;
use crate::graph::{Graph, Node, ValueId};
use crate::infer::{Inferred, site};
use crate::kind::{Kind, Unary};

/// What is added to the name of an output to name the node that makes it.
const MADE: &str = ":made";

/// A graph as a network, and its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// The network; its nodes have the names of the values of the file, those that make outputs with `:made` behind, its weights are 32-bit floats.
    pub model: Model,
    /// The values of the file, and the nodes that make them.
    pub names: Vec<(String, usize)>,
}

/// What reads the data of a constant that lie in another file.
pub(crate) type ReadOutside<'f> = dyn FnMut(&str, &Outside<'_>) -> Result<Vec<u8>, ReadError> + 'f;

/// The network that a graph is, whose values have these sizes.
///
/// # Errors
/// A node does what no operator of ours does, or `outside` fails.
pub fn matched(
    graph: &Graph<'_>,
    inferred: &Inferred,
    outside: &mut ReadOutside<'_>,
) -> Result<Matched, ReadError> {
    let mut matcher = Matcher {
        graph,
        inferred,
        outside,
        nodes: Vec::new(),
        weights: Weights::new(),
        places: IdVec::filled(graph.values.len(), None),
        constants: IdVec::filled(graph.values.len(), None),
        uses: uses(graph),
        shuffles: BTreeMap::new(),
        inputs: Vec::new(),
    };
    matcher.inputs()?;
    for node in &graph.nodes {
        matcher.node(node)?;
    }
    matcher.finish()
}

fn uses(graph: &Graph<'_>) -> IdVec<ValueId, usize> {
    let mut uses = IdVec::filled(graph.values.len(), 0);
    let read = graph.nodes.iter().flat_map(|node| node.inputs.iter().flatten());
    read.chain(&graph.outputs).for_each(|&id| uses[id] += 1);
    uses
}

struct Matcher<'m, 'b, 'f> {
    graph: &'m Graph<'b>,
    inferred: &'m Inferred,
    outside: &'m mut ReadOutside<'f>,
    nodes: Vec<NetworkNode>,
    weights: Weights,
    /// The node that makes a value.
    places: IdVec<ValueId, Option<usize>>,
    /// The constant that a value is.
    constants: IdVec<ValueId, Option<ValueId>>,
    /// How often a value is read, or an output.
    uses: IdVec<ValueId, usize>,
    /// Values that are the channels of another in groups, on the way to be shuffled.
    shuffles: BTreeMap<ValueId, Shuffle>,
    inputs: Vec<Port>,
}

/// Channels of a value in groups, on the way to be shuffled.
#[derive(Debug, Clone, Copy)]
struct Shuffle {
    /// The value whose channels they are.
    of: ValueId,
    groups: NonZeroU32,
    /// Whether groups and their channels have been exchanged.
    is_turned: bool,
}

/// What becomes of a node: an operator on these operands, with tensors by the last parts of their names; nothing, if its
/// value is that of its first operand or only a step of what a later node does.
enum Step {
    Op(Op, Vec<ValueId>, Parts),
    Alias,
    Done,
}

/// Tensors by the last parts of their names.
type Parts = Vec<(&'static str, Tensor)>;

/// Why a node is not ours: in words, or because its data cannot be read.
enum Why {
    Words(String),
    Read(ReadError),
}

impl From<String> for Why {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Why {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<ReadError> for Why {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl<'m, 'b> Matcher<'m, 'b, '_> {
    fn inputs(&mut self) -> Result<(), ReadError> {
        for &id in &self.graph.inputs {
            let name = self.graph.values[id].name;
            let wrong = |why: String| ReadError::NotOurs { node: format!("`{name}`"), why };
            let shape = self.fact(id).and_then(shape).map_err(wrong)?;
            let node = self.nodes.len();
            self.nodes.push(NetworkNode::new(name, None, Vec::new(), shape));
            self.places[id] = Some(node);
            self.inputs.push(Port { name: name.to_owned(), node });
        }
        Ok(())
    }

    fn node(&mut self, node: &'m Node<'b>) -> Result<(), ReadError> {
        let results: Vec<ValueId> = node.outputs.iter().flatten().copied().collect();
        let is_known = |id: &ValueId| self.inferred.fact(*id).is_some_and(|it| it.known.is_some());
        if let (Some(Kind::Same(Unary::Identity)), Some(source)) =
            (node.kind(), self.source(node, 0))
        {
            results.iter().for_each(|&id| self.constants[id] = Some(source));
            return Ok(());
        }
        // Sizes and the like, which nothing has to compute.
        if results.iter().all(is_known) {
            return Ok(());
        }
        let graph = self.graph;
        let mut matched = || -> Result<(), Why> {
            let kind = node.kind().ok_or("it is of no operator that is known")?;
            self.step(node, kind, &results)
        };
        matched().map_err(|why| match why {
            Why::Words(why) => ReadError::NotOurs { node: node.called(graph), why },
            Why::Read(error) => error,
        })
    }

    fn step(&mut self, node: &'m Node<'b>, kind: Kind, results: &[ValueId]) -> Result<(), Why> {
        let site = site(self.graph, node, &self.inferred.facts);
        let Some(&result) = results.first() else { return Ok(()) };
        if kind == Kind::Split {
            return self.split(node, &site, results);
        }
        if results.iter().skip(1).any(|&id| self.uses[id] > 0) {
            return Err("it has a second result".into());
        }
        let made = self.fact(result)?.clone();
        match self.layer(node, kind, &site, &made)? {
            Step::Op(op, operands, weights) => self.push(result, op, &operands, weights),
            Step::Alias => {
                let first = node.operand(0).ok_or("it lacks its operand")?;
                self.places[result] = Some(self.place(first)?);
                Ok(())
            }
            Step::Done => Ok(()),
        }
    }

    /// Adds what makes a value.
    fn push(
        &mut self,
        value: ValueId,
        op: Op,
        operands: &[ValueId],
        weights: Parts,
    ) -> Result<(), Why> {
        let operands = operands.iter().map(|&id| self.place(id)).collect::<Result<Vec<_>, _>>()?;
        let shape = shape(self.fact(value)?)?;
        self.push_node(value, op, operands, weights, shape)
    }

    fn push_node(
        &mut self,
        value: ValueId,
        op: Op,
        operands: Vec<usize>,
        weights: Parts,
        shape: Shape,
    ) -> Result<(), Why> {
        let mut name = self.graph.values[value].name.to_owned();
        // An output has the name of the value, and no node that of an output.
        if self.graph.outputs.contains(&value) {
            name += MADE;
        }
        let node = self.nodes.len();
        let shapes: Vec<Shape> =
            operands.iter().filter_map(|&at| self.nodes.get(at)).map(|node| node.shape).collect();
        let follows = op.shape(&shapes).map_err(|_| {
            let shapes: Vec<String> = shapes.iter().map(Shape::to_string).collect();
            let name = op.declaration().name;
            format!("`{name}` does not take operands of the shapes {}", shapes.join(" and "))
        })?;
        if follows != shape {
            return Err(format!("it makes {shape}, and the same of ours {follows}").into());
        }
        self.nodes.push(NetworkNode::new(name.clone(), Some(op), operands, shape));
        for (part, tensor) in weights {
            self.weights.insert(format!("{name}.{part}"), tensor);
        }
        self.places[value] = Some(node);
        Ok(())
    }

    fn fact(&self, id: ValueId) -> Result<&'m Fact, String> {
        let fact = self.inferred.fact(id);
        fact.ok_or_else(|| format!("nothing is known of `{}`", self.graph.values[id].name))
    }

    /// The node that makes a value.
    fn place(&self, id: ValueId) -> Result<usize, String> {
        let name = self.graph.values[id].name;
        self.places[id].ok_or_else(|| {
            match self.constants[id].is_some() || self.graph.constant(id).is_some() {
                true => format!("its operand `{name}` is a constant"),
                false => format!("its operand `{name}` is a step of something else"),
            }
        })
    }

    /// The constant that an operand is.
    fn source(&self, node: &Node<'_>, place: usize) -> Option<ValueId> {
        let id = node.operand(place)?;
        self.constants[id].or_else(|| self.graph.constant(id).map(|_| id))
    }

    /// The floats of an operand that has to be a constant.
    fn weight(&mut self, node: &Node<'_>, place: usize) -> Result<Tensor, Why> {
        let graph = self.graph;
        let constant = self.source(node, place).and_then(|id| graph.constant(id));
        let constant = constant.ok_or_else(|| format!("its operand {place} is no constant"))?;
        self.floats(constant)
    }

    fn floats(&mut self, constant: &Constant<'_>) -> Result<Tensor, Why> {
        let floats = match &constant.data {
            Data::Outside(outside) => {
                floats_of(constant.element, &(self.outside)(constant.name, outside)?)
            }
            _ => constant.floats(),
        };
        let dims = constant.dims.iter().map(|&dim| u32::try_from(dim).ok()).collect();
        let tensor =
            floats.zip(dims).map(|(floats, dims): (_, Vec<u32>)| Tensor::of_floats(dims, floats));
        let tensor = tensor.filter(Tensor::is_full);
        Ok(tensor.ok_or_else(|| format!("`{}` is no tensor of floats", constant.name))?)
    }

    fn finish(self) -> Result<Matched, ReadError> {
        let wrong = |node: &str, why: String| ReadError::NotOurs { node: format!("`{node}`"), why };
        let mut outputs = Vec::new();
        for &id in &self.graph.outputs {
            let name = self.graph.values[id].name;
            let node = self.place(id).map_err(|why| wrong(name, why))?;
            outputs.push(Port { name: name.to_owned(), node });
        }
        let network = Network {
            space: "model".to_owned(),
            nodes: self.nodes,
            inputs: self.inputs,
            outputs,
            ..Network::default()
        };
        let names = self
            .graph
            .values
            .iter()
            .filter_map(|(id, value)| Some((value.name.to_owned(), self.places[id]?)));
        let names = names.collect();
        let model = Model { network, weights: self.weights };
        model.verify().map_err(|unsound| wrong("the model", unsound.to_string()))?;
        Ok(Matched { model, names })
    }
}

/// The shape of a value, the batch aside.
fn shape(fact: &Fact) -> Result<Shape, String> {
    let sizes = fact.dims.iter().skip(1).map(|&dim| u32::try_from(dim).ok().filter(|&dim| dim > 0));
    let shape = sizes.collect::<Option<Vec<u32>>>().and_then(|sizes| Shape::new(&sizes));
    shape.ok_or_else(|| format!("{} is no shape of a network, with a batch first", fact.in_words()))
}
