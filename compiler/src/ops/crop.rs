//! `crop`: a map without some of its border.

use super::signature::{
    Argument, Arguments, Declaration, Default, Kind, Operands, Parameter, only_map,
};
use super::{Operator, ShapeProblem};
use crate::shape::Shape;

/// A map without some of its border rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop {
    /// Rows removed above.
    pub top: u32,
    /// Columns removed on the left.
    pub left: u32,
    /// Rows removed below.
    pub bottom: u32,
    /// Columns removed on the right.
    pub right: u32,
}

const NONE: Default = Default::Is(Argument::Count(0));

impl Operator for Crop {
    const DECLARATION: Declaration = Declaration {
        name: "crop",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "top",
                kind: Kind::Count(0),
                default: NONE,
                doc: "rows removed above",
            },
            Parameter {
                name: "left",
                kind: Kind::Count(0),
                default: NONE,
                doc: "columns removed on the left",
            },
            Parameter {
                name: "bottom",
                kind: Kind::Count(0),
                default: NONE,
                doc: "rows removed below",
            },
            Parameter {
                name: "right",
                kind: Kind::Count(0),
                default: NONE,
                doc: "columns removed on the right",
            },
        ],
        doc: "The map without some of its border: [C, H, W] -> [C, H - top - bottom, W - left - right].",
        example: "x -> crop(top = 1, left = 1)",
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self {
            top: arguments.count("top"),
            left: arguments.count("left"),
            bottom: arguments.count("bottom"),
            right: arguments.count("right"),
        })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("top", Argument::Count(self.top))
            .with("left", Argument::Count(self.left))
            .with("bottom", Argument::Count(self.bottom))
            .with("right", Argument::Count(self.right))
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        let (input, [h, w]) = only_map(inputs)?;
        let rest = |size: u32, before: u32, after: u32| {
            size.checked_sub(before)?.checked_sub(after).filter(|&rest| rest > 0)
        };
        match (rest(h, self.top, self.bottom), rest(w, self.left, self.right)) {
            (Some(h), Some(w)) => Ok(Shape::map(input.channels(), h, w)),
            _ => Err(ShapeProblem::Window {
                title: format!("nothing is left of a map {input} after the crop"),
                help: "remove fewer rows or columns".to_owned(),
            }),
        }
    }
}
