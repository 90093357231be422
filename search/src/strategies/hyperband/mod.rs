//! The strategy `hyperband` (Li et al. 2018, algorithm 1): brackets of successive halving, from one that draws many networks and
//! halves them often to one that trains a few for all epochs, since it is not known how far short trainings can be
//! trusted.

mod schema;

use nas_ir::recipe::Recipe;
use nas_ir::{Checked, Space};

use super::halving::{self, Bracket, Growth};
use super::sections::keep;
use crate::error::RunError;
use crate::strategy::Search;

pub use self::schema::SCHEMA;
pub(super) use super::halving::{reads, refused};

/// The strategy at work on a space.
pub(super) fn search<'s>(
    space: &'s Checked<Space>,
    recipe: &Recipe,
) -> Result<Search<'s>, RunError> {
    let growth = Growth::of(recipe)?;
    let one = brackets(&growth);
    let times = schema::rounds(recipe)?;
    let all = (0..times).flat_map(|_| one.iter().copied()).collect();
    halving::search(space, recipe, growth, all, keep(recipe)?)
}

/// Those of one round: `s` from the most steps to none, with `ceil((s_max + 1) / (s + 1) * eta ^ s)` networks.
fn brackets(growth: &Growth) -> Vec<Bracket> {
    let of = |steps: u32| {
        let share = f64::from(growth.steps + 1) / f64::from(steps + 1);
        Bracket { networks: (share * growth.factor(steps)).ceil() as usize, steps }
    };
    (0..=growth.steps).rev().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By algorithm 1 of Li et al. 2018 with R = 81 and eta = 3.
    #[test]
    fn the_brackets_are_those_of_the_paper() {
        let mut recipe = Recipe::default_for("r", &SCHEMA).unwrap();
        let epochs = nas_ir::recipe::Value::Count(81);
        recipe.settings.set("score", "epochs", epochs);
        let growth = Growth::of(&recipe).unwrap();
        let networks: Vec<usize> = brackets(&growth).iter().map(|one| one.networks).collect();
        assert_eq!(networks, [81, 34, 15, 8, 5]);
    }
}
