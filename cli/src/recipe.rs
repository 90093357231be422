//! Which recipe a command works with.

use clap::Args;

use crate::input::DropArgs;

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub threads: Option<u32>,
}
