//! What a policy draws.

use nas_ir::recipe::{Recipe, Value};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::toy::{Toy, space};
use crate::strategies::{self, SCHEMAS};
use crate::strategy::Method;

/// Of three networks two have `inner`, the decision that comes first; that it is there is decided after it.
const LATER: &str = "
    block inner(x) { x -> choose op { c0: conv(1, kernel = (1, 3)) c1: conv(1, kernel = (1, 5)) } }
    block outer(x, y) { choose op { without: x with: x + y } }
    space toy {
        input x: [1, 1, 1]
        let y = x -> inner
        output z = outer(x, y) -> relu
    }";

#[test]
fn a_decision_that_a_later_one_may_bring_in_is_drawn() {
    let schema = SCHEMAS.iter().find(|schema| schema.name == "controller").unwrap();
    let mut toy = Toy::with(space(LATER), vec![vec![0.0; 2], vec![0.0; 2]]);
    toy.recipe = Recipe::default_for("toy", schema).unwrap();
    toy.set("score", "by", Value::Word("table"));
    toy.set("derive", "sample", Value::Count(3));
    let Method::Alone(mut strategy, _) =
        strategies::search(&toy.space, &toy.recipe).unwrap().method
    else {
        panic!("it trains a supernet")
    };
    for number in 0..3 {
        let mut rng = ChaCha8Rng::seed_from_u64(number.into());
        let trial = strategy.ask(&mut rng).unwrap().unwrap();
        assert!(!trial.uniform, "the policy draws all three networks, and not chance in its place");
        strategy.tell(&toy.outcome(number, trial, 0.5));
    }
}
