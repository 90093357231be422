//! Words that a setting takes: one of them, or a list of some.

use nas_diagnostics::{Place, suggested};
use nas_grammar::ast::{Element, Expr, ExprKind};

use super::super::errors::{Repeated, UnknownWord, WrongValue};
use super::{Reader, Slot, bare};

impl Reader<'_> {
    /// One of these words.
    pub(super) fn word(
        &mut self,
        slot: Slot<'_>,
        expr: &Expr,
        words: &'static [&'static str],
    ) -> Option<&'static str> {
        let ExprKind::Name(name) = &bare(expr).kind else {
            let found = self.evaluated(slot, expr)?;
            return self.wrong_value(slot, expr.span, &found);
        };
        let known = words.iter().find(|word| *word == name);
        if known.is_none() {
            let help = suggested(slot.source.at(expr.span), name, words, "the words are");
            let place = Place::new(slot.source, expr.span, "not a word that it takes").help(help);
            self.problems.push(UnknownWord::at(place, slot.name(), name.as_str()));
        }
        known.copied()
    }

    /// Some of these words, each once.
    pub(super) fn words(
        &mut self,
        slot: Slot<'_>,
        expr: &Expr,
        words: &'static [&'static str],
    ) -> Option<Vec<&'static str>> {
        let elements = match &bare(expr).kind {
            ExprKind::List(elements) if elements.is_empty() => {
                return self.wrong(slot, expr.span, "an empty list");
            }
            ExprKind::List(elements) => elements,
            ExprKind::Name(name) if words.contains(&name.as_str()) => {
                let place = slot.place(expr.span, "this is one word, and no list");
                let place = place.fix(slot.write(format!("[{name}]")));
                let expected = slot.field.kind.expected();
                self.problems.push(WrongValue::at(place, slot.name(), expected));
                return None;
            }
            _ => {
                let found = self.evaluated(slot, expr)?;
                return self.wrong_value(slot, expr.span, &found);
            }
        };
        let mut found: Vec<(&'static str, &Expr)> = Vec::new();
        for element in elements {
            let Element::Value(written) = element else {
                return self.wrong(slot, element.span(), "a list that is computed");
            };
            let word = self.word(slot, written, words)?;
            if let Some((_, first)) = found.iter().find(|(earlier, _)| *earlier == word) {
                let place = Place::new(slot.source, written.span, "given again here")
                    .label(first.span, "given first here")
                    .advice(format!("keep one `{word}`"));
                self.problems.push(Repeated::at(place, format!("`{word}`")));
                return None;
            }
            found.push((word, written));
        }
        Some(found.into_iter().map(|(word, _)| word).collect())
    }
}
