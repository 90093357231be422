//! Opening the file of an image: what its header says, and that it goes on to its end.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader};

use crate::error::DataError;
use crate::size::Size;
use crate::whole::{has_end, shows_its_end};

/// The most pixels of an image or a label map: one of more is refused by its header, before it takes
/// memory.
const MAX_PIXELS: u64 = 1 << 27;

/// The bytes of a file of the data set; what is a pipe or a device is none.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, DataError> {
    nas_files::read(path).map_err(|error| DataError::unreadable(path, error))
}

/// The size of an image the way up that its EXIF data say, by the header of a file that has its end; where only decoding shows that it has,
/// it is decoded.
pub(crate) fn image_size(path: &Path, bytes: &[u8]) -> Result<Size, DataError> {
    let (decoder, orientation) = opened(path, bytes)?;
    let (width, height) = decoder.dimensions();
    if !shows_its_end(bytes) {
        DynamicImage::from_decoder(decoder).map_err(|error| DataError::unreadable(path, error))?;
    }
    Ok(if is_turned(orientation) {
        Size { height: width, width: height }
    } else {
        Size { height, width }
    })
}

/// Whether rows become columns.
pub(crate) fn is_turned(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// What decodes an image of bounded size, and how it is to be turned.
pub(crate) fn opened<'a>(
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
pub(crate) fn bounded(path: &Path, size: Size) -> Result<(), DataError> {
    if u64::from(size.height) * u64::from(size.width) <= MAX_PIXELS {
        return Ok(());
    }
    let reason = format!("it is {size}, and an image may have {} pixels", MAX_PIXELS);
    Err(DataError::unreadable(path, reason))
}

/// # Errors
/// A part of the file is missing.
pub(crate) fn ended(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    if has_end(bytes) { Ok(()) } else { Err(DataError::unreadable(path, "the file ends early")) }
}
