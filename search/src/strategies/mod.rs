//! The search strategies that there are: one table.
//!
//! A strategy is a folder here with a schema of its settings, what it refuses, and a constructor;
//! its row in [`TABLE`] is all that the rest knows of it. The tests in `tests/contract.rs` run on every
//! row.

pub mod aging_evolution;
pub mod bayesian;
mod black_box;
pub mod controller;
pub mod darts;
pub mod fbnetv2;
mod finals;
pub mod gdas;
pub mod grid;
pub mod gumbel;
mod halving;
pub mod hyperband;
pub mod local_search;
mod networks;
pub mod nsga2;
mod objective;
pub mod proxyless;
pub mod random;
mod relaxing;
mod sampling;
mod score;
mod sections;
mod stages;
pub mod successive_halving;
mod supernet;
pub mod tpe;
mod warmup;

use nas_analysis::costs::costs_without_peak;
use nas_ir::recipe::{NoSetting, Recipe, StrategySchema};
use nas_ir::{Assignment, Checked, Space};
use nas_passes::specialise;

use self::networks::Networks;
use crate::error::{Refusal, RunError};
use crate::random::{Purpose, generator};
use crate::strategy::{Reads, Search};
use crate::task::trainable;

/// A strategy, as the rest knows it.
pub struct Row {
    /// Its name and its settings.
    pub schema: &'static StrategySchema,
    /// The images that it takes batches of.
    pub reads: fn(&Recipe) -> Result<Reads, NoSetting>,
    /// Every construct of a space that it cannot search as the recipe asks for, each as a diagnostic.
    pub refused: fn(&Checked<Space>, &Recipe) -> Result<Vec<Refusal>, NoSetting>,
    /// The strategy at work on a space.
    pub search: for<'s> fn(&'s Checked<Space>, &Recipe) -> Result<Search<'s>, RunError>,
}

/// Makes the table, and the list of schemas, from one list of modules.
macro_rules! strategies {
    ($($strategy:ident),+ $(,)?) => {
        /// All strategies; a recipe that names none has the first.
        pub static TABLE: &[Row] = &[$(Row {
            schema: &$strategy::SCHEMA,
            reads: $strategy::reads,
            refused: $strategy::refused,
            search: $strategy::search,
        }),+];

        /// What recipes may say, one schema for each strategy.
        pub static SCHEMAS: &[&StrategySchema] = &[$(&$strategy::SCHEMA),+];
    };
}

strategies!(
    gumbel,
    fbnetv2,
    darts,
    gdas,
    proxyless,
    random,
    grid,
    aging_evolution,
    local_search,
    tpe,
    bayesian,
    controller,
    nsga2,
    successive_halving,
    hyperband
);

use score::is_by_proxies;
pub(crate) use score::patience;
pub use score::{are_proxies_cheap, is_by_command, table};
pub(crate) use sections::budget;

fn row(recipe: &Recipe) -> Result<&'static Row, RunError> {
    let name = recipe.strategy.name;
    let row = TABLE.iter().find(|row| row.schema.name == name);
    row.ok_or(RunError::UnknownStrategy { name })
}

/// Of which images the search of a recipe takes batches.
///
/// # Errors
/// The recipe is of no strategy in the table.
pub fn reads(recipe: &Recipe) -> Result<Reads, RunError> {
    Ok((row(recipe)?.reads)(recipe)?)
}

/// Nothing, if a space can be searched as a recipe asks for: all that can be known before there are
/// data.
///
/// # Errors
/// The space is for nothing that is trained, where the search trains, or as [`search`].
pub fn check(space: &Checked<Space>, recipe: &Recipe) -> Result<(), RunError> {
    if table(recipe)?.is_none() && !is_by_command(recipe)? {
        trainable(space)?;
    }
    search(space, recipe).map(drop)
}

/// Nothing, if the strategy of a recipe takes every construct of a space.
fn check_constructs(space: &Checked<Space>, recipe: &Recipe) -> Result<(), RunError> {
    let row = row(recipe)?;
    let mut refused = (row.refused)(space, recipe)?;
    refused.extend(objective::too_many(recipe));
    refused.extend(stages::refused(space, recipe)?);
    refused.extend(supernet::refused(space, recipe)?);
    if table(recipe)?.is_none() && !is_by_command(recipe)? {
        refused.extend(objective::metrics_of_others(space, recipe));
    }
    if is_by_proxies(recipe)? {
        refused.extend(objective::of_proxies(recipe));
    }
    if refused.is_empty() {
        return Ok(());
    }
    let (strategy, space) = (row.schema.name, space.name.clone());
    Err(RunError::Refused { strategy, space, refused })
}

/// How many networks are drawn for a typical one.
const DRAWN: usize = 9;

/// A network of median MACs, of some that are drawn uniformly.
///
/// # Errors
/// No network keeps the requirements of the space, or they cannot be counted.
pub(crate) fn typical(space: &Checked<Space>, recipe: &Recipe) -> Result<Assignment, RunError> {
    let networks = Networks::new(space)?;
    let mut random = generator(recipe.seed, Purpose::Typical);
    let drawn = (0..DRAWN).map(|_| networks.draw(&mut random));
    let mut drawn = drawn.collect::<Result<Vec<Assignment>, RunError>>()?;
    drawn.sort_by_cached_key(|drawn| costs_without_peak(&specialise(space, drawn)).macs);
    Ok(drawn.swap_remove(DRAWN / 2))
}

/// The search that a recipe asks for.
///
/// # Errors
/// [`RunError::Refused`] with every construct that is in the way, or the space is too entangled for the
/// strategy.
pub fn search<'s>(space: &'s Checked<Space>, recipe: &Recipe) -> Result<Search<'s>, RunError> {
    check_constructs(space, recipe)?;
    (row(recipe)?.search)(space, recipe)
}
