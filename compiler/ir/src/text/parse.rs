//! A space from its text. Shapes are taken as written: the checker proves them.

use std::str::{CharIndices, FromStr};

use thiserror::Error;

use crate::decision::{Choice, Decision};
use crate::diagram::Diagram;
use crate::dtype::Precision;
use crate::ids::{DecisionId, NodeId};
use crate::limit::{Form, Limit};
use crate::measure::Measure;
use crate::node::{Node, NodeKind};
use crate::ops::signature::{Argument, Arguments, Declaration, Default, Literal};
use crate::ops::{self, Op};
use crate::opset::Opset;
use crate::quantity::{Count, Order, Quantity};
use crate::shape::{MAX_RANK, Shape};
use crate::space::Space;
use crate::task::Task;
use crate::varied::{Varied, varied};

/// A line of the text that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: expected {expected}")]
pub struct TextError {
    /// The line, from 1.
    pub line: usize,
    /// What should stand there.
    pub expected: String,
}

/// A space from its text form.
///
/// # Errors
/// The first line that is not as it must be.
pub fn parse(text: &str) -> Result<Space, TextError> {
    let mut space = Space::default();
    let mut tables = Vec::new();
    let mut has_name = false;
    let mut last = 0;
    for (index, rest) in text.lines().enumerate() {
        last = index + 1;
        let mut line = Line { rest: rest.trim(), number: last };
        if line.rest.is_empty() {
            continue;
        }
        if !has_name {
            line.keyword("space")?;
            space.name = line.name()?;
            has_name = true;
        } else {
            line.row(&mut space, &mut tables)?;
        }
        if !line.rest.is_empty() {
            return Err(line.expected("the end of the line"));
        }
    }
    if !has_name {
        return Err(TextError { line: last.max(1), expected: "`space NAME`".to_owned() });
    }
    Ok(space)
}

type Parsed<T> = Result<T, TextError>;

/// What is left of a line.
struct Line<'t> {
    rest: &'t str,
    number: usize,
}

impl<'t> Line<'t> {
    fn expected(&self, what: impl Into<String>) -> TextError {
        TextError { line: self.number, expected: what.into() }
    }

    /// A task, what a target gives, a requirement, a decision, a table or a node.
    fn row(&mut self, space: &mut Space, tables: &mut Vec<Diagram>) -> Parsed<()> {
        let what =
            "`task`, `precision`, `opset`, `memory`, `require`, a decision, a table or a node";
        let word = self.word(what)?;
        match word {
            "task" if space.task.is_some() => return Err(self.expected("one task")),
            "task" => space.task = Some(self.task()?),
            "precision" => space.device.precision = self.precision()?,
            "opset" => space.device.opset = Some(self.opset()?),
            "memory" => space.device.memory = Some(self.count()?),
            "require" => space.requirements.push(self.limit()?.into()),
            _ => return self.part(word, what, space, tables),
        }
        Ok(())
    }

    /// A decision, a table or a node, each of the next number.
    fn part(
        &mut self,
        word: &str,
        what: &str,
        space: &mut Space,
        tables: &mut Vec<Diagram>,
    ) -> Parsed<()> {
        let decision = DecisionId(space.decisions.len() as u32);
        let node = NodeId(space.graph.len() as u32);
        let table = format!("t{}", tables.len());
        if word == decision.to_string() {
            space.decisions.push(self.decision()?);
        } else if word == table {
            let table = self.table(space, tables)?;
            tables.push(table);
        } else if word == node.to_string() {
            let node = self.node(space, tables)?;
            space.graph.add(node);
        } else {
            let next = format!("{what}, the next being {decision}, {table} and {node}");
            return Err(self.expected(next));
        }
        Ok(())
    }

    /// `1 * macs + -30 * count op [skip] <= 0`
    fn limit(&mut self) -> Parsed<Limit> {
        let mut terms = Vec::new();
        loop {
            let factor = self.whole()?;
            self.token("*")?;
            terms.push((self.quantity()?, factor));
            if !self.eat("+") {
                break;
            }
        }
        self.token("<=")?;
        Ok(Limit { form: Form(terms), most: self.whole()? })
    }

    /// `macs`, `count op [skip, none]` or `breaks increasing width`
    fn quantity(&mut self) -> Parsed<Quantity> {
        let what = "a measure, `count` or `breaks`";
        match self.word(what)? {
            "count" => {
                let label = self.name()?;
                self.token("[")?;
                Ok(Quantity::Count(Count { label, candidates: self.list("]", Self::name)? }))
            }
            "breaks" => {
                let what = "`increasing` or `decreasing`";
                let is_decreasing = match self.word(what)? {
                    "increasing" => false,
                    "decreasing" => true,
                    _ => return Err(self.expected(what)),
                };
                Ok(Quantity::Breaks(Order { label: self.name()?, is_decreasing }))
            }
            word => Ok(Measure::named(word).ok_or_else(|| self.expected(what))?.into()),
        }
    }

    /// A whole number that may be negative.
    fn whole(&mut self) -> Parsed<i128> {
        let what = "a whole number";
        let sign = if self.eat("-") { "-" } else { "" };
        let digits = self.word(what)?;
        format!("{sign}{digits}").parse().map_err(|_| self.expected(what))
    }

    fn task(&mut self) -> Parsed<Task> {
        let word = self.word("a task")?;
        self.token("(")?;
        let task = match word {
            "classification" => Task::Classification { classes: self.named_count("classes")? },
            "multilabel" => Task::Multilabel { classes: self.named_count("classes")? },
            "regression" => Task::Regression { values: self.named_count("values")? },
            "segmentation" => {
                let classes = self.named_count("classes")?;
                self.token(",")?;
                Task::Segmentation { classes, ignore: self.named_count("ignore")? }
            }
            _ => return Err(self.expected("the name of a task")),
        };
        self.token(")")?;
        Ok(task)
    }

    /// `classes = 3`
    fn named_count(&mut self, name: &str) -> Parsed<u32> {
        self.keyword(name)?;
        self.token("=")?;
        self.count()
    }

    fn precision(&mut self) -> Parsed<Precision> {
        let what = "a precision";
        let word = self.word(what)?;
        Precision::named(word).ok_or_else(|| self.expected(what))
    }

    fn opset(&mut self) -> Parsed<Opset> {
        Opset::new(self.count::<u32>()?)
            .ok_or_else(|| self.expected("the version of an operator set"))
    }

    /// `by d1 [t0, 1]`: a row of a diagram.
    fn table(&mut self, space: &mut Space, tables: &[Diagram]) -> Parsed<Diagram> {
        self.token("=")?;
        self.keyword("by")?;
        let decision = DecisionId(self.id('d', space.decisions.len())?);
        self.token("[")?;
        let children = self.list("]", |line| {
            let child = line.selector(space, tables)?;
            // Diagrams branch on the highest decision first.
            let is_below = space.selectors.decision(child).is_none_or(|below| below < decision);
            if is_below { Ok(child) } else { Err(line.expected("a table over lower decisions")) }
        })?;
        let width = space.decision(decision).map_or(0, |decision| decision.candidates.len());
        if children.len() != width {
            return Err(self.expected(format!("{width} entries, one a candidate")));
        }
        Ok(space.selectors.branch(decision, &children))
    }

    /// A decision, whose candidate is the index, or a table, or an index.
    fn selector(&mut self, space: &mut Space, tables: &[Diagram]) -> Parsed<Diagram> {
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let index = self.count()?;
            return Ok(space.selectors.constant(index));
        }
        if self.rest.starts_with('t') {
            let row = self.id('t', tables.len())?;
            return tables.get(row as usize).copied().ok_or_else(|| self.expected("a table"));
        }
        let decision = DecisionId(self.id('d', space.decisions.len())?);
        let width = space.decision(decision).map_or(0, |decision| decision.candidates.len());
        Ok(space.selectors.choice(decision, width))
    }

    /// A value, or a selector with the values that it selects among: `d1 {a | b}`.
    fn varied<T: Clone + PartialEq>(
        &mut self,
        space: &mut Space,
        tables: &[Diagram],
        mut value: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Varied<T>> {
        if !self.rest.starts_with(['t', 'd']) {
            return value(self).map(Varied::Fixed);
        }
        let selector = self.selector(space, tables)?;
        self.token("{")?;
        let mut values = vec![value(self)?];
        while self.eat("|") {
            values.push(value(self)?);
        }
        self.token("}")?;
        let found = varied(&mut space.selectors, selector, &values, PartialEq::eq);
        found.ok_or_else(|| self.expected("a value for each index of the selector"))
    }

    fn decision(&mut self) -> Parsed<Decision> {
        self.token("=")?;
        self.keyword("decision")?;
        let path = self.string()?;
        self.keyword("label")?;
        let label = self.string()?;
        let choice = self.choice()?;
        self.token("[")?;
        let candidates = self.list("]", Self::name)?;
        if candidates.is_empty() {
            return Err(self.expected("at least one candidate"));
        }
        Ok(Decision { path, label, choice, candidates, origin: None })
    }

    /// What stands before the candidates: nothing, `values`, `elastic` or `2 of […]`.
    fn choice(&mut self) -> Parsed<Choice> {
        if self.rest.starts_with('[') {
            return Ok(Choice::Parts);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            let take = self.count::<usize>()?;
            self.keyword("of")?;
            self.token("[")?;
            let options = self.list("]", Self::name)?;
            return Ok(Choice::Sets { options, take });
        }
        match self.word("`values`, `elastic` or candidates")? {
            "values" => Ok(Choice::Values),
            "elastic" => Ok(Choice::Elastic),
            _ => Err(self.expected("`values`, `elastic` or candidates")),
        }
    }

    fn node(&mut self, space: &mut Space, tables: &[Diagram]) -> Parsed<Node> {
        self.token("=")?;
        let word = self.word("an operator, `input`, `select`, `output` or `train output`")?;
        let (kind, inputs) = match word {
            "input" => (NodeKind::Input, Vec::new()),
            "output" => (NodeKind::Output, self.operands(space)?),
            "train" => {
                self.keyword("output")?;
                let inputs = self.operands(space)?;
                (NodeKind::TrainOutput { weight: self.weight()? }, inputs)
            }
            "select" => {
                let selector = self.selector(space, tables)?;
                (NodeKind::Select(selector), self.operands(space)?)
            }
            "op" => {
                let op = self.varied(space, tables, |line| {
                    let name = line.word("the name of an operator")?;
                    line.token("(")?;
                    line.token(")")?;
                    line.operator(name)
                })?;
                (NodeKind::Op(op), self.operands(space)?)
            }
            name => {
                let inputs = self.operands(space)?;
                (NodeKind::Op(Varied::Fixed(self.operator(name)?)), inputs)
            }
        };
        let name = self.string()?;
        self.token(":")?;
        let shape = self.varied(space, tables, Self::shape)?;
        let has_precision = self.rest.starts_with("in ");
        let precision = if has_precision {
            self.keyword("in")?;
            Some(self.varied(space, tables, Self::precision)?)
        } else {
            None
        };
        Ok(Node { precision, ..Node::new(kind, inputs, shape, name) })
    }

    /// `{weight = 0.4}`
    fn weight(&mut self) -> Parsed<f64> {
        self.token("{")?;
        self.keyword("weight")?;
        self.token("=")?;
        let weight = match self.literal(0)? {
            Literal::Int(n) => n as f64,
            Literal::Real(r) if r.is_finite() => r,
            _ => return Err(self.expected("a number")),
        };
        self.token("}")?;
        Ok(weight)
    }

    fn operands(&mut self, space: &Space) -> Parsed<Vec<NodeId>> {
        self.token("(")?;
        self.list(")", |line| line.id('n', space.graph.len()).map(NodeId))
    }

    /// The number of an id that is defined.
    fn id(&mut self, letter: char, defined: usize) -> Parsed<u32> {
        let what = match letter {
            'd' => "a decision of a line above",
            't' => "a table of a line above",
            _ => "a node of a line above",
        };
        let number = self.word(what)?.strip_prefix(letter).and_then(|n| n.parse::<u32>().ok());
        let number = number.filter(|&n| (n as usize) < defined);
        number.ok_or_else(|| self.expected(what))
    }

    fn operator(&mut self, name: &str) -> Parsed<Op> {
        let row = ops::find(name).ok_or_else(|| self.expected("the name of an operator"))?;
        let mut given = Vec::new();
        if self.eat("{") {
            given = self.list("}", |line| {
                let name = line.word("the name of a parameter")?;
                let parameters = row.declaration.params;
                let parameter = parameters.iter().find(|parameter| parameter.name == name);
                let Some(parameter) = parameter else {
                    let names: Vec<&str> = parameters.iter().map(|p| p.name).collect();
                    return Err(line.expected(format!("a parameter among: {}", names.join(", "))));
                };
                line.token("=")?;
                let argument = parameter.kind.argument(&line.literal(2)?);
                let argument = argument.ok_or_else(|| line.expected(parameter.kind.to_string()))?;
                Ok((parameter.name, argument))
            })?;
        }
        let arguments = self.arguments(row.declaration, &given)?;
        (row.build)(&arguments).map_err(|_| self.expected("arguments that fit together"))
    }

    /// The given arguments in the declared order, with defaults.
    fn arguments(
        &self,
        declaration: &Declaration,
        given: &[(&'static str, Argument)],
    ) -> Parsed<Arguments> {
        let mut arguments = Arguments::default();
        for parameter in declaration.params {
            let mut values = given.iter().filter(|(name, _)| *name == parameter.name);
            let value = values.next().map(|&(_, value)| value);
            if values.next().is_some() {
                return Err(self.expected(format!("`{}` once", parameter.name)));
            }
            match (value, parameter.default) {
                (Some(value), _) | (None, Default::Is(value)) => {
                    arguments = arguments.with(parameter.name, value);
                }
                (None, Default::Absent) => {}
                (None, Default::Required) => {
                    return Err(self.expected(format!("a value for `{}`", parameter.name)));
                }
            }
        }
        Ok(arguments)
    }

    /// A value whose tuples nest at most `depth` deep.
    fn literal(&mut self, depth: usize) -> Parsed<Literal> {
        if self.rest.starts_with('"') {
            return self.string().map(Literal::Text);
        }
        if depth > 0 && self.eat("(") {
            return self.list(")", |line| line.literal(depth - 1)).map(Literal::Tuple);
        }
        let end = self.rest.find([',', '}', ')']).unwrap_or(self.rest.len());
        let word = self.take(end).trim_end();
        let int = word.parse().ok().map(Literal::Int);
        let number = int.or_else(|| word.parse().ok().map(Literal::Real));
        let flag = || word.parse().ok().map(Literal::Flag);
        number.or_else(flag).ok_or_else(|| self.expected("a value"))
    }

    fn shape(&mut self) -> Parsed<Shape> {
        self.token("[")?;
        let dims = self.list("]", Self::count)?;
        let expected = || self.expected(format!("a shape of 1 to {MAX_RANK} sizes"));
        Shape::new(&dims).ok_or_else(expected)
    }

    /// Items with commas between them, up to what closes the list.
    fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        if self.eat(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(close) {
                return Ok(items);
            }
            if !self.eat(",") {
                return Err(self.expected(format!("`,` or `{close}`")));
            }
        }
    }

    /// The next bytes, without the space after them.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        taken
    }

    fn eat(&mut self, token: &str) -> bool {
        let is_next = self.rest.starts_with(token);
        if is_next {
            self.take(token.len());
        }
        is_next
    }

    fn token(&mut self, token: &str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.expected(format!("`{token}`"))) }
    }

    fn keyword(&mut self, word: &str) -> Parsed<()> {
        let what = format!("`{word}`");
        if self.word(&what)? == word { Ok(()) } else { Err(self.expected(what)) }
    }

    fn word(&mut self, what: &str) -> Parsed<&'t str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.expected(what));
        }
        Ok(self.take(end))
    }

    fn count<T: FromStr>(&mut self) -> Parsed<T> {
        let what = "a whole number";
        self.word(what)?.parse().map_err(|_| self.expected(what))
    }

    /// One word, or text in quotes.
    fn name(&mut self) -> Parsed<String> {
        if self.rest.starts_with('"') {
            return self.string();
        }
        self.word("a name, or text in quotes").map(str::to_owned)
    }

    fn string(&mut self) -> Parsed<String> {
        let what = "text in quotes";
        let mut chars = self.rest.char_indices();
        if !matches!(chars.next(), Some((_, '"'))) {
            return Err(self.expected(what));
        }
        let mut text = String::new();
        while let Some((index, c)) = chars.next() {
            match c {
                '"' => {
                    self.take(index + 1);
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    Some((_, 'u')) => text.push(self.hidden(&mut chars)?),
                    _ => return Err(self.escape()),
                },
                _ => text.push(c),
            }
        }
        Err(self.expected("a closing quote"))
    }

    fn escape(&self) -> TextError {
        self.expected("`\\n`, `\\r`, `\\\"`, `\\\\` or `\\u{2028}`")
    }

    /// The character of `{2028}`.
    fn hidden(&self, chars: &mut CharIndices<'_>) -> Parsed<char> {
        let digits: Option<String> = match chars.next() {
            Some((_, '{')) => Some(chars.map(|(_, c)| c).take_while(|c| *c != '}').collect()),
            _ => None,
        };
        let code = digits.and_then(|digits| u32::from_str_radix(&digits, 16).ok());
        code.and_then(char::from_u32).ok_or_else(|| self.escape())
    }
}
