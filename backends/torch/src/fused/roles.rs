//! Which operators of a program are computed together.

use std::collections::HashMap;

use nas_ir::ops::{Conv, ResizeMode};
use nas_ir::{Op, Shape};
use nas_kernels::{Activation, MOST_EXPANDED, MOST_TAPS};

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
        /// Whether what it makes is kept for the gradient; otherwise it is computed once more there.
        is_kept: bool,
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

/// Finds the roles of operators by what reads them.
struct Finder<'p> {
    program: &'p Program,
    readers: Readers,
}

impl Finder<'_> {
    fn role(&self, id: ValueId, case: &OpCase) -> Result<Role, TorchError> {
        if self.is_fused(id)? {
            let begins = expands(case) && self.is_before_depthwise(id)?;
            return Ok(Role::Convolution { is_kept: true, begins });
        }
        if is_bilinear(case) && self.readers.is_output(self.program, id)? {
            return Ok(Role::Answer);
        }
        if activation(&case.op).is_some() && self.loader(id)?.is_some() {
            return Ok(Role::Input);
        }
        if let Some(operand) = gate(case)
            && let Some(loader) = self.loader_behind(id)?
            && matches!(&loader.op, Op::Conv(conv) if is_pointwise(conv) && conv.stride == [1, 1])
        {
            return Ok(Role::Gate { operand });
        }
        Ok(Role::Alone)
    }

    /// The only reader of a value, if it is such an operator.
    fn only(&self, id: ValueId, is: impl Fn(&Op) -> bool) -> Result<Option<ValueId>, TorchError> {
        self.readers.only(self.program, id, is)
    }

    /// Whether it is a convolution before a batch norm.
    fn is_normed(&self, id: ValueId) -> Result<bool, TorchError> {
        let is_convolution = case_of(self.program, id)?.is_some_and(is_convolution);
        Ok(is_convolution && self.only(id, is_norm)?.is_some())
    }

    /// Whether it is a convolution that is computed with others.
    fn is_fused(&self, id: ValueId) -> Result<bool, TorchError> {
        let case = case_of(self.program, id)?.filter(|case| is_convolution(case));
        let Some((case, Op::Conv(conv))) = case.map(|case| (case, &case.op)) else {
            return Ok(false);
        };
        if conv.bias {
            return Ok(!self.readers.is_beside_rounding(self.program, id)?);
        }
        if self.is_normed(id)? {
            return Ok(true);
        }
        // A separable convolution has one batch norm.
        match self.only(id, |op| matches!(op, Op::Conv(_)))? {
            Some(reader) if is_depthwise(conv, case) => self.is_normed(reader),
            _ => Ok(false),
        }
    }

    /// The convolution that loads a value, if one that is computed with others is all that reads it.
    fn loader(&self, id: ValueId) -> Result<Option<&OpCase>, TorchError> {
        match self.only(id, |op| matches!(op, Op::Conv(_)))? {
            Some(reader) if self.is_fused(reader)? => case_of(self.program, reader),
            _ => Ok(None),
        }
    }

    /// The same, behind an activation if one reads the value.
    fn loader_behind(&self, id: ValueId) -> Result<Option<&OpCase>, TorchError> {
        let activated = self.only(id, |op| activation(op).is_some())?;
        self.loader(activated.unwrap_or(id))
    }

    /// Whether a depthwise convolution is all that reads a convolution, behind its batch norm and an activation.
    fn is_before_depthwise(&self, id: ValueId) -> Result<bool, TorchError> {
        let Some(norm) = self.only(id, is_norm)? else { return Ok(false) };
        let loader = self.loader_behind(norm)?;
        Ok(loader
            .is_some_and(|case| matches!(&case.op, Op::Conv(conv) if is_depthwise(conv, case))))
    }
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

/// Whether it is a convolution of maps that can be computed with others: by one tap, of each channel for itself, or of all channels,
/// where they are few enough.
fn is_convolution(case: &OpCase) -> bool {
    let Op::Conv(conv) = &case.op else { return false };
    let is_map = case.inputs.first().is_some_and(|from| from.plane().is_some());
    is_map && (is_pointwise(conv) || is_depthwise(conv, case) || is_dense(conv, case))
}

/// Whether each pixel is convolved for itself. Of those that keep pixels far apart the ones with groups, whose pixels are picked before.
pub(crate) fn is_pointwise(conv: &Conv) -> bool {
    has_one_tap(conv) && (conv.stride == [1, 1] || conv.groups.get() > 1)
}

/// Whether there is one tap, and nothing around the map.
fn has_one_tap(conv: &Conv) -> bool {
    conv.kernel == [1, 1] && conv.padding.before == [0, 0] && conv.padding.after == [0, 0]
}

/// Whether each channel is convolved for itself, by few enough taps.
pub(crate) fn is_depthwise(conv: &Conv, case: &OpCase) -> bool {
    let channels = case.inputs.first().map(|from| from.channels());
    let groups = conv.groups.get();
    let taps = conv.kernel.iter().product::<u32>() as usize;
    channels == Some(groups) && conv.out == groups && groups > 1 && taps <= MOST_TAPS
}

/// Whether it makes so many channels of so few that to write what it reads, and to compute it again where what it makes is read, is less
/// than to write that.
fn expands(case: &OpCase) -> bool {
    let channels = case.inputs.first().map_or(0, |from| from.channels());
    let widens =
        |conv: &Conv| is_pointwise(conv) && conv.out >= 2 * channels && conv.groups.get() == 1;
    matches!(&case.op, Op::Conv(conv) if widens(conv)) && channels as usize <= MOST_EXPANDED
}

/// The most values that a result of a convolution of all channels may see: of those of 32 channels by a window of 3 x 3 layers take
/// 0.85 to 1 times as long as in libtorch, of 64 channels 0.93 to 1.25 times, the longer the narrower maps are.
const MOST_SEEN: usize = 32 * 3 * 3;

/// Whether all channels are convolved at once, and results see few enough values.
fn is_dense(conv: &Conv, case: &OpCase) -> bool {
    let channels = case.inputs.first().map_or(0, Shape::channels) as usize;
    let seen = channels * conv.kernel.iter().product::<u32>() as usize;
    conv.groups.get() == 1 && (has_one_tap(conv) || seen <= MOST_SEEN)
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
