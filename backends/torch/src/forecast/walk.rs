//! An evaluation without tensors, as [`crate::evaluation`] does it; numbers are those of one picture.

use nas_ir::{Op, Shape};
use nas_kernels::{MOST_EXPANDED, Storage};

use crate::error::TorchError;
use crate::fused::{Convolution, Role, activation, convolution};
use crate::program::{Instruction, InstructionKind, OpCase, Program, Round, Table, ValueId};
use crate::schedule::Schedule;

/// Times that the largest value is held at one operator on the way back: the gradient that comes, the one
/// that goes, and a copy in another layout.
const BACKWARD: u64 = 3;

/// A layer of those that are computed together, whose convolution makes a tensor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layer {
    /// The convolution.
    pub(super) id: ValueId,
    /// That of the layer before in its chain.
    pub(super) before: Option<ValueId>,
    /// How many numbers it makes.
    pub(super) numbers: u64,
    /// Multiply-accumulates that they take, with those of an expansion before.
    pub(super) macs: u64,
    /// How they come to the gradient.
    pub(super) storage: Storage,
}

/// A value of a step.
#[derive(Debug, Clone, Copy, Default)]
struct Sized {
    /// How many numbers it has; none, where no tensor is made.
    numbers: u64,
    /// In which memory.
    memory: Option<usize>,
    /// Whether its only reader may work there.
    is_fresh: bool,
    /// What it is, where it is computed by what reads it.
    chain: Option<Chained>,
}

/// Layers that are computed by what reads them.
#[derive(Debug, Clone, Copy, Default)]
struct Chained {
    /// How many there are.
    layers: u32,
    /// The last one, where it has not been decided whether what it makes is held: an expansion, if a depthwise
    /// convolution follows.
    open: Option<Layer>,
    /// The last one that makes a tensor, and numbers of that and of the one before it.
    id: Option<ValueId>,
    last: u64,
    before: u64,
    /// The most numbers of gradients of two layers, one after the other, both before the last.
    gradients: u64,
    /// Numbers of the last layers in a row that are computed again for the gradient, or are floats again, and of the most such.
    run: u64,
    again: u64,
    /// Whether an activation comes first, so that there is no expansion.
    is_rectified: bool,
}

/// Memory that values are in.
#[derive(Debug, Clone, Copy)]
struct Memory {
    numbers: u64,
    values: u32,
}

/// What was evaluated so far.
pub(super) struct Walk<'p> {
    schedule: &'p Schedule,
    left: Table<ValueId, u32>,
    values: Table<ValueId, Sized>,
    memories: Vec<Memory>,
    /// All that is kept for the way back.
    pub(super) kept: u64,
    /// What is still to be read, now and at most.
    live: u64,
    pub(super) most: u64,
    /// The largest value.
    largest: u64,
    /// The most that is there at once on the way back beside what is kept.
    pub(super) back: u64,
    /// The layers that are computed together.
    pub(super) layers: Vec<Layer>,
    /// Multiply-accumulates forward.
    pub(super) macs: u64,
}

impl<'p> Walk<'p> {
    /// Evaluates what is scheduled, with operators computed together by these roles.
    ///
    /// # Errors
    /// A fault of this crate: the program is not sound.
    pub(super) fn through(
        program: &Program,
        roles: &Table<ValueId, Role>,
        schedule: &'p Schedule,
    ) -> Result<Self, TorchError> {
        let mut walk = Self {
            schedule,
            left: schedule.uses.clone(),
            values: vec![Sized::default(); program.instructions.len()].into(),
            memories: Vec::new(),
            kept: 0,
            live: 0,
            most: 0,
            largest: 0,
            back: 0,
            layers: Vec::new(),
            macs: 0,
        };
        for (id, instruction) in program.instructions.iter() {
            if *schedule.uses.get(id)? > 0 {
                walk.evaluate(id, instruction, *roles.get(id)?)?;
            }
        }
        walk.back = walk.back.max(walk.largest.saturating_mul(BACKWARD));
        Ok(walk)
    }

    fn evaluate(
        &mut self,
        id: ValueId,
        instruction: &Instruction,
        role: Role,
    ) -> Result<(), TorchError> {
        let mut operands = Vec::new();
        for &operand in &instruction.operands {
            if *self.schedule.uses.get(operand)? > 1 {
                self.share(operand)?;
            }
            operands.push(*self.values.get(operand)?);
        }
        let first = operands.first().copied().unwrap_or_default();
        let value = match &instruction.kind {
            InstructionKind::Input(_) => Sized::default(),
            InstructionKind::Output => self.settled(first),
            InstructionKind::Select(_) => self.select(&operands),
            InstructionKind::Round(Round::Learned { .. }) => {
                // Levels, those within the range, and the nearest whole ones are kept, too.
                self.kept = self.kept.saturating_add(first.numbers.saturating_mul(3));
                self.make(first.numbers)
            }
            InstructionKind::Mask(_)
            | InstructionKind::Round(Round::Half | Round::Grid(_) | Round::Levels) => {
                self.make(first.numbers)
            }
            InstructionKind::Op(_) if role == Role::Answer => self.settled(first),
            InstructionKind::Op(case) => match self.chained(id, case, role, &operands) {
                Some(value) => value,
                None if matches!(case.op, Op::Add(_)) => self.sum(case, &operands),
                None => {
                    let operands: Vec<Sized> =
                        operands.iter().map(|&operand| self.settled(operand)).collect();
                    self.operator(case, &operands)
                }
            },
        };
        if let InstructionKind::Op(case) = &instruction.kind {
            self.macs = self.macs.saturating_add(macs(case));
        }
        self.put(id, value)?;
        instruction.operands.iter().try_for_each(|&operand| self.read(operand))
    }

    fn put(&mut self, id: ValueId, value: Sized) -> Result<(), TorchError> {
        if let Some(memory) = self.memory(value) {
            memory.values += 1;
        }
        *self.values.get_mut(id)? = value;
        Ok(())
    }

    /// Notes that several read a value: that it is computed by the first of them, and none may work in its memory.
    fn share(&mut self, id: ValueId) -> Result<(), TorchError> {
        let value = *self.values.get(id)?;
        let settled = self.settled(value);
        self.put(id, Sized { is_fresh: false, ..settled })?;
        self.release(value);
        Ok(())
    }

    /// Notes that a value was read; after its last reader it is released.
    fn read(&mut self, id: ValueId) -> Result<(), TorchError> {
        let left = self.left.get_mut(id)?;
        *left = left.saturating_sub(1);
        if *left > 0 {
            return Ok(());
        }
        self.release(*self.values.get(id)?);
        Ok(())
    }

    fn release(&mut self, value: Sized) {
        let Some(memory) = self.memory(value) else { return };
        memory.values = memory.values.saturating_sub(1);
        if memory.values == 0 {
            let numbers = memory.numbers;
            self.live = self.live.saturating_sub(numbers);
        }
    }

    fn memory(&mut self, value: Sized) -> Option<&mut Memory> {
        self.memories.get_mut(value.memory?)
    }

    /// A tensor of its own, which is kept.
    fn make(&mut self, numbers: u64) -> Sized {
        self.kept = self.kept.saturating_add(numbers);
        self.passing(numbers)
    }

    /// A tensor of its own.
    fn passing(&mut self, numbers: u64) -> Sized {
        self.live = self.live.saturating_add(numbers);
        self.most = self.most.max(self.live);
        self.largest = self.largest.max(numbers);
        self.memories.push(Memory { numbers, values: 0 });
        Sized { numbers, memory: Some(self.memories.len() - 1), is_fresh: true, chain: None }
    }

    /// The tensor that a value is for what does not compute it.
    fn settled(&mut self, value: Sized) -> Sized {
        if value.chain.is_none() {
            return value;
        }
        self.block(&[value], value.numbers);
        self.make(value.numbers)
    }

    /// What is summed with its chains at once, into so many numbers: on the way back the gradients of what is between layers are
    /// there, those of other operands, and what is computed again.
    fn block(&mut self, operands: &[Sized], made: u64) {
        let (mut back, mut is_fused) = (0_u64, false);
        for operand in operands {
            let Some(mut chain) = operand.chain else {
                back = back.saturating_add(operand.numbers);
                continue;
            };
            if let Some(open) = chain.open.take() {
                self.hold(&mut chain, open);
            }
            let gradients = chain.gradients.max(chain.before);
            back = back.saturating_add(gradients).saturating_add(chain.again);
            is_fused = true;
        }
        if is_fused {
            // The gradient of the sum, and what is made of it for the maps.
            back = back.saturating_add(made.saturating_mul(2));
        }
        self.back = self.back.max(back);
    }

    /// What a layer of a chain makes.
    fn hold(&mut self, chain: &mut Chained, layer: Layer) -> Sized {
        self.layers.push(Layer { before: chain.id.replace(layer.id), ..layer });
        chain.gradients = chain.gradients.max(chain.before.saturating_add(chain.last));
        (chain.before, chain.last) = (chain.last, layer.numbers);
        match layer.storage {
            Storage::Floats => {
                chain.run = 0;
                return self.make(layer.numbers);
            }
            Storage::BFloat16 => {
                self.kept = self.kept.saturating_add(layer.numbers.div_ceil(2));
                // A layer is floats again together with the one before, if that has to be.
                let before = if chain.run > 0 { chain.before } else { 0 };
                chain.again = chain.again.max(before.saturating_add(layer.numbers));
                chain.run = layer.numbers;
            }
            Storage::Recomputed => chain.run = chain.run.saturating_add(layer.numbers),
        }
        chain.again = chain.again.max(chain.run);
        self.passing(layer.numbers)
    }

    /// What an operator makes that is computed with others.
    fn chained(
        &mut self,
        id: ValueId,
        case: &OpCase,
        role: Role,
        operands: &[Sized],
    ) -> Option<Sized> {
        if let Role::Gate { operand } = role {
            let settled: Vec<Sized> = operands.iter().map(|&it| self.settled(it)).collect();
            // The map is the other one of two.
            let map = settled.get(1 - operand.min(1)).copied().unwrap_or_default();
            let chain = Chained { is_rectified: true, ..Chained::default() };
            return Some(Sized { is_fresh: false, chain: Some(chain), ..map });
        }
        let first = operands.first().copied().unwrap_or_default();
        if role == Role::Input && first.chain.is_none() {
            let chain = Chained { is_rectified: true, ..Chained::default() };
            return Some(Sized { is_fresh: false, chain: Some(chain), ..first });
        }
        let Role::Convolution { storage, begins } = role else {
            let goes_on = matches!(case.op, Op::BatchNorm(_)) || activation(&case.op).is_some();
            return (goes_on && first.chain.is_some()).then_some(first);
        };
        let mut layer =
            Layer { id, before: None, numbers: numbers(&case.output), macs: macs(case), storage };
        let inputs = case.inputs.first().map_or(0, |from| from.channels());
        let first = if begins { self.settled(first) } else { first };
        let mut chain = first.chain.unwrap_or_default();
        let kind = convolution(case);
        let is_depthwise = matches!(kind, Some(Convolution::Depthwise(_)));
        let is_pointwise = matches!(kind, Some(Convolution::Pointwise { .. }));
        if chain.layers == 0
            && !chain.is_rectified
            && is_pointwise
            && inputs as usize <= MOST_EXPANDED
        {
            let chain = Chained { layers: 1, open: Some(layer), ..Chained::default() };
            return Some(Sized { numbers: layer.numbers, chain: Some(chain), ..Sized::default() });
        }
        match chain.open.take() {
            Some(open) if is_depthwise => layer.macs = layer.macs.saturating_add(open.macs),
            Some(open) => {
                self.hold(&mut chain, open);
            }
            None => {}
        }
        chain.layers += 1;
        let made = self.hold(&mut chain, layer);
        Some(Sized { is_fresh: false, chain: Some(chain), ..made })
    }

    /// A weighted sum, or one operand times a factor.
    fn select(&mut self, operands: &[Sized]) -> Sized {
        let mixed = operands.iter().map(|operand| operand.numbers).max().unwrap_or_default();
        self.block(operands, mixed);
        self.make(mixed)
    }

    /// A sum, for which chains are computed.
    fn sum(&mut self, case: &OpCase, operands: &[Sized]) -> Sized {
        if operands.iter().any(|operand| operand.chain.is_some()) {
            self.block(operands, numbers(&case.output));
        }
        self.operator(case, operands)
    }

    fn operator(&mut self, case: &OpCase, operands: &[Sized]) -> Sized {
        let first = operands.first().copied().unwrap_or_default();
        let fresh = operands.iter().find(|operand| operand.is_fresh);
        let made = numbers(&case.output);
        match (&case.op, fresh) {
            (Op::Zero(_), _) => Sized::default(),
            (Op::Identity(_), _) => first,
            (Op::ChannelSlice(_) | Op::Crop(_) | Op::Flatten(_), _) => {
                Sized { numbers: made, is_fresh: false, ..first }
            }
            (Op::Relu(_) | Op::Relu6(_), _) if first.chain.is_some() => first,
            (Op::Relu(_) | Op::Relu6(_), Some(fresh)) => Sized { is_fresh: false, ..*fresh },
            (Op::Add(_), Some(fresh)) => *fresh,
            // Beside each greatest value, where it stood: an index of 64 bits.
            (Op::MaxPool(_), _) => {
                self.kept = self.kept.saturating_add(made.saturating_mul(2));
                self.make(made)
            }
            _ => self.make(made),
        }
    }
}

/// How many numbers a value of this shape has for a picture.
pub(super) fn numbers(shape: &Shape) -> u64 {
    shape.dims().iter().map(|&dim| u64::from(dim)).product()
}

/// The multiply-accumulates of an operator for a picture.
fn macs(case: &OpCase) -> u64 {
    u64::try_from(case.op.macs(&case.inputs, case.output)).unwrap_or(u64::MAX)
}
