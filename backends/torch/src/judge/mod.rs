//! The metrics of a network over the batches of a split.

mod confusion;
mod errors;
mod mean;
mod multilabel;

use nas_ir::metric::TaskMetrics;
use nas_ir::{Metric, Task};
use nas_search::Metrics;
use tch::Tensor;

use crate::error::TorchError;
use crate::task::{DeviceTargets, summed_loss};
use confusion::Confusion;
use errors::Errors;
use multilabel::Labels;

/// What a network answered, against what is there.
pub(crate) struct Judge {
    declared: TaskMetrics,
    tally: Tally,
    loss: f64,
    labelled: f64,
}

/// What a recipe and its data say of judging.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judging {
    /// What ranks networks, where it is not what the task says.
    pub(crate) primary: Option<Metric>,
    /// The largest value that targets of a regression can have.
    pub(crate) peak: f64,
}

/// What of that is counted.
enum Tally {
    Classes(Confusion),
    Labels(Labels),
    Values(Errors),
}

impl Judge {
    /// Of nothing so far.
    pub(crate) fn new(task: Task, Judging { primary, peak }: Judging) -> Self {
        let declared = task.metrics().ranked_by(primary);
        let tally = match task {
            Task::Segmentation { .. } | Task::Classification { .. } => {
                Tally::Classes(Confusion::new(task))
            }
            Task::Multilabel { classes } => Tally::Labels(Labels::new(classes as usize)),
            Task::Regression { .. } => Tally::Values(Errors::new(peak)),
        };
        Self { declared, tally, loss: 0.0, labelled: 0.0 }
    }

    /// Adds a batch with what the network answers. Returns the mean loss of all so far.
    pub(crate) fn add(
        &mut self,
        answers: &Tensor,
        targets: &DeviceTargets,
    ) -> Result<f64, TorchError> {
        let (sum, labelled) = summed_loss(answers, targets)?;
        self.loss += sum.f_double_value(&[])?;
        self.labelled += labelled.f_double_value(&[])?;
        match &mut self.tally {
            Tally::Classes(confusion) => confusion.add(answers, targets)?,
            Tally::Labels(labels) => labels.add(answers, targets)?,
            Tally::Values(errors) => errors.add(answers, targets)?,
        }
        Ok(self.mean_loss())
    }

    /// What ranks networks.
    pub(crate) fn primary(&self) -> Metric {
        self.declared.primary
    }

    /// Whether there was a label or a value to compare with.
    pub(crate) fn is_labelled(&self) -> bool {
        self.labelled > 0.0
    }

    fn mean_loss(&self) -> f64 {
        self.loss / self.labelled.max(1.0)
    }

    /// The metrics of the task over all batches; `None` where the primary one is not defined on them.
    pub(crate) fn metrics(&self) -> Option<Metrics> {
        let loss = self.mean_loss();
        match &self.tally {
            Tally::Classes(confusion) => confusion.metrics(self.declared, loss),
            Tally::Labels(labels) => labels.metrics(self.declared, loss),
            Tally::Values(errors) => errors.metrics(self.declared, loss),
        }
    }

    /// The same, with how often each class was taken for each, where there are few.
    pub(crate) fn told(&self) -> Option<Metrics> {
        let metrics = self.metrics()?;
        Some(match &self.tally {
            Tally::Classes(confusion) => match confusion.matrix() {
                Some(matrix) => metrics.with_confusion(matrix),
                None => metrics,
            },
            Tally::Labels(_) | Tally::Values(_) => metrics,
        })
    }
}
