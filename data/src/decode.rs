//! Reading one image or one label map from its file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use image::{GrayImage, ImageReader, RgbImage};
use png::{BitDepth, ColorType};

use crate::{DataError, Sample, Size};

/// An image and its label map, of one size.
pub(crate) struct Picture {
    pub(crate) image: RgbImage,
    pub(crate) labels: GrayImage,
}

impl Picture {
    /// Reads both files of a sample and checks that they have one size and that every label is
    /// `ignore` or below `classes`.
    pub(crate) fn read(sample: &Sample, classes: usize, ignore: u8) -> Result<Self, DataError> {
        let image = read_image(&sample.image)?;
        let labels = read_labels(&sample.label)?;
        if image.dimensions() != labels.dimensions() {
            return Err(DataError::SizeMismatch {
                image: sample.image.clone(),
                image_size: image.dimensions().into(),
                label: sample.label.clone(),
                label_size: labels.dimensions().into(),
            });
        }
        check_labels(&labels, classes, ignore, &sample.label)?;
        Ok(Self { image, labels })
    }

    pub(crate) fn size(&self) -> Size {
        self.image.dimensions().into()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.image.len() + self.labels.len()
    }
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

/// Bits a pixel, where there is one channel of at most a byte.
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

/// One byte a pixel from rows of `line` bytes, where the leftmost pixel has the highest bits.
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
