//! The items of a file.

use pest::iterators::{Pair, Pairs};

use crate::ast::{
    Arch, ArchChoice, ArchEntry, Block, BlockKind, Body, Const, Expect, Expr, ExprKind, Field,
    Goal, Ident, Item, ItemKind, Law, Param, Search, Section, Sense, Setting, Space, SpaceRef,
    Span, SupportRow, Target, TargetEntry, Tolerance, Use,
};
use crate::rules::Rule;

use super::{Builder, Built, empty, empty_ident, words_skipped};

impl Builder<'_> {
    pub(crate) fn item(&self, pair: Pair<'_, Rule>, docs: Vec<String>) -> Built<Item> {
        let span = self.span(&pair);
        let mut kind = None;
        for inner in pair.into_inner() {
            kind = Some(self.item_kind(inner)?);
        }
        // INVARIANT: the rule `item` has exactly one child.
        let nothing = || Expect { claim: empty(span), tolerance: None, span };
        let kind = kind.unwrap_or_else(|| ItemKind::Expect(nothing()));
        Ok(Item { docs, kind, span })
    }

    fn item_kind(&self, pair: Pair<'_, Rule>) -> Built<ItemKind> {
        let rule = pair.as_rule();
        let span = self.span(&pair);
        let word = pair.clone().into_inner().next().map(|p| p.as_rule());
        let mut inner = words_skipped(pair);
        Ok(match rule {
            Rule::use_item => ItemKind::Use(self.use_item(inner)),
            Rule::const_item => {
                let name = self.next_ident(&mut inner);
                ItemKind::Const(Const { name, value: self.last_expr(inner, span)? })
            }
            Rule::block_item => {
                let is_cell = word == Some(Rule::kw_cell);
                let kind = if is_cell { BlockKind::Cell } else { BlockKind::Block };
                let name = self.next_ident(&mut inner);
                let params = self.params(&mut inner)?;
                ItemKind::Block(Block { kind, name, params, body: self.next_body(inner, span)? })
            }
            Rule::space_item => self.space(inner, span)?,
            Rule::arch_item => self.arch(inner)?,
            Rule::target_item => self.target(inner)?,
            Rule::search_item => self.search(inner)?,
            _ => ItemKind::Expect(self.expect(inner, span)?),
        })
    }

    fn use_item(&self, inner: Pairs<'_, Rule>) -> Use {
        let mut module = Vec::new();
        let mut names = Vec::new();
        for part in inner.flat_map(Pair::into_inner) {
            match part.as_rule() {
                Rule::ident => module.push(self.ident(&part)),
                Rule::use_names => names = idents(part).map(|p| self.ident(&p)).collect(),
                _ => {}
            }
        }
        let braced = !names.is_empty();
        if !braced {
            names.extend(module.pop());
        }
        Use { module, names, braced }
    }

    fn space(&self, mut inner: Pairs<'_, Rule>, span: Span) -> Built<ItemKind> {
        let name = self.next_ident(&mut inner);
        let has_params = inner.peek().is_some_and(|p| p.as_rule() == Rule::params);
        let params = if has_params { self.params(&mut inner)? } else { Vec::new() };
        let target = self.for_target(&mut inner);
        let start = inner.peek().map_or(span, |brace| self.span(&brace)).start;
        let statements = inner
            .filter(|p| p.as_rule() == Rule::space_statement)
            .map(|p| self.statement(p))
            .collect::<Built<_>>()?;
        let body = Body { statements, span: Span { start, end: span.end } };
        Ok(ItemKind::Space(Space { name, params, has_params, target, body }))
    }

    /// The target of the `for target` that comes next, if it does.
    fn for_target(&self, inner: &mut Pairs<'_, Rule>) -> Option<Ident> {
        let pair = inner.peek().filter(|p| p.as_rule() == Rule::for_target)?;
        inner.next();
        pair.into_inner().find(|p| p.as_rule() == Rule::ident).map(|p| self.ident(&p))
    }

    fn space_ref(&self, pair: Pair<'_, Rule>) -> Built<SpaceRef> {
        let mut inner = pair.into_inner();
        let name = self.next_ident(&mut inner);
        let args = inner.next().map(|args| self.args(args)).transpose()?;
        Ok(SpaceRef { name, args })
    }

    fn next_space_ref(&self, inner: &mut Pairs<'_, Rule>) -> Built<SpaceRef> {
        match inner.find(|p| p.as_rule() == Rule::space_ref) {
            Some(pair) => self.space_ref(pair),
            None => Ok(SpaceRef {
                name: Ident { name: String::new(), span: Span::default() },
                args: None,
            }),
        }
    }

    fn arch(&self, mut inner: Pairs<'_, Rule>) -> Built<ItemKind> {
        let name = self.next_ident(&mut inner);
        let space = self.next_space_ref(&mut inner)?;
        let mut entries = Vec::new();
        for entry in inner.filter(|p| p.as_rule() == Rule::arch_entry).flat_map(Pair::into_inner) {
            let span = self.span(&entry);
            let is_expect = entry.as_rule() == Rule::expect_item;
            let mut parts = words_skipped(entry);
            entries.push(if is_expect {
                ArchEntry::Expect(self.expect(parts, span)?)
            } else {
                let key = parts.next();
                let quoted = key.as_ref().is_some_and(|k| k.as_rule() == Rule::string);
                let key = key.map_or(Ident { name: String::new(), span }, |k| self.key(&k));
                ArchEntry::Choice(ArchChoice { key, quoted, value: self.last_expr(parts, span)? })
            });
        }
        Ok(ItemKind::Arch(Arch { name, space, entries }))
    }

    fn expect(&self, inner: Pairs<'_, Rule>, span: Span) -> Built<Expect> {
        let tolerance = inner.clone().find(|part| part.as_rule() == Rule::tolerance);
        let tolerance = tolerance.and_then(|pair| {
            let span = self.span(&pair);
            let percent = pair.into_inner().find(|part| part.as_rule() == Rule::percentage)?;
            Some(Tolerance {
                percent: percent.as_str().trim_end_matches(['%', ' ']).to_owned(),
                span,
            })
        });
        Ok(Expect { claim: self.last_expr(inner, span)?, tolerance, span })
    }

    /// The key of an `arch` line: a name, or the text between quotes as it stands.
    fn key(&self, pair: &Pair<'_, Rule>) -> Ident {
        Ident { name: unquoted(pair.as_str()).to_owned(), span: self.span(pair) }
    }

    fn target(&self, mut inner: Pairs<'_, Rule>) -> Built<ItemKind> {
        let name = self.next_ident(&mut inner);
        let entries = inner
            .filter(|p| p.as_rule() == Rule::target_entry)
            .flat_map(Pair::into_inner)
            .map(|pair| self.target_entry(pair))
            .collect::<Built<_>>()?;
        Ok(ItemKind::Target(Target { name, entries }))
    }

    fn target_entry(&self, pair: Pair<'_, Rule>) -> Built<TargetEntry> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut inner = pair.into_inner();
        Ok(match rule {
            Rule::supports => {
                let rows = inner.filter(|p| p.as_rule() == Rule::support_row);
                let rows = rows.map(|p| self.support_row(p)).collect::<Built<_>>()?;
                TargetEntry::Supports(rows, span)
            }
            Rule::latency => TargetEntry::Latency(self.last_string(inner, span)?, span),
            _ => TargetEntry::Setting(self.next_ident(&mut inner), self.last_expr(inner, span)?),
        })
    }

    fn support_row(&self, pair: Pair<'_, Rule>) -> Built<SupportRow> {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let op = self.next_ident(&mut inner);
        let conditions = inner.next().map(|p| self.exprs(p)).transpose()?;
        Ok(SupportRow { op, conditions: conditions.unwrap_or_default(), span })
    }

    fn last_string(&self, inner: Pairs<'_, Rule>, span: Span) -> Built<Expr> {
        let Some(string) = inner.last() else { return Ok(empty(span)) };
        let span = self.span(&string);
        Ok(Expr { kind: ExprKind::Text(self.text(string)?), span })
    }

    fn search(&self, mut inner: Pairs<'_, Rule>) -> Built<ItemKind> {
        let name = self.next_ident(&mut inner);
        let space = self.next_space_ref(&mut inner)?;
        let target = self.for_target(&mut inner);
        let settings = inner
            .filter(|p| p.as_rule() == Rule::setting)
            .flat_map(Pair::into_inner)
            .map(|pair| self.setting(pair))
            .collect::<Built<_>>()?;
        Ok(ItemKind::Search(Search { name, space, target, settings }))
    }

    fn setting(&self, pair: Pair<'_, Rule>) -> Built<Setting> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::objective {
            return self.objective(pair, span);
        }
        let mut inner = pair.into_inner();
        let name = self.next_ident(&mut inner);
        let kind = inner.peek().filter(|p| p.as_rule() == Rule::ident).map(|p| self.ident(&p));
        let fields = inner
            .filter(|p| p.as_rule() == Rule::field)
            .map(|p| self.field(p))
            .collect::<Built<_>>()?;
        Ok(Setting::Section(Section { name, kind, fields, span }))
    }

    fn objective(&self, pair: Pair<'_, Rule>, span: Span) -> Built<Setting> {
        let goals = pair.into_inner().filter(|part| part.as_rule() != Rule::comma).map(|goal| {
            let word = goal.clone().into_inner().next().map(|word| word.as_rule());
            let is_large = word == Some(Rule::kw_maximize);
            let sense = if is_large { Sense::Maximize } else { Sense::Minimize };
            let span = self.span(&goal);
            Ok(Goal { sense, formula: self.last_expr(goal.into_inner(), span)? })
        });
        Ok(Setting::Objective(goals.collect::<Built<_>>()?, span))
    }

    /// The setting of an argument: `section.field=value`, `minimize=formula` or `maximize=formula`.
    pub(crate) fn assigned(&self, pair: Pair<'_, Rule>) -> Built<Setting> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::assigned_objective {
            return self.objective(pair, span);
        }
        let mut inner = pair.into_inner();
        let mut path = inner.next().map(Pair::into_inner).into_iter().flatten();
        let mut ident = || path.find(|p| p.as_rule() == Rule::ident).map(|p| self.ident(&p));
        let (section, field) = (ident(), ident());
        let field = self.field_of(field.unwrap_or_else(empty_ident), inner, span)?;
        let name = section.unwrap_or_else(empty_ident);
        Ok(Setting::Section(Section { name, kind: None, fields: vec![field], span }))
    }

    fn field(&self, pair: Pair<'_, Rule>) -> Built<Field> {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let name = self.next_ident(&mut inner);
        self.field_of(name, inner, span)
    }

    fn field_of(&self, name: Ident, inner: Pairs<'_, Rule>, span: Span) -> Built<Field> {
        let mut laws = inner.clone();
        let law = laws.find(|pair| matches!(pair.as_rule(), Rule::law | Rule::assigned_law));
        let law = law.map(|law| self.law(law)).transpose()?;
        Ok(Field { name, value: self.last_expr(inner, span)?, law })
    }

    fn law(&self, pair: Pair<'_, Rule>) -> Built<Law> {
        let span = self.span(&pair);
        let mut inner = pair.into_inner();
        let name = self.next_ident(&mut inner);
        let argument = inner.next().map(|argument| self.last_expr(argument.into_inner(), span));
        Ok(Law { name, argument: argument.transpose()?, span })
    }

    fn params(&self, inner: &mut Pairs<'_, Rule>) -> Built<Vec<Param>> {
        let Some(params) = inner.next() else { return Ok(Vec::new()) };
        params
            .into_inner()
            .filter(|p| p.as_rule() == Rule::param)
            .map(|param| {
                let mut parts = param.into_inner();
                let name = self.next_ident(&mut parts);
                let default = parts.find(|p| p.as_rule() == Rule::expr);
                Ok(Param { name, default: default.map(|p| self.expr(p)).transpose()? })
            })
            .collect()
    }
}

fn idents(pair: Pair<'_, Rule>) -> impl Iterator<Item = Pair<'_, Rule>> {
    pair.into_inner().filter(|p| p.as_rule() == Rule::ident)
}

/// A key without its quotes, if it has them.
fn unquoted(key: &str) -> &str {
    key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(key)
}
