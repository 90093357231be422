//! What a step evaluates: only what the outputs need. Candidates that are pruned, or not sampled, and
//! whatever only they read, cost nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::TorchError;
use crate::mixing::Mix;
use crate::program::{
    Instruction, InstructionKind, Output, ParameterId, Program, SelectId, Table, ValueId,
    WeightView,
};

/// What has to be evaluated for the outputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schedule {
    /// How often each value is read, by instructions that are evaluated and as an output; 0 where
    /// it is not needed.
    pub(crate) uses: Table<ValueId, u32>,
    /// The outputs.
    pub(crate) outputs: Vec<Output>,
}

impl Schedule {
    /// What the outputs need when the selects do this; a network has none.
    ///
    /// # Errors
    /// A fault of this crate: the mixtures are not those of the program.
    pub(crate) fn new(program: &Program, mixes: &[Mix]) -> Result<Self, TorchError> {
        let taken = |select, _: &Instruction| Ok(Mix::of(mixes, select)?.candidates());
        Self::toward(program.outputs.clone(), program, taken)
    }

    /// What the outputs need when each select mixes all of its operands.
    ///
    /// # Errors
    /// A fault of this crate: the program is not sound.
    pub(crate) fn of_all(program: &Program) -> Result<Self, TorchError> {
        let all = |_, select: &Instruction| Ok((0..select.operands.len()).collect());
        Self::toward(program.outputs.clone(), program, all)
    }

    /// What training a network needs: the outputs, then those that only training has.
    ///
    /// # Errors
    /// A fault of this crate: the program is not that of a network.
    pub(crate) fn in_training(program: &Program) -> Result<Self, TorchError> {
        let added = program.train_outputs.iter().map(|added| added.output);
        let taken = |select, _: &Instruction| Ok(Mix::of(&[], select)?.candidates());
        Self::toward(program.outputs.iter().copied().chain(added).collect(), program, taken)
    }

    /// What these need, where selects read the operands that are `taken`.
    fn toward(
        outputs: Vec<Output>,
        program: &Program,
        taken: impl Fn(SelectId, &Instruction) -> Result<Vec<usize>, TorchError>,
    ) -> Result<Self, TorchError> {
        let mut uses = Table::from(vec![0_u32; program.instructions.len()]);
        for output in &outputs {
            *uses.get_mut(output.value)? += 1;
        }
        for (id, instruction) in program.instructions.iter().rev() {
            if *uses.get(id)? == 0 {
                continue;
            }
            for operand in read(instruction, &taken)? {
                *uses.get_mut(operand)? += 1;
            }
        }
        Ok(Self { uses, outputs })
    }

    /// The instructions that are evaluated, in order.
    pub(crate) fn needed<'a>(
        &'a self,
        program: &'a Program,
    ) -> impl Iterator<Item = &'a Instruction> {
        let instructions = program.instructions.rows().iter().zip(self.uses.rows());
        instructions.filter(|(_, uses)| **uses > 0).map(|(instruction, _)| instruction)
    }

    /// The parameters that are read, each once, in order.
    pub(crate) fn parameters(&self, program: &Program) -> BTreeSet<ParameterId> {
        self.needed(program).flat_map(Instruction::parameters).collect()
    }

    /// What each node reads of the parameters. INVARIANT: where every decision takes one candidate,
    /// one case of a node is evaluated.
    pub(crate) fn weights<'a>(
        &'a self,
        program: &'a Program,
    ) -> BTreeMap<&'a str, &'a [WeightView]> {
        let readers = self.needed(program).filter(|reader| !reader.weights().is_empty());
        readers.map(|reader| (reader.node.as_str(), reader.weights())).collect()
    }
}

/// The operands that are read where selects read those that are `taken`.
fn read(
    instruction: &Instruction,
    taken: impl Fn(SelectId, &Instruction) -> Result<Vec<usize>, TorchError>,
) -> Result<Vec<ValueId>, TorchError> {
    match instruction.kind {
        InstructionKind::Select(select) => {
            let operands = taken(select, instruction)?;
            operands.iter().map(|&operand| instruction.operand(operand)).collect()
        }
        InstructionKind::Input(_)
        | InstructionKind::Op(_)
        | InstructionKind::Mask(_)
        | InstructionKind::Round(_)
        | InstructionKind::Output => Ok(instruction.operands.clone()),
    }
}
