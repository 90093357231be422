//! What came of a file.

use serde::Serialize;

use crate::services::verification::Verification;

/// What came of a file.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Outcome {
    /// It was compared with something.
    Compared(Box<Verification>),
    /// It was run, and there was nothing to compare with.
    Tried(Tried),
    /// The file or its record cannot be read.
    Unread { passed: bool, error: String },
}

impl Outcome {
    pub(super) fn passed(&self) -> bool {
        match self {
            Self::Compared(it) => it.report.passed,
            Self::Tried(it) => it.passed,
            Self::Unread { passed, .. } => *passed,
        }
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Compared(it) => format!("{}{}", it.summary(), it.failures()),
            Self::Tried(it) => it.summary(),
            Self::Unread { error, .. } => error.clone(),
        }
    }
}

/// A model that was run, and compared with nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tried {
    /// What ran it.
    pub(super) engine: String,
    /// Whether all that it answers are numbers, of the sizes that follow from its operators.
    pub(super) passed: bool,
    /// The inputs, with the sizes that the file states.
    pub(super) inputs: Vec<String>,
    /// What was answered in each case.
    pub(super) cases: Vec<TriedCase>,
    /// Why it was compared with nothing else.
    pub(super) note: String,
}

/// What a model answered in a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TriedCase {
    /// What the case is called.
    pub(super) name: String,
    /// The outputs.
    pub(super) outputs: Vec<TriedOutput>,
}

/// An output of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TriedOutput {
    pub(super) name: String,
    pub(super) dims: Vec<u32>,
    /// Elements that are no numbers.
    pub(super) not_finite: usize,
    /// The sizes that follow from the operators, where those are other ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) needed: Option<Vec<u64>>,
}

impl Tried {
    /// For people.
    pub(super) fn summary(&self) -> String {
        let verdict = if self.passed { "runs" } else { "FAILED" };
        let mut text = format!("{verdict}: {} on {}", self.engine, self.inputs.join(", "));
        for TriedCase { name, outputs } in &self.cases {
            let outputs: Vec<String> = outputs.iter().map(TriedOutput::in_words).collect();
            text += &format!("\n  {name}: {}", outputs.join(", "));
        }
        text + &format!("\n  {}", self.note)
    }
}

impl TriedOutput {
    pub(super) fn passed(&self) -> bool {
        self.not_finite == 0 && self.needed.is_none()
    }

    fn in_words(&self) -> String {
        let mut text = format!("{} {:?}", self.name, self.dims);
        if let Some(needed) = &self.needed {
            text += &format!(", which should be {needed:?}");
        }
        if self.not_finite > 0 {
            text += &format!(", {} values not finite", self.not_finite);
        }
        text
    }
}
