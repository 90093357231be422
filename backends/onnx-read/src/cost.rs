//! What the nodes of a graph cost.

use std::collections::BTreeSet;

use nas_ir::IdVec;
use nas_ir::ops::Storage;

use crate::error::ReadError;
use crate::fact::Fact;
use crate::graph::{Graph, Node, ValueId};
use crate::infer::{Inferred, site};
use crate::kind::{Kind, Slot};
use crate::rules;

/// What a node costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeCost {
    /// Multiply-accumulates of convolutions, transposed ones and products of matrices, nothing else.
    pub macs: u64,
    /// Trained parameters that it is the first to read: kernels, biases, scale and shift of normalisations, slopes, tables
    /// of embeddings; no statistics, steps of integers or bounds.
    pub params: u64,
    /// Bytes of these parameters in the file.
    pub bytes: u64,
}

/// What a graph costs.
#[derive(Debug, Clone)]
pub struct GraphCosts {
    /// For each node.
    pub nodes: Vec<NodeCost>,
    /// Convolutions, transposed ones and products of matrices on the longest way to an output.
    pub depth: u64,
    /// What is made while the model runs, in the order of the nodes, inputs first.
    pub tensors: Vec<Made>,
}

/// Something that is made while a model runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its bytes.
    pub bytes: u64,
    /// The places of what it is made of, in the same list.
    pub reads: Vec<usize>,
    /// Where an engine puts it; none for an input.
    pub storage: Option<Storage>,
    /// Whether it is an output.
    pub is_output: bool,
}

/// What a graph costs whose values have these sizes. Nothing is counted of nodes that only compute sizes, or other
/// constants of few elements.
///
/// # Errors
/// A node does not fit its operands.
pub fn costs(graph: &Graph<'_>, inferred: &Inferred) -> Result<GraphCosts, ReadError> {
    let facts = &inferred.facts;
    let mut sources: IdVec<ValueId, Option<ValueId>> = IdVec::filled(graph.values.len(), None);
    for (id, value) in graph.values.iter() {
        sources[id] = value.constant.is_some().then_some(id);
    }
    let mut depths: IdVec<ValueId, u64> = IdVec::filled(graph.values.len(), 0);
    let (mut counted, mut nodes) = (BTreeSet::new(), Vec::with_capacity(graph.nodes.len()));
    for node in &graph.nodes {
        let Some(kind) = node.kind() else {
            nodes.push(NodeCost::default());
            continue;
        };
        if kind.moves() {
            let source = node.operand(0).and_then(|id| sources[id]);
            node.outputs.iter().flatten().for_each(|&id| sources[id] = source);
        }
        let mut cost = NodeCost::default();
        let is_known = node.outputs.iter().flatten().all(|&id| is_known(facts[id].as_ref()));
        if !is_known {
            cost = parameters(graph, node, kind, &sources, &mut counted);
            let result = node.outputs.iter().flatten().next().and_then(|&id| facts[id].as_ref());
            if let Some(result) = result {
                let wrong = |why: String| ReadError::Operands { node: node.called(graph), why };
                cost.macs = rules::macs(&site(graph, node, facts), kind, result).map_err(wrong)?;
            }
        }
        nodes.push(cost);
        let before = node.inputs.iter().flatten().map(|&id| depths[id]).max().unwrap_or(0);
        let own = before + u64::from(kind.has_kernel());
        node.outputs.iter().flatten().for_each(|&id| depths[id] = own);
    }
    let depth = graph.outputs.iter().map(|&id| depths[id]).max().unwrap_or(0);
    Ok(GraphCosts { nodes, depth, tensors: tensors(graph, inferred) })
}

fn is_known(fact: Option<&Fact>) -> bool {
    fact.is_some_and(|fact| fact.known.is_some())
}

/// The parameters that a node is the first to read.
fn parameters(
    graph: &Graph<'_>,
    node: &Node<'_>,
    kind: Kind,
    sources: &IdVec<ValueId, Option<ValueId>>,
    counted: &mut BTreeSet<ValueId>,
) -> NodeCost {
    let mut cost = NodeCost::default();
    for (place, id) in
        node.inputs.iter().enumerate().filter_map(|(place, id)| Some((place, (*id)?)))
    {
        let Some(source) = sources[id] else { continue };
        let Some(constant) = graph.constant(source) else { continue };
        let is_trained = match kind.slot(place) {
            Slot::Weight => true,
            Slot::Operand => constant.element.is_float() && constant.count() > 1,
            Slot::Setting => false,
        };
        if is_trained && counted.insert(source) {
            cost.params = cost.params.saturating_add(constant.count());
            let bytes = constant.element.bytes(constant.count()).unwrap_or(u64::MAX);
            cost.bytes = cost.bytes.saturating_add(bytes);
        }
    }
    cost
}

/// The bytes of each value as an engine keeps it that computes with integers where the model says so: what is only there to be
/// rounded to integers is written as these at once, by the operators before that it is fused with, too.
fn kept_bytes(graph: &Graph<'_>, inferred: &Inferred) -> IdVec<ValueId, u64> {
    let mut readers: IdVec<ValueId, u32> = IdVec::filled(graph.values.len(), 0);
    let read = graph.nodes.iter().flat_map(|node| node.inputs.iter().flatten());
    read.chain(&graph.outputs).for_each(|&id| readers[id] += 1);
    let mut bytes = IdVec::filled(graph.values.len(), 0);
    for (id, _) in graph.values.iter() {
        bytes[id] = inferred.facts[id].as_ref().map_or(0, Fact::bytes);
    }
    for node in graph.nodes.iter().rev() {
        let is_fused = node.kind().is_some_and(|kind| kind.storage() == Storage::InPlace);
        if let (true, Some(operand), [Some(result)]) =
            (is_fused, node.operand(0), &node.outputs[..])
            && readers[operand] == 1
        {
            bytes[operand] = bytes[operand].min(bytes[*result]);
        }
    }
    graph.inputs.iter().for_each(|&id| {
        bytes[id] = inferred.facts[id].as_ref().map_or(0, Fact::bytes);
    });
    bytes
}

/// What is made while the model runs: what several results of a node take counts as one tensor.
fn tensors(graph: &Graph<'_>, inferred: &Inferred) -> Vec<Made> {
    let facts = &inferred.facts;
    let mut is_output: IdVec<ValueId, bool> = IdVec::filled(graph.values.len(), false);
    graph.outputs.iter().for_each(|&id| is_output[id] = true);
    let bytes = kept_bytes(graph, inferred);
    let mut made: Vec<Made> = Vec::new();
    let mut place_of: IdVec<ValueId, Option<usize>> = IdVec::filled(graph.values.len(), None);
    for &id in &graph.inputs {
        place_of[id] = Some(made.len());
        let (bytes, is_output) = (bytes[id], is_output[id]);
        made.push(Made { bytes, reads: Vec::new(), storage: None, is_output });
    }
    for node in &graph.nodes {
        let results: Vec<ValueId> = node.outputs.iter().flatten().copied().collect();
        let reads: Vec<usize> =
            node.inputs.iter().flatten().filter_map(|&id| place_of[id]).collect();
        // What depends on no input is there before the model runs.
        if reads.is_empty() || results.iter().all(|&id| is_known(facts[id].as_ref())) {
            continue;
        }
        results.iter().for_each(|&id| place_of[id] = Some(made.len()));
        let first = node.operand(0).and_then(|id| place_of[id]);
        let storage = node.kind().map_or(Storage::Own, Kind::storage);
        let size = results.iter().map(|&id| bytes[id]).fold(0, u64::saturating_add);
        let is_output = results.iter().any(|&id| is_output[id]);
        // What is handed out has the numbers that the model says.
        let of_first = first.and_then(|first| made.get(first));
        let is_handed = is_output && of_first.is_some_and(|first| first.bytes != size);
        let fits = results.len() == 1 && first.is_some() && first == reads.first().copied();
        made.push(Made {
            bytes: size,
            reads,
            storage: Some(if fits && !is_handed { storage } else { Storage::Own }),
            is_output,
        });
    }
    made
}
