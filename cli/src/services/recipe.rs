//! Which recipe a command works with.

use std::sync::Arc;

use clap::Args;
use miette::Diagnostic;
use nas_frontend::Compiler;
use nas_frontend::items::search::Override;
use nas_frontend::modules::Program;
use nas_grammar::{Problem, ast};
use nas_ir::recipe::{NoSetting, Recipe};
use nas_ir::{Checked, Space};
use nas_search::strategies::SCHEMAS;
use thiserror::Error;

use super::compute::ComputeArgs;
use super::input::DropArgs;
use super::pick::{pick, space_names};
use crate::render::report::Failure;

/// The setting without which the defaults would run on whatever data are shipped.
const DATA_PATH: &str = "data.path";

/// The options that pick and change a recipe.
#[derive(Debug, Default, Args)]
pub struct RecipeArgs {
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// The recipe, where the file has several.
    #[arg(long)]
    pub recipe: Option<String>,
    /// A setting of the recipe, such as schedule.epochs=3; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The seed, instead of the recipe's.
    #[arg(long)]
    pub seed: Option<u64>,
    /// What computes.
    #[command(flatten)]
    pub compute: ComputeArgs,
}

impl RecipeArgs {
    /// The first option that was given of what picks and changes a recipe and says what computes, as it is written; the seed is
    /// none of them.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let options = [("--recipe", self.recipe.is_some()), ("--set", !self.set.is_empty())];
        let given = options.into_iter().find(|(_, is_given)| *is_given);
        given.map(|(option, _)| option).or_else(|| self.compute.given())
    }
}

/// A file that says of no space how to search it.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} has no recipe for {spaces}: nothing says on what data to train, nor how")]
#[diagnostic(
    code(nas::run::no_recipe),
    help(
        "write a recipe into the file, such as the one below, or take the defaults by `--set 'data.path=\"FOLDER\"'`; the folder holds `train`, `val` and `test`\n\n{recipe}"
    )
)]
struct NoRecipe {
    file: String,
    spaces: String,
    recipe: String,
}

/// Why nothing is trained of these spaces, the first of which there is.
fn no_recipe(program: &Program, spaces: &[&str]) -> Failure {
    let file = program.module(program.main()).map_or("the file", |main| main.source.name());
    let Some(first) = spaces.first() else {
        return Failure::input(format!("{file} has no space"));
    };
    let named: Vec<String> = spaces.iter().map(|space| format!("`{space}`")).collect();
    let spaces = named.join(", ");
    match sketch(first) {
        Ok(recipe) => Failure::problem(NoRecipe { file: file.to_owned(), spaces, recipe }),
        Err(fault) => Failure::problem(fault),
    }
}

/// A recipe to begin with, as it is written in a file.
///
/// # Errors
/// There are no defaults, which is a fault of nasc.
fn sketch(space: &str) -> Result<String, NoSetting> {
    let none = NoSetting { section: "strategy", field: "name" };
    let recipe = Recipe::default_for(space, SCHEMAS.first().ok_or(none)?)?;
    let Recipe { strategy, data, schedule, retrain, .. } = &recipe;
    Ok(format!(
        "search {space}_search of {space} {{
    strategy {} {{}}
    minimize cross_entropy + 0.002 * macs / 1M
    data images {{ path = \"FOLDER\", batch = {} }}
    schedule {{ epochs = {} }}
    retrain {{ epochs = {} }}
}}",
        strategy.name, data.batch, schedule.epochs, retrain.epochs
    ))
}

/// What a recipe is made from.
#[derive(Debug, Clone, Copy)]
pub enum PickedRecipe<'p> {
    /// An item of the file.
    Item(&'p ast::Search),
    /// The defaults for the space of this name, on data that the command line names.
    Defaults(&'p str),
}

impl<'p> PickedRecipe<'p> {
    /// The name of the recipe.
    #[must_use]
    pub fn name(self) -> &'p str {
        match self {
            Self::Item(item) => &item.name.name,
            Self::Defaults(space) => space,
        }
    }
}

/// Which recipe a command works with: the one named, or the only one of the file; where one space is
/// meant, the only one of it.
///
/// # Errors
/// There is none of this name, or several to choose from, or none at all and no data.
pub fn pick_recipe<'p>(
    program: &'p Program,
    args: &RecipeArgs,
    space: Option<&'p str>,
) -> Result<PickedRecipe<'p>, Failure> {
    let name = args.recipe.as_deref();
    let is_meant = |item: &ast::Search| {
        name.is_some() || space.is_none_or(|space| item.space.name.name == space)
    };
    let items: Vec<&ast::Search> = program.recipes().filter(|item| is_meant(item)).collect();
    if name.is_none() && items.is_empty() {
        let spaces = space.map_or_else(|| space_names(program), |space| vec![space]);
        if !args.set.iter().any(|set| set.trim_start().starts_with(DATA_PATH)) {
            return Err(no_recipe(program, &spaces));
        }
        let by = "an item `search NAME of SPACE {}`";
        return pick(program, "space", by, None, &spaces).map(PickedRecipe::Defaults);
    }
    let names: Vec<&str> = items.iter().map(|item| item.name.name.as_str()).collect();
    let name = pick(program, "recipe", "`--recipe`", name, &names)?;
    let item = items.into_iter().find(|item| item.name.name == name);
    item.map(PickedRecipe::Item).ok_or(Failure::Reported)
}

/// A recipe that was picked, with what the command line changes in it.
///
/// # Errors
/// It has errors, or a change does not fit.
pub fn recipe(
    compiler: &mut Compiler<'_, '_>,
    picked: PickedRecipe<'_>,
    args: &RecipeArgs,
) -> Result<Recipe, Failure> {
    let overrides = args.set.iter().map(|text| Override::parse(text));
    let overrides = overrides.collect::<Result<Vec<Override>, Vec<Problem>>>();
    let overrides = overrides.map_err(Failure::Problems)?;
    let mut recipe = match picked {
        PickedRecipe::Item(item) => compiler.recipe(&item.name.name, &overrides),
        PickedRecipe::Defaults(space) => compiler.default_recipe(space, &overrides),
    }
    .ok_or(Failure::Reported)?;
    if let Some(seed) = args.seed {
        recipe.seed = seed;
    }
    Ok(recipe)
}

/// The space that a recipe searches.
///
/// # Errors
/// It has errors.
pub fn searched<'p>(
    compiler: &mut Compiler<'p, '_>,
    picked: PickedRecipe<'p>,
) -> Result<Arc<Checked<Space>>, Failure> {
    let space = match picked {
        PickedRecipe::Item(item) => compiler.searched(item),
        PickedRecipe::Defaults(space) => compiler.space(space, &[]),
    };
    space.ok_or(Failure::Reported)
}

#[cfg(test)]
mod tests {
    use nas_grammar::Source;
    use nas_testing::compile;

    use super::*;

    #[test]
    fn the_recipe_to_begin_with_is_one() {
        let space = "space tiny { input x: [3, 8, 8] output y = x -> conv(4) }";
        let text = format!("{space}\n{}\n", sketch("tiny").unwrap());
        let (recipe, problems) = compile(Source::new("pasted.nas", text), |_, compiler| {
            compiler.recipe("tiny_search", &[])
        });
        assert!(problems.is_empty(), "{problems:?}");
        let recipe = recipe.unwrap();
        let mut default = Recipe::default_for("tiny_search", SCHEMAS[0]).unwrap();
        default.data.path = "FOLDER".to_owned();
        default.objective = recipe.objective.clone();
        assert_eq!(recipe, default);
    }
}
