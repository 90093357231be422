//! What a network of a task learns from: the targets of a batch, and their loss.

use nas_data::TargetKind;
use nas_ir::Task;
use nas_ir::recipe::{RegressionLoss, ValueLoss};
use tch::{Kind, Reduction, Tensor};

use crate::error::TorchError;

/// Number of classes, or of the values of a regression.
pub(crate) fn classes(task: Task) -> usize {
    match task {
        Task::Segmentation { classes, .. }
        | Task::Classification { classes }
        | Task::Multilabel { classes } => classes as usize,
        Task::Regression { values } => values as usize,
    }
}

/// The label that neither loss nor metric sees; of pictures, as in PyTorch, one that none has.
pub(crate) fn ignored(task: Task) -> i64 {
    match task {
        Task::Segmentation { ignore, .. } => i64::from(ignore),
        Task::Classification { .. } | Task::Multilabel { .. } | Task::Regression { .. } => -100,
    }
}

/// The label of pixels without a class, where pixels have classes.
pub(crate) fn ignored_label(task: Task) -> Option<u8> {
    u8::try_from(ignored(task)).ok()
}

/// What a data set for a task may hold; a regression answers with a map or not.
pub(crate) fn target_kind(task: Task, is_map: bool) -> TargetKind {
    match task {
        Task::Segmentation { .. } => TargetKind::ClassMap,
        Task::Classification { .. } => TargetKind::Class,
        Task::Multilabel { .. } => TargetKind::Labels,
        Task::Regression { .. } if is_map => TargetKind::Map,
        Task::Regression { .. } => TargetKind::Vector,
    }
}

/// What makes a loss of targets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Criterion {
    pub(crate) task: Task,
    pub(crate) loss: ValueLoss,
}

impl Criterion {
    /// That of a task where no recipe says more.
    pub(crate) fn of(task: Task) -> Self {
        Self { task, loss: ValueLoss { regression: RegressionLoss::L2, delta: 1.0 } }
    }
}

/// The targets of a batch on the device, and what makes a loss of them: whole numbers `[N, H, W]` for a segmentation, `[N]`
/// for a classification; for several labels 0 or 1 in `[N, classes]`, and for a regression `[N, values]` or
/// `[N, values, H, W]`, NaN where none is known.
pub(crate) struct DeviceTargets {
    pub(crate) values: Tensor,
    pub(crate) criterion: Criterion,
}

impl DeviceTargets {
    /// Where a number is known, as 1 and 0, and the targets with 0 where it is not.
    pub(crate) fn known(&self) -> Result<(Tensor, Tensor), TorchError> {
        let known = self.values.f_isnan()?.f_logical_not()?.f_to_kind(Kind::Float)?;
        Ok((known, self.values.f_nan_to_num(0.0, None, None)?))
    }
}

/// The loss of all that is labelled in a batch, and how much that is: a sum over the labels or values that are known, and
/// their number. `answers` are logits, `[N, classes, H, W]` or `[N, classes]`, or the values of a regression.
pub(crate) fn summed_loss(
    answers: &Tensor,
    targets: &DeviceTargets,
) -> Result<(Tensor, Tensor), TorchError> {
    let Criterion { task, loss } = targets.criterion;
    match task {
        Task::Segmentation { .. } | Task::Classification { .. } => {
            let (labels, ignore) = (&targets.values, ignored(task));
            let none = None::<&Tensor>;
            let sum = answers.f_cross_entropy_loss(labels, none, Reduction::Sum, ignore, 0.0)?;
            Ok((sum, labels.f_ne(ignore)?.f_sum(Kind::Float)?))
        }
        Task::Multilabel { .. } => {
            let (known, labels) = targets.known()?;
            let sum = answers.f_binary_cross_entropy_with_logits(
                &labels,
                Some(&known),
                None::<&Tensor>,
                Reduction::Sum,
            )?;
            Ok((sum, known.f_sum(Kind::Float)?))
        }
        Task::Regression { .. } => {
            let (known, values) = targets.known()?;
            // What is not known counts as answered right.
            let answers = answers.f_mul(&known)?;
            let sum = match loss.regression {
                RegressionLoss::L1 => answers.f_l1_loss(&values, Reduction::Sum)?,
                RegressionLoss::L2 => answers.f_mse_loss(&values, Reduction::Sum)?,
                RegressionLoss::Huber => {
                    answers.f_huber_loss(&values, Reduction::Sum, loss.delta)?
                }
            };
            Ok((sum, known.f_sum(Kind::Float)?))
        }
    }
}

/// The loss of a batch: the mean over the labels or values that are known; 0 where there is none.
pub(crate) fn mean_loss(answers: &Tensor, targets: &DeviceTargets) -> Result<Tensor, TorchError> {
    let (sum, labelled) = summed_loss(answers, targets)?;
    Ok(sum.f_div(&labelled.f_clamp_min(1)?)?)
}

/// The loss of a batch for a network that learns from what another answered, which has no gradient here: the mean over
/// the labels or values that are known; 0 where there is none. It is the Kullback-Leibler divergence of the probabilities
/// from those of the teacher, class by class where several may apply, both with their logits divided by a temperature and
/// the divergence multiplied by its square (Hinton, Vinyals and Dean 2015, equations 1 to 4); of a regression the loss of
/// the recipe, the answers of the teacher being the targets.
pub(crate) fn taught_loss(
    answers: &Tensor,
    teacher: &Tensor,
    temperature: f64,
    targets: &DeviceTargets,
) -> Result<Tensor, TorchError> {
    let soften = |logits: &Tensor| logits.f_div_scalar(temperature);
    let (distance, known) = match targets.criterion.task {
        Task::Segmentation { .. } | Task::Classification { .. } => {
            let [own, taught] =
                [answers, teacher].map(|of| soften(of)?.f_log_softmax(1, Kind::Float));
            let distance = divergence(&own?, &taught?)?.f_sum_dim_intlist(1, false, Kind::Float)?;
            let known = targets.values.f_ne(ignored(targets.criterion.task))?;
            (distance, known.f_to_kind(Kind::Float)?)
        }
        Task::Multilabel { .. } => {
            let [answers, teacher] = [soften(answers)?, soften(teacher)?];
            let [own, taught] = [&answers, &teacher].map(Tensor::f_log_sigmoid);
            let [not_own, not_taught] = [&answers, &teacher].map(|of| of.f_neg()?.f_log_sigmoid());
            let applies = divergence(&own?, &taught?)?;
            let distance = applies.f_add(&divergence(&not_own?, &not_taught?)?)?;
            (distance, targets.known()?.0)
        }
        Task::Regression { .. } => {
            // NaN where no target is known stays NaN.
            let values = targets.values.f_mul_scalar(0.0)?.f_add(teacher)?;
            return mean_loss(answers, &DeviceTargets { values, criterion: targets.criterion });
        }
    };
    let sum = distance.f_mul(&known)?.f_sum(Kind::Float)?.f_mul_scalar(temperature.powi(2))?;
    Ok(sum.f_div(&known.f_sum(Kind::Float)?.f_clamp_min(1)?)?)
}

/// The terms `q log(q / p)` for the logarithms of p and q.
fn divergence(own: &Tensor, taught: &Tensor) -> Result<Tensor, TorchError> {
    Ok(taught.f_exp()?.f_mul(&taught.f_sub(own)?)?)
}
