//! Pools: where the padding of a window is not the same on both sides, or windows reach beyond it,
//! the map is padded beforehand.

use nas_ir::ops::{AvgPool, MaxPool, MaxUnpool, Padding, Pool};
use tch::{TchError, Tensor};

use crate::convolution::{padded, pair, symmetric};

type Made = Result<Tensor, TchError>;

/// The padding with which the windows that lie inside of it are those of the pool.
fn whole_padding(pool: &Pool, x: &Tensor) -> Result<Padding, TchError> {
    let no_map = || TchError::Shape("a pool of what is no map".to_owned());
    let &[_, _, h, w] = x.size().as_slice() else { return Err(no_map()) };
    let [Ok(h), Ok(w)] = [h, w].map(u32::try_from) else { return Err(no_map()) };
    Ok(pool.whole_padding([h, w]))
}

pub(crate) fn max_pool(op: &MaxPool, x: &Tensor) -> Made {
    let pool = &op.window;
    let (padded, padding) = symmetric(x, whole_padding(pool, x)?, f64::NEG_INFINITY)?;
    padded.f_max_pool2d(pair(pool.kernel), pair(pool.stride), padding, [1, 1], false)
}

pub(crate) fn avg_pool(op: &AvgPool, x: &Tensor) -> Made {
    let pool = &op.window;
    let (kernel, stride) = (pair(pool.kernel), pair(pool.stride));
    let (own, whole) = (pool.padding, whole_padding(pool, x)?);
    if own == whole && own.before == own.after {
        let include = op.count_include_pad;
        return x.f_avg_pool2d(kernel, stride, pair(own.before), false, include, None);
    }
    // The sum over each window, divided by the number of its pixels that count.
    let sum = |x: &Tensor, padding: Padding| {
        padded(x, padding, 0.0)?.f_avg_pool2d(kernel, stride, [0, 0], false, true, 1)
    };
    let ones = x.f_narrow(0, 0, 1)?.f_narrow(1, 0, 1)?.f_ones_like()?;
    let count = if op.count_include_pad {
        let ones = padded(&ones, own, 1.0)?;
        let [below, right] = [0, 1].map(|axis| {
            let of = |pair: [u32; 2]| pair.get(axis).copied().unwrap_or_default();
            of(whole.after).saturating_sub(of(own.after))
        });
        sum(&ones, Padding { before: [0, 0], after: [below, right] })?
    } else {
        sum(&ones, whole)?
    };
    sum(x, whole)?.f_div(&count)
}

/// The values of the first tensor where the second one has its maxima.
pub(crate) fn max_unpool(op: &MaxUnpool, operands: &[Tensor]) -> Made {
    let [values, pooled] = operands else {
        return Err(TchError::Shape("an unpool without two maps".to_owned()));
    };
    let &[.., h, w] = pooled.size().as_slice() else {
        return Err(TchError::Shape("an unpool of what is no map".to_owned()));
    };
    let (kernel, stride) = (pair(op.kernel), pair(op.stride));
    let (_, places) = pooled.f_max_pool2d_with_indices(kernel, stride, [0, 0], [1, 1], false)?;
    values.f_max_unpool2d(&places, [h, w])
}
