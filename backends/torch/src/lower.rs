//! Operators on libtorch: one exhaustive match, which networks and supernets share.

use std::num::NonZeroU32;

use nas_ir::ops::{BatchNorm, Border, Resize, ResizeMode, Shift};
use nas_ir::{Op, Shape};
use tch::{Device, Kind, TchError, Tensor};

use crate::convolution::{conv, conv_transpose};
use crate::dropout::{Dropped, Noise, dropped};
use crate::pool::{avg_pool, max_pool, max_unpool};

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
pub(crate) struct Site<'a> {
    /// The path of its node.
    pub(crate) node: &'a str,
    /// Where dropouts have their numbers from; without, they are the identity.
    pub(crate) noise: Option<Noise>,
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
    site: &Site<'_>,
) -> Made {
    let from = shapes.first().copied().unwrap_or(shape);
    let one = |operands: Vec<Value>| {
        site.tensor(operands.into_iter().next().unwrap_or(Value::Zero), from)
    };
    let x = |operands| one(operands).map(|(x, _)| x);
    let zeroed = |operands, p, what| kept(dropped(x(operands)?, p, what, site)?);
    match op {
        Op::Add(_) => add(operands),
        Op::AvgPool(pool) => made(avg_pool(pool, &x(operands)?)?),
        Op::BatchNorm(norm) => made(batch_norm(norm, &x(operands)?, weights, site.statistics)?),
        Op::ChannelPad(op) => {
            let [before, after] = [op.before, op.after].map(i64::from);
            let of_map = [0, 0, 0, 0, before, after];
            let of_vector = [before, after];
            let pads = if from.spatial().is_some() { of_map.as_slice() } else { &of_vector };
            made(x(operands)?.f_constant_pad_nd(pads)?)
        }
        Op::ChannelShuffle(op) => kept(x(operands)?.f_channel_shuffle(i64::from(op.groups.get()))?),
        Op::ChannelSlice(op) => {
            let length = i64::from(op.end) - i64::from(op.start);
            kept(x(operands)?.f_narrow(1, i64::from(op.start), length)?)
        }
        Op::Concat(_) => made(Tensor::f_cat(&site.tensors(operands, shapes)?, 1)?),
        Op::Conv(op) => made(conv(op, &x(operands)?, kernel(weights)?, weights.get(1))?),
        Op::ConvTranspose(op) => {
            kept(conv_transpose(op, &x(operands)?, kernel(weights)?, weights.get(1))?)
        }
        Op::Crop(op) => kept(crop(op.0, &x(operands)?)?),
        Op::DropPath(op) => zeroed(operands, op.p, Dropped::Pictures),
        Op::Dropout(op) => zeroed(operands, op.p, Dropped::Elements),
        Op::Flatten(_) => kept(x(operands)?.f_flatten(1, -1)?),
        Op::GlobalAvgPool(_) => made(x(operands)?.f_mean_dim([2i64, 3].as_slice(), true, None)?),
        Op::Hsigmoid(_) => made(x(operands)?.f_hardsigmoid()?),
        Op::Hswish(_) => made(x(operands)?.f_hardswish()?),
        Op::Identity(_) => Ok(operands.into_iter().next().unwrap_or(Value::Zero)),
        Op::LeakyRelu(op) => {
            let x = x(operands)?;
            made(x.f_prelu(
                &Tensor::f_from_slice(&[op.slope])?.f_to_device(x.device())?.f_to_kind(x.kind())?,
            )?)
        }
        Op::Linear(_) => {
            let vector = x(operands)?.f_flatten(1, -1)?;
            made(vector.f_linear(kernel(weights)?, weights.get(1))?)
        }
        Op::MaxPool(pool) => made(max_pool(pool, &x(operands)?)?),
        Op::MaxUnpool(op) => made(max_unpool(op, &site.tensors(operands, shapes)?)?),
        Op::Mul(_) => mul(operands),
        Op::Pad(op) => made(x(operands)?.f_constant_pad_nd(around(op.0))?),
        Op::Prelu(_) => made(x(operands)?.f_prelu(kernel(weights)?)?),
        // Autograd keeps the result of these two, so the memory of the operand can be reused.
        Op::Relu(_) => {
            let (mut x, fresh) = one(operands)?;
            kept(if fresh { x.f_relu_()? } else { x.f_relu()? })
        }
        Op::Relu6(_) => {
            let (mut x, fresh) = one(operands)?;
            kept(if fresh { x.f_relu6_()? } else { x.f_relu6()? })
        }
        Op::Resize(op) => made(resize(op, &x(operands)?, (from, shape), site)?),
        Op::Shift(op) => made(shift(op, &x(operands)?, from)?),
        Op::Sigmoid(_) => kept(x(operands)?.f_sigmoid()?),
        Op::SpatialDropout(op) => zeroed(operands, op.p, Dropped::Channels),
        Op::Swish(_) => made(x(operands)?.f_silu()?),
        Op::Tanh(_) => kept(x(operands)?.f_tanh()?),
        Op::Zero(_) => Ok(Value::Zero),
    }
}

/// The first of an operator's parameters.
fn kernel(weights: &[Tensor]) -> Result<&Tensor, TchError> {
    weights.first().ok_or_else(|| TchError::Shape("an operator without its weights".to_owned()))
}

impl Site<'_> {
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
    let (affine, [mean, variance]) = match weights {
        [mean, variance] => (None, [mean, variance]),
        [scale, shift, mean, variance] => (Some((scale, shift)), [mean, variance]),
        _ => return Err(TchError::Shape("a batch norm without its tensors".to_owned())),
    };
    let (training, running, momentum) = match statistics {
        Statistics::Running => (false, true, 0.0),
        Statistics::Batch => (true, false, 0.0),
        Statistics::Learn => (true, true, norm.momentum),
        Statistics::Average { seen } => (true, true, 1.0 / (f64::from(seen) + 1.0)),
    };
    let (mean, variance) = (running.then_some(mean), running.then_some(variance));
    let (scale, shift) = affine.unzip();
    x.f_batch_norm(scale, shift, mean, variance, training, momentum, norm.eps, true)
}

/// Left, right, top, bottom, as libtorch orders them.
fn around(border: Border) -> [i64; 4] {
    let Border { top, left, bottom, right } = border;
    [left, right, top, bottom].map(i64::from)
}

fn crop(border: Border, x: &Tensor) -> Result<Tensor, TchError> {
    let &[_, _, h, w] = x.size().as_slice() else {
        return Err(TchError::Shape("a crop of what is no map".to_owned()));
    };
    let [left, right, top, bottom] = around(border);
    x.f_narrow(2, top, h - top - bottom)?.f_narrow(3, left, w - left - right)
}

fn shift(op: &Shift, x: &Tensor, from: Shape) -> Result<Tensor, TchError> {
    let channels = NonZeroU32::new(from.channels()).unwrap_or(NonZeroU32::MIN);
    let (as_conv, kernel) = op.as_conv(channels);
    let sizes = [from.channels(), 1, op.kernel, op.kernel].map(i64::from);
    let kernel = Tensor::f_from_slice(&kernel)?
        .f_view(sizes)?
        .f_to_device(x.device())?
        .f_to_kind(x.kind())?;
    conv(&as_conv, x, &kernel, None)
}

/// As PyTorch's `interpolate`. On pictures of another size than the checked one, the result keeps its
/// proportion to the operand; what was pooled to a point says nothing of the size, so it keeps its
/// proportion to the pictures.
fn resize(
    op: &Resize,
    x: &Tensor,
    (from, to): (Shape, Shape),
    site: &Site<'_>,
) -> Result<Tensor, TchError> {
    let (&[_, _, h, w], Some([from_h, from_w]), Some([to_h, to_w])) =
        (x.size().as_slice(), from.spatial(), to.spatial())
    else {
        return Err(TchError::Shape("a resize of what is no map".to_owned()));
    };
    let ([height, width], [checked_h, checked_w]) = site.pictures;
    let size = match [from_h, from_w] {
        [1, 1] => [scaled(to_h, height, checked_h), scaled(to_w, width, checked_w)],
        _ => [scaled(to_h, h, i64::from(from_h)), scaled(to_w, w, i64::from(from_w))],
    };
    match op.mode {
        ResizeMode::Bilinear => x.f_upsample_bilinear2d(size, op.align_corners, None, None),
        ResizeMode::Nearest => nearest(x, [h, w], size),
    }
}

/// Row `y` of the result is row `floor(y * from / to)`. libtorch multiplies by the ratio in 32 bits,
/// which ends up a row off in some sizes; there the rows are listed.
fn nearest(x: &Tensor, [h, w]: [i64; 2], [to_h, to_w]: [i64; 2]) -> Result<Tensor, TchError> {
    let exact = |[from, to]: [i64; 2]| (0..to).map(move |at| at * from / to);
    let is_rounded = |[from, to]: [i64; 2]| {
        let ratio = from as f32 / to as f32;
        !(0..to).map(|at| (at as f32 * ratio) as i64).eq(exact([from, to]))
    };
    let [rows, columns] = [[h, to_h], [w, to_w]];
    if !is_rounded(rows) && !is_rounded(columns) {
        return x.f_upsample_nearest2d([to_h, to_w], None, None);
    }
    let listed = |sizes| {
        let places: Vec<i64> = exact(sizes).collect();
        Tensor::f_from_slice(&places)?.f_to_device(x.device())
    };
    x.f_index_select(2, &listed(rows)?)?.f_index_select(3, &listed(columns)?)
}
