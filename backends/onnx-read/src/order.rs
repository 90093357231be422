//! Nodes in an order in which operands come first, whatever their order in the file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nas_ir::IdVec;

use crate::error::ReadError;
use crate::graph::{Graph, ValueId};

/// Puts the nodes of a graph into such an order, the one of the file where that is one.
///
/// # Errors
/// A value is made twice, or never, or by nodes that wait for each other.
pub(crate) fn ordered(graph: &mut Graph<'_>) -> Result<(), ReadError> {
    let makers = makers(graph)?;
    read_values_are_there(graph, &makers)?;
    let mut waits: Vec<usize> = Vec::with_capacity(graph.nodes.len());
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut makers: Vec<usize> =
            node.inputs.iter().flatten().filter_map(|&id| makers[id]).collect();
        makers.sort_unstable();
        makers.dedup();
        waits.push(makers.len());
        for maker in makers {
            if let Some(readers) = readers.get_mut(maker) {
                readers.push(index);
            }
        }
    }
    let order = order(waits, &readers);
    if order.len() < graph.nodes.len() {
        let mut is_done = vec![false; graph.nodes.len()];
        order
            .iter()
            .for_each(|&done| is_done.iter_mut().skip(done).take(1).for_each(|it| *it = true));
        let mut waiting = graph.nodes.iter().zip(is_done).filter(|(_, is_done)| !is_done);
        let first = waiting.next().map(|(node, _)| node.called(graph)).unwrap_or_default();
        return Err(ReadError::graph(format!(
            "node {first} waits for what is made of its own value"
        )));
    }
    let mut nodes: Vec<_> = std::mem::take(&mut graph.nodes).into_iter().map(Some).collect();
    graph.nodes = order.iter().filter_map(|&index| nodes.get_mut(index)?.take()).collect();
    Ok(())
}

/// For each value the node that makes it.
fn makers(graph: &Graph<'_>) -> Result<IdVec<ValueId, Option<usize>>, ReadError> {
    let mut makers = IdVec::filled(graph.values.len(), None);
    let twice = |id: ValueId| {
        let name = graph.values[id].name;
        Err(ReadError::graph(format!("`{name}` has two values")))
    };
    let mut is_given = IdVec::filled(graph.values.len(), false);
    for &id in &graph.inputs {
        if std::mem::replace(&mut is_given[id], true) {
            return twice(id);
        }
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        for &id in node.outputs.iter().flatten() {
            let is_there = is_given[id] || graph.values[id].constant.is_some();
            if makers[id].replace(index).is_some() || is_there {
                return twice(id);
            }
        }
    }
    Ok(makers)
}

fn read_values_are_there(
    graph: &Graph<'_>,
    makers: &IdVec<ValueId, Option<usize>>,
) -> Result<(), ReadError> {
    let mut is_there: IdVec<ValueId, bool> = makers.map(Option::is_some);
    graph.inputs.iter().for_each(|&id| is_there[id] = true);
    let lacks = |&&id: &&ValueId| !is_there[id] && graph.values[id].constant.is_none();
    for node in &graph.nodes {
        if let Some(&id) = node.inputs.iter().flatten().find(lacks) {
            let (name, node) = (graph.values[id].name, node.called(graph));
            return Err(ReadError::graph(format!(
                "node {node} reads `{name}`, which nothing makes"
            )));
        }
    }
    if let Some(&id) = graph.outputs.iter().find(lacks) {
        let name = graph.values[id].name;
        return Err(ReadError::graph(format!("nothing makes the output `{name}`")));
    }
    if graph.outputs.is_empty() {
        return Err(ReadError::graph("it has no output"));
    }
    Ok(())
}

/// An order in which nobody waits; shorter where some wait for ever.
fn order(mut waits: Vec<usize>, readers: &[Vec<usize>]) -> Vec<usize> {
    // Those that are ready, the first of the file on top.
    let mut ready: BinaryHeap<Reverse<usize>> = (0..)
        .zip(&waits)
        .filter(|(_, waits)| **waits == 0)
        .map(|(index, _)| Reverse(index))
        .collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(Reverse(next)) = ready.pop() {
        order.push(next);
        for &reader in readers.get(next).into_iter().flatten() {
            if let Some(wait) = waits.get_mut(reader) {
                *wait -= 1;
                if *wait == 0 {
                    ready.push(Reverse(reader));
                }
            }
        }
    }
    order
}
