//! The loss of a batch and the score of many, for a class a pixel and for a class a picture.

use nas_ir::Task;
use nas_search::evaluator::Score;
use tch::{Kind, Reduction, Tensor};

use crate::error::TorchError;

/// Number of classes.
pub(crate) fn classes(task: Task) -> usize {
    match task {
        Task::Segmentation { classes, .. } | Task::Classification { classes } => classes as usize,
    }
}

/// The label that neither loss nor metric sees; of pictures, as in PyTorch, one that none has.
pub(crate) fn ignored(task: Task) -> i64 {
    match task {
        Task::Segmentation { ignore, .. } => i64::from(ignore),
        Task::Classification { .. } => -100,
    }
}

/// The labels of a batch on the device.
pub(crate) struct Labels {
    /// Whole numbers: `[N, H, W]` for a segmentation, `[N]` for a classification.
    pub(crate) classes: Tensor,
    /// The label that neither loss nor metric sees.
    pub(crate) ignore: i64,
}

/// Cross-entropy for logits `[N, classes, H, W]` or `[N, classes]`, without ignored labels: the sum
/// over the labels, and their number.
fn cross_entropy(logits: &Tensor, labels: &Labels) -> Result<(Tensor, Tensor), TorchError> {
    let Labels { classes, ignore } = labels;
    let none = None::<&Tensor>;
    let sum = logits.f_cross_entropy_loss(classes, none, Reduction::Sum, *ignore, 0.0)?;
    let labelled = classes.f_ne(*ignore)?.f_sum(Kind::Float)?;
    Ok((sum, labelled))
}

/// The mean of the cross-entropy over the labels that are not ignored; 0 where there is none.
pub(crate) fn mean_loss(logits: &Tensor, labels: &Labels) -> Result<Tensor, TorchError> {
    let (sum, labelled) = cross_entropy(logits, labels)?;
    Ok(sum.f_div(&labelled.f_clamp_min(1)?)?)
}

/// What a network predicted, label by label, against what is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    task: Task,
    /// `[label][prediction]`, row-major.
    counts: Vec<u64>,
    loss: f64,
    labelled: f64,
}

impl Confusion {
    pub(crate) fn new(task: Task) -> Self {
        let classes = classes(task);
        Self { task, counts: vec![0; classes * classes], loss: 0.0, labelled: 0.0 }
    }

    /// Adds a batch with its logits, `[N, classes, H, W]` or `[N, classes]`. Returns the mean loss of all so far.
    pub(crate) fn add(&mut self, logits: &Tensor, labels: &Labels) -> Result<f64, TorchError> {
        let (sum, labelled) = cross_entropy(logits, labels)?;
        self.loss += sum.f_double_value(&[])?;
        self.labelled += labelled.f_double_value(&[])?;
        let classes = classes(self.task) as i64;
        let Labels { classes: found, ignore } = labels;
        let cell = found.f_mul_scalar(classes)?.f_add(&logits.f_argmax(1, false)?)?;
        let cells = cell.f_masked_select(&found.f_ne(*ignore)?)?;
        let found = cells.f_bincount(None::<&Tensor>, classes * classes)?;
        let mut counts = vec![0_i64; self.counts.len()];
        found.f_to_device(tch::Device::Cpu)?.f_copy_data(&mut counts, self.counts.len())?;
        for (count, found) in self.counts.iter_mut().zip(counts) {
            *count += u64::try_from(found).unwrap_or_default();
        }
        Ok(self.loss / self.labelled.max(1.0))
    }

    fn count(&self, label: usize, prediction: usize) -> u64 {
        let row = label * classes(self.task);
        self.counts.get(row + prediction).copied().unwrap_or_default()
    }

    /// The score over all batches. In a segmentation, a class counts in the mean if it occurs among
    /// the labels or the predictions. A picture has no regions to intersect: a classification is
    /// ranked by its accuracy.
    pub(crate) fn score(&self) -> Score {
        let all = 0..classes(self.task);
        let right: u64 = all.clone().map(|class| self.count(class, class)).sum();
        let accuracy = right as f64 / self.counts.iter().sum::<u64>().max(1) as f64;
        let loss = self.loss / self.labelled.max(1.0);
        match self.task {
            Task::Classification { .. } => {
                Score { miou: accuracy, accuracy, loss, class_iou: Vec::new() }
            }
            Task::Segmentation { .. } => {
                let class_iou: Vec<Option<f64>> = all.map(|class| self.iou(class)).collect();
                let present: Vec<f64> = class_iou.iter().copied().flatten().collect();
                let miou = present.iter().sum::<f64>() / present.len().max(1) as f64;
                Score { miou, accuracy, loss, class_iou }
            }
        }
    }

    /// Intersection over union of the pixels of a class; `None` where there are none.
    fn iou(&self, class: usize) -> Option<f64> {
        let all = 0..classes(self.task);
        let labelled: u64 = all.clone().map(|other| self.count(class, other)).sum();
        let predicted: u64 = all.map(|other| self.count(other, class)).sum();
        let common = self.count(class, class);
        let union = labelled + predicted - common;
        (union > 0).then(|| common as f64 / union as f64)
    }
}
