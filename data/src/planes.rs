//! Numbers for each pixel, in planes: maps that are targets, and inputs that are no colours.

use image::metadata::Orientation;

use crate::opening::is_turned;
use crate::size::Size;

/// Numbers `[channels, H, W]`; one that is not known is NaN.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planes {
    /// Height and width.
    pub(crate) size: Size,
    /// Number of planes.
    pub(crate) channels: usize,
    /// Plane by plane, each row by row.
    pub(crate) values: Vec<f32>,
}

impl Planes {
    /// Planes of pixels that hold their channels side by side, `[H, W, channels]`.
    pub(crate) fn of_pixels(size: Size, channels: usize, pixels: &[f32]) -> Self {
        let of = |channel| pixels.iter().skip(channel).step_by(channels.max(1)).copied();
        Self { size, channels, values: (0..channels).flat_map(of).collect() }
    }

    /// The planes, `[H, W]` each.
    pub(crate) fn planes(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.size.area().max(1))
    }

    /// The same pixels the way up that an orientation says.
    pub(crate) fn oriented(self, orientation: Orientation) -> Self {
        if orientation == Orientation::NoTransforms {
            return self;
        }
        let Size { height, width } = self.size;
        let (bottom, right) = (height.saturating_sub(1), width.saturating_sub(1));
        // The row and the column of what comes to stand in a row and a column.
        let from = |y: u32, x: u32| match orientation {
            Orientation::NoTransforms => (y, x),
            Orientation::Rotate90 => (bottom - x, y),
            Orientation::Rotate180 => (bottom - y, right - x),
            Orientation::Rotate270 => (x, right - y),
            Orientation::FlipHorizontal => (y, right - x),
            Orientation::FlipVertical => (bottom - y, x),
            Orientation::Rotate90FlipH => (x, y),
            Orientation::Rotate270FlipH => (bottom - x, right - y),
        };
        let size =
            if is_turned(orientation) { Size { height: width, width: height } } else { self.size };
        let turned = |plane: &[f32]| -> Vec<f32> {
            let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x)));
            let values = places.map(|(y, x)| {
                let (y, x) = from(y, x);
                plane.get(y as usize * width as usize + x as usize).copied().unwrap_or_default()
            });
            values.collect()
        };
        let values = self.planes().flat_map(turned).collect();
        Self { size, values, ..self }
    }

    /// The first of them.
    pub(crate) fn first(mut self, channels: usize) -> Self {
        self.values.truncate(channels * self.size.area());
        Self { channels, ..self }
    }

    /// Each number times a factor, but those that mark what is not known.
    pub(crate) fn in_units(&mut self, scale: f32, invalid: Option<f32>) {
        for value in &mut self.values {
            let is_known = value.is_finite() && Some(*value) != invalid;
            *value = if is_known { *value * scale } else { f32::NAN };
        }
    }

    /// Bytes of its numbers.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<f32>() * self.values.len()
    }
}
