//! A network with the values of its parameters.

use rustc_hash::FxHashSet as HashSet;
use thiserror::Error;

use crate::dtype::DType;
use crate::flaw::Flaw;
use crate::network::{NamedWeight, Network};
use crate::weights::{Tensor, Weights};

/// A network and its weights: all that a backend needs to run it. Whether both fit together,
/// [`Model::verify`] says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Model {
    /// The network.
    pub network: Network,
    /// The values of its parameters, by the names and in the sizes that [`Network::weights`] states, in
    /// 32-bit floats. Those of what training adds ([`Network::training_weights`]) may be there too.
    pub weights: Weights,
}

/// Why a model does not hold together.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Unsound {
    /// The network contradicts itself, and so nothing says which weights it needs.
    #[error("the network is not well-formed: {}", listed(.0))]
    Network(Vec<Flaw>),
    /// The weights are not those of the network.
    #[error("the weights do not fit the network: {}", listed(.0))]
    Weights(Vec<Misfit>),
}

fn listed(faults: &[impl ToString]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What keeps tensors from being the parameters of a network.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Misfit {
    /// There is no tensor of this name.
    #[error("`{}` is missing", .0.name)]
    Missing(NamedWeight),
    /// The tensor has other sizes.
    #[error("`{}` is {found:?} and not {:?}", .needed.name, .needed.weight.dims)]
    Shape {
        /// What the network needs.
        needed: NamedWeight,
        /// The sizes that are there.
        found: Vec<u32>,
    },
    /// The tensor has not as many elements as its sizes say.
    #[error("`{}` has {found} elements and not {}", .needed.name, .needed.weight.elements())]
    Elements {
        /// What the network needs.
        needed: NamedWeight,
        /// The number of elements that are there.
        found: u64,
    },
    /// The elements are other than 32-bit floats.
    #[error("`{}` is {found} and not {}", .needed.name, DType::F32)]
    Type {
        /// What the network needs.
        needed: NamedWeight,
        /// What they are.
        found: DType,
    },
    /// The network has no parameter of this name.
    #[error("`{0}` is not of the network")]
    Extra(String),
}

impl Model {
    /// Whether the network is well-formed ([`Network::verify`]) and the weights are its own
    /// ([`misfits`]). Whether they are finite is not asked.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn verify(&self) -> Result<(), Unsound> {
        self.network.verify().map_err(Unsound::Network)?;
        let misfits = misfits(&self.network, &self.weights);
        if misfits.is_empty() { Ok(()) } else { Err(Unsound::Weights(misfits)) }
    }
}

/// Every parameter of the network that is missing, has other sizes or another type, or does not fill
/// its sizes; and every tensor that is none. The parameters of what training adds may be there too,
/// and must then fit as well. The network is one that is well-formed ([`Network::verify`]).
#[must_use]
pub fn misfits(network: &Network, weights: &Weights) -> Vec<Misfit> {
    let (own, added) = (network.weights(), network.training_weights());
    let mut misfits = Vec::new();
    for needed in &own {
        match weights.get(&needed.name) {
            None => misfits.push(Misfit::Missing(needed.clone())),
            Some(tensor) => misfits.extend(misfit(needed, tensor)),
        }
    }
    for needed in &added {
        let tensor = weights.get(&needed.name);
        misfits.extend(tensor.and_then(|tensor| misfit(needed, tensor)));
    }
    let known: HashSet<&str> = own.iter().chain(&added).map(|n| n.name.as_str()).collect();
    let extra = weights.keys().filter(|name| !known.contains(name.as_str()));
    misfits.extend(extra.cloned().map(Misfit::Extra));
    misfits
}

fn misfit(needed: &NamedWeight, tensor: &Tensor) -> Option<Misfit> {
    let needed = needed.clone();
    let found = tensor.elements.len() as u64;
    if tensor.dtype() != DType::F32 {
        Some(Misfit::Type { needed, found: tensor.dtype() })
    } else if tensor.dims != needed.weight.dims {
        Some(Misfit::Shape { needed, found: tensor.dims.clone() })
    } else if found != needed.weight.elements() {
        Some(Misfit::Elements { needed, found })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::network::NetworkNode;
    use crate::ops::{Conv, Op, Padding};
    use crate::shape::Shape;
    use crate::weights::Elements;

    /// A convolution that needs `y.weight` of `[2, 3, 1, 1]` and `y.bias` of `[2]`.
    fn network() -> Network {
        let node = |name: &str, op, inputs, channels| {
            NetworkNode::new(name, op, inputs, Shape::from([channels, 4, 4]))
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
        let tensor = |dims, elements| Tensor::of_floats(dims, vec![0.0; elements]);
        let weights = weights.iter();
        let weights = weights.map(|&(name, dims, n)| (name.to_owned(), tensor(dims, n))).collect();
        faults(&weights)
    }

    fn faults(weights: &Weights) -> Vec<String> {
        misfits(&network(), weights).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_missing_or_does_not_fit() {
        assert!(found(&[("y.weight", &[2, 3, 1, 1], 6), ("y.bias", &[2], 2)]).is_empty());
        assert_eq!(found(&[]), ["`y.weight` is missing", "`y.bias` is missing"]);
        assert_eq!(
            found(&[("y.weight", &[3, 2, 1, 1], 6), ("y.bias", &[2], 3), ("z.bias", &[1], 1)]),
            [
                "`y.weight` is [3, 2, 1, 1] and not [2, 3, 1, 1]",
                "`y.bias` has 3 elements and not 2",
                "`z.bias` is not of the network",
            ]
        );
    }

    #[test]
    fn other_numbers_do_not_fit() {
        let kernel = Tensor { dims: vec![2, 3, 1, 1], elements: Elements::F16(vec![0; 6]) };
        let bias = Tensor { dims: vec![2], elements: Elements::I8(vec![1, -1]) };
        let weights = Weights::from([("y.weight".to_owned(), kernel), ("y.bias".to_owned(), bias)]);
        assert_eq!(
            faults(&weights),
            ["`y.weight` is F16 and not F32", "`y.bias` is I8 and not F32"]
        );
    }

    #[test]
    fn what_training_adds_may_be_there() {
        let mut network = network();
        let mut added = network.nodes[1].clone();
        added.name = "head".to_owned();
        network.training.nodes.push(added);
        let zeros = |named: NamedWeight| {
            let zeros = vec![0.0; named.weight.elements() as usize];
            (named.name, Tensor::of_floats(named.weight.dims, zeros))
        };
        let own: Weights = network.weights().into_iter().map(zeros).collect();
        assert_eq!(misfits(&network, &own), []);
        let mut all = own;
        all.extend(network.training_weights().into_iter().map(zeros));
        assert_eq!(misfits(&network, &all), []);
        all["head.bias"].dims = vec![1];
        assert_eq!(misfits(&network, &all)[0].to_string(), "`head.bias` is [1] and not [2]");
    }
}
