//! Reading label maps: a PNG of one channel, whose values are classes.

use std::io::Cursor;
use std::path::Path;

use image::GrayImage;
use png::{BitDepth, ColorType};

use crate::error::DataError;
use crate::opening::{bounded, bytes_of, ended};
use crate::size::Size;

/// A PNG of one channel whose header is read.
pub(crate) struct Labels<'a> {
    path: &'a Path,
    reader: png::Reader<Cursor<Vec<u8>>>,
    bits: u8,
}

impl<'a> Labels<'a> {
    /// Reads the file, and of its contents the header.
    pub(crate) fn read(path: &'a Path) -> Result<Self, DataError> {
        Self::of(path, bytes_of(path)?)
    }

    /// As [`Labels::read`], where the bytes are read already.
    pub(crate) fn of(path: &'a Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        let is_whole = ended(path, &bytes);
        // INVARIANT: no transformation is set, so the decoder expands neither palettes nor low depths.
        let reader = png::Decoder::new(Cursor::new(bytes)).read_info();
        let reader = reader.map_err(|error| DataError::unreadable(path, error))?;
        is_whole?;
        let bits = label_bits(reader.output_color_type(), path)?;
        let labels = Self { path, reader, bits };
        bounded(path, labels.size())?;
        Ok(labels)
    }

    pub(crate) fn size(&self) -> Size {
        let (width, height) = self.reader.info().size();
        Size { height, width }
    }

    /// The values of its pixels, or their palette indices, as they are stored.
    pub(crate) fn decode(mut self) -> Result<GrayImage, DataError> {
        let unreadable = |error: &dyn std::fmt::Display| DataError::unreadable(self.path, error);
        let mut packed = vec![0; self.reader.output_buffer_size().unwrap_or_default()];
        let frame = self.reader.next_frame(&mut packed).map_err(|error| unreadable(&error))?;
        let values = unpack(packed, frame.line_size, frame.width as usize, self.bits);
        GrayImage::from_raw(frame.width, frame.height, values)
            .ok_or_else(|| unreadable(&"the file ends early"))
    }
}

/// The label map of a file.
pub(crate) fn read_labels(path: &Path) -> Result<GrayImage, DataError> {
    Labels::read(path)?.decode()
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
