//! What is known of every value of a graph, once the sizes of its inputs are.

use nas_ir::IdVec;

use crate::constant::Constant;
use crate::error::ReadError;
use crate::fact::Fact;
use crate::graph::{Graph, Node, ValueId};
use crate::kind::Kind;
use crate::rules::{self, Site};
use crate::sizes::{self, Sizes};

/// What is known of the values of a graph.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// For each value; `None` of one that no node makes, and that is no input or constant.
    pub facts: IdVec<ValueId, Option<Fact>>,
}

/// What is known of every value, by the rules of the operators; sizes that the file states of values between are not
/// looked at.
///
/// # Errors
/// Sizes are open, operators are not known, or a node does not fit its operands.
pub fn infer(graph: &Graph<'_>, sizes: &Sizes) -> Result<Inferred, ReadError> {
    let inputs = sizes::inputs(graph, sizes)?;
    let kinds = kinds(graph)?;
    let constant = |constant: &Option<Constant<'_>>| constant.as_ref().map(Fact::of_constant);
    let mut facts: IdVec<ValueId, Option<Fact>> =
        graph.values.map(|value| constant(&value.constant));
    for (&id, fact) in graph.inputs.iter().zip(inputs) {
        facts[id] = Some(fact);
    }
    for (node, kind) in graph.nodes.iter().zip(kinds) {
        let wrong = |why: String| ReadError::Operands { node: node.called(graph), why };
        let made = rules::made(&site(graph, node, &facts), kind).map_err(wrong)?;
        if made.iter().any(|fact| fact.count().is_none()) {
            return Err(wrong("its result has more elements than a tensor may have".to_owned()));
        }
        if made.len() < node.outputs.len() {
            return Err(wrong(format!(
                "it has {} results, and not {}",
                made.len(),
                node.outputs.len()
            )));
        }
        for (output, fact) in node.outputs.iter().zip(made) {
            if let Some(id) = output {
                facts[*id] = Some(fact);
            }
        }
    }
    Ok(Inferred { facts })
}

/// The kinds of all nodes.
fn kinds(graph: &Graph<'_>) -> Result<Vec<Kind>, ReadError> {
    let (mut kinds, mut unknown): (Vec<Kind>, Vec<&Node<'_>>) = (Vec::new(), Vec::new());
    for node in &graph.nodes {
        match node.kind() {
            Some(kind) => kinds.push(kind),
            None => unknown.push(node),
        }
    }
    let Some(first) = unknown.first() else { return Ok(kinds) };
    let operator = first.operator_name();
    let mut others: Vec<String> = unknown.iter().map(|node| node.operator_name()).collect();
    others.retain(|other| *other != operator);
    others.sort_unstable();
    others.dedup();
    Err(ReadError::Unsupported { operator, node: first.called(graph), others })
}

/// A node with what is known of its operands.
pub(crate) fn site<'s, 'b>(
    graph: &Graph<'b>,
    node: &'s Node<'b>,
    facts: &'s IdVec<ValueId, Option<Fact>>,
) -> Site<'s, 'b> {
    let operands = node.inputs.iter().map(|input| input.and_then(|id| facts[id].as_ref()));
    Site { node, operands: operands.collect(), opset: graph.opset() }
}

impl Node<'_> {
    /// The kind of its operator, if it is known.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Kind::of(self.operator).filter(|_| self.is_standard())
    }
}

impl Inferred {
    /// What is known of a value.
    #[must_use]
    pub fn fact(&self, value: ValueId) -> Option<&Fact> {
        self.facts[value].as_ref()
    }
}
