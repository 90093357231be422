//! A model against recorded results.

use nas_compiler::weights::Tensor;
use serde::{Deserialize, Serialize};

use crate::compare::{Agreement, Tolerance, compare};
use crate::error::TractError;
use crate::model::Model;

/// Inputs and what must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name in the report: `seed 7`.
    pub name: String,
    /// One tensor for each input of the model, in its order.
    pub inputs: Vec<Tensor>,
    /// One tensor for each output of the model, in its order.
    pub expected: Vec<Tensor>,
}

/// How a model did on recorded cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What ran it.
    pub engine: String,
    /// How far results were allowed to be apart.
    pub tolerance: Tolerance,
    /// The number that this means.
    pub bound: f64,
    /// Whether there were cases and all of them passed.
    pub passed: bool,
    /// The agreement of the output that is furthest off.
    pub worst: Option<Agreement>,
    /// The cases, in order.
    pub cases: Vec<CaseReport>,
}

/// How a model did on one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseReport {
    /// The name of the case.
    pub name: String,
    /// Whether all outputs are within the tolerance.
    pub passed: bool,
    /// The outputs, in the order of the model.
    pub outputs: Vec<OutputReport>,
}

/// One output of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputReport {
    /// Its name in the model.
    pub name: String,
    /// Its sizes, batch included.
    pub dims: Vec<u32>,
    /// Whether it is within the tolerance.
    pub passed: bool,
    /// How far it is from what was expected.
    pub agreement: Agreement,
}

/// Runs the bytes of an ONNX file on each case, one after the other, and compares.
///
/// # Errors
/// The model does not load, a case is not for this model, or tract fails. Results that are too far
/// off are no error: the report says so.
pub fn verify(
    model: &[u8],
    cases: impl IntoIterator<Item = Case>,
    tolerance: Tolerance,
) -> Result<Report, TractError> {
    let model = Model::load(model)?;
    let cases = cases
        .into_iter()
        .map(|case| run(&model, case, tolerance))
        .collect::<Result<Vec<_>, TractError>>()?;
    let agreements = cases.iter().flat_map(|case| &case.outputs).map(|output| output.agreement);
    let worst = agreements
        .max_by(|a, b| a.not_finite.cmp(&b.not_finite).then(a.max_rel.total_cmp(&b.max_rel)));
    Ok(Report {
        engine: "tract".to_owned(),
        tolerance,
        bound: tolerance.bound(),
        passed: !cases.is_empty() && cases.iter().all(|case| case.passed),
        worst,
        cases,
    })
}

fn run(model: &Model, case: Case, tolerance: Tolerance) -> Result<CaseReport, TractError> {
    let actual = model.run(&case.inputs)?;
    if actual.len() != case.expected.len() {
        return Err(TractError::Tensors {
            what: format!("the expected outputs of case `{}` are", case.name),
            found: format!("{} tensors", case.expected.len()),
            needed: actual.len().to_string(),
        });
    }
    let pairs = model.outputs().iter().zip(case.expected.iter().zip(&actual));
    let outputs = pairs
        .map(|(port, (expected, actual))| {
            let agreement = compare(expected, actual)?;
            Ok(OutputReport {
                name: port.name.clone(),
                dims: actual.dims.clone(),
                passed: tolerance.allows(&agreement),
                agreement,
            })
        })
        .collect::<Result<Vec<_>, TractError>>()?;
    let passed = outputs.iter().all(|output| output.passed);
    Ok(CaseReport { name: case.name, passed, outputs })
}
