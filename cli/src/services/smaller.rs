//! A network that is much to compute, for smaller pictures: what its file computes is seen on these, too.

use nas_ir::{Model, OpenSize};
use nas_onnx::Resized;

use crate::render::report::Failure;

/// Networks of more multiply-accumulates are tried on smaller pictures.
const MUCH: u64 = 4_000_000_000;
/// The most that they may have on these.
const LITTLE: u64 = 250_000_000;
/// The smallest part of height and width that is tried.
const PARTS: u32 = 64;

/// A network on smaller pictures.
pub(super) struct Smaller {
    /// The network, with the weights that it has.
    pub(super) model: Model,
    /// Its file: that of the network's own size with other sizes.
    pub(super) onnx: Vec<u8>,
    /// By what they differ.
    pub(super) resized: Resized,
}

impl Smaller {
    /// A model that is much to compute, and the file of what it was folded to, for smaller pictures; `None` where it is little,
    /// or computes for one size alone, or where the file for another has other nodes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn of(
        model: &Model,
        exported: &Model,
        options: &nas_onnx::Options,
        onnx: &[u8],
    ) -> Result<Option<Self>, Failure> {
        let Some((model, size)) = shrunk(model) else { return Ok(None) };
        let Some(exported) = at(exported, size) else { return Ok(None) };
        let other = nas_onnx::emit(&exported, options).map_err(Failure::problem)?;
        let resized = Resized::of(onnx, &other).map_err(Failure::problem)?;
        let Some(resized) = resized else { return Ok(None) };
        let onnx = resized.apply(onnx).map_err(Failure::problem)?;
        Ok(Some(Self { model, onnx, resized }))
    }
}

/// A model that is much to compute, for the largest pictures on which it is little, and their size; `None` where it is little,
/// or computes for one size alone.
pub(super) fn shrunk(model: &Model) -> Option<(Model, [u32; 2])> {
    let network = &model.network;
    if network.cost().macs <= MUCH {
        return None;
    }
    let own = network.inputs.iter().find_map(|port| network.port_shape(port).plane())?;
    let open = OpenSize::of(network).ok()?;
    let along = |part: u32, own: u32, step: u32, least: u32| {
        (own - (own - own / part) / step.max(1) * step).max(least)
    };
    let sizes = (2..=PARTS).map(|part| {
        let [height, width] = own;
        [
            along(part, height, open.step[0], open.least[0]),
            along(part, width, open.step[1], open.least[1]),
        ]
    });
    let mut smaller = sizes.filter_map(|size| Some((open.at(network, size)?, size)));
    let (network, size) = smaller.find(|(network, _)| network.cost().macs <= LITTLE)?;
    Some((Model { network, weights: model.weights.clone() }, size))
}

/// A model for pictures of this size.
fn at(model: &Model, size: [u32; 2]) -> Option<Model> {
    let open = OpenSize::of(&model.network).ok()?;
    let network = open.at(&model.network, size)?;
    Some(Model { network, weights: model.weights.clone() })
}
