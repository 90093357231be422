//! The loss of a batch and the metrics of many, for a class per pixel and for a class per picture.

use std::ops::Range;

use nas_data::TargetKind;
use nas_ir::{ClassMetric, Metric, Task};
use nas_search::Metrics;
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

/// The label of pixels without a class, where pixels have classes.
pub(crate) fn ignored_label(task: Task) -> Option<u8> {
    u8::try_from(ignored(task)).ok()
}

/// What a data set for a task holds.
pub(crate) fn target_kind(task: Task) -> TargetKind {
    match task {
        Task::Segmentation { .. } => TargetKind::ClassMap,
        Task::Classification { .. } => TargetKind::Class,
    }
}

/// The targets of a batch on the device, and the task that says what they are: whole numbers
/// `[N, H, W]` for a segmentation, `[N]` for a classification.
pub(crate) struct DeviceTargets {
    pub(crate) values: Tensor,
    pub(crate) task: Task,
}

/// Cross-entropy for logits `[N, classes, H, W]` or `[N, classes]`, without ignored labels: the sum
/// over the labels, and their number.
fn cross_entropy(logits: &Tensor, targets: &DeviceTargets) -> Result<(Tensor, Tensor), TorchError> {
    let (labels, ignore) = (&targets.values, ignored(targets.task));
    let none = None::<&Tensor>;
    let sum = logits.f_cross_entropy_loss(labels, none, Reduction::Sum, ignore, 0.0)?;
    let labelled = labels.f_ne(ignore)?.f_sum(Kind::Float)?;
    Ok((sum, labelled))
}

/// The loss of a batch: the mean of the cross-entropy over the labels that are not ignored; 0 where
/// there is none.
pub(crate) fn mean_loss(logits: &Tensor, targets: &DeviceTargets) -> Result<Tensor, TorchError> {
    match targets.task {
        Task::Segmentation { .. } | Task::Classification { .. } => {
            let (sum, labelled) = cross_entropy(logits, targets)?;
            Ok(sum.f_div(&labelled.f_clamp_min(1)?)?)
        }
    }
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
    pub(crate) fn add(
        &mut self,
        logits: &Tensor,
        targets: &DeviceTargets,
    ) -> Result<f64, TorchError> {
        let (sum, labelled) = cross_entropy(logits, targets)?;
        self.loss += sum.f_double_value(&[])?;
        self.labelled += labelled.f_double_value(&[])?;
        let classes = classes(self.task) as i64;
        let labels = &targets.values;
        let cell = labels.f_mul_scalar(classes)?.f_add(&logits.f_argmax(1, false)?)?;
        let cells = cell.f_masked_select(&labels.f_ne(ignored(targets.task))?)?;
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

    /// Whether there was a label to compare with.
    pub(crate) fn is_labelled(&self) -> bool {
        self.labelled > 0.0
    }

    /// The metrics of the task over all batches.
    pub(crate) fn metrics(&self) -> Metrics {
        let value = |metric| match metric {
            Metric::Miou => self.miou(),
            Metric::Accuracy => self.accuracy(),
            Metric::Loss => self.loss / self.labelled.max(1.0),
        };
        let by_class = |metric| match metric {
            ClassMetric::Iou => self.class_iou(),
        };
        Metrics::new(self.task.metrics(), value, by_class)
    }

    fn classes(&self) -> Range<usize> {
        0..classes(self.task)
    }

    /// The share of the labels that are predicted.
    fn accuracy(&self) -> f64 {
        let right: u64 = self.classes().map(|class| self.count(class, class)).sum();
        right as f64 / self.counts.iter().sum::<u64>().max(1) as f64
    }

    /// The mean over the classes that occur among the labels or the predictions.
    fn miou(&self) -> f64 {
        let present: Vec<f64> = self.class_iou().into_iter().flatten().collect();
        present.iter().sum::<f64>() / present.len().max(1) as f64
    }

    fn class_iou(&self) -> Vec<Option<f64>> {
        self.classes().map(|class| self.iou(class)).collect()
    }

    /// Intersection over union of the pixels of a class; `None` where there are none.
    fn iou(&self, class: usize) -> Option<f64> {
        let labelled: u64 = self.classes().map(|other| self.count(class, other)).sum();
        let predicted: u64 = self.classes().map(|other| self.count(other, class)).sum();
        let common = self.count(class, class);
        let union = labelled + predicted - common;
        (union > 0).then(|| common as f64 / union as f64)
    }
}
