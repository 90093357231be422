//! A part of a picture in another size: of the image, and of what lies over it pixel by pixel.

use std::error::Error;
use std::sync::Arc;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::GrayImage;
use rand::Rng;

use crate::decode::{Decoded, Picture};
use crate::pixels::Pixels;
use crate::size::Size;

/// Working memory of a thread, kept from picture to picture.
pub(crate) type Scratch = Resizer;

/// What becomes of a picture whose shape is not that to which it is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// All of it is seen, and its shape changes.
    Stretch,
    /// Its shape stays, and what reaches over the edges is cut off on both sides alike.
    Cover,
    /// Its shape stays, all of it is seen in the middle, and the rest has the mean colour and the ignored label.
    Letterbox,
}

/// What there is beside a picture.
pub(crate) struct Fill {
    /// The value of each channel.
    pub(crate) values: Vec<u8>,
    /// The label.
    pub(crate) label: u8,
}

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

    /// The middle of a picture of `from` pixels, enlarged by `factor`, in `to` pixels.
    fn middle(from: u32, to: u32, factor: f64) -> Self {
        let seen = (f64::from(to) / factor).min(f64::from(from));
        let start = (f64::from(from) - seen) / 2.0;
        Self { source: (start, start + seen), offset: 0, len: to }
    }

    /// All of a picture of `from` pixels, enlarged by `factor`, in the middle of `to` pixels.
    fn amid(from: u32, to: u32, factor: f64) -> Self {
        let len = ((f64::from(from) * factor).round() as u32).clamp(1, to.max(1));
        Self { source: (0.0, f64::from(from)), offset: (to - len.min(to)) / 2, len }
    }

    /// The middle of a picture of `base` pixels, grown by `factor`, in a window, or the picture in the middle of it.
    pub(crate) fn centred(base: u32, factor: f32, window: u32) -> Self {
        let size = scaled(base, factor);
        let slack = size.abs_diff(window) / 2;
        let (offset, start) = if size > window { (0, slack) } else { (slack, 0) };
        Self::placed(base, size, offset, start, window)
    }

    /// A random place for a picture of `base` pixels, grown by `factor`, with `pad` pixels on both sides, in a window.
    pub(crate) fn draw(base: u32, factor: f32, pad: u32, window: u32, rng: &mut impl Rng) -> Self {
        let size = scaled(base, factor);
        let padded = size.saturating_add(pad.saturating_mul(2));
        let slack = rng.random_range(0..=padded.abs_diff(window));
        if padded <= window {
            return Self::placed(base, size, slack + pad, 0, window);
        }
        // The window begins `slack` pixels after the padding does.
        Self::placed(base, size, pad.saturating_sub(slack), slack.saturating_sub(pad), window)
    }

    /// A picture of `base` pixels, grown to `size`, from its pixel `start` on, in a window from its pixel `offset` on.
    fn placed(base: u32, size: u32, offset: u32, start: u32, window: u32) -> Self {
        let len = size.saturating_sub(start).min(window.saturating_sub(offset));
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

/// The picture in another size.
pub(crate) fn resized(
    picture: &Picture,
    to: Size,
    fit: Fit,
    fill: &Fill,
    scratch: &mut Scratch,
) -> Result<Picture, Box<dyn Error>> {
    let Size { height, width } = picture.size();
    let vertical = f64::from(to.height) / f64::from(height);
    let horizontal = f64::from(to.width) / f64::from(width);
    let (rows, columns) = match fit {
        Fit::Stretch => (Span::whole(height, to.height), Span::whole(width, to.width)),
        Fit::Cover => {
            let factor = vertical.max(horizontal);
            (Span::middle(height, to.height, factor), Span::middle(width, to.width, factor))
        }
        Fit::Letterbox => {
            let factor = vertical.min(horizontal);
            (Span::amid(height, to.height, factor), Span::amid(width, to.width, factor))
        }
    };
    let part = resample(picture, rows, columns, scratch)?;
    Ok(if part.size() == to { part } else { amid(&part, to, rows.offset, columns.offset, fill) })
}

/// A picture on a ground of another size, so many pixels from above and from the left.
fn amid(part: &Picture, to: Size, top: u32, left: u32, fill: &Fill) -> Picture {
    let on = |values: &[u8], ground: &[u8]| {
        let (pixel, width) = (ground.len(), to.width as usize);
        let mut all = ground.repeat(to.area());
        let lines = all.chunks_exact_mut(pixel * width).skip(top as usize);
        let seen = pixel * part.size().width as usize;
        for (line, row) in lines.zip(values.chunks_exact(seen)) {
            let start = pixel * left as usize;
            if let Some(place) = line.get_mut(start..start + seen) {
                place.copy_from_slice(row);
            }
        }
        all
    };
    let image =
        |image: &Pixels| Pixels { size: to, values: on(&image.values, &fill.values), ..*image };
    let target = match &part.target {
        Decoded::Image(target) => Decoded::Image(image(target)),
        Decoded::ClassMap(labels) => {
            let values = on(labels.as_raw(), &[fill.label]);
            // INVARIANT: one label for each pixel of the ground.
            Decoded::ClassMap(GrayImage::from_raw(to.width, to.height, values).unwrap_or_default())
        }
        Decoded::Class(class) => Decoded::Class(*class),
        Decoded::Vector(values) => Decoded::Vector(Arc::clone(values)),
    };
    Picture { image: image(&part.image), target }
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
    let mut linear = |image: &Pixels| {
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        let kind = match image.channels {
            1 => PixelType::U8,
            3 => PixelType::U8x3,
            channels => return Err(format!("no image has {channels} channels").into()),
        };
        let values = part(&image.values, kind, filter)?;
        Ok::<_, Box<dyn Error>>(Pixels { size: Size { height, width }, values, ..*image })
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
