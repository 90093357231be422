//! Spaces from text.

use std::sync::Arc;

use nas_grammar::Source;
use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};
use nas_testing::compile;

/// The space `s` of a text, and its recipe `r` or the default one.
pub(crate) fn compiled(text: &str) -> (Arc<Checked<Space>>, Recipe) {
    let ((space, recipe), problems) = compile(Source::new("s.nas", text), |_, compiler| {
        let recipe = compiler.recipe("r", &[]).or_else(|| compiler.default_recipe("s", &[]));
        (compiler.space("s", &[]), recipe)
    });
    space.zip(recipe).unwrap_or_else(|| panic!("{problems:?}"))
}

/// The space `s` of a text.
pub(crate) fn space(text: &str) -> Arc<Checked<Space>> {
    compiled(text).0
}
