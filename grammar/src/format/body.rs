//! Statements and their braces, and `if`.

use crate::ast::{Body, Expr, ExprKind, Statement, StatementKind};

use super::Formatter;
use super::expr::pattern;
use super::layout::Piece;
use super::nodes::Node;

/// The word before an `output` that is for training only.
const TRAIN: &str = "train";

impl<'a, 's> Formatter<'a, 's> {
    pub(super) fn statement(&mut self, statement: &Statement) -> Node<'a, 's> {
        let span = statement.span;
        self.node(span.start as usize, span.end as usize, |f| f.statement_kind(statement))
    }

    fn statement_kind(&mut self, statement: &Statement) -> Piece<'a> {
        let layout = self.layout;
        match &statement.kind {
            StatementKind::Let(names, value) => self.binding("let ", &pattern(names), value),
            StatementKind::Var(names, value) => self.binding("var ", &pattern(names), value),
            StatementKind::Assign(name, value) => self.binding("", &name.name, value),
            StatementKind::Output(name, value) => self.binding("output ", &name.name, value),
            StatementKind::TrainOutput(args, name, value) => {
                let open = statement.span.start as usize + TRAIN.len();
                let args = if args.is_empty() { layout.nil() } else { self.args(open, args) };
                let output = self.binding(" output ", &name.name, value);
                layout.concat([layout.text(TRAIN), args, output])
            }
            StatementKind::Require(claim) => {
                let claim = self.value(claim);
                self.named("require", " ", claim)
            }
            StatementKind::Input(name, shape) => {
                let shape = self.expr(shape);
                layout.concat([layout.text("input "), self.named(&name.name, ": ", shape)])
            }
            StatementKind::Task(name, args) => {
                let args = self.args(name.span.end as usize, args);
                layout.concat([layout.text("task "), layout.text(&name.name), args])
            }
            StatementKind::For(clauses, body) => self.for_body(clauses, body),
            StatementKind::Expr(value) => match &value.kind {
                ExprKind::If(branches, otherwise) => {
                    self.if_statement(branches, otherwise.as_ref())
                }
                _ => self.value(value),
            },
        }
    }

    fn binding(&mut self, word: &str, names: &str, value: &Expr) -> Piece<'a> {
        let value = self.value(value);
        self.layout.concat([self.layout.text(word), self.named(names, " = ", value)])
    }

    /// Whether the author wrote a body on one line and it may stay on one.
    pub(super) fn is_inline(&self, body: &Body) -> bool {
        let (start, end) = (body.span.start as usize, body.span.end as usize);
        match body.statements.as_slice() {
            [] => !self.comments.any_between(start, end),
            [only] => {
                !matches!(only.kind, StatementKind::For(..)) && self.comments.one_line(start, end)
            }
            _ => false,
        }
    }

    pub(super) fn body(&mut self, body: &Body) -> Piece<'a> {
        let inline = self.is_inline(body);
        let body = self.body_as(body, inline, Vec::new());
        self.layout.group(body)
    }

    /// A body, its `first` comments before its statements.
    pub(super) fn body_as(
        &mut self,
        body: &Body,
        inline: bool,
        first: Vec<Node<'a, 's>>,
    ) -> Piece<'a> {
        let (open, close) = (body.span.start as usize, body.span.end as usize - 1);
        self.stash_before(open);
        let most = usize::from(inline && first.is_empty());
        let mut nodes = first;
        for statement in &body.statements {
            nodes.push(self.statement(statement));
        }
        self.braces((open, close), nodes, most, " ")
    }

    /// The parts of an `if`, each with its body: `if a { … }`, `else if b { … }`, `else { … }`.
    fn rungs(
        &mut self,
        branches: &[(Expr, Body)],
        otherwise: Option<&Body>,
        inline: bool,
    ) -> Vec<Piece<'a>> {
        let layout = self.layout;
        let mut rungs = Vec::new();
        for (condition, body) in branches {
            let word = if rungs.is_empty() { "if " } else { "else if " };
            let condition = self.expr(condition);
            let body = self.body_as(body, inline, Vec::new());
            rungs.push(layout.concat([layout.text(word), condition, layout.text(" "), body]));
        }
        if let Some(body) = otherwise {
            let body = self.body_as(body, inline, Vec::new());
            rungs.push(layout.concat([layout.text("else "), body]));
        }
        rungs
    }

    fn all_inline(&self, branches: &[(Expr, Body)], otherwise: Option<&Body>) -> bool {
        branches.iter().map(|(_, body)| body).chain(otherwise).all(|body| self.is_inline(body))
    }

    pub(super) fn if_expr(
        &mut self,
        branches: &[(Expr, Body)],
        otherwise: Option<&Body>,
    ) -> Piece<'a> {
        let inline = self.all_inline(branches, otherwise);
        let rungs = self.rungs(branches, otherwise, inline);
        self.in_one(&rungs)
    }

    fn in_one(&self, rungs: &[Piece<'a>]) -> Piece<'a> {
        let layout = self.layout;
        let spaced = rungs
            .iter()
            .enumerate()
            .flat_map(|(i, rung)| [if i == 0 { layout.nil() } else { layout.text(" ") }, *rung]);
        layout.group(layout.concat(spaced))
    }

    /// An `if` that is a statement: short bodies may stand below each other, one a line.
    fn if_statement(&mut self, branches: &[(Expr, Body)], otherwise: Option<&Body>) -> Piece<'a> {
        let layout = self.layout;
        let inline = self.all_inline(branches, otherwise);
        let rungs = self.rungs(branches, otherwise, inline);
        let one = self.in_one(&rungs);
        if !inline || self.flat || rungs.len() < 2 {
            return one;
        }
        let Some(widths) = rungs.iter().map(Piece::width).collect::<Option<Vec<_>>>() else {
            return one;
        };
        let comments = &self.comments;
        let preferred = branches
            .iter()
            .take(rungs.len() - 1)
            .any(|(_, body)| comments.starts_line(comments.next_token(body.span.end as usize)));
        let below = rungs.iter().enumerate().flat_map(|(i, rung)| {
            [if i == 0 { layout.nil() } else { layout.hardline() }, rung.flattened()]
        });
        let ladder = layout.concat(below);
        layout.ladder(one, ladder, widths.into_iter().max().unwrap_or(0), preferred)
    }
}
