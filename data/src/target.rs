//! What a network is to say of an image.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

/// Which targets a data set holds; `dataset.json` names them as `class_map`, `class`, `image` or `vector`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// A class for each pixel.
    ClassMap,
    /// A class for the whole image.
    Class,
    /// Another image of the same size.
    Image,
    /// Some numbers.
    Vector,
}

/// What one is called.
impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClassMap => "label map",
            Self::Class => "class",
            Self::Image => "target image",
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
    /// A JPEG or PNG of the size of the image, `[3, H, W]`.
    Image(PathBuf),
    /// Numbers, `[len]`; as many for every sample.
    Vector(Arc<[f32]>),
}

impl Target {
    /// Which it is.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::ClassMap(_) => TargetKind::ClassMap,
            Self::Class(_) => TargetKind::Class,
            Self::Image(_) => TargetKind::Image,
            Self::Vector(_) => TargetKind::Vector,
        }
    }

    /// The file that it is read from, where it has one of its own.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::ClassMap(path) | Self::Image(path) => Some(path),
            Self::Class(_) | Self::Vector(_) => None,
        }
    }
}

/// What an image has, in words: "a vector of 3 numbers".
pub(crate) fn described(kind: TargetKind, len: Option<usize>) -> String {
    let numbers = len.map(|len| format!(" of {len} numbers"));
    format!("a {kind}{}", numbers.unwrap_or_default())
}
