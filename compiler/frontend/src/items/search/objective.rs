//! `minimize` and `maximize`: from expressions to formulas of metrics and measures.

use nas_diagnostics::{Fix, Place, Problems, suggested};
use nas_grammar::Source;
use nas_grammar::ast::{self, Arg, BinaryOp, Expr, ExprKind, Sense, Span, UnaryOp};
use nas_ir::exact::{Exact, decimal};
use nas_ir::linear::reads;
use nas_ir::metric::Direction;
use nas_ir::recipe::formula::{Formula, FormulaFault, METRIC, Variable};
use nas_ir::recipe::{Goal, MINIMIZE, Objective};
use num_bigint::BigInt;

use super::errors::{NoFormula, NoMetric, RewardsCost, UnknownMeasure, WorseMetric};
use super::statics::{Evaluate, Static};

/// The objective that these goals mean; `None` after a problem.
pub(super) fn read(
    written: &[ast::Goal],
    span: Span,
    source: &Source,
    evaluate: Evaluate<'_>,
    problems: &mut Problems,
) -> Option<Objective> {
    let mut reader = Reader { source, evaluate, problems };
    // What is wrong with one goal hides nothing of the others.
    let goals: Vec<Option<Goal>> = written.iter().map(|goal| reader.goal(goal)).collect();
    let goals = goals.into_iter().collect::<Option<Vec<Goal>>>()?;
    let objective = Objective { goals, at: Some((source.clone(), span)) };
    let is_measure = |quantity: &Variable| matches!(quantity, Variable::Measure(_));
    if !objective.quantities().iter().all(is_measure) {
        return Some(objective);
    }
    reader.without_metric(span, written);
    None
}

struct Reader<'a> {
    source: &'a Source,
    evaluate: Evaluate<'a>,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn place(&self, at: Span, label: impl Into<String>) -> Place {
        let help = format!("write it like `minimize {}`", MINIMIZE.written);
        Place::new(self.source, at, label).advice(help)
    }

    fn without_metric(&mut self, span: Span, written: &[ast::Goal]) {
        let mut place = self.place(span, "no metric is in it, such as `cross_entropy`");
        if let [ast::Goal { sense: Sense::Minimize, formula }] = written {
            let cost = self.source.at(formula.span);
            place =
                place.fix(Fix::replace(cost, format!("cross_entropy + {}", cost.text()), |new| {
                    format!("write `minimize {new}`")
                }));
        }
        self.problems.push(NoMetric::at(place));
    }

    fn goal(&mut self, goal: &ast::Goal) -> Option<Goal> {
        let ast::Goal { sense, formula: expr } = goal;
        if !self.names_known(expr) {
            return None;
        }
        let goal = Goal { sense: *sense, formula: self.formula(expr)? };
        self.goes_the_right_way(expr.span, &goal).then_some(goal)
    }

    /// Whether every name is a quantity or a static value; reports those that are not.
    fn names_known(&mut self, expr: &Expr) -> bool {
        let mut known = true;
        for (at, name) in reads(expr, |function| function == METRIC) {
            let is_metric = matches!(at.kind, ExprKind::Call(..));
            let is_known = is_metric || Variable::of(name).is_some();
            if !is_known && (self.evaluate)(at, self.source).is_err() {
                let words: Vec<&str> = Variable::words().collect();
                let lead = "an objective is made of";
                let help = suggested(self.source.at(at.span), name, &words, lead);
                let label = "neither a metric nor a measure";
                let place = Place::new(self.source, at.span, label).help(help);
                self.problems.push(UnknownMeasure::at(place, name));
                known = false;
            }
        }
        known
    }

    /// Whether no cost is rewarded and no good score punished, as far as the form shows it; reports what is.
    fn goes_the_right_way(&mut self, at: Span, goal: &Goal) -> bool {
        let mut all = Vec::new();
        goal.formula.add_quantities(&mut all);
        let mut is_right = true;
        for quantity in all {
            let right = match &quantity {
                Variable::Measure(_) => Direction::Lower,
                Variable::Metric(metric) => metric.direction(),
                Variable::Named(_) => continue,
            };
            let wrong = match goal.wanted(&quantity) {
                Some(wanted) if wanted != right => wanted,
                _ => continue,
            };
            let (amount, worse) = match wrong {
                Direction::Higher => ("more", "a higher"),
                Direction::Lower => ("less", "a lower"),
            };
            let word = quantity.to_string();
            is_right = false;
            let label = format!("{amount} `{word}` makes this better");
            let place = Place::new(self.source, at, label);
            match quantity {
                Variable::Measure(_) => {
                    let place = place.advice(format!(
                        "let more `{word}` make it worse: {}",
                        match goal.sense {
                            Sense::Minimize => "add the measure, do not subtract it",
                            Sense::Maximize => "subtract the measure, do not add it",
                        }
                    ));
                    self.problems.push(RewardsCost::at(place, word));
                }
                Variable::Metric(_) | Variable::Named(_) => {
                    let place = self.other_sense(place, goal, right, &word);
                    self.problems.push(WorseMetric::at(place, worse, word));
                }
            }
        }
        is_right
    }

    /// What to do about a goal by which a metric should become worse.
    fn other_sense(&self, place: Place, goal: &Goal, wanted: Direction, word: &str) -> Place {
        let wanted = match wanted {
            Direction::Higher => Sense::Maximize,
            Direction::Lower => Sense::Minimize,
        };
        if goal.sense == wanted {
            place.advice(format!("turn the sign of `{word}`"))
        } else {
            let written = wanted.word();
            place.advice(format!(
                "write `{written}`, and turn the signs of all that is not `{word}`"
            ))
        }
    }

    fn report(&mut self, span: Span, fault: FormulaFault) {
        let place = self.place(span, fault.label());
        self.problems.push(NoFormula::at(place));
    }

    /// The formula of an expression; `None` after a report.
    fn formula(&mut self, expr: &Expr) -> Option<Formula> {
        use BinaryOp::{Add, Div, Mul, Pow, Sub};
        match &expr.kind {
            ExprKind::Paren(inner) => self.formula(inner),
            ExprKind::Name(name) if let Some(quantity) = Variable::of(name) => {
                Some(Formula::Variable(quantity))
            }
            ExprKind::Call(function, args) if function.name == METRIC => {
                self.metric(expr.span, args).map(Formula::Variable)
            }
            ExprKind::Unary(UnaryOp::Neg, inner) => Some(self.formula(inner)?.negated()),
            ExprKind::Binary(op @ (Add | Sub | Mul | Div), left, right) => {
                // Both sides are read even when one is at fault.
                let (a, b) = (self.formula(left), self.formula(right));
                let (a, b) = (a?, b?);
                let result = match op {
                    Add => Ok(a.plus(&b)),
                    Sub => Ok(a.plus(&b.negated())),
                    Mul => Ok(a.product(&b)),
                    _ => a.quotient(&b),
                };
                let span =
                    if result == Err(FormulaFault::NegativeBase) { right.span } else { expr.span };
                self.small(span, result)
            }
            ExprKind::Binary(Pow, base, exponent) if mentions(expr) => {
                let (base, exponent) = (self.formula(base), self.exponent(exponent));
                let (base, exponent) = (base?, exponent?);
                self.small(expr.span, base.power(&exponent))
            }
            ExprKind::Call(function, args) if mentions(expr) && is_plain(args) => {
                let of = args.iter().map(|arg| self.formula(&arg.value));
                let of = of.collect::<Vec<_>>().into_iter().collect::<Option<Vec<Formula>>>()?;
                let result = match (function.name.as_str(), of.as_slice()) {
                    ("max", [_, _, ..]) => Ok(Formula::Max(of)),
                    ("min", [_, _, ..]) => Ok(Formula::Min(of)),
                    _ => Err(FormulaFault::Other),
                };
                self.small(expr.span, result)
            }
            kind if mentions(expr) => {
                let is_binary = matches!(kind, ExprKind::Binary(..));
                self.report(
                    expr.span,
                    if is_binary { FormulaFault::Operator } else { FormulaFault::Other },
                );
                None
            }
            _ => Some(self.number(expr)?.into()),
        }
    }

    /// The metric of `metric("name")`.
    fn metric(&mut self, span: Span, args: &[Arg]) -> Option<Variable> {
        let fault = match args {
            [Arg { name: None, value, .. }] => match (self.evaluate)(value, self.source) {
                Ok(Static::Text(name)) if !name.is_empty() => return Some(Variable::metric(&name)),
                Err(_) if let ExprKind::Name(name) = &value.kind => {
                    let place = Place::new(self.source, value.span, "its name stands in quotes");
                    let place =
                        place.fix(Fix::write(self.source.at(value.span), format!("\"{name}\"")));
                    self.problems.push(NoFormula::at(place));
                    return None;
                }
                Err(problems) => {
                    self.problems.extend(problems);
                    return None;
                }
                Ok(_) => FormulaFault::NoName,
            },
            _ => FormulaFault::NoName,
        };
        self.report(span, fault);
        None
    }

    fn exponent(&mut self, expr: &Expr) -> Option<Exact> {
        let exponent = self.formula(expr)?;
        let number = exponent.number().cloned();
        if number.is_none() {
            self.report(expr.span, FormulaFault::Exponent);
        }
        number
    }

    /// A result whose numbers can be computed with.
    fn small(&mut self, span: Span, result: Result<Formula, FormulaFault>) -> Option<Formula> {
        let small = result.and_then(|formula| {
            if formula.is_small() { Ok(formula) } else { Err(FormulaFault::TooLarge) }
        });
        small.map_err(|fault| self.report(span, fault)).ok()
    }

    fn number(&mut self, expr: &Expr) -> Option<Exact> {
        let number = match (self.evaluate)(expr, self.source) {
            Ok(Static::Integer(value)) => Some(Exact::from(BigInt::from(value))),
            Ok(Static::Real(value)) => decimal(value),
            Ok(_) => None,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        if number.is_none() {
            self.report(expr.span, FormulaFault::NoNumber);
        }
        number
    }
}

/// Whether a quantity occurs in an expression.
fn mentions(expr: &Expr) -> bool {
    reads(expr, |function| function == METRIC).iter().any(|(at, name)| match at.kind {
        ExprKind::Call(..) => true,
        _ => Variable::of(name).is_some(),
    })
}

/// Whether no argument has a name.
fn is_plain(args: &[Arg]) -> bool {
    args.iter().all(|arg| arg.name.is_none())
}
