//! Pixels around maps.

use nas_ir::ops::{Border, Padding};
use tch::Tensor;

use crate::error::TorchError;

/// Vertical and horizontal, as libtorch takes them.
pub(crate) fn pair([vertical, horizontal]: [u32; 2]) -> [i64; 2] {
    [i64::from(vertical), i64::from(horizontal)]
}

/// Pixels on the left, on the right, above and below: the order in which libtorch pads.
pub(crate) type Sides = [i64; 4];

/// The sides of a padding.
pub(crate) fn sides(padding: Padding) -> Sides {
    let ([top, left], [bottom, right]) = (pair(padding.before), pair(padding.after));
    [left, right, top, bottom]
}

/// The sides of a border.
pub(crate) fn around(border: Border) -> Sides {
    let Border { top, left, bottom, right } = border;
    [left, right, top, bottom].map(i64::from)
}

/// A map with this value around it.
pub(crate) fn padded(x: &Tensor, sides: Sides, value: f64) -> Result<Tensor, TorchError> {
    Ok(x.f_pad(sides, "constant", value)?)
}

/// The padding of a kernel of libtorch, which pads both sides alike: where they differ, the map is
/// padded beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Margin {
    /// Above and below, left and right.
    Alike([i64; 2]),
    /// What the map is padded by before.
    Apart(Sides),
}

impl Margin {
    pub(crate) fn of(padding: Padding) -> Self {
        if padding.before == padding.after {
            Self::Alike(pair(padding.before))
        } else {
            Self::Apart(sides(padding))
        }
    }

    /// The map to give to the kernel, and the padding to ask of it.
    pub(crate) fn apply(&self, x: &Tensor, value: f64) -> Result<(Tensor, [i64; 2]), TorchError> {
        match self {
            Self::Alike(padding) => Ok((x.shallow_clone(), *padding)),
            Self::Apart(sides) => Ok((padded(x, *sides, value)?, [0, 0])),
        }
    }
}
