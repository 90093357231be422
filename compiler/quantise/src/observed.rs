//! Models that answer with values on the way.

use nas_ir::network::{Port, TrainingPart};
use nas_ir::{Model, Tensor};

use crate::run::Run;

/// How many numbers the values of a run may be together: 256 MiB.
const AT_ONCE: u64 = 1 << 26;

/// The model whose outputs are the values of these nodes, and without what these do not need.
pub(crate) fn answering(model: &Model, nodes: &[usize]) -> Model {
    let mut model = model.clone();
    let network = &mut model.network;
    let last = nodes.iter().chain(network.inputs.iter().map(|port| &port.node)).max();
    network.nodes.truncate(last.map_or(0, |last| last + 1));
    network.training = TrainingPart::default();
    network.task = None;
    network.outputs =
        nodes.iter().map(|&node| Port { name: format!("value {node}"), node }).collect();
    let needed: Vec<String> = network.weights().into_iter().map(|named| named.name).collect();
    model.weights.retain(|name, _| needed.contains(name));
    model
}

/// Shows the values of these nodes on all batches: the place of the node in the list, and its value.
pub(crate) fn watch<E>(
    model: &Model,
    nodes: &[usize],
    batches: &[Vec<Tensor>],
    run: &mut Run<'_, E>,
    mut see: impl FnMut(usize, &Tensor),
) -> Result<(), E> {
    for batch in batches {
        let images = batch.first().and_then(|input| input.dims.first()).copied().unwrap_or(1);
        let mut rest = nodes.iter().copied().enumerate().peekable();
        while rest.peek().is_some() {
            let mut room = AT_ONCE;
            let mut taken = Vec::new();
            while let Some(&(place, node)) = rest.peek() {
                let shape = model.network.nodes.get(node).map(|node| node.shape);
                let size = shape.map_or(0, |shape| shape.elements() * u64::from(images));
                if !taken.is_empty() && size > room {
                    break;
                }
                room = room.saturating_sub(size);
                taken.push((place, node));
                rest.next();
            }
            let nodes: Vec<usize> = taken.iter().map(|(_, node)| *node).collect();
            let values = run(&answering(model, &nodes), batch)?;
            for ((place, _), value) in taken.iter().zip(&values) {
                see(*place, value);
            }
        }
    }
    Ok(())
}
