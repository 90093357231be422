//! What happens to a picture between its file and a batch: resize, scale, crop, flip, normalise.

use image::GrayImage;
use rand::Rng;

use crate::augment::{Hole, blur, jitter};
use crate::batch::{Batch, Targets};
use crate::decode::{Decoded, Layer, MapShape, Picture, Wanted};
use crate::error::DataError;
use crate::input::Input;
use crate::map::MapFormat;
use crate::moves::{Moves, View};
use crate::normalise::{Normalisation, check_units, normalise};
use crate::pixels::Pixels;
use crate::planes::Planes;
use crate::randaugment::Change;
use crate::resample::{Along, Fill, Fit, Scratch, resample, resized};
use crate::sample::Sample;
use crate::size::Size;
use crate::span::{Span, scaled};

/// What is done to each picture, in the order of the fields from `resize` on. A target that lies over
/// the image pixel by pixel is resized, cropped and flipped with it, as are the images of other inputs: images are
/// interpolated linearly (over all pixels they cover when they shrink), label maps take the nearest pixel, target maps
/// what their format says. Classes stay as they are, and vectors follow as `moves` says.
///
/// Training sets `scale`, `crop` and `flip`, which draw random numbers; evaluation, which
/// [`Pipeline::evaluation`] derives from it, draws none.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// Number of classes; a label is below it, or `ignore`.
    pub classes: usize,
    /// The label of pixels that have no class, padding among them.
    pub ignore: u8,
    /// The inputs of the network, in their order.
    pub inputs: Vec<Input>,
    /// Numbers of each pixel of a target map.
    pub values: usize,
    /// By how much target maps are larger than images.
    pub times: u32,
    /// What is stored in target maps.
    pub map: MapFormat,
    /// What becomes of vectors.
    pub moves: Moves,
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
    /// How many operations of RandAugment are done to each image, drawn anew; those that move pixels move a target that
    /// lies over it, too.
    pub operations: u32,
    /// Their magnitude, from 0 to 30.
    pub magnitude: u32,
    /// The most by which brightness, contrast and saturation of an image change, as a share of 1, below which it
    /// stays: each is multiplied by a random factor, `1 - jitter` to `1 + jitter`. So is no input but the first, and that
    /// only where it shows colours.
    pub jitter: f32,
    /// The largest standard deviation, in pixels, of a Gaussian by which every other image, at random, is blurred;
    /// 0 blurs none. The same images as by `jitter`.
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
            operations: 0,
            jitter: 0.0,
            blur: 0.0,
            cutout: 0,
            ..self.clone()
        }
    }

    /// # Errors
    /// A size has no pixels, `scale` is no range of positive factors, `jitter` is no share, `blur` is negative, or
    /// the numbers of a vector cannot follow, or there are not as many means as deviations.
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
        self.moves.check(self.moves_pictures(), self.flip)?;
        self.inputs.iter().try_for_each(|input| check_units(&input.normalisation))
    }

    /// Whether a picture is not seen whole, or not in its shape.
    fn moves_pictures(&self) -> bool {
        let is_cut = self.crop.is_some() && self.crop != self.resize;
        self.scale.is_some() || self.pad > 0 || is_cut || self.fit != Fit::Stretch
    }

    /// Number of channels of the images of the first input in a batch.
    pub fn channels(&self) -> usize {
        self.inputs.first().map_or(0, Input::channels)
    }

    /// What shape target maps have.
    pub(crate) fn map_shape(&self) -> MapShape {
        MapShape { values: self.values, times: self.times, format: self.map }
    }

    fn along(&self) -> Along<'_> {
        Along { times: self.times, between: self.map.resample, moves: &self.moves }
    }

    /// Reads a sample and brings it to its size: all that is the same in every epoch.
    pub(crate) fn read(
        &self,
        sample: &Sample,
        scratch: &mut Scratch,
    ) -> Result<Picture, DataError> {
        let wanted = Wanted { classes: self.classes, ignore: self.ignore, map: self.map_shape() };
        let picture = Picture::read(sample, &self.inputs, wanted)?;
        let Some(size) = self.resize else { return Ok(picture) };
        let means = self.inputs.iter().map(|input| input.normalisation.mean.as_slice());
        let fill = Fill { means: means.collect(), label: self.ignore };
        resized(&picture, size, self.fit, &fill, self.along(), scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))
    }

    /// Whether what lies over an image can follow it anywhere: colours and label maps can, and what is of a whole image.
    fn may_warp(&self, part: &Picture) -> bool {
        let follows = match part.target {
            Decoded::ClassMap(_) | Decoded::Class(_) => true,
            Decoded::Vector(_) => matches!(self.moves, Moves::Whole {}),
            Decoded::Map(_) => false,
        };
        follows && part.inputs.iter().all(|layer| matches!(layer, Layer::Pixels(_)))
    }

    /// Does an operation of RandAugment.
    fn change(&self, part: &mut Picture, change: Change) {
        let warp = match (change, part.inputs.first_mut()) {
            (Change::Colour(colour), Some(Layer::Pixels(image))) => return colour.apply(image),
            (Change::Colour(_), _) => return,
            (Change::Place(warp), _) => warp,
        };
        for (layer, input) in part.inputs.iter_mut().zip(&self.inputs) {
            if let Layer::Pixels(image) = layer {
                let means = input.normalisation.mean.iter();
                let mean: Vec<u8> = means.map(|mean| (mean * 255.0).round() as u8).collect();
                image.values = warp.moved(&image.values, image.size, &mean);
            }
        }
        if let Decoded::ClassMap(labels) = &mut part.target {
            let (width, height) = labels.dimensions();
            let moved = warp.moved(labels.as_raw(), Size { height, width }, &[self.ignore]);
            if let Some(moved) = GrayImage::from_raw(width, height, moved) {
                *labels = moved;
            }
        }
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
        let mut part = resample(picture, rows, columns, self.along(), scratch)
            .map_err(|error| DataError::unreadable(&sample.image, error))?;
        // Each draws only where it is set, so that a setting changes nothing where it is not. Numbers have no colours.
        for _ in 0..self.operations {
            let change = Change::draw(self.magnitude, part.size(), self.may_warp(&part), rng);
            self.change(&mut part, change);
        }
        if let Some(Layer::Pixels(image)) = part.inputs.first_mut() {
            if self.jitter > 0.0 {
                jitter(image, self.jitter, rng);
            }
            if self.blur > 0.0 && rng.random() {
                blur(image, rng.random_range(0.0..=self.blur));
            }
        }
        let frame = Frame { window: batch.size, rows, columns, flip };
        self.paste(&part, base, sample, frame, batch, nth)?;
        if self.cutout > 0 {
            let hole = Hole::draw(self.cutout, batch.size, rng);
            for images in &mut batch.inputs {
                let values = images.channels * batch.size.area();
                hole.cut(place(&mut images.values, values, nth)?, batch.size);
            }
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
        base: Size,
        sample: &Sample,
        frame: Frame,
        batch: &mut Batch,
        nth: usize,
    ) -> Result<(), DataError> {
        let area = batch.size.area();
        let layers = part.inputs.iter().zip(&self.inputs);
        for (images, (layer, input)) in batch.inputs.iter_mut().zip(layers) {
            let planes = place(&mut images.values, images.channels * area, nth)?;
            match layer {
                Layer::Pixels(image) => frame.paste_image(image, &input.normalisation, planes),
                Layer::Planes(numbers) => {
                    frame.paste_numbers(numbers, &input.normalisation, planes)
                }
            }
        }
        match (&mut batch.targets, &part.target) {
            (Targets::ClassMaps(all), Decoded::ClassMap(labels)) => {
                frame.paste_labels(labels, place(all, area, nth)?);
            }
            (Targets::Classes(all), Decoded::Class(class)) => {
                place(all, 1, nth)?.fill(i64::from(*class));
            }
            (Targets::Maps { values, channels, size }, Decoded::Map(map))
                if map.channels == *channels =>
            {
                let planes = place(values, *channels * size.area(), nth)?;
                frame.times(self.times).paste_planes(map, planes);
            }
            (Targets::Vectors { values, len }, Decoded::Vector(found)) if found.len() == *len => {
                let numbers = place(values, *len, nth)?;
                numbers.copy_from_slice(found);
                self.moves.seen(numbers, &frame.view(base));
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
    /// Where it is seen.
    fn view(&self, from: Size) -> View {
        let Self { window, rows, columns, flip } = *self;
        View { from, rows, columns, window, flip }
    }

    /// The same for what is so many times larger.
    fn times(self, times: u32) -> Self {
        let (rows, columns) = (self.rows.times(times), self.columns.times(times));
        Self { window: self.window.times(times), rows, columns, ..self }
    }

    /// Normalises the part of an image that a window shows into its planes, `[channels, H, W]`.
    fn paste_image(&self, image: &Pixels, normalisation: &Normalisation, planes: &mut [f32]) {
        let Normalisation { mean, std } = normalisation;
        let colours = mean.iter().zip(std).enumerate();
        let channels = image.channels;
        let planes = planes.chunks_exact_mut(self.window.area());
        for (plane, (channel, (mean, std))) in planes.zip(colours) {
            let normalise = normalise(*mean, *std);
            let rows = image.values.chunks_exact(channels * self.columns.len as usize);
            for (line, colours) in self.lines(plane).zip(rows) {
                for (out, value) in
                    line.iter_mut().zip(colours.iter().skip(channel).step_by(channels))
                {
                    *out = normalise(*value);
                }
                self.turn(line);
            }
        }
    }

    /// The same for numbers; what is not known has the mean.
    fn paste_numbers(&self, numbers: &Planes, normalisation: &Normalisation, planes: &mut [f32]) {
        self.paste_planes(numbers, planes);
        let Normalisation { mean, std } = normalisation;
        let planes = planes.chunks_exact_mut(self.window.area());
        for (plane, (mean, std)) in planes.zip(mean.iter().zip(std)) {
            for line in self.lines(plane) {
                for value in line {
                    *value = if value.is_nan() { 0.0 } else { (*value - mean) / std };
                }
            }
        }
    }

    /// The part of each plane that a window shows.
    fn paste_planes(&self, numbers: &Planes, planes: &mut [f32]) {
        let planes = planes.chunks_exact_mut(self.window.area());
        for (plane, part) in planes.zip(numbers.planes()) {
            let rows = part.chunks_exact(self.columns.len as usize);
            for (line, values) in self.lines(plane).zip(rows) {
                line.copy_from_slice(values);
                self.turn(line);
            }
        }
    }

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
