//! Every operator by its definition: direct loops in 64 bits, no sharing with any engine.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "definitions read as formulas do; what they index is there in a model that verifies, and the caller's process is \
              its own"
)]

use nas_ir::grid::to_half;
use nas_ir::ops::{
    AvgPool, Conv, ConvTranspose, MaxPool, MaxUnpool, Padding, Pool, Resize, ResizeMode, Shift,
};
use nas_ir::{Model, Op, Precision, Shape, Tensor};

/// A value, seen as a map: what does not have two directions beside the channels is one column.
#[derive(Clone)]
struct Map {
    shape: Shape,
    data: Vec<f64>,
}

impl Map {
    fn sizes(&self) -> [usize; 3] {
        let column = [self.shape.positions() as usize, 1];
        let [h, w] = self.shape.plane().map_or(column, |size| size.map(|d| d as usize));
        [self.shape.channels() as usize, h, w]
    }

    fn at(&self, c: usize, y: usize, x: usize) -> f64 {
        let [_, h, w] = self.sizes();
        self.data[(c * h + y) * w + x]
    }

    /// The value at a place that may lie outside.
    fn inside(&self, c: usize, y: i64, x: i64) -> Option<f64> {
        let [_, h, w] = self.sizes();
        let inside = (0..h as i64).contains(&y) && (0..w as i64).contains(&x);
        inside.then(|| self.at(c, y as usize, x as usize))
    }

    fn build(shape: Shape, mut value: impl FnMut(usize, usize, usize) -> f64) -> Self {
        let mut map = Self { shape, data: Vec::new() };
        let [channels, h, w] = map.sizes();
        for c in 0..channels {
            for y in 0..h {
                for x in 0..w {
                    map.data.push(value(c, y, x));
                }
            }
        }
        map
    }

    fn each(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape, data: self.data.iter().map(|&x| f(x)).collect() }
    }
}

/// The outputs of the network, in order, for a batch of any size. `weights` and `inputs` must be those of the network.
#[must_use]
pub fn run(model: &Model, inputs: &[Tensor]) -> Vec<Tensor> {
    let values = values(model, inputs);
    model.network.outputs.iter().map(|port| values[port.node].clone()).collect()
}

/// The value of each node, in order, for a batch of any size. `weights` and `inputs` must be those of the network.
#[must_use]
pub fn values(model: &Model, inputs: &[Tensor]) -> Vec<Tensor> {
    let batch =
        inputs.first().and_then(|input| input.dims.first()).map_or(1, |&batch| batch.max(1));
    let mut all: Vec<Vec<f32>> = vec![Vec::new(); model.network.nodes.len()];
    for image in 0..batch as usize {
        for (of_node, map) in all.iter_mut().zip(of_image(model, inputs, image)) {
            of_node.extend(map.data.iter().map(|&x| x as f32));
        }
    }
    let nodes = model.network.nodes.iter().zip(all);
    nodes.map(|(node, data)| Tensor::of_floats(node.shape.batched(batch), data)).collect()
}

/// The value of each node for one image of a batch.
fn of_image(Model { network, weights }: &Model, inputs: &[Tensor], image: usize) -> Vec<Map> {
    let floats = |tensor: &Tensor| -> Vec<f64> {
        tensor.floats().unwrap().iter().map(|&x| f64::from(x)).collect()
    };
    let mut values: Vec<Map> = Vec::new();
    for (index, node) in network.nodes.iter().enumerate() {
        let operands: Vec<Map> = node.inputs.iter().map(|&i| values[i].clone()).collect();
        let weight = |tensor: &str| floats(&weights[&format!("{}.{tensor}", node.name)]);
        let value = match &node.op {
            Some(op) => apply(op, &operands, &weight, node.shape),
            None => {
                let port = network.inputs.iter().position(|p| p.node == index).unwrap();
                let each = node.shape.elements() as usize;
                let data = floats(&inputs[port])[image * each..][..each].to_vec();
                Map { shape: node.shape, data }
            }
        };
        let value = match node.rounding.precision {
            Precision::Fp16 => value.each(|x| f64::from(to_half(x as f32))),
            Precision::Fp32 | Precision::Int8 => value,
        };
        values.push(match node.rounding.value {
            Some(grid) => value.each(|x| grid.round(x)),
            None => value,
        });
    }
    values
}

fn apply(op: &Op, operands: &[Map], weight: &dyn Fn(&str) -> Vec<f64>, shape: Shape) -> Map {
    let relu6 = |x: f64| x.clamp(0.0, 6.0);
    match op {
        Op::Add(_) => broadcast(operands, shape, |a, b| a + b),
        Op::AvgPool(pool) => avg_pool(pool, &operands[0], shape),
        Op::BatchNorm(norm) => {
            let [mean, variance] = ["running_mean", "running_var"].map(weight);
            let affine = norm.affine.then(|| ["weight", "bias"].map(weight));
            Map::build(shape, |c, y, x| {
                let normal = (operands[0].at(c, y, x) - mean[c]) / (variance[c] + norm.eps).sqrt();
                affine.as_ref().map_or(normal, |[scale, shift]| normal * scale[c] + shift[c])
            })
        }
        Op::ChannelPad(op) => Map::build(shape, |c, y, x| {
            let c = c.checked_sub(op.before as usize);
            let c = c.filter(|&c| c < operands[0].sizes()[0]);
            c.map_or(0.0, |c| operands[0].at(c, y, x))
        }),
        Op::ChannelShuffle(op) => {
            let groups = op.groups.get() as usize;
            let each = operands[0].sizes()[0] / groups;
            Map::build(shape, |c, y, x| operands[0].at(c % groups * each + c / groups, y, x))
        }
        Op::ChannelSlice(op) => {
            Map::build(shape, |c, y, x| operands[0].at(c + op.start as usize, y, x))
        }
        Op::Concat(_) => {
            Map { shape, data: operands.iter().flat_map(|map| map.data.clone()).collect() }
        }
        Op::Conv(op) => {
            let bias = op.bias.then(|| weight("bias"));
            conv(op, &operands[0], &weight("weight"), bias.as_deref(), shape)
        }
        Op::ConvTranspose(op) => {
            let bias = op.bias.then(|| weight("bias"));
            conv_transpose(op, &operands[0], &weight("weight"), bias.as_deref(), shape)
        }
        Op::Crop(crop) => Map::build(shape, |c, y, x| {
            operands[0].at(c, y + crop.0.top as usize, x + crop.0.left as usize)
        }),
        Op::DropPath(_) | Op::Dropout(_) | Op::SpatialDropout(_) => operands[0].clone(),
        Op::Flatten(_) => Map { shape, data: operands[0].data.clone() },
        Op::GlobalAvgPool(_) => {
            let [_, h, w] = operands[0].sizes();
            let sums = operands[0].data.chunks(h * w).map(|plane| plane.iter().sum::<f64>());
            Map { shape, data: sums.map(|sum| sum / (h * w) as f64).collect() }
        }
        Op::Hsigmoid(_) => operands[0].each(|x| relu6(x + 3.0) / 6.0),
        Op::Hswish(_) => operands[0].each(|x| x * relu6(x + 3.0) / 6.0),
        Op::Identity(_) => operands[0].clone(),
        Op::LeakyRelu(op) => operands[0].each(|x| if x > 0.0 { x } else { op.slope * x }),
        Op::Linear(op) => {
            let (kernel, bias) = (weight("weight"), op.bias.then(|| weight("bias")));
            let rows = kernel.chunks(operands[0].data.len()).enumerate();
            let sum =
                |row: &[f64]| row.iter().zip(&operands[0].data).map(|(w, x)| w * x).sum::<f64>();
            let data = rows.map(|(o, row)| sum(row) + bias.as_ref().map_or(0.0, |bias| bias[o]));
            Map { shape, data: data.collect() }
        }
        Op::MaxPool(pool) => max_pool(pool, &operands[0], shape),
        Op::MaxUnpool(op) => max_unpool(op, &operands[0], &operands[1]),
        Op::Mul(_) => broadcast(operands, shape, |a, b| a * b),
        Op::Pad(pad) => Map::build(shape, |c, y, x| {
            let [y, x] = [y as i64 - i64::from(pad.0.top), x as i64 - i64::from(pad.0.left)];
            operands[0].inside(c, y, x).unwrap_or(0.0)
        }),
        Op::Prelu(_) => {
            let slope = weight("weight");
            Map::build(shape, |c, y, x| {
                let x = operands[0].at(c, y, x);
                if x > 0.0 { x } else { slope[c] * x }
            })
        }
        Op::Relu(_) => operands[0].each(|x| x.max(0.0)),
        Op::Relu6(_) => operands[0].each(relu6),
        Op::Resize(op) => resize(op, &operands[0], shape),
        Op::Shift(op) => shift(op, &operands[0]),
        Op::Sigmoid(_) => operands[0].each(|x| 1.0 / (1.0 + (-x).exp())),
        Op::Swish(_) => operands[0].each(|x| x / (1.0 + (-x).exp())),
        Op::Tanh(_) => operands[0].each(f64::tanh),
        Op::Zero(_) => Map::build(shape, |_, _, _| 0.0),
    }
}

fn broadcast(operands: &[Map], shape: Shape, f: impl Fn(f64, f64) -> f64) -> Map {
    let at = |map: &Map, c: usize, y: usize, x: usize| {
        let [channels, h, w] = map.sizes();
        map.at(c.min(channels - 1), y.min(h - 1), x.min(w - 1))
    };
    Map::build(shape, |c, y, x| {
        let values = operands.iter().map(|map| at(map, c, y, x));
        values.reduce(&f).unwrap()
    })
}

/// The places in the input that a window at `(y, x)` covers.
fn window(
    [y, x]: [usize; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    padding: Padding,
) -> impl Iterator<Item = ([usize; 2], [i64; 2])> {
    let at = move |axis: usize, out: usize, tap: u32| {
        out as i64 * i64::from(stride[axis]) + i64::from(tap * dilation[axis])
            - i64::from(padding.before[axis])
    };
    (0..kernel[0]).flat_map(move |ky| {
        (0..kernel[1]).map(move |kx| ([ky as usize, kx as usize], [at(0, y, ky), at(1, x, kx)]))
    })
}

fn conv(op: &Conv, input: &Map, kernel: &[f64], bias: Option<&[f64]>, shape: Shape) -> Map {
    let groups = op.groups.get() as usize;
    let (per_group, out_per_group) = (input.sizes()[0] / groups, op.out as usize / groups);
    let [kh, kw] = op.kernel.map(|k| k as usize);
    Map::build(shape, |o, y, x| {
        let mut sum = bias.map_or(0.0, |bias| bias[o]);
        for i in 0..per_group {
            let channel = o / out_per_group * per_group + i;
            for ([ky, kx], [iy, ix]) in
                window([y, x], op.kernel, op.stride, op.dilation, op.padding)
            {
                let tap = kernel[((o * per_group + i) * kh + ky) * kw + kx];
                sum += tap * input.inside(channel, iy, ix).unwrap_or(0.0);
            }
        }
        sum
    })
}

/// Every input element, times the kernel, is added to the result around `stride` times its place.
fn conv_transpose(
    op: &ConvTranspose,
    input: &Map,
    kernel: &[f64],
    bias: Option<&[f64]>,
    shape: Shape,
) -> Map {
    let mut result = Map::build(shape, |o, _, _| bias.map_or(0.0, |bias| bias[o]));
    let ([channels, h, w], [_, height, width]) = (input.sizes(), result.sizes());
    let out_per_group = (op.out / op.groups) as usize;
    let per_group = channels / op.groups.get() as usize;
    for c in 0..channels {
        for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
            for ([ky, kx], [oy, ox]) in
                window([y, x], op.kernel, op.stride, op.dilation, op.padding)
            {
                let inside = (0..height as i64).contains(&oy) && (0..width as i64).contains(&ox);
                for o in (0..out_per_group).filter(|_| inside) {
                    let [kh, kw] = op.kernel.map(|k| k as usize);
                    let tap = kernel[((c * out_per_group + o) * kh + ky) * kw + kx];
                    let to = c / per_group * out_per_group + o;
                    let place = (to * height + oy as usize) * width + ox as usize;
                    result.data[place] += tap * input.at(c, y, x);
                }
            }
        }
    }
    result
}

/// The values of each window of a pool; `None` for what is padding.
fn pooled(pool: &Pool, input: &Map, shape: Shape, of: impl Fn(&[Option<f64>]) -> f64) -> Map {
    let [_, h, w] = input.sizes().map(|size| size as i64);
    let [below, right] = pool.padding.after.map(i64::from);
    Map::build(shape, |c, y, x| {
        let places = window([y, x], pool.kernel, pool.stride, [1, 1], pool.padding);
        // What lies beyond the padding is nothing at all.
        let within = places.filter(|(_, [y, x])| *y < h + below && *x < w + right);
        of(&within.map(|(_, [y, x])| input.inside(c, y, x)).collect::<Vec<_>>())
    })
}

fn avg_pool(op: &AvgPool, input: &Map, shape: Shape) -> Map {
    pooled(&op.window, input, shape, |values| {
        let inside: Vec<f64> = values.iter().copied().flatten().collect();
        let count = if op.count_include_pad { values.len() } else { inside.len() };
        inside.iter().sum::<f64>() / count as f64
    })
}

fn max_pool(op: &MaxPool, input: &Map, shape: Shape) -> Map {
    pooled(&op.window, input, shape, |values| {
        values.iter().copied().flatten().fold(f64::NEG_INFINITY, f64::max)
    })
}

fn max_unpool(op: &MaxUnpool, values: &Map, pooled: &Map) -> Map {
    let mut result = pooled.each(|_| 0.0);
    let ([channels, h, w], [_, height, width]) = (values.sizes(), pooled.sizes());
    let no_padding = Padding { before: [0, 0], after: [0, 0] };
    for c in 0..channels {
        for (y, x) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
            let places = window([y, x], op.kernel, op.stride, [1, 1], no_padding);
            let places = places.map(|(_, [y, x])| [y as usize, x as usize]);
            let best = places.reduce(|best, at| {
                let value = |[y, x]: [usize; 2]| pooled.at(c, y, x);
                if value(at) > value(best) { at } else { best }
            });
            let [py, px] = best.unwrap();
            result.data[(c * height + py) * width + px] = values.at(c, y, x);
        }
    }
    result
}

/// Channel c of each k * k in turn reads `(c / k - k / 2, c % k - k / 2)` away.
fn shift(op: &Shift, input: &Map) -> Map {
    let (k, dilation) = (i64::from(op.kernel), i64::from(op.dilation));
    let moving = input.sizes()[0] as i64 / (k * k) * (k * k);
    Map::build(input.shape, |c, y, x| {
        let channel = c as i64;
        let [dy, dx] =
            if channel < moving { [channel / k % k - k / 2, channel % k - k / 2] } else { [0, 0] };
        input.inside(c, y as i64 + dy * dilation, x as i64 + dx * dilation).unwrap_or(0.0)
    })
}

/// As PyTorch's `interpolate` documents it.
fn resize(op: &Resize, input: &Map, shape: Shape) -> Map {
    let [_, h, w] = input.sizes();
    let [height, width] = shape.plane().unwrap().map(|d| d as usize);
    let source = |at: usize, from: usize, to: usize| -> f64 {
        let (at, from, to) = (at as f64, from as f64, to as f64);
        match op.align_corners {
            true if to > 1.0 => at * (from - 1.0) / (to - 1.0),
            true => 0.0,
            false => ((at + 0.5) * from / to - 0.5).max(0.0),
        }
    };
    Map::build(shape, |c, y, x| {
        if op.mode == ResizeMode::Nearest {
            return input.at(c, y * h / height, x * w / width);
        }
        let (sy, sx) = (source(y, h, height), source(x, w, width));
        let (y0, x0) = (sy.floor() as usize, sx.floor() as usize);
        let (y1, x1) = ((y0 + 1).min(h - 1), (x0 + 1).min(w - 1));
        let (fy, fx) = (sy - y0 as f64, sx - x0 as f64);
        let row = |y| input.at(c, y, x0) * (1.0 - fx) + input.at(c, y, x1) * fx;
        row(y0) * (1.0 - fy) + row(y1) * fy
    })
}
