//! Synaptic flow (Tanaka et al. 2020, equation 2; of a network, Abdelfattah et al. 2021): with all weights made positive and
//! an image of ones, the sum over the kernels of `theta * dR / dtheta`, R being the sum of the outputs.

use tch::{Device, Kind, Tensor, no_grad};

use super::common::{Found, gradients_of, kernels, number};
use crate::error::TorchError;
use crate::layout::channels_last;
use crate::network::TorchNetwork;
use crate::statistics::Statistics;

/// The natural logarithm of the synaptic flow, which is a product of as many factors as a network has layers: in double
/// precision. Batch norms take the running statistics of fresh weights, 0 and 1, so that they are the identity but for their
/// epsilon; with those of a batch of one image nothing would flow.
pub(super) fn synflow(mut network: TorchNetwork, device: Device) -> Result<Found, TorchError> {
    network.parameters.make_double();
    no_grad(|| {
        for (_, kernel) in kernels(&network)? {
            let _ = kernel.shallow_clone().f_abs_()?;
        }
        Ok::<(), TorchError>(())
    })?;
    network.parameters.require_gradients(true)?;
    let ones = network.program.inputs.iter().map(|shape| {
        let sizes: Vec<i64> = shape.batched(1).iter().map(|&d| i64::from(d)).collect();
        channels_last(&Tensor::f_ones(sizes.as_slice(), (Kind::Double, device))?)
    });
    let ones = ones.collect::<Result<Vec<Tensor>, TorchError>>()?;
    let outputs = network.evaluation(Statistics::Running).run(&ones)?;
    let sums = outputs.iter().map(|output| Ok(output.f_sum(Kind::Double)?));
    let sums = sums.collect::<Result<Vec<Tensor>, TorchError>>()?;
    let flow = Tensor::f_stack(&sums, 0)?.f_sum(Kind::Double)?;
    let (_, kernels): (Vec<_>, Vec<&Tensor>) = kernels(&network)?.into_iter().unzip();
    let mut sum = 0.0;
    for (gradient, kernel) in gradients_of(&flow, &kernels, false)?.iter().zip(kernels) {
        sum += number(&gradient.f_mul(kernel)?.f_sum(Kind::Double)?)?;
    }
    Ok(if sum > 0.0 { Ok(sum.ln()) } else { Err("nothing flows through it".to_owned()) })
}
