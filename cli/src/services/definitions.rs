//! What an ONNX file computes by the definitions of its operators, where they are all ours.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nas_ir::{Model, Tensor};
use nas_onnx_read::{Matched, Sizes, infer, matched};

use super::foreign::ForeignFile;
use super::record::Case;
use crate::render::report::Failure;

/// What they are called in reports.
pub const NAME: &str = "the definitions of its operators";
/// The most multiply-accumulates that are followed: definitions are direct loops, which take a second for some ten million.
pub const MOST_MACS: u64 = 400_000_000;

/// The outputs for the inputs of a case, which takes its multiply-accumulates off those that are left.
///
/// # Errors
/// An operator is not ours, or the model is too large for direct loops.
pub fn outputs(file: &ForeignFile, case: &Case, left: &mut u64) -> Result<Vec<Tensor>, Failure> {
    let (matched, values) = run(file, case, left)?;
    let ports = matched.model.network.outputs.iter();
    Ok(ports.filter_map(|port| values.get(port.node).cloned()).collect())
}

/// The values of the file for the inputs of a case, by their names in it.
///
/// # Errors
/// As [`outputs`].
pub fn values(file: &ForeignFile, case: &Case) -> Result<HashMap<String, Tensor>, Failure> {
    let mut left = MOST_MACS;
    let (matched, values) = run(file, case, &mut left)?;
    let named = matched
        .names
        .into_iter()
        .filter_map(|(name, node)| Some((name, values.get(node)?.clone())));
    Ok(named.collect())
}

/// The network of a file for the inputs of a case, and the value of each node.
fn run(file: &ForeignFile, case: &Case, left: &mut u64) -> Result<(Matched, Vec<Tensor>), Failure> {
    let dims = |tensor: &Tensor| tensor.dims.iter().map(|&dim| u64::from(dim)).collect();
    let sizes: Sizes =
        case.inputs.iter().map(|(name, tensor)| (name.clone(), dims(tensor))).collect();
    let matched = network(file, &sizes)?;
    let Model { network, .. } = &matched.model;
    let batch = case.inputs.first().and_then(|(_, tensor)| tensor.dims.first()).copied();
    let macs = network.cost().macs.saturating_mul(batch.unwrap_or(1).into());
    *left = left.checked_sub(macs).ok_or_else(|| {
        Failure::input(
            "it is too large for the definitions of its operators, which are direct loops",
        )
    })?;
    let inputs: Vec<Tensor> = case.inputs.iter().map(|(_, tensor)| tensor.clone()).collect();
    if inputs.iter().any(|input| input.floats().is_none()) {
        return Err(Failure::input("its inputs are no 32-bit floats"));
    }
    // A definition that does not find what it reads is a fault of ours, and no reason to end all.
    let values =
        catch_unwind(AssertUnwindSafe(|| nas_definitions::values(&matched.model, &inputs)));
    let values = values.map_err(|_| Failure::input("the definitions of its operators fail"))?;
    Ok((matched, values))
}

/// The network of a file whose inputs have these sizes.
///
/// # Errors
/// An operator is not ours.
pub fn network(file: &ForeignFile, sizes: &Sizes) -> Result<Matched, Failure> {
    let graph = file.graph()?;
    let inferred = infer(&graph, sizes).map_err(Failure::problem)?;
    matched(&graph, &inferred, &mut |name, outside| file.outside_bytes(name, outside))
        .map_err(Failure::problem)
}
