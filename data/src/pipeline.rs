//! What happens to a picture between its file and a batch: resize, scale, crop, flip, normalise.

use std::error::Error;
use std::fmt;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{GrayImage, RgbImage};
use rand::Rng;

use crate::decode::Picture;
use crate::{DataError, Sample};

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of rows.
    pub height: u32,
    /// Number of columns.
    pub width: u32,
}

impl Size {
    pub(crate) fn area(self) -> usize {
        self.height as usize * self.width as usize
    }
}

/// From `(width, height)`, the order of the `image` crate.
impl From<(u32, u32)> for Size {
    fn from((width, height): (u32, u32)) -> Self {
        Self { height, width }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} high and {} wide", self.height, self.width)
    }
}

/// What is done to each picture, in the order of the fields from `resize` on. Images are
/// interpolated linearly (over all pixels they cover when they shrink), labels take the nearest pixel.
///
/// Training sets `scale`, `crop` and `flip`, which draw random numbers; evaluation sets none of
/// them, and `resize` to the size of the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pipeline {
    /// Number of classes; a label is below it, or `ignore`.
    pub classes: usize,
    /// The label of pixels that have no class, padding among them.
    pub ignore: u8,
    /// What is subtracted from red, green and blue, white being 1.
    pub mean: [f32; 3],
    /// What red, green and blue are then divided by.
    pub std: [f32; 3],
    /// The size to which the whole picture is brought, whatever its shape.
    pub resize: Option<Size>,
    /// The range of a random factor by which height and width then grow. Without `crop`, the result
    /// is cut or padded to the size that it had before.
    pub scale: Option<(f32, f32)>,
    /// The size of a random window. Where the picture is smaller, it lies at a random place in the
    /// window; the rest has the mean colour and the label `ignore`.
    pub crop: Option<Size>,
    /// Whether every other picture, at random, is mirrored left to right.
    pub flip: bool,
}

/// Working memory of a thread, kept from picture to picture.
pub(crate) type Scratch = Resizer;

/// Where a picture of a batch is written, and in which size.
pub(crate) struct Target<'a> {
    pub(crate) size: Size,
    /// `[3, H, W]`, filled with 0, which is the mean colour.
    pub(crate) image: &'a mut [f32],
    /// `[H, W]`, filled with the ignored label.
    pub(crate) labels: &'a mut [i64],
}

impl Pipeline {
    /// The same classes and colours for evaluation: whole pictures, brought to `size`, nothing random.
    pub fn evaluation(&self, size: Size) -> Self {
        Self { resize: Some(size), scale: None, crop: None, flip: false, ..*self }
    }

    /// # Errors
    /// A size has no pixels, `scale` is no range of positive factors, or `mean` or `std` is not in
    /// units where white is 1.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        for (setting, size) in [("resize", self.resize), ("crop", self.crop)] {
            if let Some(size) = size.filter(|size| size.area() == 0) {
                return Err(DataError::EmptySize { setting, size });
            }
        }
        if let Some((low, high)) = self.scale
            && !(low > 0.0 && low <= high && high.is_finite())
        {
            return Err(DataError::BadScale { low, high });
        }
        check_statistics("mean", self.mean)?;
        check_statistics("std", self.std)
    }

    /// Reads a sample and brings it to its size: all that is the same in every epoch.
    pub(crate) fn read(
        &self,
        sample: &Sample,
        scratch: &mut Scratch,
    ) -> Result<Picture, DataError> {
        let picture = Picture::read(sample, self.classes, self.ignore)?;
        let Some(size) = self.resize else { return Ok(picture) };
        let whole = |from, to| Span { source: (0.0, f64::from(from)), offset: 0, len: to };
        let Size { height, width } = picture.size();
        resample(&picture, whole(height, size.height), whole(width, size.width), scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))
    }

    /// The size in a batch of a picture of size `base`.
    pub(crate) fn window(&self, base: Size) -> Size {
        self.crop.unwrap_or(base)
    }

    /// Scales, crops, flips and normalises `picture` into `target`.
    pub(crate) fn write(
        &self,
        picture: &Picture,
        sample: &Sample,
        rng: &mut impl Rng,
        scratch: &mut Scratch,
        target: Target<'_>,
    ) -> Result<(), DataError> {
        let base = picture.size();
        self.check_crop(base, sample)?;
        let factor = self.scale.map_or(1.0, |(low, high)| rng.random_range(low..=high));
        let rows = Span::draw(base.height, factor, target.size.height, rng);
        let columns = Span::draw(base.width, factor, target.size.width, rng);
        let flip = self.flip && rng.random();
        let part = resample(picture, rows, columns, scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))?;
        self.paste(&part, rows, columns, flip, target);
        Ok(())
    }

    /// At least a quarter of a crop can be image.
    fn check_crop(&self, base: Size, sample: &Sample) -> Result<(), DataError> {
        let Some(crop) = self.crop else { return Ok(()) };
        let factor = self.scale.map_or(1.0, |(_, high)| high);
        let largest =
            Size { height: scaled(base.height, factor), width: scaled(base.width, factor) };
        let covered =
            Size { height: largest.height.min(crop.height), width: largest.width.min(crop.width) };
        if covered.area() < crop.area().div_ceil(4) {
            let image = sample.image.clone();
            return Err(DataError::CropTooLarge { crop, image, image_size: largest });
        }
        Ok(())
    }

    fn paste(&self, part: &Picture, rows: Span, columns: Span, flip: bool, target: Target<'_>) {
        let Target { size, image, labels } = target;
        let len = columns.len as usize;
        for (channel, plane) in image.chunks_exact_mut(size.area()).enumerate() {
            let normalise = self.normalise(channel);
            let colours = part.image.chunks_exact(3 * len);
            for (line, colours) in lines(plane, size, rows, columns).zip(colours) {
                for (out, value) in line.iter_mut().zip(colours.iter().skip(channel).step_by(3)) {
                    *out = normalise(*value);
                }
                if flip {
                    line.reverse();
                }
            }
        }
        let values = part.labels.chunks_exact(len);
        for (line, values) in lines(labels, size, rows, columns).zip(values) {
            for (out, value) in line.iter_mut().zip(values) {
                *out = i64::from(*value);
            }
            if flip {
                line.reverse();
            }
        }
    }

    /// `(value / 255 - mean) / std` of a channel, as one multiplication and one addition.
    fn normalise(&self, channel: usize) -> impl Fn(u8) -> f32 {
        let mean = self.mean.get(channel).copied().unwrap_or_default();
        let std = self.std.get(channel).copied().unwrap_or(1.0);
        let (factor, shift) = (1.0 / (255.0 * std), -mean / std);
        move |value| f32::from(value) * factor + shift
    }
}

/// Along one axis: which part of the picture is seen, and where it lies in the window.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// Start and end in the picture, in pixels of the picture.
    source: (f64, f64),
    /// First pixel of the window that shows the picture.
    offset: u32,
    /// Number of pixels of the window that show it.
    len: u32,
}

impl Span {
    /// A random place for a picture of `base` pixels, grown by `factor`, in a window.
    fn draw(base: u32, factor: f32, window: u32, rng: &mut impl Rng) -> Self {
        let size = scaled(base, factor);
        let slack = rng.random_range(0..=size.abs_diff(window));
        let len = size.min(window);
        let (start, offset) = if size > window { (slack, 0) } else { (0, slack) };
        // INVARIANT: the end never exceeds `base`: whole numbers up to 2^53 divide exactly.
        let back = |at: u64| (at * u64::from(base)) as f64 / f64::from(size);
        let source = (back(start.into()), back(u64::from(start) + u64::from(len)));
        Self { source, offset, len }
    }
}

fn scaled(pixels: u32, factor: f32) -> u32 {
    ((f64::from(pixels) * f64::from(factor)).round() as u32).max(1)
}

/// The part of each row of a plane of `size` that shows the picture, from the first such row on.
fn lines<T>(
    plane: &mut [T],
    size: Size,
    rows: Span,
    columns: Span,
) -> impl Iterator<Item = &mut [T]> {
    let (start, len) = (columns.offset as usize, columns.len as usize);
    let shown = plane.chunks_exact_mut(size.width as usize).skip(rows.offset as usize);
    shown.filter_map(move |row| row.get_mut(start..start + len))
}

/// The part of the picture that the spans see, in as many pixels as they have.
fn resample(
    picture: &Picture,
    rows: Span,
    columns: Span,
    scratch: &mut Scratch,
) -> Result<Picture, Box<dyn Error>> {
    let Size { height, width } = picture.size();
    let ((top, bottom), (left, right)) = (rows.source, columns.source);
    let seen = ResizeOptions::new().crop(left, top, right - left, bottom - top);
    let mut part = |pixels: &[u8], kind, filter| {
        let source = ImageRef::new(width, height, pixels, kind)?;
        let mut out = Image::new(columns.len, rows.len, kind);
        scratch.resize(&source, &mut out, &seen.resize_alg(filter))?;
        Ok::<_, Box<dyn Error>>(out.into_vec())
    };
    let linear = ResizeAlg::Convolution(FilterType::Bilinear);
    let image = part(picture.image.as_raw(), PixelType::U8x3, linear)?;
    let labels = part(picture.labels.as_raw(), PixelType::U8, ResizeAlg::Nearest)?;
    let (width, height) = (columns.len, rows.len);
    Ok(Picture {
        image: RgbImage::from_raw(width, height, image).ok_or("no pixels")?,
        labels: GrayImage::from_raw(width, height, labels).ok_or("no pixels")?,
    })
}

/// `mean` lies in 0 to 1, `std` above 0 and at most at 1; both are in units where white is 1.
pub(crate) fn check_statistics(name: &'static str, values: [f32; 3]) -> Result<(), DataError> {
    let lowest = if name == "std" { f32::MIN_POSITIVE } else { 0.0 };
    if values.iter().all(|value| (lowest..=1.0).contains(value)) {
        return Ok(());
    }
    Err(DataError::BadStatistics { name, found: values.to_vec() })
}
