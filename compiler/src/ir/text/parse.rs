//! A space from its text. Shapes are taken as written: the checker proves them.

use thiserror::Error;

use crate::ir::{Decision, DecisionId, Node, NodeId, NodeKind, Space, Task};
use crate::ops::signature::{Argument, Arguments, Declaration, Default, Kind};
use crate::ops::{self, Op};
use crate::shape::Shape;

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
            line.row(&mut space)?;
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

    /// A task, a decision or a node.
    fn row(&mut self, space: &mut Space) -> Parsed<()> {
        let what = "`task`, a decision or a node";
        let word = self.word(what)?;
        if word == "task" {
            if space.task.is_some() {
                return Err(self.expected("one task"));
            }
            space.task = Some(self.task()?);
            return Ok(());
        }
        let decision = DecisionId(space.decisions.len() as u32);
        let node = NodeId(space.graph.len() as u32);
        if word == decision.to_string() {
            space.decisions.push(self.decision()?);
        } else if word == node.to_string() {
            let node = self.node(space)?;
            space.graph.add(node);
        } else {
            return Err(self.expected(format!("{what}, the next being {decision} and {node}")));
        }
        Ok(())
    }

    fn task(&mut self) -> Parsed<Task> {
        self.keyword("segmentation")?;
        self.token("(")?;
        self.keyword("classes")?;
        self.token("=")?;
        let classes = self.count()?;
        self.token(",")?;
        self.keyword("ignore")?;
        self.token("=")?;
        let ignore = self.count()?;
        self.token(")")?;
        Ok(Task::Segmentation { classes, ignore })
    }

    fn decision(&mut self) -> Parsed<Decision> {
        self.token("=")?;
        self.keyword("decision")?;
        let path = self.string()?;
        self.keyword("label")?;
        let label = self.string()?;
        self.token("[")?;
        let candidates = self.list("]", Self::name)?;
        if candidates.is_empty() {
            return Err(self.expected("at least one candidate"));
        }
        Ok(Decision { path, label, candidates, origin: None })
    }

    fn node(&mut self, space: &Space) -> Parsed<Node> {
        self.token("=")?;
        let word = self.word("an operator, `input`, `select` or `output`")?;
        let (kind, inputs) = match word {
            "input" => (NodeKind::Input, Vec::new()),
            "output" => (NodeKind::Output, self.operands(space)?),
            "select" => {
                let decision = self.id('d', space.decisions.len())?;
                (NodeKind::Select(DecisionId(decision)), self.operands(space)?)
            }
            name => {
                let inputs = self.operands(space)?;
                (NodeKind::Op(self.operator(name)?), inputs)
            }
        };
        let name = self.string()?;
        self.token(":")?;
        let shape = self.shape()?;
        Ok(Node { kind, inputs, shape, name, origin: None })
    }

    fn operands(&mut self, space: &Space) -> Parsed<Vec<NodeId>> {
        self.token("(")?;
        self.list(")", |line| line.id('n', space.graph.len()).map(NodeId))
    }

    /// The number of an id that is defined.
    fn id(&mut self, letter: char, defined: usize) -> Parsed<u32> {
        let what = match letter {
            'd' => "a decision of a line above",
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
                Ok((parameter.name, line.argument(parameter.kind)?))
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

    fn argument(&mut self, kind: Kind) -> Parsed<Argument> {
        let found = match kind {
            Kind::Count(min) => Some(self.count()?).filter(|&n| n >= min).map(Argument::Count),
            Kind::Pair(min) => {
                let pair = self.pair()?;
                Some(pair).filter(|pair| pair.iter().all(|&n| n >= min)).map(Argument::Pair)
            }
            Kind::Real => {
                let end = self.rest.find([',', '}']).unwrap_or(self.rest.len());
                let number = self.take(end).trim().parse::<f64>().ok();
                number.filter(|number| number.is_finite()).map(Argument::Real)
            }
            Kind::Flag => match self.word("`true` or `false`")? {
                "true" => Some(Argument::Flag(true)),
                "false" => Some(Argument::Flag(false)),
                _ => None,
            },
            Kind::Word(words) => self.one_of(words)?,
            Kind::Padding if self.rest.starts_with('"') => self.one_of(&["same", "valid"])?,
            Kind::Padding if self.rest.replace(' ', "").starts_with("((") => {
                self.token("(")?;
                let before = self.pair()?;
                self.token(",")?;
                let after = self.pair()?;
                self.token(")")?;
                Some(Argument::Sides { before, after })
            }
            Kind::Padding => Some(Argument::Pair(self.pair()?)),
        };
        found.ok_or_else(|| self.expected(kind.to_string()))
    }

    fn one_of(&mut self, words: &[&'static str]) -> Parsed<Option<Argument>> {
        let text = self.string()?;
        Ok(words.iter().find(|word| **word == text).map(|word| Argument::Word(word)))
    }

    fn shape(&mut self) -> Parsed<Shape> {
        self.token("[")?;
        let dims = self.list("]", Self::count)?;
        Shape::from_dims(&dims).ok_or_else(|| self.expected("a shape of one or three sizes"))
    }

    fn pair(&mut self) -> Parsed<[u32; 2]> {
        self.token("(")?;
        let first = self.count()?;
        self.token(",")?;
        let second = self.count()?;
        self.token(")")?;
        Ok([first, second])
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

    fn count(&mut self) -> Parsed<u32> {
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
                    _ => return Err(self.expected("`\\n`, `\\r`, `\\\"` or `\\\\`")),
                },
                _ => text.push(c),
            }
        }
        Err(self.expected("a closing quote"))
    }
}
