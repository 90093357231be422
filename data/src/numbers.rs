//! Reading files of numbers for each pixel: pictures of 8 or 16 bits, TIFF of any number of channels, NumPy's `.npy`.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GenericImageView};
use npyz::{DType, NpyFile, Order, TypeChar};
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

use crate::error::DataError;
use crate::opening::{bounded, opened};
use crate::planes::Planes;
use crate::size::Size;

/// What an `.npy` begins with.
const NPY: &[u8] = b"\x93NUMPY";
/// What a TIFF begins with: in the order of bytes of Intel, or of Motorola.
const TIFF: [&[u8]; 2] = [b"II*\0", b"MM\0*"];

/// What a file holds, as it is stored.
pub(crate) struct Stored {
    /// Numbers `[channels, H, W]`.
    pub(crate) planes: Planes,
    /// What stands for white: 255 or 65535 where numbers are of 8 or 16 bits in a picture; 1 where they are taken as they
    /// are.
    pub(crate) white: f32,
    /// Whether the last of 2 or 4 channels says how much a pixel covers what lies behind it.
    has_alpha: bool,
}

impl Stored {
    /// The numbers with so many channels: an alpha channel is left out where there is one too many.
    ///
    /// # Errors
    /// The file has another number of channels.
    pub(crate) fn with_channels(self, channels: usize, path: &Path) -> Result<Planes, DataError> {
        let Self { planes, has_alpha, .. } = self;
        if planes.channels == channels {
            return Ok(planes);
        }
        if has_alpha && planes.channels == channels + 1 {
            return Ok(planes.first(channels));
        }
        let (path, found) = (path.to_owned(), planes.channels);
        Err(DataError::Channels { path, found, wanted: channels })
    }
}

/// Whether a file is an array of NumPy, which `image` does not read.
pub(crate) fn is_array(bytes: &[u8]) -> bool {
    bytes.starts_with(NPY)
}

/// Reads the numbers of a file.
///
/// # Errors
/// It is none of these formats, too large, or damaged.
pub(crate) fn read_numbers(
    path: &Path,
    bytes: &[u8],
    channels: usize,
) -> Result<Stored, DataError> {
    if is_array(bytes) {
        read_npy(path, bytes, channels)
    } else if TIFF.iter().any(|start| bytes.starts_with(start)) {
        read_tiff(path, bytes)
    } else {
        read_picture(path, bytes)
    }
}

fn read_picture(path: &Path, bytes: &[u8]) -> Result<Stored, DataError> {
    let (decoder, orientation) = opened(path, bytes)?;
    let image = DynamicImage::from_decoder(decoder);
    let mut image = image.map_err(|error| DataError::unreadable(path, error))?;
    image.apply_orientation(orientation);
    let (size, color) = (Size::from(image.dimensions()), image.color());
    let channels = usize::from(color.channel_count());
    let (values, white): (Vec<f32>, f32) = match color {
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let values = of_sixteen_bits(&image).ok_or_else(|| {
                DataError::unreadable(path, "its pixels are not those that its header says")
            })?;
            (values, f32::from(u16::MAX))
        }
        ColorType::Rgb32F => (image.into_rgb32f().into_raw(), 1.0),
        ColorType::Rgba32F => (image.into_rgba32f().into_raw(), 1.0),
        _ => {
            let values = image.as_bytes().iter().copied().map(f32::from).collect();
            (values, f32::from(u8::MAX))
        }
    };
    let has_alpha = color.has_alpha();
    Ok(Stored { planes: Planes::of_pixels(size, channels, &values), white, has_alpha })
}

/// The values of a picture of 16 bits, pixel by pixel.
fn of_sixteen_bits(image: &DynamicImage) -> Option<Vec<f32>> {
    let values: &[u16] = match image {
        DynamicImage::ImageLuma16(pixels) => pixels.as_raw(),
        DynamicImage::ImageLumaA16(pixels) => pixels.as_raw(),
        DynamicImage::ImageRgb16(pixels) => pixels.as_raw(),
        DynamicImage::ImageRgba16(pixels) => pixels.as_raw(),
        _ => return None,
    };
    Some(values.iter().copied().map(f32::from).collect())
}

fn read_tiff(path: &Path, bytes: &[u8]) -> Result<Stored, DataError> {
    let unreadable = |error: &dyn std::fmt::Display| DataError::unreadable(path, error);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let (width, height) = decoder.dimensions().map_err(|error| unreadable(&error))?;
    let size = Size { height, width };
    bounded(path, size)?;
    let orientation = decoder.find_tag_unsigned(Tag::Orientation);
    let orientation = orientation.map_err(|error| unreadable(&error))?;
    let orientation = orientation.and_then(Orientation::from_exif);
    let color = decoder.colortype().map_err(|error| unreadable(&error))?;
    let channels = usize::from(color.num_samples());
    let (values, white): (Vec<f32>, f32) =
        match decoder.read_image().map_err(|error| unreadable(&error))? {
            DecodingResult::U8(values) => (floats(&values), f32::from(u8::MAX)),
            DecodingResult::U16(values) => (floats(&values), f32::from(u16::MAX)),
            DecodingResult::F32(values) => (values, 1.0),
            DecodingResult::F64(values) => (values.iter().map(|&v| v as f32).collect(), 1.0),
            DecodingResult::I8(values) => (floats(&values), 1.0),
            DecodingResult::I16(values) => (floats(&values), 1.0),
            DecodingResult::U32(values) => (values.iter().map(|&v| v as f32).collect(), 1.0),
            DecodingResult::I32(values) => (values.iter().map(|&v| v as f32).collect(), 1.0),
            _ => return Err(unreadable(&"its numbers are of a type that is not read")),
        };
    if values.len() != size.area() * channels {
        return Err(unreadable(&"it does not hold its channels side by side"));
    }
    let has_alpha = matches!(color, tiff::ColorType::GrayA(_) | tiff::ColorType::RGBA(_));
    let planes = Planes::of_pixels(size, channels, &values);
    let planes = planes.oriented(orientation.unwrap_or(Orientation::NoTransforms));
    Ok(Stored { planes, white, has_alpha })
}

fn floats<T: Copy + Into<f32>>(values: &[T]) -> Vec<f32> {
    values.iter().map(|&value| value.into()).collect()
}

/// `[H, W]`, `[channels, H, W]`, or `[H, W, channels]` where only that has so many channels.
fn read_npy(path: &Path, bytes: &[u8], channels: usize) -> Result<Stored, DataError> {
    let unreadable = |error: &dyn std::fmt::Display| DataError::unreadable(path, error);
    let file = NpyFile::new(bytes).map_err(|error| unreadable(&error))?;
    let side = |len: &u64| u32::try_from(*len).ok().filter(|&len| len > 0);
    let sides: Option<Vec<u32>> = file.shape().iter().map(side).collect();
    let (size, found, is_last) = match sides.as_deref() {
        Some(&[height, width]) => (Size { height, width }, 1, false),
        Some(&[height, width, last])
            if last as usize == channels && height as usize != channels =>
        {
            (Size { height, width }, last, true)
        }
        Some(&[first, height, width]) => (Size { height, width }, first, false),
        _ => {
            let shape = file.shape();
            return Err(unreadable(&format!(
                "its shape is {shape:?}, and not [height, width] or [channels, height, width]"
            )));
        }
    };
    bounded(path, size)?;
    let found = found as usize;
    let is_whole = size.area().checked_mul(found).is_some_and(|count| count <= bytes.len());
    if !is_whole {
        return Err(unreadable(&"the file ends early"));
    }
    let order = file.order();
    let values = npy_values(file).map_err(|error| unreadable(&error))?;
    let extent = |axis: Axis| match axis {
        Axis::Channel => found,
        Axis::Row => size.height as usize,
        Axis::Column => size.width as usize,
    };
    let axes = if is_last {
        [Axis::Row, Axis::Column, Axis::Channel]
    } else {
        [Axis::Channel, Axis::Row, Axis::Column]
    };
    let values = in_planes(&values, axes, order, extent);
    let planes = Planes { size, channels: found, values };
    Ok(Stored { planes, white: 1.0, has_alpha: false })
}

/// What an axis of an array counts.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Channel,
    Row,
    Column,
}

/// The values of an array with these axes in the order `[channels, H, W]`.
fn in_planes(
    values: &[f32],
    axes: [Axis; 3],
    order: Order,
    extent: impl Fn(Axis) -> usize,
) -> Vec<f32> {
    let stride = |of: Axis| {
        let is_before = |axis: &&Axis| **axis != of;
        // Of C the last axis is the closest, of Fortran the first.
        let inner: Vec<Axis> = match order {
            Order::C => axes.iter().rev().take_while(is_before).copied().collect(),
            Order::Fortran => axes.iter().take_while(is_before).copied().collect(),
        };
        inner.into_iter().map(&extent).product::<usize>()
    };
    let [channel, row, column] = [Axis::Channel, Axis::Row, Axis::Column].map(stride);
    let mut planes = Vec::with_capacity(values.len());
    for c in 0..extent(Axis::Channel) {
        for r in 0..extent(Axis::Row) {
            let start = c * channel + r * row;
            let places = (0..extent(Axis::Column)).map(|x| start + x * column);
            // INVARIANT: there are as many values as the extents make.
            planes.extend(places.map(|at| values.get(at).copied().unwrap_or(f32::NAN)));
        }
    }
    planes
}

/// The values of an array in the order of its file.
fn npy_values(file: NpyFile<&[u8]>) -> std::io::Result<Vec<f32>> {
    let kind = match file.dtype() {
        DType::Plain(kind) => Some((kind.type_char(), kind.size_field())),
        _ => None,
    };
    let wide = |values: Vec<f64>| values.into_iter().map(|value| value as f32).collect();
    Ok(match kind {
        Some((TypeChar::Float, 4)) => file.into_vec::<f32>()?,
        Some((TypeChar::Float, 8)) => wide(file.into_vec::<f64>()?),
        Some((TypeChar::Uint, 1)) => floats(&file.into_vec::<u8>()?),
        Some((TypeChar::Uint, 2)) => floats(&file.into_vec::<u16>()?),
        Some((TypeChar::Uint, 4)) => {
            wide(file.into_vec::<u32>()?.into_iter().map(f64::from).collect())
        }
        Some((TypeChar::Int, 1)) => floats(&file.into_vec::<i8>()?),
        Some((TypeChar::Int, 2)) => floats(&file.into_vec::<i16>()?),
        Some((TypeChar::Int, 4)) => {
            wide(file.into_vec::<i32>()?.into_iter().map(f64::from).collect())
        }
        _ => {
            let says = "its numbers are neither floats of 32 or 64 bits nor whole ones of 8, 16 or 32 bits";
            return Err(std::io::Error::other(says));
        }
    })
}
