//! Programs as text; `mod.rs` shows one.

use std::collections::HashMap;
use std::fmt::{self, Display};

use nas_ir::diagram::{Diagram, Selectors, Top};
use nas_ir::ops::{Initial, Role};
use nas_ir::{Grid, Shape};

use super::instruction::{
    Instruction, InstructionKind, LearnedStep, OpCase, Output, ParameterSpec, Program, Round,
    Select, TrainOutput, Transform, WeightRounding, WeightView,
};
use super::table::ValueId;

impl Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = Tables::of(self);
        let inputs = self.inputs.iter().map(|shape| format!("input {shape}"));
        let parameters = self.parameters.iter().map(|(id, spec)| format!("{id} = {}", row(spec)));
        let rules = self.selects.iter().map(|(id, select)| {
            let Select { selector, mixes, channels } = select;
            let rule = if channels.is_empty() {
                format!("mixes [{}]", list(mixes))
            } else {
                format!("masks [{}]", list(channels))
            };
            format!("{id} = {} {rule}", tables.name(*selector))
        });
        let instructions = self.instructions.iter().map(|(id, i)| instruction(id, i));
        let outputs = self.outputs.iter().map(output).chain(self.train_outputs.iter().map(
            |TrainOutput { output: added, weight }| {
                format!("train {} weight {weight:?}", output(added))
            },
        ));
        f.write_str("program\n")?;
        section(f, inputs)?;
        section(f, parameters)?;
        section(f, tables.lines())?;
        section(f, rules)?;
        section(f, instructions)?;
        section(f, outputs)
    }
}

/// Lines after an empty one.
fn section(f: &mut fmt::Formatter<'_>, lines: impl Iterator<Item = String>) -> fmt::Result {
    for (i, line) in lines.enumerate() {
        let gap = if i == 0 { "\n" } else { "" };
        writeln!(f, "{gap}{line}")?;
    }
    Ok(())
}

fn row(spec: &ParameterSpec) -> String {
    let ParameterSpec { name, role, dims, initial } = spec;
    let initial = match initial {
        Initial::Constant(value) => format!("constant {value:?}"),
        Initial::Normal { std } => format!("normal {std:?}"),
    };
    format!("{} {} [{}] {initial}", role_word(*role), quoted(name), list(dims))
}

/// The word for what a tensor holds. (`Role::tensor_name` has one name for several of them.)
pub(crate) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Kernel => "kernel",
        Role::Bias => "bias",
        Role::Scale => "scale",
        Role::Shift => "shift",
        Role::Slope => "slope",
        Role::RunningMean => "running_mean",
        Role::RunningVariance => "running_variance",
    }
}

fn output(output: &Output) -> String {
    let Output { value, shape } = output;
    format!("output {value} : {shape}")
}

/// The branches of the diagrams of selects, each after those that it leads to.
struct Tables<'p> {
    selectors: &'p Selectors,
    branches: Vec<Diagram>,
    /// The places of the branches.
    places: HashMap<Diagram, usize>,
}

impl<'p> Tables<'p> {
    fn of(program: &'p Program) -> Self {
        let (branches, places) = (Vec::new(), HashMap::new());
        let mut tables = Self { selectors: &program.selectors, branches, places };
        for select in program.selects.rows() {
            tables.add(select.selector);
        }
        tables
    }

    fn add(&mut self, selector: Diagram) {
        let mut open = vec![(selector, false)];
        while let Some((diagram, is_done)) = open.pop() {
            let Top::Branch(_, children) = self.selectors.top(diagram) else { continue };
            if self.places.contains_key(&diagram) {
                continue;
            }
            if is_done {
                self.places.insert(diagram, self.branches.len());
                self.branches.push(diagram);
            } else {
                open.push((diagram, true));
                open.extend(children.iter().rev().map(|&child| (child, false)));
            }
        }
    }

    /// `t0 = by d1 [0, t1]`
    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let branches = self.branches.iter().enumerate();
        branches.map(|(row, &diagram)| match self.selectors.top(diagram) {
            Top::Branch(decision, children) => {
                let children = children.iter().map(|&child| self.name(child));
                format!("t{row} = by {decision} [{}]", list(children))
            }
            Top::Leaf(_) => format!("t{row} = {}", self.name(diagram)),
        })
    }

    /// `t0` for a branch, the index that it says for a leaf.
    fn name(&self, diagram: Diagram) -> String {
        match (self.places.get(&diagram), self.selectors.leaf(diagram)) {
            (Some(row), _) => format!("t{row}"),
            (None, Some(index)) => index.to_string(),
            // No program that is well-formed has it.
            (None, None) => "?".to_owned(),
        }
    }
}

/// The line of an instruction.
pub(crate) fn instruction(id: ValueId, instruction: &Instruction) -> String {
    let Instruction { node, kind, operands } = instruction;
    let operands_alone = list(operands);
    let node = quoted(node);
    match kind {
        InstructionKind::Input(number) => format!("{id} = input {number} {node}"),
        InstructionKind::Op(case) => {
            format!("{id} = {} {node} : {}", operator(case, operands), case.output)
        }
        InstructionKind::Select(select) => {
            format!("{id} = select {select} ({operands_alone}) {node}")
        }
        InstructionKind::Mask(mask) => format!("{id} = mask {mask} ({operands_alone}) {node}"),
        InstructionKind::Round(round) => {
            let to = match round {
                Round::Half => "half".to_owned(),
                Round::Levels => "levels".to_owned(),
                Round::Grid(Grid { step, zero }) => format!("{step} {zero}"),
                Round::Learned { step, zero } => format!("{} {zero}", learned(*step)),
            };
            format!("{id} = round {to} ({operands_alone}) {node}")
        }
        InstructionKind::Output => format!("{id} = output ({operands_alone}) {node}"),
    }
}

/// An operator with its operands, every argument, and its parameters.
fn operator(case: &OpCase, operands: &[ValueId]) -> String {
    let OpCase { op, inputs, output: _, weights } = case;
    let mut text = format!("{}({})", op.declaration().name, shaped(inputs, operands));
    let arguments = op.arguments();
    let arguments = list(arguments.iter().map(|(name, value)| format!("{name} = {value}")));
    if !arguments.is_empty() {
        text += &format!(" {{{arguments}}}");
    }
    if !weights.is_empty() {
        text += &format!(" [{}]", list(weights.iter().map(view)));
    }
    text
}

/// Operands with their shapes. One that lacks a shape, or a shape that lacks an operand, is
/// printed alone: no program that is well-formed has it.
fn shaped(inputs: &[Shape], operands: &[ValueId]) -> String {
    let rows = 0..inputs.len().max(operands.len());
    list(rows.map(|row| match (operands.get(row), inputs.get(row)) {
        (Some(value), Some(shape)) => format!("{value}: {shape}"),
        (Some(value), None) => value.to_string(),
        (None, Some(shape)) => format!("_: {shape}"),
        (None, None) => String::new(),
    }))
}

fn view(view: &WeightView) -> String {
    let WeightView { parameter, part, transforms, rounding } = view;
    let mut text = parameter.to_string();
    if let Some(part) = part {
        let axes = part.iter().map(|[first, length]| format!("{first}+{length}"));
        text += &format!("({})", list(axes));
    }
    for Transform { matrix, window: [height, width] } in transforms {
        text += &format!(" * {matrix}[{height}, {width}]");
    }
    match rounding {
        None => {}
        Some(WeightRounding::Half) => text += " by half",
        Some(WeightRounding::Levels { axis }) => {
            text += " by levels";
            if let Some(axis) = axis {
                text += &format!(" along {axis}");
            }
        }
        Some(WeightRounding::Kernel { steps, axis }) => {
            text += &format!(" by {}", learned(*steps));
            if let Some(axis) = axis {
                text += &format!(" along {axis}");
            }
        }
        Some(WeightRounding::Bias { kernel, operand }) => {
            text += &format!(" by {} times {operand}", learned(*kernel));
        }
    }
    text
}

/// Steps that learn: `p3`, or `2^p3` where they are powers of two.
fn learned(LearnedStep { parameter, powers_of_two }: LearnedStep) -> String {
    let base = if powers_of_two { "2^" } else { "" };
    format!("{base}{parameter}")
}

fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// In quotes, on one line.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{escaped}\"")
}
