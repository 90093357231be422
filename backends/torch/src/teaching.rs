//! Learning from a teacher beside the targets: distillation (Hinton, Vinyals and Dean 2015).

use std::rc::Rc;

use nas_ir::recipe::Distillation;
use nas_search::Fault;
use nas_search::teacher::Teacher;
use tch::Tensor;

use crate::error::TorchError;
use crate::layout::{of_plain, plain};
use crate::portion::Portion;
use crate::task::{DeviceTargets, taught_loss};
use crate::training_loss::{Blend, blended};

/// A teacher, and how much a network learns from it.
#[derive(Clone)]
pub(crate) struct Teaching {
    teacher: Rc<dyn Teacher>,
    temperature: f64,
    weight: f64,
}

impl Teaching {
    /// As a recipe says.
    pub(crate) fn new(teacher: Rc<dyn Teacher>, distillation: &Distillation) -> Self {
        let &Distillation { temperature, weight, .. } = distillation;
        Self { teacher, temperature, weight }
    }

    /// What there is to learn from the images `[N, C, H, W]` of a step.
    ///
    /// # Errors
    /// The teacher cannot be evaluated.
    pub(crate) fn of(&self, images: &[Tensor]) -> Result<Taught, TorchError> {
        let Self { teacher, temperature, weight } = self;
        let images = images.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
        let failed = |fault: Fault| TorchError::Teacher { reason: fault.to_string() };
        let answers = teacher.answers(&images).map_err(failed)?;
        let answers = of_plain(&answers)?;
        Ok(Taught { answers, temperature: *temperature, weight: *weight })
    }
}

/// What a teacher answered for the images of a step, and how much a network learns from it.
pub(crate) struct Taught {
    answers: Tensor,
    temperature: f64,
    weight: f64,
}

impl Taught {
    /// The same of some of the images.
    pub(crate) fn of_images(&self, images: Portion) -> Result<Self, TorchError> {
        Ok(Self { answers: images.of(&self.answers)?, ..*self })
    }

    /// The loss of what a network answers for the images of a batch: `weight` times how far that is from the teacher, and
    /// `1 - weight` times the loss by the targets, which with the weight 1 is not computed.
    ///
    /// # Errors
    /// The teacher answered in another shape.
    pub(crate) fn loss(
        &self,
        answers: &Tensor,
        targets: &DeviceTargets,
        blend: Option<&Blend>,
        by_targets: impl FnOnce() -> Result<Tensor, TorchError>,
    ) -> Result<Tensor, TorchError> {
        let Self { answers: teacher, temperature, weight } = self;
        if answers.size() != teacher.size() {
            let (own, other) = (answers.size(), teacher.size());
            return Err(TorchError::broken(format!("a teacher of {other:?} for {own:?}")));
        }
        let teacher = teacher.f_to_device(answers.device())?;
        let of_teacher = blended(targets, blend, |targets| {
            taught_loss(answers, &teacher, *temperature, targets)
        })?;
        if *weight >= 1.0 {
            return Ok(of_teacher);
        }
        Ok(by_targets()?.f_lerp(&of_teacher, *weight)?)
    }
}
