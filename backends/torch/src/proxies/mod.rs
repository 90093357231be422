//! Zero-cost proxies: what a network with fresh weights tells of how well it would do. More is better of each.
//!
//! All take the network as it is evaluated: without dropout and without the outputs that only training has. Batch norms
//! take the statistics of the batch, but for synaptic flow, where they are the identity. Parameters are the kernels of
//! convolutions and linear layers, as in the code of Abdelfattah et al. 2021.

mod common;
mod gradients;
mod jacobian;
mod naswot;
mod synflow;
#[cfg(test)]
mod tests;
mod zen;

use nas_ir::recipe::Initialisation;
use nas_ir::{Network, Shape};
use nas_search::Fault;
use nas_search::backend::Proxies;
use nas_search::proxy::{Measured, Proxy, Undefined};
use nas_search::work::Work;
use tch::{Device, Tensor};

use self::common::Found;
use crate::error::TorchError;
use crate::network::TorchNetwork;
use crate::passes::count;
use crate::task::DeviceTargets;

/// What proxies are computed on.
pub struct TorchProxies {
    /// The shape of the pictures that its first input is given.
    pub(crate) input: Shape,
    /// What its fresh weights come from.
    pub(crate) seed: u64,
    pub(crate) initial: Initialisation,
    pub(crate) device: Device,
    /// A batch of pictures `[N, C, H, W]` for each input.
    pub(crate) inputs: Vec<Tensor>,
    pub(crate) targets: DeviceTargets,
}

impl TorchProxies {
    /// What these proxies say, up to the first that has no value.
    ///
    /// # Errors
    /// Out of memory, or the network cannot run on pictures of this size.
    fn measured(
        &self,
        network: &Network,
        proxies: &[Proxy],
    ) -> Result<Result<Measured, Undefined>, TorchError> {
        let mut measured = Measured { values: Vec::new(), work: Work::default() };
        for &proxy in proxies {
            let (found, work) = self.value(network, proxy)?;
            measured.work += work;
            let finite = |value: f64| match value.is_finite() {
                true => Ok(value),
                false => Err(format!("its value is {value}")),
            };
            match found.and_then(finite) {
                Ok(value) => measured.values.push(value),
                Err(why) => return Ok(Err(Undefined { proxy, why, work: measured.work })),
            }
        }
        Ok(Ok(measured))
    }

    /// What a proxy says, and the images that it took.
    fn value(&self, network: &Network, proxy: Proxy) -> Result<(Found, Work), TorchError> {
        let (inputs, targets) = (self.inputs.as_slice(), &self.targets);
        let count = count(inputs);
        let fresh = || self.fresh(network, self.seed);
        Ok(match proxy {
            Proxy::Synflow => (synflow::synflow(fresh()?, self.device)?, Work::training(1)),
            Proxy::Naswot => (naswot::naswot(&fresh()?, inputs)?, Work::forward(count)),
            Proxy::JacobCov => (jacobian::jacob_cov(&fresh()?, inputs)?, Work::training(count)),
            Proxy::Zen => (
                zen::zen(|seed| self.fresh(network, seed), inputs, self.seed)?,
                Work::forward(count).times(2 * zen::REPEATS),
            ),
            Proxy::GradNorm | Proxy::Snip => {
                let of = if proxy == Proxy::Snip { gradients::snip } else { gradients::grad_norm };
                (of(&fresh()?, inputs, targets)?, Work::training(count))
            }
            Proxy::Grasp => {
                let found = gradients::grasp(&fresh()?, inputs, targets)?;
                (found, Work { forward: count, backward: 2 * count })
            }
        })
    }

    /// The network with the fresh weights of a seed.
    fn fresh(&self, network: &Network, seed: u64) -> Result<TorchNetwork, TorchError> {
        let mut network = TorchNetwork::fed(network, Some(self.input), seed, self.device)?;
        network.parameters.begin(self.initial, seed)?;
        Ok(network)
    }
}

impl Proxies for TorchProxies {
    fn measure(
        &self,
        network: &Network,
        proxies: &[Proxy],
    ) -> Result<Result<Measured, Undefined>, Fault> {
        Ok(self.measured(network, proxies)?)
    }
}
