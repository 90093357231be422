//! One class for each pixel or picture: how often each was taken for each.

use std::ops::Range;

use nas_ir::metric::TaskMetrics;
use nas_ir::{ClassMetric, Metric, Task};
use nas_search::Metrics;
use tch::{Device, Kind, Tensor};

use super::mean::mean;
use crate::error::TorchError;
use crate::task::{DeviceTargets, classes, ignored};

/// The most classes of which the whole matrix is told.
const TOLD: usize = 64;
/// How many of the highest logits [`Metric::Top5`] looks at.
const FIRST: i64 = 5;

/// What a network predicted, label by label, against what is there.
pub(super) struct Confusion {
    task: Task,
    /// `[label][prediction]`, row-major.
    counts: Vec<u64>,
    /// Labels that are among the first five.
    among_first: u64,
}

impl Confusion {
    pub(super) fn new(task: Task) -> Self {
        let classes = classes(task);
        Self { task, counts: vec![0; classes * classes], among_first: 0 }
    }

    /// Adds a batch with its logits, `[N, classes, H, W]` or `[N, classes]`.
    pub(super) fn add(
        &mut self,
        logits: &Tensor,
        targets: &DeviceTargets,
    ) -> Result<(), TorchError> {
        let classes = classes(self.task) as i64;
        let labels = &targets.values;
        let is_labelled = labels.f_ne(ignored(self.task))?;
        let cell = labels.f_mul_scalar(classes)?.f_add(&logits.f_argmax(1, false)?)?;
        let cells = cell.f_masked_select(&is_labelled)?;
        let found = cells.f_bincount(None::<&Tensor>, classes * classes)?;
        let mut counts = vec![0_i64; self.counts.len()];
        found.f_to_device(Device::Cpu)?.f_copy_data(&mut counts, self.counts.len())?;
        for (count, found) in self.counts.iter_mut().zip(counts) {
            *count += u64::try_from(found).unwrap_or_default();
        }
        if matches!(self.task, Task::Classification { .. }) && classes > FIRST {
            let (_, first) = logits.f_topk(FIRST, 1, true, false)?;
            let among = first.f_eq_tensor(&labels.f_unsqueeze(1)?)?;
            let among = among.f_sum(Kind::Int64)?.f_int64_value(&[])?;
            self.among_first += u64::try_from(among).unwrap_or_default();
        }
        Ok(())
    }

    pub(super) fn metrics(&self, declared: TaskMetrics, loss: f64) -> Option<Metrics> {
        let value = |metric| match metric {
            Metric::Miou => Some(mean(self.by_class(Self::iou)).unwrap_or_default()),
            Metric::Accuracy => Some(self.accuracy()),
            Metric::Top5 => Some(self.among_first as f64 / self.labels().max(1) as f64),
            Metric::F1 => mean(self.by_class(Self::f1)),
            Metric::Loss => Some(loss),
            Metric::MicroF1
            | Metric::Auroc
            | Metric::MeanAp
            | Metric::Mae
            | Metric::Rmse
            | Metric::Psnr => None,
        };
        let by_class = |metric| match metric {
            ClassMetric::Iou => self.by_class(Self::iou),
            ClassMetric::F1 => self.by_class(Self::f1),
            ClassMetric::Auroc | ClassMetric::Ap => Vec::new(),
        };
        Metrics::new(declared, value, by_class)
    }

    /// `[label][prediction]`, where there are not too many classes.
    pub(super) fn matrix(&self) -> Option<Vec<Vec<u64>>> {
        let classes = classes(self.task);
        (classes <= TOLD).then(|| self.counts.chunks(classes).map(<[u64]>::to_vec).collect())
    }

    fn count(&self, label: usize, prediction: usize) -> u64 {
        let row = label * classes(self.task);
        self.counts.get(row + prediction).copied().unwrap_or_default()
    }

    fn classes(&self) -> Range<usize> {
        0..classes(self.task)
    }

    fn labels(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of the labels that are predicted.
    fn accuracy(&self) -> f64 {
        let right: u64 = self.classes().map(|class| self.count(class, class)).sum();
        right as f64 / self.labels().max(1) as f64
    }

    /// A figure of each class; `None` where the class occurs neither among labels nor among predictions.
    fn by_class(&self, figure: fn(Overlap) -> f64) -> Vec<Option<f64>> {
        let of = |class| {
            let overlap = Overlap {
                labelled: self.classes().map(|other| self.count(class, other)).sum(),
                predicted: self.classes().map(|other| self.count(other, class)).sum(),
                common: self.count(class, class),
            };
            (overlap.labelled + overlap.predicted > 0).then(|| figure(overlap))
        };
        self.classes().map(of).collect()
    }

    /// Intersection over union of the pixels of a class.
    fn iou(Overlap { labelled, predicted, common }: Overlap) -> f64 {
        common as f64 / (labelled + predicted - common) as f64
    }

    /// F1 of a class.
    fn f1(Overlap { labelled, predicted, common }: Overlap) -> f64 {
        2.0 * common as f64 / (labelled + predicted) as f64
    }
}

/// How often a class is labelled, predicted, and both at once.
struct Overlap {
    labelled: u64,
    predicted: u64,
    common: u64,
}
