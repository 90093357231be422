//! What came of comparing a model's outputs with others.

use std::cmp::Ordering;

use nas_ir::Tensor;
use serde::{Deserialize, Serialize};

use crate::compare::{Agreement, Tolerance, compare};
use crate::error::TractError;
use crate::version::VERSION;

/// How a model did on all cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What ran it: `tract` and its version.
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
    /// The name of the case: `seed 7`.
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

impl Report {
    /// The report of cases that tract ran and that were judged by one tolerance.
    #[must_use]
    pub fn new(tolerance: Tolerance, cases: Vec<CaseReport>) -> Self {
        Self::of_engine(format!("tract {VERSION}"), tolerance, cases)
    }

    /// The same of what another engine ran.
    #[must_use]
    pub fn of_engine(engine: String, tolerance: Tolerance, cases: Vec<CaseReport>) -> Self {
        let mut report = Self {
            engine,
            tolerance,
            bound: tolerance.bound(),
            passed: !cases.is_empty() && cases.iter().all(|case| case.passed),
            worst: None,
            cases,
        };
        report.worst = report.worst_output().map(|(_, output)| output.agreement);
        report
    }

    /// The output that is furthest off, and its case.
    #[must_use]
    pub fn worst_output(&self) -> Option<(&CaseReport, &OutputReport)> {
        let outputs = self
            .cases
            .iter()
            .flat_map(|case| case.outputs.iter().map(move |output| (case, output)));
        outputs.max_by(|(_, a), (_, b)| further(&a.agreement, &b.agreement))
    }
}

/// Orders by values that are not finite, then by distance.
fn further(a: &Agreement, b: &Agreement) -> Ordering {
    a.not_finite.cmp(&b.not_finite).then(a.max_rel.total_cmp(&b.max_rel))
}

impl CaseReport {
    /// Compares the outputs of a model with those that were expected, one for each of its ports, by their names.
    ///
    /// # Errors
    /// They are not as many as the ports, or have other sizes.
    pub fn new(
        name: String,
        ports: &[String],
        expected: &[Tensor],
        actual: &[Tensor],
        tolerance: Tolerance,
    ) -> Result<Self, TractError> {
        if let Some(tensors) =
            [expected, actual].iter().find(|tensors| tensors.len() != ports.len())
        {
            return Err(TractError::Tensors {
                what: format!("the outputs of case `{name}` are"),
                found: format!("{} tensors", tensors.len()),
                needed: ports.len().to_string(),
            });
        }
        let pairs = ports.iter().zip(expected.iter().zip(actual));
        let outputs = pairs
            .map(|(port, (expected, actual))| {
                let agreement = compare(expected, actual)?;
                Ok(OutputReport {
                    name: port.clone(),
                    dims: actual.dims.clone(),
                    passed: tolerance.allows(&agreement),
                    agreement,
                })
            })
            .collect::<Result<Vec<_>, TractError>>()?;
        let passed = outputs.iter().all(|output| output.passed);
        Ok(Self { name, passed, outputs })
    }
}
