//! Height and width of a picture.

use std::fmt;

/// Height and width in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Number of rows.
    pub height: u32,
    /// Number of columns.
    pub width: u32,
}

impl Size {
    pub(crate) fn area(self) -> usize {
        self.height as usize * self.width as usize
    }

    /// So many times as high and as wide.
    pub(crate) fn times(self, times: u32) -> Self {
        Self { height: self.height * times, width: self.width * times }
    }
}

/// From `(width, height)`, the order of the `image` crate.
impl From<(u32, u32)> for Size {
    fn from((width, height): (u32, u32)) -> Self {
        Self { height, width }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} high and {} wide", self.height, self.width)
    }
}
