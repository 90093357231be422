//! Proves a program well-formed: operands come before what reads them, every operator has the
//! operands, the parameters and the shape that it asks for, selects take operands that there are
//! and mix by the decisions that count there, and the outputs exist in the shapes that they claim.
//!
//! A select may take operands of several shapes, of which what reads it wants one each. Then it is
//! proved that the operand has that shape under all decisions under which its reader is needed
//! (`shapes`).

use std::collections::{BTreeSet, HashSet};

use nas_ir::ops::Weight;
use nas_ir::{DecisionId, Shape};

use super::instruction::{
    Instruction, InstructionKind, OpCase, Output, Program, Round, Select, Transform,
    WeightRounding, WeightView,
};
use super::print;
use super::shapes::{Claim, Form, Reader, Shapes};
use super::table::{ParameterId, SelectId, Table, ValueId};
use crate::error::TorchError;

/// What is wrong, in words.
type Proved<T> = Result<T, String>;

impl Program {
    /// Proves it well-formed; gives in words what could not be proved, because the conditions outgrew
    /// their tables.
    ///
    /// # Errors
    /// What is wrong first: a fault of this crate.
    pub(crate) fn verify(&self) -> Result<Vec<String>, TorchError> {
        let proved = Verifier::new(self).and_then(Verifier::run);
        proved.map_err(|what| TorchError::broken(format!("a program is not well-formed: {what}")))
    }
}

/// What a rule of selects asks for.
struct Rule {
    /// How many operands it takes at least.
    width: usize,
    /// On which it depends.
    decisions: BTreeSet<DecisionId>,
    /// Whether it is one of masks.
    masks: bool,
}

struct Verifier<'p> {
    program: &'p Program,
    rules: Table<SelectId, Rule>,
    /// The inputs that instructions give.
    given: Vec<bool>,
    forms: Table<ValueId, Form>,
    shapes: Shapes<'p>,
    /// What is left to prove of values of several shapes.
    claims: Vec<Claim>,
}

impl<'p> Verifier<'p> {
    fn new(program: &'p Program) -> Proved<Self> {
        let rules = program
            .selects
            .iter()
            .map(|(id, select)| rule(program, select).map_err(|what| format!("{id}: {what}")));
        Ok(Self {
            program,
            rules: rules.collect::<Proved<Vec<Rule>>>()?.into(),
            given: vec![false; program.inputs.len()],
            forms: Table::default(),
            shapes: Shapes::new(program),
            claims: Vec::new(),
        })
    }

    fn run(mut self) -> Proved<Vec<String>> {
        self.names()?;
        for (id, instruction) in self.program.instructions.iter() {
            let form = self.instruction(id, instruction);
            let form =
                form.map_err(|what| format!("{}: {what}", print::instruction(id, instruction)))?;
            self.forms.push(form);
        }
        if let Some(number) = self.given.iter().position(|is_given| !is_given) {
            return Err(format!("no instruction is input {number}"));
        }
        let added = self.program.train_outputs.iter().map(|added| &added.output);
        for output in self.program.outputs.iter().chain(added) {
            self.output(output).map_err(|what| format!("output {}: {what}", output.value))?;
        }
        let left = self.shapes.prove(&self.claims).map_err(reason)?;
        Ok(left.iter().map(ToString::to_string).collect())
    }

    /// Two parameters of one name would be one in a file.
    fn names(&self) -> Proved<()> {
        let mut names = HashSet::new();
        let mut specs = self.program.parameters.iter();
        match specs.find(|(_, spec)| !names.insert(spec.name.as_str())) {
            Some((id, spec)) => Err(format!("{id}: another parameter is named `{}`", spec.name)),
            None => Ok(()),
        }
    }

    fn instruction(&mut self, id: ValueId, instruction: &Instruction) -> Proved<Form> {
        let operands = &instruction.operands;
        for &operand in operands {
            self.form(operand)?;
        }
        match &instruction.kind {
            InstructionKind::Input(number) => {
                count(operands, 0)?;
                self.input(*number)
            }
            InstructionKind::Op(case) => {
                count(operands, case.inputs.len())?;
                self.op(id, case, operands)
            }
            InstructionKind::Select(select) => self.select(*select, operands),
            InstructionKind::Mask(mask) => {
                self.rule(*mask, true)?;
                self.only(operands)
            }
            InstructionKind::Round(Round::Learned { step, .. }) => {
                self.steps(step.parameter, 1)?;
                self.only(operands)
            }
            InstructionKind::Round(Round::Half | Round::Grid(_) | Round::Levels)
            | InstructionKind::Output => self.only(operands),
        }
    }

    /// The form of the only operand.
    fn only(&self, operands: &[ValueId]) -> Proved<Form> {
        match operands {
            [operand] => self.form(*operand),
            operands => Err(miscounted(operands, 1)),
        }
    }

    /// The form of an earlier value.
    fn form(&self, value: ValueId) -> Proved<Form> {
        let form = self.forms.get(value).map_err(|_| format!("{value} is not there yet"));
        form.copied()
    }

    fn input(&mut self, number: usize) -> Proved<Form> {
        let missing = || format!("there is no input {number}");
        let given = self.given.get_mut(number).ok_or_else(missing)?;
        if std::mem::replace(given, true) {
            return Err(format!("input {number} was there before"));
        }
        self.program.inputs.get(number).map(|&shape| Form::One(shape)).ok_or_else(missing)
    }

    fn op(&mut self, id: ValueId, case: &OpCase, operands: &[ValueId]) -> Proved<Form> {
        let OpCase { op, inputs, output, weights } = case;
        if op.reads_inputs() {
            let declared = op.declaration().operands;
            if !declared.accept(inputs.len()) {
                return Err(format!("an operator of {declared} has {}", inputs.len()));
            }
            match op.shape(inputs) {
                Ok(shape) if shape == *output => {}
                Ok(shape) => return Err(format!("its shape is {shape}")),
                Err(problem) => return Err(format!("its operands do not fit: {problem:?}")),
            }
        } else {
            count(operands, 0)?;
        }
        for (&operand, &shape) in operands.iter().zip(inputs) {
            self.claim(Reader::Value(id), operand, shape)?;
        }
        self.weights(&op.weights(inputs), weights)?;
        Ok(Form::One(*output))
    }

    /// What reads a value wants it in this shape.
    fn claim(&mut self, reader: Reader, value: ValueId, shape: Shape) -> Proved<()> {
        match self.form(value)? {
            Form::One(found) if found == shape => {}
            Form::One(found) => return Err(format!("{value} is {found}, not {shape}")),
            Form::Several(by) => self.claims.push(Claim { reader, value, by, shape }),
        }
        Ok(())
    }

    fn weights(&self, needed: &[Weight], views: &[WeightView]) -> Proved<()> {
        if needed.len() != views.len() {
            return Err(format!("it reads {} parameters, not {}", views.len(), needed.len()));
        }
        needed.iter().zip(views).try_for_each(|(weight, view)| self.weight(weight, view))
    }

    fn weight(&self, weight: &Weight, view: &WeightView) -> Proved<()> {
        let WeightView { parameter, part, transforms, rounding } = view;
        let spec = self.program.parameters.get(*parameter);
        let spec = spec.map_err(|_| format!("there is no {parameter}"))?;
        if spec.role != weight.role {
            return Err(format!("{parameter} is a {:?}, not a {:?}", spec.role, weight.role));
        }
        let fits = match part {
            None => spec.dims == weight.dims,
            Some(part) => {
                let axes = part.iter().zip(&spec.dims).zip(&weight.dims);
                let fits = |((&[first, length], &size), &needed): ((&[u32; 2], &u32), &u32)| {
                    length == needed && first.checked_add(length).is_some_and(|end| end <= size)
                };
                [part.len(), spec.dims.len()] == [weight.dims.len(); 2]
                    && axes.into_iter().all(fits)
            }
        };
        if !fits {
            return Err(format!("{parameter} has no such part {:?}", weight.dims));
        }
        if let Some(rounding) = rounding {
            self.rounding(*rounding, &weight.dims)?;
        }
        let Some(last) = transforms.last() else { return Ok(()) };
        if weight.dims.get(2..) != Some(&last.window[..]) {
            return Err(format!("the last matrix of {parameter} makes no {:?}", weight.dims));
        }
        let mut from = spec.dims.get(2..).unwrap_or_default();
        for Transform { matrix, window } in transforms {
            let shrinks = from.len() == 2 && from.iter().zip(window).all(|(a, b)| a >= b);
            let size = window.iter().product();
            let found = self.program.parameters.get(*matrix).map(|matrix| matrix.dims.clone());
            if !shrinks || found.ok() != Some(vec![size, size]) {
                return Err(format!("{matrix} brings no kernel {from:?} to {window:?}"));
            }
            from = window;
        }
        Ok(())
    }

    /// Whether there are steps for a weight of these sizes.
    fn rounding(&self, rounding: WeightRounding, dims: &[u32]) -> Proved<()> {
        let along = |axis: usize| dims.get(axis).copied().unwrap_or_default();
        match rounding {
            WeightRounding::Half => Ok(()),
            WeightRounding::Levels { axis } => match axis {
                Some(axis) if axis >= dims.len() => Err(format!("{dims:?} has no axis {axis}")),
                _ => Ok(()),
            },
            WeightRounding::Kernel { steps, axis } => {
                self.steps(steps.parameter, axis.map_or(1, along))
            }
            WeightRounding::Bias { kernel, operand } => {
                let one = self.steps(kernel.parameter, 1);
                one.or_else(|_| self.steps(kernel.parameter, along(0)))?;
                self.steps(operand, 1)
            }
        }
    }

    /// Whether a parameter has so many steps.
    fn steps(&self, parameter: ParameterId, count: u32) -> Proved<()> {
        let spec = self.program.parameters.get(parameter);
        let spec = spec.map_err(|_| format!("there is no {parameter}"))?;
        match spec.dims.as_slice() {
            [own] if *own == count => Ok(()),
            dims => Err(format!("{parameter} has {dims:?} steps, not [{count}]")),
        }
    }

    fn select(&mut self, select: SelectId, operands: &[ValueId]) -> Proved<Form> {
        let Rule { width, .. } = *self.rule(select, false)?;
        if width > operands.len() {
            return Err(format!("{select} takes one of {width} operands"));
        }
        let forms: Vec<Form> =
            operands.iter().map(|&operand| self.form(operand)).collect::<Proved<_>>()?;
        let form = self.shapes.select(select, &forms).map_err(reason)?;
        self.mixes(select, form)?;
        Ok(form)
    }

    /// The rule of a select, or of a mask.
    fn rule(&self, select: SelectId, masks: bool) -> Proved<&Rule> {
        let rule = self.rules.get(select).map_err(|_| format!("there is no {select}"))?;
        match rule.masks == masks {
            true => Ok(rule),
            false if masks => Err(format!("{select} masks nothing")),
            false => Err(format!("{select} is a rule of masks")),
        }
    }

    /// Where values of one shape meet, every decision counts. A select whose shape depends on
    /// decisions leaves these to those that read it: which they are holds only under the decisions
    /// under which it is needed, and so it is not proved here.
    fn mixes(&self, select: SelectId, form: Form) -> Proved<()> {
        let Form::One(_) = form else { return Ok(()) };
        let mixes = &self.program.selects.get(select).map_err(reason)?.mixes;
        match self.rule(select, false)?.decisions.difference(mixes).next() {
            Some(decision) => Err(format!(
                "{select} does not mix by {decision}, and its shape is always the same"
            )),
            None => Ok(()),
        }
    }

    fn output(&mut self, output: &Output) -> Proved<()> {
        self.claim(Reader::Output, output.value, output.shape)
    }
}

/// What is wrong, without who says it.
fn reason(error: TorchError) -> String {
    match error {
        TorchError::Broken { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn count(operands: &[ValueId], wanted: usize) -> Proved<()> {
    if operands.len() == wanted { Ok(()) } else { Err(miscounted(operands, wanted)) }
}

fn miscounted(operands: &[ValueId], wanted: usize) -> String {
    format!("it reads {} operands, not {wanted}", operands.len())
}

/// What a rule asks for.
fn rule(program: &Program, select: &Select) -> Proved<Rule> {
    let Select { selector, mixes, channels } = select;
    let Some(last) = program.selectors.leaves(*selector).into_iter().max() else {
        return Err("it selects nothing".to_owned());
    };
    let width = *last as usize + 1;
    let masks = !channels.is_empty();
    if masks && channels.len() < width {
        return Err(format!("it masks by one of {width} numbers"));
    }
    let decisions = program.selectors.decisions(*selector);
    if !mixes.is_subset(&decisions) {
        return Err("it mixes by decisions that do not matter to it".to_owned());
    }
    Ok(Rule { width, decisions, masks })
}
