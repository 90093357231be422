//! What training will take of memory, known before anything is allocated.
//!
//! A step holds every value that the way back reads: a tensor for each operator that makes one, for the
//! pictures of a batch. Rectifiers and sums work in the memory of an operand that nothing else reads, views
//! have none of their own. Of layers that are computed together, what convolutions make is held, and that of an expansion is not.
//! On the way back the gradients of all operands of a mixture are held at once, and
//! a gradient of every weight. Scoring holds what is still to be read, but of pictures in full size.

use nas_ir::{Assignment, Checked, DecisionId, Op, Shape, Space};
use nas_kernels::MOST_EXPANDED;
use nas_search::shared::Mixing;
use tch::{Device, Tensor};

use crate::choices::Choices;
use crate::error::TorchError;
use crate::fused::{self, Role};
use crate::mixing::{Draw, Run, assigned, runs};
use crate::program::{Instruction, InstructionKind, OpCase, Program, Round, Table, ValueId};
use crate::random::Moment;
use crate::schedule::Schedule;

/// Bytes of a number.
const FLOAT: u64 = 4;
/// Bytes that the process takes whatever it trains: libtorch, its threads, the compiled space.
const PROCESS: u64 = 200_000_000;
/// What the allocator takes for ten bytes, measured over searches of 0.7 to 3.5 GB.
const FOR_TEN: u64 = 11;
/// Times that weights which learn in a step are held beside values and velocities: their gradients one by
/// one and together, and what the optimiser makes of the weights.
const GRADIENTS: u64 = 3;
/// Times that an output is held by its loss and on the way back from it.
const LOSS: u64 = 4;
/// Times that the largest value is held at one operator on the way back: the gradient that comes, the one
/// that goes, and a copy in another layout.
const BACKWARD: u64 = 3;
/// How many networks at most are looked at for the one that takes most.
const LOOKED_AT: usize = 2_000;

/// Bytes that training takes, in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forecast {
    /// Values of a step, and their gradients.
    pub step: u64,
    /// Values while a network is scored.
    pub scoring: u64,
    /// Weights, their gradients, and what the optimiser holds of them.
    pub weights: u64,
    /// Pictures that wait for their turn, or are kept for the next epoch.
    pub pictures: u64,
}

impl Forecast {
    /// What the process takes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let parts = [self.step.max(self.scoring), self.weights, self.pictures];
        let sum = parts.into_iter().fold(0, u64::saturating_add);
        (sum / 10).saturating_mul(FOR_TEN).saturating_add(PROCESS)
    }
}

/// The pictures of a step, and how their network is trained.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pictures {
    pub(crate) batch: u32,
    /// Times that all weights are held: their values, and what is kept of them.
    pub(crate) held: u64,
    /// Height and width in training, where they are not those of the program's input.
    pub(crate) crop: Option<[u32; 2]>,
    /// Whether layers are computed together.
    pub(crate) fuses: bool,
}

impl Pictures {
    /// Bytes of so many numbers for each picture of the size of the program's input, in training.
    fn in_training(self, program: &Program, numbers: u64) -> u64 {
        let input = program.inputs.first().and_then(Shape::plane);
        let area = |[height, width]: [u32; 2]| u128::from(height) * u128::from(width);
        let bytes = match (self.crop, input) {
            (Some(crop), Some(input)) => self.numbers(numbers) * area(crop) / area(input).max(1),
            _ => self.numbers(numbers),
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn in_scoring(self, numbers: u64) -> u64 {
        u64::try_from(self.numbers(numbers)).unwrap_or(u64::MAX)
    }

    fn numbers(self, of_each: u64) -> u128 {
        u128::from(of_each) * u128::from(self.batch) * u128::from(FLOAT)
    }
}

/// What a search takes whose steps mix all candidates of a supernet.
pub(crate) fn of_mixture(
    program: &Program,
    space: &Space,
    pictures: Pictures,
) -> Result<Forecast, TorchError> {
    let of_step = of_step(program, &Schedule::of_all(program)?, pictures)?;
    let Forecast { scoring, .. } = of_greatest(program, space, pictures)?;
    Ok(Forecast { scoring, ..of_step })
}

/// What a search takes whose steps mix all candidates but those on numbers of channels, of which the greatest runs.
pub(crate) fn of_masked(
    program: &Program,
    space: &Checked<Space>,
    pictures: Pictures,
) -> Result<Forecast, TorchError> {
    let choices = Choices::masked(space);
    let draw = Draw {
        mixing: Mixing::Masked,
        temperature: 1.0,
        seed: 0,
        moment: Moment { choices: false, epoch: 0, step: 0 },
        batch: 1,
        device: Device::Cpu,
    };
    let mixes = draw.mixes(&choices, &Tensor::f_from_slice(&choices.logits())?)?;
    let Forecast { scoring, .. } = of_greatest(program, space, pictures)?;
    let mut all: Option<Forecast> = None;
    for Run { mixes, .. } in runs(program, &choices, mixes)? {
        let own = of_step(program, &Schedule::new(program, &mixes)?, pictures)?;
        // What one of them keeps for its gradient is kept while the others run.
        let step = all.map_or(0, |all| all.step).saturating_add(own.step);
        let weights = all.map_or(0, |all| all.weights).max(own.weights);
        all = Some(Forecast { scoring, step, weights, ..own });
    }
    all.ok_or_else(|| TorchError::broken("a step of no run"))
}

/// What a search takes whose steps run one network of a supernet: of the networks that differ from each
/// other by one decision after the other, what takes most.
pub(crate) fn of_greatest(
    program: &Program,
    space: &Space,
    pictures: Pictures,
) -> Result<Forecast, TorchError> {
    let of = |assignment: &Assignment| {
        let schedule = Schedule::new(program, &assigned(program, space, assignment)?)?;
        of_step(program, &schedule, pictures)
    };
    let mut greatest = space.first_assignment();
    let mut most = of(&greatest)?;
    let candidates = |id: DecisionId| (0..space[id].candidates.len()).map(move |index| (id, index));
    let others = space.decision_ids().flat_map(|(id, _)| candidates(id));
    for (id, index) in others.take(LOOKED_AT) {
        let mut other = greatest.clone();
        other.set(id, index);
        let found = of(&other)?;
        if found.step > most.step {
            greatest = other;
        }
        most = Forecast {
            step: most.step.max(found.step),
            scoring: most.scoring.max(found.scoring),
            weights: most.weights.max(found.weights),
            ..most
        };
    }
    Ok(most)
}

/// What training and scoring take where this of a program is evaluated.
pub(crate) fn of_step(
    program: &Program,
    schedule: &Schedule,
    pictures: Pictures,
) -> Result<Forecast, TorchError> {
    let mut walk = Walk::new(program, schedule);
    let roles = if pictures.fuses { Some(fused::roles(program)?) } else { None };
    for (id, instruction) in program.instructions.iter() {
        if *schedule.uses.get(id)? > 0 {
            let role = roles.as_ref().map_or(Ok(Role::Alone), |roles| roles.get(id).copied())?;
            walk.evaluate(id, instruction, role)?;
        }
    }
    let outputs: u64 = schedule.outputs.iter().map(|output| numbers(&output.shape)).sum();
    let ends = outputs.saturating_mul(LOSS);
    let back = walk.at_once.max(walk.largest.saturating_mul(BACKWARD));
    let elements = |id| Ok(program.parameters.get(id)?.elements().unsigned_abs());
    let learn = schedule.parameters(program).into_iter().map(elements);
    let learn = learn.sum::<Result<u64, TorchError>>()?.saturating_mul(GRADIENTS);
    let all = program.parameters.rows().iter().map(|spec| spec.elements().unsigned_abs());
    let held = all.sum::<u64>().saturating_mul(pictures.held);
    Ok(Forecast {
        step: pictures.in_training(program, [walk.sum, ends, back].iter().sum()),
        scoring: pictures.in_scoring(walk.most.saturating_add(outputs)),
        weights: held.saturating_add(learn).saturating_mul(FLOAT),
        pictures: 0,
    })
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
    /// Numbers of what the last one makes, where it has not been decided whether that is held: an expansion, if a
    /// depthwise convolution follows.
    open: Option<u64>,
    /// Numbers of the gradients of all that is made before the last one.
    hidden: u64,
    /// Whether an activation comes first, so that there is no expansion.
    is_rectified: bool,
}

/// Memory that values are in.
#[derive(Debug, Clone, Copy)]
struct Memory {
    numbers: u64,
    values: u32,
}

/// An evaluation without tensors, as [`crate::evaluation`] does it; numbers are those of one picture.
struct Walk<'p> {
    schedule: &'p Schedule,
    left: Table<ValueId, u32>,
    values: Table<ValueId, Sized>,
    memories: Vec<Memory>,
    /// All that was made.
    sum: u64,
    /// What is still to be read, now and at most.
    live: u64,
    most: u64,
    /// The largest value.
    largest: u64,
    /// The gradients of the operands of one mixture, the greatest.
    at_once: u64,
}

impl<'p> Walk<'p> {
    fn new(program: &Program, schedule: &'p Schedule) -> Self {
        let values = Table::from(vec![Sized::default(); program.instructions.len()]);
        let (left, memories) = (schedule.uses.clone(), Vec::new());
        let (sum, live, most, largest, at_once) = (0, 0, 0, 0, 0);
        Self { schedule, left, values, memories, sum, live, most, largest, at_once }
    }

    fn evaluate(
        &mut self,
        id: ValueId,
        instruction: &Instruction,
        role: Role,
    ) -> Result<(), TorchError> {
        let mut operands = Vec::new();
        for &operand in &instruction.operands {
            let mut value = *self.values.get(operand)?;
            value.is_fresh &= *self.schedule.uses.get(operand)? == 1;
            operands.push(value);
        }
        let first = operands.first().copied().unwrap_or_default();
        let value = match &instruction.kind {
            InstructionKind::Input(_) => Sized::default(),
            InstructionKind::Output => self.settled(first),
            InstructionKind::Select(_) => self.select(&operands),
            InstructionKind::Round(Round::Learned { .. }) => {
                // Levels, those within the range, and the nearest whole ones are kept, too.
                self.sum = self.sum.saturating_add(first.numbers.saturating_mul(3));
                self.make(first.numbers)
            }
            InstructionKind::Mask(_)
            | InstructionKind::Round(Round::Half | Round::Grid(_) | Round::Levels) => {
                self.make(first.numbers)
            }
            InstructionKind::Op(case) => match self.chained(case, role, first) {
                Some(value) => value,
                None if matches!(case.op, Op::Add(_)) => self.operator(case, &operands),
                None => {
                    let operands: Vec<Sized> =
                        operands.iter().map(|&operand| self.settled(operand)).collect();
                    self.operator(case, &operands)
                }
            },
        };
        if let Some(memory) = self.memory(value) {
            memory.values += 1;
        }
        *self.values.get_mut(id)? = value;
        instruction.operands.iter().try_for_each(|&operand| self.read(operand))
    }

    /// Notes that a value was read; after its last reader it is released.
    fn read(&mut self, id: ValueId) -> Result<(), TorchError> {
        let left = self.left.get_mut(id)?;
        *left = left.saturating_sub(1);
        if *left > 0 {
            return Ok(());
        }
        let value = *self.values.get(id)?;
        let Some(memory) = self.memory(value) else { return Ok(()) };
        memory.values = memory.values.saturating_sub(1);
        if memory.values == 0 {
            let numbers = memory.numbers;
            self.live = self.live.saturating_sub(numbers);
        }
        Ok(())
    }

    fn memory(&mut self, value: Sized) -> Option<&mut Memory> {
        self.memories.get_mut(value.memory?)
    }

    /// A tensor of its own.
    fn make(&mut self, numbers: u64) -> Sized {
        self.sum = self.sum.saturating_add(numbers);
        self.live = self.live.saturating_add(numbers);
        self.most = self.most.max(self.live);
        self.largest = self.largest.max(numbers);
        self.memories.push(Memory { numbers, values: 0 });
        Sized { numbers, memory: Some(self.memories.len() - 1), is_fresh: true, chain: None }
    }

    /// The tensor that a value is for what does not compute it.
    fn settled(&mut self, value: Sized) -> Sized {
        match value.chain {
            Some(_) => self.make(value.numbers),
            None => value,
        }
    }

    /// What an operator makes that is computed with others.
    fn chained(&mut self, case: &OpCase, role: Role, first: Sized) -> Option<Sized> {
        let made = numbers(&case.output);
        if role == Role::Input && first.chain.is_none() {
            let chain = Chained { is_rectified: true, ..Chained::default() };
            return Some(Sized { is_fresh: false, chain: Some(chain), ..first });
        }
        if role != Role::Convolution {
            let goes_on = matches!(case.op, Op::BatchNorm(_) | Op::Relu(_) | Op::Relu6(_));
            return (goes_on && first.chain.is_some()).then_some(first);
        }
        let Op::Conv(conv) = &case.op else { return None };
        let inputs = case.inputs.first().map_or(0, |from| from.channels());
        let chain = first.chain.unwrap_or_default();
        let is_depthwise = conv.groups.get() > 1 && conv.groups.get() == inputs;
        if chain.layers == 0
            && !chain.is_rectified
            && !is_depthwise
            && inputs as usize <= MOST_EXPANDED
        {
            let chain = Chained { layers: 1, open: Some(made), ..Chained::default() };
            return Some(Sized { numbers: made, chain: Some(chain), ..Sized::default() });
        }
        let mut hidden = chain.hidden;
        if let Some(open) = chain.open.filter(|_| !is_depthwise) {
            self.make(open);
            hidden = hidden.saturating_add(open);
        }
        if chain.open.is_none() && chain.layers > 0 {
            hidden = hidden.saturating_add(first.numbers);
        }
        let chain = Chained { layers: chain.layers + 1, open: None, hidden, ..chain };
        Some(Sized { is_fresh: false, chain: Some(chain), ..self.make(made) })
    }

    /// A weighted sum, or one operand times a factor.
    fn select(&mut self, operands: &[Sized]) -> Sized {
        let mixed = operands.iter().map(|operand| operand.numbers);
        // Of layers that are computed together, gradients of what is between them.
        let gradients = operands.iter().map(|operand| match operand.chain {
            Some(chain) => chain.hidden,
            None => operand.numbers,
        });
        self.at_once = self.at_once.max(gradients.sum());
        self.make(mixed.max().unwrap_or_default())
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
                self.sum = self.sum.saturating_add(made.saturating_mul(2));
                self.make(made)
            }
            _ => self.make(made),
        }
    }
}

/// How many numbers a value of this shape has for a picture.
fn numbers(shape: &Shape) -> u64 {
    shape.dims().iter().map(|&dim| u64::from(dim)).product()
}
