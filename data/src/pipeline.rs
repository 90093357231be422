//! What happens to a picture between its file and a batch: resize, scale, crop, flip, normalise.

use image::GrayImage;
use rand::Rng;

use crate::augment::{Hole, blur, jitter};
use crate::batch::{Batch, Targets};
use crate::decode::{Decoded, Picture};
use crate::error::DataError;
use crate::normalise::{Normalisation, check_statistics, normalise};
use crate::pixels::Pixels;
use crate::resample::{Fill, Fit, Scratch, Span, resample, resized, scaled};
use crate::sample::Sample;
use crate::size::Size;

/// What is done to each picture, in the order of the fields from `resize` on. A target that lies over
/// the image pixel by pixel is resized, cropped and flipped with it: images are interpolated linearly
/// (over all pixels they cover when they shrink), label maps take the nearest pixel. Classes and
/// vectors stay as they are.
///
/// Training sets `scale`, `crop` and `flip`, which draw random numbers; evaluation, which
/// [`Pipeline::evaluation`] derives from it, draws none.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Number of classes; a label is below it, or `ignore`.
    pub classes: usize,
    /// The label of pixels that have no class, padding among them.
    pub ignore: u8,
    /// How each channel is normalised. There are as many as it has means: 1 makes pictures grey, 3 red, green and
    /// blue.
    pub normalisation: Normalisation,
    /// The size to which pictures are brought.
    pub resize: Option<Size>,
    /// What becomes of a picture of another shape.
    pub fit: Fit,
    /// The range of a random factor by which height and width then grow. Without `crop`, the result
    /// is cut or padded to the size that it had before.
    pub scale: Option<(f32, f32)>,
    /// Pixels of the mean colour, with the label `ignore`, that are put around the picture before the window is drawn:
    /// less than half of its sides. Not where the window is `centred`.
    pub pad: u32,
    /// The size of a random window. Where the picture is smaller, it lies at a random place in the
    /// window; the rest has the mean colour and the label `ignore`.
    pub crop: Option<Size>,
    /// Whether the window lies in the middle of the picture, or the picture in that of the window, instead.
    pub centred: bool,
    /// Whether every other picture, at random, is mirrored left to right.
    pub flip: bool,
    /// The most by which brightness, contrast and saturation of an image change, as a share of 1, below which it
    /// stays: each is multiplied by a random factor, `1 - jitter` to `1 + jitter`. A target image is left alone.
    pub jitter: f32,
    /// The largest standard deviation, in pixels, of a Gaussian by which every other image, at random, is blurred;
    /// 0 blurs none. A target image is left alone.
    pub blur: f32,
    /// The side of a square of the mean colour, in pixels, that lies over the image at random; 0 is none. Its middle
    /// is anywhere in the image, so that it may reach over an edge (T. DeVries and G. W. Taylor, "Improved
    /// Regularization of Convolutional Neural Networks with Cutout", 2017). Targets are left alone.
    pub cutout: u32,
}

impl Pipeline {
    /// The same classes and colours for the evaluation of a network with an input of this size, nothing random:
    /// pictures brought to the same size, or to that of the input if this pipeline names none, and of them the
    /// middle.
    pub fn evaluation(&self, input: Size) -> Self {
        Self {
            resize: Some(self.resize.unwrap_or(input)),
            scale: None,
            crop: Some(input),
            centred: true,
            flip: false,
            pad: 0,
            jitter: 0.0,
            blur: 0.0,
            cutout: 0,
            ..self.clone()
        }
    }

    /// # Errors
    /// A size has no pixels, `scale` is no range of positive factors, `jitter` is no share, `blur` is negative, or
    /// `mean` or `std` is not in units where white is 1.
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
        for (setting, value, most) in [("jitter", self.jitter, 1.0), ("blur", self.blur, MAX_BLUR)]
        {
            if !(0.0..=most).contains(&value) {
                return Err(DataError::BadStrength { setting, value, most });
            }
        }
        let Normalisation { mean, std } = &self.normalisation;
        check_statistics("mean", mean)?;
        check_statistics("std", std)?;
        if mean.len() == std.len() {
            return Ok(());
        }
        Err(DataError::OtherChannels { name: "std", numbers: std.len(), channels: mean.len() })
    }

    /// Number of channels of the images in a batch.
    pub fn channels(&self) -> usize {
        self.normalisation.mean.len()
    }

    /// Reads a sample and brings it to its size: all that is the same in every epoch.
    pub(crate) fn read(
        &self,
        sample: &Sample,
        scratch: &mut Scratch,
    ) -> Result<Picture, DataError> {
        let picture = Picture::read(sample, self.channels(), self.classes, self.ignore)?;
        let Some(size) = self.resize else { return Ok(picture) };
        let fill = Fill { values: self.mean_bytes(), label: self.ignore };
        resized(&picture, size, self.fit, &fill, scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))
    }

    /// The mean colour in whole numbers, white being 255.
    fn mean_bytes(&self) -> Vec<u8> {
        self.normalisation.mean.iter().map(|mean| (mean * 255.0).round() as u8).collect()
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
        let mut span = |base, window| match self.centred {
            true => Span::centred(base, factor, window),
            false => Span::draw(base, factor, self.pad, window, rng),
        };
        let rows = span(base.height, batch.size.height);
        let columns = span(base.width, batch.size.width);
        let flip = self.flip && rng.random();
        let mut part = resample(picture, rows, columns, scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))?;
        // Each draws only where it is set, so that a setting changes nothing where it is not.
        if self.jitter > 0.0 {
            jitter(&mut part.image, self.jitter, rng);
        }
        if self.blur > 0.0 && rng.random() {
            blur(&mut part.image, rng.random_range(0.0..=self.blur));
        }
        let frame = Frame { window: batch.size, rows, columns, flip };
        self.paste(&part, sample, frame, batch, nth)?;
        if self.cutout > 0 {
            let hole = Hole::draw(self.cutout, batch.size, rng);
            let values = self.channels() * batch.size.area();
            hole.cut(place(&mut batch.images, values, nth)?, batch.size);
        }
        Ok(())
    }

    /// At least a quarter of a crop can be image, and a bit of it is.
    fn check_crop(&self, base: Size, sample: &Sample) -> Result<(), DataError> {
        let window = self.window(base);
        if self.pad >= window.height.min(window.width).div_ceil(2) && self.pad > 0 {
            return Err(DataError::PadTooLarge { pad: self.pad, window });
        }
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
        let values = self.channels() * area;
        self.paste_image(&part.image, frame, place(&mut batch.images, values, nth)?);
        match (&mut batch.targets, &part.target) {
            (Targets::ClassMaps(all), Decoded::ClassMap(labels)) => {
                frame.paste_labels(labels, place(all, area, nth)?);
            }
            (Targets::Classes(all), Decoded::Class(class)) => {
                place(all, 1, nth)?.fill(i64::from(*class));
            }
            (Targets::Images(all), Decoded::Image(image)) => {
                self.paste_image(image, frame, place(all, values, nth)?);
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

    /// Normalises the part of an image that a window shows into its planes, `[channels, H, W]`.
    fn paste_image(&self, image: &Pixels, frame: Frame, planes: &mut [f32]) {
        let Normalisation { mean, std } = &self.normalisation;
        let colours = mean.iter().zip(std).enumerate();
        let channels = image.channels;
        let planes = planes.chunks_exact_mut(frame.window.area());
        for (plane, (channel, (mean, std))) in planes.zip(colours) {
            let normalise = normalise(*mean, *std);
            let rows = image.values.chunks_exact(channels * frame.columns.len as usize);
            for (line, colours) in frame.lines(plane).zip(rows) {
                for (out, value) in
                    line.iter_mut().zip(colours.iter().skip(channel).step_by(channels))
                {
                    *out = normalise(*value);
                }
                frame.turn(line);
            }
        }
    }
}

/// The most that [`Pipeline::blur`] may be: beyond it nothing is seen.
const MAX_BLUR: f32 = 64.0;

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
