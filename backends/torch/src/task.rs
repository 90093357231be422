//! Semantic segmentation: the loss of a batch and the score of many.

use nas_search::evaluator::Score;
use tch::{Kind, Reduction, Tensor};

use crate::error::TorchError;

/// What a network is trained for: a class for each pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segmentation {
    /// Number of classes.
    pub(crate) classes: usize,
    /// The label that neither loss nor metric sees.
    pub(crate) ignore: i64,
}

/// The labels of a batch on the device.
pub(crate) struct Labels {
    /// `[N, H, W]`, whole numbers.
    pub(crate) classes: Tensor,
    /// The label that neither loss nor metric sees.
    pub(crate) ignore: i64,
}

/// Cross-entropy for logits `[N, classes, H, W]`, without ignored pixels: the sum over the pixels,
/// and their number.
fn cross_entropy(logits: &Tensor, labels: &Labels) -> Result<(Tensor, Tensor), TorchError> {
    let Labels { classes, ignore } = labels;
    let none = None::<&Tensor>;
    let sum = logits.f_cross_entropy_loss(classes, none, Reduction::Sum, *ignore, 0.0)?;
    let pixels = classes.f_ne(*ignore)?.f_sum(Kind::Float)?;
    Ok((sum, pixels))
}

/// The mean of the cross-entropy over the pixels that are not ignored; 0 where there is none.
pub(crate) fn mean_loss(logits: &Tensor, labels: &Labels) -> Result<Tensor, TorchError> {
    let (sum, pixels) = cross_entropy(logits, labels)?;
    Ok(sum.f_div(&pixels.f_clamp_min(1)?)?)
}

/// What a network predicted, pixel by pixel, against what is there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusion {
    classes: usize,
    /// `[label][prediction]`, row-major.
    counts: Vec<u64>,
    loss: f64,
    pixels: f64,
}

impl Confusion {
    pub(crate) fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes], loss: 0.0, pixels: 0.0 }
    }

    /// Adds a batch with its logits `[N, classes, H, W]`. Returns the mean loss of all so far.
    pub(crate) fn add(&mut self, logits: &Tensor, labels: &Labels) -> Result<f64, TorchError> {
        let (sum, pixels) = cross_entropy(logits, labels)?;
        self.loss += sum.f_double_value(&[])?;
        self.pixels += pixels.f_double_value(&[])?;
        let classes = self.classes as i64;
        let Labels { classes: found, ignore } = labels;
        let cell = found.f_mul_scalar(classes)?.f_add(&logits.f_argmax(1, false)?)?;
        let cells = cell.f_masked_select(&found.f_ne(*ignore)?)?;
        let found = cells.f_bincount(None::<&Tensor>, classes * classes)?;
        let mut counts = vec![0_i64; self.counts.len()];
        found.f_to_device(tch::Device::Cpu)?.f_copy_data(&mut counts, self.counts.len())?;
        for (count, found) in self.counts.iter_mut().zip(counts) {
            *count += u64::try_from(found).unwrap_or_default();
        }
        Ok(self.loss / self.pixels.max(1.0))
    }

    fn count(&self, label: usize, prediction: usize) -> u64 {
        self.counts.get(label * self.classes + prediction).copied().unwrap_or_default()
    }

    /// The score over all batches. A class counts in the mean if it occurs among the labels or the
    /// predictions.
    pub(crate) fn score(&self) -> Score {
        let all = 0..self.classes;
        let right: u64 = all.clone().map(|class| self.count(class, class)).sum();
        let class_iou: Vec<Option<f64>> = all
            .clone()
            .map(|class| {
                let labelled: u64 = all.clone().map(|other| self.count(class, other)).sum();
                let predicted: u64 = all.clone().map(|other| self.count(other, class)).sum();
                let common = self.count(class, class);
                let union = labelled + predicted - common;
                (union > 0).then(|| common as f64 / union as f64)
            })
            .collect();
        let present: Vec<f64> = class_iou.iter().copied().flatten().collect();
        Score {
            miou: present.iter().sum::<f64>() / present.len().max(1) as f64,
            accuracy: right as f64 / self.counts.iter().sum::<u64>().max(1) as f64,
            loss: self.loss / self.pixels.max(1.0),
            class_iou,
        }
    }
}
