//! Convolutions, rewritten where libtorch's kernels for processors are slow, and transposed ones.
//!
//! oneDNN has no fast kernels for the gradients of a dilated depthwise convolution: they cost
//! fifteen forward passes each. But taps at distance d see one in d rows and columns. If stride and
//! dilation are both d, the result is that of stride 1 without dilation on every d-th row and
//! column; with stride 1, the d * d sub-maps are pictures of a larger batch under an undilated
//! kernel. Both are exact. A training step of a network of such layers takes 0.7 of the time.
//!
//! (Tried and no gain: a 5x5 kernel as the sum of 5x3 and two 5x1, whose weight gradients are
//! faster; the shifts cost as much.)

use nas_ir::ops::{Conv, ConvTranspose, Padding};
use tch::{Device, TchError, Tensor};

type Made = Result<Tensor, TchError>;

pub(crate) fn pair([a, b]: [u32; 2]) -> [i64; 2] {
    [i64::from(a), i64::from(b)]
}

/// The convolution of a map `[N, C, H, W]` with a kernel `[out, C / groups, kh, kw]`.
pub(crate) fn conv(op: &Conv, x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>) -> Made {
    let learns = x.requires_grad() || kernel.requires_grad();
    let Some(d) = common_dilation(op).filter(|_| learns && x.device() == Device::Cpu) else {
        return plain(op, x, kernel, bias);
    };
    let &[n, c, h, w] = x.size().as_slice() else { return plain(op, x, kernel, bias) };
    let undilated = |x: &Tensor| {
        let padding = pair(op.kernel.map(|k| k / 2));
        x.f_conv2d(kernel, bias, [1, 1], padding, [1, 1], i64::from(op.groups.get()))
    };
    let is_depthwise = c == i64::from(op.groups.get()) && op.out == op.groups.get();
    if !is_depthwise {
        plain(op, x, kernel, bias)
    } else if pair(op.stride) == [d, d] {
        let picked = x.f_slice(2, 0, h, d)?.f_slice(3, 0, w, d)?;
        undilated(&picked.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
    } else if op.stride == [1, 1] && h % d == 0 && w % d == 0 {
        from_batch(&undilated(&to_batch(x, [n, c, h, w], d)?)?, [n, c, h, w], d)
    } else {
        plain(op, x, kernel, bias)
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

fn plain(op: &Conv, x: &Tensor, kernel: &Tensor, bias: Option<&Tensor>) -> Made {
    let (padded, padding) = symmetric(x, op.padding, 0.0)?;
    let (stride, dilation) = (pair(op.stride), pair(op.dilation));
    padded.f_conv2d(kernel, bias, stride, padding, dilation, i64::from(op.groups.get()))
}

/// The transposed convolution of a map with a kernel `[C, out / groups, kh, kw]`. libtorch takes as
/// much off both sides; what more is to go from one of them is cut off afterwards.
pub(crate) fn conv_transpose(
    op: &ConvTranspose,
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
) -> Made {
    let ([top, left], [bottom, right]) = (pair(op.padding.before), pair(op.padding.after));
    let both = [top.min(bottom), left.min(right)];
    let (stride, dilation) = (pair(op.stride), pair(op.dilation));
    let (more, groups) = (pair(op.output_padding), i64::from(op.groups.get()));
    let y = x.f_conv_transpose2d(kernel, bias, stride, both, more, groups, dilation)?;
    if op.padding.before == op.padding.after {
        return Ok(y);
    }
    let &[_, _, h, w] = y.size().as_slice() else { return Ok(y) };
    let [rows, columns] = [top.abs_diff(bottom), left.abs_diff(right)].map(|n| n as i64);
    y.f_narrow(2, top - both[0], h - rows)?.f_narrow(3, left - both[1], w - columns)
}

/// A map with a border of this value.
pub(crate) fn padded(x: &Tensor, padding: Padding, value: f64) -> Made {
    let ([top, left], [bottom, right]) = (pair(padding.before), pair(padding.after));
    x.f_pad([left, right, top, bottom], "constant", value)
}

/// libtorch pads both sides alike; where the sides differ, the map is padded beforehand.
pub(crate) fn symmetric(
    x: &Tensor,
    padding: Padding,
    value: f64,
) -> Result<(Tensor, [i64; 2]), TchError> {
    if padding.before == padding.after {
        return Ok((x.shallow_clone(), pair(padding.before)));
    }
    Ok((padded(x, padding, value)?, [0, 0]))
}

/// `[N, C, H, W]` to `[d * d * N, C, H / d, W / d]`: rows and columns of each remainder modulo d
/// become pictures of their own. Channels are last in memory.
fn to_batch(x: &Tensor, [n, c, h, w]: [i64; 4], d: i64) -> Made {
    let pixels = x.f_permute([0, 2, 3, 1])?.f_reshape([n, h / d, d, w / d, d, c])?;
    let parts = pixels.f_permute([2, 4, 0, 1, 3, 5])?.f_reshape([d * d * n, h / d, w / d, c])?;
    parts.f_permute([0, 3, 1, 2])
}

/// The inverse of [`to_batch`].
fn from_batch(x: &Tensor, [n, c, h, w]: [i64; 4], d: i64) -> Made {
    let parts = x.f_permute([0, 2, 3, 1])?.f_reshape([d, d, n, h / d, w / d, c])?;
    let pixels = parts.f_permute([2, 3, 0, 4, 1, 5])?.f_reshape([n, h, w, c])?;
    pixels.f_permute([0, 3, 1, 2])
}
