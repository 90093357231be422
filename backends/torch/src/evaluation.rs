//! The evaluation of a program. A value is released after its last reader.

use nas_ir::recipe::TrainingPrecision;
use tch::{Kind, Tensor};

use crate::answer::Answer;
use crate::error::TorchError;
use crate::fused::{Role, maker};
use crate::kernel::{Call, Kernel, Noise};
use crate::mixing::{Mix, masked, mixed};
use crate::parameters::Parameters;
use crate::plan::{Plan, Step};
use crate::program::{
    Instruction, InstructionKind, LearnedStep, Output, Program, Round, Table, ValueId,
};
use crate::rounding;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::value::{Crop, Operands, Pictures, Value};

/// How a program is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    pub(crate) program: &'a Program,
    pub(crate) plan: &'a Plan,
    pub(crate) parameters: &'a Parameters,
    pub(crate) schedule: &'a Schedule,
    /// What each select of the program does; a network has none.
    pub(crate) mixes: &'a [Mix],
    pub(crate) statistics: Statistics,
    /// Where dropouts have their numbers from; without, they are the identity.
    pub(crate) noise: Option<Noise>,
}

/// What an evaluation is given.
#[derive(Clone, Copy)]
struct Given<'a> {
    inputs: &'a [Tensor],
    pictures: &'a Pictures,
    /// How an operator is computed with others.
    role: Role,
}

/// What is computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fuses {
    Nothing,
    Layers,
    /// And the last operator of an output with the loss.
    WithLoss,
}

impl Fuses {
    /// What becomes of the role of an instruction.
    fn role(self, planned: Role) -> Role {
        match (self, planned) {
            (Self::Nothing, _) | (Self::Layers, Role::Answer) => Role::Alone,
            (Self::Layers | Self::WithLoss, planned) => planned,
        }
    }
}

fn tensors(answers: Vec<Answer>) -> Result<Vec<Tensor>, TorchError> {
    answers.iter().map(Answer::tensor).collect()
}

/// What ends an inspection.
enum Ended {
    /// The value of this node is not finite.
    NotFinite(String),
    /// There was no value.
    Failed,
}

impl From<TorchError> for Ended {
    fn from(_: TorchError) -> Self {
        Self::Failed
    }
}

impl Evaluation<'_> {
    /// The values of the outputs, `[N, C, H, W]` each, for inputs `[N, C, H, W]`.
    pub(crate) fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, TorchError> {
        tensors(self.each(inputs, Fuses::Layers, |_, _| Ok::<_, TorchError>(()))?)
    }

    /// What it answers in training, in the precision of the plan; answers are floats.
    pub(crate) fn learn(&self, inputs: &[Tensor]) -> Result<Vec<Answer>, TorchError> {
        match self.plan.precision {
            TrainingPrecision::Fp32 => self.each(inputs, Fuses::WithLoss, |_, _| Ok(())),
            TrainingPrecision::Bf16 => {
                let outputs = nas_cuda::in_bfloat16(self.plan.device, || self.run(inputs))?;
                let floats = |output: &Tensor| Ok(Answer::Tensor(output.f_to_kind(Kind::Float)?));
                outputs.iter().map(floats).collect()
            }
        }
    }

    /// The first node, in order, whose value is infinite or not a number, if one is found.
    pub(crate) fn inspect(&self, inputs: &[Tensor]) -> Option<String> {
        let inspected = self.evaluate(inputs, |node, value| match value.is_finite() {
            Ok(true) => Ok(()),
            Ok(false) => Err(Ended::NotFinite(node.to_owned())),
            Err(error) => Err(Ended::from(error)),
        });
        match inspected {
            Err(Ended::NotFinite(node)) => Some(node),
            Ok(_) | Err(Ended::Failed) => None,
        }
    }

    /// Shows each value, with the path of its node. Nothing is fused, so that each value is a tensor, or zeros.
    pub(crate) fn evaluate<E: From<TorchError>>(
        &self,
        inputs: &[Tensor],
        show: impl FnMut(&str, &Value) -> Result<(), E>,
    ) -> Result<Vec<Tensor>, E> {
        Ok(tensors(self.each(inputs, Fuses::Nothing, show)?)?)
    }

    fn each<E: From<TorchError>>(
        &self,
        inputs: &[Tensor],
        fuses: Fuses,
        mut show: impl FnMut(&str, &Value) -> Result<(), E>,
    ) -> Result<Vec<Answer>, E> {
        let pictures = Pictures::of(inputs, &self.program.inputs, self.plan.device)?;
        let mut values = Values::new(self.schedule);
        for ((id, instruction), step) in
            self.program.instructions.iter().zip(self.plan.steps.rows())
        {
            if !values.is_needed(id)? {
                continue;
            }
            let role = fuses.role(*self.plan.roles.get(id)?);
            let given = Given { inputs, pictures: &pictures, role };
            let value = self.step(instruction, step, &mut values, given);
            let value = value.map_err(|error| at(&instruction.node, &pictures, error))?;
            show(&instruction.node, &value)?;
            values.put(id, value)?;
        }
        let outputs = self.schedule.outputs.iter().map(|&output| {
            let (node, value) = (self.program.node(output.value)?, values.take(output.value)?);
            let answer = self.answer(output, value, &pictures, fuses);
            Ok(answer.map_err(|error| at(node, &pictures, error))?)
        });
        outputs.collect()
    }

    /// What an output answers, by its value.
    fn answer(
        &self,
        Output { value: id, shape }: Output,
        value: Value,
        pictures: &Pictures,
        fuses: Fuses,
    ) -> Result<Answer, TorchError> {
        let last = maker(self.program, id)?;
        if fuses == Fuses::WithLoss
            && *self.plan.roles.get(last)? == Role::Answer
            && let Step::Call(Kernel::Resize(resize)) = self.plan.steps.get(last)?
            && let InstructionKind::Op(case) = &self.program.instructions.get(last)?.kind
        {
            let no_map = || TorchError::broken("a resize without an operand");
            let map = pictures.tensor(value, *case.inputs.first().ok_or_else(no_map)?)?;
            return Ok(Answer::Enlarged(resize.enlarged(map, pictures)?.ok_or_else(no_map)?));
        }
        Ok(Answer::Tensor(pictures.tensor(value, shape)?))
    }

    fn step(
        &self,
        instruction: &Instruction,
        step: &Step,
        values: &mut Values,
        Given { inputs, pictures, role }: Given<'_>,
    ) -> Result<Value, TorchError> {
        match step {
            Step::Input(number) => {
                let missing = || TorchError::broken(format!("input {number} is not given"));
                Ok(Value::kept(inputs.get(*number).ok_or_else(missing)?.shallow_clone()))
            }
            Step::Pass => values.take(instruction.operand(0)?)?.plain(),
            Step::Call(kernel) => {
                let InstructionKind::Op(case) = &instruction.kind else {
                    return Err(TorchError::broken("a kernel of no operator"));
                };
                if role == Role::Answer {
                    // The loss enlarges it.
                    return values.take(instruction.operand(0)?)?.plain();
                }
                let takes_chains = kernel.takes_chains(role);
                let operands = instruction.operands.iter().map(|&id| {
                    let value = values.take(id)?;
                    if takes_chains { Ok(value) } else { value.plain() }
                });
                let operands = Operands {
                    values: operands.collect::<Result<_, TorchError>>()?,
                    shapes: &case.inputs,
                    pictures,
                };
                let weights = self.parameters.read(&case.weights)?;
                let (statistics, noise) = (self.statistics, self.noise);
                let call = Call { node: &instruction.node, pictures, statistics, noise, role };
                kernel.run(operands, &weights, &call)
            }
            Step::Round(round) => self.rounded(*round, values.take(instruction.operand(0)?)?),
            Step::Mask(mask, channels) => {
                let value = values.take(instruction.operand(0)?)?.plain()?;
                masked(Mix::of(self.mixes, *mask)?, value, channels)
            }
            Step::Mix(select) => {
                let mix = Mix::of(self.mixes, *select)?;
                mixed(mix, |candidate| values.take(instruction.operand(candidate)?))
            }
        }
    }

    fn rounded(&self, round: Round, value: Value) -> Result<Value, TorchError> {
        rounding::of_value(value, |x| match round {
            Round::Half => rounding::to_half(x),
            Round::Grid(grid) => rounding::to_grid(x, grid),
            Round::Levels => rounding::to_levels(x),
            Round::Learned { step: LearnedStep { parameter, powers_of_two }, zero } => {
                let number = self.parameters.tensor(parameter)?;
                rounding::to_learned_grid(x, number, zero, powers_of_two)
            }
        })
    }
}

/// What failed at a node. What libtorch refuses on a crop of another size than the network's input
/// is the fault of the crop.
fn at(node: &str, pictures: &Pictures, error: TorchError) -> TorchError {
    match (error.at_node(node), pictures.crop) {
        (TorchError::Torch { reason, .. }, Some(Crop { size: [height, width], .. })) => {
            TorchError::CropMisfit { height, width, node: node.to_owned(), reason }
        }
        (error, _) => error,
    }
}

/// Values that are still to be read.
struct Values {
    left: Table<ValueId, u32>,
    values: Table<ValueId, Option<Value>>,
}

impl Values {
    fn new(schedule: &Schedule) -> Self {
        let values: Vec<Option<Value>> = schedule.uses.rows().iter().map(|_| None).collect();
        Self { left: schedule.uses.clone(), values: values.into() }
    }

    fn is_needed(&self, id: ValueId) -> Result<bool, TorchError> {
        Ok(*self.left.get(id)? > 0)
    }

    fn put(&mut self, id: ValueId, value: Value) -> Result<(), TorchError> {
        *self.values.get_mut(id)? = Some(value);
        Ok(())
    }

    /// The value for one of its readers; moved to the last of them.
    fn take(&mut self, id: ValueId) -> Result<Value, TorchError> {
        let (left, place) = (self.left.get_mut(id)?, self.values.get_mut(id)?);
        *left = left.saturating_sub(1);
        let value =
            if *left == 0 { place.take() } else { place.as_mut().map(Value::share).transpose()? };
        value.ok_or_else(|| TorchError::broken(format!("{id} is read and has no value")))
    }
}
