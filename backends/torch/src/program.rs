//! A network or a supernet as a list of instructions, and its evaluation.
//!
//! Only what the outputs need is evaluated: candidates that are dropped, or not sampled, and
//! whatever only they read, cost nothing. A value is released after its last reader.

use std::ops::Range;

use nas_compiler::ir::{NodeKind, Space};
use nas_compiler::network::{NamedWeight, Network};
use nas_compiler::ops::{Op, Weight};
use nas_compiler::shape::Shape;
use tch::{TchError, Tensor};

use crate::dropout::Noise;
use crate::error::TorchError;
use crate::lower::{Site, Statistics, Value, forward};
use crate::mixing::{Mix, mixed};
use crate::parameters::{Parameters, Spec};

/// What an instruction does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Work {
    /// The value of an input: its number.
    Input(usize),
    /// A primitive operator.
    Op(Op),
    /// The mixture of the operands by a decision: its row in the space's table.
    Select(usize),
    /// The value of the operand.
    Output,
}

/// One instruction. Operands are earlier instructions.
#[derive(Debug, Clone)]
pub(crate) struct Instruction {
    /// The path of the node.
    pub(crate) name: String,
    pub(crate) work: Work,
    pub(crate) inputs: Vec<usize>,
    /// The shape of its value in the checked network, batch aside.
    pub(crate) shape: Shape,
    /// The rows of its parameters.
    pub(crate) weights: Range<usize>,
}

/// Instructions in an order in which operands come first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) instructions: Vec<Instruction>,
    /// Shapes of the inputs.
    pub(crate) inputs: Vec<Shape>,
    /// The instructions whose values are the outputs.
    pub(crate) outputs: Vec<usize>,
}

/// What has to be evaluated for the outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many operands of needed instructions (and outputs) each instruction is; 0 where it is
    /// not needed.
    uses: Vec<u32>,
}

impl Program {
    /// The program of a network, and the parameters it needs.
    pub(crate) fn of_network(network: &Network) -> (Self, Vec<Spec>) {
        let mut builder = Builder::default();
        for node in &network.nodes {
            let work = match &node.op {
                Some(op) => Work::Op(op.clone()),
                None => Work::Input(builder.program.inputs.len()),
            };
            builder.push(
                &node.name,
                work,
                node.inputs.clone(),
                node.shape,
                network.node_weights(node),
            );
        }
        builder.program.outputs = network.outputs.iter().map(|port| port.node).collect();
        (builder.program, builder.specs)
    }

    /// The program of a supernet, and the parameters of all its candidates.
    ///
    /// # Errors
    /// An operator or a shape depends on decisions.
    pub(crate) fn of_space(space: &Space) -> Result<(Self, Vec<Spec>), TorchError> {
        let mut builder = Builder::default();
        for (id, node) in space.graph.nodes() {
            let inputs: Vec<usize> = node.inputs.iter().map(|input| input.index()).collect();
            let mut weights = Vec::new();
            let varies = || TorchError::Task {
                space: space.name.clone(),
                reason: format!("`{}` depends on decisions", node.name),
            };
            let shape = node.shape.fixed().copied().ok_or_else(varies)?;
            let work = match &node.kind {
                NodeKind::Input => Work::Input(builder.program.inputs.len()),
                NodeKind::Op(op) => {
                    let op = op.fixed().ok_or_else(varies)?;
                    weights = named(&node.name, op.weights(&builder.program.shapes(&inputs)));
                    Work::Op(op.clone())
                }
                NodeKind::Select(selector) => {
                    let decision = space.selectors.as_choice(*selector).ok_or_else(varies)?;
                    Work::Select(decision.index())
                }
                NodeKind::Output => {
                    builder.program.outputs.push(id.index());
                    Work::Output
                }
            };
            builder.push(&node.name, work, inputs, shape, weights);
        }
        Ok((builder.program, builder.specs))
    }

    fn shapes(&self, rows: &[usize]) -> Vec<Shape> {
        rows.iter().filter_map(|&row| self.instructions.get(row)).map(|i| i.shape).collect()
    }

    /// The path of the first output.
    pub(crate) fn output_name(&self) -> String {
        let row = self.outputs.first().and_then(|&row| self.instructions.get(row));
        row.map(|instruction| instruction.name.clone()).unwrap_or_default()
    }

    /// The parameters that a plan reads.
    pub(crate) fn weights<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = usize> + 'a {
        let needed = self.instructions.iter().zip(&plan.uses).filter(|(_, uses)| **uses > 0);
        needed.flat_map(|(instruction, _)| instruction.weights.clone())
    }
}

/// The names that [`Network::weights`] gives.
fn named(node: &str, weights: Vec<Weight>) -> Vec<NamedWeight> {
    let name = |weight: &Weight| format!("{node}.{}", weight.role.tensor_name());
    weights.into_iter().map(|weight| NamedWeight { name: name(&weight), weight }).collect()
}

#[derive(Default)]
struct Builder {
    program: Program,
    specs: Vec<Spec>,
}

impl Builder {
    fn push(
        &mut self,
        name: &str,
        work: Work,
        mut inputs: Vec<usize>,
        shape: Shape,
        weights: Vec<NamedWeight>,
    ) {
        let first = self.specs.len();
        match &work {
            Work::Input(_) => self.program.inputs.push(shape),
            Work::Op(op) => {
                let shapes = self.program.shapes(&inputs);
                self.specs.extend(weights.into_iter().map(|NamedWeight { name, weight }| Spec {
                    name,
                    role: weight.role,
                    dims: weight.dims,
                    initial: op.initial(weight.role, &shapes),
                }));
                // What is not read must not be evaluated; the shape is known without it.
                if !op.reads_inputs() {
                    inputs.clear();
                }
            }
            Work::Select(_) | Work::Output => {}
        }
        let weights = first..self.specs.len();
        let name = name.to_owned();
        self.program.instructions.push(Instruction { name, work, inputs, shape, weights });
    }
}

impl Plan {
    /// What the outputs need when decisions are made so; a network has none.
    pub(crate) fn new(program: &Program, mixes: &[Mix]) -> Self {
        let mut plan = Self { uses: vec![0; program.instructions.len()] };
        for &output in &program.outputs {
            plan.count(output);
        }
        for (row, instruction) in program.instructions.iter().enumerate().rev() {
            if !plan.needs(row) {
                continue;
            }
            if let Work::Select(decision) = instruction.work {
                let candidates = mixes.get(decision).map(Mix::candidates).unwrap_or_default();
                for candidate in candidates {
                    instruction.inputs.get(candidate).into_iter().for_each(|&i| plan.count(i));
                }
            } else {
                instruction.inputs.iter().for_each(|&operand| plan.count(operand));
            }
        }
        plan
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
    /// What each decision does; a network has none.
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
        let outputs = self.program.outputs.iter().map(|&row| {
            let (value, instruction) = (values.take(row), self.program.instructions.get(row));
            let shape = instruction.map_or(Shape::vector(0), |instruction| instruction.shape);
            let tensor = site.tensor(value, shape);
            let node = || instruction.map(|i| i.name.clone()).unwrap_or_default();
            tensor.map(|(tensor, _)| tensor).map_err(|error| Fault::Torch { node: node(), error })
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
            Work::Op(op) => {
                let operands = instruction.inputs.iter().map(|&row| values.take(row)).collect();
                let shapes = self.program.shapes(&instruction.inputs);
                let weights = self.parameters.tensors(instruction.weights.clone());
                let site = Site { node: &instruction.name, ..*site };
                forward(op, operands, weights, (&shapes, instruction.shape), &site)
            }
            Work::Select(decision) => {
                let Some(mix) = self.mixes.get(*decision) else { return Ok(Value::Zero) };
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
