//! Spaces from text.

use std::sync::Arc;

use nas_grammar::Source;
use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};

/// The space of a text, and its recipe or the default one.
pub(crate) fn compiled(text: &str) -> (Arc<Checked<Space>>, Recipe) {
    nas_testing::searched(Source::new("s.nas", text))
}

/// The space of a text.
pub(crate) fn space(text: &str) -> Arc<Checked<Space>> {
    compiled(text).0
}
