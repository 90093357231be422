//! Moving the nodes of a network: who reads whom afterwards, and where each stands.

use nas_ir::network::{NetworkNode, Port};
use nas_ir::{IdVec, Network};

/// The index of no node: no table has a row for it, so that to read such a node is a fault.
pub(crate) const NONE: usize = usize::MAX;

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// In the network.
    Own,
    /// In what training adds.
    Added,
    /// Nowhere.
    Gone,
}

/// Lets ports be of the nodes that have their values now.
pub(crate) fn move_ports(network: &mut Network, values: &IdVec<usize, usize>) {
    ports(network).for_each(|port| port.node = values[port.node]);
}

/// The network of these nodes, each in its part; they are in the order in which operands come first,
/// and their operands and the ports are indices into their list.
pub(crate) fn arranged(
    mut network: Network,
    nodes: Vec<NetworkNode>,
    part: impl Fn(usize) -> Part,
) -> Network {
    let mut places = IdVec::filled(nodes.len(), NONE);
    let (mut own, mut added) = (Vec::new(), Vec::new());
    for (index, node) in nodes.into_iter().enumerate() {
        match part(index) {
            Part::Own => own.push((index, node)),
            Part::Added => added.push((index, node)),
            Part::Gone => {}
        }
    }
    for (place, (index, _)) in own.iter().chain(&added).enumerate() {
        places[*index] = place;
    }
    let placed = |(_, mut node): (usize, NetworkNode)| {
        node.inputs.iter_mut().for_each(|input| *input = places[*input]);
        node
    };
    network.nodes = own.into_iter().map(placed).collect();
    network.training.nodes = added.into_iter().map(placed).collect();
    move_ports(&mut network, &places);
    network
}

/// All ports, also those that training adds.
fn ports(network: &mut Network) -> impl Iterator<Item = &mut Port> {
    let Network { inputs, outputs, training, .. } = network;
    let trained = training.outputs.iter_mut().map(|output| &mut output.port);
    inputs.iter_mut().chain(outputs).chain(trained)
}
