//! A plan: for each instruction of a program how it is evaluated on a device. Made once.

use nas_ir::recipe::TrainingPrecision;
use tch::{Device, Tensor};

use crate::error::TorchError;
use crate::forecast::{Fit, without};
use crate::fused::{self, Part, Role};
use crate::kernel::Kernel;
use crate::program::{InstructionKind, Program, Round, SelectId, Table, ValueId};

/// How a program is evaluated.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Table<ValueId, Step>,
    pub(crate) device: Device,
    /// How operators are computed together.
    pub(crate) roles: Table<ValueId, Role>,
    /// With what numbers operators that are computed one by one are evaluated in training.
    pub(crate) precision: TrainingPrecision,
    /// In how many parts a batch is learned from.
    pub(crate) parts: usize,
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
    /// The channels of the operand masked as the rule says in a step; for each number of channels a row `[C]` with ones for
    /// those that there are.
    Mask(SelectId, Tensor),
    /// The operand, rounded.
    Round(Round),
    /// The value of the operand.
    Pass,
}

impl Plan {
    /// The same for training with these numbers. Where layers are computed together, all is computed with floats, and what they keep
    /// for their gradients has 16 bits.
    pub(crate) fn training_in(self, precision: TrainingPrecision) -> Self {
        match precision {
            TrainingPrecision::Bf16 if fused::are_fused(&self.roles) => {
                Self { roles: fused::rounded(self.roles), ..self }
            }
            _ => Self { precision, ..self },
        }
    }

    /// The same, in which each operator is computed for itself.
    pub(crate) fn unfused(self) -> Self {
        let roles = vec![Role::Alone; self.roles.len()].into();
        Self { roles, ..self }
    }

    /// The same with less memory: so many layers computed again in the backward pass instead of being kept, and a batch in so many
    /// parts.
    ///
    /// # Errors
    /// A fault of this crate: the program is not the plan's.
    pub(crate) fn fitting(self, fit: Fit, program: &Program) -> Result<Self, TorchError> {
        let Fit { layers, parts } = fit;
        let roles = if layers > 0 { without(layers, program, &self.roles)? } else { self.roles };
        Ok(Self { roles, parts, ..self })
    }

    /// The same, where a part of what has operators computed together is left out.
    ///
    /// # Errors
    /// A fault of this crate: the program is not the plan's.
    pub(crate) fn without(mut self, part: Part, program: &Program) -> Result<Self, TorchError> {
        for (id, instruction) in program.instructions.iter() {
            let case = match &instruction.kind {
                InstructionKind::Op(case) => Some(case),
                _ => None,
            };
            let role = self.roles.get_mut(id)?;
            *role = part.without(case, *role);
        }
        Ok(self)
    }

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
                InstructionKind::Mask(mask) => {
                    let channels = &program.selects.get(*mask)?.channels;
                    prefixes(channels, device).map(|rows| Step::Mask(*mask, rows))
                }
                InstructionKind::Round(round) => Ok(Step::Round(*round)),
                InstructionKind::Output => Ok(Step::Pass),
            };
            step.map_err(|error| error.at_node(&instruction.node))
        });
        let steps = steps.collect::<Result<Vec<_>, _>>()?.into();
        let (roles, precision) = (fused::roles(program)?, TrainingPrecision::Fp32);
        let plan = Self { steps, roles, device, precision, parts: 1 };
        Ok(if device == Device::Cpu { plan } else { plan.unfused() })
    }
}

/// A row for each number of channels: ones for so many, then zeros up to the most.
fn prefixes(channels: &[u32], device: Device) -> Result<Tensor, TorchError> {
    let most = channels.iter().copied().max().unwrap_or_default();
    let row = |&count: &u32| (0..most).map(move |channel| f32::from(u8::from(channel < count)));
    let rows: Vec<f32> = channels.iter().flat_map(row).collect();
    let rows = Tensor::f_from_slice(&rows)?.f_view([channels.len() as i64, i64::from(most)])?;
    Ok(rows.f_to_device(device)?)
}
