//! What a network answers in training.

use tch::Tensor;

use crate::error::TorchError;

/// An output in training.
#[derive(Debug)]
pub(crate) enum Answer {
    /// `[N, C, H, W]`, or `[N, C]` for a vector.
    Tensor(Tensor),
    /// A map `[N, C, h, w]` that is enlarged, which a loss may do as it reads it.
    Enlarged(Enlarged),
}

/// A map and what it becomes, bilinearly.
#[derive(Debug)]
pub(crate) struct Enlarged {
    pub(crate) map: Tensor,
    /// Height and width of the result.
    pub(crate) size: [i64; 2],
    pub(crate) align_corners: bool,
}

impl Answer {
    /// The values, `[N, C, H, W]` or `[N, C]`.
    pub(crate) fn tensor(&self) -> Result<Tensor, TorchError> {
        match self {
            Self::Tensor(tensor) => Ok(tensor.shallow_clone()),
            Self::Enlarged(Enlarged { map, size, align_corners }) => {
                Ok(map.f_upsample_bilinear2d(size, *align_corners, None, None)?)
            }
        }
    }

    /// The same without a gradient.
    pub(crate) fn detached(&self) -> Result<Self, TorchError> {
        Ok(match self {
            Self::Tensor(tensor) => Self::Tensor(tensor.f_detach()?),
            Self::Enlarged(Enlarged { map, size, align_corners }) => Self::Enlarged(Enlarged {
                map: map.f_detach()?,
                size: *size,
                align_corners: *align_corners,
            }),
        })
    }

    /// Height and width of a map.
    pub(crate) fn plane(&self) -> Option<[i64; 2]> {
        match self {
            Self::Tensor(tensor) => match *tensor.size().as_slice() {
                [_, _, height, width] => Some([height, width]),
                _ => None,
            },
            Self::Enlarged(enlarged) => Some(enlarged.size),
        }
    }
}
