//! A network or a supernet as a list of instructions, and its evaluation.
//!
//! Only what the outputs need is evaluated: candidates that are dropped, or not sampled, and
//! whatever only they read, cost nothing. A value is released after its last reader.

use std::collections::{BTreeMap, BTreeSet};

use nas_ir::diagram::{Diagram, Selectors};
use nas_ir::{Assignment, DecisionId, Op, Shape, Space};
use tch::{TchError, Tensor};

use crate::dropout::Noise;
use crate::error::TorchError;
use crate::lower::{Site, Statistics, Value, forward};
use crate::mixing::{Mix, mixed, of_selects};
use crate::parameters::{Parameters, Reading};

/// What an instruction does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Work {
    /// The value of an input: its number.
    Input(usize),
    /// A primitive operator.
    Op(Operator),
    /// The mixture of the operands by decisions: a row of [`Program::selects`].
    Select(usize),
    /// The value of the operand.
    Output,
}

/// A primitive operator in the checked network, batches aside. Nothing of it varies: of what does,
/// each case is an instruction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operator {
    pub(crate) op: Op,
    /// The shapes of its operands.
    pub(crate) inputs: Vec<Shape>,
    /// The shape of its result.
    pub(crate) output: Shape,
}

/// One instruction. Operands are earlier instructions.
#[derive(Debug, Clone)]
pub(crate) struct Instruction {
    /// The path of the node, of which this may be one case.
    pub(crate) name: String,
    pub(crate) work: Work,
    pub(crate) inputs: Vec<usize>,
    /// Its parameters, in the order of [`Op::weights`].
    pub(crate) weights: Vec<Reading>,
}

/// Which of the operands a select takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Select {
    /// The index of the operand.
    pub(crate) selector: Diagram,
    /// The decisions whose mixture this is: those on which the operand depends, but not the shape
    /// of the result. Where values of several shapes are still apart, nothing is mixed yet.
    pub(crate) mixes: BTreeSet<DecisionId>,
}

/// An output: its instruction, and the shape of its value, batch aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) row: usize,
    pub(crate) shape: Shape,
}

/// An output that only training has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TrainOutput {
    pub(crate) output: Output,
    /// By what its loss is multiplied.
    pub(crate) weight: f64,
}

/// Instructions in an order in which operands come first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) instructions: Vec<Instruction>,
    /// Shapes of what the inputs are given.
    pub(crate) inputs: Vec<Shape>,
    pub(crate) outputs: Vec<Output>,
    /// What training adds to the outputs.
    pub(crate) train_outputs: Vec<TrainOutput>,
    /// What the selects do, each once.
    pub(crate) selects: Vec<Select>,
    /// The diagrams of the selects.
    pub(crate) selectors: Selectors,
}

/// What has to be evaluated for the outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many operands of needed instructions (and outputs) each instruction is; 0 where it is
    /// not needed.
    uses: Vec<u32>,
    /// The outputs.
    pub(crate) outputs: Vec<Output>,
}

impl Program {
    /// What each select does in the network of an assignment.
    pub(crate) fn assigned(
        &self,
        space: &Space,
        assignment: &Assignment,
    ) -> Result<Vec<Mix>, TorchError> {
        let choice = |id| Mix::One { candidate: assignment.get(id), factor: None };
        let choices: Vec<Mix> = space.decision_ids().map(|(id, _)| choice(id)).collect();
        of_selects(self, &choices)
    }

    /// The path of the node that an instruction is of.
    pub(crate) fn name(&self, row: usize) -> String {
        self.instructions.get(row).map(|instruction| instruction.name.clone()).unwrap_or_default()
    }

    fn needed<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a Instruction> {
        let needed = self.instructions.iter().zip(&plan.uses).filter(|(_, uses)| **uses > 0);
        needed.map(|(instruction, _)| instruction)
    }

    /// The parameters that a plan reads, each once, in order.
    pub(crate) fn weights(&self, plan: &Plan) -> BTreeSet<usize> {
        self.needed(plan).flat_map(|i| &i.weights).map(|reading| reading.row).collect()
    }

    /// What each node of a plan reads of the parameters. INVARIANT: where every decision takes one
    /// candidate, a plan has one case of a node.
    pub(crate) fn readings<'a>(&'a self, plan: &'a Plan) -> BTreeMap<&'a str, &'a [Reading]> {
        let readers = self.needed(plan).filter(|i| !i.weights.is_empty());
        readers.map(|i| (i.name.as_str(), i.weights.as_slice())).collect()
    }
}

impl Plan {
    /// What the outputs need when decisions are made so; a network has none.
    pub(crate) fn new(program: &Program, mixes: &[Mix]) -> Self {
        Self::toward(program.outputs.clone(), program, mixes)
    }

    /// What training a network needs: the outputs, then those that only training has.
    pub(crate) fn in_training(program: &Program) -> Self {
        let added = program.train_outputs.iter().map(|added| added.output);
        Self::toward(program.outputs.iter().copied().chain(added).collect(), program, &[])
    }

    fn toward(outputs: Vec<Output>, program: &Program, mixes: &[Mix]) -> Self {
        let mut plan = Self { uses: vec![0; program.instructions.len()], outputs: Vec::new() };
        for output in &outputs {
            plan.count(output.row);
        }
        for (row, instruction) in program.instructions.iter().enumerate().rev() {
            if !plan.needs(row) {
                continue;
            }
            if let Work::Select(select) = instruction.work {
                let candidates = mixes.get(select).map(Mix::candidates).unwrap_or_default();
                for candidate in candidates {
                    instruction.inputs.get(candidate).into_iter().for_each(|&i| plan.count(i));
                }
            } else {
                instruction.inputs.iter().for_each(|&operand| plan.count(operand));
            }
        }
        Self { outputs, ..plan }
    }

    fn count(&mut self, row: usize) {
        if let Some(uses) = self.uses.get_mut(row) {
            *uses += 1;
        }
    }

    /// Whether an instruction is evaluated.
    pub(crate) fn needs(&self, row: usize) -> bool {
        self.uses.get(row).is_some_and(|&uses| uses > 0)
    }
}

/// How a program is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    pub(crate) program: &'a Program,
    pub(crate) parameters: &'a Parameters,
    pub(crate) plan: &'a Plan,
    /// What each select of the program does; a network has none.
    pub(crate) mixes: &'a [Mix],
    pub(crate) statistics: Statistics,
    /// Where dropouts have their numbers from; without, they are the identity.
    pub(crate) noise: Option<Noise>,
}

/// What keeps a program from a value.
#[derive(Debug)]
pub(crate) enum Fault {
    /// libtorch failed at a node.
    Torch { node: String, error: TchError },
    /// The value of this node is not finite; only looked for by [`Evaluation::inspect`].
    NotFinite { node: String },
}

impl Evaluation<'_> {
    /// The values of the outputs, `[N, C, H, W]` each, for inputs `[N, C, H, W]`.
    pub(crate) fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, TorchError> {
        self.evaluate(inputs, false).map_err(|fault| self.error(inputs, fault))
    }

    /// The first node, in order, whose value is infinite or not a number.
    pub(crate) fn inspect(&self, inputs: &[Tensor]) -> Option<String> {
        match self.evaluate(inputs, true) {
            Err(Fault::NotFinite { node }) => Some(node),
            _ => None,
        }
    }

    fn evaluate(&self, inputs: &[Tensor], inspect: bool) -> Result<Vec<Tensor>, Fault> {
        let site = self.site(inputs);
        let mut values = Values {
            left: self.plan.uses.clone(),
            values: self.plan.uses.iter().map(|_| None).collect(),
        };
        for (row, instruction) in self.program.instructions.iter().enumerate() {
            if !self.plan.needs(row) {
                continue;
            }
            let value = self.step(instruction, &mut values, inputs, &site);
            let fault = |error| Fault::Torch { node: instruction.name.clone(), error };
            let value = value.map_err(fault)?;
            if inspect && !is_finite(&value).map_err(fault)? {
                return Err(Fault::NotFinite { node: instruction.name.clone() });
            }
            if let Some(place) = values.values.get_mut(row) {
                *place = Some(value);
            }
        }
        let outputs = self.plan.outputs.iter().map(|&Output { row, shape }| {
            let tensor = site.tensor(values.take(row), shape).map(|(tensor, _)| tensor);
            tensor.map_err(|error| Fault::Torch { node: self.program.name(row), error })
        });
        outputs.collect()
    }

    fn step(
        &self,
        instruction: &Instruction,
        values: &mut Values,
        inputs: &[Tensor],
        site: &Site<'_>,
    ) -> Result<Value, TchError> {
        match &instruction.work {
            Work::Input(number) => {
                let missing = || TchError::Shape(format!("no input {number}"));
                let tensor = inputs.get(*number).ok_or_else(missing)?.shallow_clone();
                Ok(Value::Tensor { tensor, fresh: false })
            }
            Work::Output => {
                Ok(instruction.inputs.first().map_or(Value::Zero, |&row| values.take(row)))
            }
            Work::Op(Operator { op, inputs, output }) => {
                let operands = instruction.inputs.iter().map(|&row| values.take(row)).collect();
                let weights = self.parameters.read(&instruction.weights)?;
                let site = Site { node: &instruction.name, ..*site };
                forward(op, operands, &weights, (inputs, *output), &site)
            }
            Work::Select(select) => {
                let Some(mix) = self.mixes.get(*select) else { return Ok(Value::Zero) };
                let operand = |candidate: usize| match instruction.inputs.get(candidate) {
                    Some(&row) => values.take(row),
                    None => Value::Zero,
                };
                mixed(mix, operand)
            }
        }
    }

    fn site(&self, inputs: &[Tensor]) -> Site<'_> {
        let input = inputs.first();
        let sizes = input.map(Tensor::size).unwrap_or_default();
        let first = self.program.inputs.first().and_then(Shape::spatial);
        let checked = first.map_or([1, 1], |size| size.map(i64::from));
        Site {
            node: "",
            noise: self.noise,
            statistics: self.statistics,
            batch: sizes.first().copied().unwrap_or(1),
            pictures: (if let [_, _, h, w] = *sizes { [h, w] } else { checked }, checked),
            device: input.map_or(tch::Device::Cpu, Tensor::device),
        }
    }

    /// A fault at a crop of another size than the network's input is the crop's.
    fn error(&self, inputs: &[Tensor], fault: Fault) -> TorchError {
        let Fault::Torch { node, error } = fault else {
            return TorchError::broken("a value was inspected unasked");
        };
        let ([height, width], checked) = self.site(inputs).pictures;
        match TorchError::at(Some(&node), &error) {
            TorchError::Torch { reason, .. } if [height, width] != checked => {
                TorchError::CropMisfit { height, width, node, reason }
            }
            other => other,
        }
    }
}

/// Values that are still to be read.
struct Values {
    left: Vec<u32>,
    values: Vec<Option<Value>>,
}

impl Values {
    /// The value of an instruction for one of its readers; moved to the last of them. Whoever
    /// gets it earlier must not overwrite it, nor may the later ones, for autograd may keep it.
    fn take(&mut self, row: usize) -> Value {
        let (Some(left), Some(place)) = (self.left.get_mut(row), self.values.get_mut(row)) else {
            return Value::Zero;
        };
        *left = left.saturating_sub(1);
        if *left == 0 {
            return place.take().unwrap_or(Value::Zero);
        }
        match place {
            Some(Value::Tensor { tensor, fresh }) => {
                *fresh = false;
                Value::Tensor { tensor: tensor.shallow_clone(), fresh: false }
            }
            Some(Value::Zero) | None => Value::Zero,
        }
    }
}

fn is_finite(value: &Value) -> Result<bool, TchError> {
    match value {
        Value::Zero => Ok(true),
        Value::Tensor { tensor, .. } => Ok(tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? != 0),
    }
}
