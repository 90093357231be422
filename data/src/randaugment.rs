//! RandAugment (Cubuk et al. 2020): some operations on an image, drawn anew for each, all of one strength.

use rand::Rng;

use crate::augment::{blended, brightness, contrast, saturation};
use crate::pixels::Pixels;
use crate::size::Size;

/// The greatest magnitude; the strengths of the operations are as in torchvision, whose magnitudes have 31 steps.
pub(crate) const MOST_MAGNITUDE: u32 = 30;
/// How much an image is sheared, turned (in degrees), moved (as a share of its side) and changed in colour at the greatest
/// magnitude.
const SHEAR: f32 = 0.3;
const TURN: f32 = 30.0;
const MOVE: f32 = 150.0 / 331.0;
const COLOUR: f32 = 0.9;
/// How many bits of a colour are lost at most.
const BITS: f32 = 4.0;

/// What is done to an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    /// To its colours, where they are.
    Colour(Colour),
    /// To the places of its pixels.
    Place(Warp),
}

/// A change of colours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Colour {
    Identity,
    AutoContrast,
    Equalize,
    /// From this value on, it is inverted.
    Solarize(f32),
    /// So many bits stay.
    Posterize(u32),
    Brightness(f32),
    Contrast(f32),
    Saturation(f32),
    Sharpness(f32),
}

/// Where the pixel at a place comes from, both from the middle of the image: `x = a x' + b y' + c`, and `y` likewise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Warp([[f32; 3]; 2]);

impl Change {
    /// One of the fourteen operations of the paper, or where pixels may not move, of the nine of colours, at a magnitude
    /// from 0 to [`MOST_MAGNITUDE`].
    pub(crate) fn draw(magnitude: u32, size: Size, may_warp: bool, rng: &mut impl Rng) -> Self {
        let share = magnitude as f32 / MOST_MAGNITUDE as f32;
        let kind = rng.random_range(0..if may_warp { 14 } else { 9 });
        let sign = if rng.random() { 1.0 } else { -1.0 };
        let (colour, signed) = (1.0 + sign * share * COLOUR, sign * share);
        let moved = |side: u32| (signed * MOVE * side as f32).trunc();
        let (sin, cos) = (signed * TURN).to_radians().sin_cos();
        match kind {
            0 => Self::Colour(Colour::Identity),
            1 => Self::Colour(Colour::AutoContrast),
            2 => Self::Colour(Colour::Equalize),
            3 => Self::Colour(Colour::Solarize(255.0 * (1.0 - share))),
            4 => Self::Colour(Colour::Posterize(8 - (share * BITS).round() as u32)),
            5 => Self::Colour(Colour::Brightness(colour)),
            6 => Self::Colour(Colour::Contrast(colour)),
            7 => Self::Colour(Colour::Saturation(colour)),
            8 => Self::Colour(Colour::Sharpness(colour)),
            9 => Self::Place(Warp([[1.0, signed * SHEAR, 0.0], [0.0, 1.0, 0.0]])),
            10 => Self::Place(Warp([[1.0, 0.0, 0.0], [signed * SHEAR, 1.0, 0.0]])),
            11 => Self::Place(Warp([[1.0, 0.0, moved(size.width)], [0.0, 1.0, 0.0]])),
            12 => Self::Place(Warp([[1.0, 0.0, 0.0], [0.0, 1.0, moved(size.height)]])),
            _ => Self::Place(Warp([[cos, sin, 0.0], [-sin, cos, 0.0]])),
        }
    }
}

impl Colour {
    pub(crate) fn apply(self, image: &mut Pixels) {
        match self {
            Self::Identity => {}
            Self::AutoContrast => each_channel(image, stretched),
            Self::Equalize => each_channel(image, equalized),
            Self::Solarize(from) => {
                let invert = |value: &mut u8| {
                    if f32::from(*value) >= from {
                        *value = 255 - *value;
                    }
                };
                image.values.iter_mut().for_each(invert);
            }
            Self::Posterize(bits) => {
                let mask = u8::MAX.checked_shl(8_u32.saturating_sub(bits)).unwrap_or_default();
                image.values.iter_mut().for_each(|value| *value &= mask);
            }
            Self::Brightness(factor) => brightness(image, factor),
            Self::Contrast(factor) => contrast(image, factor),
            Self::Saturation(factor) => saturation(image, factor),
            Self::Sharpness(factor) => sharpen(image, factor),
        }
    }
}

/// Maps the values of each channel by a table that is made of how often each occurs.
fn each_channel(image: &mut Pixels, table: impl Fn(&[u64; 256]) -> [u8; 256]) {
    let channels = image.channels.max(1);
    for channel in 0..channels {
        let mut counts = [0_u64; 256];
        for value in image.values.iter().skip(channel).step_by(channels) {
            if let Some(count) = counts.get_mut(usize::from(*value)) {
                *count += 1;
            }
        }
        let table = table(&counts);
        for value in image.values.iter_mut().skip(channel).step_by(channels) {
            *value = table.get(usize::from(*value)).copied().unwrap_or(*value);
        }
    }
}

/// The table of every value from a function of it.
fn mapped(of: impl Fn(u64) -> u64) -> [u8; 256] {
    let mut table = [0; 256];
    for (value, out) in (0..).zip(&mut table) {
        *out = of(value).min(255) as u8;
    }
    table
}

/// The least value becomes 0, the greatest 255.
fn stretched(counts: &[u64; 256]) -> [u8; 256] {
    let least = counts.iter().position(|&count| count > 0).unwrap_or_default() as u64;
    let most = counts.iter().rposition(|&count| count > 0).unwrap_or_default() as u64;
    let range = most.saturating_sub(least);
    if range == 0 {
        return mapped(|value| value);
    }
    mapped(|value| value.saturating_sub(least) * 255 / range)
}

/// All values become about equally frequent, as in PIL's `ImageOps.equalize`.
fn equalized(counts: &[u64; 256]) -> [u8; 256] {
    let last = counts.iter().rev().find(|&&count| count > 0).copied().unwrap_or_default();
    let step = (counts.iter().sum::<u64>() - last) / 255;
    if step == 0 {
        return mapped(|value| value);
    }
    mapped(|value| {
        let below: u64 = counts.iter().take(value as usize).sum();
        (step / 2 + below) / step
    })
}

/// Moves each inner pixel away from the mean around it by a factor, as PIL's `ImageEnhance.Sharpness` does.
fn sharpen(image: &mut Pixels, factor: f32) {
    let (width, channels) = (image.size.width as usize, image.channels);
    let before = image.values.clone();
    let at = |index: usize| before.get(index).copied().map_or(0.0, f32::from);
    for y in 1..(image.size.height as usize).saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            for channel in 0..channels {
                let index = |x: usize, y: usize| (y * width + x) * channels + channel;
                let around = (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| (x, y)));
                let sum: f32 = around.map(|(x, y)| at(index(x, y))).sum();
                let smooth = ((sum + 4.0 * at(index(x, y))) / 13.0).round();
                if let Some(value) = image.values.get_mut(index(x, y)) {
                    *value = blended(*value, smooth, factor);
                }
            }
        }
    }
}

impl Warp {
    /// Values of pixels, `each` for one, as they lie afterwards; those that come from outside are `fill`.
    pub(crate) fn moved<T: Copy>(&self, values: &[T], size: Size, fill: &[T]) -> Vec<T> {
        let each = fill.len();
        let mut out = Vec::with_capacity(values.len());
        for y in 0..size.height {
            for x in 0..size.width {
                let source = self.source([x, y], size).map(|place| place * each);
                let pixel = source.and_then(|start| values.get(start..start + each));
                out.extend_from_slice(pixel.unwrap_or(fill));
            }
        }
        out
    }

    /// The number of the pixel that comes to a place; none from outside of the image.
    fn source(&self, [x, y]: [u32; 2], size: Size) -> Option<usize> {
        let middle = [size.width, size.height].map(|side| (side as f32 - 1.0) / 2.0);
        let [dx, dy] = [x as f32 - middle[0], y as f32 - middle[1]];
        let Self(rows) = self;
        let of = |row: &[f32; 3]| row[0] * dx + row[1] * dy + row[2];
        let [x, y] = [(of(&rows[0]) + middle[0]).round(), (of(&rows[1]) + middle[1]).round()];
        let is_inside = x >= 0.0 && y >= 0.0 && x < size.width as f32 && y < size.height as f32;
        is_inside.then(|| y as usize * size.width as usize + x as usize)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn image(values: &[u8]) -> Pixels {
        let size = Size { height: 1, width: values.len() as u32 };
        Pixels { values: values.to_vec(), channels: 1, size }
    }

    fn changed(colour: Colour, values: &[u8]) -> Vec<u8> {
        let mut image = image(values);
        colour.apply(&mut image);
        image.values
    }

    #[test]
    fn colours_change_as_the_operations_say() {
        assert_eq!(changed(Colour::Identity, &[3, 200]), [3, 200]);
        assert_eq!(changed(Colour::AutoContrast, &[10, 20, 30]), [0, 127, 255]);
        assert_eq!(changed(Colour::AutoContrast, &[7, 7]), [7, 7]);
        assert_eq!(changed(Colour::Solarize(128.0), &[127, 128, 255]), [127, 127, 0]);
        assert_eq!(changed(Colour::Posterize(4), &[0xFF, 0x1F, 0x0F]), [0xF0, 0x10, 0]);
        assert_eq!(changed(Colour::Posterize(8), &[0xFF]), [0xFF]);
        assert_eq!(changed(Colour::Brightness(0.5), &[100, 40]), [50, 20]);
        assert_eq!(changed(Colour::Contrast(0.0), &[100, 50]), [75, 75]);
        // Of as many of each of 256 values each stays, but for the rounding; a dark half becomes light.
        let dark: Vec<u8> = (0..=255).flat_map(|value| [value / 2; 4]).collect();
        let light = changed(Colour::Equalize, &dark);
        assert!(light.iter().max() > Some(&250) && light.is_sorted());
    }

    #[test]
    fn sharpness_moves_pixels_away_from_the_mean_around_them() {
        let size = Size { height: 3, width: 3 };
        let mut values = vec![100; 9];
        values[4] = 113;
        let mut image = Pixels { values, channels: 1, size };
        let before = image.clone();
        Colour::Sharpness(1.0).apply(&mut image);
        assert_eq!(image, before);
        Colour::Sharpness(0.0).apply(&mut image);
        assert_eq!(image.values[4], 105);
        assert_eq!(image.values[0], 100);
    }

    #[test]
    fn pixels_move_with_all_their_values() {
        let size = Size { height: 1, width: 4 };
        let right = Warp([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]);
        assert_eq!(right.moved(&[1, 2, 3, 4], size, &[9]), [9, 1, 2, 3]);
        let left = Warp([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]);
        let moved = left.moved(&[1, 1, 2, 2, 3, 3, 4, 4], size, &[0, 7]);
        assert_eq!(moved, [3, 3, 4, 4, 0, 7, 0, 7]);
        let square = Size { height: 2, width: 2 };
        let turn = Warp([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]);
        assert_eq!(turn.moved(&[1, 2, 3, 4], square, &[9]), [3, 1, 4, 2]);
    }

    #[test]
    fn strength_grows_with_the_magnitude_and_every_operation_is_drawn() {
        let size = Size { height: 32, width: 64 };
        let drawn = |magnitude: u32| {
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let change = |_| Change::draw(magnitude, size, true, &mut rng);
            (0..200).map(change).collect::<Vec<Change>>()
        };
        let none = Warp([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        let is_nothing = |change: &Change| match change {
            Change::Place(warp) => *warp == none,
            Change::Colour(Colour::Solarize(from)) => *from >= 255.0,
            Change::Colour(Colour::Posterize(bits)) => *bits == 8,
            Change::Colour(
                Colour::Brightness(factor)
                | Colour::Contrast(factor)
                | Colour::Saturation(factor)
                | Colour::Sharpness(factor),
            ) => *factor == 1.0,
            Change::Colour(Colour::Identity | Colour::AutoContrast | Colour::Equalize) => true,
        };
        assert!(drawn(0).iter().all(is_nothing));
        let full = drawn(MOST_MAGNITUDE);
        assert!(full.contains(&Change::Place(Warp([[1.0, 0.3, 0.0], [0.0, 1.0, 0.0]]))));
        assert!(full.contains(&Change::Place(Warp([[1.0, 0.0, 0.0], [0.0, 1.0, -14.0]]))));
        assert!(full.contains(&Change::Colour(Colour::Posterize(4))));
        assert!(full.contains(&Change::Colour(Colour::Brightness(1.9))));
        let mut kinds: Vec<String> = full
            .iter()
            .map(|change| match change {
                Change::Colour(colour) => {
                    format!("{colour:?}").split('(').next().unwrap().to_owned()
                }
                Change::Place(Warp(rows)) => format!("{:?}", rows.map(|row| row.map(f32::abs))),
            })
            .collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), 14, "{kinds:?}");
    }
}
