//! What a program is made of.

use std::collections::BTreeSet;

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::operation::WeightGroup;
use nas_ir::ops::{Initial, Role, Weight};
use nas_ir::{DecisionId, Grid, Op, Shape};

use super::table::{ParameterId, SelectId, Table, ValueId};
use crate::error::TorchError;

/// A network or a supernet: instructions in an order in which operands come first. Each makes one
/// value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) instructions: Table<ValueId, Instruction>,
    /// The tensors that its operators read.
    pub(crate) parameters: Table<ParameterId, ParameterSpec>,
    /// Shapes of what the inputs are given.
    pub(crate) inputs: Vec<Shape>,
    pub(crate) outputs: Vec<Output>,
    /// What training adds to the outputs.
    pub(crate) train_outputs: Vec<TrainOutput>,
    /// What selects and masks do, each rule once.
    pub(crate) selects: Table<SelectId, Select>,
    /// The diagrams of the selects.
    pub(crate) selectors: Selectors,
    /// What could not be proved of it, in words, because the conditions outgrew their tables.
    pub(crate) unproved: Vec<String>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instruction {
    /// The path of the node, of which this may be one case.
    pub(crate) node: String,
    pub(crate) kind: InstructionKind,
    /// The values that it reads, of earlier instructions.
    pub(crate) operands: Vec<ValueId>,
}

/// What an instruction does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InstructionKind {
    /// The value of an input: its number.
    Input(usize),
    /// A primitive operator.
    Op(OpCase),
    /// One of the operands, or a mixture of them, by decisions.
    Select(SelectId),
    /// The operand, its channels masked where a decision on how many there are is mixed.
    Mask(SelectId),
    /// The operand, rounded.
    Round(Round),
    /// The value of the operand.
    Output,
}

/// To what a value is rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Round {
    /// To 16-bit floats.
    Half,
    /// To a grid.
    Grid(Grid),
    /// Each image to 256 levels from its least to its greatest number.
    Levels,
    /// To a grid with this level of 0, whose step learns.
    Learned { step: LearnedStep, zero: u8 },
}

/// Steps of grids that learn: a tensor of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LearnedStep {
    pub(crate) parameter: ParameterId,
    /// Whether they are powers of two.
    pub(crate) powers_of_two: bool,
}

/// A primitive operator in the checked network, batches aside. Nothing of it varies: of what does,
/// each case is an instruction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OpCase {
    pub(crate) op: Op,
    /// The shapes of its operands; none of one that does not read them.
    pub(crate) inputs: Vec<Shape>,
    /// The shape of its result.
    pub(crate) output: Shape,
    /// Its parameters, in the order of [`Op::weights`].
    pub(crate) weights: Vec<WeightView>,
}

/// What an operator reads of a tensor of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WeightView {
    pub(crate) parameter: ParameterId,
    /// First element and length along each axis; all of it if `None`.
    pub(crate) part: Option<Vec<[u32; 2]>>,
    /// How the part comes from a larger kernel, step by step; empty where it is just its centre.
    pub(crate) transforms: Vec<Transform>,
    /// To what it is rounded, where it learns so.
    pub(crate) rounding: Option<WeightRounding>,
}

/// To what a weight is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeightRounding {
    /// To 16-bit floats.
    Half,
    /// A kernel, to multiples from -127 to 127 of the largest tap of each channel along an axis over 127, or of all.
    Levels { axis: Option<usize> },
    /// A kernel, to multiples of a step for each channel along an axis, or of one step.
    Kernel { steps: LearnedStep, axis: Option<usize> },
    /// A bias, to multiples of the steps of the kernel times that of the operand.
    Bias { kernel: LearnedStep, operand: ParameterId },
}

/// A step from a kernel to a smaller one: its centre of this height and width, flattened to a row `w` for each pair of
/// channels, becomes `w + w M` (once-for-all, Cai et al. 2020, section 3.3, whose matrix is `I + M`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transform {
    /// The matrix M.
    pub(crate) matrix: ParameterId,
    /// Height and width.
    pub(crate) window: [u32; 2],
}

/// A tensor of parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterSpec {
    /// Its name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) role: Role,
    /// Its sizes.
    pub(crate) dims: Vec<u32>,
    /// What it holds before training.
    pub(crate) initial: Initial,
}

/// Which of the operands a select takes, or how many channels of its operand a mask leaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Select {
    /// The index of the operand, or of the number of channels.
    pub(crate) selector: Diagram,
    /// The decisions whose mixture this is: those on which the operand depends, but not the shape
    /// of the result. Where values of several shapes are still apart, nothing is mixed yet.
    pub(crate) mixes: BTreeSet<DecisionId>,
    /// The numbers of channels; none of a select.
    pub(crate) channels: Vec<u32>,
}

/// An output: its value, and the shape of that, batch aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) value: ValueId,
    pub(crate) shape: Shape,
}

/// An output that only training has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrainOutput {
    pub(crate) output: Output,
    /// By what its loss is multiplied.
    pub(crate) weight: f64,
}

impl Program {
    /// The path of the node whose value this is.
    ///
    /// # Errors
    /// There is no such value.
    pub(crate) fn node(&self, value: ValueId) -> Result<&str, TorchError> {
        Ok(&self.instructions.get(value)?.node)
    }
}

impl Instruction {
    /// One of the values that it reads.
    ///
    /// # Errors
    /// It reads fewer.
    pub(crate) fn operand(&self, place: usize) -> Result<ValueId, TorchError> {
        let missing = || TorchError::broken(format!("`{}` has no operand {place}", self.node));
        self.operands.get(place).copied().ok_or_else(missing)
    }

    /// All parameters that it reads.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = ParameterId> + '_ {
        let of_weights = self.weights().iter().flat_map(WeightView::parameters);
        let step = match &self.kind {
            InstructionKind::Round(Round::Learned { step, .. }) => Some(step.parameter),
            InstructionKind::Round(Round::Half | Round::Grid(_) | Round::Levels)
            | InstructionKind::Input(_)
            | InstructionKind::Op(_)
            | InstructionKind::Select(_)
            | InstructionKind::Mask(_)
            | InstructionKind::Output => None,
        };
        of_weights.chain(step)
    }

    /// The weights that it reads, in the order of [`Op::weights`].
    pub(crate) fn weights(&self) -> &[WeightView] {
        match &self.kind {
            InstructionKind::Op(case) => &case.weights,
            InstructionKind::Input(_)
            | InstructionKind::Select(_)
            | InstructionKind::Mask(_)
            | InstructionKind::Round(_)
            | InstructionKind::Output => &[],
        }
    }
}

impl WeightView {
    /// What a weight is of the tensor that has these sizes.
    pub(crate) fn new(parameter: ParameterId, weight: &Weight, sizes: &[u32]) -> Self {
        let part = WeightGroup::part(weight, sizes).into_iter();
        let part = part.map(|range| [range.start, range.end - range.start]);
        let part = (weight.dims != sizes).then(|| part.collect());
        Self { parameter, part, transforms: Vec::new(), rounding: None }
    }

    /// The parameters that it is made of.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = ParameterId> + '_ {
        let matrices = self.transforms.iter().map(|transform| transform.matrix);
        let steps = match self.rounding {
            None | Some(WeightRounding::Half | WeightRounding::Levels { .. }) => [None, None],
            Some(WeightRounding::Kernel { steps, .. }) => [Some(steps.parameter), None],
            Some(WeightRounding::Bias { kernel, operand }) => {
                [Some(kernel.parameter), Some(operand)]
            }
        };
        std::iter::once(self.parameter).chain(matrices).chain(steps.into_iter().flatten())
    }
}
