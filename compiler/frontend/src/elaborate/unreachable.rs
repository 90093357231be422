//! Conditions on decisions that hold in no network, so that nobody reaches what they guard.
//!
//! Blocks are written for many uses. So a condition counts only if it follows from constants and
//! decisions of its own block.

use nas_grammar::ast::{Expr, ExprKind, TextPart};

use super::elaborator::Elaborator;
use super::elaborator::Met;
use super::errors::Unreachable;
use super::limits::Eval;
use super::value::Value;

impl<'p> Elaborator<'p, '_> {
    /// Notes that a condition holds in some network.
    pub(super) fn note_met(&mut self, condition: &Expr) {
        self.conditions.insert((self.module, condition.span), Met::Somewhere);
    }

    /// Notes that a condition does not hold here, whatever is decided.
    pub(super) fn note_unmet(&mut self, condition: &'p Expr) -> Eval<()> {
        let key = (self.module, condition.span);
        let mut names = Vec::new();
        if self.conditions.contains_key(&key) || !self.is_of_decisions(condition, &mut names) {
            return Ok(());
        }
        let mut found = Vec::new();
        for name in names {
            if let Some(Value::Chosen(table)) = self.names.get(name) {
                let joint = self.cases(&[table.selector()], condition.span)?;
                let taken = joint.combinations.iter().filter_map(|row| {
                    Some(table.values().get(*row.first()? as usize)?.to_string())
                });
                let taken: Vec<String> = taken.collect();
                found.push(format!("`{name}` is {}", taken.join(" or ")));
            }
        }
        if !found.is_empty() {
            let place = self
                .place(condition.span, found.join(", "))
                .advice("remove what it guards, or compare with a value that there is");
            let text = self.snippet(condition.span);
            self.conditions.insert(key, Met::Nowhere(place, text));
        }
        Ok(())
    }

    /// Whether nothing matters to an expression but constants and decisions of this block, whose
    /// names are added.
    fn is_of_decisions(&mut self, expr: &'p Expr, names: &mut Vec<&'p str>) -> bool {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Bool(_) => true,
            ExprKind::Text(parts) => parts.iter().all(|part| matches!(part, TextPart::Literal(_))),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => {
                self.is_of_decisions(inner, names)
            }
            ExprKind::Binary(_, left, right) => {
                self.is_of_decisions(left, names) && self.is_of_decisions(right, names)
            }
            ExprKind::Name(name) => match self.names.get(name) {
                Some(Value::Chosen(table)) => {
                    names.extend((!names.contains(&name.as_str())).then_some(name.as_str()));
                    let decisions = self.space.selectors.decisions(table.selector());
                    decisions.into_iter().all(|id| id.index() >= self.outer_decisions)
                }
                Some(_) => false,
                None => self.program.constant(self.module, name).is_some(),
            },
            _ => false,
        }
    }

    /// Reports the conditions that hold in no network.
    pub(super) fn report_unmet(&mut self) {
        let conditions = std::mem::take(&mut self.conditions);
        for met in conditions.into_values() {
            if let Met::Nowhere(place, text) = met {
                self.problems.push(Unreachable::at(place, text));
            }
        }
    }
}
