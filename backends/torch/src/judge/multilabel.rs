//! Several labels for a picture: how often each applies, is predicted, and how logits order the pictures.

use nas_ir::metric::TaskMetrics;
use nas_ir::{ClassMetric, Metric};
use nas_search::Metrics;
use tch::Tensor;

use super::mean::mean;
use crate::error::TorchError;
use crate::layout::values;
use crate::task::DeviceTargets;

/// What a network predicted of each class.
pub(super) struct Labels {
    /// Of each class the logit of each picture whose label is known, and whether it applies.
    seen: Vec<Vec<(f32, bool)>>,
}

/// How often a class applied and was predicted, one of the two, or neither.
#[derive(Default, Clone, Copy)]
struct Counts {
    true_positives: u64,
    false_positives: u64,
    false_negatives: u64,
}

impl Labels {
    pub(super) fn new(classes: usize) -> Self {
        Self { seen: vec![Vec::new(); classes] }
    }

    /// Adds a batch with its logits, `[N, classes]`.
    pub(super) fn add(
        &mut self,
        logits: &Tensor,
        targets: &DeviceTargets,
    ) -> Result<(), TorchError> {
        let (logits, labels) = (values(logits)?, values(&targets.values)?);
        let classes = self.seen.len();
        for (nth, (logit, label)) in logits.into_iter().zip(labels).enumerate() {
            if let Some(seen) = self.seen.get_mut(nth % classes.max(1))
                && !label.is_nan()
            {
                seen.push((logit, label > 0.5));
            }
        }
        Ok(())
    }

    pub(super) fn metrics(&self, declared: TaskMetrics, loss: f64) -> Option<Metrics> {
        let value = |metric| match metric {
            Metric::F1 => mean(self.by_class(f1_of)),
            Metric::MicroF1 => self.micro_f1(),
            Metric::Auroc => mean(self.by_class(auroc)),
            Metric::MeanAp => mean(self.by_class(average_precision)),
            Metric::Loss => Some(loss),
            Metric::Miou
            | Metric::Accuracy
            | Metric::Top5
            | Metric::Mae
            | Metric::Rmse
            | Metric::Psnr => None,
        };
        let by_class = |metric| match metric {
            ClassMetric::F1 => self.by_class(f1_of),
            ClassMetric::Auroc => self.by_class(auroc),
            ClassMetric::Ap => self.by_class(average_precision),
            ClassMetric::Iou => Vec::new(),
        };
        Metrics::new(declared, value, by_class)
    }

    fn by_class(&self, figure: fn(&[(f32, bool)]) -> Option<f64>) -> Vec<Option<f64>> {
        self.seen.iter().map(|seen| figure(seen)).collect()
    }

    /// F1 of the labels of all classes together.
    fn micro_f1(&self) -> Option<f64> {
        let all = self.seen.iter().map(|seen| counts(seen));
        let sum = all.fold(Counts::default(), |sum, of| Counts {
            true_positives: sum.true_positives + of.true_positives,
            false_positives: sum.false_positives + of.false_positives,
            false_negatives: sum.false_negatives + of.false_negatives,
        });
        f1(sum)
    }
}

fn counts(seen: &[(f32, bool)]) -> Counts {
    let mut counts = Counts::default();
    for &(logit, applies) in seen {
        match (logit > 0.0, applies) {
            (true, true) => counts.true_positives += 1,
            (true, false) => counts.false_positives += 1,
            (false, true) => counts.false_negatives += 1,
            (false, false) => {}
        }
    }
    counts
}

/// `2 TP / (2 TP + FP + FN)`; `None` where a class neither applies nor is predicted.
fn f1(counts: Counts) -> Option<f64> {
    let twice = 2 * counts.true_positives;
    let of = twice + counts.false_positives + counts.false_negatives;
    (of > 0).then(|| twice as f64 / of as f64)
}

fn f1_of(seen: &[(f32, bool)]) -> Option<f64> {
    f1(counts(seen))
}

/// The pictures by their logits, the highest first, as how many of each logit have the label and how many do not; `None`
/// where all or none have it.
fn steps(seen: &[(f32, bool)]) -> Option<Vec<(u64, u64)>> {
    let with = seen.iter().filter(|(_, applies)| *applies).count();
    if with == 0 || with == seen.len() {
        return None;
    }
    let mut sorted = seen.to_vec();
    sorted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let same = sorted.chunk_by(|(one, _), (other, _)| one == other);
    let step = same.map(|same| {
        let with = same.iter().filter(|(_, applies)| *applies).count();
        (with as u64, (same.len() - with) as u64)
    });
    Some(step.collect())
}

/// The area under the ROC curve, by the trapezoidal rule.
fn auroc(seen: &[(f32, bool)]) -> Option<f64> {
    let (mut before, mut without, mut twice) = (0, 0, 0);
    for (positives, negatives) in steps(seen)? {
        // Pairs with a positive that comes first count whole, those of equal logits half.
        twice += (2 * before + positives) * negatives;
        before += positives;
        without += negatives;
    }
    Some(twice as f64 / (2 * before * without) as f64)
}

/// The sum over the thresholds of `(recall - the recall before) * precision`.
fn average_precision(seen: &[(f32, bool)]) -> Option<f64> {
    let (mut right, mut taken, mut sum) = (0, 0, 0.0);
    for (positives, negatives) in steps(seen)? {
        right += positives;
        taken += positives + negatives;
        sum += positives as f64 * right as f64 / taken as f64;
    }
    Some(sum / right as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_pictures_is_scored_as_scikit_learn_does() {
        // roc_auc_score and average_precision_score of scikit-learn on [0, 0, 1, 1] and [0.1, 0.4, 0.35, 0.8].
        let seen = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert_eq!(auroc(&seen), Some(0.75));
        let precision = average_precision(&seen).unwrap();
        assert!((precision - 0.833_333_333).abs() < 1e-8, "{precision}");
        let equal = [(0.5, false), (0.5, true), (0.5, true)];
        assert_eq!((auroc(&equal), average_precision(&equal)), (Some(0.5), Some(2.0 / 3.0)));
    }

    #[test]
    fn what_one_label_cannot_tell_is_not_defined() {
        for seen in [&[(0.5, true), (0.1, true)][..], &[(0.5, false)], &[]] {
            assert_eq!((auroc(seen), average_precision(seen)), (None, None));
        }
        assert_eq!(f1_of(&[(-1.0, false)]), None);
        assert_eq!(f1_of(&[(-1.0, true)]), Some(0.0));
        assert_eq!(f1_of(&[(2.0, true), (1.0, false), (3.0, true)]), Some(0.8));
    }

    #[test]
    fn the_classes_count_alike_or_by_their_labels() {
        let seen = vec![vec![(1.0, true); 3], vec![(1.0, false), (-1.0, true)]];
        let labels = Labels { seen };
        assert_eq!(mean(labels.by_class(f1_of)), Some(0.5));
        assert_eq!(labels.micro_f1(), Some(0.75));
    }
}
