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
#[derive(Debug, Clone, PartialEq)]
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
    /// The tensor has not as many elements as its sizes say.
    Elements {
        /// What the network needs.
        needed: NamedWeight,
        /// The number of elements that are there.
        found: u64,
    },
}

/// Every parameter of the network that is missing, has other sizes, or does not fill them.
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
            Some(tensor) => {
                let found = tensor.data.len() as u64;
                let fits = found == needed.weight.elements();
                (!fits).then_some(Misfit::Elements { needed, found })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::network::NetworkNode;
    use crate::ops::{Conv, Op, Padding};
    use crate::shape::Shape;

    /// A convolution that needs `y.weight` of `[2, 3, 1, 1]` and `y.bias` of `[2]`.
    fn network() -> Network {
        let node = |name: &str, op, inputs, channels| NetworkNode {
            name: name.to_owned(),
            op,
            inputs,
            shape: Shape::from([channels, 4, 4]),
        };
        let conv = Op::Conv(Conv {
            out: 2,
            kernel: [1, 1],
            stride: [1, 1],
            dilation: [1, 1],
            groups: NonZeroU32::MIN,
            bias: true,
            padding: Padding { before: [0, 0], after: [0, 0] },
        });
        Network {
            space: "s".to_owned(),
            task: None,
            choices: Vec::new(),
            nodes: vec![node("x", None, vec![], 3), node("y", Some(conv), vec![0], 2)],
            inputs: Vec::new(),
            outputs: Vec::new(),
            ..Network::default()
        }
    }

    fn found(weights: &[(&str, &[u32], usize)]) -> Vec<String> {
        let tensor =
            |dims: &[u32], elements| Tensor { dims: dims.to_vec(), data: vec![0.; elements] };
        let weights = weights.iter();
        let weights = weights.map(|&(name, dims, n)| (name.to_owned(), tensor(dims, n))).collect();
        let misfits = misfits(&network(), &weights).into_iter();
        misfits
            .map(|misfit| match misfit {
                Misfit::Missing(needed) => format!("{} is missing", needed.name),
                Misfit::Shape { needed, found } => format!("{} is {found:?}", needed.name),
                Misfit::Elements { needed, found } => format!("{} has {found}", needed.name),
            })
            .collect()
    }

    #[test]
    fn what_is_missing_or_does_not_fit() {
        assert!(found(&[("y.weight", &[2, 3, 1, 1], 6), ("y.bias", &[2], 2)]).is_empty());
        assert_eq!(found(&[]), ["y.weight is missing", "y.bias is missing"]);
        assert_eq!(
            found(&[("y.weight", &[3, 2, 1, 1], 6), ("y.bias", &[2], 3)]),
            ["y.weight is [3, 2, 1, 1]", "y.bias has 3"]
        );
    }
}
