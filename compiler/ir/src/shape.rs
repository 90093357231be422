//! The shape of one tensor of a network, without the batch dimension.

use std::fmt;

use serde::{Serialize, Serializer};

/// The largest size of one dimension.
pub const MAX_DIMENSION: u64 = 1 << 24;
/// The most elements that one tensor may have.
pub const MAX_ELEMENTS: u64 = 1 << 36;

/// `[C, H, W]` for a feature map, `[C]` for a vector. The batch size is not part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rank: u8,
    dims: [u32; 3],
}

impl Shape {
    /// A feature map with `channels`, `height`, `width`.
    #[must_use]
    pub fn map(channels: u32, height: u32, width: u32) -> Self {
        Self { rank: 3, dims: [channels, height, width] }
    }

    /// A vector of `channels`.
    #[must_use]
    pub fn vector(channels: u32) -> Self {
        Self { rank: 1, dims: [channels, 0, 0] }
    }

    /// The shape with these dimensions, if there is one: one or three of them.
    #[must_use]
    pub fn from_dims(dims: &[u32]) -> Option<Self> {
        match *dims {
            [c] => Some(Self::vector(c)),
            [c, h, w] => Some(Self::map(c, h, w)),
            _ => None,
        }
    }

    /// The sizes, outermost first.
    #[must_use]
    pub fn dims(&self) -> &[u32] {
        self.dims.get(..usize::from(self.rank)).unwrap_or(&self.dims)
    }

    /// Channels.
    #[must_use]
    pub fn channels(&self) -> u32 {
        self.dims[0]
    }

    /// Height and width of a feature map.
    #[must_use]
    pub fn spatial(&self) -> Option<[u32; 2]> {
        (self.rank == 3).then_some([self.dims[1], self.dims[2]])
    }

    /// The same map with other channels.
    #[must_use]
    pub fn with_channels(mut self, channels: u32) -> Self {
        self.dims[0] = channels;
        self
    }

    /// Number of elements for batch 1.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims().iter().map(|&d| u64::from(d)).fold(1, u64::saturating_mul)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.dims().iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{d}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.dims().serialize(serializer)
    }
}
