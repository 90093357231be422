//! Successive halving: what it costs, and that it finds the best although short trainings say little.

use std::collections::BTreeMap;

use nas_ir::recipe::{Recipe, Value};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::toy::Toy;
use crate::record::{Choices, TriedNetwork};
use crate::regime::Scores;
use crate::strategies::{self, SCHEMAS};
use crate::strategy::Method;

/// The toy searched so, scored by training, but for tests that know what comes of it.
fn toy(strategy: &str, set: &[(&'static str, &'static str, u32)]) -> Toy {
    let schema = SCHEMAS.iter().find(|schema| schema.name == strategy).unwrap();
    let mut toy = Toy::new().searched_by(Recipe::default_for("toy", schema).unwrap());
    for &(section, field, count) in set {
        toy.set(section, field, Value::Count(count));
    }
    toy
}

/// What each network is truly worth.
fn truth() -> impl Fn(&Choices) -> f64 {
    let mut by_table = toy("random", &[]);
    by_table.set("score", "by", Value::Word("table"));
    let Scores::Known(table) = by_table.job().scores else { panic!("it trains") };
    let table = table.clone();
    move |choices| table.score(choices).unwrap().primary().1
}

/// Runs a strategy whose trials say the truth with a noise that falls as they train; the trials, and the true worth
/// of the result.
fn run(toy: &Toy, seed: u64) -> (Vec<TriedNetwork>, f64) {
    let truth = truth();
    let search = strategies::search(&toy.space, &toy.recipe).unwrap();
    let Method::Alone(mut strategy, _) = search.method else { panic!("it trains a supernet") };
    let mut tried: Vec<(TriedNetwork, f64)> = Vec::new();
    for number in 0.. {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(number));
        let Some(trial) = strategy.ask(&mut rng).unwrap() else { break };
        let choices: Choices = toy.network(&trial.assignment).choices.into_iter().collect();
        let noise = 0.1 * (rng.random::<f64>() - 0.5) / f64::from(trial.budget.epochs);
        let value = truth(&choices) + noise;
        let outcome = toy.outcome(number, trial, value);
        strategy.tell(&outcome);
        tried.push((outcome.network, value));
    }
    assert_eq!(strategy.trials() as usize, tried.len());
    let order = |(network, value): &(TriedNetwork, f64)| (network.budget.epochs, *value);
    let best = tried.iter().max_by(|a, b| order(a).partial_cmp(&order(b)).unwrap()).unwrap();
    let worth = truth(&best.0.choices);
    (tried.into_iter().map(|(network, _)| network).collect(), worth)
}

fn epochs(tried: &[TriedNetwork]) -> u32 {
    tried.iter().map(|network| network.budget.epochs).sum()
}

/// How many networks were tried with each budget.
fn budgets(tried: &[TriedNetwork]) -> BTreeMap<u32, usize> {
    let mut budgets = BTreeMap::new();
    for network in tried {
        *budgets.entry(network.budget.epochs).or_default() += 1;
    }
    budgets
}

const HALVING: [(&str, &str, u32); 2] = [("derive", "sample", 81), ("score", "epochs", 27)];

#[test]
fn each_budget_takes_as_many_epochs() {
    let (tried, _) = run(&toy("successive_halving", &HALVING), 0);
    assert_eq!(budgets(&tried), BTreeMap::from([(1, 81), (3, 27), (9, 9), (27, 3)]));
    assert_eq!(epochs(&tried), 4 * 81);
    let (tried, _) = run(&toy("hyperband", &[("score", "epochs", 27)]), 0);
    let expected = BTreeMap::from([(1, 27), (3, 9 + 12), (9, 3 + 4 + 6), (27, 1 + 1 + 2 + 4)]);
    assert_eq!(budgets(&tried), expected);
}

/// Both draw the same 81 networks; the one trains all for 27 epochs, the other spends 15 % of that.
#[test]
fn it_finds_the_best_in_fewer_epochs_than_random_although_scores_are_noisy_at_first() {
    let halving = toy("successive_halving", &HALVING);
    let mut random = toy("random", &HALVING);
    random.set("score", "by", Value::Word("train"));
    let mut as_good = 0;
    for seed in 0..20 {
        let ((few, found), (all, best)) = (run(&halving, seed), run(&random, seed));
        assert_eq!((epochs(&few), epochs(&all)), (324, 2187));
        as_good += usize::from(found >= best);
    }
    assert!(as_good >= 16, "{as_good} of 20");
}

/// A space of five networks has fewer than are to be drawn: as many of them go on as of the others would.
#[test]
fn a_small_space_is_halved_all_the_same() {
    let few = Toy::of(super::toy::worths().split_at(1).0, "");
    let toy = few.searched_by(toy("successive_halving", &HALVING).recipe);
    let epochs = epochs_with_jobs(&toy, 1);
    assert_eq!(epochs, [1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 9, 9, 9, 9, 9, 27, 27, 27]);
}

/// The trials that a strategy asks for where so many are open, whose networks are worth what they cost; their epochs.
fn epochs_with_jobs(toy: &Toy, jobs: usize) -> Vec<u32> {
    let search = strategies::search(&toy.space, &toy.recipe).unwrap();
    let Method::Alone(mut strategy, _) = search.method else { panic!("it trains a supernet") };
    let (mut open, mut epochs, mut number) = (std::collections::VecDeque::new(), Vec::new(), 0);
    loop {
        while open.len() < jobs {
            let Some(trial) = strategy.ask(&mut ChaCha8Rng::seed_from_u64(number)).unwrap() else {
                break;
            };
            epochs.push(trial.budget.epochs);
            open.push_back((number, trial));
            number += 1;
        }
        let Some((number, trial)) = open.pop_front() else { return epochs };
        let value = nas_analysis::costs(&toy.network(&trial.assignment)).macs as f64;
        strategy.tell(&toy.outcome(number as u32, trial, value));
    }
}

const NINE: [(&str, &str, u32); 2] = [("derive", "sample", 9), ("score", "epochs", 9)];

#[test]
fn a_budget_begins_when_the_one_before_has_ended_however_many_jobs_there_are() {
    let together = [1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 3, 9];
    for jobs in [1, 2, 4, 20] {
        assert_eq!(epochs_with_jobs(&toy("successive_halving", &NINE), jobs), together);
    }
}

#[test]
fn asha_trains_a_network_for_longer_once_it_is_among_the_best_so_far() {
    let mut toy = toy("successive_halving", &NINE);
    toy.set("strategy", "promote", Value::Word("at_once"));
    let alone = epochs_with_jobs(&toy, 1);
    // Of the first three one is promoted before a fourth is drawn.
    assert_eq!(alone[..5], [1, 1, 1, 3, 1]);
    let budgets = |epochs: &[u32]| [1, 3, 9].map(|of| epochs.iter().filter(|e| **e == of).count());
    for jobs in [1, 2, 4, 20] {
        let [least, middle, most] = budgets(&epochs_with_jobs(&toy, jobs));
        assert_eq!(least, 9);
        // A network that was among the best of a few may not be among those of all.
        assert!(
            (3..9).contains(&middle) && (1..=middle).contains(&most),
            "{jobs}: {middle} {most}"
        );
    }
    // Too few to promote a third of: the best goes on all the same.
    toy.set("derive", "sample", Value::Count(2));
    toy.set("derive", "keep", Value::Count(1));
    assert_eq!(epochs_with_jobs(&toy, 2), [1, 1, 3, 9]);
}

/// With three trials open at a time, in every way that a search by budgets decides what is tried next.
fn with_three_jobs_it_ends_the_same(strategy: &str, promote: Option<&'static str>) {
    let counts: &[(&str, &str, u32)] = match strategy {
        "hyperband" => &[("score", "epochs", 4), ("strategy", "eta", 2), ("derive", "keep", 1)],
        _ => &[
            ("derive", "sample", 7),
            ("derive", "keep", 1),
            ("score", "epochs", 4),
            ("strategy", "eta", 2),
        ],
    };
    let mut toy = toy(strategy, counts);
    if let Some(promote) = promote {
        toy.set("strategy", "promote", Value::Word(promote));
    }
    super::commands::by_command(&mut toy.recipe.settings, super::commands::WORTH);
    toy.set("score", "jobs", Value::Count(3));
    let (sources, versions) = (super::sources(), super::versions());
    let inputs = super::inputs(&toy, &sources, &versions);
    super::crash::stop_anywhere(&toy, &inputs);
    super::crash::crash_anywhere(&toy, &inputs);
}

#[test]
fn halving_with_jobs_ends_the_same_wherever_it_is_stopped_or_crashes() {
    with_three_jobs_it_ends_the_same("successive_halving", Some("together"));
}

#[test]
fn asha_with_jobs_ends_the_same_wherever_it_is_stopped_or_crashes() {
    with_three_jobs_it_ends_the_same("successive_halving", Some("at_once"));
}

#[test]
fn hyperband_with_jobs_ends_the_same_wherever_it_is_stopped_or_crashes() {
    with_three_jobs_it_ends_the_same("hyperband", None);
}
