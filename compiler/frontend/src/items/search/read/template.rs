//! Texts with placeholders, as strings of the language have expressions in braces.

use nas_diagnostics::{Place, suggested};
use nas_grammar::ast::{Expr, ExprKind, TextPart};
use nas_ir::recipe::Template;
use nas_ir::recipe::anneal::number;
use nas_ir::recipe::template::Part;

use super::super::errors::UnknownPlaceholder;
use super::super::statics::Static;
use super::{Reader, Slot, bare};

impl Reader<'_> {
    /// A text in which placeholders stand for what is filled in later; all other names in braces are those of
    /// the file.
    pub(super) fn template(
        &mut self,
        slot: Slot<'_>,
        expr: &Expr,
        placeholders: &'static [&'static str],
    ) -> Option<Template> {
        let ExprKind::Text(written) = &bare(expr).kind else {
            return self.text(slot, expr).map(|text| Template::new(vec![Part::Text(text)]));
        };
        let mut parts = Vec::new();
        let mut is_whole = true;
        for part in written {
            let read = match part {
                TextPart::Literal(text) => Some(Part::Text(text.clone())),
                TextPart::Interpolation(inner) => self.filled_in(slot, inner, placeholders),
            };
            is_whole &= read.is_some();
            parts.extend(read);
        }
        let template = Template::new(parts);
        if is_whole && template.is_blank() {
            return self.wrong(slot, expr.span, "an empty string");
        }
        is_whole.then_some(template)
    }

    /// What stands in braces in a template.
    fn filled_in(
        &mut self,
        slot: Slot<'_>,
        expr: &Expr,
        placeholders: &'static [&'static str],
    ) -> Option<Part> {
        if let ExprKind::Name(name) = &bare(expr).kind {
            if let Some(known) = placeholders.iter().find(|known| *known == name) {
                return Some(Part::Placeholder(known));
            }
            if (self.evaluate)(expr, slot.source).is_err() {
                let at = slot.source.at(expr.span);
                let help = suggested(at, name, placeholders, "the placeholders are");
                let label = "neither a placeholder nor a constant";
                let place = Place::new(slot.source, expr.span, label).help(help);
                self.problems.push(UnknownPlaceholder::at(place, slot.name(), name.as_str()));
                return None;
            }
        }
        Some(Part::Text(match self.evaluated(slot, expr)? {
            Static::Text(text) => text,
            Static::Integer(value) => value.to_string(),
            Static::Real(value) => number(value),
            Static::Flag(value) => value.to_string(),
            other => return self.wrong_value(slot, expr.span, &other),
        }))
    }
}
