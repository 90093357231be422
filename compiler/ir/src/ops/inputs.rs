//! The shapes of an operator's operands, as its rules see them.

use nas_diagnostics::fault;

use super::problem::ShapeProblem;
use crate::shape::Shape;

/// The shapes of an operator's operands, of which there is at least one: no rule has to say what
/// an operator without operands would do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'s> {
    first: Shape,
    all: &'s [Shape],
}

impl<'s> Inputs<'s> {
    /// These operands.
    pub(super) fn new(all: &'s [Shape]) -> Result<Self, ShapeProblem> {
        let first = all.first().copied().ok_or_else(|| ShapeProblem::Mismatch {
            title: "an operator without operands".to_owned(),
            help: "give it an operand".to_owned(),
            fit: None,
        })?;
        Ok(Self { first, all })
    }

    /// These operands, from which the shape of a result followed before.
    pub(super) fn proved(all: &'s [Shape]) -> Self {
        Self::new(all).unwrap_or_else(|_| fault("an operator lost its operands"))
    }

    /// The first one.
    pub(super) fn first(self) -> Shape {
        self.first
    }

    /// The second one.
    pub(super) fn second(self) -> Result<Shape, ShapeProblem> {
        self.all.get(1).copied().ok_or_else(|| ShapeProblem::Mismatch {
            title: "an operator without its second operand".to_owned(),
            help: "give it two operands".to_owned(),
            fit: None,
        })
    }

    /// All of them.
    pub(super) fn all(self) -> &'s [Shape] {
        self.all
    }

    /// The first one, which must be a feature map; with its height and width.
    pub(super) fn first_map(self) -> Result<(Shape, [u32; 2]), ShapeProblem> {
        Ok((self.first, map_size(self.first)?))
    }
}

/// Height and width of what must be a feature map.
pub(super) fn map_size(shape: Shape) -> Result<[u32; 2], ShapeProblem> {
    shape.plane().ok_or(if shape.is_spatial() {
        ShapeProblem::Rank {
            needs: "a map [C, H, W], with a height and a width",
            through: None,
            help: "give it an operand of three sizes",
        }
    } else {
        ShapeProblem::Rank {
            needs: "a map [C, H, W], not a vector",
            through: None,
            help: "use it before `flatten` or `linear`",
        }
    })
}
