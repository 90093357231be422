//! The pixels of an image as a network takes them: grey, or red, green and blue.

use image::{DynamicImage, GrayImage, RgbImage};

use crate::size::Size;

/// Pixels, `[H, W, channels]`, a byte for each channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pixels {
    /// Height and width.
    pub(crate) size: Size,
    /// Values of a pixel.
    pub(crate) channels: usize,
    /// Row by row; as many as the size and the channels make.
    pub(crate) values: Vec<u8>,
}

impl Pixels {
    /// The numbers of channels that [`Pixels::of`] makes.
    pub(crate) const CHANNELS: [usize; 2] = [1, 3];

    /// An image with so many channels. Of one channel, it is its luma (ITU-R BT.709); of three, grey is repeated.
    /// Transparency is left out. `None` for another number.
    pub(crate) fn of(image: DynamicImage, channels: usize) -> Option<Self> {
        let size = (image.width(), image.height()).into();
        let values = match channels {
            1 => image.into_luma8().into_raw(),
            3 => image.into_rgb8().into_raw(),
            _ => return None,
        };
        Some(Self { size, channels, values })
    }

    /// The image of planes `[planes, H, W]`: one of grey, or three.
    pub(crate) fn of_planes(planes: &[u8], size: Size, channels: usize) -> Option<Self> {
        let Size { height, width } = size;
        let all: Vec<&[u8]> = planes.chunks_exact(size.area()).collect();
        let image = match all.as_slice() {
            [grey] => GrayImage::from_raw(width, height, grey.to_vec())?.into(),
            [red, green, blue] => {
                let colours = red.iter().zip(*green).zip(*blue);
                let values = colours.flat_map(|((red, green), blue)| [*red, *green, *blue]);
                DynamicImage::from(RgbImage::from_raw(width, height, values.collect())?)
            }
            _ => return None,
        };
        Self::of(image, channels)
    }
}
