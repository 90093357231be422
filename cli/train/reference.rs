//! libtorch as the reference of an export.

use nas_ir::{Model, Tensor};
use nasc::render::report::Failure;
use nasc::services::reference::Reference;

/// What answers of tract are compared with.
pub(crate) fn libtorch() -> Reference {
    Reference { name: format!("libtorch {}", nas_torch::LIBTORCH_VERSION), run, calibrate }
}

fn run(model: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
    nas_torch::run(model, inputs).map_err(Failure::problem)
}

fn calibrate(model: Model, pictures: &[Tensor]) -> Result<Model, Failure> {
    nas_torch::calibrate(model, pictures).map_err(Failure::problem)
}
