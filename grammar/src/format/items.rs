//! Items, and the file that they make.

use crate::ast::{
    Arch, ArchEntry, BlockKind, Body, Expect, Expr, Field, File, Goal, Ident, Item, ItemKind,
    Param, Search, Section, Setting, Space, SpaceRef, SupportRow, Target, TargetEntry, Use,
};

use super::Formatter;
use super::comments::Comment;
use super::expr::args_end;
use super::layout::Piece;
use super::nodes::{ARGUMENTS, NAMES, Node};

impl<'a, 's> Formatter<'a, 's> {
    pub(super) fn file(&mut self, file: &File) -> Piece<'a> {
        let layout = self.layout;
        let mut pieces = Vec::new();
        let mut previous: Option<&ItemKind> = None;
        for item in &file.items {
            let (start, end) = (item.span.start as usize, item.span.end as usize);
            let node = self.node(start, end, |f| f.item(item));
            if let Some(previous) = previous {
                pieces.push(layout.hardline());
                let apart = node.blank_above() || !may_stand_together(previous, &item.kind);
                pieces.extend(apart.then(|| layout.hardline()));
            }
            pieces.push(self.lines(&node, layout.nil()));
            previous = Some(&item.kind);
        }
        let rest = self.dangling(usize::MAX);
        if let (Some(first), Some(_)) = (rest.first(), previous) {
            pieces.push(layout.hardline());
            pieces.extend(first.blank_above().then(|| layout.hardline()));
        }
        pieces.push(self.stacked(&rest, ""));
        layout.concat(pieces)
    }

    fn item(&mut self, item: &Item) -> Piece<'a> {
        let layout = self.layout;
        let end = item.span.end as usize;
        match &item.kind {
            ItemKind::Use(item) => {
                let stashed = self.comments.stashed();
                let path = self.use_path(item);
                self.headed(layout.text("use"), stashed, end, path)
            }
            ItemKind::Const(item) => {
                let head = layout.text(&format!("const {} =", item.name.name));
                self.headed_value(head, end, &item.value)
            }
            ItemKind::Expect(item) => {
                let head = layout.text("expect");
                let claim = self.headed_value(head, end, &item.claim);
                layout.concat([claim, self.tolerance(item)])
            }
            ItemKind::Block(item) => {
                let stashed = self.comments.stashed();
                let params = self.params(item.name.span.end as usize, &item.params);
                let word = match item.kind {
                    BlockKind::Block => "block ",
                    BlockKind::Cell => "cell ",
                };
                let head = [layout.text(word), layout.text(&item.name.name), params];
                self.with_body(layout.concat(head), stashed, &item.body)
            }
            ItemKind::Space(item) => self.space(item),
            ItemKind::Arch(item) => self.arch(end, item),
            ItemKind::Target(item) => self.target(end, item),
            ItemKind::Search(item) => self.search(end, item),
        }
    }

    fn headed_value(&mut self, head: Piece<'a>, end: usize, value: &Expr) -> Piece<'a> {
        let stashed = self.comments.stashed();
        let value = self.expr(value);
        self.headed(head, stashed, end, value)
    }

    /// An item without braces. A `///` in it must not go above the item, where it would document
    /// it: it goes before the value.
    fn headed(
        &mut self,
        head: Piece<'a>,
        stashed: usize,
        end: usize,
        value: Piece<'a>,
    ) -> Piece<'a> {
        let layout = self.layout;
        self.stash_before(end);
        let docs = self.docs_in(stashed);
        if docs.is_empty() {
            return layout.concat([head, layout.text(" "), value]);
        }
        let lines = docs.iter().flat_map(|c| [layout.hardline(), layout.comment(c.text)]);
        let lines: Vec<_> = lines.chain([layout.hardline(), value]).collect();
        layout.concat([head, layout.nest(layout.concat(lines))])
    }

    /// Takes the `///` and `//!` that were put aside since there were so many comments; the others
    /// stay aside.
    fn docs_in(&mut self, stashed: usize) -> Vec<Comment<'s>> {
        let aside = self.comments.unstash(stashed);
        let (docs, others) = aside.into_iter().partition(|comment| comment.is_doc());
        self.comments.put_aside(others);
        docs
    }

    /// An item with statements in braces. A `///` between its head and the brace must not go
    /// above the item: it goes into the braces.
    fn with_body(&mut self, head: Piece<'a>, stashed: usize, body: &Body) -> Piece<'a> {
        let layout = self.layout;
        let inline = self.is_inline(body);
        let first = self.first_in_braces(stashed, body.span.start as usize);
        let body = self.body_as(body, inline, first);
        layout.concat([head, layout.text(" "), layout.group(body)])
    }

    fn first_in_braces(&mut self, stashed: usize, open: usize) -> Vec<Node<'a, 's>> {
        self.stash_before(open);
        let docs = self.docs_in(stashed);
        self.alone(docs)
    }

    fn use_path(&mut self, item: &Use) -> Piece<'a> {
        let layout = self.layout;
        let module: Vec<&str> = item.module.iter().map(|part| part.name.as_str()).collect();
        let module = layout.text(&format!("{}.", module.join(".")));
        if !item.braced {
            let name = item.names.first().map_or("", |name| name.name.as_str());
            return layout.concat([module, layout.text(name)]);
        }
        // Past the dot.
        let open = item.module.last().map_or(0, |part| part.span.end as usize + 1);
        self.stash_before(open);
        let mut nodes = Vec::new();
        for name in &item.names {
            let (start, end) = (name.span.start as usize, name.span.end as usize);
            nodes.push(self.node(start, end, |f| f.layout.text(&name.name)));
        }
        let end = item.names.last().map_or(open + 1, |name| name.span.end as usize);
        let names = self.sequence(NAMES, nodes, end);
        layout.concat([module, names])
    }

    /// The parameters after a name that ends at an offset.
    fn params(&mut self, name_end: usize, params: &[Param]) -> Piece<'a> {
        let open = self.comments.next_token(name_end);
        self.stash_before(open);
        let mut nodes = Vec::new();
        let mut last = open + 1;
        for param in params {
            let span =
                param.default.as_ref().map_or(param.name.span, |d| param.name.span.to(d.span));
            last = span.end as usize;
            nodes.push(self.node(span.start as usize, last, |f| f.param(param)));
        }
        self.sequence(ARGUMENTS, nodes, last)
    }

    fn param(&mut self, param: &Param) -> Piece<'a> {
        match &param.default {
            Some(default) => {
                let default = self.expr(default);
                self.named(&param.name.name, " = ", default)
            }
            None => self.layout.text(&param.name.name),
        }
    }

    fn space(&mut self, space: &Space) -> Piece<'a> {
        let layout = self.layout;
        let stashed = self.comments.stashed();
        let mut head = vec![layout.text("space "), layout.text(&space.name.name)];
        if space.has_params {
            head.push(self.params(space.name.span.end as usize, &space.params));
        }
        if let Some(target) = &space.target {
            head.push(layout.text(&format!(" for {}", target.name)));
        }
        self.with_body(layout.concat(head), stashed, &space.body)
    }

    /// `search name of space(args) for target`, and where the brace after it stands.
    fn of_space(
        &mut self,
        word: &str,
        name: &str,
        space: &SpaceRef,
        target: Option<&Ident>,
    ) -> (Piece<'a>, usize) {
        let layout = self.layout;
        let mut end = space.name.span.end as usize;
        let mut head = vec![layout.text(&format!("{word} {name} of {}", space.name.name))];
        if let Some(args) = &space.args {
            head.push(self.args(end, args));
            end = self.comments.closing(args_end(end, args)) + 1;
        }
        if let Some(target) = target {
            head.push(layout.text(&format!(" for {}", target.name)));
            end = target.span.end as usize;
        }
        (layout.concat(head), self.comments.next_token(end))
    }

    fn arch(&mut self, end: usize, arch: &Arch) -> Piece<'a> {
        let layout = self.layout;
        let stashed = self.comments.stashed();
        let (head, open) = self.of_space("arch", &arch.name.name, &arch.space, None);
        let mut nodes = self.first_in_braces(stashed, open);
        let most = usize::from(nodes.is_empty());
        for entry in &arch.entries {
            nodes.push(self.arch_entry(entry));
        }
        let braces = self.braces((open, end - 1), nodes, most, " ");
        layout.concat([head, layout.text(" "), layout.group(braces)])
    }

    fn arch_entry(&mut self, entry: &ArchEntry) -> Node<'a, 's> {
        match entry {
            ArchEntry::Choice(choice) => {
                let key = if choice.quoted {
                    format!("\"{}\"", choice.key.name)
                } else {
                    choice.key.name.clone()
                };
                let span = choice.key.span.to(choice.value.span);
                self.node(span.start as usize, span.end as usize, |f| {
                    let value = f.expr(&choice.value);
                    f.named(&key, " = ", value)
                })
            }
            ArchEntry::Expect(expect) => {
                let span = expect.span;
                self.node(span.start as usize, span.end as usize, |f| {
                    let claim = f.expr(&expect.claim);
                    let claim = f.named("expect", " ", claim);
                    f.layout.concat([claim, f.tolerance(expect)])
                })
            }
        }
    }

    fn tolerance(&self, expect: &Expect) -> Piece<'a> {
        match &expect.tolerance {
            Some(tolerance) => self.layout.text(&format!(" within {}%", tolerance.percent)),
            None => self.layout.text(""),
        }
    }

    fn target(&mut self, end: usize, target: &Target) -> Piece<'a> {
        let stashed = self.comments.stashed();
        let open = self.comments.next_token(target.name.span.end as usize);
        let mut nodes = self.first_in_braces(stashed, open);
        for entry in &target.entries {
            nodes.push(self.target_entry(entry));
        }
        let braces = self.braces((open, end - 1), nodes, 0, " ");
        self.named(&format!("target {}", target.name.name), " ", braces)
    }

    fn target_entry(&mut self, entry: &TargetEntry) -> Node<'a, 's> {
        let (word, span) = match entry {
            TargetEntry::Setting(name, value) => (name.name.as_str(), name.span.to(value.span)),
            TargetEntry::Supports(_, span) => ("supports", *span),
            TargetEntry::Latency(_, span) => ("latency table", *span),
        };
        let (start, end) = (span.start as usize, span.end as usize);
        self.node(start, end, |f| {
            let value = match entry {
                TargetEntry::Setting(_, value) | TargetEntry::Latency(value, _) => f.expr(value),
                TargetEntry::Supports(rows, _) => f.supports(start + word.len(), end - 1, rows),
            };
            f.named(word, " ", value)
        })
    }

    /// What a target supports: operators without conditions stand beside each other.
    fn supports(&mut self, word_end: usize, close: usize, rows: &[SupportRow]) -> Piece<'a> {
        let open = self.comments.next_token(word_end);
        self.stash_before(open);
        let mut nodes: Vec<Node<'a, 's>> = Vec::new();
        let mut is_bare = false;
        for row in rows {
            let (start, end) = (row.span.start as usize, row.span.end as usize);
            let node = self.node(start, end, |f| f.support_row(row));
            let was_bare = std::mem::replace(&mut is_bare, row.conditions.is_empty());
            match nodes.last_mut() {
                Some(last) if was_bare && is_bare && last.takes(&node) => {
                    *last = self.beside(last, node);
                }
                _ => nodes.push(node),
            }
        }
        let most = nodes.len();
        let braces = self.braces((open, close), nodes, most, ", ");
        self.layout.group(braces)
    }

    fn support_row(&mut self, row: &SupportRow) -> Piece<'a> {
        let op = self.layout.text(&row.op.name);
        let Some(last) = row.conditions.last() else { return op };
        let open = self.comments.next_token(row.op.span.end as usize);
        self.stash_before(open);
        let nodes = row.conditions.iter().map(|c| self.expr_node(c)).collect();
        let conditions = self.sequence(ARGUMENTS, nodes, last.span.end as usize);
        self.layout.concat([op, conditions])
    }

    fn search(&mut self, end: usize, search: &Search) -> Piece<'a> {
        let layout = self.layout;
        let stashed = self.comments.stashed();
        let target = search.target.as_ref();
        let (head, open) = self.of_space("search", &search.name.name, &search.space, target);
        let mut nodes = self.first_in_braces(stashed, open);
        for setting in &search.settings {
            nodes.push(self.setting(setting));
        }
        let braces = self.braces((open, end - 1), nodes, 0, " ");
        layout.concat([head, layout.text(" "), braces])
    }

    fn setting(&mut self, setting: &Setting) -> Node<'a, 's> {
        match setting {
            Setting::Objective(goals, span) => {
                self.node(span.start as usize, span.end as usize, |f| f.goals(goals))
            }
            Setting::Section(section) => {
                let (start, end) = (section.span.start as usize, section.span.end as usize);
                self.node(start, end, |f| f.section(section, end - 1))
            }
        }
    }

    fn goals(&mut self, goals: &[Goal]) -> Piece<'a> {
        let goals = goals.iter().map(|Goal { sense, formula }| {
            let formula = self.expr(formula);
            self.named(sense.word(), " ", formula)
        });
        let goals: Vec<Piece<'a>> = goals.collect();
        let commas = std::iter::once("").chain(std::iter::repeat(", "));
        let goals = commas.zip(goals).flat_map(|(comma, goal)| [self.layout.text(comma), goal]);
        self.layout.concat(goals.collect::<Vec<Piece<'a>>>())
    }

    fn section(&mut self, section: &Section, close: usize) -> Piece<'a> {
        let layout = self.layout;
        let mut head = section.name.name.clone();
        if let Some(kind) = &section.kind {
            head = format!("{head} {}", kind.name);
        }
        let named = section.kind.as_ref().unwrap_or(&section.name);
        let open = self.comments.next_token(named.span.end as usize);
        self.stash_before(open);
        let mut nodes = Vec::new();
        for field in &section.fields {
            nodes.push(self.field(field));
        }
        let braces = self.braces((open, close), nodes, section.fields.len(), ", ");
        layout.group(self.named(&head, " ", braces))
    }

    fn field(&mut self, field: &Field) -> Node<'a, 's> {
        let end = field.law.as_ref().map_or(field.value.span.end, |law| law.span.end);
        self.node(field.name.span.start as usize, end as usize, |f| {
            let value = f.expr(&field.value);
            let value = f.named(&field.name.name, " = ", value);
            let Some(law) = &field.law else { return value };
            let name = f.layout.text(&format!(" {}", law.name.name));
            match &law.argument {
                Some(argument) => {
                    let argument = f.expr(argument);
                    let (open, close) = (f.layout.text("("), f.layout.text(")"));
                    f.layout.concat([value, name, open, argument, close])
                }
                None => f.layout.concat([value, name]),
            }
        })
    }
}

/// Items of one line each that need no blank line between them.
fn may_stand_together(above: &ItemKind, below: &ItemKind) -> bool {
    matches!(
        (above, below),
        (ItemKind::Use(_), ItemKind::Use(_))
            | (ItemKind::Const(_), ItemKind::Const(_))
            | (ItemKind::Expect(_), ItemKind::Expect(_))
    )
}
