//! Reading one sample from its files: images, label maps, and what needs no file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use image::{GrayImage, ImageReader, RgbImage};
use png::{BitDepth, ColorType};

use crate::error::DataError;
use crate::sample::Sample;
use crate::size::Size;
use crate::target::{Target, TargetKind, described};

/// An image and its target, decoded; maps and images among targets have the size of the image.
pub(crate) struct Picture {
    pub(crate) image: RgbImage,
    pub(crate) target: Decoded,
}

/// A target with its values in memory.
pub(crate) enum Decoded {
    ClassMap(GrayImage),
    Class(u32),
    Image(RgbImage),
    Vector(Arc<[f32]>),
}

impl Picture {
    /// Reads the files of a sample and checks that they have one size and that every label of a
    /// label map is `ignore` or below `classes`.
    pub(crate) fn read(sample: &Sample, classes: usize, ignore: u8) -> Result<Self, DataError> {
        let image = read_image(&sample.image)?;
        let target = match &sample.target {
            Target::ClassMap(path) => {
                let labels = read_labels(path)?;
                same_size(sample, path, image.dimensions(), labels.dimensions())?;
                check_labels(&labels, classes, ignore, path)?;
                Decoded::ClassMap(labels)
            }
            Target::Class(class) => Decoded::Class(*class),
            Target::Image(path) => {
                let target = read_image(path)?;
                same_size(sample, path, image.dimensions(), target.dimensions())?;
                Decoded::Image(target)
            }
            Target::Vector(values) => Decoded::Vector(Arc::clone(values)),
        };
        Ok(Self { image, target })
    }

    pub(crate) fn size(&self) -> Size {
        self.image.dimensions().into()
    }

    /// The memory that its pixels take.
    pub(crate) fn bytes(&self) -> usize {
        self.image.len() + self.target.bytes()
    }
}

impl Decoded {
    /// What it is, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::ClassMap(_) => described(TargetKind::ClassMap, None),
            Self::Class(_) => described(TargetKind::Class, None),
            Self::Image(_) => described(TargetKind::Image, None),
            Self::Vector(values) => described(TargetKind::Vector, Some(values.len())),
        }
    }

    /// The numbers of a vector are those of the sample, so they take no memory of their own.
    fn bytes(&self) -> usize {
        match self {
            Self::ClassMap(labels) => labels.len(),
            Self::Image(image) => image.len(),
            Self::Class(_) | Self::Vector(_) => 0,
        }
    }
}

/// What lies over an image, pixel by pixel, has its size.
fn same_size(
    sample: &Sample,
    target: &Path,
    image_size: (u32, u32),
    target_size: (u32, u32),
) -> Result<(), DataError> {
    if image_size == target_size {
        return Ok(());
    }
    Err(DataError::SizeMismatch {
        image: sample.image.clone(),
        image_size: image_size.into(),
        kind: sample.target.kind(),
        target: target.to_owned(),
        target_size: target_size.into(),
    })
}

/// Any JPEG or PNG as red, green and blue.
pub(crate) fn read_image(path: &Path) -> Result<RgbImage, DataError> {
    let unreadable = |error: &dyn std::fmt::Display| DataError::unreadable(path, error);
    let reader = ImageReader::open(path).map_err(|error| unreadable(&error))?;
    let reader = reader.with_guessed_format().map_err(|error| unreadable(&error))?;
    Ok(reader.decode().map_err(|error| unreadable(&error))?.into_rgb8())
}

/// A PNG of one channel: the values of its pixels, or their palette indices, as they are stored.
pub(crate) fn read_labels(path: &Path) -> Result<GrayImage, DataError> {
    let file = File::open(path).map_err(|error| DataError::unreadable(path, error))?;
    // INVARIANT: no transformation is set, so the decoder expands neither palettes nor low depths.
    let decoder = png::Decoder::new(BufReader::new(file));
    let mut reader = decoder.read_info().map_err(|error| DataError::unreadable(path, error))?;
    let bits = label_bits(reader.output_color_type(), path)?;
    let mut packed = vec![0; reader.output_buffer_size().unwrap_or_default()];
    let frame =
        reader.next_frame(&mut packed).map_err(|error| DataError::unreadable(path, error))?;
    let values = unpack(packed, frame.line_size, frame.width as usize, bits);
    GrayImage::from_raw(frame.width, frame.height, values)
        .ok_or_else(|| DataError::unreadable(path, "the file ends early"))
}

/// Bits per pixel, where there is one channel of at most a byte.
fn label_bits((color, depth): (ColorType, BitDepth), path: &Path) -> Result<u8, DataError> {
    let one_channel = matches!(color, ColorType::Grayscale | ColorType::Indexed);
    if one_channel && depth != BitDepth::Sixteen {
        return Ok(depth as u8);
    }
    let color = match color {
        ColorType::Grayscale => "grey",
        ColorType::Indexed => "a palette",
        ColorType::Rgb => "a colour image (RGB)",
        ColorType::GrayscaleAlpha => "grey with transparency",
        ColorType::Rgba => "a colour image with transparency (RGBA)",
    };
    let found = format!("{color} of {} bits a channel", depth as u8);
    Err(DataError::LabelFormat { path: path.to_owned(), found })
}

/// One byte per pixel from rows of `line` bytes, where the leftmost pixel has the highest bits.
fn unpack(packed: Vec<u8>, line: usize, width: usize, bits: u8) -> Vec<u8> {
    if bits == 8 {
        return packed;
    }
    let mask = (1 << bits) - 1;
    let pixels = move |byte: u8| (1..=8 / bits).map(move |nth| (byte >> (8 - nth * bits)) & mask);
    let rows = packed.chunks_exact(line.max(1));
    rows.flat_map(|row| row.iter().copied().flat_map(pixels).take(width)).collect()
}

/// Every label is `ignore` or below `classes`.
pub(crate) fn check_labels(
    labels: &GrayImage,
    classes: usize,
    ignore: u8,
    path: &Path,
) -> Result<(), DataError> {
    let bad = |&value: &u8| value != ignore && usize::from(value) >= classes;
    let values = labels.as_raw();
    let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| bad(value)) else {
        return Ok(());
    };
    let width = labels.width() as usize;
    Err(DataError::LabelOutOfRange {
        path: path.to_owned(),
        value,
        row: index / width,
        column: index % width,
        classes,
    })
}
