//! Rounding of values and weights: to 16-bit floats, to fixed grids, and to grids whose steps learn.
//!
//! What is rounded has the gradient of what is not (Bengio et al. 2013, section 4, the straight-through estimator). A step `s`
//! learns as Esser et al. 2020 ("Learned Step Size Quantization", equation 3) have it: of a number `x` and its level `q`, by
//! `q - x / s` within the range of the grid, and by `q`, which is its end, beyond; the sum of these is multiplied by
//! `1 / sqrt(N Q)` (section 2.2), where `N` numbers share the step and `Q` is the largest level.

use nas_ir::Grid;
use nas_ir::grid::{KERNEL_MAX, LEAST_STEP, POWER_OF_TWO};
use tch::{Kind, Tensor};

use crate::error::TorchError;
use crate::value::Value;

type Made = Result<Tensor, TorchError>;

/// What is rounded to, and the gradient of what is not: both have the same sizes. The numbers are those of `rounded`, to the
/// last bit.
fn straight_through(rounded: &Tensor, exact: &Tensor) -> Made {
    let rounded = rounded.f_detach()?;
    if !exact.requires_grad() {
        return Ok(rounded);
    }
    Ok(rounded.f_add(&exact.f_sub(&exact.f_detach()?)?)?)
}

/// A value rounded so; zeros are on every grid.
pub(crate) fn of_value(
    value: Value,
    round: impl FnOnce(&Tensor) -> Made,
) -> Result<Value, TorchError> {
    match value {
        Value::Zero => Ok(Value::Zero),
        value => Ok(Value::fresh(round(&value.settled()?.0)?)),
    }
}

/// Numbers rounded to 16-bit floats.
pub(crate) fn to_half(x: &Tensor) -> Made {
    straight_through(&x.f_detach()?.f_to_kind(Kind::Half)?.f_to_kind(x.kind())?, x)
}

/// Numbers rounded to a grid, ties to even. The gradient goes through as if they were not rounded, within the range of the grid
/// (Jacob et al. 2018, section 3).
pub(crate) fn to_grid(x: &Tensor, grid: Grid) -> Made {
    let [least, most] = grid.range();
    let [low, high] = ends(grid.zero);
    let bounded = x.f_clamp(least, most)?;
    let step = f64::from(grid.step);
    let levels = bounded.f_detach()?.f_div_scalar(step)?.f_round()?.f_clamp(low, high)?;
    straight_through(&levels.f_mul_scalar(step)?, &bounded)
}

/// The least step of a grid that follows from the numbers themselves.
const LEAST: f64 = 1e-30;

/// Values `[N, …]` rounded to the 256 levels of a grid of each image's own, from its least to its greatest number, 0 among them: what an
/// image becomes depends on no other.
pub(crate) fn to_levels(x: &Tensor) -> Made {
    let own = x.f_detach()?;
    let axes: Vec<i64> = (1..x.dim() as i64).collect();
    let low = own.f_amin(axes.as_slice(), true)?.f_clamp_max(0.0)?;
    let high = own.f_amax(axes.as_slice(), true)?.f_clamp_min(0.0)?;
    let steps = high.f_sub(&low)?.f_div_scalar(255.0)?.f_clamp_min(LEAST)?;
    let zero = low.f_neg()?.f_div(&steps)?.f_round()?;
    let levels = own.f_div(&steps)?.f_round()?.f_add(&zero)?.f_clamp(0.0, 255.0)?;
    straight_through(&levels.f_sub(&zero)?.f_mul(&steps)?, x)
}

/// A kernel whose taps are rounded to multiples from -127 to 127 of the largest of each channel along an axis over 127, or of all.
pub(crate) fn kernel_to_levels(taps: &Tensor, axis: Option<usize>) -> Made {
    let own = taps.f_detach()?;
    let axes = (0..taps.dim()).filter(|&other| Some(other) != axis).map(|other| other as i64);
    let largest = own.f_abs()?.f_amax(axes.collect::<Vec<_>>().as_slice(), true)?;
    let steps = largest.f_div_scalar(KERNEL_MAX)?.f_clamp_min(LEAST)?;
    straight_through(&own.f_div(&steps)?.f_round()?.f_mul(&steps)?, taps)
}

/// The ends of a grid, in steps.
fn ends(zero: u8) -> [f64; 2] {
    [-f64::from(zero), 255.0 - f64::from(zero)]
}

/// Values `[N, …]` rounded to a grid of this level of 0, whose step learns: `number` `[1]`.
pub(crate) fn to_learned_grid(x: &Tensor, number: &Tensor, zero: u8, powers_of_two: bool) -> Made {
    let [low, high] = ends(zero);
    let images = x.size().first().copied().unwrap_or(1).max(1);
    let scale = gradient_scale(x.numel() as f64 / images as f64, high.max(-low));
    let number = scaled(number, scale)?;
    to_multiples(x, &step(&number, powers_of_two)?, [low, high])
}

/// A kernel whose taps are rounded to multiples from -127 to 127 of steps that learn: one for each channel along an axis, or
/// one for all.
pub(crate) fn kernel(
    taps: &Tensor,
    numbers: &Tensor,
    axis: Option<usize>,
    powers_of_two: bool,
) -> Made {
    let count = numbers.numel().max(1);
    let scale = gradient_scale(taps.numel() as f64 / count as f64, KERNEL_MAX);
    let mut sizes = vec![1; taps.dim()];
    for size in sizes.iter_mut().skip(axis.unwrap_or_default()).take(1) {
        *size = count as i64;
    }
    let numbers = scaled(&numbers.f_view(sizes.as_slice())?, scale)?;
    to_multiples(taps, &step(&numbers, powers_of_two)?, [-KERNEL_MAX, KERNEL_MAX])
}

/// A bias rounded to the numbers that an accumulator of 32 bits holds: multiples of the steps of the kernel times that of the
/// operand, neither of which learns by it.
pub(crate) fn bias(x: &Tensor, kernel: &Tensor, operand: &Tensor, powers_of_two: bool) -> Made {
    let learned = |numbers: &Tensor| step(&numbers.f_detach()?, powers_of_two);
    let steps = learned(kernel)?.f_mul(&learned(operand)?)?;
    let levels = x.f_detach()?.f_div(&steps)?.f_round()?;
    let levels = levels.f_clamp(f64::from(i32::MIN), 2_147_483_520.0)?;
    straight_through(&levels.f_mul(&steps)?, x)
}

/// The steps that learned numbers stand for, as [`nas_ir::grid::learned_step`] defines them.
fn step(numbers: &Tensor, powers_of_two: bool) -> Made {
    let sizes = numbers.f_abs()?.f_clamp_min(f64::from(LEAST_STEP))?;
    if !powers_of_two {
        return Ok(sizes);
    }
    let root = f64::from(std::f32::consts::SQRT_2);
    let bits = sizes.f_detach()?.f_mul_scalar(root)?.f_view_dtype(Kind::Int)?;
    let powers = bits.f_bitwise_and(i64::from(POWER_OF_TWO as i32))?.f_view_dtype(Kind::Float)?;
    straight_through(&powers, &sizes)
}

/// By what the gradient of a step is multiplied that so many numbers share, of this largest level.
fn gradient_scale(numbers: f64, most: f64) -> f64 {
    1.0 / (numbers * most).max(1.0).sqrt()
}

/// The same numbers, of which the gradient is multiplied by a factor.
fn scaled(numbers: &Tensor, factor: f64) -> Made {
    straight_through(numbers, &numbers.f_mul_scalar(factor)?)
}

/// Numbers rounded to multiples of steps from one level to another.
fn to_multiples(x: &Tensor, steps: &Tensor, [low, high]: [f64; 2]) -> Made {
    let levels = x.f_div(steps)?.f_clamp(low, high)?;
    let whole = straight_through(&levels.f_detach()?.f_round()?, &levels)?;
    Ok(whole.f_mul(steps)?)
}
