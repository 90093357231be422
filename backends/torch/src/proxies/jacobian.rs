//! Jacobian covariance (the first version of Mellor et al., arXiv 2006.04647v1, equation 4): a network whose answers to
//! different images depend on them in different ways.

use tch::{Kind, Tensor};

use super::common::{Found, gradients_of, number};
use crate::error::TorchError;
use crate::network::TorchNetwork;
use crate::statistics::Statistics;

/// Keeps the logarithm of an eigenvalue of 0 finite (`k` of the paper).
const K: f64 = 1e-5;

/// `-sum log(e + k) + 1 / (e + k)` over the eigenvalues `e` of the correlations between the gradients of the summed outputs with respect to
/// each image.
pub(super) fn jacob_cov(network: &TorchNetwork, inputs: &[Tensor]) -> Result<Found, TorchError> {
    network.parameters.require_gradients(false)?;
    let inputs = inputs.iter().map(|images| Ok(images.f_detach()?.f_set_requires_grad(true)?));
    let inputs = inputs.collect::<Result<Vec<Tensor>, TorchError>>()?;
    let outputs = network.evaluation(Statistics::Batch).run(&inputs)?;
    let missing = || TorchError::broken("a network without outputs");
    let sum = outputs.first().ok_or_else(missing)?.f_sum(Kind::Float)?;
    let gradients = gradients_of(&sum, &inputs.iter().collect::<Vec<_>>(), false)?;
    let flat = gradients.iter().map(|gradient| Ok(gradient.f_flatten(1, -1)?));
    let flat = flat.collect::<Result<Vec<Tensor>, TorchError>>()?;
    of_jacobian(&Tensor::f_cat(&flat, 1)?.f_to_kind(Kind::Double)?)
}

/// That of gradients `[N, D]`.
pub(super) fn of_jacobian(gradients: &Tensor) -> Result<Found, TorchError> {
    let centred = gradients.f_sub(&gradients.f_mean_dim([1i64].as_slice(), true, None)?)?;
    let norms = centred.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, None)?.f_sqrt()?;
    let [least, greatest] = [number(&norms.f_min()?)?, number(&norms.f_max()?)?];
    if !least.is_finite() || !greatest.is_finite() {
        return Ok(Err("its gradients are not finite".to_owned()));
    }
    if least <= 0.0 {
        return Ok(Err("its answer does not depend on an image".to_owned()));
    }
    let normed = centred.f_div(&norms)?;
    let correlations = normed.f_matmul(&normed.f_transpose(0, 1)?)?;
    let shifted = correlations.f_linalg_eigvalsh("L")?.f_clamp_min(0.0)?.f_add_scalar(K)?;
    let terms = shifted.f_log()?.f_add(&shifted.f_reciprocal()?)?;
    Ok(Ok(-number(&terms.f_sum(Kind::Double)?)?))
}
