//! Images of a batch that are blended with each other: mixup and CutMix.

use nas_ir::Task;
use nas_ir::recipe::Data;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Beta, Distribution};
use tch::Tensor;

use crate::error::TorchError;
use crate::layout::{channels_last, on};
use crate::random::{Moment, Purpose, stream};
use crate::task::DeviceTargets;
use crate::training_loss::Blend;

/// How images are blended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blending {
    /// Parameter of the beta distribution of mixup; 0 is none.
    mixup: f64,
    /// That of CutMix.
    cutmix: f64,
}

impl Blending {
    /// What a recipe says.
    pub(crate) fn of(data: &Data) -> Self {
        Self { mixup: data.mixup, cutmix: data.cutmix }
    }

    /// Blends the images of a batch, `[N, C, H, W]` for each input, each with another one of it or with itself; labels of
    /// pixels move with them. Gives the other targets where losses are to be blended, too.
    pub(crate) fn apply(
        self,
        (inputs, targets): (Vec<Tensor>, DeviceTargets),
        seed: u64,
        moment: Moment,
    ) -> Result<(Vec<Tensor>, DeviceTargets, Option<Blend>), TorchError> {
        let Self { mixup, cutmix } = self;
        let first = inputs.first().filter(|_| mixup > 0.0 || cutmix > 0.0);
        let Some(first) = first else { return Ok((inputs, targets, None)) };
        let rng = &mut stream(seed, Purpose::Blend { moment });
        let cuts = cutmix > 0.0 && (mixup == 0.0 || rng.random());
        let share = beta(if cuts { cutmix } else { mixup }, rng)?;
        let mut order: Vec<i64> = (0..first.size().first().copied().unwrap_or_default()).collect();
        order.shuffle(rng);
        let order = on(first.device(), Tensor::f_from_slice(&order)?)?;
        let other = |tensor: &Tensor| Ok::<_, TorchError>(tensor.f_index_select(0, &order)?);
        let others = DeviceTargets { values: other(&targets.values)?, ..targets };
        if !cuts {
            let blended = |own: &Tensor| channels_last(&other(own)?.f_lerp(own, share)?);
            let inputs = inputs.iter().map(blended).collect::<Result<_, _>>()?;
            return Ok((inputs, targets, Some(Blend { others, share })));
        }
        let [height, width] = plane(first)?;
        let cut = Cut::draw([height, width], 1.0 - share, rng);
        let pasted = inputs.iter().map(|own| cut.paste(own, &other(own)?));
        let inputs = pasted.collect::<Result<_, _>>()?;
        match targets.criterion.task {
            Task::Segmentation { .. } => {
                let values = cut.paste(&targets.values, &others.values)?;
                Ok((inputs, DeviceTargets { values, ..targets }, None))
            }
            Task::Classification { .. } | Task::Multilabel { .. } | Task::Regression { .. } => {
                let share = 1.0 - cut.area() as f64 / (height * width).max(1) as f64;
                Ok((inputs, targets, Some(Blend { others, share })))
            }
        }
    }
}

/// A number of the symmetric beta distribution with this parameter.
fn beta(parameter: f64, rng: &mut impl Rng) -> Result<f64, TorchError> {
    let beta = Beta::new(parameter, parameter);
    Ok(beta.map_err(|error| TorchError::broken(error.to_string()))?.sample(rng))
}

/// Height and width.
fn plane(images: &Tensor) -> Result<[i64; 2], TorchError> {
    match images.size().as_slice() {
        [.., height, width] => Ok([*height, *width]),
        _ => Err(TorchError::broken("images without height and width")),
    }
}

/// A rectangle in images: its first pixel and its length, along height and width.
struct Cut([(i64, i64); 2]);

impl Cut {
    /// A rectangle of the shape of the images with this share of their area, its middle anywhere; it ends at their edges
    /// (Yun et al. 2019, equation 2).
    fn draw(sides: [i64; 2], share: f64, rng: &mut impl Rng) -> Self {
        Self(sides.map(|side| {
            let length = (side as f64 * share.sqrt()).round() as i64;
            let start = rng.random_range(0..side.max(1)) - length / 2;
            let (start, end) = (start.max(0), (start + length).min(side));
            (start, end - start)
        }))
    }

    fn area(&self) -> i64 {
        let Self([(_, height), (_, width)]) = self;
        height * width
    }

    /// One tensor `[…, H, W]`, with what another has in the rectangle.
    fn paste(&self, own: &Tensor, other: &Tensor) -> Result<Tensor, TorchError> {
        let whole = own.f_detach_copy()?;
        let Self([(top, height), (left, width)]) = *self;
        let part = |tensor: &Tensor| tensor.f_narrow(-2, top, height)?.f_narrow(-1, left, width);
        part(&whole)?.f_copy_(&part(other)?)?;
        Ok(whole)
    }
}
