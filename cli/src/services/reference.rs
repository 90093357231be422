//! What the outputs of tract are compared with, and fresh weights that it calibrates.

use nas_ir::{Model, Network, Tensor};
use nas_tract::seeded_inputs;

use super::smaller::shrunk;
use super::weights_file;
use crate::render::report::Failure;

/// Inputs with more elements are large: fewer of them are enough.
pub(crate) const LARGE: usize = 1_000_000;
/// The seed of the pictures that fresh weights are calibrated on.
const CALIBRATION: u64 = 0;
/// How many these are, of small inputs and of large ones.
const PICTURES: [u32; 2] = [8, 2];

/// What computes the outputs that those of tract are compared with.
pub struct Reference {
    /// Its name and version.
    pub name: String,
    /// What runs a model.
    pub run: Run,
    /// What sets fresh weights by some pictures.
    pub calibrate: Calibrate,
}

/// The outputs of a model on these inputs.
pub type Run = fn(&Model, &[Tensor]) -> Result<Vec<Tensor>, Failure>;

/// A model with weights that bring the values of its layers on these pictures to order 1.
pub type Calibrate = fn(Model, &[Tensor]) -> Result<Model, Failure>;

/// A network with fresh weights, and what they are, in words: those of a seed, calibrated where there is a
/// reference that can.
///
/// # Errors
/// The reference fails.
pub fn fresh(
    network: Network,
    seed: u64,
    reference: Option<&Reference>,
) -> Result<(Model, String), Failure> {
    let model = weights_file::initial(network, seed);
    let Some(reference) = reference else { return Ok((model, format!("fresh, seed {seed}"))) };
    // Statistics of smaller pictures serve as well.
    let (model, whole) = match shrunk(&model) {
        Some((smaller, _)) => (smaller, Some(model.network)),
        None => (model, None),
    };
    let inputs = shapes(&model.network, &model.network.inputs);
    let elements: usize = inputs.iter().map(|dims| volume(dims)).sum();
    let [small, large] = PICTURES;
    let count = if elements > LARGE { large } else { small };
    let batches = inputs.into_iter().map(|mut dims| {
        dims.iter_mut().take(1).for_each(|batch| *batch = count);
        dims
    });
    let pictures = seeded_inputs(&batches.collect::<Vec<_>>(), CALIBRATION);
    let Model { network, weights } = (reference.calibrate)(model, &pictures)?;
    let model = Model { network: whole.unwrap_or(network), weights };
    Ok((model, format!("fresh, seed {seed}, calibrated")))
}

/// The shapes of ports, with a batch of one.
fn shapes(network: &Network, ports: &[nas_ir::network::Port]) -> Vec<Vec<u32>> {
    ports.iter().map(|port| network.port_shape(port).batched(1)).collect()
}

pub(crate) fn volume(dims: &[u32]) -> usize {
    dims.iter().map(|&d| d as usize).product()
}
