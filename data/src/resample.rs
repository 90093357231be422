//! A part of a picture in another size: of the image, and of what lies over it pixel by pixel.

use std::error::Error;
use std::sync::Arc;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32, U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::GrayImage;

use crate::decode::{Decoded, Layer, Picture};
use crate::map::Between;
use crate::moves::{Moves, View};
use crate::pixels::Pixels;
use crate::planes::Planes;
use crate::size::Size;
use crate::span::Span;

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
pub(crate) struct Fill<'a> {
    /// Of each input the value of each channel, white being 1.
    pub(crate) means: Vec<&'a [f32]>,
    /// The label.
    pub(crate) label: u8,
}

/// How targets that are no colours are brought to another size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Along<'a> {
    /// By how much maps are larger than the image.
    pub(crate) times: u32,
    /// Between the values of a map.
    pub(crate) between: Between,
    /// What becomes of vectors.
    pub(crate) moves: &'a Moves,
}

/// The picture in another size.
pub(crate) fn resized(
    picture: &Picture,
    to: Size,
    fit: Fit,
    fill: &Fill<'_>,
    along: Along<'_>,
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
    let mut part = resample(picture, rows, columns, along, scratch)?;
    if let Decoded::Vector(numbers) = &mut part.target {
        let from = picture.size();
        let view = View { from, rows, columns, window: to, flip: false };
        along.moves.seen(Arc::make_mut(numbers), &view);
    }
    let (top, left) = (rows.offset, columns.offset);
    Ok(if part.size() == to { part } else { amid(part, to, [top, left], fill, along.times) })
}

/// A picture on a ground of another size, so many pixels from above and from the left.
fn amid(part: Picture, to: Size, place: [u32; 2], fill: &Fill<'_>, times: u32) -> Picture {
    let inputs = part.inputs.iter().zip(&fill.means).map(|(layer, means)| match layer {
        Layer::Pixels(image) => {
            let mean: Vec<u8> = means.iter().map(|mean| (mean * 255.0).round() as u8).collect();
            let values = laid_on(&image.values, image.size, to, place, &mean);
            Layer::Pixels(Pixels { size: to, values, ..*image })
        }
        Layer::Planes(planes) => Layer::Planes(planes_amid(planes, to, place, means)),
    });
    let inputs = inputs.collect();
    let target = match part.target {
        Decoded::Map(map) => {
            let nothing = vec![f32::NAN; map.channels];
            let place = place.map(|pixels| pixels * times);
            Decoded::Map(planes_amid(&map, to.times(times), place, &nothing))
        }
        Decoded::ClassMap(labels) => {
            let size = Size::from(labels.dimensions());
            let values = laid_on(labels.as_raw(), size, to, place, &[fill.label]);
            // INVARIANT: one label for each pixel of the ground.
            Decoded::ClassMap(GrayImage::from_raw(to.width, to.height, values).unwrap_or_default())
        }
        Decoded::Class(class) => Decoded::Class(class),
        Decoded::Vector(values) => Decoded::Vector(values),
    };
    Picture { inputs, target }
}

fn planes_amid(planes: &Planes, to: Size, place: [u32; 2], ground: &[f32]) -> Planes {
    let laid = planes.planes().zip(ground);
    let laid = laid.flat_map(|(plane, value)| laid_on(plane, planes.size, to, place, &[*value]));
    Planes { size: to, channels: planes.channels, values: laid.collect() }
}

/// Pixels `[H, W, channels]` of one size on a ground of another size.
fn laid_on<T: Copy>(
    values: &[T],
    size: Size,
    to: Size,
    [top, left]: [u32; 2],
    ground: &[T],
) -> Vec<T> {
    let (pixel, width) = (ground.len(), to.width as usize);
    let mut all = ground.repeat(to.area());
    let lines = all.chunks_exact_mut(pixel * width).skip(top as usize);
    let seen = pixel * size.width as usize;
    for (line, row) in lines.zip(values.chunks_exact(seen.max(1))) {
        let start = pixel * left as usize;
        if let Some(place) = line.get_mut(start..start + seen) {
            place.copy_from_slice(row);
        }
    }
    all
}

/// The part of the picture that the spans see, in as many pixels as they have. Images are interpolated
/// linearly, label maps take the nearest pixel; classes and vectors are of any part what they are of
/// the whole.
pub(crate) fn resample(
    picture: &Picture,
    rows: Span,
    columns: Span,
    along: Along<'_>,
    scratch: &mut Scratch,
) -> Result<Picture, Box<dyn Error>> {
    let linear = ResizeAlg::Convolution(FilterType::Bilinear);
    let mut see = Seeing { rows, columns, scratch };
    let mut inputs = Vec::with_capacity(picture.inputs.len());
    for layer in &picture.inputs {
        inputs.push(match layer {
            Layer::Pixels(image) => {
                let values = match image.channels {
                    1 => see.bytes::<U8>(&image.values, image.size, linear)?,
                    3 => see.bytes::<U8x3>(&image.values, image.size, linear)?,
                    channels => return Err(format!("no image has {channels} channels").into()),
                };
                Layer::Pixels(Pixels { size: see.size(), values, ..*image })
            }
            Layer::Planes(planes) => Layer::Planes(see.planes(planes, linear)?),
        });
    }
    let target = match &picture.target {
        Decoded::Map(map) => {
            let filter = match along.between {
                Between::Linear => linear,
                Between::Nearest => ResizeAlg::Nearest,
            };
            Decoded::Map(see.times(along.times).planes(map, filter)?)
        }
        Decoded::ClassMap(labels) => {
            let size = Size::from(labels.dimensions());
            let labels = see.bytes::<U8>(labels.as_raw(), size, ResizeAlg::Nearest)?;
            let Size { height, width } = see.size();
            Decoded::ClassMap(GrayImage::from_raw(width, height, labels).ok_or("no pixels")?)
        }
        Decoded::Class(class) => Decoded::Class(*class),
        Decoded::Vector(values) => Decoded::Vector(Arc::clone(values)),
    };
    Ok(Picture { inputs, target })
}

/// What is seen of a picture, and the memory to see it with.
struct Seeing<'a> {
    rows: Span,
    columns: Span,
    scratch: &'a mut Scratch,
}

impl Seeing<'_> {
    fn size(&self) -> Size {
        Size { height: self.rows.len, width: self.columns.len }
    }

    fn times(&mut self, times: u32) -> Seeing<'_> {
        let (rows, columns) = (self.rows.times(times), self.columns.times(times));
        Seeing { rows, columns, scratch: self.scratch }
    }

    /// Of pixels of one kind: what resizes all that there are takes a minute to compile.
    fn bytes<P: PixelTrait<Component = u8>>(
        &mut self,
        pixels: &[u8],
        from: Size,
        filter: ResizeAlg,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let source = TypedImageRef::<P>::from_buffer(from.width, from.height, pixels)?;
        let mut out = TypedImage::<P>::new(self.columns.len, self.rows.len);
        let options = self.options(filter);
        self.scratch.resize_typed(&source, &mut out, &options)?;
        Ok(P::components(out.pixels()).to_vec())
    }

    fn options(&self, filter: ResizeAlg) -> ResizeOptions {
        let ((top, bottom), (left, right)) = (self.rows.source(), self.columns.source());
        ResizeOptions::new().crop(left, top, right - left, bottom - top).resize_alg(filter)
    }

    fn planes(&mut self, planes: &Planes, filter: ResizeAlg) -> Result<Planes, Box<dyn Error>> {
        let mut values = Vec::with_capacity(planes.channels * self.size().area());
        for plane in planes.planes() {
            let pixels: Vec<F32> = plane.iter().copied().map(F32::new).collect();
            let source = TypedImageRef::new(planes.size.width, planes.size.height, &pixels)?;
            let mut out = TypedImage::<F32>::new(self.columns.len, self.rows.len);
            let options = self.options(filter);
            self.scratch.resize_typed(&source, &mut out, &options)?;
            values.extend(out.pixels().iter().map(|pixel| pixel.0));
        }
        Ok(Planes { size: self.size(), channels: planes.channels, values })
    }
}
