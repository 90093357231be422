//! A part of a picture in another size: of the image, and of what lies over it pixel by pixel.

use std::error::Error;
use std::sync::Arc;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{GrayImage, RgbImage};
use rand::Rng;

use crate::decode::{Decoded, Picture};
use crate::size::Size;

/// Working memory of a thread, kept from picture to picture.
pub(crate) type Scratch = Resizer;

/// Along one axis: which part of the picture is seen, and where it lies in the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// Start and end in the picture, in pixels of the picture.
    source: (f64, f64),
    /// First pixel of the window that shows the picture.
    pub(crate) offset: u32,
    /// Number of pixels of the window that show it.
    pub(crate) len: u32,
}

impl Span {
    /// All of a picture of `from` pixels, in `to` pixels.
    fn whole(from: u32, to: u32) -> Self {
        Self { source: (0.0, f64::from(from)), offset: 0, len: to }
    }

    /// A random place for a picture of `base` pixels, grown by `factor`, in a window.
    pub(crate) fn draw(base: u32, factor: f32, window: u32, rng: &mut impl Rng) -> Self {
        let size = scaled(base, factor);
        let slack = rng.random_range(0..=size.abs_diff(window));
        let len = size.min(window);
        let (start, offset) = if size > window { (slack, 0) } else { (0, slack) };
        // INVARIANT: the end never exceeds `base`: whole numbers up to 2^53 divide exactly.
        let back = |at: u64| (at * u64::from(base)) as f64 / f64::from(size);
        let source = (back(start.into()), back(u64::from(start) + u64::from(len)));
        Self { source, offset, len }
    }
}

/// So many pixels, grown by a factor; at least one.
pub(crate) fn scaled(pixels: u32, factor: f32) -> u32 {
    ((f64::from(pixels) * f64::from(factor)).round() as u32).max(1)
}

/// The whole picture in another size.
pub(crate) fn resized(
    picture: &Picture,
    to: Size,
    scratch: &mut Scratch,
) -> Result<Picture, Box<dyn Error>> {
    let Size { height, width } = picture.size();
    resample(picture, Span::whole(height, to.height), Span::whole(width, to.width), scratch)
}

/// The part of the picture that the spans see, in as many pixels as they have. Images are interpolated
/// linearly, label maps take the nearest pixel; classes and vectors are of any part what they are of
/// the whole.
pub(crate) fn resample(
    picture: &Picture,
    rows: Span,
    columns: Span,
    scratch: &mut Scratch,
) -> Result<Picture, Box<dyn Error>> {
    let Size { height, width } = picture.size();
    let ((top, bottom), (left, right)) = (rows.source, columns.source);
    let seen = ResizeOptions::new().crop(left, top, right - left, bottom - top);
    let mut part = |pixels: &[u8], kind, filter| {
        let source = ImageRef::new(width, height, pixels, kind)?;
        let mut out = Image::new(columns.len, rows.len, kind);
        scratch.resize(&source, &mut out, &seen.resize_alg(filter))?;
        Ok::<_, Box<dyn Error>>(out.into_vec())
    };
    let (width, height) = (columns.len, rows.len);
    let mut linear = |image: &RgbImage| {
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        let colours = part(image.as_raw(), PixelType::U8x3, filter)?;
        Ok::<_, Box<dyn Error>>(RgbImage::from_raw(width, height, colours).ok_or("no pixels")?)
    };
    let image = linear(&picture.image)?;
    let target = match &picture.target {
        Decoded::Image(image) => Decoded::Image(linear(image)?),
        Decoded::ClassMap(labels) => {
            let labels = part(labels.as_raw(), PixelType::U8, ResizeAlg::Nearest)?;
            Decoded::ClassMap(GrayImage::from_raw(width, height, labels).ok_or("no pixels")?)
        }
        Decoded::Class(class) => Decoded::Class(*class),
        Decoded::Vector(values) => Decoded::Vector(Arc::clone(values)),
    };
    Ok(Picture { image, target })
}
