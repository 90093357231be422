//! What happens to a picture between its file and a batch: resize, scale, crop, flip, normalise.

use image::{GrayImage, RgbImage};
use rand::Rng;

use crate::batch::{Batch, Targets};
use crate::decode::{Decoded, Picture};
use crate::error::DataError;
use crate::normalise::{check_statistics, normalise};
use crate::resample::{Scratch, Span, resample, resized, scaled};
use crate::sample::Sample;
use crate::size::Size;

/// What is done to each picture, in the order of the fields from `resize` on. A target that lies over
/// the image pixel by pixel is resized, cropped and flipped with it: images are interpolated linearly
/// (over all pixels they cover when they shrink), label maps take the nearest pixel. Classes and
/// vectors stay as they are.
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
        resized(&picture, size, scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))
    }

    /// The size in a batch of a picture of size `base`.
    pub(crate) fn window(&self, base: Size) -> Size {
        self.crop.unwrap_or(base)
    }

    /// Scales, crops, flips and normalises `picture` into the place `nth` of a batch.
    pub(crate) fn write(
        &self,
        picture: &Picture,
        sample: &Sample,
        rng: &mut impl Rng,
        scratch: &mut Scratch,
        batch: &mut Batch,
        nth: usize,
    ) -> Result<(), DataError> {
        let base = picture.size();
        self.check_crop(base, sample)?;
        let factor = self.scale.map_or(1.0, |(low, high)| rng.random_range(low..=high));
        let rows = Span::draw(base.height, factor, batch.size.height, rng);
        let columns = Span::draw(base.width, factor, batch.size.width, rng);
        let flip = self.flip && rng.random();
        let part = resample(picture, rows, columns, scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))?;
        let frame = Frame { window: batch.size, rows, columns, flip };
        self.paste(&part, sample, frame, batch, nth)
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

    fn paste(
        &self,
        part: &Picture,
        sample: &Sample,
        frame: Frame,
        batch: &mut Batch,
        nth: usize,
    ) -> Result<(), DataError> {
        let area = batch.size.area();
        self.paste_image(&part.image, frame, place(&mut batch.images, 3 * area, nth)?);
        match (&mut batch.targets, &part.target) {
            (Targets::ClassMaps(all), Decoded::ClassMap(labels)) => {
                frame.paste_labels(labels, place(all, area, nth)?);
            }
            (Targets::Classes(all), Decoded::Class(class)) => {
                place(all, 1, nth)?.fill(i64::from(*class));
            }
            (Targets::Images(all), Decoded::Image(image)) => {
                self.paste_image(image, frame, place(all, 3 * area, nth)?);
            }
            (Targets::Vectors { values, len }, Decoded::Vector(found)) if found.len() == *len => {
                place(values, *len, nth)?.copy_from_slice(found);
            }
            (expected, found) => {
                return Err(DataError::MixedTargets {
                    image: sample.image.clone(),
                    expected: expected.describe(),
                    found: found.describe(),
                });
            }
        }
        Ok(())
    }

    /// Normalises the part of an image that a window shows into its planes, `[3, H, W]`.
    fn paste_image(&self, image: &RgbImage, frame: Frame, planes: &mut [f32]) {
        let colours = self.mean.iter().zip(&self.std).enumerate();
        let planes = planes.chunks_exact_mut(frame.window.area());
        for (plane, (channel, (mean, std))) in planes.zip(colours) {
            let normalise = normalise(*mean, *std);
            let rows = image.chunks_exact(3 * frame.columns.len as usize);
            for (line, colours) in frame.lines(plane).zip(rows) {
                for (out, value) in line.iter_mut().zip(colours.iter().skip(channel).step_by(3)) {
                    *out = normalise(*value);
                }
                frame.turn(line);
            }
        }
    }
}

/// Where in a window a part of a picture lies, and whether mirrored.
#[derive(Clone, Copy)]
struct Frame {
    window: Size,
    rows: Span,
    columns: Span,
    flip: bool,
}

impl Frame {
    fn paste_labels(&self, labels: &GrayImage, plane: &mut [i64]) {
        let rows = labels.chunks_exact(self.columns.len as usize);
        for (line, values) in self.lines(plane).zip(rows) {
            for (out, value) in line.iter_mut().zip(values) {
                *out = i64::from(*value);
            }
            self.turn(line);
        }
    }

    /// The part of each row of a plane, `[H, W]`, that shows the picture, from the first such row on.
    fn lines<'a, T>(&self, plane: &'a mut [T]) -> impl Iterator<Item = &'a mut [T]> + use<'a, T> {
        let (start, len) = (self.columns.offset as usize, self.columns.len as usize);
        let rows = plane.chunks_exact_mut(self.window.width as usize);
        let shown = rows.skip(self.rows.offset as usize);
        shown.filter_map(move |row| row.get_mut(start..start + len))
    }

    fn turn<T>(&self, line: &mut [T]) {
        if self.flip {
            line.reverse();
        }
    }
}

/// The values of one sample, of `len` for each.
fn place<T>(all: &mut [T], len: usize, nth: usize) -> Result<&mut [T], DataError> {
    // INVARIANT: a batch has room for each of its samples.
    all.get_mut(nth * len..(nth + 1) * len).ok_or(DataError::WorkerLost)
}
