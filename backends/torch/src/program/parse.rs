//! A program from its text, for tests. Nothing is proved of it: `verify` does.

use std::str::FromStr;

use nas_ir::diagram::Diagram;
use nas_ir::ops::signature::{Arguments, Default as Fallback, Literal};
use nas_ir::ops::{Initial, Role, find};
use nas_ir::{DecisionId, Grid, Op, Shape};

use super::instruction::{
    Instruction, InstructionKind, LearnedStep, OpCase, Output, ParameterSpec, Program, Round,
    Select, TrainOutput, Transform, WeightRounding, WeightView,
};
use super::print::role_word;
use super::table::{Id, ParameterId, SelectId, ValueId};

/// What should stand in a line instead.
type Parsed<T> = Result<T, String>;

const ROLES: [Role; 7] = [
    Role::Kernel,
    Role::Bias,
    Role::Scale,
    Role::Shift,
    Role::Slope,
    Role::RunningMean,
    Role::RunningVariance,
];

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut program = Self::default();
        let mut tables = Vec::new();
        let mut lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        if lines.next().map(|(line, _)| line.trim()) != Some("program") {
            return Err("expected `program`".to_owned());
        }
        for (text, number) in lines {
            let mut line = Line { rest: text.trim() };
            let read = line.row(&mut program, &mut tables).and_then(|()| line.end());
            read.map_err(|expected| format!("line {number}: expected {expected}"))?;
        }
        Ok(program)
    }
}

/// What is left of a line.
struct Line<'t> {
    rest: &'t str,
}

impl Line<'_> {
    fn row(&mut self, program: &mut Program, tables: &mut Vec<Diagram>) -> Parsed<()> {
        if self.eat("input ") {
            program.inputs.push(self.shape()?);
        } else if self.eat("output ") {
            program.outputs.push(self.output()?);
        } else if self.eat("train output ") {
            let output = self.output()?;
            self.token("weight")?;
            program.train_outputs.push(TrainOutput { output, weight: self.number()? });
        } else if self.eat(&ParameterId::new(program.parameters.len()).to_string()) {
            self.token("=")?;
            program.parameters.push(self.parameter()?);
        } else if self.eat(&format!("t{}", tables.len())) {
            self.token("=")?;
            let branch = self.branch(program, tables)?;
            tables.push(branch);
        } else if self.eat(&SelectId::new(program.selects.len()).to_string()) {
            self.token("=")?;
            let selector = self.selector(program, tables)?;
            program.selects.push(self.rule(selector)?);
        } else {
            self.token(&ValueId::new(program.instructions.len()).to_string())?;
            self.token("=")?;
            program.instructions.push(self.instruction()?);
        }
        Ok(())
    }

    fn rule(&mut self, selector: Diagram) -> Parsed<Select> {
        let (mut mixes, mut channels) = (Vec::new(), Vec::new());
        if self.eat("masks") {
            self.token("[")?;
            channels = self.list("]", Self::number)?;
        } else {
            self.token("mixes")?;
            self.token("[")?;
            mixes = self.list("]", |line| line.id("d", DecisionId::new))?;
        }
        Ok(Select { selector, mixes: mixes.into_iter().collect(), channels })
    }

    fn output(&mut self) -> Parsed<Output> {
        let value = self.id("v", ValueId::new)?;
        self.token(":")?;
        Ok(Output { value, shape: self.shape()? })
    }

    fn parameter(&mut self) -> Parsed<ParameterSpec> {
        let word = self.word()?;
        let role = ROLES.into_iter().find(|role| role_word(*role) == word).ok_or("a role")?;
        let name = self.string()?;
        self.token("[")?;
        let dims = self.list("]", Self::number)?;
        let initial = match self.word()? {
            "constant" => Initial::Constant(self.number()?),
            "normal" => Initial::Normal { std: self.number()? },
            _ => return Err("`constant` or `normal`".to_owned()),
        };
        Ok(ParameterSpec { name, role, dims, initial })
    }

    fn branch(&mut self, program: &mut Program, tables: &[Diagram]) -> Parsed<Diagram> {
        self.token("by")?;
        let decision = self.id("d", DecisionId::new)?;
        self.token("[")?;
        let children = self.list("]", |line| line.selector(program, tables))?;
        Ok(program.selectors.branch(decision, &children))
    }

    fn selector(&mut self, program: &mut Program, tables: &[Diagram]) -> Parsed<Diagram> {
        if self.rest.starts_with('t') {
            let row = self.id("t", |row| row)?;
            return tables.get(row).copied().ok_or_else(|| "a table of a line above".to_owned());
        }
        let index = self.number()?;
        Ok(program.selectors.constant(index))
    }

    fn instruction(&mut self) -> Parsed<Instruction> {
        let (kind, operands) = match self.word()? {
            "input" => (InstructionKind::Input(self.number()?), Vec::new()),
            "output" => (InstructionKind::Output, self.operands()?),
            "select" => {
                let select = self.id("s", SelectId::new)?;
                (InstructionKind::Select(select), self.operands()?)
            }
            "round" => {
                let round = if self.eat("half") {
                    Round::Half
                } else if self.eat("levels") {
                    Round::Levels
                } else if self.learns() {
                    Round::Learned { step: self.learned()?, zero: self.number()? }
                } else {
                    Round::Grid(Grid { step: self.number()?, zero: self.number()? })
                };
                (InstructionKind::Round(round), self.operands()?)
            }
            "mask" => (InstructionKind::Mask(self.id("s", SelectId::new)?), self.operands()?),
            name => return self.op(name),
        };
        Ok(Instruction { node: self.string()?, kind, operands })
    }

    fn operands(&mut self) -> Parsed<Vec<ValueId>> {
        self.token("(")?;
        self.list(")", |line| line.id("v", ValueId::new))
    }

    fn op(&mut self, name: &str) -> Parsed<Instruction> {
        self.token("(")?;
        let shaped = self.list(")", |line| {
            let value = if line.eat("_") { None } else { Some(line.id("v", ValueId::new)?) };
            let shape = if line.eat(":") { Some(line.shape()?) } else { None };
            Ok((value, shape))
        })?;
        let op = self.arguments(name)?;
        let weights = if self.eat("[") { self.list("]", Self::view)? } else { Vec::new() };
        let node = self.string()?;
        self.token(":")?;
        let (operands, inputs): (Vec<_>, Vec<_>) = shaped.into_iter().unzip();
        let inputs = inputs.into_iter().flatten().collect();
        let case = OpCase { op, inputs, output: self.shape()?, weights };
        let operands = operands.into_iter().flatten().collect();
        Ok(Instruction { node, kind: InstructionKind::Op(case), operands })
    }

    /// The operator of this name with the arguments that follow.
    fn arguments(&mut self, name: &str) -> Parsed<Op> {
        let row = find(name).ok_or("an operator")?;
        let given = if self.eat("{") { self.list("}", Self::argument)? } else { Vec::new() };
        let mut arguments = Arguments::default();
        for parameter in row.declaration.params {
            let written = given.iter().find(|(name, _)| *name == parameter.name);
            let value = match (written, parameter.default) {
                (Some((_, literal)), _) => parameter.kind.argument(literal),
                (None, Fallback::Is(value)) => Some(value),
                (None, Fallback::Absent) => continue,
                (None, Fallback::Required) => None,
            };
            let value = value.ok_or_else(|| format!("a value for `{}`", parameter.name))?;
            arguments = arguments.with(parameter.name, value);
        }
        (row.build)(&arguments).map_err(|problem| format!("arguments that fit: {problem:?}"))
    }

    fn argument(&mut self) -> Parsed<(String, Literal)> {
        let name = self.word()?.to_owned();
        self.token("=")?;
        Ok((name, self.literal()?))
    }

    fn literal(&mut self) -> Parsed<Literal> {
        if self.rest.starts_with('"') {
            return self.string().map(Literal::Text);
        }
        if self.eat("(") {
            return self.list(")", Self::literal).map(Literal::Tuple);
        }
        let word = self.until(&[',', '}', ')']);
        let int = word.parse().ok().map(Literal::Int);
        let real = || word.parse().ok().map(Literal::Real);
        let flag = || word.parse().ok().map(Literal::Flag);
        int.or_else(real).or_else(flag).ok_or_else(|| "a value".to_owned())
    }

    /// `p0`, `p0(0+8, 1+3)` or `p0(0+8, 0+1, 1+3, 1+3) * p1[3, 3]`
    fn view(&mut self) -> Parsed<WeightView> {
        let parameter = self.id("p", ParameterId::new)?;
        let axis = |line: &mut Self| {
            let first = line.number()?;
            line.token("+")?;
            Ok([first, line.number()?])
        };
        let part = if self.eat("(") { Some(self.list(")", axis)?) } else { None };
        let mut transforms = Vec::new();
        while self.eat("*") {
            let matrix = self.id("p", ParameterId::new)?;
            self.token("[")?;
            let window = self.list("]", Self::number)?;
            let window = window.try_into().map_err(|_| "height and width".to_owned())?;
            transforms.push(Transform { matrix, window });
        }
        let rounding = if self.eat("by") { Some(self.weight_rounding()?) } else { None };
        Ok(WeightView { parameter, part, transforms, rounding })
    }

    /// What follows `by`: `half`, `p3`, `2^p3 along 0` or `p3 times p4`
    fn weight_rounding(&mut self) -> Parsed<WeightRounding> {
        if self.eat("half") {
            return Ok(WeightRounding::Half);
        }
        if self.eat("levels") {
            return Ok(WeightRounding::Levels { axis: self.axis()? });
        }
        let steps = self.learned()?;
        if self.eat("times") {
            let operand = self.id("p", ParameterId::new)?;
            return Ok(WeightRounding::Bias { kernel: steps, operand });
        }
        Ok(WeightRounding::Kernel { steps, axis: self.axis()? })
    }

    /// `along 0`, if it is there
    fn axis(&mut self) -> Parsed<Option<usize>> {
        if self.eat("along") { self.number().map(Some) } else { Ok(None) }
    }

    /// Whether steps that learn follow.
    fn learns(&self) -> bool {
        self.rest.starts_with("2^") || self.rest.starts_with('p')
    }

    fn learned(&mut self) -> Parsed<LearnedStep> {
        let powers_of_two = self.eat("2^");
        Ok(LearnedStep { parameter: self.id("p", ParameterId::new)?, powers_of_two })
    }

    fn shape(&mut self) -> Parsed<Shape> {
        self.token("[")?;
        let dims = self.list("]", Self::number)?;
        Shape::new(&dims).ok_or_else(|| "a shape".to_owned())
    }

    /// Items with commas between them, up to what closes the list.
    fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() {
                self.token(",")?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn id<I>(&mut self, letter: &str, make: impl FnOnce(usize) -> I) -> Parsed<I> {
        let number = self.word()?.strip_prefix(letter).and_then(|number| number.parse().ok());
        number.map(make).ok_or_else(|| format!("an id `{letter}0`"))
    }

    fn number<N: FromStr>(&mut self) -> Parsed<N> {
        let word = self.until(&[' ', ',', ')', ']', '+']);
        word.parse().map_err(|_| "a number".to_owned())
    }

    fn string(&mut self) -> Parsed<String> {
        self.token("\"")?;
        let mut text = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default().trim_start();
                    return Ok(text);
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, c)) => text.push(c),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err("the end of the text in quotes".to_owned())
    }
}

impl<'t> Line<'t> {
    fn word(&mut self) -> Parsed<&'t str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        if end == 0 { Err("a word".to_owned()) } else { Ok(self.take(end)) }
    }

    /// What stands before one of these.
    fn until(&mut self, ends: &[char]) -> &'t str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest.trim_start();
        taken
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }

    fn token(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(format!("`{token}`, not `{}`", self.rest)) }
    }

    fn end(&self) -> Parsed<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("the end, not `{}`", self.rest)) }
    }
}
