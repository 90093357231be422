//! Samples as a network takes them: their images and their targets in one tensor each.

use crate::decode::{Decoded, Picture};
use crate::input::Input;
use crate::size::Size;
use crate::target::{TargetKind, described};

/// Some samples, as a network takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The images of each input of a network.
    pub inputs: Vec<Images>,
    /// What a network is to say of each image.
    pub targets: Targets,
    /// Number of samples, N.
    pub n: usize,
    /// Height H and width W of each image.
    pub size: Size,
    /// Stem of each sample.
    pub stems: Vec<String>,
}

/// The images of one input of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// `[N, C, H, W]`, normalised; what is not known has the mean, which is 0.
    pub values: Vec<f32>,
    /// Number of channels, C: 1 of grey, 3 of red, green and blue.
    pub channels: usize,
}

/// The targets of a batch: of N images of height H and width W.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// `[N, H, W]`: the class of each pixel, or the ignored label.
    ClassMaps(Vec<i64>),
    /// `[N]`: the class of each image.
    Classes(Vec<i64>),
    /// `[N, values, k H, k W]`: the numbers of each pixel, NaN where none is known.
    Maps {
        /// Plane by plane, each row by row.
        values: Vec<f32>,
        /// Planes of an image.
        channels: usize,
        /// Height and width of each map, k times those of an image.
        size: Size,
    },
    /// `[N, len]`: the numbers of each image, NaN where one is not known.
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
    pub(crate) fn empty(
        n: usize,
        size: Size,
        first: &Picture,
        inputs: &[Input],
        (ignore, times): (u8, u32),
    ) -> Self {
        let pixels = n * size.area();
        let images = inputs.iter().map(|input| {
            let channels = input.channels();
            Images { values: vec![0.0; channels * pixels], channels }
        });
        let targets = match &first.target {
            Decoded::ClassMap(_) => Targets::ClassMaps(vec![i64::from(ignore); pixels]),
            Decoded::Class(_) => Targets::Classes(vec![0; n]),
            Decoded::Map(map) => {
                let (channels, size) = (map.channels, size.times(times));
                let values = vec![f32::NAN; n * channels * size.area()];
                Targets::Maps { values, channels, size }
            }
            Decoded::Vector(values) => {
                Targets::Vectors { values: vec![0.0; n * values.len()], len: values.len() }
            }
        };
        Self { inputs: images.collect(), targets, n, size, stems: Vec::new() }
    }
}

impl Targets {
    /// Which they are.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::ClassMaps(_) => TargetKind::ClassMap,
            Self::Classes(_) => TargetKind::Class,
            Self::Maps { .. } => TargetKind::Map,
            Self::Vectors { .. } => TargetKind::Vector,
        }
    }

    /// What each image has, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Vectors { len, .. } => described(self.kind(), Some(*len)),
            Self::ClassMaps(_) | Self::Classes(_) | Self::Maps { .. } => {
                described(self.kind(), None)
            }
        }
    }
}
