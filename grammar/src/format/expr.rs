//! Expressions and patterns.

use crate::ast::{
    Alternatives, Arg, Arm, BinaryOp, Body, Candidate, Choose, Element, Expr, ExprKind, ForClause,
    Pattern, Repeat, Sharing, Span, TextPart, UnaryOp,
};

use super::Formatter;
use super::layout::Piece;
use super::nodes::{ARGUMENTS, Brackets, LIST, Node, TUPLE};

impl<'a, 's> Formatter<'a, 's> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Piece<'a> {
        let layout = self.layout;
        let start = expr.span.start as usize;
        match &expr.kind {
            ExprKind::Number(text) | ExprKind::Name(text) => layout.text(text),
            ExprKind::Bool(value) => layout.text(if *value { "true" } else { "false" }),
            ExprKind::Text(parts) => self.string(parts),
            ExprKind::List(elements) => {
                self.elements(LIST, start, elements, Element::span, Self::element)
            }
            ExprKind::Tuple(elements) => {
                self.elements(TUPLE, start, elements, |e| e.span, Self::expr)
            }
            ExprKind::Paren(inner) => {
                let inner = self.expr(inner);
                layout.concat([layout.text("("), inner, layout.text(")")])
            }
            ExprKind::Call(callee, args) => {
                let args = self.args(callee.span.end as usize, args);
                layout.concat([layout.text(&callee.name), args])
            }
            ExprKind::Field(value, field) => {
                let value = self.expr(value);
                layout.concat([value, layout.text("."), layout.text(&field.name)])
            }
            ExprKind::Index(value, index) => {
                let (value, index) = (self.expr(value), self.expr(index));
                layout.concat([value, layout.text("["), index, layout.text("]")])
            }
            ExprKind::Slice(list, from, to) => {
                let list = self.expr(list);
                let [from, to] =
                    [from, to].map(|e| e.as_ref().map_or(layout.nil(), |e| self.expr(e)));
                layout.concat([
                    list,
                    layout.text("["),
                    from,
                    layout.text(".."),
                    to,
                    layout.text("]"),
                ])
            }
            ExprKind::Unary(op, value) => {
                let op = match op {
                    UnaryOp::Neg => "-",
                    UnaryOp::Not => "not ",
                };
                let value = self.expr(value);
                layout.concat([layout.text(op), value])
            }
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::Pipeline(source, steps) => self.pipeline(source, steps),
            ExprKind::If(branches, otherwise) => self.if_expr(branches, otherwise.as_ref()),
            ExprKind::Choose(choose) => self.choose(choose, expr.span.end as usize),
            ExprKind::Repeat(repeat) => self.repeat(repeat),
        }
    }

    /// Elements in the brackets that open at an offset; `span_of` and `build` say of one where it
    /// stands and how it is laid out.
    fn elements<T>(
        &mut self,
        brackets: Brackets,
        start: usize,
        elements: &[T],
        span_of: impl Fn(&T) -> Span,
        build: impl Fn(&mut Self, &T) -> Piece<'a>,
    ) -> Piece<'a> {
        self.stash_before(start);
        let mut nodes = Vec::new();
        let mut last = start + 1;
        for element in elements {
            let span = span_of(element);
            last = span.end as usize;
            nodes.push(self.node(span.start as usize, last, |f| build(f, element)));
        }
        self.sequence(brackets, nodes, last)
    }

    fn element(&mut self, element: &Element) -> Piece<'a> {
        match element {
            Element::Value(value) => self.expr(value),
            Element::For(clauses, body, _) => self.for_body(clauses, body),
        }
    }

    pub(super) fn expr_node(&mut self, expr: &Expr) -> Node<'a, 's> {
        self.node(expr.span.start as usize, expr.span.end as usize, |f| f.expr(expr))
    }

    /// Leaves the comments before an offset to the node around what begins there.
    pub(super) fn stash_before(&mut self, offset: usize) {
        if !self.flat {
            self.comments.stash_before(offset);
        }
    }

    /// Arguments in the parentheses that open at an offset.
    pub(super) fn args(&mut self, open: usize, args: &[Arg]) -> Piece<'a> {
        self.stash_before(open);
        let mut nodes = Vec::new();
        for arg in args {
            let span = arg.span();
            nodes.push(self.node(span.start as usize, span.end as usize, |f| f.arg(arg)));
        }
        self.sequence(ARGUMENTS, nodes, args_end(open, args))
    }

    fn arg(&mut self, arg: &Arg) -> Piece<'a> {
        let value = self.expr(&arg.value);
        match &arg.name {
            Some(name) => self.named(&name.name, " = ", value),
            None => value,
        }
    }

    /// `name = value` and the like.
    pub(super) fn named(&self, name: &str, between: &str, value: Piece<'a>) -> Piece<'a> {
        let layout = self.layout;
        layout.concat([layout.text(name), layout.text(between), value])
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Piece<'a> {
        if op == BinaryOp::Range {
            let (left, right) = (self.expr(left), self.expr(right));
            return self.layout.concat([left, self.layout.text(".."), right]);
        }
        // `a + b + c` leans to the left: its operands fill lines together.
        let mut links = vec![(op, right)];
        let mut first = left;
        while let ExprKind::Binary(op, left, right) = &first.kind {
            if *op == BinaryOp::Range {
                break;
            }
            links.push((*op, right));
            first = left;
        }
        let first = self.expr(first);
        let mut rest = Vec::new();
        for (op, operand) in links.into_iter().rev() {
            rest.push((op.symbol(), self.expr(operand)));
        }
        self.chain(first, &rest)
    }

    fn chain(&self, first: Piece<'a>, rest: &[(&str, Piece<'a>)]) -> Piece<'a> {
        if !self.flat {
            return self.layout.chain(first, rest);
        }
        let mut pieces = vec![first];
        for (operator, piece) in rest {
            pieces.extend([self.layout.text(&format!(" {operator} ")), *piece]);
        }
        self.layout.concat(pieces)
    }

    fn pipeline(&mut self, source: &Expr, steps: &[Expr]) -> Piece<'a> {
        let gaps = std::iter::once(source).chain(steps).zip(steps);
        let (mut gaps, comments) = (gaps, &self.comments);
        let commented =
            gaps.any(|(a, b)| comments.any_between(a.span.end as usize, b.span.start as usize));
        if commented && !self.flat {
            return self.one_step_a_line(source, steps);
        }
        let source = self.expr(source);
        let mut rest = Vec::new();
        for step in steps {
            rest.push(("->", self.expr(step)));
        }
        self.chain(source, &rest)
    }

    /// The value of a statement: a pipeline of several steps that the author wrote one a line
    /// stays so.
    pub(super) fn value(&mut self, expr: &Expr) -> Piece<'a> {
        if let ExprKind::Pipeline(source, steps) = &expr.kind
            && !self.flat
            && steps.len() > 1
        {
            let before = std::iter::once(&**source).chain(steps).zip(steps);
            let starts_line = |end: usize| self.comments.starts_line(self.comments.next_token(end));
            if before.map(|(before, _)| before.span.end as usize).all(starts_line) {
                return self.one_step_a_line(source, steps);
            }
        }
        self.expr(expr)
    }

    fn one_step_a_line(&mut self, source: &Expr, steps: &[Expr]) -> Piece<'a> {
        let layout = self.layout;
        let mut nodes = vec![self.first_step(source)];
        for (i, step) in steps.iter().enumerate() {
            let (start, end) = (step.span.start as usize, step.span.end as usize);
            let build = |f: &mut Self| {
                let piece = f.expr(step);
                f.layout.concat([f.layout.text("-> "), piece])
            };
            // The comment behind the last step belongs to the statement.
            let is_last = i + 1 == steps.len();
            let node = if is_last {
                self.node_before_comment(start, end, build)
            } else {
                self.node(start, end, build)
            };
            nodes.push(node.without_blank());
        }
        let mut lines = nodes.iter().map(|node| self.lines(node, layout.nil()));
        let first = lines.next().unwrap_or(layout.nil());
        let rest: Vec<_> = lines.flat_map(|line| [layout.hardline(), line]).collect();
        layout.concat([first, layout.nest(layout.concat(rest))])
    }

    /// The source of a pipeline: it stands behind something on its line, so only the comment
    /// behind it is its own.
    fn first_step(&mut self, source: &Expr) -> Node<'a, 's> {
        let piece = self.expr(source);
        self.stash_before(source.span.end as usize);
        let behind = self.comments.behind(source.span.end as usize);
        self.assemble(0, Vec::new(), Vec::new(), piece, behind)
    }

    fn string(&mut self, parts: &[TextPart]) -> Piece<'a> {
        let mut text = "\"".to_owned();
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                TextPart::Literal(literal) => escape(literal, &mut text),
                TextPart::Interpolation(value) => {
                    let around = std::mem::replace(&mut self.flat, true);
                    let value = self.expr(value).flattened();
                    self.flat = around;
                    text.push('{');
                    pieces.extend([self.layout.text(&text), value.without_braces()]);
                    text = "}".to_owned();
                }
            }
        }
        text.push('"');
        pieces.push(self.layout.text(&text));
        self.layout.concat(pieces)
    }

    fn choose(&mut self, choose: &Choose, end: usize) -> Piece<'a> {
        let layout = self.layout;
        let word = match choose.sharing {
            Sharing::Separate => "choose ",
            Sharing::Shared => "elastic ",
        };
        let mut head = vec![layout.text(word)];
        if let Some(count) = &choose.count {
            head.extend([self.expr(count), layout.text(" ")]);
        }
        if let Some(label) = &choose.label {
            head.extend([layout.text(&label.name), layout.text(" ")]);
        }
        let head = layout.concat(head);
        match &choose.alternatives {
            Alternatives::Arms(arms) => {
                let open = self.comments.next_token(choose.head.end as usize);
                let arms = self.arms(open, end - 1, arms);
                layout.group(layout.concat([head, arms]))
            }
            Alternatives::Values(values) => layout.concat([head, self.expr(values)]),
        }
    }

    fn repeat(&mut self, repeat: &Repeat) -> Piece<'a> {
        let layout = self.layout;
        let depth = self.expr(&repeat.depth);
        let index = match &repeat.index {
            Some(index) => format!(" as {} ", index.name),
            None => " ".to_owned(),
        };
        let body = self.body(&repeat.body);
        layout.concat([layout.text("repeat "), depth, layout.text(&index), body])
    }

    fn arms(&mut self, open: usize, close: usize, arms: &[Arm]) -> Piece<'a> {
        self.stash_before(open);
        let mut nodes = Vec::new();
        for arm in arms {
            let (start, end) = (self.arm_start(arm), self.arm_end(arm));
            nodes.push(self.node(start, end, |f| f.arm(arm, end)));
        }
        self.braces((open, close), nodes, arms.len(), ", ")
    }

    fn arm(&mut self, arm: &Arm, end: usize) -> Piece<'a> {
        match arm {
            Arm::Candidate(candidate) => self.candidate(candidate),
            Arm::For(clauses, arms) => {
                let layout = self.layout;
                let head = self.for_head(clauses);
                let open = self.arms_open(clauses);
                let arms = self.arms(open, end - 1, arms);
                layout.concat([head, layout.text(" "), layout.group(arms)])
            }
        }
    }

    fn candidate(&mut self, candidate: &Candidate) -> Piece<'a> {
        let layout = self.layout;
        let name = match candidate.name.as_slice() {
            [TextPart::Literal(name)] if !candidate.quoted => layout.text(name),
            parts => self.string(parts),
        };
        let value = self.expr(&candidate.value);
        let mut pieces = vec![name, layout.text(": "), value];
        if let Some(guard) = &candidate.guard {
            pieces.extend([layout.text(" if "), self.expr(guard)]);
        }
        layout.concat(pieces)
    }

    fn arms_open(&self, clauses: &[ForClause]) -> usize {
        self.comments.next_token(clauses.last().map_or(0, |c| c.list.span.end as usize))
    }

    fn arm_start(&self, arm: &Arm) -> usize {
        match arm {
            Arm::Candidate(candidate) => candidate.name_span.start as usize,
            Arm::For(clauses, _) => {
                let pattern = clauses.first().map_or(0, |c| c.pattern.span().start as usize);
                self.comments.word_before("for", pattern)
            }
        }
    }

    fn arm_end(&self, arm: &Arm) -> usize {
        match arm {
            Arm::Candidate(c) => c.guard.as_ref().unwrap_or(&c.value).span.end as usize,
            Arm::For(clauses, arms) => {
                let last = arms.last().map(|arm| self.arm_end(arm));
                let inner = last.unwrap_or_else(|| self.arms_open(clauses) + 1);
                self.comments.closing(inner) + 1
            }
        }
    }

    /// `for a in x, b in y { … }`
    pub(super) fn for_body(&mut self, clauses: &[ForClause], body: &Body) -> Piece<'a> {
        let head = self.for_head(clauses);
        let body = self.body(body);
        self.layout.concat([head, self.layout.text(" "), body])
    }

    /// `for a in x, b in y`
    fn for_head(&mut self, clauses: &[ForClause]) -> Piece<'a> {
        let mut pieces = Vec::new();
        for clause in clauses {
            let word = if pieces.is_empty() { "for " } else { ", " };
            let pattern = pattern(&clause.pattern);
            pieces.extend([self.layout.text(word), self.layout.text(&pattern)]);
            pieces.extend([self.layout.text(" in "), self.expr(&clause.list)]);
        }
        self.layout.concat(pieces)
    }
}

/// Where the last of the arguments ends that open at an offset; without one, behind the bracket.
pub(super) fn args_end(open: usize, args: &[Arg]) -> usize {
    args.last().map_or(open + 1, |arg| arg.span().end as usize)
}

pub(super) fn pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Name(name) => name.name.clone(),
        Pattern::Tuple(parts, _) => {
            let parts: Vec<_> = parts.iter().map(self::pattern).collect();
            // The pattern `(a,)` binds the one element of a tuple.
            let comma = if parts.len() == 1 { "," } else { "" };
            format!("({}{comma})", parts.join(", "))
        }
    }
}

fn escape(literal: &str, text: &mut String) {
    for c in literal.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\\' | '"' | '{' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
}
