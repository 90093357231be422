//! The strategy `successive_halving` (Jamieson and Talwalkar 2016): one bracket.

mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};

use super::halving::{self, Bracket, Growth};
use super::sections::{self, Trials};
use crate::error::RunError;
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::halving::{reads, refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let (growth, Trials { sample, keep }) = (Growth::of(recipe)?, sections::trials(recipe)?);
    let bracket = Bracket { networks: sample as usize, steps: growth.steps };
    halving::search(space, growth, vec![bracket], keep)
}
