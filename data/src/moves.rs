//! What becomes of the numbers of an image when it is cropped, enlarged or mirrored.

use serde::Deserialize;

use crate::error::DataError;
use crate::size::Size;
use crate::span::Span;

/// What the numbers of an image are, and so what becomes of them; `dataset.json` says it as `vector`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case", tag = "numbers", deny_unknown_fields)]
pub enum Moves {
    /// It is not said, so that nothing may move.
    #[default]
    #[serde(skip)]
    Unknown,
    /// The same of each part of an image and of its mirror image: an age, a weight, labels.
    Whole {},
    /// Places in it, x and y of one after the other, as shares of its width and height: they move with it.
    Positions {
        /// The pairs of places that trade their names in a mirror image, such as the left and the right eye, counted from
        /// 0; without it, images are not mirrored.
        #[serde(default)]
        swap: Option<Vec<[usize; 2]>>,
    },
}

/// Where in a picture of another size a picture is seen.
pub(crate) struct View {
    /// The size of the picture from which it is taken.
    pub(crate) from: Size,
    pub(crate) rows: Span,
    pub(crate) columns: Span,
    /// The size of that in which it is seen.
    pub(crate) window: Size,
    /// Whether it is mirrored left to right.
    pub(crate) flip: bool,
}

impl Moves {
    /// # Errors
    /// The numbers of images cannot follow what is done to these.
    pub(crate) fn check(&self, moves: bool, flips: bool) -> Result<(), DataError> {
        let refused = |what| Err(DataError::NumbersMove { what });
        match self {
            Self::Unknown if flips => refused("mirrored, as `flip` says"),
            Self::Unknown if moves => {
                refused("cut or enlarged, as `fit`, `scale`, `pad`, `crop` or `resize` say")
            }
            Self::Positions { swap: None } if flips => refused(
                "mirrored, as `flip` says, and `dataset.json` does not say which positions \
                 trade places",
            ),
            Self::Unknown | Self::Whole {} | Self::Positions { .. } => Ok(()),
        }
    }

    /// # Errors
    /// Images cannot have so many numbers.
    pub(crate) fn check_len(&self, len: usize) -> Result<(), DataError> {
        let Self::Positions { swap } = self else { return Ok(()) };
        if !len.is_multiple_of(2) {
            let reason = format!("{len} numbers are no pairs of x and y");
            return Err(DataError::BadPositions { reason });
        }
        let mut pairs = swap.iter().flatten();
        let outside = pairs.find(|pair| pair.iter().any(|&place| 2 * place >= len));
        outside.map_or(Ok(()), |pair| {
            let reason = format!("`swap` names {pair:?}, and there are {} positions", len / 2);
            Err(DataError::BadPositions { reason })
        })
    }

    /// The numbers of an image as it is seen.
    pub(crate) fn seen(&self, numbers: &mut [f32], view: &View) {
        let Self::Positions { swap } = self else { return };
        for place in numbers.chunks_exact_mut(2) {
            let [x, y] = place else { continue };
            *x = moved(*x, view.from.width, view.columns, view.window.width);
            *y = moved(*y, view.from.height, view.rows, view.window.height);
            if view.flip {
                *x = 1.0 - *x;
            }
        }
        for [one, other] in swap.iter().flatten().filter(|_| view.flip) {
            for axis in 0..2 {
                numbers.swap(2 * one + axis, 2 * other + axis);
            }
        }
    }
}

/// A share of a side as a share of the side of the window.
fn moved(share: f32, from: u32, span: Span, window: u32) -> f32 {
    (span.seen_at(f64::from(share) * f64::from(from)) / f64::from(window.max(1))) as f32
}
