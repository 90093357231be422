//! What acts in training alone, taken out: dropout in its forms, and what training adds.

use nas_ir::network::TrainingPart;
use nas_ir::ops::Yields;
use nas_ir::{IdVec, Model, Network};

use super::weights::needed;
use crate::rewire::{Part, arranged, move_ports};

/// The model without nodes whose value is their operand but in training: what reads one reads that operand.
///
/// The model is one that is verified: see [`super::PASSES`].
#[must_use]
pub fn drop_training(model: Model) -> Model {
    let Model { mut network, weights } = model;
    network.training = TrainingPart::default();
    let mut nodes = std::mem::take(&mut network.nodes);
    let mut values: IdVec<usize, usize> = IdVec::with_capacity(nodes.len());
    for (index, node) in nodes.iter_mut().enumerate() {
        node.inputs.iter_mut().for_each(|input| *input = values[*input]);
        let yields = node.op.as_ref().map(nas_ir::Op::yields);
        let operand = match yields {
            Some(Yields::Operand | Yields::OperandButInTraining) => node.inputs.first().copied(),
            _ => None,
        };
        values.push(operand.unwrap_or(index));
    }
    move_ports(&mut network, &values);
    let part = |node| if values[node] == node { Part::Own } else { Part::Gone };
    let network: Network = arranged(network, nodes, part);
    let weights = needed(&network, weights);
    Model { network, weights }
}
