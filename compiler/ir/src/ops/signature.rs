//! How an operator declares its parameters, and how arguments are checked and held.

use std::fmt;
use std::num::NonZeroU32;

use nas_diagnostics::fault;

/// Everything about an operator but its formulas.
#[derive(Debug)]
pub struct Declaration {
    /// Its name in the language.
    pub name: &'static str,
    /// How many tensors it takes.
    pub operands: Operands,
    /// Its static parameters, in the order of positional arguments.
    pub params: &'static [Parameter],
    /// What it does: a sentence, then shapes.
    pub doc: &'static str,
    /// An expression that uses it on a map `x: [16, 32, 32]`.
    pub example: &'static str,
}

/// How many tensors an operator takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operands {
    /// One.
    One,
    /// Two.
    Two,
    /// Two or more.
    Many,
}

impl Operands {
    /// Whether the operator takes this many.
    #[must_use]
    pub fn accept(self, count: usize) -> bool {
        match self {
            Operands::One => count == 1,
            Operands::Two => count == 2,
            Operands::Many => count >= 2,
        }
    }
}

impl fmt::Display for Operands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operands::One => "one tensor",
            Operands::Two => "two tensors",
            Operands::Many => "two or more tensors",
        })
    }
}

/// One static parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it is when not given.
    pub default: Default,
    /// What it means.
    pub doc: &'static str,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number, at least this.
    Count(u32),
    /// A whole number for both directions, or a tuple (vertical, horizontal); at least this.
    Pair(u32),
    /// A number.
    Real,
    /// A number of at least 0 and below 1.
    Fraction,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `"same"`, `"valid"`, a whole number, a tuple (vertical, horizontal), or a tuple of two such
    /// tuples: above and left, below and right.
    Padding,
}

/// A static value as it was written, not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A whole number.
    Int(i64),
    /// Another number.
    Real(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A string.
    Text(String),
    /// A tuple.
    Tuple(Vec<Literal>),
}

impl Literal {
    fn count(&self, min: u32) -> Option<u32> {
        match self {
            Literal::Int(n) => u32::try_from(*n).ok().filter(|&n| n >= min),
            _ => None,
        }
    }

    fn pair(&self, min: u32) -> Option<[u32; 2]> {
        match self {
            Literal::Tuple(parts) => match parts.as_slice() {
                [a, b] => Some([a.count(min)?, b.count(min)?]),
                _ => None,
            },
            single => single.count(min).map(|n| [n, n]),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Literal::Int(n) => Some(*n as f64),
            Literal::Real(r) => Some(*r).filter(|r| r.is_finite()),
            _ => None,
        }
    }

    fn word(&self, words: &[&'static str]) -> Option<Argument> {
        let Literal::Text(text) = self else { return None };
        words.iter().find(|word| **word == text).map(|word| Argument::Word(word))
    }

    fn sides(&self) -> Option<Argument> {
        let Literal::Tuple(parts) = self else { return None };
        match parts.as_slice() {
            [before @ Literal::Tuple(_), after @ Literal::Tuple(_)] => {
                Some(Argument::Sides { before: before.pair(0)?, after: after.pair(0)? })
            }
            _ => None,
        }
    }
}

impl Kind {
    /// The argument that a value makes for a parameter of this kind, if it makes one.
    #[must_use]
    pub fn argument(self, value: &Literal) -> Option<Argument> {
        match self {
            Kind::Count(min) => value.count(min).map(Argument::Count),
            Kind::Pair(min) => value.pair(min).map(Argument::Pair),
            Kind::Real => value.number().map(Argument::Real),
            Kind::Fraction => value.number().filter(|r| (0.0..1.0).contains(r)).map(Argument::Real),
            Kind::Flag => match value {
                Literal::Flag(b) => Some(Argument::Flag(*b)),
                _ => None,
            },
            Kind::Word(words) => value.word(words),
            Kind::Padding => {
                let word = value.word(&["same", "valid"]).or_else(|| value.sides());
                word.or_else(|| value.pair(0).map(Argument::Pair))
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Count(min) => write!(f, "a whole number of at least {min}"),
            Kind::Pair(min) => write!(
                f,
                "a whole number of at least {min}, or a tuple of two such as `({min}, {min})`"
            ),
            Kind::Real => f.write_str("a number"),
            Kind::Fraction => f.write_str("a number of at least 0 and below 1"),
            Kind::Flag => f.write_str("`true` or `false`"),
            Kind::Word(words) => {
                let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
                write!(f, "one of {}", quoted.join(", "))
            }
            Kind::Padding => f.write_str(
                "\"same\", \"valid\", a whole number, a tuple of two, or `((top, left), (bottom, right))`",
            ),
        }
    }
}

/// What a parameter is when not given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Default {
    /// It must be given.
    Required,
    /// It may be left out, and then means what its documentation says.
    Absent,
    /// This value.
    Is(Argument),
}

/// One argument. Words are static: they are among those that the declaration lists.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Argument {
    /// A whole number.
    Count(u32),
    /// Vertical and horizontal.
    Pair([u32; 2]),
    /// Padding that differs between the two ends: (vertical, horizontal) of each.
    Sides {
        /// Above and left.
        before: [u32; 2],
        /// Below and right.
        after: [u32; 2],
    },
    /// A number.
    Real(f64),
    /// `true` or `false`.
    Flag(bool),
    /// One of the declared words.
    Word(&'static str),
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Count(n) => write!(f, "{n}"),
            Argument::Pair([a, b]) => write!(f, "({a}, {b})"),
            Argument::Sides { before: [a, b], after: [c, d] } => {
                write!(f, "(({a}, {b}), ({c}, {d}))")
            }
            Argument::Real(r) => write!(f, "{r:?}"),
            Argument::Flag(b) => write!(f, "{b}"),
            Argument::Word(w) => write!(f, "\"{w}\""),
        }
    }
}

/// The arguments of one operator, by parameter name, in the declared order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Arguments(Vec<(&'static str, Argument)>);

impl Arguments {
    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Argument) -> Self {
        self.0.push((name, value));
        self
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Argument)> + '_ {
        self.0.iter().copied()
    }

    /// The argument of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Argument> {
        self.0.iter().find(|(n, _)| *n == name).map(|&(_, value)| value)
    }

    // INVARIANT: arguments were checked against the declaration, so each accessor below meets
    // the kind that it reads.

    pub(crate) fn count(&self, name: &str) -> u32 {
        if let Some(Argument::Count(n)) = self.get(name) { n } else { missing(name) }
    }

    pub(crate) fn positive(&self, name: &str) -> NonZeroU32 {
        NonZeroU32::new(self.count(name)).unwrap_or_else(|| missing(name))
    }

    pub(crate) fn pair(&self, name: &str) -> [u32; 2] {
        self.pair_if_given(name).unwrap_or_else(|| missing(name))
    }

    pub(crate) fn pair_if_given(&self, name: &str) -> Option<[u32; 2]> {
        match self.get(name) {
            Some(Argument::Pair(pair)) => Some(pair),
            Some(Argument::Count(n)) => Some([n, n]),
            _ => None,
        }
    }

    pub(crate) fn real(&self, name: &str) -> f64 {
        if let Some(Argument::Real(r)) = self.get(name) { r } else { missing(name) }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        if let Some(Argument::Flag(flag)) = self.get(name) { flag } else { missing(name) }
    }

    pub(crate) fn word(&self, name: &str) -> &'static str {
        if let Some(Argument::Word(w)) = self.get(name) { w } else { missing(name) }
    }
}

/// An operator is made from arguments that do not follow its declaration.
fn missing(name: &str) -> ! {
    fault(&format!("no argument `{name}` of the declared kind"))
}
