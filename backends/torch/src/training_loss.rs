//! What training makes small: cross-entropy, or what the recipe makes of it.

use nas_ir::Task;
use nas_ir::recipe::common::RETRAIN;
use nas_ir::recipe::distillation::TEMPERATURE;
use nas_ir::recipe::{ClassLoss, ClassWeights, Recipe, ValueLoss};
use tch::{Device, Kind, Reduction, Tensor};

use crate::error::TorchError;
use crate::task::{DeviceTargets, classes, ignored, mean_loss};

/// What makes a loss of the answers of a network and of what they should be.
#[derive(Debug)]
pub(crate) struct TrainingLoss {
    smoothing: f64,
    focal: f64,
    dice: f64,
    /// How much each class counts, `[classes]`, where they differ.
    weights: Option<Tensor>,
}

/// The other targets of a batch whose images were blended.
pub(crate) struct Blend {
    /// Those of the images that were blended in.
    pub(crate) others: DeviceTargets,
    /// The share of the images' own.
    pub(crate) share: f64,
}

/// A loss by the targets of a batch; of blended images the mean of those by both targets, each by its share.
pub(crate) fn blended(
    targets: &DeviceTargets,
    blend: Option<&Blend>,
    loss: impl Fn(&DeviceTargets) -> Result<Tensor, TorchError>,
) -> Result<Tensor, TorchError> {
    let own = loss(targets)?;
    let Some(Blend { others, share }) = blend else { return Ok(own) };
    Ok(own.f_mul_scalar(*share)?.f_add(&loss(others)?.f_mul_scalar(1.0 - share)?)?)
}

impl TrainingLoss {
    /// Plain cross-entropy.
    pub(crate) const PLAIN: Self = Self { smoothing: 0.0, focal: 0.0, dice: 0.0, weights: None };

    /// Whether it is cross-entropy and nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        self.weights.is_none() && [self.smoothing, self.focal, self.dice] == [0.0; 3]
    }

    /// What a recipe says of classes; `counts` gives the labels of each in training.
    ///
    /// # Errors
    /// The training images cannot be read, or out of memory.
    pub(crate) fn new(
        loss: &ClassLoss,
        counts: impl FnOnce() -> Result<Vec<u64>, TorchError>,
        device: Device,
    ) -> Result<Self, TorchError> {
        let weights = match &loss.class_weights {
            ClassWeights::Equal => None,
            ClassWeights::Balanced => Some(balanced(&counts()?)),
            ClassWeights::Given(weights) => Some(weights.clone()),
        };
        let on_device = |weights: Vec<f64>| {
            Tensor::f_from_slice(&weights)?.f_to_kind(Kind::Float)?.f_to_device(device)
        };
        let &ClassLoss { smoothing, focal, dice, .. } = loss;
        Ok(Self { smoothing, focal, dice, weights: weights.map(on_device).transpose()? })
    }

    /// The loss of a batch, a number: `answers` are logits, `[N, classes, H, W]` or `[N, classes]`, or the values of a regression. Of blended images it is
    /// the mean of the losses by both targets, each by its share.
    pub(crate) fn of(
        &self,
        answers: &Tensor,
        targets: &DeviceTargets,
        blend: Option<&Blend>,
    ) -> Result<Tensor, TorchError> {
        blended(targets, blend, |targets| self.of_targets(answers, targets))
    }

    fn of_targets(&self, answers: &Tensor, targets: &DeviceTargets) -> Result<Tensor, TorchError> {
        if self.is_plain() {
            return mean_loss(answers, targets);
        }
        let dice = &self.dice;
        let known = Known::of(answers, targets)?;
        if *dice >= 1.0 {
            return known.dice();
        }
        let of_labels = self.of_labels(answers, targets, &known)?;
        if *dice == 0.0 {
            return Ok(of_labels);
        }
        let of_labels = of_labels.f_mul_scalar(1.0 - dice)?;
        Ok(of_labels.f_add(&known.dice()?.f_mul_scalar(*dice)?)?)
    }

    /// The mean over the labels, each by the weight of its class; 0 where there is none.
    fn of_labels(
        &self,
        answers: &Tensor,
        targets: &DeviceTargets,
        known: &Known,
    ) -> Result<Tensor, TorchError> {
        let Self { smoothing, focal, weights, .. } = self;
        let (labels, ignore) = (&targets.values, ignored(targets.criterion.task));
        let each = answers.f_cross_entropy_loss(
            labels,
            weights.as_ref(),
            Reduction::None,
            ignore,
            *smoothing,
        )?;
        let each = if *focal > 0.0 { each.f_mul(&known.missed(*focal)?)? } else { each };
        let each = each.f_flatten(0, -1)?;
        let mask = known.mask.f_flatten(0, -1)?;
        let (each, counts) = match weights {
            Some(weights) => {
                let of_labels = weights.f_index_select(0, &known.labels.f_flatten(0, -1)?)?;
                let counts = of_labels.f_mul(&mask)?;
                // Smoothing leaves a part of the loss of labels that count nothing.
                (each.f_mul(&counts.f_gt(0.0)?.f_to_kind(Kind::Float)?)?, counts)
            }
            None => (each, mask),
        };
        let all = counts.f_sum(Kind::Float)?.f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
        Ok(each.f_sum(Kind::Float)?.f_div(&all)?)
    }
}

/// Labels without the ignored ones, and what is predicted of them.
struct Known {
    /// Class 0 in the place of what is ignored.
    labels: Tensor,
    /// 0 for what is ignored, else 1.
    mask: Tensor,
    /// Logarithms of the probabilities, `[N, classes, …]`.
    logs: Tensor,
}

impl Known {
    fn of(answers: &Tensor, targets: &DeviceTargets) -> Result<Self, TorchError> {
        let is_known = targets.values.f_ne(ignored(targets.criterion.task))?;
        Ok(Self {
            labels: targets.values.f_mul(&is_known.f_to_kind(Kind::Int64)?)?,
            mask: is_known.f_to_kind(Kind::Float)?,
            logs: answers.f_log_softmax(1, Kind::Float)?,
        })
    }

    /// `(1 - p)^power` of the probability `p` of each label (Lin et al. 2017, equation 4).
    fn missed(&self, power: f64) -> Result<Tensor, TorchError> {
        let own = self.logs.f_gather(1, &self.labels.f_unsqueeze(1)?, false)?.f_squeeze_dim(1)?;
        // 0 has no gradient of a power below 1.
        let missed = own.f_exp()?.f_neg()?.f_add_scalar(1.0)?.f_clamp_min(1e-6)?;
        Ok(missed.f_pow_tensor_scalar(power)?)
    }

    /// 1 less `2 sum(p g) / (sum(p^2) + sum(g^2))` of the probabilities `p` of a class and of its labels `g` (Milletari et
    /// al. 2016, section 3), in the mean over the classes that are there; 0 where there is none.
    fn dice(&self) -> Result<Tensor, TorchError> {
        let mask = self.mask.f_unsqueeze(1)?;
        let predicted = self.logs.f_exp()?.f_mul(&mask)?;
        let there =
            predicted.f_zeros_like()?.f_scatter_value(1, &self.labels.f_unsqueeze(1)?, 1)?;
        let there = there.f_mul(&mask)?;
        let over: Vec<i64> = (0..predicted.dim() as i64).filter(|axis| *axis != 1).collect();
        let sum = |values: Tensor| values.f_sum_dim_intlist(over.as_slice(), false, Kind::Float);
        let common = sum(predicted.f_mul(&there)?)?.f_mul_scalar(2.0)?;
        let labelled = sum(there)?;
        let all = sum(predicted.f_square()?)?.f_add(&labelled)?;
        let is_there = labelled.f_gt(0.0)?.f_to_kind(Kind::Float)?;
        let missed = common.f_div(&all.f_clamp_min(1e-6)?)?.f_neg()?.f_add_scalar(1.0)?;
        let missed = missed.f_mul(&is_there)?.f_sum(Kind::Float)?;
        Ok(missed.f_div(&is_there.f_sum(Kind::Float)?.f_clamp_min(1.0)?)?)
    }
}

/// Whether what a recipe says of losses and of blended images can be done for a task.
///
/// # Errors
/// It has settings that are for other tasks, weights of another number of classes, or none above 0.
pub(crate) fn check(recipe: &Recipe, task: Task) -> Result<(), TorchError> {
    let ClassLoss { smoothing, class_weights, focal, dice } = &recipe.loss.classes;
    let has_class = matches!(task, Task::Segmentation { .. } | Task::Classification { .. });
    let has_values = matches!(task, Task::Regression { .. });
    let is_written = |section: &str, field: &str| recipe.settings.place(section, field).is_some();
    let settings = [
        ("loss.regression", recipe.loss.values != ValueLoss::default() && !has_values),
        ("loss.smoothing", *smoothing > 0.0 && !has_class),
        ("loss.class_weights", *class_weights != ClassWeights::Equal && !has_class),
        ("loss.focal", *focal > 0.0 && !has_class),
        ("loss.dice", *dice > 0.0 && !has_class),
        ("data.cutmix", recipe.data.cutmix > 0.0 && has_values),
        ("retrain.temperature", is_written(RETRAIN.name, TEMPERATURE.name) && has_values),
    ];
    if let Some((setting, _)) = settings.into_iter().find(|(_, is_out_of_place)| *is_out_of_place) {
        return Err(TorchError::OutOfPlace { setting, task: task.describe() });
    }
    match class_weights {
        ClassWeights::Given(weights) if weights.len() != classes(task) => {
            Err(TorchError::ClassWeights { given: weights.len(), classes: classes(task) })
        }
        ClassWeights::Given(weights) if weights.iter().all(|&weight| weight == 0.0) => {
            Err(TorchError::NoClassCounts)
        }
        ClassWeights::Equal | ClassWeights::Balanced | ClassWeights::Given(_) => Ok(()),
    }
}

/// `n / (k n_c)`: how much a class of `n_c` labels counts among `n` of `k` classes; one that never occurs as if all
/// were alike.
fn balanced(counts: &[u64]) -> Vec<f64> {
    let share = counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64;
    counts.iter().map(|&count| if count > 0 { share / count as f64 } else { 1.0 }).collect()
}
