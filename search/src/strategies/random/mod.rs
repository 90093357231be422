//! The strategy `random`: networks drawn uniformly, the baseline of every other.

mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Assignment, Checked, Space};
use rand::RngCore;

use super::black_box::{self, Known, Proposer};
use crate::error::RunError;
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::black_box::{reads, refused_by_none as refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    black_box::search(space, recipe, Random)
}

/// What draws.
pub(in crate::strategies) struct Random;

impl Proposer for Random {
    fn is_independent(&self) -> bool {
        true
    }

    fn propose(
        &mut self,
        known: &Known<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Option<Assignment>, RunError> {
        known.draw(rng)
    }
}
