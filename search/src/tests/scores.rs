//! What scores networks, and what that takes: proxies, early stopping, budgets.

use nas_ir::recipe::{Patience, Recipe, Value};
use nas_testing::folder;

use super::crash::{crash_anywhere, stop_anywhere};
use super::toy::{IMAGES, Toy};
use super::{create, go, inputs, resume, sources, versions, whole};
use crate::error::{Failure, RunError};
use crate::record::{Record, TriedNetwork, Verdict};
use crate::strategies::{self, SCHEMAS, aging_evolution, grid, random, successive_halving};
use crate::work::Work;
use nas_ir::recipe::StrategySchema;

/// The toy, searched so, with these counts.
pub(super) fn toy(
    schema: &'static StrategySchema,
    by: &'static str,
    counts: &[(&'static str, &'static str, u32)],
) -> Toy {
    let mut recipe = Recipe::default_for("toy", schema).unwrap();
    recipe.retrain = Toy::short().recipe.retrain;
    recipe.settings.set("score", "by", Value::Word(by));
    for &(section, field, count) in counts {
        recipe.settings.set(section, field, Value::Count(count));
    }
    Toy::short().searched_by(recipe)
}

fn tried(toy: &Toy, dir: &std::path::Path) -> Vec<TriedNetwork> {
    super::tried(&resume(toy, dir))
}

fn value(network: &TriedNetwork) -> f64 {
    network.score().unwrap().primary().1
}

fn by_proxies(names: &[&'static str]) -> Toy {
    let counts = [("derive", "sample", 40), ("derive", "finalists", 2), ("derive", "epochs", 2)];
    let mut toy = toy(&random::SCHEMA, "proxy", &counts);
    toy.set("score", "proxies", Value::Words(names.to_vec()));
    toy
}

#[test]
fn the_best_by_a_proxy_are_trained_and_the_best_of_these_is_returned() {
    let toy = by_proxies(&["synflow"]);
    let dir = folder();
    let result = whole(&toy, dir.path());
    let tried = tried(&toy, dir.path());
    let (trials, finals) = tried.split_at(40);
    assert_eq!(finals.len(), 2);
    assert!(trials.iter().all(|trial| trial.budget.epochs == 0 && trial.work == Work::forward(64)));
    let mut values: Vec<f64> = trials.iter().map(value).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let first = trials.iter().find(|trial| trial.choices == finals[0].choices).unwrap();
    assert_eq!(value(first), values[0]);
    let name = |network: &TriedNetwork| network.score().unwrap().primary().0.key().to_owned();
    assert_eq!([name(first), name(&finals[0])], ["synflow", "miou"]);
    assert!(finals.iter().any(|network| network.choices == result.choices));
    assert_eq!(result.budget.epochs, 2);
}

#[test]
fn several_proxies_vote_and_a_vote_is_the_same_in_a_run_that_goes_on() {
    let toy = by_proxies(&["synflow", "zen"]);
    let dir = folder();
    whole(&toy, dir.path());
    let tried = tried(&toy, dir.path());
    let score = |network: &TriedNetwork| -> Vec<(String, f64)> {
        let values = network.score().unwrap().values();
        values.map(|(metric, value)| (metric.key().to_owned(), value)).collect()
    };
    for trial in &tried[..40] {
        let score = score(trial);
        assert_eq!(
            score.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["vote", "synflow", "zen"]
        );
        // None is beaten by one that is worse by both.
        for other in tried[..40].iter().map(value_of) {
            let worse = other[1] < score[1].1 && other[2] < score[2].1;
            assert!(!worse || other[0] < score[0].1);
        }
    }
    // The first trial has what the thirty others took.
    assert_eq!(tried[0].work, Work::forward(64 * 2 * 31));
    assert_eq!(tried[1].work, Work::forward(64 * 2));
    let (sources, versions) = (sources(), versions());
    let mut few = by_proxies(&["synflow", "zen"]);
    few.set("derive", "sample", Value::Count(4));
    let inputs = inputs(&few, &sources, &versions);
    stop_anywhere(&few, &inputs);
    crash_anywhere(&few, &inputs);
}

fn value_of(network: &TriedNetwork) -> Vec<f64> {
    network.score().unwrap().values().map(|(_, value)| value).collect()
}

#[test]
fn a_network_for_which_a_proxy_is_not_defined_is_told_and_the_search_goes_on() {
    let toy = by_proxies(&["naswot"]);
    let dir = folder();
    let result = whole(&toy, dir.path());
    let tried = tried(&toy, dir.path());
    let failed = tried.iter().filter(|trial| matches!(&trial.verdict, Verdict::Failed(_)));
    let failed: Vec<&TriedNetwork> = failed.collect();
    assert!(!failed.is_empty());
    for trial in failed {
        assert_eq!(trial.choices.values().next().unwrap(), "c0");
        assert_eq!(
            trial.verdict,
            Verdict::Failed("`naswot` is not defined: it takes c0".to_owned())
        );
    }
    assert_ne!(result.choices.values().next().unwrap(), "c0");
}

#[test]
fn a_proxy_that_is_defined_for_no_network_ends_the_search() {
    let mut one = toy(&grid::SCHEMA, "proxy", &[]);
    one.space = Toy::of(&super::toy::worths()[..1], "require count(op == c0) == 1").space;
    one.set("score", "proxies", Value::Words(vec!["naswot"]));
    let dir = folder();
    let failure = go(&one, &mut create(&one, dir.path()), None).unwrap_err();
    let Failure::Run(RunError::UndefinedProxy { proxy, why }) = failure else {
        panic!("{failure:?}")
    };
    assert_eq!((proxy, why.as_str()), ("naswot", "it takes c0"));
}

#[test]
fn every_strategy_that_sees_scores_alone_ranks_by_proxies() {
    for schema in SCHEMAS {
        let section = schema.section("score");
        if section.is_none_or(|section| section.field("proxies").is_none()) {
            continue;
        }
        let mut toy = toy(schema, "proxy", &[]);
        let is_grid = schema.name == grid::SCHEMA.name;
        if is_grid {
            toy.space = Toy::of(&super::toy::worths()[..1], "").space;
        }
        let dir = folder();
        whole(&toy, dir.path());
        let tried = tried(&toy, dir.path());
        assert_eq!(tried.len(), if is_grid { 5 } else { 20 }, "{}", schema.name);
    }
}

#[test]
fn a_trial_that_stops_early_has_the_score_of_its_best_epoch() {
    let counts = [("derive", "sample", 3), ("derive", "keep", 1), ("score", "epochs", 8)];
    let mut toy = toy(&random::SCHEMA, "train", &counts);
    let patience = Patience { epochs: 2, min_delta: 0.3 };
    toy.set("score", "patience", Value::Count(patience.epochs));
    toy.set("score", "min_delta", Value::Real(patience.min_delta));
    let dir = folder();
    whole(&toy, dir.path());
    for trial in tried(&toy, dir.path()) {
        let epochs = trial.work.backward / IMAGES;
        assert!(epochs < 8 && trial.budget.epochs == 8, "{trial:?}");
        assert_eq!(trial.work.forward, 2 * trial.work.backward);
        // The toy is better after even epochs; of those that it had, the last one is the best.
        assert_eq!(u64::from(trial.epoch.unwrap()), epochs / 2 * 2 - 1, "{trial:?}");
    }
    let (sources, versions) = (sources(), versions());
    let inputs = inputs(&toy, &sources, &versions);
    stop_anywhere(&toy, &inputs);
    crash_anywhere(&toy, &inputs);
}

#[test]
fn a_run_says_what_it_took() {
    let counts = [("derive", "sample", 4), ("derive", "keep", 1)];
    let mut toy = toy(&random::SCHEMA, "inherited", &counts);
    toy.recipe.schedule.epochs = 2;
    let dir = folder();
    let result = whole(&toy, dir.path());
    let history = super::history(&resume(&toy, dir.path()));
    let learned: Work = history
        .iter()
        .map(|record| match record {
            Record::Search(epoch) => epoch.work,
            Record::Retrain(_) => Work::default(),
        })
        .sum();
    // Five networks in each step, as the widest decision has candidates.
    assert_eq!(learned, Work::training(2 * 5 * IMAGES));
    assert_eq!(result.work.search, learned + Work::forward(4 * IMAGES));
    assert_eq!(result.work.retrain, Work { forward: 6 * IMAGES, backward: 3 * IMAGES });
    // A training is 3 epochs, without its validation.
    let expected = (10.0 + 4.0 / 3.0) / 3.0;
    assert!((result.work.trainings().unwrap() - expected).abs() < 1e-9);
}

/// A search of as many images as this, of networks that are trained for two epochs and one pass of validation.
fn limited(images: u32, finalists: u32) -> Toy {
    let counts = [
        ("derive", "sample", 30),
        ("score", "epochs", 2),
        ("derive", "finalists", finalists),
        ("derive", "epochs", 3),
        ("derive", "budget", images),
    ];
    toy(&aging_evolution::SCHEMA, "train", &counts)
}

#[test]
fn a_search_ends_when_its_budget_is_spent() {
    // A trial takes 40 images forward and backward and 20 forward.
    for (images, finalists, trials) in [(1, 0, 1), (140, 0, 3), (141, 0, 4), (260, 2, 3)] {
        let toy = limited(images, finalists);
        let dir = folder();
        let result = whole(&toy, dir.path());
        let tried = tried(&toy, dir.path());
        let own = tried.iter().filter(|trial| trial.budget.epochs == 2).count();
        assert_eq!((own, tried.len() - own), (trials, finalists as usize), "{images}");
        let all: Work = tried.iter().map(|trial| trial.work).sum();
        assert_eq!(result.work.search, all);
    }
    let whole_run = limited(0, 0);
    let dir = folder();
    whole(&whole_run, dir.path());
    assert_eq!(tried(&whole_run, dir.path()).len(), 30);
}

#[test]
fn a_search_with_a_budget_ends_the_same_wherever_it_is_stopped_or_crashes() {
    let (sources, versions) = (sources(), versions());
    let halving = [("derive", "sample", 9), ("score", "epochs", 3), ("derive", "budget", 200)];
    for toy in [limited(260, 2), toy(&successive_halving::SCHEMA, "train", &halving)] {
        let inputs = inputs(&toy, &sources, &versions);
        stop_anywhere(&toy, &inputs);
        crash_anywhere(&toy, &inputs);
    }
}

#[test]
fn a_budget_ends_the_epochs_of_a_supernet_too() {
    // An epoch takes five networks over 20 images; the score of a network goes over 20 images.
    for (images, finalists, epochs, trials) in
        [(399, 0, 3, 3), (400, 0, 4, 1), (1, 0, 1, 1), (460, 2, 3, 3)]
    {
        let counts = [
            ("derive", "sample", 3),
            ("derive", "finalists", finalists),
            ("derive", "epochs", 3),
            ("derive", "budget", images),
        ];
        let mut toy = toy(&random::SCHEMA, "inherited", &counts);
        toy.recipe.schedule.epochs = 5;
        let dir = folder();
        whole(&toy, dir.path());
        let history = super::history(&resume(&toy, dir.path()));
        let learned = history.iter().filter(|record| matches!(record, Record::Search(_))).count();
        assert_eq!(learned, epochs, "{images}");
        let tried = tried(&toy, dir.path());
        assert_eq!(tried.len(), trials + finalists as usize, "{images}");
        if images == 399 {
            let (sources, versions) = (sources(), versions());
            let inputs = inputs(&toy, &sources, &versions);
            stop_anywhere(&toy, &inputs);
            crash_anywhere(&toy, &inputs);
        }
    }
}

/// A search whose networks are trained, after a warm-up by proxies.
fn warmed(schema: &'static StrategySchema, warmup: u32) -> Toy {
    let counts = [("derive", "sample", 6), ("score", "epochs", 2), ("score", "warmup", warmup)];
    let counts = [&counts[..], &[("strategy", "population", 3), ("strategy", "start", 3)]].concat();
    toy(schema, "train", &counts)
}

#[test]
fn after_a_warm_up_the_best_by_proxies_stand_for_networks_drawn_at_random() {
    for schema in SCHEMAS.iter().filter(|schema| schema.section("score").is_some()) {
        let Some(own) = schema.section("score").and_then(|score| score.field("warmup")) else {
            continue;
        };
        let toy = warmed(schema, 30);
        if ["grid", "controller"].contains(&schema.name) {
            let said = strategies::search(&toy.space, &toy.recipe).map(drop).unwrap_err();
            let RunError::Refused { refused, .. } = &said else { panic!("{said}") };
            assert!(refused[0].to_string().contains("draws no network at random"), "{}", own.name);
            continue;
        }
        let dir = folder();
        let result = whole(&toy, dir.path());
        let tried = tried(&toy, dir.path());
        let (warm, trials) = tried.split_at(30);
        assert_eq!(trials.len(), 6, "{}", schema.name);
        assert!(warm.iter().all(|trial| trial.budget.epochs == 0 && trial.uniform));
        assert!(trials.iter().all(|trial| trial.budget.epochs == 2 && !trial.uniform));
        let mut ranked: Vec<&TriedNetwork> = warm.iter().collect();
        ranked.sort_by(|a, b| value(b).total_cmp(&value(a)));
        let first = if schema.name == "random" { 6 } else { 3 };
        for (warm, trial) in ranked.iter().zip(&trials[..first]) {
            assert_eq!(warm.choices, trial.choices, "{}", schema.name);
        }
        assert_eq!(result.budget.epochs, 2);
    }
}

#[test]
fn a_warm_up_knows_of_no_objective_and_of_no_finals() {
    let mut toy = warmed(&aging_evolution::SCHEMA, 8);
    toy.recipe.objective = super::objective::objective("maximize miou - 0.0008 * macs");
    toy.set("derive", "finalists", Value::Count(2));
    let dir = folder();
    whole(&toy, dir.path());
    let epochs: Vec<u32> =
        tried(&toy, dir.path()).iter().map(|trial| trial.budget.epochs).collect();
    assert_eq!(epochs, [vec![0; 8], vec![2; 6], vec![10; 2]].concat());
    let (sources, versions) = (sources(), versions());
    let inputs = inputs(&toy, &sources, &versions);
    stop_anywhere(&toy, &inputs);
    crash_anywhere(&toy, &inputs);
}

#[test]
fn an_objective_is_refused_where_proxies_score() {
    let mut toy = by_proxies(&["synflow"]);
    toy.recipe.objective = super::objective::objective("maximize miou");
    let Err(error) = strategies::search(&toy.space, &toy.recipe).map(drop) else {
        panic!("it searches")
    };
    let RunError::Refused { refused, .. } = &error else { panic!("{error}") };
    assert_eq!(refused.len(), 1);
}
