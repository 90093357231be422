//! What a network is to say of an image.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

/// Which targets a data set holds; `dataset.json` names them as `class_map`, `class`, `labels`, `map` or `vector`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A class for each pixel.
    ClassMap,
    /// A class for the whole image.
    Class,
    /// Of each class whether it applies to the image.
    Labels,
    /// Numbers for each pixel.
    Map,
    /// Numbers for the whole image.
    Vector,
}

impl TargetKind {
    /// Its name in `dataset.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClassMap => "class_map",
            Self::Class => "class",
            Self::Labels => "labels",
            Self::Map => "map",
            Self::Vector => "vector",
        }
    }
}

/// What one is called.
impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClassMap => "label map",
            Self::Class => "class",
            Self::Labels => "row of labels",
            Self::Map => "target map",
            Self::Vector => "vector",
        })
    }
}

/// The target of one sample, as its data set holds it.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A PNG of one channel and at most 8 bits, `[H, W]`: the class of each pixel, or the ignored label.
    ClassMap(PathBuf),
    /// The class of the whole image, from 0.
    Class(u32),
    /// A picture, TIFF or `.npy` of numbers, `[values, k H, k W]` for an image of the size `[H, W]`.
    Map(PathBuf),
    /// Numbers, `[len]`; as many for every sample, those that are not known NaN. Of labels, 1 says that a class applies
    /// and 0 that it does not.
    Vector(Arc<[f32]>),
}

impl Target {
    /// Which it is; of labels, a vector.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::ClassMap(_) => TargetKind::ClassMap,
            Self::Class(_) => TargetKind::Class,
            Self::Map(_) => TargetKind::Map,
            Self::Vector(_) => TargetKind::Vector,
        }
    }

    /// The file that it is read from, where it has one of its own.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::ClassMap(path) | Self::Map(path) => Some(path),
            Self::Class(_) | Self::Vector(_) => None,
        }
    }
}

/// What an image has, in words: "a vector of 3 numbers".
pub(crate) fn described(kind: TargetKind, len: Option<usize>) -> String {
    let numbers = len.map(|len| format!(" of {len} numbers"));
    format!("a {kind}{}", numbers.unwrap_or_default())
}
