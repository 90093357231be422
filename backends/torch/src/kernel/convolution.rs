//! Convolutions, rewritten where libtorch's kernels for processors are slow, and transposed ones.
//!
//! oneDNN has no fast kernels for the gradients of a dilated depthwise convolution: they cost
//! fifteen forward passes each. But taps at distance d see one in d rows and columns. If stride and
//! dilation are both d, the result is that of stride 1 without dilation on every d-th row and
//! column; with stride 1, the d * d sub-maps are pictures of a larger batch under an undilated
//! kernel. Both are exact. A training step of a network of such layers takes 0.7 of the time.
//!
//! A 1x1 convolution with a stride is one without of every so many rows and columns. oneDNN's own
//! gradient of its kernel ends the process, or is wrong, where there are fewer than 16 channels: as if it
//! wrote beyond its memory (seen at 1 to 32 channels out, strides (1, 2), (2, 1) and (2, 2), from two
//! pictures on). Which shapes are safe depends on the processor and on the threads, so all are computed
//! this way, if they are not computed with what is around them. `tests/sweep.rs` looks for others.
//!
//! (Tried and no gain: a 5x5 kernel as the sum of 5x3 and two 5x1, whose weight gradients are
//! faster; the shifts cost as much.)

use nas_ir::Shape;
use nas_ir::ops::{Conv, ConvTranspose};
use nas_kernels::Map;
use nas_kernels::Storage;
use tch::{Device, Tensor};

use super::margin::{Margin, pair};
use crate::error::TorchError;
use crate::fused;
use crate::layout::channels_last;
use crate::value::{Operands, Value};

type Made = Result<Tensor, TorchError>;

/// A convolution of maps `[N, C, H, W]` with a kernel `[out, C / groups, kh, kw]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Convolution {
    margin: Margin,
    stride: [i64; 2],
    dilation: [i64; 2],
    groups: i64,
    /// How it is computed instead where gradients are wanted.
    learning: Option<Instead>,
    /// What it is where it is computed with others, if it can be.
    fused: Option<fused::Convolution>,
}

/// What stands for a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instead {
    Undilated(Undilated),
    /// One of stride 1 with a 1x1 kernel on the pixels that count.
    Pointwise,
}

/// A dilated depthwise convolution by one without dilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Undilated {
    by: Rewrite,
    /// The dilation.
    distance: i64,
    /// Padding of the kernel without dilation.
    padding: [i64; 2],
}

/// What an undilated kernel is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rewrite {
    /// Every d-th row and column.
    Picked,
    /// The sub-maps as a larger batch, if the size of the map is a multiple of d.
    Batched,
}

impl Convolution {
    /// Plans a convolution of maps of this shape.
    pub(crate) fn new(op: &Conv, from: Shape, device: Device) -> Self {
        let is_depthwise = from.channels() == op.groups.get() && op.out == op.groups.get();
        let instead = match (op.kernel, op.stride) {
            ([1, 1], [1, 1]) => None,
            ([1, 1], _) => Some(Instead::Pointwise),
            _ if is_depthwise => Undilated::new(op).map(Instead::Undilated),
            _ => None,
        };
        Self {
            margin: Margin::of(op.padding),
            stride: pair(op.stride),
            dilation: pair(op.dilation),
            groups: i64::from(op.groups.get()),
            learning: instead.filter(|_| device == Device::Cpu),
            fused: fused::Convolution::of(op, from.channels()),
        }
    }

    /// The same as [`Convolution::run`], to be computed with its batch norm; the result comes to the gradient in this way. It `begins` a chain if the value is to be computed before.
    pub(crate) fn fused(
        &self,
        operands: Operands<'_>,
        (kernel, bias): (&Tensor, Option<&Tensor>),
        storage: Storage,
        begins: bool,
    ) -> Result<Value, TorchError> {
        // A batch norm refuses a single pixel in training, and says so.
        let alone = operands.is_single_pixel() || self.makes_a_single_pixel(&operands);
        let Some(op) = self.fused.filter(|_| !alone) else {
            return Ok(Value::fresh(self.run(&operands.tensor()?, kernel, bias)?));
        };
        let value = match op {
            fused::Convolution::Pointwise { .. } if self.stride != [1, 1] => {
                Value::kept(picked(&operands.settled()?, self.stride)?)
            }
            _ => operands.value()?,
        };
        let value = if begins { value.plain()? } else { value };
        Ok(Value::Chain(value.chain()?.convolved(op, (kernel, bias), storage)))
    }

    /// Whether a single picture becomes a single pixel.
    fn makes_a_single_pixel(&self, operands: &Operands<'_>) -> bool {
        let Some(fused::Convolution::Depthwise(window) | fused::Convolution::Dense(window)) =
            self.fused
        else {
            return false;
        };
        let Some(size) = operands.shapes.first().and_then(Shape::plane) else { return false };
        let [height, width] =
            operands.pictures.scaled(size.map(i64::from)).map(|side| side as usize);
        let made = window.of(Map { images: 1, height, width, channels: 1 });
        operands.pictures.count == 1 && made.is_some_and(|made| [made.height, made.width] == [1, 1])
    }

    pub(crate) fn run(&self, x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>) -> Made {
        let learns = x.requires_grad() || kernel.requires_grad();
        let instead = self.learning.filter(|_| learns);
        if let Some(Instead::Undilated(undilated)) = instead
            && let Some(y) = undilated.run(x, kernel, bias, self.groups)?
        {
            return Ok(y);
        }
        let Self { margin, stride, dilation, groups, .. } = self;
        let (padded, padding) = margin.apply(x, 0.0)?;
        if instead == Some(Instead::Pointwise) && padding == [0, 0] {
            let picked = picked(&padded, *stride)?;
            return Ok(picked.f_conv2d(kernel, bias, [1, 1], padding, dilation, *groups)?);
        }
        Ok(padded.f_conv2d(kernel, bias, stride, padding, dilation, *groups)?)
    }
}

/// Every so many rows and columns of a map.
fn picked(x: &Tensor, [rows, columns]: [i64; 2]) -> Made {
    channels_last(&x.f_slice(2, 0, None, rows)?.f_slice(3, 0, None, columns)?)
}

impl Undilated {
    fn new(op: &Conv) -> Option<Self> {
        let distance = common_dilation(op)?;
        let by = match pair(op.stride) {
            stride if stride == [distance; 2] => Rewrite::Picked,
            [1, 1] => Rewrite::Batched,
            _ => return None,
        };
        Some(Self { by, distance, padding: pair(op.kernel.map(|k| k / 2)) })
    }

    /// The convolution; `None` for a map of a size that it does not do.
    fn run(
        self,
        x: &Tensor,
        kernel: &Tensor,
        bias: Option<&Tensor>,
        groups: i64,
    ) -> Result<Option<Tensor>, TorchError> {
        let Self { by, distance: d, padding } = self;
        let &[n, c, h, w] = x.size().as_slice() else { return Ok(None) };
        let undilated = |x: &Tensor| x.f_conv2d(kernel, bias, [1, 1], padding, [1, 1], groups);
        match by {
            Rewrite::Picked => Ok(Some(undilated(&picked(x, [d, d])?)?)),
            Rewrite::Batched if h % d == 0 && w % d == 0 => {
                let parts = undilated(&to_batch(x, [n, c, h, w], d)?)?;
                Ok(Some(from_batch(&parts, [n, c, h, w], d)?))
            }
            Rewrite::Batched => Ok(None),
        }
    }
}

/// The dilation, if it is more than 1, the same in both directions, and the padding is that of
/// `"same"` for an odd kernel.
fn common_dilation(op: &Conv) -> Option<i64> {
    let [d, across] = op.dilation;
    let half = op.kernel.map(|k| k / 2 * d);
    let odd = op.kernel.iter().all(|k| k % 2 == 1);
    let same = op.padding.before == half && op.padding.after == half;
    (d > 1 && d == across && odd && same).then_some(i64::from(d))
}

/// `[N, C, H, W]` to `[d * d * N, C, H / d, W / d]`: rows and columns of each remainder modulo d
/// become pictures of their own. Channels are last in memory.
fn to_batch(x: &Tensor, [n, c, h, w]: [i64; 4], d: i64) -> Made {
    let pixels = x.f_permute([0, 2, 3, 1])?.f_reshape([n, h / d, d, w / d, d, c])?;
    let parts = pixels.f_permute([2, 4, 0, 1, 3, 5])?.f_reshape([d * d * n, h / d, w / d, c])?;
    Ok(parts.f_permute([0, 3, 1, 2])?)
}

/// The inverse of [`to_batch`].
fn from_batch(x: &Tensor, [n, c, h, w]: [i64; 4], d: i64) -> Made {
    let parts = x.f_permute([0, 2, 3, 1])?.f_reshape([d, d, n, h / d, w / d, c])?;
    let pixels = parts.f_permute([2, 3, 0, 4, 1, 5])?.f_reshape([n, h, w, c])?;
    Ok(pixels.f_permute([0, 3, 1, 2])?)
}

/// A transposed convolution of maps with a kernel `[C, out / groups, kh, kw]`. libtorch takes as
/// much off both sides; what more is to go from one of them is cut off afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TransposedConvolution {
    /// What libtorch takes off both sides.
    both: [i64; 2],
    stride: [i64; 2],
    dilation: [i64; 2],
    output_padding: [i64; 2],
    groups: i64,
    /// Rows and columns that go afterwards: first and in all, of each.
    cut: Option<[[i64; 2]; 2]>,
}

impl TransposedConvolution {
    pub(crate) fn new(op: &ConvTranspose) -> Self {
        let ([top, left], [bottom, right]) = (pair(op.padding.before), pair(op.padding.after));
        let [rows, columns] = [top.min(bottom), left.min(right)];
        let cut = [[top - rows, (top - bottom).abs()], [left - columns, (left - right).abs()]];
        Self {
            both: [rows, columns],
            stride: pair(op.stride),
            dilation: pair(op.dilation),
            output_padding: pair(op.output_padding),
            groups: i64::from(op.groups.get()),
            cut: (op.padding.before != op.padding.after).then_some(cut),
        }
    }

    pub(crate) fn run(&self, x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>) -> Made {
        let Self { both, stride, dilation, output_padding, groups, cut } = self;
        let y =
            x.f_conv_transpose2d(kernel, bias, stride, both, output_padding, *groups, dilation)?;
        match (cut, y.size().as_slice()) {
            (Some([[top, rows], [left, columns]]), &[_, _, h, w]) => {
                Ok(y.f_narrow(2, *top, h - rows)?.f_narrow(3, *left, w - columns)?)
            }
            _ => Ok(y),
        }
    }
}
