//! Which operators of a program are computed together.

use std::collections::HashMap;

use nas_ir::ops::ResizeMode;
use nas_ir::{Op, Shape};
use nas_kernels::{Activation, MOST_EXPANDED, Storage};

use super::convolution::Convolution;
use crate::error::TorchError;
use crate::program::{Id, Instruction, InstructionKind, OpCase, Program, Table, ValueId};

/// How an operator is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// For itself.
    #[default]
    Alone,
    /// A convolution: with its bias, with the batch norm that reads it, or with the 1x1 convolution before one.
    Convolution {
        /// How what it makes comes to the gradient.
        storage: Storage,
        /// Whether layers are computed before, for it expands what a depthwise convolution reads: at the beginning of a chain what it
        /// makes is never written.
        begins: bool,
    },
    /// An activation: as the convolution that reads it loads its values.
    Input,
    /// A product of a map and a number for each of its channels, as of squeeze-and-excitation: as the 1x1 convolution that reads it
    /// loads its values.
    Gate {
        /// Which operand the numbers are.
        operand: usize,
    },
    /// What enlarges an output: in training, by the loss as it reads it.
    Answer,
}

/// The activation that an operator is, if it is one that is computed with others.
pub(crate) fn activation(op: &Op) -> Option<Activation> {
    match op {
        Op::Relu(_) => Some(Activation::RELU),
        Op::Relu6(_) => Some(Activation::RELU6),
        Op::Hswish(_) => Some(Activation::HardSwish),
        Op::Swish(_) => Some(Activation::Swish),
        _ => None,
    }
}

/// The role of each instruction, where all is kept.
///
/// # Errors
/// A fault of this crate: the program is not sound.
pub(crate) fn roles(program: &Program) -> Result<Table<ValueId, Role>, TorchError> {
    let finder = Finder { program, readers: Readers::of(program) };
    let roles = program.instructions.iter().map(|(id, instruction)| match case(instruction) {
        Some(case) => finder.role(id, case),
        None => Ok(Role::Alone),
    });
    Ok(Table::from(roles.collect::<Result<Vec<Role>, TorchError>>()?))
}

/// Whether any layers are computed together.
pub(crate) fn are_fused(roles: &Table<ValueId, Role>) -> bool {
    roles.rows().iter().any(|role| matches!(role, Role::Convolution { .. }))
}

/// The same roles, where what layers keep for their gradients is rounded to 16 bits.
pub(crate) fn rounded(mut roles: Table<ValueId, Role>) -> Table<ValueId, Role> {
    for role in roles.rows_mut() {
        if let Role::Convolution { storage: storage @ Storage::Floats, .. } = role {
            *storage = Storage::BFloat16;
        }
    }
    roles
}

/// Finds the roles of operators by what reads them.
struct Finder<'p> {
    program: &'p Program,
    readers: Readers,
}

impl Finder<'_> {
    fn role(&self, id: ValueId, case: &OpCase) -> Result<Role, TorchError> {
        if self.is_fused(id)? {
            return Ok(Role::Convolution { storage: Storage::Floats, begins: self.begins(id)? });
        }
        if is_bilinear(case) && self.readers.is_output(self.program, id)? {
            return Ok(Role::Answer);
        }
        if activation(&case.op).is_some() && self.loader(id)?.is_some() {
            return Ok(Role::Input);
        }
        if let Some(operand) = gate(case) {
            let activated = self.only(id, |op| activation(op).is_some())?;
            let loader = self.loader(activated.unwrap_or(id))?;
            if loader.is_some_and(is_of_pixels) {
                return Ok(Role::Gate { operand });
            }
        }
        Ok(Role::Alone)
    }

    /// The only reader of a value, if it is such an operator.
    fn only(&self, id: ValueId, is: impl Fn(&Op) -> bool) -> Result<Option<ValueId>, TorchError> {
        self.readers.only(self.program, id, is)
    }

    /// Whether it is a convolution before a batch norm.
    fn is_normed(&self, id: ValueId) -> Result<bool, TorchError> {
        let is_known = case_of(self.program, id)?.is_some_and(|case| convolution(case).is_some());
        Ok(is_known && self.only(id, is_norm)?.is_some())
    }

    /// Whether it is a convolution that is computed with others.
    fn is_fused(&self, id: ValueId) -> Result<bool, TorchError> {
        let case = case_of(self.program, id)?.filter(|case| convolution(case).is_some());
        let Some((case, Op::Conv(conv))) = case.map(|case| (case, &case.op)) else {
            return Ok(false);
        };
        let is_normed = self.is_normed(id)?;
        if conv.bias {
            return Ok(!is_normed && !self.readers.is_beside_rounding(self.program, id)?);
        }
        if is_normed {
            return Ok(true);
        }
        // A separable convolution has one batch norm.
        match self.only(id, |op| matches!(op, Op::Conv(_)))? {
            Some(reader) if is_depthwise(case) => self.is_normed(reader),
            _ => Ok(false),
        }
    }

    /// The convolution that loads a value, if one that is computed with others, and with what is before it, is all that reads it.
    fn loader(&self, id: ValueId) -> Result<Option<&OpCase>, TorchError> {
        match self.only(id, |op| matches!(op, Op::Conv(_)))? {
            Some(reader) if self.is_fused(reader)? && !self.begins(reader)? => {
                case_of(self.program, reader)
            }
            _ => Ok(None),
        }
    }

    /// Whether a convolution that is computed with others begins a chain: it expands what a depthwise one reads, behind its batch norm
    /// and an activation.
    fn begins(&self, id: ValueId) -> Result<bool, TorchError> {
        if !case_of(self.program, id)?.is_some_and(expands) {
            return Ok(false);
        }
        let Some(norm) = self.only(id, is_norm)? else { return Ok(false) };
        let activated = self.only(norm, |op| activation(op).is_some())?;
        let reader = self.only(activated.unwrap_or(norm), |op| matches!(op, Op::Conv(_)))?;
        match reader {
            Some(reader) if self.is_fused(reader)? => {
                Ok(case_of(self.program, reader)?.is_some_and(is_depthwise))
            }
            _ => Ok(false),
        }
    }
}

/// Whether it is a 1x1 convolution of all pixels, which a gate may stand before.
fn is_of_pixels(case: &OpCase) -> bool {
    matches!(convolution(case), Some(Convolution::Pointwise { .. }))
        && matches!(&case.op, Op::Conv(conv) if conv.stride == [1, 1])
}

/// Which operand of a product of two has one number for each channel of the other, a map.
fn gate(case: &OpCase) -> Option<usize> {
    let (Op::Mul(_), [a, b]) = (&case.op, case.inputs.as_slice()) else { return None };
    let is_gate = |gate: &Shape, map: &Shape| {
        gate.plane() == Some([1, 1]) && map.plane().is_some() && gate.channels() == map.channels()
    };
    if is_gate(b, a) { Some(1) } else { is_gate(a, b).then_some(0) }
}

/// Whether it enlarges maps bilinearly.
fn is_bilinear(case: &OpCase) -> bool {
    matches!(&case.op, Op::Resize(resize) if resize.mode == ResizeMode::Bilinear)
        && case.inputs.first().is_some_and(|from| from.plane().is_some())
}

/// What makes the value of an output: the operand of its instruction, where it has one of its own.
///
/// # Errors
/// A fault of this crate: the program is not sound.
pub(crate) fn maker(program: &Program, output: ValueId) -> Result<ValueId, TorchError> {
    let instruction = program.instructions.get(output)?;
    match instruction.kind {
        InstructionKind::Output => instruction.operand(0),
        _ => Ok(output),
    }
}

fn is_norm(op: &Op) -> bool {
    matches!(op, Op::BatchNorm(_))
}

/// What a convolution of maps is where it is computed with others, if it can be.
pub(crate) fn convolution(case: &OpCase) -> Option<Convolution> {
    let Op::Conv(conv) = &case.op else { return None };
    let from = case.inputs.first().filter(|from| from.plane().is_some())?;
    Convolution::of(conv, from.channels())
}

fn is_depthwise(case: &OpCase) -> bool {
    matches!(convolution(case), Some(Convolution::Depthwise(_)))
}

/// Whether it makes so many channels of so few that to write what it reads, and to compute it again where what it makes is read, is less
/// than to write that.
fn expands(case: &OpCase) -> bool {
    let channels = case.inputs.first().map_or(0, Shape::channels);
    matches!(convolution(case), Some(Convolution::Pointwise { groups: 1 }))
        && case.output.channels() >= 2 * channels
        && channels as usize <= MOST_EXPANDED
}

fn case(instruction: &Instruction) -> Option<&OpCase> {
    match &instruction.kind {
        InstructionKind::Op(case) => Some(case),
        _ => None,
    }
}

fn case_of(program: &Program, id: ValueId) -> Result<Option<&OpCase>, TorchError> {
    Ok(case(program.instructions.get(id)?))
}

/// Who reads each value.
struct Readers {
    of: HashMap<ValueId, Vec<ValueId>>,
}

impl Readers {
    fn of(program: &Program) -> Self {
        let mut of: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
        for (reader, instruction) in program.instructions.iter() {
            for &operand in &instruction.operands {
                of.entry(operand).or_default().push(reader);
            }
        }
        let trained = program.train_outputs.iter().map(|added| added.output);
        for output in program.outputs.iter().copied().chain(trained) {
            // An output counts as a reader that is no operator.
            of.entry(output.value).or_default().push(ValueId::new(program.instructions.len()));
        }
        Self { of }
    }

    /// Whether the operand or the result of an instruction is rounded. It is to be summed in the order in which libtorch does then:
    /// what learns is what is exported, to the last bit.
    fn is_beside_rounding(&self, program: &Program, id: ValueId) -> Result<bool, TorchError> {
        let is_round = |id| {
            let instruction = program.instructions.get(id)?;
            Ok::<_, TorchError>(matches!(instruction.kind, InstructionKind::Round(_)))
        };
        let readers = self.of.get(&id).into_iter().flatten();
        let mut beside =
            readers.copied().filter(|reader| reader.index() < program.instructions.len());
        let of_readers = beside
            .try_fold(false, |found, reader| Ok::<_, TorchError>(found || is_round(reader)?))?;
        Ok(of_readers || is_round(program.instructions.get(id)?.operand(0)?)?)
    }

    /// Whether an output is all that reads a value.
    fn is_output(&self, program: &Program, id: ValueId) -> Result<bool, TorchError> {
        let Some([reader]) = self.of.get(&id).map(Vec::as_slice) else { return Ok(false) };
        if reader.index() >= program.instructions.len() {
            return Ok(true);
        }
        Ok(matches!(program.instructions.get(*reader)?.kind, InstructionKind::Output))
    }

    /// The only reader of a value, if it is such an operator.
    fn only(
        &self,
        program: &Program,
        id: ValueId,
        is: impl Fn(&Op) -> bool,
    ) -> Result<Option<ValueId>, TorchError> {
        let Some([reader]) = self.of.get(&id).map(Vec::as_slice) else { return Ok(None) };
        if reader.index() >= program.instructions.len() {
            return Ok(None);
        }
        let found = case_of(program, *reader)?.is_some_and(|case| is(&case.op));
        Ok(found.then_some(*reader))
    }
}
