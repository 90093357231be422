//! Changes of the colours of an image, at random.

use rand::Rng;

use crate::pixels::Pixels;
use crate::size::Size;

/// The weights of red, green and blue in luma (ITU-R BT.601), as augmentations of images commonly take it.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Multiplies brightness, contrast and saturation, in this order, each by a random factor from `1 - strength` to
/// `1 + strength`. Grey has no saturation, but as many numbers are drawn.
pub(crate) fn jitter(image: &mut Pixels, strength: f32, rng: &mut impl Rng) {
    let mut factor = || rng.random_range(1.0 - strength..=1.0 + strength);
    let factors = [factor(), factor(), factor()];
    brightness(image, factors[0]);
    contrast(image, factors[1]);
    saturation(image, factors[2]);
}

/// Multiplies the distance of all values from black.
pub(crate) fn brightness(image: &mut Pixels, factor: f32) {
    for value in &mut image.values {
        *value = blended(*value, 0.0, factor);
    }
}

/// Multiplies the distance of all values from the mean brightness of the image.
pub(crate) fn contrast(image: &mut Pixels, factor: f32) {
    let pixels = image.values.chunks_exact(image.channels.max(1));
    let lumas = pixels.map(|pixel| f64::from(luma(pixel)));
    let mean = lumas.sum::<f64>() / image.size.area().max(1) as f64;
    for value in &mut image.values {
        *value = blended(*value, mean as f32, factor);
    }
}

/// Multiplies the distance of the values of each pixel from its grey.
pub(crate) fn saturation(image: &mut Pixels, factor: f32) {
    for pixel in image.values.chunks_exact_mut(image.channels.max(1)) {
        let grey = luma(pixel);
        for value in pixel {
            *value = blended(*value, grey, factor);
        }
    }
}

/// How bright a pixel is, from 0 to 255.
fn luma(pixel: &[u8]) -> f32 {
    match pixel {
        [grey] => f32::from(*grey),
        _ => pixel.iter().zip(LUMA).map(|(value, weight)| f32::from(*value) * weight).sum(),
    }
}

/// The distance of a value from another one, times a factor.
pub(crate) fn blended(value: u8, from: f32, factor: f32) -> u8 {
    (from + (f32::from(value) - from) * factor).round().clamp(0.0, 255.0) as u8
}

/// Blurs an image by a Gaussian of this standard deviation, in pixels; beyond its edges, it goes on as it is there.
pub(crate) fn blur(image: &mut Pixels, deviation: f32) {
    let kernel = gaussian(deviation);
    let Pixels { size: Size { height, width }, channels, .. } = *image;
    let (height, width) = (height as usize, width as usize);
    let values: Vec<f32> = image.values.iter().copied().map(f32::from).collect();
    let across = convolved(&values, &kernel, width, channels);
    let both = convolved(&across, &kernel, height, channels * width);
    image.values = both.into_iter().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
}

/// The values of a Gaussian around its middle, of which the sum is 1, as far as three deviations.
fn gaussian(deviation: f32) -> Vec<f32> {
    let reach = (3.0 * deviation).ceil() as i32;
    let value = |at: i32| (-0.5 * (at as f32 / deviation.max(f32::MIN_POSITIVE)).powi(2)).exp();
    let values: Vec<f32> = (-reach..=reach).map(value).collect();
    let sum: f32 = values.iter().sum();
    values.into_iter().map(|value| value / sum).collect()
}

/// Values after a convolution along an axis of `len` places, between which lie `step` values.
fn convolved(values: &[f32], kernel: &[f32], len: usize, step: usize) -> Vec<f32> {
    let reach = kernel.len() / 2;
    let last = len.saturating_sub(1);
    let sum = |at: usize| {
        let place = at / step % len.max(1);
        let line = at - place * step;
        let weighed = kernel.iter().enumerate().map(|(nth, weight)| {
            let from = (place + nth).saturating_sub(reach).min(last);
            values.get(line + from * step).map_or(0.0, |value| value * weight)
        });
        weighed.sum::<f32>()
    };
    (0..values.len()).map(sum).collect()
}

/// A square that is cut out of an image.
pub(crate) struct Hole {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
}

impl Hole {
    /// A square of this side around a random pixel; it ends at the edges of the image.
    pub(crate) fn draw(side: u32, size: Size, rng: &mut impl Rng) -> Self {
        let mut range = |pixels: u32| {
            let start = i64::from(rng.random_range(0..pixels.max(1))) - i64::from(side / 2);
            let within = |at: i64| at.clamp(0, i64::from(pixels)) as usize;
            within(start)..within(start + i64::from(side))
        };
        Self { rows: range(size.height), columns: range(size.width) }
    }

    /// Sets it to 0, which is the mean, in normalised planes `[channels, H, W]`.
    pub(crate) fn cut(&self, planes: &mut [f32], size: Size) {
        for plane in planes.chunks_exact_mut(size.area().max(1)) {
            let lines = plane.chunks_exact_mut(size.width.max(1) as usize);
            for line in lines.take(self.rows.end).skip(self.rows.start) {
                if let Some(cut) = line.get_mut(self.columns.clone()) {
                    cut.fill(0.0);
                }
            }
        }
    }
}
