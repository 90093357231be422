//! Spaces from text.

use std::sync::Arc;

use nas_grammar::Source;
use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};
use nas_testing::compile;

/// The space `s` of a text, and its recipe `r` or the default one.
pub(crate) fn compiled(text: &str) -> (Arc<Checked<Space>>, Recipe) {
    let ((space, recipe), problems) = compile(Source::new("s.nas", text), |_, compiler| {
        (compiler.space("s", &[]), compiler.recipe("r", &[]))
    });
    let space = space.unwrap_or_else(|| panic!("{problems:?}"));
    (space, recipe.unwrap_or_else(|| Recipe::default_for("s")))
}

/// The space `s` of a text.
pub(crate) fn space(text: &str) -> Arc<Checked<Space>> {
    compiled(text).0
}
