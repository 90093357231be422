//! Operators as plain loops over `[N, C, H, W]`, to compare libtorch with.

use nas_compiler::ops::{AvgPool, BatchNorm, Conv, Crop, MaxPool, Padding, Resize, ResizeMode};

/// A map `[N, C, H, W]`, row-major, in double precision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Map {
    pub(crate) dims: [usize; 4],
    pub(crate) data: Vec<f64>,
}

impl Map {
    pub(crate) fn from_fn(
        dims: [usize; 4],
        mut f: impl FnMut(usize, usize, usize, usize) -> f64,
    ) -> Self {
        let [n, c, h, w] = dims;
        let mut data = Vec::new();
        for i in 0..n * c * h * w {
            data.push(f(i / (c * h * w), i / (h * w) % c, i / w % h, i % w));
        }
        Self { dims, data }
    }

    pub(crate) fn at(&self, n: usize, c: usize, y: usize, x: usize) -> f64 {
        let [_, channels, h, w] = self.dims;
        self.data[((n * channels + c) * h + y) * w + x]
    }

    /// The value at a place that may lie outside of the map.
    fn padded(&self, n: usize, c: usize, y: i64, x: i64) -> Option<f64> {
        let [_, _, h, w] = self.dims;
        let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
        (y < h && x < w).then(|| self.at(n, c, y, x))
    }

    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { dims: self.dims, data: self.data.iter().map(|&v| f(v)).collect() }
    }
}

/// The size of the result of a window along each axis.
fn windows(
    [h, w]: [usize; 2],
    kernel: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    padding: Padding,
) -> [usize; 2] {
    let size = |size: usize, axis: usize| {
        let extent = dilation[axis] * (kernel[axis] - 1) + 1;
        let padded = size as u32 + padding.before[axis] + padding.after[axis];
        ((padded - extent) / stride[axis] + 1) as usize
    };
    [size(h, 0), size(w, 1)]
}

/// Row and column in the map that tap (i, j) of the window at (y, x) reads.
fn tap(
    [y, x]: [usize; 2],
    [i, j]: [u32; 2],
    stride: [u32; 2],
    dilation: [u32; 2],
    padding: Padding,
) -> (i64, i64) {
    let at = |at: usize, tap: u32, axis: usize| {
        (at as u32 * stride[axis] + tap * dilation[axis]) as i64 - i64::from(padding.before[axis])
    };
    (at(y, i, 0), at(x, j, 1))
}

pub(crate) fn conv(op: &Conv, x: &Map, kernel: &[f64], bias: &[f64]) -> Map {
    let [n, channels, h, w] = x.dims;
    let [kh, kw] = op.kernel;
    let [oh, ow] = windows([h, w], op.kernel, op.stride, op.dilation, op.padding);
    let (inner, outer) = (channels / op.groups as usize, (op.out / op.groups) as usize);
    Map::from_fn([n, op.out as usize, oh, ow], |n, o, y, xx| {
        let mut sum = bias.get(o).copied().unwrap_or(0.0);
        for c in 0..inner {
            for i in 0..kh {
                for j in 0..kw {
                    let (ty, tx) = tap([y, xx], [i, j], op.stride, op.dilation, op.padding);
                    let value = x.padded(n, o / outer * inner + c, ty, tx).unwrap_or(0.0);
                    let at = ((o * inner + c) * kh as usize + i as usize) * kw as usize;
                    sum += value * kernel[at + j as usize];
                }
            }
        }
        sum
    })
}

fn pool(
    x: &Map,
    kernel: [u32; 2],
    stride: [u32; 2],
    padding: Padding,
    of: impl Fn(&[Option<f64>]) -> f64,
) -> Map {
    let [n, c, h, w] = x.dims;
    let [oh, ow] = windows([h, w], kernel, stride, [1, 1], padding);
    Map::from_fn([n, c, oh, ow], |n, c, y, xx| {
        let taps = (0..kernel[0]).flat_map(|i| (0..kernel[1]).map(move |j| [i, j]));
        let values = taps.map(|at| {
            let (ty, tx) = tap([y, xx], at, stride, [1, 1], padding);
            x.padded(n, c, ty, tx)
        });
        of(&values.collect::<Vec<_>>())
    })
}

pub(crate) fn max_pool(op: &MaxPool, x: &Map) -> Map {
    pool(x, op.kernel, op.stride, op.padding, |values| {
        values.iter().copied().flatten().fold(f64::NEG_INFINITY, f64::max)
    })
}

pub(crate) fn avg_pool(op: &AvgPool, x: &Map) -> Map {
    pool(x, op.kernel, op.stride, op.padding, |values| {
        let inside: Vec<f64> = values.iter().copied().flatten().collect();
        let count = if op.count_include_pad { values.len() } else { inside.len() };
        inside.iter().sum::<f64>() / count as f64
    })
}

pub(crate) fn crop(op: &Crop, x: &Map) -> Map {
    let [n, c, h, w] = x.dims;
    let rest = [h - (op.top + op.bottom) as usize, w - (op.left + op.right) as usize];
    Map::from_fn([n, c, rest[0], rest[1]], |n, c, y, xx| {
        x.at(n, c, y + op.top as usize, xx + op.left as usize)
    })
}

pub(crate) fn global_avg_pool(x: &Map) -> Map {
    let [n, c, h, w] = x.dims;
    Map::from_fn([n, c, 1, 1], |n, c, _, _| {
        (0..h * w).map(|i| x.at(n, c, i / w, i % w)).sum::<f64>() / (h * w) as f64
    })
}

/// Mean and biased variance of each channel.
pub(crate) fn moments(x: &Map) -> Vec<(f64, f64)> {
    let [n, c, h, w] = x.dims;
    let count = (n * h * w) as f64;
    let values = |c| (0..n * h * w).map(move |i| x.at(i / (h * w), c, i / w % h, i % w));
    (0..c)
        .map(|c| {
            let mean = values(c).sum::<f64>() / count;
            (mean, values(c).map(|v| (v - mean).powi(2)).sum::<f64>() / count)
        })
        .collect()
}

pub(crate) fn batch_norm(
    op: &BatchNorm,
    x: &Map,
    statistics: &[(f64, f64)],
    scale: &[f64],
    shift: &[f64],
) -> Map {
    Map::from_fn(x.dims, |n, c, y, xx| {
        let (mean, variance) = statistics[c];
        (x.at(n, c, y, xx) - mean) / (variance + op.eps).sqrt() * scale[c] + shift[c]
    })
}

/// As PyTorch's `interpolate`.
pub(crate) fn resize(op: &Resize, x: &Map, [oh, ow]: [usize; 2]) -> Map {
    let [n, c, h, w] = x.dims;
    let source = |at: usize, size: usize, out: usize| {
        if op.align_corners {
            let ratio = if out > 1 { (size - 1) as f64 / (out - 1) as f64 } else { 0.0 };
            return at as f64 * ratio;
        }
        ((at as f64 + 0.5) * size as f64 / out as f64 - 0.5).max(0.0)
    };
    Map::from_fn([n, c, oh, ow], |n, c, y, xx| match op.mode {
        ResizeMode::Nearest => x.at(n, c, y * h / oh, xx * w / ow),
        ResizeMode::Bilinear => {
            let (fy, fx) = (source(y, h, oh), source(xx, w, ow));
            let (y0, x0) = (fy.floor() as usize, fx.floor() as usize);
            let (y1, x1) = ((y0 + 1).min(h - 1), (x0 + 1).min(w - 1));
            let (dy, dx) = (fy - y0 as f64, fx - x0 as f64);
            let top = x.at(n, c, y0, x0) * (1.0 - dx) + x.at(n, c, y0, x1) * dx;
            let bottom = x.at(n, c, y1, x0) * (1.0 - dx) + x.at(n, c, y1, x1) * dx;
            top * (1.0 - dy) + bottom * dy
        }
    })
}
