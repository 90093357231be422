//! Operators on libtorch: one exhaustive match, which networks and supernets share.

use nas_compiler::ops::{AvgPool, BatchNorm, Crop, MaxPool, Op, Resize, ResizeMode};
use nas_compiler::shape::Shape;
use tch::{Device, Kind, TchError, Tensor};

use crate::convolution::{conv, symmetric};

/// The value of a node.
#[derive(Debug)]
pub(crate) enum Value {
    /// Zeros that no tensor is made for: beside a residual they cost nothing.
    Zero,
    /// A tensor `[N, C, H, W]`, or `[N, C]` for a vector.
    Tensor {
        /// The values.
        tensor: Tensor,
        /// Whether it may be overwritten once its last reader has it: nothing else refers to its
        /// memory, autograd included.
        fresh: bool,
    },
}

/// Which statistics batch norm normalises with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistics {
    /// The running ones (evaluation).
    Running,
    /// Those of the batch; the running ones stay as they are.
    Batch,
    /// Those of the batch; the running ones move towards them (training).
    Learn,
    /// Those of the batch; the running ones become the mean over the batches seen, this one
    /// included.
    Average {
        /// Batches seen before this one.
        seen: u32,
    },
}

/// What an operator sees beside its operands and parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    /// Which statistics batch norm takes.
    pub(crate) statistics: Statistics,
    /// Pictures in the batch.
    pub(crate) batch: i64,
    /// Height and width of the pictures, and of the input that the network was checked for.
    /// They differ in training on crops of another size.
    pub(crate) pictures: ([i64; 2], [i64; 2]),
    /// Where tensors are made.
    pub(crate) device: Device,
}

type Made = Result<Value, TchError>;

fn made(tensor: Tensor) -> Made {
    Ok(Value::Tensor { tensor, fresh: true })
}

/// A tensor that autograd keeps, or that shares its memory.
fn kept(tensor: Tensor) -> Made {
    Ok(Value::Tensor { tensor, fresh: false })
}

/// The value of an operator. `shapes` are those of the operands in the checked network, `shape`
/// that of the result; `weights` are in the order of [`Op::weights`].
///
/// # Errors
/// libtorch's: out of memory, or a crop that does not fit the network.
pub(crate) fn forward(
    op: &Op,
    operands: Vec<Value>,
    weights: &[Tensor],
    (shapes, shape): (&[Shape], Shape),
    site: &Site,
) -> Made {
    match op {
        Op::Add(_) => add(operands),
        Op::Mul(_) => mul(operands),
        Op::Identity(_) => Ok(operands.into_iter().next().unwrap_or(Value::Zero)),
        Op::Zero(_) => Ok(Value::Zero),
        Op::Concat(_) => made(Tensor::f_cat(&site.tensors(operands, shapes)?, 1)?),
        Op::AvgPool(_)
        | Op::BatchNorm(_)
        | Op::Conv(_)
        | Op::Crop(_)
        | Op::GlobalAvgPool(_)
        | Op::Hswish(_)
        | Op::MaxPool(_)
        | Op::Relu(_)
        | Op::Relu6(_)
        | Op::Resize(_)
        | Op::Sigmoid(_) => {
            let from = shapes.first().copied().unwrap_or(shape);
            let operand = operands.into_iter().next().unwrap_or(Value::Zero);
            let (x, fresh) = site.tensor(operand, from)?;
            unary(op, x, fresh, weights, (from, shape), site)
        }
    }
}

/// Operators of one operand that is a tensor.
fn unary(
    op: &Op,
    mut x: Tensor,
    fresh: bool,
    weights: &[Tensor],
    (from, to): (Shape, Shape),
    site: &Site,
) -> Made {
    match op {
        Op::AvgPool(pool) => made(avg_pool(pool, &x)?),
        Op::BatchNorm(norm) => made(batch_norm(norm, &x, weights, site.statistics)?),
        Op::Conv(op) => {
            let missing = || TchError::Shape("a convolution without a kernel".to_owned());
            made(conv(op, &x, weights.first().ok_or_else(missing)?, weights.get(1))?)
        }
        Op::Crop(op) => kept(crop(op, &x)?),
        Op::GlobalAvgPool(_) => made(x.f_mean_dim([2i64, 3].as_slice(), true, None)?),
        Op::Hswish(_) => made(x.f_hardswish()?),
        Op::MaxPool(pool) => made(max_pool(pool, &x)?),
        // Autograd keeps the result of these two, so the memory of the operand can be reused.
        Op::Relu(_) => kept(if fresh { x.f_relu_()? } else { x.f_relu()? }),
        Op::Relu6(_) => kept(if fresh { x.f_relu6_()? } else { x.f_relu6()? }),
        Op::Resize(op) => made(resize(op, &x, from, to)?),
        Op::Sigmoid(_) => kept(x.f_sigmoid()?),
        // INVARIANT: `forward` handles these itself.
        Op::Add(_) | Op::Concat(_) | Op::Identity(_) | Op::Mul(_) | Op::Zero(_) => kept(x),
    }
}

impl Site {
    /// The tensor of a value, zeros made if need be; whether it may be overwritten.
    pub(crate) fn tensor(&self, value: Value, shape: Shape) -> Result<(Tensor, bool), TchError> {
        match value {
            Value::Tensor { tensor, fresh } => Ok((tensor, fresh)),
            Value::Zero => {
                let zeros = Tensor::f_zeros(self.dims(shape), (Kind::Float, self.device))?;
                Ok((zeros, true))
            }
        }
    }

    fn tensors(&self, values: Vec<Value>, shapes: &[Shape]) -> Result<Vec<Tensor>, TchError> {
        let shaped = values.into_iter().zip(shapes);
        shaped.map(|(value, &shape)| Ok(self.tensor(value, shape)?.0)).collect()
    }

    /// The sizes that a tensor of this shape has here.
    fn dims(&self, shape: Shape) -> Vec<i64> {
        let mut dims = vec![self.batch, i64::from(shape.channels())];
        if let Some([h, w]) = shape.spatial() {
            let ([height, width], [of_height, of_width]) = self.pictures;
            dims.push(scaled(h, height, of_height));
            dims.push(scaled(w, width, of_width));
        }
        dims
    }
}

/// A size as it is where something of `of` pixels has `actual` instead: the same where both agree.
fn scaled(size: u32, actual: i64, of: i64) -> i64 {
    let (size, of) = (i64::from(size), of.max(1));
    ((size * actual + of / 2) / of).max(1)
}

fn pair([a, b]: [u32; 2]) -> [i64; 2] {
    [i64::from(a), i64::from(b)]
}

/// The operands are summed in order, into memory of their own where it may be overwritten.
fn add(operands: Vec<Value>) -> Made {
    let mut sum = Value::Zero;
    for operand in operands {
        sum = match (sum, operand) {
            (Value::Zero, other) | (other, Value::Zero) => other,
            (
                Value::Tensor { tensor: mut a, fresh: a_fresh },
                Value::Tensor { tensor: mut b, fresh: b_fresh },
            ) => made(if a_fresh {
                a.f_add_(&b)?
            } else if b_fresh {
                b.f_add_(&a)?
            } else {
                a.f_add(&b)?
            })?,
        };
    }
    Ok(sum)
}

fn mul(operands: Vec<Value>) -> Made {
    let mut product: Option<Value> = None;
    for operand in operands {
        product = Some(match (product, operand) {
            (Some(Value::Zero), _) | (_, Value::Zero) => Value::Zero,
            (None, Value::Tensor { tensor, .. }) => kept(tensor)?,
            (Some(Value::Tensor { tensor: a, .. }), Value::Tensor { tensor: b, .. }) => {
                made(a.f_mul(&b)?)?
            }
        });
    }
    Ok(product.unwrap_or(Value::Zero))
}

fn batch_norm(
    norm: &BatchNorm,
    x: &Tensor,
    weights: &[Tensor],
    statistics: Statistics,
) -> Result<Tensor, TchError> {
    let [scale, shift, mean, variance] = weights else {
        return Err(TchError::Shape("a batch norm without its four tensors".to_owned()));
    };
    let (training, running, momentum) = match statistics {
        Statistics::Running => (false, true, 0.0),
        Statistics::Batch => (true, false, 0.0),
        Statistics::Learn => (true, true, norm.momentum),
        Statistics::Average { seen } => (true, true, 1.0 / (f64::from(seen) + 1.0)),
    };
    let (mean, variance) = (running.then_some(mean), running.then_some(variance));
    x.f_batch_norm(Some(scale), Some(shift), mean, variance, training, momentum, norm.eps, true)
}

fn crop(op: &Crop, x: &Tensor) -> Result<Tensor, TchError> {
    let &[_, _, h, w] = x.size().as_slice() else {
        return Err(TchError::Shape("a crop of what is no map".to_owned()));
    };
    let [top, left] = pair([op.top, op.left]);
    let [bottom, right] = pair([op.bottom, op.right]);
    x.f_narrow(2, top, h - top - bottom)?.f_narrow(3, left, w - left - right)
}

fn max_pool(pool: &MaxPool, x: &Tensor) -> Result<Tensor, TchError> {
    let (padded, padding) = symmetric(x, pool.padding, f64::NEG_INFINITY)?;
    padded.f_max_pool2d(pair(pool.kernel), pair(pool.stride), padding, [1, 1], false)
}

fn avg_pool(pool: &AvgPool, x: &Tensor) -> Result<Tensor, TchError> {
    let (kernel, stride) = (pair(pool.kernel), pair(pool.stride));
    let (padded, padding) = symmetric(x, pool.padding, 0.0)?;
    let include = pool.count_include_pad;
    if pool.padding.before == pool.padding.after || include {
        return padded.f_avg_pool2d(kernel, stride, padding, false, include, None);
    }
    // The sum over each window, divided by the number of its pixels that are not padding.
    let ones = x.f_narrow(0, 0, 1)?.f_narrow(1, 0, 1)?.f_ones_like()?;
    let (ones, _) = symmetric(&ones, pool.padding, 0.0)?;
    let count = ones.f_avg_pool2d(kernel, stride, [0, 0], false, true, 1)?;
    padded.f_avg_pool2d(kernel, stride, [0, 0], false, true, 1)?.f_div(&count)
}

/// As PyTorch's `interpolate`. On a map of another size than the checked one, the result keeps
/// its proportion to the operand.
fn resize(op: &Resize, x: &Tensor, from: Shape, to: Shape) -> Result<Tensor, TchError> {
    let (&[_, _, h, w], Some([from_h, from_w]), Some([to_h, to_w])) =
        (x.size().as_slice(), from.spatial(), to.spatial())
    else {
        return Err(TchError::Shape("a resize of what is no map".to_owned()));
    };
    let size = [scaled(to_h, h, i64::from(from_h)), scaled(to_w, w, i64::from(from_w))];
    match op.mode {
        ResizeMode::Bilinear => x.f_upsample_bilinear2d(size, op.align_corners, None, None),
        ResizeMode::Nearest => x.f_upsample_nearest2d(size, None, None),
    }
}
