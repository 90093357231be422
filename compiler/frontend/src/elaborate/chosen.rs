//! What requirements say of choices: `count(op == skip)` and `monotone(width)`.

use indexmap::IndexSet;
use nas_diagnostics::{Help, listed, nearest, suggested};
use nas_grammar::ast::{Arg, BinaryOp, Element, Expr, ExprKind, Span, UnaryOp};
use nas_ir::exact::Exact;
use nas_ir::quantity::{Count, Order, number};
use nas_ir::{Choice, Decision};

use super::choose::UNNAMED;
use super::elaborator::Elaborator;
use super::errors::{NoOrder, NotChosen, UnknownCandidate, UnknownDecision};
use super::limits::Abort;
use super::number::exact;
use super::value::Value;

/// The word that counts decisions.
pub(super) const COUNT: &str = "count";
/// The word that asks for an order.
pub(super) const MONOTONE: &str = "monotone";
/// The parameter of [`MONOTONE`].
const DECREASING: &str = "decreasing";

/// A condition on the candidate that a decision takes.
enum Test {
    /// How it compares with a value.
    Compared(BinaryOp, Named),
    Both(Box<[Test; 2]>),
    Either(Box<[Test; 2]>),
    Not(Box<Test>),
}

/// A candidate, or what one is compared with.
struct Named {
    name: String,
    /// The number, if it is one.
    number: Option<Exact>,
}

impl Test {
    fn holds(&self, decision: &Decision, candidate: &str) -> bool {
        match self {
            Self::Compared(op, other) => other.compares(*op, decision, candidate),
            Self::Both(parts) => parts.iter().all(|part| part.holds(decision, candidate)),
            Self::Either(parts) => parts.iter().any(|part| part.holds(decision, candidate)),
            Self::Not(inner) => !inner.holds(decision, candidate),
        }
    }
}

impl Named {
    /// Whether a candidate has this name, or is this number.
    fn is(&self, decision: &Decision, candidate: &str) -> bool {
        let is_same = |number: Exact| self.number.as_ref() == Some(&number);
        self.name == candidate || number(decision, candidate).is_some_and(is_same)
    }

    fn compares(&self, op: BinaryOp, decision: &Decision, candidate: &str) -> bool {
        match (op, number(decision, candidate), &self.number) {
            (BinaryOp::Eq, ..) => self.is(decision, candidate),
            (BinaryOp::Ne, ..) => !self.is(decision, candidate),
            (BinaryOp::Lt, Some(a), Some(b)) => a < *b,
            (BinaryOp::Le, Some(a), Some(b)) => a <= *b,
            (BinaryOp::Gt, Some(a), Some(b)) => a > *b,
            (BinaryOp::Ge, Some(a), Some(b)) => a >= *b,
            _ => false,
        }
    }
}

/// The label of which a condition speaks, with the place where it does so first.
type Label<'p> = Option<(&'p str, Span)>;

impl<'p> Elaborator<'p, '_> {
    /// What `count(…)` counts; `None` after a report.
    pub(super) fn count(&mut self, args: &'p [Arg], call: Span) -> Option<Count> {
        let [Arg { name: None, value: condition, .. }] = args else {
            return self.not_chosen(COUNT, call, "this is no such condition");
        };
        let mut label = None;
        let test = self.test(condition, &mut label);
        let (test, (label, _)) = (test?, label?);
        let own = self.space.decisions.iter().filter(|decision| decision.label == label);
        let counted = own.flat_map(|decision| {
            let candidates = decision.candidates.iter();
            candidates.filter(|candidate| test.holds(decision, candidate)).cloned()
        });
        let candidates: IndexSet<String> = counted.collect();
        Some(Count { label: label.to_owned(), candidates: candidates.into_iter().collect() })
    }

    /// The order that `monotone(…)` asks for; `None` after a report.
    pub(super) fn order(&mut self, args: &'p [Arg], call: Span) -> Option<Order> {
        let (first, rest) = match args {
            [Arg { name: None, value, .. }, rest @ ..] => (value, rest),
            _ => return self.not_chosen(MONOTONE, call, "this names no decision"),
        };
        let ExprKind::Name(label) = &first.kind else {
            return self.not_chosen(MONOTONE, first.span, "this is no name of a decision");
        };
        let is_decreasing = match rest {
            [] => false,
            [Arg { name: Some(name), value, .. }] if name.name == DECREASING => {
                match self.static_value(value)? {
                    Value::Bool(flag) => flag,
                    other => {
                        let label = format!("this is {}", other.describe());
                        return self.not_chosen(MONOTONE, value.span, &label);
                    }
                }
            }
            [other, ..] => return self.not_chosen(MONOTONE, other.span(), "not this"),
        };
        if !self.is_label(label) {
            return self.unknown_decision(label, first.span);
        }
        self.are_numbers(label, first.span)?;
        Some(Order { label: label.clone(), is_decreasing })
    }

    fn is_label(&self, name: &str) -> bool {
        self.space.decisions.iter().any(|decision| decision.label == name)
    }

    fn labelled(&self, label: &str) -> impl Iterator<Item = &Decision> {
        self.space.decisions.iter().filter(move |decision| decision.label == label)
    }

    /// The candidates of all decisions of a label, each once.
    fn candidates_of(&self, label: &str) -> IndexSet<String> {
        self.labelled(label).flat_map(|decision| decision.candidates.iter().cloned()).collect()
    }

    /// A condition on what the decisions of one label choose; `None` after a report.
    fn test(&mut self, condition: &'p Expr, label: &mut Label<'p>) -> Option<Test> {
        use BinaryOp::{And, Eq, Ge, Gt, Le, Lt, Ne, Or};
        match &condition.kind {
            ExprKind::Paren(inner) => self.test(inner, label),
            ExprKind::Unary(UnaryOp::Not, inner) => {
                Some(Test::Not(Box::new(self.test(inner, label)?)))
            }
            ExprKind::Binary(op @ (And | Or), left, right) => {
                // Both sides are read even when one is at fault.
                let parts = (self.test(left, label), self.test(right, label));
                let parts = Box::new([parts.0?, parts.1?]);
                Some(if *op == And { Test::Both(parts) } else { Test::Either(parts) })
            }
            ExprKind::Binary(op @ (Eq | Ne | Lt | Le | Gt | Ge), left, right) => {
                self.compared(*op, (left, right), label)
            }
            _ => self.not_chosen(COUNT, condition.span, "this is no such condition"),
        }
    }

    /// A comparison of what is chosen, on either side, with something else.
    fn compared(
        &mut self,
        op: BinaryOp,
        (left, right): (&'p Expr, &'p Expr),
        label: &mut Label<'p>,
    ) -> Option<Test> {
        let name = |side: &'p Expr| match &side.kind {
            ExprKind::Name(name) => Some((name.as_str(), side.span)),
            _ => None,
        };
        let is_label = |(name, _): &(&str, Span)| self.is_label(name);
        let (own, op, other) = match (name(left), name(right)) {
            (Some(own), _) if is_label(&own) => (own, op, right),
            (_, Some(own)) if is_label(&own) => (own, mirrored(op), left),
            (Some((name, span)), _) | (None, Some((name, span))) => {
                return self.unknown_decision(name, span);
            }
            (None, None) => {
                let whole = left.span.to(right.span);
                return self.not_chosen(COUNT, whole, "neither side names a decision");
            }
        };
        let (first, at) = *label.get_or_insert(own);
        if first != own.0 {
            let place = self.place(own.1, "another one").label(at, "the first one");
            let place = place.advice(format!(
                "count each and add: `count({first} == …) + count({} == …)`",
                own.0
            ));
            self.report(NotChosen::at(place, COUNT, TAKES_CONDITION));
            return None;
        }
        let other_value = self.named(other, first)?;
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            let is_there = self.labelled(first).any(|decision| {
                decision.candidates.iter().any(|candidate| other_value.is(decision, candidate))
            });
            if !is_there {
                return self.unknown_candidate(first, &other_value.name, other.span);
            }
        } else {
            self.are_numbers(first, own.1)?;
            if other_value.number.is_none() {
                return self.not_chosen(COUNT, other.span, "this is no number");
            }
        }
        Some(Test::Compared(op, other_value))
    }

    /// What a candidate is compared with: a candidate by its name, else what the file calls so.
    fn named(&mut self, side: &'p Expr, label: &str) -> Option<Named> {
        let by_name = match &side.kind {
            ExprKind::Paren(inner) => return self.named(inner, label),
            // A name may begin with a digit, as in `3x3`.
            ExprKind::Name(name) | ExprKind::Number(name) => {
                self.is_word(label, name).then(|| name.clone())
            }
            ExprKind::List(elements) => return self.named_set(elements, side.span, label),
            _ => None,
        };
        if let Some(name) = by_name {
            let number = self.labelled(label).find_map(|decision| number(decision, &name));
            return Some(Named { name, number });
        }
        if let ExprKind::Name(name) = &side.kind
            && self.names.get(name).is_none()
            && self.program.constant(self.module, name).is_none()
        {
            return self.unknown_candidate(label, name, side.span);
        }
        let value = self.static_value(side)?;
        match &value {
            Value::Int(_) | Value::Real(_) | Value::Bool(_) | Value::Text(_) | Value::Tuple(_) => {
                Some(Named { name: value.to_string(), number: exact(&value) })
            }
            Value::Callable(_, name) => Some(Named { name: name.to_string(), number: None }),
            Value::Tensor(_) | Value::List(_) | Value::Chosen(_) | Value::Poison(_) => {
                self.not_chosen(COUNT, side.span, &format!("this is {}", value.describe()))
            }
        }
    }

    /// A set, as the list of its options.
    fn named_set(&mut self, elements: &'p [Element], span: Span, label: &str) -> Option<Named> {
        let mut names = Vec::new();
        for element in elements {
            let Element::Value(option) = element else {
                return self.not_chosen(COUNT, span, "write the options out");
            };
            names.push(self.named(option, label)?.name);
        }
        Some(Named { name: names.join("+"), number: None })
    }

    /// Whether a name is that of a candidate of these decisions, or of an option of a set.
    fn is_word(&self, label: &str, name: &str) -> bool {
        self.labelled(label).any(|decision| {
            let options = match &decision.choice {
                Choice::Sets { options, .. } => options.as_slice(),
                Choice::Parts | Choice::Values | Choice::Elastic => &[],
            };
            decision.candidates.iter().chain(options).any(|word| word == name)
        })
    }

    /// A static value; `None` after a report.
    fn static_value(&mut self, expr: &'p Expr) -> Option<Value> {
        // An abort was reported where it arose.
        let value = self.expr(expr).unwrap_or_else(|Abort(reported)| reported.into());
        (!value.is_poison()).then_some(value)
    }

    /// Reports candidates that are no numbers.
    fn are_numbers(&mut self, label: &str, at: Span) -> Option<()> {
        let others: IndexSet<&str> = self
            .labelled(label)
            .flat_map(|decision| decision.candidates.iter().map(move |name| (decision, name)))
            .filter(|(decision, name)| number(decision, name).is_none())
            .map(|(_, name)| name.as_str())
            .collect();
        if others.is_empty() {
            return Some(());
        }
        let others: Vec<&str> = others.into_iter().collect();
        let words = if others.len() == 1 { "is no number" } else { "are no numbers" };
        let place = self.place(at, format!("{} {words}", listed(&others)));
        let place =
            place.advice("name decisions among numbers, such as `choose width [16, 24, 32]`");
        self.report(NoOrder::at(place, label));
        None
    }

    fn unknown_decision<T>(&mut self, name: &str, span: Span) -> Option<T> {
        if self.is_partial {
            return None;
        }
        let labels = self.space.decisions.iter().map(|decision| decision.label.clone());
        let labels: IndexSet<String> = labels.filter(|label| label != UNNAMED).collect();
        let labels: Vec<String> = labels.into_iter().collect();
        let help = if labels.is_empty() {
            Help::advice("give the decisions a label, such as `choose op { … }`")
        } else {
            suggested(self.source().at(span), name, &labels, "the decisions are")
        };
        let place = self.place(span, "no such decision").help(help);
        self.report(UnknownDecision::at(place, name));
        None
    }

    fn unknown_candidate<T>(&mut self, label: &str, name: &str, span: Span) -> Option<T> {
        if self.is_partial {
            return None;
        }
        let candidates: Vec<String> = self.candidates_of(label).into_iter().collect();
        let is_word = |near: &&str| near.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let near = nearest(name, candidates.iter().map(String::as_str));
        let help = if near.is_none_or(|near| is_word(&near)) {
            suggested(self.source().at(span), name, &candidates, "the candidates are")
        } else {
            Help::advice(format!("the candidates are {}", listed(&candidates)))
        };
        let place = self.place(span, "no such candidate").help(help);
        self.report(UnknownCandidate::at(place, label, name));
        None
    }

    fn not_chosen<T>(&mut self, word: &'static str, span: Span, label: &str) -> Option<T> {
        let (takes, example) = if word == COUNT {
            (TAKES_CONDITION, "count(op == skip)")
        } else {
            ("the label of decisions", "monotone(width)")
        };
        let more = if word == COUNT { "" } else { ", or `monotone(width, decreasing = true)`" };
        let place = self.place(span, label).advice(format!("write it like `{example}`{more}"));
        self.report(NotChosen::at(place, word, takes));
        None
    }
}

const TAKES_CONDITION: &str = "a condition on what decisions of one label choose";

/// The comparison with its sides exchanged.
fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Lt => BinaryOp::Gt,
        BinaryOp::Le => BinaryOp::Ge,
        BinaryOp::Gt => BinaryOp::Lt,
        BinaryOp::Ge => BinaryOp::Le,
        other => other,
    }
}
