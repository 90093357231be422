//! From pest's pairs to the syntax tree.
//!
//! The grammar guarantees which pairs stand where, so what cannot occur yields an empty
//! piece instead of an error: a missing child would be a fault of the grammar, and the
//! tests compare whole trees.

mod items;

use std::cell::Cell;
use std::sync::LazyLock;

use pest::iterators::{Pair, Pairs};
use pest::pratt_parser::{Assoc, Op, PrattParser};

use crate::ast::{
    Alternatives, Arg, Arm, BinaryOp, Body, Candidate, Choose, Element, Expr, ExprKind, ForClause,
    Ident, Pattern, Repeat, Sharing, Span, Statement, StatementKind, TextPart, UnaryOp,
};
use crate::error::Nesting;
use crate::rules::Rule;
use crate::source::Source;

/// How many operators, indices and fields may stand in an expression and those around it, `->` not
/// counted: with the limit on brackets, the bound on the depth of a tree.
const MAX_OPERATORS: usize = 128;

pub(crate) type Built<T> = Result<T, Box<Nesting>>;

static PRATT: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(Rule::arrow))
        .op(left(Rule::kw_or))
        .op(left(Rule::kw_and))
        .op(Op::prefix(Rule::kw_not))
        .op(left(Rule::eq)
            | left(Rule::near)
            | left(Rule::ne)
            | left(Rule::le)
            | left(Rule::ge)
            | left(Rule::lt)
            | left(Rule::gt))
        .op(left(Rule::range))
        .op(left(Rule::add) | left(Rule::sub))
        .op(left(Rule::mul) | left(Rule::div) | left(Rule::rem))
        .op(Op::prefix(Rule::neg))
        .op(Op::infix(Rule::pow, Assoc::Right))
});

/// Builds the tree of one item whose text begins at `offset` of the source.
pub(crate) struct Builder<'s> {
    offset: usize,
    source: &'s Source,
    /// The operators of the expressions that are being built.
    operators: Cell<usize>,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(source: &'s Source, offset: usize) -> Self {
        Self { offset, source, operators: Cell::new(0) }
    }

    /// Where a pair stands, up to its last token: pest counts white space and comments before
    /// an optional part that is not there as the pair's own.
    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let start = pair.as_span().start();
        let mut last = pair.clone();
        while let Some(child) = last.clone().into_inner().next_back() {
            last = child;
        }
        Span::new(self.offset + start, self.offset + last.as_span().end())
    }

    fn ident(&self, pair: &Pair<'_, Rule>) -> Ident {
        Ident { name: pair.as_str().to_owned(), span: self.span(pair) }
    }

    /// The next child, which is a name.
    fn next_ident(&self, pairs: &mut Pairs<'_, Rule>) -> Ident {
        pairs
            .next()
            .map_or(Ident { name: String::new(), span: Span::default() }, |p| self.ident(&p))
    }

    fn next_body(&self, mut inner: Pairs<'_, Rule>, span: Span) -> Built<Body> {
        match inner.find(|p| matches!(p.as_rule(), Rule::body | Rule::block_body)) {
            Some(pair) => self.body(pair),
            None => Ok(Body { statements: Vec::new(), span }),
        }
    }

    fn body(&self, pair: Pair<'_, Rule>) -> Built<Body> {
        let span = self.span(&pair);
        let statements = pair
            .into_inner()
            .filter(|p| p.as_rule() == Rule::statement)
            .map(|p| self.statement(p))
            .collect::<Built<_>>()?;
        Ok(Body { statements, span })
    }

    fn statement(&self, pair: Pair<'_, Rule>) -> Built<Statement> {
        let span = self.span(&pair);
        // `space_statement` may wrap a `statement`.
        let mut inner = pair;
        while matches!(inner.as_rule(), Rule::statement | Rule::space_statement) {
            match inner.clone().into_inner().next() {
                Some(child) => inner = child,
                None => break,
            }
        }
        let rule = inner.as_rule();
        let mut parts = words_skipped(inner);
        let kind = match rule {
            Rule::let_stmt => {
                StatementKind::Let(self.next_pattern(&mut parts), self.last_expr(parts, span)?)
            }
            Rule::var_stmt => {
                StatementKind::Var(self.next_pattern(&mut parts), self.last_expr(parts, span)?)
            }
            Rule::assign_stmt => {
                StatementKind::Assign(self.next_ident(&mut parts), self.last_expr(parts, span)?)
            }
            Rule::for_stmt => {
                let clauses = self.for_clauses(&parts)?;
                StatementKind::For(clauses, self.next_body(parts, span)?)
            }
            Rule::input_stmt => {
                StatementKind::Input(self.next_ident(&mut parts), self.last_expr(parts, span)?)
            }
            Rule::output_stmt => {
                StatementKind::Output(self.next_ident(&mut parts), self.last_expr(parts, span)?)
            }
            Rule::train_stmt => {
                let args = parts.peek().filter(|part| part.as_rule() == Rule::args);
                let args = args.map(|args| self.args(args)).transpose()?.unwrap_or_default();
                while parts.peek().is_some_and(|part| part.as_rule() != Rule::ident) {
                    parts.next();
                }
                let name = self.next_ident(&mut parts);
                StatementKind::TrainOutput(args, name, self.last_expr(parts, span)?)
            }
            Rule::task_stmt => {
                let mut call = parts.flat_map(Pair::into_inner);
                let name = call.next().map_or(empty_ident(), |p| self.ident(&p));
                let args = call.next().map(|args| self.args(args)).transpose()?;
                StatementKind::Task(name, args.unwrap_or_default())
            }
            Rule::require_stmt => StatementKind::Require(self.last_expr(parts, span)?),
            _ => StatementKind::Expr(self.last_expr(parts, span)?),
        };
        Ok(Statement { kind, span })
    }

    fn for_clauses(&self, parts: &Pairs<'_, Rule>) -> Built<Vec<ForClause>> {
        parts
            .clone()
            .filter(|p| p.as_rule() == Rule::for_clause)
            .map(|clause| {
                let span = self.span(&clause);
                let mut inner = clause.into_inner();
                let pattern = self.next_pattern(&mut inner);
                Ok(ForClause { pattern, list: self.last_expr(inner, span)? })
            })
            .collect()
    }

    fn next_pattern(&self, parts: &mut Pairs<'_, Rule>) -> Pattern {
        parts.next().map_or_else(|| Pattern::Name(empty_ident()), |p| self.pattern(p))
    }

    fn pattern(&self, pair: Pair<'_, Rule>) -> Pattern {
        match pair.into_inner().next() {
            Some(inner) if inner.as_rule() == Rule::tuple_pattern => {
                let span = self.span(&inner);
                let parts = inner.into_inner().filter(|p| p.as_rule() == Rule::pattern);
                Pattern::Tuple(parts.map(|p| self.pattern(p)).collect(), span)
            }
            Some(inner) => Pattern::Name(self.ident(&inner)),
            None => Pattern::Name(empty_ident()),
        }
    }

    fn args(&self, pair: Pair<'_, Rule>) -> Built<Vec<Arg>> {
        pair.into_inner()
            .filter(|p| p.as_rule() == Rule::arg)
            .flat_map(Pair::into_inner)
            .map(|arg| {
                if arg.as_rule() != Rule::named_arg {
                    return Ok(Arg { name: None, value: self.expr(arg)? });
                }
                let span = self.span(&arg);
                let mut parts = arg.into_inner();
                let name = self.next_ident(&mut parts);
                Ok(Arg { name: Some(name), value: self.last_expr(parts, span)? })
            })
            .collect()
    }

    /// The expression among the children; there is one wherever this is called.
    fn last_expr(&self, pairs: Pairs<'_, Rule>, span: Span) -> Built<Expr> {
        match pairs.filter(|p| p.as_rule() == Rule::expr).last() {
            Some(pair) => self.expr(pair),
            None => Ok(empty(span)),
        }
    }

    /// What `build` makes of a pair, its `operators` counted while it runs.
    fn counted<T>(
        &self,
        pair: &Pair<'_, Rule>,
        operators: usize,
        build: impl FnOnce() -> Built<T>,
    ) -> Built<T> {
        let around = self.operators.get();
        if around + operators > MAX_OPERATORS {
            return Err(Box::new(self.too_many_operators(pair)));
        }
        self.operators.set(around + operators);
        let built = build();
        self.operators.set(around);
        built
    }

    pub(crate) fn expr(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        // `operator` and `prefix` each wrap the one that was written.
        let flat = pair.clone().into_inner().map(|p| match p.as_rule() {
            Rule::operator | Rule::prefix => p.clone().into_inner().next().unwrap_or(p),
            _ => p,
        });
        let is_operator = |p: &Pair<'_, Rule>| !matches!(p.as_rule(), Rule::operand | Rule::arrow);
        self.counted(&pair, flat.clone().filter(is_operator).count(), || {
            PRATT
                .map_primary(|p| self.operand(p))
                .map_prefix(|op, value| {
                    let value = value?;
                    let is_neg = op.as_rule() == Rule::neg;
                    let kind = if is_neg { UnaryOp::Neg } else { UnaryOp::Not };
                    let span = self.span(&op).to(value.span);
                    Ok(Expr { kind: ExprKind::Unary(kind, Box::new(value)), span })
                })
                .map_infix(|left, op, right| Ok(infix(left?, op.as_rule(), right?)))
                .parse(flat)
        })
    }

    fn too_many_operators(&self, pair: &Pair<'_, Rule>) -> Nesting {
        Nesting {
            what: "operators of one expression nest",
            limit: MAX_OPERATORS,
            help: "name the parts with `let`",
            source_code: self.source.clone(),
            at: self.span(pair).into(),
        }
    }

    fn operand(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let mut parts = pair.clone().into_inner();
        let Some(primary) = parts.next() else { return Ok(empty(self.span(&pair))) };
        self.counted(&pair, parts.len(), || {
            let mut value = self.primary(primary)?;
            for suffix in parts {
                value = self.suffix(value, suffix)?;
            }
            Ok(value)
        })
    }

    fn suffix(&self, value: Expr, suffix: Pair<'_, Rule>) -> Built<Expr> {
        let span = value.span.to(self.span(&suffix));
        let is_field = suffix.as_rule() == Rule::field_access;
        let mut inner = suffix.into_inner();
        let kind = if is_field {
            ExprKind::Field(Box::new(value), self.next_ident(&mut inner))
        } else {
            self.index(Box::new(value), inner, span)?
        };
        Ok(Expr { kind, span })
    }

    fn index(&self, list: Box<Expr>, inner: Pairs<'_, Rule>, span: Span) -> Built<ExprKind> {
        let has = |rule| inner.clone().any(|p| p.as_rule() == rule);
        if has(Rule::open_start) {
            let end = inner.clone().find(|p| p.as_rule() == Rule::expr);
            let end = end.map(|p| self.expr(p)).transpose()?;
            return Ok(ExprKind::Slice(list, None, end.map(Box::new)));
        }
        let is_open = has(Rule::open_end);
        let index = Box::new(self.last_expr(inner, span)?);
        Ok(match *index {
            _ if is_open => ExprKind::Slice(list, Some(index), None),
            Expr { kind: ExprKind::Binary(BinaryOp::Range, start, end), .. } => {
                ExprKind::Slice(list, Some(start), Some(end))
            }
            _ => ExprKind::Index(list, index),
        })
    }

    fn primary(&self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let Some(inner) = pair.into_inner().next() else { return Ok(empty(span)) };
        let kind = match inner.as_rule() {
            Rule::number => ExprKind::Number(inner.as_str().to_owned()),
            Rule::string => ExprKind::Text(self.text(inner)?),
            Rule::kw_true => ExprKind::Bool(true),
            Rule::kw_false => ExprKind::Bool(false),
            Rule::list => self.list(inner)?,
            Rule::paren => self.paren(inner)?,
            Rule::if_expr => self.if_expr(inner)?,
            Rule::choose_expr => ExprKind::Choose(Box::new(self.choose(inner)?)),
            Rule::repeat_expr => ExprKind::Repeat(Box::new(self.repeat(inner)?)),
            Rule::call => {
                let mut parts = inner.into_inner();
                let callee = self.next_ident(&mut parts);
                let args = parts.next().map(|args| self.args(args)).transpose()?;
                ExprKind::Call(callee, args.unwrap_or_default())
            }
            _ => ExprKind::Name(inner.as_str().to_owned()),
        };
        Ok(Expr { kind, span })
    }

    fn exprs(&self, pair: Pair<'_, Rule>) -> Built<Vec<Expr>> {
        pair.into_inner().filter(|p| p.as_rule() == Rule::expr).map(|p| self.expr(p)).collect()
    }

    fn list(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let elements = pair.into_inner().filter(|p| p.as_rule() == Rule::element);
        let elements = elements.flat_map(Pair::into_inner).map(|p| self.element(p));
        Ok(ExprKind::List(elements.collect::<Built<_>>()?))
    }

    fn element(&self, pair: Pair<'_, Rule>) -> Built<Element> {
        if pair.as_rule() == Rule::expr {
            return Ok(Element::Value(self.expr(pair)?));
        }
        let span = self.span(&pair);
        let parts = words_skipped(pair);
        Ok(Element::For(self.for_clauses(&parts)?, self.next_body(parts, span)?, span))
    }

    fn paren(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let has_comma = pair.clone().into_inner().any(|p| p.as_rule() == Rule::comma);
        let mut parts = self.exprs(pair)?;
        match parts.pop() {
            Some(only) if parts.is_empty() && !has_comma => Ok(ExprKind::Paren(Box::new(only))),
            last => {
                parts.extend(last);
                Ok(ExprKind::Tuple(parts))
            }
        }
    }

    fn if_expr(&self, pair: Pair<'_, Rule>) -> Built<ExprKind> {
        let (mut branches, mut otherwise, mut condition) = (Vec::new(), None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => condition = Some(self.expr(part)?),
                Rule::body => {
                    let body = self.body(part)?;
                    branches.extend(condition.take().map(|c| (c, body)));
                }
                Rule::else_body => {
                    let span = self.span(&part);
                    otherwise = Some(self.next_body(part.into_inner(), span)?);
                }
                _ => {}
            }
        }
        Ok(ExprKind::If(branches, otherwise))
    }

    fn choose(&self, pair: Pair<'_, Rule>) -> Built<Choose> {
        let mut head = self.span(&pair);
        let (mut sharing, mut count, mut label, mut values) = (Sharing::Separate, None, None, None);
        let parts = pair.into_inner();
        for part in parts.clone() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::kw_choose => head = span,
                Rule::kw_elastic => (head, sharing) = (span, Sharing::Shared),
                Rule::number => {
                    head = head.to(span);
                    count = Some(Expr { kind: ExprKind::Number(part.as_str().to_owned()), span });
                }
                Rule::ident => {
                    head = head.to(span);
                    label = Some(self.ident(&part));
                }
                Rule::values => values = Some(self.primary(part)?),
                _ => {}
            }
        }
        let alternatives = match values {
            Some(values) => Alternatives::Values(values),
            None => Alternatives::Arms(self.arms(parts)?),
        };
        Ok(Choose { head, sharing, count, label, alternatives })
    }

    fn repeat(&self, pair: Pair<'_, Rule>) -> Built<Repeat> {
        let span = self.span(&pair);
        let parts = pair.into_inner();
        let index = parts.clone().find(|p| p.as_rule() == Rule::ident).map(|p| self.ident(&p));
        let depth = self.last_expr(parts.clone(), span)?;
        let head = Span { end: depth.span.end, ..span };
        Ok(Repeat { head, depth, index, body: self.next_body(parts, span)? })
    }

    fn arms(&self, parts: Pairs<'_, Rule>) -> Built<Vec<Arm>> {
        parts
            .filter(|p| p.as_rule() == Rule::arm)
            .flat_map(Pair::into_inner)
            .map(|arm| {
                let inner = words_skipped(arm.clone());
                if arm.as_rule() == Rule::for_arm {
                    Ok(Arm::For(self.for_clauses(&inner)?, self.arms(inner)?))
                } else {
                    Ok(Arm::Candidate(self.candidate(inner, self.span(&arm))?))
                }
            })
            .collect()
    }

    fn candidate(&self, mut parts: Pairs<'_, Rule>, span: Span) -> Built<Candidate> {
        let name = parts.next();
        let quoted = name.as_ref().is_some_and(|n| n.as_rule() == Rule::string);
        let name_span = name.as_ref().map_or(span, |n| self.span(n));
        let name = match name {
            Some(text) if quoted => self.text(text)?,
            Some(ident) => vec![TextPart::Literal(ident.as_str().to_owned())],
            None => Vec::new(),
        };
        let guard = parts
            .clone()
            .find(|p| p.as_rule() == Rule::guard)
            .map(|guard| self.last_expr(guard.into_inner(), span))
            .transpose()?;
        Ok(Candidate { name, quoted, name_span, value: self.last_expr(parts, span)?, guard })
    }

    fn text(&self, pair: Pair<'_, Rule>) -> Built<Vec<TextPart>> {
        let mut parts: Vec<TextPart> = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            let literal = match part.as_rule() {
                Rule::text => part.as_str(),
                Rule::escape if part.as_str() == "\\n" => "\n",
                Rule::escape => part.as_str().trim_start_matches('\\'),
                Rule::interpolation => {
                    let value = self.last_expr(part.into_inner(), span)?;
                    parts.push(TextPart::Interpolation(value));
                    continue;
                }
                _ => continue,
            };
            // `\\` escapes itself: trimming took both backslashes.
            let literal = if literal.is_empty() { "\\" } else { literal };
            match parts.last_mut() {
                Some(TextPart::Literal(text)) => text.push_str(literal),
                _ => parts.push(TextPart::Literal(literal.to_owned())),
            }
        }
        Ok(parts)
    }
}

/// The children without the words and brackets that only mark them.
fn words_skipped(pair: Pair<'_, Rule>) -> Pairs<'_, Rule> {
    let mut inner = pair.into_inner();
    while inner.peek().is_some_and(|p| is_keyword(p.as_rule())) {
        inner.next();
    }
    inner
}

fn is_keyword(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw_use
            | Rule::kw_const
            | Rule::kw_block
            | Rule::kw_cell
            | Rule::kw_space
            | Rule::kw_arch
            | Rule::kw_target
            | Rule::kw_search
            | Rule::kw_expect
            | Rule::kw_let
            | Rule::kw_var
            | Rule::kw_for
            | Rule::kw_input
            | Rule::kw_task
            | Rule::kw_output
            | Rule::kw_train
            | Rule::kw_require
            | Rule::kw_minimize
            | Rule::kw_maximize
    )
}

fn empty_ident() -> Ident {
    Ident { name: String::new(), span: Span::default() }
}

fn empty(span: Span) -> Expr {
    Expr { kind: ExprKind::Tuple(Vec::new()), span }
}

fn infix(left: Expr, rule: Rule, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let op = match rule {
        Rule::kw_or => BinaryOp::Or,
        Rule::kw_and => BinaryOp::And,
        Rule::eq => BinaryOp::Eq,
        Rule::near => BinaryOp::Near,
        Rule::ne => BinaryOp::Ne,
        Rule::lt => BinaryOp::Lt,
        Rule::le => BinaryOp::Le,
        Rule::gt => BinaryOp::Gt,
        Rule::ge => BinaryOp::Ge,
        Rule::range => BinaryOp::Range,
        Rule::add => BinaryOp::Add,
        Rule::sub => BinaryOp::Sub,
        Rule::mul => BinaryOp::Mul,
        Rule::div => BinaryOp::Div,
        Rule::rem => BinaryOp::Rem,
        Rule::pow => BinaryOp::Pow,
        // Rule::arrow, the one that is left.
        _ => {
            let kind = match left.kind {
                ExprKind::Pipeline(source, mut steps) => {
                    steps.push(right);
                    ExprKind::Pipeline(source, steps)
                }
                _ => ExprKind::Pipeline(Box::new(left), vec![right]),
            };
            return Expr { kind, span };
        }
    };
    Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span }
}
