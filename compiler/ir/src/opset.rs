//! The ONNX operator sets that networks are written in: which there are, and which it is where
//! nobody says.

use std::fmt;

/// A version of ONNX's default operator set that networks can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opset(u8);

impl Opset {
    /// The oldest one.
    pub const OLDEST: Self = Self(11);
    /// The newest one.
    pub const NEWEST: Self = Self(21);

    /// All of them, the oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::OLDEST.0..=Self::NEWEST.0).map(Self)
    }

    /// The operator set of this version, if networks can be written in it.
    #[must_use]
    pub fn new(version: impl TryInto<u8>) -> Option<Self> {
        let version = Self(version.try_into().ok()?);
        (Self::OLDEST..=Self::NEWEST).contains(&version).then_some(version)
    }

    /// Its version.
    #[must_use]
    pub fn version(self) -> i64 {
        self.0.into()
    }
}

impl Default for Opset {
    /// The one for networks whose target names none.
    fn default() -> Self {
        Self(17)
    }
}

impl fmt::Display for Opset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
