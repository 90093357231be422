//! libtorch as the reference of an export.

use nas_ir::{Network, Tensor, Weights};
use nasc::render::report::Failure;
use nasc::services::package::Reference;

/// What answers of tract are compared with.
pub(crate) fn libtorch() -> Reference {
    Reference { name: format!("libtorch {}", nas_torch::LIBTORCH_VERSION), run }
}

fn run(network: &Network, weights: &Weights, inputs: &[Tensor]) -> Result<Vec<Vec<f32>>, Failure> {
    let inputs: Vec<Vec<f32>> = inputs.iter().map(|tensor| tensor.data.clone()).collect();
    nas_torch::run(network, weights, &inputs).map_err(Failure::problem)
}
