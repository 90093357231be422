//! Maps in another size.

use nas_ir::Shape;
use nas_ir::ops::{self, ResizeMode};
use tch::Tensor;

use super::margin::pair;
use crate::answer::Enlarged;
use crate::error::TorchError;
use crate::layout::on;
use crate::value::{Pictures, scaled};

type Made = Result<Tensor, TorchError>;

/// As PyTorch's `interpolate`. On pictures of another size than the checked one, the result keeps its
/// proportion to the operand; what was pooled to a point says nothing of the size, so it keeps its
/// proportion to the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resize {
    from: [i64; 2],
    to: [i64; 2],
    is_point: bool,
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bilinear {
        align_corners: bool,
    },
    /// Planned for the sizes in the checked network.
    Nearest(Nearest),
}

/// Row `y` of the result is row `floor(y * from / to)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearest {
    /// As libtorch finds it, by a ratio of 32 bits.
    Ratio,
    /// Rows and columns listed: for sizes in which libtorch ends up a row off.
    Listed,
}

impl Resize {
    pub(crate) fn new(op: &ops::Resize, from: Shape, to: Shape) -> Result<Self, TorchError> {
        let (Some(from), Some(to)) = (from.plane(), to.plane()) else { return Err(no_map()) };
        let is_point = from == [1, 1];
        let (from, to) = (pair(from), pair(to));
        let mode = match op.mode {
            ResizeMode::Bilinear => Mode::Bilinear { align_corners: op.align_corners },
            ResizeMode::Nearest => Mode::Nearest(Nearest::new(from, to)),
        };
        Ok(Self { from, to, is_point, mode })
    }

    /// Height and width of what it makes of a map `[N, C, H, W]`.
    fn size(&self, x: &Tensor, pictures: &Pictures) -> Result<[i64; 2], TorchError> {
        let &[_, _, h, w] = x.size().as_slice() else { return Err(no_map()) };
        let Self { from: [from_h, from_w], to: [to_h, to_w], is_point, .. } = *self;
        Ok(match is_point {
            true => pictures.scaled([to_h, to_w]),
            false => [scaled(to_h, h, from_h), scaled(to_w, w, from_w)],
        })
    }

    /// The map and what it is to become, of a bilinear one.
    pub(crate) fn enlarged(
        &self,
        map: Tensor,
        pictures: &Pictures,
    ) -> Result<Option<Enlarged>, TorchError> {
        let Mode::Bilinear { align_corners } = self.mode else { return Ok(None) };
        let size = self.size(&map, pictures)?;
        Ok(Some(Enlarged { map, size, align_corners }))
    }

    pub(crate) fn run(&self, x: &Tensor, pictures: &Pictures) -> Made {
        let &[_, _, h, w] = x.size().as_slice() else { return Err(no_map()) };
        let size = self.size(x, pictures)?;
        match self.mode {
            Mode::Bilinear { align_corners } => {
                Ok(x.f_upsample_bilinear2d(size, align_corners, None, None)?)
            }
            Mode::Nearest(planned) if [h, w] == self.from && size == self.to => {
                planned.run(x, [h, w], size)
            }
            Mode::Nearest(_) => Nearest::new([h, w], size).run(x, [h, w], size),
        }
    }
}

impl Nearest {
    fn new(from: [i64; 2], to: [i64; 2]) -> Self {
        let is_rounded = |from: i64, to: i64| {
            let ratio = from as f32 / to as f32;
            !(0..to).map(|at| (at as f32 * ratio) as i64).eq(exact(from, to))
        };
        let ([h, w], [to_h, to_w]) = (from, to);
        if is_rounded(h, to_h) || is_rounded(w, to_w) { Self::Listed } else { Self::Ratio }
    }

    fn run(self, x: &Tensor, [h, w]: [i64; 2], [to_h, to_w]: [i64; 2]) -> Made {
        let listed = |from, to| -> Made {
            let places: Vec<i64> = exact(from, to).collect();
            on(x.device(), Tensor::f_from_slice(&places)?)
        };
        match self {
            Self::Ratio => Ok(x.f_upsample_nearest2d([to_h, to_w], None, None)?),
            Self::Listed => {
                let rows = x.f_index_select(2, &listed(h, to_h)?)?;
                Ok(rows.f_index_select(3, &listed(w, to_w)?)?)
            }
        }
    }
}

fn exact(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (0..to).map(move |at| at * from / to)
}

fn no_map() -> TorchError {
    TorchError::broken("a resize of what is no map")
}
