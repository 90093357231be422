//! What a batch in training comes to: outputs, and their loss.

use tch::{Tensor, no_grad};

use crate::answer::Answer;
use crate::error::{Phase, TorchError};
use crate::evaluation::Evaluation;
use crate::kernel::Noise;
use crate::mixing::along;
use crate::passes::TrainBatch;
use crate::portion::Portion;
use crate::random::Moment;
use crate::statistics::Statistics;
use crate::task::{DeviceTargets, taught_loss};

/// What a batch in training came to.
pub(crate) struct Learned {
    /// The loss of the first output, and that of each train output of the schedule times its weight.
    pub(crate) loss: Tensor,
    /// The first output.
    pub(crate) logits: Answer,
    /// What is made small in its place, where that is something else.
    lesson: Option<Tensor>,
    phase: Phase,
}

impl Learned {
    /// The loss as a number. A GPU is waited for, so that it is asked for when the step is made.
    ///
    /// # Errors
    /// It is not finite.
    pub(crate) fn value(&self, batch: &TrainBatch<'_>) -> Result<f64, TorchError> {
        let value = self.loss.f_double_value(&[])?;
        if value.is_finite() {
            return Ok(value);
        }
        let TrainBatch { epoch, step, .. } = *batch;
        Err(TorchError::NotFinite { phase: self.phase, epoch, step, loss: value, node: None })
    }

    /// The same, to learn what another network answers for the batch.
    pub(crate) fn taught_by(
        self,
        teacher: &Tensor,
        batch: &TrainBatch<'_>,
    ) -> Result<Self, TorchError> {
        let lesson = taught_loss(&self.logits.tensor()?, teacher, 1.0, batch.targets)?;
        Ok(Self { lesson: Some(lesson), ..self })
    }

    /// The same without all that the loss was computed from.
    pub(crate) fn told(self) -> Result<Self, TorchError> {
        let (loss, logits) = (self.loss.f_detach()?, self.logits.detached()?);
        Ok(Self { loss, logits, lesson: None, ..self })
    }
}

/// What the parts of a batch came to, each with its share of the images.
pub(crate) struct LearnedParts(Vec<(f64, Learned)>);

impl LearnedParts {
    /// The loss of the batch as a number, as [`Learned::value`] says it.
    ///
    /// # Errors
    /// It is not finite.
    pub(crate) fn value(&self, batch: &TrainBatch<'_>) -> Result<f64, TorchError> {
        let values = self.0.iter().map(|(share, learned)| Ok(share * learned.value(batch)?));
        values.sum()
    }
}

/// Learns from a batch in so many parts, so that what one of them keeps for its gradient is gone before the next one is evaluated:
/// `learn` evaluates one, of what no other part's gradient goes through, and `descend` takes its loss times its share of the images.
pub(crate) fn in_parts(
    batch: &TrainBatch<'_>,
    parts: usize,
    mut learn: impl FnMut(&TrainBatch<'_>, Portion) -> Result<Learned, TorchError>,
    mut descend: impl FnMut(&Tensor) -> Result<(), TorchError>,
) -> Result<LearnedParts, TorchError> {
    let mut all = Vec::new();
    batch.in_parts(parts, |part, portion| {
        let learned = learn(part, portion)?;
        let loss = learned.lesson.as_ref().unwrap_or(&learned.loss);
        if portion.is_all() {
            descend(loss)?;
        } else {
            descend(&loss.f_mul_scalar(portion.share())?)?;
        }
        all.push((portion.share(), learned.told()?));
        Ok(())
    })?;
    Ok(LearnedParts(all))
}

/// Evaluates a batch in training: the outputs are the sum of those of some evaluations, at least one, each with its weight
/// `[N]`.
///
/// # Errors
/// The loss is not finite: then the batch is evaluated once more to find where that begins. On a GPU that shows only when
/// [`Learned::value`] is asked for.
pub(crate) fn learned(
    evaluations: &[(Option<&Tensor>, Evaluation<'_>)],
    batch: &TrainBatch<'_>,
    phase: Phase,
) -> Result<Learned, TorchError> {
    let choices = matches!(phase, Phase::Choices);
    let moment = Moment { choices, epoch: batch.epoch, step: batch.draws };
    let noise = Some(Noise { seed: batch.seed, moment, drop_path: batch.drop_path });
    let no_outputs = || TorchError::broken("a network without outputs");
    let mut answers: Option<Vec<Answer>> = None;
    for (weight, evaluation) in evaluations {
        let mut own = Evaluation { noise, ..*evaluation }.learn(batch.inputs)?;
        if let Some(weight) = weight {
            own = own.iter().map(|answer| weighed(answer, weight)).collect::<Result<_, _>>()?;
        }
        answers = Some(match answers {
            None => own,
            Some(sums) => {
                let added = sums.iter().zip(&own).map(|(sum, own)| added(sum, own));
                added.collect::<Result<_, _>>()?
            }
        });
    }
    let answers = answers.unwrap_or_default();
    let (_, evaluation) = evaluations.first().ok_or_else(no_outputs)?;
    let mut losses = evaluation.schedule.outputs.iter().zip(&answers).map(|(output, answer)| {
        fits(answer, batch.targets, evaluation.program.node(output.value)?)?;
        batch.loss_of(answer)
    });
    let mut loss = losses.next().ok_or_else(no_outputs)??;
    for (auxiliary, output) in losses.zip(&evaluation.program.train_outputs) {
        loss = loss.f_add(&auxiliary?.f_mul_scalar(output.weight)?)?;
    }
    let logits = answers.into_iter().next().ok_or_else(no_outputs)?;
    let learned = Learned { loss, logits, lesson: None, phase };
    if learned.loss.device().is_cuda() {
        return Ok(learned);
    }
    let Err(fault) = learned.value(batch) else { return Ok(learned) };
    let found = evaluations.iter().find_map(|(_, evaluation)| {
        let again = Evaluation { statistics: Statistics::Batch, noise, ..*evaluation };
        no_grad(|| again.inspect(batch.inputs))
    });
    Err(fault.beginning_at(found))
}

/// An answer times a weight `[N]`.
fn weighed(answer: &Answer, weight: &Tensor) -> Result<Answer, TorchError> {
    let tensor = answer.tensor()?;
    Ok(Answer::Tensor(tensor.f_mul(&along(weight, &tensor)?)?))
}

fn added(a: &Answer, b: &Answer) -> Result<Answer, TorchError> {
    Ok(Answer::Tensor(a.tensor()?.f_add(&b.tensor()?)?))
}

/// Refuses answers for pixels that are not those of the targets.
fn fits(answer: &Answer, targets: &DeviceTargets, node: &str) -> Result<(), TorchError> {
    let wanted = targets.values.size();
    match (answer.plane(), wanted.as_slice()) {
        (Some([h, w]), &[_, height, width] | &[_, _, height, width])
            if [h, w] != [height, width] =>
        {
            let (node, reason) = (node.to_owned(), format!("its result is {h} x {w}"));
            Err(TorchError::CropMisfit { height, width, node, reason })
        }
        _ => Ok(()),
    }
}
