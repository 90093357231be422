//! What proxies have in common: the kernels of a network, and gradients with respect to tensors.

use nas_ir::ops::Role;
use tch::Tensor;

use crate::error::TorchError;
use crate::network::TorchNetwork;
use crate::program::ParameterId;

/// A value, or why there is none, in words: "it has no rectifier".
pub(super) type Found = Result<f64, String>;

/// The kernels that a network reads.
pub(super) fn kernels(network: &TorchNetwork) -> Result<Vec<(ParameterId, &Tensor)>, TorchError> {
    let parameters = &network.parameters;
    let read = parameters.all_trainable(network.schedule.parameters(&network.program))?;
    let mut kernels = Vec::new();
    for (id, tensor, _) in read {
        if parameters.spec(id)?.role == Role::Kernel {
            kernels.push((id, tensor));
        }
    }
    Ok(kernels)
}

/// The gradients of a scalar with respect to tensors; zeros where it does not depend on one.
pub(super) fn gradients_of(
    value: &Tensor,
    of: &[&Tensor],
    create_graph: bool,
) -> Result<Vec<Tensor>, TorchError> {
    if !value.requires_grad() {
        return of.iter().map(|tensor| Ok(tensor.f_zeros_like()?)).collect();
    }
    let gradients = Tensor::f_run_backward(&[value], of, create_graph, create_graph)?;
    let pairs = gradients.into_iter().zip(of);
    pairs
        .map(|(found, of)| if found.defined() { Ok(found) } else { Ok(of.f_zeros_like()?) })
        .collect()
}

/// The only number of a tensor.
pub(super) fn number(tensor: &Tensor) -> Result<f64, TorchError> {
    Ok(tensor.f_double_value(&[])?)
}
