//! The strategy `successive_halving` (Jamieson and Talwalkar 2016): one bracket; or with promotion at once (ASHA).

mod asha;
mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};

use self::asha::Asha;
use super::black_box::Known;
use super::halving::{self, Bracket, Growth};
use super::sections::{self, Trials};
use crate::error::RunError;
use crate::strategy::{Method, Search};

pub use self::schema::SCHEMA;
pub(super) use super::halving::{reads, refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let (growth, Trials { sample, keep }) = (Growth::of(recipe)?, sections::trials(recipe)?);
    if schema::promotes_at_once(recipe)? {
        let asha = Asha::new(Known::new(space)?, growth, sample as usize);
        let method = Method::Alone(Box::new(asha), halving::scorer(space, recipe)?);
        return Ok(Search { method, keep });
    }
    let bracket = Bracket { networks: sample as usize, steps: growth.steps };
    halving::search(space, recipe, growth, vec![bracket], keep)
}
