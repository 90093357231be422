//! Parameter values by name, in memory; reading and writing files is the caller's.

use indexmap::IndexMap;

use crate::network::{NamedWeight, Network};

/// One tensor of 32-bit floats, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its sizes.
    pub dims: Vec<u32>,
    /// Its elements.
    pub data: Vec<f32>,
}

/// The tensors of a network or of a supernet, by name (`…/conv.1.weight`), in a stable order.
pub type Weights = IndexMap<String, Tensor>;

/// What keeps tensors from being the parameters of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// There is no tensor of this name.
    Missing(NamedWeight),
    /// The tensor has other sizes.
    Shape {
        /// What the network needs.
        needed: NamedWeight,
        /// The sizes that are there.
        found: Vec<u32>,
    },
}

/// Every parameter of the network that is missing or has other sizes.
#[must_use]
pub fn misfits(network: &Network, weights: &Weights) -> Vec<Misfit> {
    network
        .weights()
        .into_iter()
        .filter_map(|needed| match weights.get(&needed.name) {
            None => Some(Misfit::Missing(needed)),
            Some(tensor) if tensor.dims != needed.weight.dims => {
                Some(Misfit::Shape { needed, found: tensor.dims.clone() })
            }
            Some(_) => None,
        })
        .collect()
}
