//! Programs from text, with the standard library and the files beside them.

use std::path::Path;
use std::sync::Arc;

use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::modules::{LoadError, Program};
use nas_grammar::Source;
use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use nas_search::strategies::SCHEMAS;

/// A shipped file, by name.
#[must_use]
pub fn shipped(name: &str) -> Source {
    let path = nas_spaces::shipped().join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Source::new(path.display().to_string(), text)
}

/// The names of the shipped files, sorted.
#[must_use]
pub fn shipped_names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(nas_spaces::shipped())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".nas"))
        .collect();
    names.sort();
    names
}

/// A text as if it stood beside the shipped spaces.
#[must_use]
pub fn beside_shipped(text: &str) -> Source {
    let path = nas_spaces::shipped().join("test.nas");
    Source::new(path.display().to_string(), text)
}

/// The one loader of modules: of the standard library, or a file beside the one that imports it. A
/// source without a folder, such as a text of a test, stands beside the shipped spaces.
///
/// # Errors
/// There is no such module.
pub fn load(importer: &str, module: &[&str]) -> Result<Source, LoadError> {
    let missing = || LoadError::Missing("not there".to_owned());
    if let ["std", rest @ ..] = module {
        let name = rest.join("/");
        let text = nas_spaces::std_module(&name).ok_or_else(missing)?;
        return Ok(Source::new(format!("std/{name}.nas"), text));
    }
    let folder = match Path::new(importer).parent() {
        Some(folder) if folder.is_dir() => folder.to_path_buf(),
        _ => nas_spaces::shipped().to_path_buf(),
    };
    let path = folder.join(format!("{}.nas", module.join("/")));
    let text = std::fs::read_to_string(&path).map_err(|_| missing())?;
    Ok(Source::new(path.display().to_string(), text))
}

/// What `run` makes with a compiler for the program, and the titles of all problems.
pub fn compile<T>(
    source: Source,
    run: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> T,
) -> (T, Vec<String>) {
    let (result, problems) = with_problems(source, run);
    (result, titles(problems))
}

/// What `run` makes with a compiler for the program, and all problems.
pub fn with_problems<T>(
    source: Source,
    run: impl for<'p> FnOnce(&'p Program, &mut Compiler<'p, '_>) -> T,
) -> (T, Problems) {
    let mut problems = Problems::default();
    let program = Program::load(source, &load, &mut problems);
    let mut compiler = Compiler::new(&program, &mut problems).with_strategies(SCHEMAS);
    let result = run(&program, &mut compiler);
    drop(compiler);
    (result, problems)
}

/// The only space of a program that has no errors.
#[must_use]
pub fn space(source: Source) -> Arc<Checked<Space>> {
    let text = source.text().clone();
    let (space, problems) = compile(source, |program, compiler| {
        let name = program.spaces().next().map(|space| space.name.name.clone()).unwrap_or_default();
        compiler.space(&name, &[])
    });
    space.unwrap_or_else(|| panic!("{problems:?} in\n{text}"))
}

/// The only space of a program that has no errors, and its recipe: that of its search, or the
/// default one.
#[must_use]
pub fn searched(source: Source) -> (Arc<Checked<Space>>, Recipe) {
    let text = source.text().clone();
    let (found, problems) = compile(source, |program, compiler| {
        let space = program.spaces().next()?.name.name.clone();
        let recipe = match program.recipes().next() {
            Some(search) => compiler.recipe(&search.name.name, &[]),
            None => compiler.default_recipe(&space, &[]),
        };
        compiler.space(&space, &[]).zip(recipe)
    });
    found.unwrap_or_else(|| panic!("{problems:?} in\n{text}"))
}

/// Every assignment, whether or not its decisions make a difference; `None` if there are more.
#[must_use]
pub fn assignments(space: &Space, most: usize) -> Option<Vec<Assignment>> {
    let widths: Vec<usize> = space.decisions.iter().map(|d| d.candidates.len()).collect();
    let total = widths.iter().try_fold(1usize, |product, &width| product.checked_mul(width))?;
    let nth = |mut n: usize| {
        let mut assignment = space.first_assignment();
        for ((id, _), width) in space.decision_ids().zip(&widths) {
            assignment.set(id, n % width);
            n /= width;
        }
        assignment
    };
    (total <= most).then(|| (0..total).map(nth).collect())
}

/// The titles of problems.
#[must_use]
pub fn titles(problems: Problems) -> Vec<String> {
    problems.into_vec().iter().map(ToString::to_string).collect()
}
