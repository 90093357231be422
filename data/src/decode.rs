//! Reading one sample from its files: images, label maps, and what needs no file.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageReader};
use png::{BitDepth, ColorType};

use crate::error::DataError;
use crate::pixels::Pixels;
use crate::place::Place;
use crate::sample::Sample;
use crate::size::Size;
use crate::target::{Target, TargetKind, described};
use crate::whole::{has_end, shows_its_end};

/// The most pixels of an image or a label map: one of more is refused by its header, before it takes
/// memory.
pub(crate) const MAX_PIXELS: u64 = 1 << 27;

/// An image and its target, decoded; maps and images among targets have the size of the image.
pub(crate) struct Picture {
    pub(crate) image: Pixels,
    pub(crate) target: Decoded,
}

/// A target with its values in memory.
pub(crate) enum Decoded {
    ClassMap(GrayImage),
    Class(u32),
    Image(Pixels),
    Vector(Arc<[f32]>),
}

impl Picture {
    /// Reads the files of a sample and checks that they have one size and that every label of a
    /// label map is `ignore` or below `classes`. Images have so many channels.
    pub(crate) fn read(
        sample: &Sample,
        channels: usize,
        classes: usize,
        ignore: u8,
    ) -> Result<Self, DataError> {
        let image = read_place(&sample.image, channels)?;
        let target = match &sample.target {
            Target::ClassMap(path) => {
                let labels = Labels::read(path)?;
                same_size(sample, path, image.size, labels.size())?;
                let labels = labels.decode()?;
                check_labels(&labels, classes, ignore, path)?;
                Decoded::ClassMap(labels)
            }
            Target::Class(class) => Decoded::Class(*class),
            Target::Image(path) => {
                let target = read_image(path, channels)?;
                same_size(sample, path, image.size, target.size)?;
                Decoded::Image(target)
            }
            Target::Vector(values) => Decoded::Vector(Arc::clone(values)),
        };
        Ok(Self { image, target })
    }

    pub(crate) fn size(&self) -> Size {
        self.image.size
    }

    /// The memory that its pixels take.
    pub(crate) fn bytes(&self) -> usize {
        self.image.values.len() + self.target.bytes()
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
            Self::Image(image) => image.values.len(),
            Self::Class(_) | Self::Vector(_) => 0,
        }
    }
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

/// The bytes of a file of the data set; what is a pipe or a device is none.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, DataError> {
    nas_files::read(path).map_err(|error| DataError::unreadable(path, error))
}

/// The picture at a place, with so many channels.
pub(crate) fn read_place(place: &Place, channels: usize) -> Result<Pixels, DataError> {
    match place {
        Place::File(path) => read_image(path, channels),
        Place::Record { container, index } => {
            let planes = container.planes(*index);
            let size = container.records.size;
            let image = planes.and_then(|planes| Pixels::of_planes(planes, size, channels));
            image.ok_or_else(|| DataError::unreadable(place, "the file has no such record"))
        }
    }
}

/// Any JPEG, PNG, BMP, TIFF or WebP with so many channels, the way up that its EXIF data say.
fn read_image(path: &Path, channels: usize) -> Result<Pixels, DataError> {
    let bytes = bytes_of(path)?;
    let (decoder, orientation) = opened(path, &bytes)?;
    let image = DynamicImage::from_decoder(decoder);
    let mut image = image.map_err(|error| DataError::unreadable(path, error))?;
    image.apply_orientation(orientation);
    let pixels = Pixels::of(image, channels);
    pixels.ok_or_else(|| DataError::unreadable(path, format!("no image has {channels} channels")))
}

/// The size that [`read_image`] gives, by the header of a file that has its end; where only decoding shows that it has,
/// it is decoded.
pub(crate) fn image_size(path: &Path, bytes: &[u8]) -> Result<Size, DataError> {
    let (decoder, orientation) = opened(path, bytes)?;
    let (width, height) = decoder.dimensions();
    if !shows_its_end(bytes) {
        DynamicImage::from_decoder(decoder).map_err(|error| DataError::unreadable(path, error))?;
    }
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    Ok(if turned { Size { height: width, width: height } } else { Size { height, width } })
}

/// What decodes an image of bounded size, and how it is to be turned.
fn opened<'a>(
    path: &Path,
    bytes: &'a [u8],
) -> Result<(impl ImageDecoder + 'a, Orientation), DataError> {
    let unreadable = |error: &dyn std::fmt::Display| DataError::unreadable(path, error);
    let reader = ImageReader::new(Cursor::new(bytes));
    let reader = reader.with_guessed_format().map_err(|error| unreadable(&error))?;
    let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
    bounded(path, decoder.dimensions().into())?;
    ended(path, bytes)?;
    let orientation = decoder.orientation().map_err(|error| unreadable(&error))?;
    Ok((decoder, orientation))
}

/// # Errors
/// An image has more than [`MAX_PIXELS`].
fn bounded(path: &Path, size: Size) -> Result<(), DataError> {
    if u64::from(size.height) * u64::from(size.width) <= MAX_PIXELS {
        return Ok(());
    }
    let reason = format!("it is {size}, and an image may have {} pixels", MAX_PIXELS);
    Err(DataError::unreadable(path, reason))
}

fn ended(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    if has_end(bytes) { Ok(()) } else { Err(DataError::unreadable(path, "the file ends early")) }
}

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
