//! What training takes of memory, by what its steps evaluate.

use nas_ir::recipe::TrainingPrecision;
use nas_ir::{Assignment, Checked, DecisionId, Shape, Space};
use nas_search::shared::Mixing;
use tch::{Device, Tensor};

use super::recomputed::Recomputed;
use super::walk::{Walk, numbers};
use crate::choices::Choices;
use crate::error::TorchError;
use crate::fused::{self, Role};
use crate::mixing::{Draw, Run, assigned, runs};
use crate::program::{InstructionKind, Output, Program, Table, ValueId};
use crate::random::Moment;
use crate::schedule::Schedule;
/// Bytes of a number.
const FLOAT: u64 = 4;
/// Bytes that the process takes whatever it trains: libtorch, its threads, the compiled space.
const PROCESS: u64 = 200_000_000;
/// What the allocator takes for ten bytes, measured over the rows of `docs/forecast.md`.
const FOR_TEN: u64 = 12;
/// Times that weights which learn in a step are held beside values and velocities: their gradients, the sums of tasks that these are
/// made of, and what the optimiser makes of the weights.
const GRADIENTS: u64 = 3;
/// Times more where a batch is learned from in parts, as was measured.
const SUMS: u64 = 2;
/// Times that an output is held by its loss and on the way back from it.
const LOSS: u64 = 4;
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
    /// What is computed again in the backward pass.
    pub recomputed: Recomputed,
    /// In how many parts a batch is learned from; 0 stands for a forecast of nothing.
    pub parts: u32,
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
    /// In how many parts a batch is learned from.
    pub(crate) parts: u32,
    /// Times that all weights are held: their values, and what is kept of them.
    pub(crate) held: u64,
    /// Height and width in training, where they are not those of the program's input.
    pub(crate) crop: Option<[u32; 2]>,
    /// Whether layers are computed together.
    pub(crate) fuses: bool,
    /// With what numbers.
    pub(crate) precision: TrainingPrecision,
    /// Whether the loss is plain cross-entropy, which enlarges answers as it reads them.
    pub(crate) is_plain: bool,
}

impl Pictures {
    /// The same in so many parts.
    pub(crate) fn in_parts(self, parts: usize) -> Self {
        Self { parts: u32::try_from(parts).unwrap_or(u32::MAX), ..self }
    }

    /// Bytes of so many numbers for each picture of the size of the program's input, in training.
    fn in_training(self, program: &Program, of_each: u64) -> u64 {
        let input = program.inputs.first().and_then(Shape::plane);
        let numbers =
            Self { batch: self.batch.div_ceil(self.parts.max(1)), ..self }.numbers(of_each);
        let area = |[height, width]: [u32; 2]| u128::from(height) * u128::from(width);
        let bytes = match (self.crop, input) {
            (Some(crop), Some(input)) => numbers * area(crop) / area(input).max(1),
            _ => numbers,
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

/// A program that is to be trained on pictures.
pub(crate) struct Trained<'p> {
    pub(super) program: &'p Program,
    pub(super) pictures: Pictures,
    /// How operators are computed together.
    pub(super) roles: Table<ValueId, Role>,
}

impl<'p> Trained<'p> {
    /// A program all of whose layers are kept.
    ///
    /// # Errors
    /// A fault of this crate: the program is not sound.
    pub(crate) fn new(program: &'p Program, pictures: Pictures) -> Result<Self, TorchError> {
        let mut roles = match pictures.fuses {
            true if pictures.precision == TrainingPrecision::Bf16 => {
                fused::rounded(fused::roles(program)?)
            }
            true => fused::roles(program)?,
            false => vec![Role::Alone; program.instructions.len()].into(),
        };
        if !pictures.is_plain {
            let answers = roles.rows_mut().iter_mut().filter(|role| **role == Role::Answer);
            answers.for_each(|role| *role = Role::Alone);
        }
        Ok(Self { program, pictures, roles })
    }

    /// What a search takes whose steps mix all candidates of a supernet.
    pub(crate) fn mixture(&self, space: &Space) -> Result<Forecast, TorchError> {
        let of_step = self.step(&Schedule::of_all(self.program)?)?;
        let Forecast { scoring, .. } = self.greatest(space)?;
        Ok(Forecast { scoring, ..of_step })
    }

    /// What a search takes whose steps mix all candidates but those on numbers of channels, of which the greatest runs.
    pub(crate) fn masked(&self, space: &Checked<Space>) -> Result<Forecast, TorchError> {
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
        let Forecast { scoring, .. } = self.greatest(space)?;
        let mut all: Option<Forecast> = None;
        for Run { mixes, .. } in runs(self.program, &choices, mixes)? {
            let own = self.step(&Schedule::new(self.program, &mixes)?)?;
            all = Some(match all {
                None => Forecast { scoring, ..own },
                // What one of them keeps for its gradient is kept while the others run.
                Some(all) => Forecast {
                    step: all.step.saturating_add(own.step),
                    weights: all.weights.max(own.weights),
                    recomputed: all.recomputed.and(own.recomputed),
                    ..all
                },
            });
        }
        all.ok_or_else(|| TorchError::broken("a step of no run"))
    }

    /// What a search takes whose steps run one network of a supernet: of the networks that differ from each
    /// other by one decision after the other, what takes most.
    pub(crate) fn greatest(&self, space: &Space) -> Result<Forecast, TorchError> {
        let of = |assignment: &Assignment| {
            let mixes = assigned(self.program, space, assignment)?;
            self.step(&Schedule::new(self.program, &mixes)?)
        };
        let mut greatest = space.first_assignment();
        let mut most = of(&greatest)?;
        let candidates =
            |id: DecisionId| (0..space[id].candidates.len()).map(move |index| (id, index));
        let others = space.decision_ids().flat_map(|(id, _)| candidates(id));
        for (id, index) in others.take(LOOKED_AT) {
            let mut other = greatest.clone();
            other.set(id, index);
            let found = of(&other)?;
            if found.step > most.step {
                greatest = other;
                most = Forecast { step: found.step, recomputed: found.recomputed, ..most };
            }
            let (scoring, weights) = (found.scoring, found.weights);
            let (scoring, weights) = (most.scoring.max(scoring), most.weights.max(weights));
            most = Forecast { scoring, weights, ..most };
        }
        Ok(most)
    }

    /// How many numbers of an output the loss reads.
    fn answer(&self, output: &Output) -> Result<u64, TorchError> {
        let last = fused::maker(self.program, output.value)?;
        let InstructionKind::Op(case) = &self.program.instructions.get(last)?.kind else {
            return Ok(numbers(&output.shape));
        };
        let read = match (self.roles.get(last)?, case.inputs.first()) {
            (Role::Answer, Some(from)) => from,
            _ => &output.shape,
        };
        Ok(numbers(read))
    }

    /// What training and scoring take where this is evaluated.
    pub(crate) fn step(&self, schedule: &Schedule) -> Result<Forecast, TorchError> {
        let Self { program, pictures, .. } = *self;
        let walk = Walk::through(program, &self.roles, schedule)?;
        let outputs: u64 = schedule.outputs.iter().map(|output| numbers(&output.shape)).sum();
        let answers = schedule.outputs.iter().map(|output| self.answer(output));
        let ends = answers.sum::<Result<u64, TorchError>>()?.saturating_mul(LOSS);
        let elements = |id| Ok(program.parameters.get(id)?.elements().unsigned_abs());
        let learn = schedule.parameters(program).into_iter().map(elements);
        let times = if pictures.parts > 1 { GRADIENTS + SUMS } else { GRADIENTS };
        let learn = learn.sum::<Result<u64, TorchError>>()?.saturating_mul(times);
        let all = program.parameters.rows().iter().map(|spec| spec.elements().unsigned_abs());
        let held = all.sum::<u64>().saturating_mul(pictures.held);
        Ok(Forecast {
            step: pictures.in_training(program, [walk.kept, ends, walk.back].iter().sum()),
            scoring: pictures.in_scoring(walk.most.saturating_add(outputs)),
            weights: held.saturating_add(learn).saturating_mul(FLOAT),
            pictures: 0,
            recomputed: Recomputed::of(&walk),
            parts: pictures.parts,
        })
    }
}
