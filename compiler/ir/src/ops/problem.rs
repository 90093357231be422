//! What may be wrong with the operands of an operator.

use super::fit::Fit;
use crate::shape::{MAX_DIMENSION, MAX_ELEMENTS, Shape};

/// What is wrong with the operands of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeProblem {
    /// The operands do not fit together.
    Mismatch {
        /// What was expected, in words.
        title: String,
        /// Advice.
        help: String,
        /// A step after which they fit, if there is one.
        fit: Option<Fit>,
    },
    /// `groups` does not divide the channels.
    Groups {
        /// The number of groups.
        groups: u32,
        /// What it does not divide: "24 input channels".
        of: String,
        /// The largest number of groups, up to `groups`, that would do.
        nearest: u32,
    },
    /// A window does not fit into the padded map, or nothing is left of it.
    Window {
        /// What is left of what.
        title: String,
        /// What helps.
        help: Cure,
    },
    /// A feature map was needed and a vector was given, or the other way round.
    Rank {
        /// What the operator needs, in words.
        needs: &'static str,
        /// A step to send the operand through first, if one makes it fit.
        through: Option<&'static str>,
        /// Advice; beside a step, what else there is.
        help: &'static str,
    },
    /// A size or a count leaves the range of what the compiler computes with.
    Overflow {
        /// What is too large, with its figure: "a height of 32000000".
        what: String,
        /// The most that there may be.
        limit: u64,
        /// Advice.
        help: &'static str,
    },
}

/// What helps where an argument does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cure {
    /// Words that leave open what exactly to write.
    Advice(String),
    /// Another argument.
    Argument {
        /// The parameter.
        name: &'static str,
        /// Its value, as it is written.
        value: String,
        /// What else there is, in words that follow.
        rest: &'static str,
    },
}

impl Cure {
    pub(super) fn advice(words: impl Into<String>) -> Self {
        Self::Advice(words.into())
    }
}

/// The shape, unless it leaves the range of what the compiler computes with.
pub(super) fn within_limits(shape: Shape) -> Result<Shape, ShapeProblem> {
    for (axis, &size) in shape.dims().iter().enumerate() {
        if u64::from(size) > MAX_DIMENSION {
            return Err(ShapeProblem::Overflow {
                what: format!("{} of {size}", axis_name(shape, axis)),
                limit: MAX_DIMENSION,
                help: "use fewer channels, or a smaller `size` or `scale`",
            });
        }
    }
    if shape.elements() > MAX_ELEMENTS {
        return Err(ShapeProblem::Overflow {
            what: format!("a tensor {shape} of {} elements", shape.elements()),
            limit: MAX_ELEMENTS,
            help: "use fewer channels, or a stride before it",
        });
    }
    Ok(shape)
}

/// What the size along an axis is, with its article.
fn axis_name(shape: Shape, axis: usize) -> &'static str {
    match (axis, shape.spatial()) {
        (0, _) => "a channel count",
        (1, [_]) => "a length",
        (1, [_, _]) | (2, [_, _, _]) => "a height",
        (2, [_, _]) | (3, [_, _, _]) => "a width",
        (1, [_, _, _]) => "a depth",
        _ => "a size",
    }
}
