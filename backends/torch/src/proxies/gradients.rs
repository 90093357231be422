//! Proxies of the gradients of the loss of one batch with respect to the kernels (Abdelfattah et al. 2021, section 3.1).

use tch::{Kind, Tensor};

use super::common::{Found, gradients_of, kernels, number};
use crate::error::TorchError;
use crate::network::TorchNetwork;
use crate::statistics::Statistics;
use crate::task::{DeviceTargets, mean_loss};

/// The sum over the kernels of the Euclidean norm of the gradient.
pub(super) fn grad_norm(
    network: &TorchNetwork,
    inputs: &[Tensor],
    targets: &DeviceTargets,
) -> Result<Found, TorchError> {
    let (_, gradients) = gradients(network, inputs, targets, false)?;
    let norms = gradients.iter().map(|gradient| number(&gradient.f_norm()?));
    Ok(Ok(norms.sum::<Result<f64, TorchError>>()?))
}

/// SNIP (Lee et al. 2019, equation 4, before it is normalised): the sum of `|theta * dL / dtheta|`, what the loss would change, to first
/// order, without each weight.
pub(super) fn snip(
    network: &TorchNetwork,
    inputs: &[Tensor],
    targets: &DeviceTargets,
) -> Result<Found, TorchError> {
    let (kernels, gradients) = gradients(network, inputs, targets, false)?;
    let sums = kernels
        .iter()
        .zip(&gradients)
        .map(|(kernel, gradient)| number(&kernel.f_mul(gradient)?.f_abs()?.f_sum(Kind::Double)?));
    Ok(Ok(sums.sum::<Result<f64, TorchError>>()?))
}

/// GraSP (Wang et al. 2020, equation 8, as Abdelfattah et al. 2021 sum it): the sum of `-theta * H g`, g being the gradient and H the
/// Hessian of the loss.
pub(super) fn grasp(
    network: &TorchNetwork,
    inputs: &[Tensor],
    targets: &DeviceTargets,
) -> Result<Found, TorchError> {
    let (kernels, gradients) = gradients(network, inputs, targets, true)?;
    if kernels.is_empty() {
        return Ok(Err("it has no kernel".to_owned()));
    }
    // H g is the gradient of g * g where one of the factors stays as it is.
    let products = gradients.iter().map(|g| Ok(g.f_detach()?.f_mul(g)?.f_sum(Kind::Float)?));
    let products = products.collect::<Result<Vec<Tensor>, TorchError>>()?;
    let product = Tensor::f_stack(&products, 0)?.f_sum(Kind::Float)?;
    let mut sum = 0.0;
    for (kernel, second) in kernels.iter().zip(gradients_of(&product, &kernels, false)?) {
        sum -= number(&kernel.f_mul(&second)?.f_sum(Kind::Double)?)?;
    }
    Ok(Ok(sum))
}

/// The kernels, and the gradients of the loss of the first output with respect to them.
fn gradients<'n>(
    network: &'n TorchNetwork,
    inputs: &[Tensor],
    targets: &DeviceTargets,
    create_graph: bool,
) -> Result<(Vec<&'n Tensor>, Vec<Tensor>), TorchError> {
    network.parameters.require_gradients(true)?;
    let outputs = network.evaluation(Statistics::Batch).run(inputs)?;
    let missing = || TorchError::broken("a network without outputs");
    let loss = mean_loss(outputs.first().ok_or_else(missing)?, targets)?;
    let (_, kernels): (Vec<_>, Vec<&Tensor>) = kernels(network)?.into_iter().unzip();
    let gradients = gradients_of(&loss, &kernels, create_graph)?;
    Ok((kernels, gradients))
}
