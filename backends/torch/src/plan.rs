//! A plan: for each instruction of a program how it is evaluated on a device. Made once.

use tch::Device;

use crate::error::TorchError;
use crate::kernel::Kernel;
use crate::program::{InstructionKind, Program, SelectId, Table, ValueId};

/// How a program is evaluated.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Table<ValueId, Step>,
    pub(crate) device: Device,
}

/// How an instruction is evaluated.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// What an input is given.
    Input(usize),
    /// An operator by its kernel.
    Call(Kernel),
    /// The mixture that the rule is in a step.
    Mix(SelectId),
    /// The value of the operand.
    Pass,
}

impl Plan {
    /// Chooses a kernel for each operator of a program.
    ///
    /// # Errors
    /// Out of memory.
    pub(crate) fn new(program: &Program, device: Device) -> Result<Self, TorchError> {
        let steps = program.instructions.rows().iter().map(|instruction| {
            let step = match &instruction.kind {
                InstructionKind::Input(number) => Ok(Step::Input(*number)),
                InstructionKind::Op(case) => Kernel::of(case, device).map(Step::Call),
                InstructionKind::Select(select) => Ok(Step::Mix(*select)),
                InstructionKind::Output => Ok(Step::Pass),
            };
            step.map_err(|error| error.at_node(&instruction.node))
        });
        Ok(Self { steps: steps.collect::<Result<Vec<_>, _>>()?.into(), device })
    }
}
