//! Which convolutions of a program are computed with their batch norms.

use std::collections::HashMap;

use nas_ir::Op;
use nas_ir::ops::Conv;
use nas_kernels::MOST_TAPS;

use crate::error::TorchError;
use crate::program::{Id, Instruction, InstructionKind, OpCase, Program, Table, ValueId};

/// The most channels that an expansion may read: it is computed twice, which for more of them takes longer than to write
/// and read its result.
const MOST_EXPANDED: u32 = 64;

/// How a convolution is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    /// By libtorch.
    #[default]
    Plain,
    /// Its raw result is kept for the batch norm that reads it, and moments are gathered.
    Raw,
    /// It is left to the depthwise convolution behind its batch norm.
    Expansion,
}

/// The role of each instruction.
///
/// # Errors
/// A fault of this crate: the program is not sound.
pub(crate) fn roles(program: &Program) -> Result<Table<ValueId, Role>, TorchError> {
    let readers = Readers::of(program);
    let roles = program.instructions.iter().map(|(id, instruction)| {
        let Some(case) = case(instruction) else { return Ok(Role::Plain) };
        let Op::Conv(conv) = &case.op else { return Ok(Role::Plain) };
        if !(is_pointwise(conv, case) || is_depthwise(conv, case)) || conv.bias {
            return Ok(Role::Plain);
        }
        let Some(norm) = readers.only(program, id, |op| matches!(op, Op::BatchNorm(_)))? else {
            return Ok(Role::Plain);
        };
        let narrow = case.inputs.first().is_some_and(|from| from.channels() <= MOST_EXPANDED);
        if is_pointwise(conv, case) && conv.stride == [1, 1] && narrow {
            let is_clamp = |op: &Op| matches!(op, Op::Relu(_) | Op::Relu6(_));
            let read = readers.only(program, norm, is_clamp)?.unwrap_or(norm);
            if let Some(behind) = readers.only(program, read, |op| matches!(op, Op::Conv(_)))?
                && let Some(case) = case_of(program, behind)?
                && let Op::Conv(conv) = &case.op
                && is_depthwise(conv, case)
                && !conv.bias
            {
                return Ok(Role::Expansion);
            }
        }
        Ok(Role::Raw)
    });
    Ok(Table::from(roles.collect::<Result<Vec<Role>, TorchError>>()?))
}

/// Whether it is a 1x1 convolution without anything around the map.
fn is_pointwise(conv: &Conv, case: &OpCase) -> bool {
    let padded = conv.padding.before != [0, 0] || conv.padding.after != [0, 0];
    conv.kernel == [1, 1] && !padded && is_map(case)
}

/// Whether each channel is convolved for itself, by a kernel that is small enough.
fn is_depthwise(conv: &Conv, case: &OpCase) -> bool {
    let channels = case.inputs.first().map(|from| from.channels());
    let groups = conv.groups.get();
    let taps = conv.kernel.iter().product::<u32>() as usize;
    channels == Some(groups) && conv.out == groups && groups > 1 && taps <= MOST_TAPS && is_map(case)
}

fn is_map(case: &OpCase) -> bool {
    case.inputs.first().is_some_and(|from| from.plane().is_some())
        && case.weights.iter().all(|weight| weight.rounding.is_none())
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
