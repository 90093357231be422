//! Which recipe a command works with.

use std::sync::Arc;

use clap::Args;
use nas_frontend::Compiler;
use nas_frontend::items::search::Override;
use nas_frontend::modules::Program;
use nas_grammar::{Problem, ast};
use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};

use super::input::DropArgs;
use super::pick::{pick, space_names};
use crate::render::report::Failure;

/// The options that pick and change a recipe.
#[derive(Debug, Args)]
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
    /// Threads of libtorch; if not given, half of the cores that nasc may use. More are faster only
    /// where no other program uses the cores. With another number the last digits may differ.
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub threads: Option<u32>,
}

/// Reads a number of threads: no more than four for each core, for each takes memory and waits for all others.
#[must_use]
pub fn threads_parser() -> clap::builder::RangedI64ValueParser<u32> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let most = i64::try_from(cores.saturating_mul(4)).unwrap_or(i64::from(u32::MAX));
    clap::value_parser!(u32).range(1..=most)
}

/// The recipe that a command works with, and its space: the one named, the only one of the
/// file, or the defaults for the only space where the file has none.
///
/// # Errors
/// There is none of this name, or several to choose from, or an override does not fit.
pub fn recipe<'p>(
    program: &'p Program,
    compiler: &mut Compiler<'p, '_>,
    name: Option<&str>,
    set: &[String],
) -> Result<(Recipe, Arc<Checked<Space>>), Failure> {
    let overrides = set
        .iter()
        .map(|text| Override::parse(text))
        .collect::<Result<Vec<Override>, Vec<Problem>>>()
        .map_err(Failure::Problems)?;
    let picked = pick_recipe(program, name)?;
    let space = match picked {
        PickedRecipe::Item(item) => compiler.searched(item),
        PickedRecipe::Defaults(space) => compiler.space(space, &[]),
    };
    let space = space.ok_or(Failure::Reported)?;
    let recipe = match picked {
        PickedRecipe::Item(item) => compiler.recipe(&item.name.name, &overrides),
        PickedRecipe::Defaults(space) => compiler.default_recipe(space, &overrides),
    };
    Ok((recipe.ok_or(Failure::Reported)?, space))
}

/// What a recipe is made from.
#[derive(Debug, Clone, Copy)]
pub enum PickedRecipe<'p> {
    /// An item of the file.
    Item(&'p ast::Search),
    /// The defaults, for the space of this name.
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

/// Which recipe [`recipe`] makes.
///
/// # Errors
/// There is none of this name, or several to choose from.
pub fn pick_recipe<'p>(
    program: &'p Program,
    name: Option<&str>,
) -> Result<PickedRecipe<'p>, Failure> {
    let names: Vec<&str> = program.recipes().map(|item| item.name.name.as_str()).collect();
    if name.is_none() && names.is_empty() {
        let by = "an item `search NAME of SPACE {}`";
        return pick(program, "space", by, None, &space_names(program)).map(PickedRecipe::Defaults);
    }
    let name = pick(program, "recipe", "`--recipe`", name, &names)?;
    let item = program.recipes().find(|item| item.name.name == name);
    item.map(PickedRecipe::Item).ok_or(Failure::Reported)
}
