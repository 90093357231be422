//! Where the picture of a sample is: a file of its own, or a record of a file of many.

use std::cmp::Ordering;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::size::Size;

/// Where a picture is. Shown with its file in backticks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file that holds this picture and no other.
    File(PathBuf),
    /// One of the pictures of a container.
    Record {
        /// The file of many pictures.
        container: Arc<Container>,
        /// Which of them it is, counted from 0.
        index: usize,
    },
}

/// A file of many pictures of one size, as bytes in memory: read once, shared by all its samples.
/// Two are equal if they have the same path.
pub struct Container {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it holds, unpacked.
    pub(crate) bytes: Vec<u8>,
    /// How the records lie in it.
    pub(crate) records: Records,
}

/// Records of one length, of which each ends with the planes of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Records {
    /// Bytes before the first record.
    pub(crate) start: usize,
    /// Bytes of a record before its picture.
    pub(crate) label: usize,
    /// Height and width of every picture.
    pub(crate) size: Size,
    /// Planes of a picture: 1 of grey, or 3 of red, green and blue.
    pub(crate) planes: usize,
}

impl Place {
    /// The file that the picture is in.
    pub fn file(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Record { container, .. } => &container.path,
        }
    }

    /// What it is called: the name of its file without folder and extension, and where that holds many, its
    /// number.
    pub(crate) fn stem(&self) -> String {
        let stem = self.file().file_stem().unwrap_or_default().to_string_lossy();
        match self {
            Self::File(_) => stem.into_owned(),
            Self::Record { index, .. } => format!("{stem}[{index}]"),
        }
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file().display();
        match self {
            Self::File(_) => write!(f, "`{file}`"),
            Self::Record { index, .. } => write!(f, "record {index} of `{file}`"),
        }
    }
}

impl Records {
    /// Bytes of a picture.
    pub(crate) fn picture(self) -> usize {
        self.planes * self.size.area()
    }

    /// Bytes of a record.
    pub(crate) fn stride(self) -> usize {
        self.label + self.picture()
    }
}

impl Container {
    /// The planes of a picture, one after the other: `[planes, H, W]`.
    pub(crate) fn planes(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_mul(self.records.stride())?.checked_add(self.records.start)?;
        let start = start.checked_add(self.records.label)?;
        self.bytes.get(start..start.checked_add(self.records.picture())?)
    }
}

impl PartialEq for Container {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Container {}

impl PartialOrd for Container {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Container {
    fn cmp(&self, other: &Self) -> Ordering {
        // All samples of a container share it: most comparisons end here.
        if std::ptr::eq(self, other) { Ordering::Equal } else { self.path.cmp(&other.path) }
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes, {:?}", self.path.display(), self.bytes.len(), self.records)
    }
}
