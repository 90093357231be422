//! What each operator answers in its own file.
//!
//! Neither the trait nor [`Properties`] has defaults: an operator whose file leaves out an answer
//! that passes, analyses, targets or exporters ask for does not compile.

use std::num::NonZeroU32;

use super::inputs::Inputs;
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration};
use super::weight::{Role, Scaling, Weight};
use super::window::Padding;
use crate::shape::Shape;

/// What every operator declares.
pub(crate) trait Operator: Sized {
    /// Name, documentation, operands and parameters.
    const DECLARATION: Declaration;

    /// What it does, for whoever asks without running it.
    const PROPERTIES: Properties<Self>;

    /// The operator from its checked arguments.
    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem>;

    /// The arguments that make this operator, defaults included.
    fn arguments(&self) -> Arguments;

    /// The shape of the result.
    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem>;
}

/// What is known of an operator beside its shape rule. A rule that does not apply is `None`.
#[allow(clippy::type_complexity, reason = "each is one function of the operator and its operands")]
pub(crate) struct Properties<O> {
    /// What its value is.
    pub(super) yields: Yields,
    /// Whether each element of its value follows from the elements at that place, so that engines
    /// compute it while they make an operand.
    pub(super) is_elementwise: bool,
    /// Where an engine puts its result.
    pub(super) storage: Storage,
    /// The tensors of its parameters.
    pub(super) weights: Option<fn(&O, Inputs<'_>) -> Vec<Weight>>,
    /// By which kernel it multiplies its operand.
    pub(super) kernel: Option<Kernel<O>>,
    /// Padding of its windows; where it takes windows that reach beyond its own padding, as far as
    /// these reach.
    pub(super) window_padding: Option<fn(&O, Inputs<'_>) -> Result<Padding, ShapeProblem>>,
    /// What it does to each channel once it is trained, if it only scales them: a convolution
    /// before it takes it in.
    pub(super) scaling: Option<fn(&O, Tensors<'_, '_>) -> Vec<Scaling>>,
    /// What becomes of a factor on all of its operands.
    pub(super) factor: fn(&O) -> Factor,
    /// Which channels of its operands a channel of the result is of.
    pub(super) channels: fn(&O) -> Channels,
    /// Of which numbers its value consists, where its operands consist of those of a grid.
    pub(super) levels: Levels,
    /// What those of its arguments come to that may be given in place of each other.
    pub(super) alternatives: Option<fn(&O, Inputs<'_>) -> Result<Vec<Sides>, ShapeProblem>>,
}

/// What is known of an operator that multiplies its operand by a kernel: such operators count as
/// `depth`, and they alone have multiply-accumulates.
pub(crate) struct Kernel<O> {
    /// Multiply-accumulates for batch 1, given the shape of the result.
    pub(super) macs: fn(&O, Inputs<'_>, Shape) -> u128,
    /// The operator with a bias: exporters put a scaling of its channels that follows into that, and into
    /// the kernel.
    pub(super) with_bias: fn(&O) -> O,
    /// Which channel of its operand a row of taps multiplies, and which of the result it is for: by the sizes of the first
    /// two axes of the kernel and the place of the row along both.
    pub(super) row: fn(&O, [u32; 2], [u32; 2]) -> KernelRow,
    /// Along which axis of the kernel the channels of the result lie; `None` where along several.
    pub(super) channel_axis: fn(&O) -> Option<usize>,
    /// Whether every place of the result reads all taps, so that a number which is added to the operand adds the same
    /// everywhere.
    pub(super) is_uniform: fn(&O) -> bool,
}

/// The values of the tensors of an operator's parameters, by what they hold.
pub type Tensors<'f, 'w> = &'f (dyn Fn(Role) -> &'w [f32] + 'f);

/// An argument by the name of its parameter: vertical and horizontal.
pub type Sides = (&'static str, [Argument; 2]);

/// What the value of an operator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// Its operand: no network holds it.
    Operand,
    /// Its operand, but in training.
    OperandButInTraining,
    /// Zeros: it reads nothing of its operand but the shape, and a sum leaves it out.
    Zeros,
    /// The sum of its operands that are not zeros: if there is one, that operand.
    Sum,
    /// What it computes.
    Computed,
}

/// What becomes in training of one positive factor on all operands of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// The result has it, too.
    Kept,
    /// The result is without it, but for an epsilon: the operator divides by a deviation of its operand.
    Removed,
    /// The result changes in another way.
    Changed,
}

/// Which channels of the operands of an operator a channel of the result is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Those at its place: the first channels of the result are the result for the first channels of the operands.
    Apart,
    /// All, each times a weight of its own: a channel of zeros is as good as none.
    Joined,
    /// Others, which depend on how many there are.
    Rearranged,
}

/// What a row of taps of a kernel does: those that have a place along its first two axes in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelRow {
    /// Which channel of the operand it multiplies.
    pub input: u32,
    /// Which channel of the result it is for.
    pub output: u32,
}

/// Of which numbers the value of an operator consists, where its operands consist of those of a grid of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Levels {
    /// Of those of its operands, or of means of them: it moves or picks them, and needs no grid of its own.
    Operands,
    /// Of those of its operand within bounds: engines cut them off while they round the operand.
    Bounded,
    /// Of any: it has a grid of its own.
    Own,
}

impl Channels {
    /// Those of a convolution with so many groups and channels of the result.
    pub(super) fn of_groups(groups: NonZeroU32, out: u32) -> Self {
        match groups.get() {
            1 => Self::Joined,
            groups if groups == out => Self::Apart,
            _ => Self::Rearranged,
        }
    }
}

/// Where an engine puts the result of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In memory of its own.
    Own,
    /// Nowhere: the result is the operand, perhaps in another shape.
    View,
    /// Over the first operand, value by value, if nothing else needs that one: such operators are
    /// folded into the one before, or fused with it.
    InPlace,
}
