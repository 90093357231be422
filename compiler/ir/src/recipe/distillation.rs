//! What a network learns from the answers of another one, its teacher, beside the targets (G. Hinton, O. Vinyals and
//! J. Dean, "Distilling the Knowledge in a Neural Network", 2015).

use serde::Serialize;

use super::schema::{Bounds, Field, Kind};
use super::settings::{NoSetting, Settings};

/// What a network learns from a teacher.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distillation {
    /// The ONNX file of the teacher, relative to the file of the recipe; `None` where the targets alone teach.
    pub teacher: Option<String>,
    /// By what the logits of both are divided.
    pub temperature: f64,
    /// Share of the loss that the teacher makes; the targets make the rest.
    pub weight: f64,
}

impl Distillation {
    /// What the settings of a section say.
    ///
    /// # Errors
    /// It lacks one.
    pub(super) fn of(settings: &Settings, section: &'static str) -> Result<Self, NoSetting> {
        Ok(Self {
            teacher: settings.text(section, TEACHER.name)?,
            temperature: settings.real(section, TEMPERATURE.name)?,
            weight: settings.real(section, WEIGHT.name)?,
        })
    }
}

/// Who teaches.
pub const TEACHER: Field = Field {
    name: "teacher",
    kind: Kind::Text { otherwise: "nobody", example: "teacher.onnx" },
    doc: "an ONNX file whose answers the network learns beside the targets, relative to the file of the recipe \
          (distillation, Hinton et al. 2015). It is given the images of a step as the network sees them, augmented and \
          normalised, one at a time, and answers with logits, or the values of a regression, in the shape of the network's",
};

/// How soft its answers are.
pub const TEMPERATURE: Field = Field {
    name: "temperature",
    kind: Kind::Real { bounds: Bounds::above(0.0, 1000.0), default: 4.0 },
    doc: "of classes and labels: by what the logits of the network and of its `teacher` are divided; their divergence is \
          multiplied by its square, so that its gradients keep their size",
};

/// How much its answers count.
pub const WEIGHT: Field = Field {
    name: "weight",
    kind: Kind::Real { bounds: Bounds::closed(0.0, 1.0), default: 0.9 },
    doc: "the share of the loss that compares the network with its `teacher`; the loss by the targets has the rest, and \
          with 1 they teach nothing",
};
