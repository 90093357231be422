//! Reading one sample from its files: images, label maps, and what needs no file.

use std::path::Path;
use std::sync::Arc;

use image::{ColorType, DynamicImage, GrayImage, ImageDecoder};

use crate::error::DataError;
use crate::input::Input;
use crate::labels::{Labels, check_labels};
use crate::map::MapFormat;
use crate::numbers::{is_array, read_numbers};
use crate::opening::{bytes_of, image_size, opened};
use crate::pixels::Pixels;
use crate::place::Place;
use crate::planes::Planes;
use crate::sample::Sample;
use crate::size::Size;
use crate::target::{Target, TargetKind, described};

/// The images of a sample and its target, decoded; a map lies over the image.
pub(crate) struct Picture {
    /// One for each input of a network, of one size.
    pub(crate) inputs: Vec<Layer>,
    pub(crate) target: Decoded,
}

/// What one input of a network sees.
pub(crate) enum Layer {
    /// Colours, or grey.
    Pixels(Pixels),
    /// Numbers that are no colours.
    Planes(Planes),
}

/// A target with its values in memory.
pub(crate) enum Decoded {
    ClassMap(GrayImage),
    Class(u32),
    Map(Planes),
    Vector(Arc<[f32]>),
}

/// What the values of targets may be.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) classes: usize,
    pub(crate) ignore: u8,
    pub(crate) map: MapShape,
}

/// What shape target maps have.
#[derive(Clone, Copy)]
pub(crate) struct MapShape {
    pub(crate) values: usize,
    /// By how much they are larger than the image.
    pub(crate) times: u32,
    pub(crate) format: MapFormat,
}

impl Picture {
    /// Reads the files of a sample and checks that their sizes fit and that every label of a label map is `ignore` or below
    /// `classes`.
    pub(crate) fn read(
        sample: &Sample,
        inputs: &[Input],
        wanted: Wanted,
    ) -> Result<Self, DataError> {
        let places = std::iter::once(&sample.image).chain(&sample.others);
        let layers = places.zip(inputs).map(|(place, input)| read_input(place, input));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let size = layers.first().map_or(Size { height: 0, width: 0 }, Layer::size);
        for (other, layer) in sample.others.iter().zip(layers.iter().skip(1)) {
            check_input_size(sample, size, other, layer.size())?;
        }
        let target = match &sample.target {
            Target::ClassMap(path) => {
                let labels = Labels::read(path)?;
                same_size(sample, path, size, labels.size())?;
                let labels = labels.decode()?;
                check_labels(&labels, wanted.classes, wanted.ignore, path)?;
                Decoded::ClassMap(labels)
            }
            Target::Class(class) => Decoded::Class(*class),
            Target::Map(path) => {
                let map = read_map(path, &bytes_of(path)?, wanted.map)?;
                same_size(sample, path, size.times(wanted.map.times), map.size)?;
                Decoded::Map(map)
            }
            Target::Vector(values) => Decoded::Vector(Arc::clone(values)),
        };
        Ok(Self { inputs: layers, target })
    }

    pub(crate) fn size(&self) -> Size {
        self.inputs.first().map_or(Size { height: 0, width: 0 }, Layer::size)
    }

    /// The memory that its pixels take.
    pub(crate) fn bytes(&self) -> usize {
        self.inputs.iter().map(Layer::bytes).sum::<usize>() + self.target.bytes()
    }
}

impl Layer {
    pub(crate) fn size(&self) -> Size {
        match self {
            Self::Pixels(image) => image.size,
            Self::Planes(planes) => planes.size,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Pixels(image) => image.values.len(),
            Self::Planes(planes) => planes.bytes(),
        }
    }
}

impl Decoded {
    /// What it is, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::ClassMap(_) => described(TargetKind::ClassMap, None),
            Self::Class(_) => described(TargetKind::Class, None),
            Self::Map(_) => described(TargetKind::Map, None),
            Self::Vector(values) => described(TargetKind::Vector, Some(values.len())),
        }
    }

    /// The numbers of a vector are those of the sample, so they take no memory of their own.
    fn bytes(&self) -> usize {
        match self {
            Self::ClassMap(labels) => labels.len(),
            Self::Map(map) => map.bytes(),
            Self::Class(_) | Self::Vector(_) => 0,
        }
    }
}

/// The images of a sample have one size.
pub(crate) fn check_input_size(
    sample: &Sample,
    size: Size,
    other: &Place,
    found: Size,
) -> Result<(), DataError> {
    if size == found {
        return Ok(());
    }
    let (image, other) = (sample.image.clone(), other.clone());
    Err(DataError::OtherInputSize { image, size, other, found })
}

/// The map of a file, in its unit.
pub(crate) fn read_map(path: &Path, bytes: &[u8], shape: MapShape) -> Result<Planes, DataError> {
    let MapShape { values, format, .. } = shape;
    let stored = read_numbers(path, bytes, values)?;
    let scale = format.scale.unwrap_or(1.0 / stored.white);
    let mut map = stored.with_channels(values, path)?;
    map.in_units(scale, format.invalid);
    Ok(map)
}

/// What lies over an image, pixel by pixel, has its size.
pub(crate) fn same_size(
    sample: &Sample,
    target: &Path,
    image_size: Size,
    target_size: Size,
) -> Result<(), DataError> {
    if image_size == target_size {
        return Ok(());
    }
    Err(DataError::SizeMismatch {
        image: sample.image.clone(),
        image_size,
        kind: sample.target.kind(),
        target: target.to_owned(),
        target_size,
    })
}

/// The image of an input at a place: colours, or numbers where no colours can be meant, which have other channels than
/// one or three, a scale, or more than the 8 bits of a grey picture.
pub(crate) fn read_input(place: &Place, input: &Input) -> Result<Layer, DataError> {
    match place {
        Place::File(path) => read_file(path, &bytes_of(path)?, input),
        Place::Record { container, index } => {
            let planes = container.planes(*index);
            let (size, channels) = (container.records.size, input.channels());
            let image = planes.and_then(|planes| Pixels::of_planes(planes, size, channels));
            let missing = || DataError::unreadable(place, "the file has no such record");
            image.map(Layer::Pixels).ok_or_else(missing)
        }
    }
}

fn read_file(path: &Path, bytes: &[u8], input: &Input) -> Result<Layer, DataError> {
    let channels = input.channels();
    if input.scale.is_none() && Pixels::CHANNELS.contains(&channels) && !is_array(bytes) {
        let (decoder, orientation) = opened(path, bytes)?;
        let color = decoder.color_type();
        let is_deep_grey = channels == 1 && matches!(color, ColorType::L16 | ColorType::La16);
        if !is_deep_grey {
            let image = DynamicImage::from_decoder(decoder);
            let mut image = image.map_err(|error| DataError::unreadable(path, error))?;
            image.apply_orientation(orientation);
            let none = || DataError::unreadable(path, format!("no image has {channels} channels"));
            return Pixels::of(image, channels).map(Layer::Pixels).ok_or_else(none);
        }
    }
    let stored = read_numbers(path, bytes, channels)?;
    let scale = input.scale.unwrap_or(1.0 / stored.white);
    let mut planes = stored.with_channels(channels, path)?;
    planes.in_units(scale, None);
    Ok(Layer::Planes(planes))
}

/// The size of the image of an input, by its header where that tells it.
pub(crate) fn input_size(path: &Path, bytes: &[u8], input: &Input) -> Result<Size, DataError> {
    let channels = input.channels();
    let is_picture = Pixels::CHANNELS.contains(&channels) && input.scale.is_none();
    if is_picture && !is_array(bytes) {
        return image_size(path, bytes);
    }
    Ok(read_file(path, bytes, input)?.size())
}
