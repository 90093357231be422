//! Spaces from text.

use std::sync::Arc;

use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::modules::{LoadError, Program};
use nas_grammar::Source;
use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};
use nas_search::strategies::SCHEMAS;

fn load(_: &str, module: &[&str]) -> Result<Source, LoadError> {
    let text = match module {
        ["std", name] => nas_spaces::std_module(name),
        _ => None,
    };
    let text = text.ok_or_else(|| LoadError::Missing("not there".to_owned()))?;
    Ok(Source::new(format!("{}.nas", module.join("/")), text))
}

/// The space `s` of a text, and its recipe `r` or the default one.
pub(crate) fn compiled(text: &str) -> (Arc<Checked<Space>>, Recipe) {
    let mut problems = Problems::default();
    let program = Program::load(Source::new("s.nas", text), &load, &mut problems);
    let mut compiler = Compiler::new(&program, &mut problems).with_strategies(SCHEMAS);
    let space = compiler.space("s", &[]);
    let recipe = compiler.recipe("r", &[]).or_else(|| compiler.default_recipe("s", &[]));
    let problems: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
    space.zip(recipe).unwrap_or_else(|| panic!("{problems:?}"))
}

/// The space `s` of a text.
pub(crate) fn space(text: &str) -> Arc<Checked<Space>> {
    compiled(text).0
}
