//! What the lines of an item give: the names of candidates, written or computed.

use std::collections::HashSet;

use nas_diagnostics::{Place, Problems};
use nas_grammar::Source;
use nas_grammar::ast::{ArchChoice, Element, Expr, ExprKind, Span};
use nas_ir::origin::Origins;
use nas_ir::{Choice, Decision};

use super::errors::NoCandidate;
use crate::elaborate::{Value, number};

/// Evaluates a static expression in which these words mean themselves, as do the names that
/// nothing defines.
pub(crate) type Evaluate<'e> = dyn FnMut(&Expr, &HashSet<&str>, &mut Problems) -> Value + 'e;

/// What is given for one decision, and where.
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) span: Span,
}

/// Reads what lines give.
pub(super) struct Reader<'r, 'e> {
    pub(super) source: &'r Source,
    pub(super) evaluate: &'r mut Evaluate<'e>,
}

impl Reader<'_, '_> {
    /// What a line gives: one value for its decision, or a list with one for each. `None` after a
    /// report.
    pub(super) fn line(
        &mut self,
        choice: &ArchChoice,
        words: &HashSet<&str>,
        problems: &mut Problems,
    ) -> Option<Vec<Given>> {
        let whole = &choice.value;
        if choice.quoted {
            let value = self.value(whole, words, problems)?;
            return Some(vec![Given { value, span: whole.span }]);
        }
        let ExprKind::List(elements) = &whole.kind else {
            return Some(spread(self.value(whole, words, problems)?, whole.span));
        };
        let mut given = Vec::new();
        for element in elements {
            match element {
                Element::Value(expr) => {
                    let value = self.value(expr, words, problems)?;
                    given.push(Given { value, span: expr.span });
                }
                Element::For(_, _, span) => {
                    let list = ExprKind::List(vec![element.clone()]);
                    let list = Expr { kind: list, span: *span };
                    given.extend(spread(self.value(&list, words, problems)?, *span));
                }
            }
        }
        Some(given)
    }

    fn value(
        &mut self,
        expr: &Expr,
        words: &HashSet<&str>,
        problems: &mut Problems,
    ) -> Option<Value> {
        if let ExprKind::Number(literal) = &expr.kind {
            // A name may begin with a digit, as in `3x3`.
            return Some(number(literal).unwrap_or_else(|| Value::Text(literal.as_str().into())));
        }
        let mut found = Problems::default();
        let value = (self.evaluate)(expr, words, &mut found);
        if value.is_poison() && !found.has_errors() {
            let place = Place::new(self.source, expr.span, "not a name");
            let help = "write the name of a candidate, or an expression that gives it";
            found.push(NoCandidate::at(place.advice(help)));
        }
        problems.extend(found.into_vec());
        (!value.is_poison()).then_some(value)
    }
}

/// The elements of a list, all with its place; of what is no list, itself.
fn spread(value: Value, span: Span) -> Vec<Given> {
    match value {
        Value::List(values) => {
            values.iter().map(|value| Given { value: value.clone(), span }).collect()
        }
        value => vec![Given { value, span }],
    }
}

/// The candidate of a decision that a value names: a string, a number as it is printed, an
/// operator or a block by its name; a list of those for a set. `None` if it names none.
pub(super) fn candidate_name(value: &Value, decision: &Decision) -> Option<String> {
    match (value, &decision.choice) {
        (Value::List(options), Choice::Sets { .. }) => {
            let names: Option<Vec<String>> = options.iter().map(option_name).collect();
            names.map(|names| names.join("+"))
        }
        _ => option_name(value),
    }
}

fn option_name(value: &Value) -> Option<String> {
    match value {
        Value::Text(_) | Value::Int(_) | Value::Real(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Callable(_, name) => Some(name.to_string()),
        Value::Tensor(_)
        | Value::List(_)
        | Value::Tuple(_)
        | Value::Chosen(_)
        | Value::Poison(_) => None,
    }
}

/// Which candidate of a decision a value names, if it names one.
pub(super) fn candidate(value: &Value, decision: &Decision) -> Option<usize> {
    let name = candidate_name(value, decision)?;
    decision.candidates.iter().position(|candidate| *candidate == name)
}

/// What may stand in a value for these decisions as a name that means itself; the candidates that
/// the space goes without too.
pub(super) fn words<'d>(
    decisions: impl Iterator<Item = &'d Decision>,
    origins: &'d Origins,
) -> HashSet<&'d str> {
    let names = decisions.flat_map(|decision| {
        let left = match &decision.choice {
            Choice::Sets { options, .. } => options,
            Choice::Parts | Choice::Values | Choice::Elastic => &decision.candidates,
        };
        left.iter().chain(origins.gone(&decision.path))
    });
    names.map(String::as_str).collect()
}

/// A candidate as a line gives it: in quotes where it is neither a name nor a number, a set as the
/// list of its options.
pub(super) fn as_written(candidate: usize, decision: &Decision) -> String {
    let quoted = |name: &str| {
        let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_word { name.to_owned() } else { format!("\"{name}\"") }
    };
    let name = decision.candidates.get(candidate).map_or("", String::as_str);
    match &decision.choice {
        Choice::Sets { take, .. } if name.split('+').count() == *take => {
            let options: Vec<String> = name.split('+').map(quoted).collect();
            format!("[{}]", options.join(", "))
        }
        _ => quoted(name),
    }
}
