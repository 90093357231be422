//! Pools: where the padding of a window is not the same on both sides, or windows reach beyond it,
//! the map is padded beforehand.

use nas_ir::Shape;
use nas_ir::ops::{self, Padding};
use tch::Tensor;

use super::margin::{Margin, Sides, padded, pair, sides};
use crate::error::TorchError;

type Made = Result<Tensor, TorchError>;

/// A pool that takes the maximum of each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MaxPool {
    window: ops::Pool,
    planned: Planned<Margin>,
}

/// A pool that takes the mean of each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AvgPool {
    op: ops::AvgPool,
    planned: Planned<Mean>,
}

/// What depends on how far windows reach beyond a map, and so on its size: planned for the size in
/// the checked network, and found anew for a map of another size, which a crop makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Planned<T> {
    size: [u32; 2],
    plan: T,
}

impl<T: Copy> Planned<T> {
    fn new(shape: Shape, plan: impl FnOnce([u32; 2]) -> T) -> Result<Self, TorchError> {
        let size = shape.plane().ok_or_else(no_map)?;
        Ok(Self { size, plan: plan(size) })
    }

    fn of(&self, x: &Tensor, plan: impl FnOnce([u32; 2]) -> T) -> Result<T, TorchError> {
        let &[_, _, h, w] = x.size().as_slice() else { return Err(no_map()) };
        let [Ok(h), Ok(w)] = [h, w].map(u32::try_from) else { return Err(no_map()) };
        Ok(if [h, w] == self.size { self.plan } else { plan([h, w]) })
    }
}

fn no_map() -> TorchError {
    TorchError::broken("a pool of what is no map")
}

/// How the means of windows are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mean {
    /// By libtorch, with this padding.
    Direct([i64; 2]),
    /// The sum over each window of the map with `whole` around it, divided by the number of its
    /// pixels that count.
    Sum { whole: Sides, counted: Counted },
}

/// Which pixels count in a mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    /// Those of the map.
    Map,
    /// Those of the padding too, but not what lies beyond it.
    Padding { own: Sides, beyond: Sides },
}

impl MaxPool {
    pub(crate) fn new(op: &ops::MaxPool, from: Shape) -> Result<Self, TorchError> {
        let window = op.window;
        let planned = Planned::new(from, |size| Margin::of(window.whole_padding(size)))?;
        Ok(Self { window, planned })
    }

    pub(crate) fn run(&self, x: &Tensor) -> Made {
        let Self { window, planned } = self;
        let margin = planned.of(x, |size| Margin::of(window.whole_padding(size)))?;
        let (padded, padding) = margin.apply(x, f64::NEG_INFINITY)?;
        let (kernel, stride) = (pair(window.kernel), pair(window.stride));
        Ok(padded.f_max_pool2d(kernel, stride, padding, [1, 1], false)?)
    }
}

impl AvgPool {
    pub(crate) fn new(op: &ops::AvgPool, from: Shape) -> Result<Self, TorchError> {
        Ok(Self { op: *op, planned: Planned::new(from, |size| Mean::new(op, size))? })
    }

    pub(crate) fn run(&self, x: &Tensor) -> Made {
        let Self { op, planned } = self;
        let (kernel, stride) = (pair(op.window.kernel), pair(op.window.stride));
        let (whole, counted) = match planned.of(x, |size| Mean::new(op, size))? {
            Mean::Direct(padding) => {
                let include = op.count_include_pad;
                return Ok(x.f_avg_pool2d(kernel, stride, padding, false, include, None)?);
            }
            Mean::Sum { whole, counted } => (whole, counted),
        };
        let sum = |x: &Tensor, around: Sides| -> Made {
            Ok(padded(x, around, 0.0)?.f_avg_pool2d(kernel, stride, [0, 0], false, true, 1)?)
        };
        let ones = x.f_narrow(0, 0, 1)?.f_narrow(1, 0, 1)?.f_ones_like()?;
        let count = match counted {
            Counted::Map => sum(&ones, whole)?,
            Counted::Padding { own, beyond } => sum(&padded(&ones, own, 1.0)?, beyond)?,
        };
        Ok(sum(x, whole)?.f_div(&count)?)
    }
}

impl Mean {
    /// For a map of this size.
    fn new(op: &ops::AvgPool, size: [u32; 2]) -> Self {
        let (own, whole) = (op.window.padding, op.window.whole_padding(size));
        if own == whole && own.before == own.after {
            return Self::Direct(pair(own.before));
        }
        let counted = if op.count_include_pad {
            let ([bottom, right], [own_bottom, own_right]) = (whole.after, own.after);
            let after = [bottom.saturating_sub(own_bottom), right.saturating_sub(own_right)];
            let beyond = sides(Padding { before: [0, 0], after });
            Counted::Padding { own: sides(own), beyond }
        } else {
            Counted::Map
        };
        Self::Sum { whole: sides(whole), counted }
    }
}

/// The values of the first map where the second one has its maxima.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MaxUnpool {
    kernel: [i64; 2],
    stride: [i64; 2],
}

impl MaxUnpool {
    pub(crate) fn new(op: &ops::MaxUnpool) -> Self {
        Self { kernel: pair(op.kernel), stride: pair(op.stride) }
    }

    pub(crate) fn run(&self, operands: &[Tensor]) -> Made {
        let Self { kernel, stride } = self;
        let [values, pooled] = operands else {
            return Err(TorchError::broken("an unpool without two maps"));
        };
        let &[.., h, w] = pooled.size().as_slice() else {
            return Err(TorchError::broken("an unpool of what is no map"));
        };
        let (_, places) =
            pooled.f_max_pool2d_with_indices(kernel, stride, [0, 0], [1, 1], false)?;
        Ok(values.f_max_unpool2d(&places, [h, w])?)
    }
}
