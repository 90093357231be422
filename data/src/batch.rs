//! Samples as a network takes them: their images and their targets in one tensor each.

use crate::decode::{Decoded, Picture};
use crate::size::Size;
use crate::target::{TargetKind, described};

/// Some samples, as a network takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// `[N, C, H, W]`: grey, or red, green and blue; normalised.
    pub images: Vec<f32>,
    /// What a network is to say of each image.
    pub targets: Targets,
    /// Number of samples, N.
    pub n: usize,
    /// Number of channels, C: 1 or 3.
    pub channels: usize,
    /// Height H and width W of each image.
    pub size: Size,
    /// Stem of each sample.
    pub stems: Vec<String>,
}

/// The targets of a batch: of N images of height H and width W.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// `[N, H, W]`: the class of each pixel, or the ignored label.
    ClassMaps(Vec<i64>),
    /// `[N]`: the class of each image.
    Classes(Vec<i64>),
    /// `[N, C, H, W]`: with the channels of the images, and normalised as they are.
    Images(Vec<f32>),
    /// `[N, len]`: the numbers of each image as the data set holds them.
    Vectors {
        /// Row by row.
        values: Vec<f32>,
        /// Length of a row.
        len: usize,
    },
}

impl Batch {
    /// Room for samples of one size and with targets like the first one: pixels have the mean
    /// colour, which is 0, and the label `ignore`.
    pub(crate) fn empty(n: usize, size: Size, first: &Picture, ignore: u8) -> Self {
        let (pixels, channels) = (n * size.area(), first.image.channels);
        let images = vec![0.0; channels * pixels];
        let targets = match &first.target {
            Decoded::ClassMap(_) => Targets::ClassMaps(vec![i64::from(ignore); pixels]),
            Decoded::Class(_) => Targets::Classes(vec![0; n]),
            Decoded::Image(_) => Targets::Images(images.clone()),
            Decoded::Vector(values) => {
                Targets::Vectors { values: vec![0.0; n * values.len()], len: values.len() }
            }
        };
        Self { images, targets, n, channels, size, stems: Vec::new() }
    }
}

impl Targets {
    /// Which they are.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::ClassMaps(_) => TargetKind::ClassMap,
            Self::Classes(_) => TargetKind::Class,
            Self::Images(_) => TargetKind::Image,
            Self::Vectors { .. } => TargetKind::Vector,
        }
    }

    /// What each image has, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Vectors { len, .. } => described(self.kind(), Some(*len)),
            Self::ClassMaps(_) | Self::Classes(_) | Self::Images(_) => described(self.kind(), None),
        }
    }
}
