//! The normalisation of an input as a part of the network.

use nas_ir::network::NetworkNode;
use nas_ir::ops::{BatchNorm, Role};
use nas_ir::{Model, Op, Tensor, TensorName};

/// What is done to the numbers of an input before a network sees them: `(x / white - mean) / std` of each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    /// The name of the input.
    pub input: String,
    /// What stands for 1: 255 of the bytes of a picture.
    pub white: f64,
    /// What is subtracted from each channel.
    pub mean: Vec<f32>,
    /// What it is then divided by; none is 0.
    pub std: Vec<f32>,
}

/// The model that does this itself, by a batch norm with statistics to that effect, which [`super::fold_into_readers`]
/// makes a part of the first convolutions.
///
/// The model is one that is verified, and has as many channels at that input as there are means and deviations; an input
/// that it lacks changes nothing.
#[must_use]
pub fn normalise(mut model: Model, by: &Normalisation) -> Model {
    let network = &mut model.network;
    let Some(port) = network.inputs.iter().find(|port| port.name == by.input) else { return model };
    let (input, name) = (port.node, port.name.clone());
    let is_taken = |path: &String| network.nodes.iter().any(|node| node.name == *path);
    let mut path = format!("{name}/normalise");
    while is_taken(&path) {
        path += ".again";
    }
    let Some(shape) = network.node(input).map(|node| node.shape) else { return model };
    let norm = BatchNorm { eps: 0.0, momentum: 0.0, affine: false };
    let after = input + 1;
    let moved = |node: &mut usize| {
        if *node == input {
            *node = after;
        } else if *node > input {
            *node += 1;
        }
    };
    network.nodes.iter_mut().flat_map(|node| &mut node.inputs).for_each(moved);
    network.training = nas_ir::network::TrainingPart::default();
    network.outputs.iter_mut().for_each(|port| moved(&mut port.node));
    for port in &mut network.inputs {
        if port.node > input {
            port.node += 1;
        }
    }
    let node = NetworkNode::new(path.clone(), Some(Op::BatchNorm(norm)), vec![input], shape);
    network.nodes.insert(after, node);
    let dims = [shape.channels()];
    let mean = by.mean.iter().map(|&mean| (f64::from(mean) * by.white) as f32).collect();
    let variance = by.std.iter().map(|&std| (f64::from(std) * by.white).powi(2) as f32).collect();
    for (role, values) in [(Role::RunningMean, mean), (Role::RunningVariance, variance)] {
        let name = TensorName::new(&path, role).to_string();
        model.weights.insert(name, Tensor::of_floats(dims, values));
    }
    model
}
