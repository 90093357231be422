//! How an ONNX file did against what was expected of it.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use miette::Diagnostic;
use nas_tract::{Report, Tolerance};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::render::report::Failure;

/// How many times the bound an output should move with its input.
const MOVES: f64 = 10.0;
/// How far a nudge must move outputs for the weights to amplify it: thirty times as far as itself.
const ILL: f64 = 3e-5;
/// How many times what a nudge moves engines may differ by for no other reason: they round at each layer.
const AMPLIFIED: f64 = 10.0;

/// By how much an input is moved to see what becomes of rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nudge {
    /// Each number by a millionth of itself: what floats of 32 bits round.
    #[default]
    Millionth,
    /// One number of a thousand by a step of its grid, as engines that compute with integers differ here and there.
    Step,
}

impl Nudge {
    fn told(self) -> &'static str {
        match self {
            Self::Millionth => "its input changes by a millionth",
            Self::Step => "one of a thousand numbers of its input changes by a step",
        }
    }

    /// How far outputs must move for the weights to amplify it, where a bound is allowed.
    fn least(self, bound: f64) -> f64 {
        match self {
            Self::Millionth => ILL,
            Self::Step => bound,
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// What the outputs were compared with: the name of a [`Reference`](super::reference::Reference), or tract itself where
    /// there was none.
    pub reference: String,
    /// The report.
    #[serde(flatten)]
    pub report: Report,
    /// How far outputs move where their input is another one, of the largest value: of the output that
    /// moves least. Agreement proves little where this is not far above the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<f64>,
    /// How far those of the reference move if the input is nudged, where engines differ by more than the bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nudged: Option<f64>,
    /// How it is nudged.
    #[serde(skip)]
    pub nudge: Nudge,
    /// The height and width of the pictures that it was compared on, where those are smaller than the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<[u32; 2]>,
}

/// Outputs that are too far from the reference, as are its own on all but the same input.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{file} was not written: with these weights the network is ill-conditioned: {engine} and {reference} differ \
     by {found:.1e} of the largest value, and {reference} alone by {moved:.1e} if {nudge}"
)]
#[diagnostic(code(nas::verify::ill_conditioned), help("{help}"))]
pub struct IllConditioned {
    /// The ONNX file.
    pub file: String,
    /// What ran it.
    pub engine: String,
    /// What it was compared with.
    pub reference: String,
    /// How far they are apart.
    pub found: f64,
    /// How far the reference moves.
    pub moved: f64,
    /// What it moves by.
    pub nudge: &'static str,
    /// What would help.
    pub help: String,
}

/// Outputs that are too far from the reference.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} was not written: {engine} does not answer as {reference} does:{outputs}")]
#[diagnostic(code(nas::verify::differs), help("{help}"))]
pub struct Differs {
    /// The ONNX file.
    pub file: String,
    /// What ran it.
    pub engine: String,
    /// What it was compared with.
    pub reference: String,
    /// The outputs that are too far off, a line each.
    pub outputs: String,
    /// What would help.
    pub help: String,
}

/// Reads the name of a tolerance.
#[must_use]
pub fn tolerance_parser() -> impl TypedValueParser<Value = Tolerance> {
    let names = PossibleValuesParser::new(Tolerance::ALL.map(Tolerance::name));
    names.map(|name| {
        let named = Tolerance::ALL.into_iter().find(|tolerance| tolerance.name() == name);
        named.unwrap_or(Tolerance::Export)
    })
}

impl Verification {
    /// What came of comparing with this.
    #[must_use]
    pub fn new(reference: String, report: Report) -> Self {
        Self { reference, report, moved: None, nudged: None, nudge: Nudge::default(), at: None }
    }

    /// One line for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let Report { engine, passed, bound, tolerance, worst, cases, .. } = &self.report;
        let verdict = if *passed { "passed" } else { "FAILED" };
        let Some(worst) = worst else { return format!("{verdict}: there is nothing to compare") };
        let not_finite = match worst.not_finite {
            0 => String::new(),
            n => format!(", {n} values not finite"),
        };
        let against = if self.reference == *engine {
            format!("{engine} alone (not compared with libtorch)")
        } else {
            format!("{engine} against {}", self.reference)
        };
        let at = self.at.map_or_else(String::new, |[height, width]| {
            format!(" of {height} x {width}, for which the file differs in sizes alone")
        });
        format!(
            "{verdict}: {against} on {} inputs{at}: max abs {:.2e}, max rel {:.2e} (bound {bound:e}, {}), arg-max agreement {:.4} %{not_finite}",
            cases.len(),
            worst.max_abs,
            worst.max_rel,
            tolerance.name(),
            worst.argmax_agreement * 100.0,
        )
    }

    /// Each output that is too far off, on a line of its own.
    #[must_use]
    pub fn failures(&self) -> String {
        let Report { tolerance, bound, cases, .. } = &self.report;
        let mut lines = String::new();
        for case in cases {
            for output in case.outputs.iter().filter(|output| !output.passed) {
                let (name, far) = (&output.name, &output.agreement);
                let off = match far.not_finite {
                    0 => format!(
                        "differs by {:.2e}, {:.2e} of its largest value; `{}` allows {bound:e}",
                        far.max_abs,
                        far.max_rel,
                        tolerance.name()
                    ),
                    n => format!("has {n} values that are not finite"),
                };
                lines += &format!("\n  output `{name}` on the input of {}: {off}", case.name);
            }
        }
        lines
    }

    /// What agreement does not prove, where the outputs hardly depend on the input.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let moved = self.moved.filter(|&moved| moved <= MOVES * self.report.bound)?;
        Some(format!(
            "warning: another input changes an output by no more than {moved:.1e} of its largest value, so that \
             the comparison proves little"
        ))
    }

    /// Why a file was not written; `remedy` is what helps where the weights amplify what differs.
    #[must_use]
    pub fn failure(&self, file: &str, help: &str, remedy: &str) -> Failure {
        let found = self.report.worst.map_or(0.0, |worst| worst.max_rel);
        let is_finite = self.report.worst.is_some_and(|worst| worst.not_finite == 0);
        let least = self.nudge.least(self.report.bound);
        if let Some(moved) =
            self.nudged.filter(|&moved| is_finite && moved >= least.max(found / AMPLIFIED))
        {
            return Failure::problem(IllConditioned {
                file: file.to_owned(),
                engine: self.report.engine.clone(),
                reference: self.reference.clone(),
                found,
                moved,
                nudge: self.nudge.told(),
                help: remedy.to_owned(),
            });
        }
        Failure::problem(Differs {
            file: file.to_owned(),
            engine: self.report.engine.clone(),
            reference: self.reference.clone(),
            outputs: self.failures(),
            help: help.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use nas_tract::Agreement;

    use super::*;

    #[test]
    fn outputs_that_hardly_move_are_doubted() {
        let report = Report::new(Tolerance::Export, Vec::new());
        let moved = |moved| {
            let report = report.clone();
            Verification { moved, ..Verification::new(String::new(), report) }.doubt()
        };
        assert!(moved(Some(2.9e-3)).unwrap().contains("proves little"));
        assert_eq!([moved(Some(3.1e-3)), moved(None)], [None, None]);
    }

    /// A step here and there is no fault where the reference moves as far by it as engines are apart; by less than is allowed it
    /// explains nothing.
    #[test]
    fn networks_of_integers_that_amplify_a_step_are_told_from_faults() {
        let far = Agreement {
            max_abs: 0.3,
            max_rel: 0.3,
            not_finite: 0,
            argmax_agreement: 1.0,
            positions: 1,
        };
        let report = Report {
            passed: false,
            worst: Some(far),
            ..Report::new(Tolerance::Coarse, Vec::new())
        };
        let told = |nudge, nudged| {
            let verification = Verification::new("libtorch".to_owned(), report.clone());
            let verification = Verification { nudge, nudged: Some(nudged), ..verification };
            verification.failure("net.onnx", "it is a fault", "it is none").summary()
        };
        let text = told(Nudge::Step, 0.2);
        assert!(
            text.contains("2.0e-1 if one of a thousand numbers of its input changes by a step"),
            "{text}"
        );
        assert!(told(Nudge::Step, 0.04).contains("does not answer as libtorch does"));
        assert!(told(Nudge::Millionth, 0.04).contains("changes by a millionth"));
    }
}
