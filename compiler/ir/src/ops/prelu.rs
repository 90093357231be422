//! `prelu`: a rectifier whose slope below zero is trained.

use super::signature::{Arguments, Declaration, Operands, first};
use super::{Operator, Role, ShapeProblem, Weight};
use crate::shape::Shape;

/// A rectifier whose slope below zero is trained, one for each channel (He et al. 2015).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prelu;

impl Operator for Prelu {
    const DECLARATION: Declaration = Declaration {
        name: "prelu",
        operands: Operands::One,
        params: &[],
        doc: "x where x > 0, else slope * x with a trained slope for each channel, at first 0.25 (He et al. 2015). The shape stays.",
        example: "x -> prelu",
    };

    fn from_arguments(_: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self)
    }

    fn shape(&self, inputs: &[Shape]) -> Result<Shape, ShapeProblem> {
        first(inputs)
    }

    fn weights(&self, inputs: &[Shape]) -> Vec<Weight> {
        let channels = inputs.first().map_or(0, Shape::channels);
        vec![Weight { role: Role::Slope, dims: vec![channels] }]
    }
}
