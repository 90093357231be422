//! Sizes of maps and windows, and what is done with values when they are loaded.

/// Maps `[images, height, width, channels]` in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// Pictures.
    pub images: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, side by side in memory.
    pub channels: usize,
}

impl Map {
    /// Pixels of all pictures.
    #[must_use]
    pub fn pixels(self) -> usize {
        self.images * self.height * self.width
    }

    /// Floats.
    #[must_use]
    pub fn len(self) -> usize {
        self.pixels() * self.channels
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The same with other channels.
    #[must_use]
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }
}

/// The window of a convolution; height before width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Taps.
    pub kernel: [usize; 2],
    /// From one place to the next.
    pub stride: [usize; 2],
    /// From one tap to the next.
    pub dilation: [usize; 2],
    /// Zeros before the first row and column.
    pub before: [usize; 2],
    /// Zeros behind the last row and column.
    pub after: [usize; 2],
}

impl Window {
    /// Taps in all.
    #[must_use]
    pub fn taps(self) -> usize {
        self.kernel.iter().product()
    }

    /// What it makes of maps; `None` where it does not fit into them.
    #[must_use]
    pub fn of(self, map: Map) -> Option<Map> {
        let side = |axis: usize, size: usize| {
            let [kernel, stride, dilation, before, after] =
                [self.kernel, self.stride, self.dilation, self.before, self.after]
                    .map(|sizes| sizes[axis]);
            let free = (size + before + after).checked_sub(dilation * (kernel - 1) + 1)?;
            Some(free / stride + 1)
        };
        Some(Map { height: side(0, map.height)?, width: side(1, map.width)?, ..map })
    }
}

/// What a value becomes when it is loaded: `clamp(scale * x + shift)`, with a scale and a shift for each channel: a batch
/// norm whose statistics are known, and an activation.
#[derive(Debug, Clone, Copy)]
pub struct Norm<'a> {
    /// Of each channel.
    pub scale: &'a [f32],
    /// Of each channel.
    pub shift: &'a [f32],
    /// What follows.
    pub clamp: Clamp,
}

/// An activation that is linear between two bounds, and constant outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clamp {
    /// The lower bound.
    pub least: f32,
    /// The upper bound.
    pub most: f32,
}

impl Clamp {
    /// No activation.
    pub const NONE: Self = Self { least: f32::NEG_INFINITY, most: f32::INFINITY };
    /// The rectifier.
    pub const RELU: Self = Self { least: 0.0, most: f32::INFINITY };
    /// The rectifier up to 6.
    pub const RELU6: Self = Self { least: 0.0, most: 6.0 };
}

/// Mean and biased variance of each channel over all pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The means.
    pub mean: Vec<f32>,
    /// The variances.
    pub variance: Vec<f32>,
}

impl Moments {
    /// From sums of values and of their squares.
    pub(crate) fn of_sums(sums: &[f64], squares: &[f64], count: usize) -> Self {
        let count = count.max(1) as f64;
        let mean: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
        let variance = squares.iter().zip(&mean).map(|(square, mean)| {
            // Rounding may take it below zero, but not what is no number above.
            let variance = square / count - mean * mean;
            if variance < 0.0 { 0.0 } else { variance as f32 }
        });
        Self { variance: variance.collect(), mean: mean.iter().map(|&mean| mean as f32).collect() }
    }
}

/// The gradient with respect to values of which the moments were taken: `direct + constant + slope * value`.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    /// The values, `[pixels][channels]`.
    pub values: &'a [f32],
    /// The gradient with respect to them by all that reads them but their moments.
    pub direct: &'a [f32],
    /// Of each channel.
    pub constant: &'a [f32],
    /// Of each channel.
    pub slope: &'a [f32],
}

/// The gradient of moments with respect to the values that they are of, as [`Raw`] has it: constants and slopes.
#[must_use]
pub fn through_moments(
    moments: &Moments,
    by_mean: &[f32],
    by_variance: &[f32],
    count: usize,
) -> [Vec<f32>; 2] {
    let count = count.max(1) as f32;
    let slope: Vec<f32> = by_variance.iter().map(|by| 2.0 * by / count).collect();
    let means = moments.mean.iter().zip(by_mean);
    let constant = means.zip(&slope).map(|((mean, by), slope)| by / count - slope * mean);
    [constant.collect(), slope]
}
