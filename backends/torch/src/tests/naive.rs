//! Operators as plain loops over `[N, C, H, W]`, to compare libtorch with.

use nas_compiler::ops::{
    AvgPool, BatchNorm, Border, Conv, ConvTranspose, MaxPool, MaxUnpool, Padding, Pool, Resize,
    ResizeMode, Shift,
};

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
    let (inner, outer) = (channels / op.groups.get() as usize, (op.out / op.groups) as usize);
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

/// Every input element, times the kernel, is added to the result around `stride` times its place.
pub(crate) fn conv_transpose(op: &ConvTranspose, x: &Map, kernel: &[f64], bias: &[f64]) -> Map {
    let [n, channels, h, w] = x.dims;
    let [kh, kw] = op.kernel;
    let size = |axis: usize| {
        let extent = op.dilation[axis] * (op.kernel[axis] - 1) + 1;
        let full = (x.dims[2 + axis] as u32 - 1) * op.stride[axis] + extent;
        let rest = full - op.padding.before[axis] - op.padding.after[axis];
        (rest + op.output_padding[axis]) as usize
    };
    let (inner, outer) = (channels / op.groups.get() as usize, (op.out / op.groups) as usize);
    let bias = |_, o: usize, _, _| bias.get(o).copied().unwrap_or(0.0);
    let mut result = Map::from_fn([n, op.out as usize, size(0), size(1)], bias);
    let [_, out, height, width] = result.dims;
    for i in 0..x.data.len() {
        let (n, c, y, xx) = (i / (channels * h * w), i / (h * w) % channels, i / w % h, i % w);
        for (i, j) in (0..kh).flat_map(|i| (0..kw).map(move |j| (i, j))) {
            let (ty, tx) = tap([y, xx], [i, j], op.stride, op.dilation, op.padding);
            let (Ok(ty), Ok(tx)) = (usize::try_from(ty), usize::try_from(tx)) else { continue };
            for o in (0..outer).filter(|_| ty < height && tx < width) {
                let at = ((c * outer + o) * kh as usize + i as usize) * kw as usize + j as usize;
                let to = ((n * out + c / inner * outer + o) * height + ty) * width + tx;
                result.data[to] += x.at(n, c, y, xx) * kernel[at];
            }
        }
    }
    result
}

/// The number of windows along an axis: with `ceil`, also those that are only in part inside, if
/// they begin in the map or in the padding before it.
fn pool_windows(pool: &Pool, size: usize, axis: usize) -> usize {
    let (size, kernel, stride) = (size as u32, pool.kernel[axis], pool.stride[axis]);
    let (before, after) = (pool.padding.before[axis], pool.padding.after[axis]);
    let fits = |start: u32| match pool.ceil {
        true => {
            start < before + size && (start == 0 || start - stride + kernel < before + size + after)
        }
        false => start + kernel <= before + size + after,
    };
    (0..).take_while(|window| fits(window * stride)).count()
}

fn pool(x: &Map, pool: &Pool, of: impl Fn(&[Option<f64>]) -> f64) -> Map {
    let [n, c, h, w] = x.dims;
    let [below, right] = pool.padding.after.map(i64::from);
    let dims = [n, c, pool_windows(pool, h, 0), pool_windows(pool, w, 1)];
    Map::from_fn(dims, |n, c, y, xx| {
        let taps = (0..pool.kernel[0]).flat_map(|i| (0..pool.kernel[1]).map(move |j| [i, j]));
        let places = taps.map(|at| tap([y, xx], at, pool.stride, [1, 1], pool.padding));
        // What lies beyond the padding is nothing at all.
        let within = places.filter(|(ty, tx)| *ty < h as i64 + below && *tx < w as i64 + right);
        of(&within.map(|(ty, tx)| x.padded(n, c, ty, tx)).collect::<Vec<_>>())
    })
}

pub(crate) fn max_pool(op: &MaxPool, x: &Map) -> Map {
    pool(x, &op.window, |values| values.iter().copied().flatten().fold(f64::NEG_INFINITY, f64::max))
}

pub(crate) fn avg_pool(op: &AvgPool, x: &Map) -> Map {
    pool(x, &op.window, |values| {
        let inside: Vec<f64> = values.iter().copied().flatten().collect();
        let count = if op.count_include_pad { values.len() } else { inside.len() };
        inside.iter().sum::<f64>() / count as f64
    })
}

pub(crate) fn max_unpool(op: &MaxUnpool, values: &Map, pooled: &Map) -> Map {
    let [_, channels, h, w] = values.dims;
    let [_, _, height, width] = pooled.dims;
    let mut result = pooled.map(|_| 0.0);
    for (i, value) in values.data.iter().enumerate() {
        let (n, c, y, x) = (i / (channels * h * w), i / (h * w) % channels, i / w % h, i % w);
        let [top, left] = [y as u32 * op.stride[0], x as u32 * op.stride[1]];
        let taps = (0..op.kernel[0]).flat_map(|i| (0..op.kernel[1]).map(move |j| (i, j)));
        let places = taps.map(|(i, j)| ((top + i) as usize, (left + j) as usize));
        let value_at = |(y, x): (usize, usize)| pooled.at(n, c, y, x);
        let best = places.reduce(|a, b| if value_at(b) > value_at(a) { b } else { a });
        let (y, x) = best.unwrap();
        result.data[((n * channels + c) * height + y) * width + x] = *value;
    }
    result
}

pub(crate) fn crop(border: Border, x: &Map) -> Map {
    let Border { top, left, bottom, right } = border;
    let [n, c, h, w] = x.dims;
    let rest = [h - (top + bottom) as usize, w - (left + right) as usize];
    Map::from_fn([n, c, rest[0], rest[1]], |n, c, y, xx| {
        x.at(n, c, y + top as usize, xx + left as usize)
    })
}

pub(crate) fn pad(border: Border, x: &Map) -> Map {
    let Border { top, left, bottom, right } = border;
    let [n, c, h, w] = x.dims;
    let size = [h + (top + bottom) as usize, w + (left + right) as usize];
    Map::from_fn([n, c, size[0], size[1]], |n, c, y, xx| {
        let place = [y as i64 - i64::from(top), xx as i64 - i64::from(left)];
        x.padded(n, c, place[0], place[1]).unwrap_or(0.0)
    })
}

/// Channel c of each k * k in turn reads `(c / k - k / 2, c % k - k / 2)` away.
pub(crate) fn shift(op: &Shift, x: &Map) -> Map {
    let (k, dilation) = (op.kernel as i64, i64::from(op.dilation));
    let moving = x.dims[1] as i64 / (k * k) * (k * k);
    Map::from_fn(x.dims, |n, c, y, xx| {
        let channel = c as i64;
        let [dy, dx] = [channel / k % k - k / 2, channel % k - k / 2];
        let [dy, dx] = if channel < moving { [dy * dilation, dx * dilation] } else { [0, 0] };
        x.padded(n, c, y as i64 + dy, xx as i64 + dx).unwrap_or(0.0)
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
