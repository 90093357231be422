//! Runs whose goal is to train one given network.

use nas_ir::recipe::{Anneal, Patience};
use nas_ir::{Tensor, Weights};
use nas_testing::folder;

use super::crash::{crash_anywhere, stop_anywhere};
use super::toy::Toy;
use super::{create, go, inputs, sources, versions};
use crate::error::RunError;
use crate::record::{Choices, Phase, Record, Run, Status};
use crate::regime::End;
use crate::store::{Inputs, Start, Store, names};

fn choices(toy: &Toy) -> Choices {
    let decisions = toy.space.decisions.iter();
    decisions.map(|d| (d.path.clone(), d.candidates[2].clone())).collect()
}

fn weights(value: f32) -> Weights {
    Weights::from([("y.weight".to_owned(), Tensor::of_floats([1, 1], vec![value]))])
}

/// Runs what `inner` does on the inputs of a retraining.
fn with<T>(
    toy: &Toy,
    choices: &Choices,
    weights: Option<&Weights>,
    inner: impl FnOnce(&Inputs<'_>) -> T,
) -> T {
    let start = Some(Start { choices, weights });
    inner(&Inputs { start, ..inputs(toy, &sources(), &versions()) })
}

#[test]
fn it_trains_the_given_network_and_nothing_else() {
    let toy = Toy::short();
    let dir = folder();
    let choices = choices(&toy);
    let mut store = with(&toy, &choices, None, |inputs| Store::open(dir.path(), inputs)).unwrap();
    let End::Finished(result) = go(&toy, &mut store, None).unwrap().0 else { panic!() };
    assert_eq!((result.choices, result.trial), (choices, None));
    let history = super::history(&store);
    assert_eq!(history.len(), 3);
    assert!(history.iter().all(|record| matches!(record, Record::Retrain(_))));
    for absent in [names::SUPERNET, names::CANDIDATES, names::INITIAL] {
        assert!(store.read(absent).unwrap().is_none(), "{absent}");
    }
    let weights = nas_safetensors::from_bytes(&store.read(names::WEIGHTS).unwrap().unwrap());
    assert_eq!(weights.unwrap().keys().collect::<Vec<_>>(), ["y.weight"]);
}

#[test]
fn given_weights_are_where_it_begins() {
    let toy = Toy::short();
    let losses = [None, Some(weights(0.2))].map(|weights| {
        let dir = folder();
        let opened = with(&toy, &choices(&toy), weights.as_ref(), |i| Store::open(dir.path(), i));
        let mut store = opened.unwrap();
        go(&toy, &mut store, None).unwrap();
        let history = super::history(&store);
        let Some(Record::Retrain(epoch)) = history.into_iter().next() else { panic!() };
        epoch.train.loss
    });
    assert!(losses[1] < losses[0] - 0.1, "{losses:?}");
}

#[test]
fn a_training_whose_rate_stays_goes_on_for_longer() {
    let toy = |epochs: u32| {
        let mut toy = Toy::short();
        toy.recipe.retrain.epochs = epochs;
        toy.recipe.retrain.training.rate = Anneal::constant(0.02);
        toy.recipe.retrain.drop_path = Anneal::constant(0.5);
        toy
    };
    let run = |epochs: u32, dir: &std::path::Path| {
        let toy = toy(epochs);
        let opened = with(&toy, &choices(&toy), None, |inputs| Store::open(dir, inputs));
        let mut store = opened.unwrap();
        let End::Finished(result) = go(&toy, &mut store, None).unwrap().0 else { panic!() };
        let history = super::history(&store);
        (result, history, store.read(names::WEIGHTS).unwrap(), toy.passes.get())
    };
    let (longer, whole) = (folder(), folder());
    run(3, longer.path());
    let (.., passes) = run(3, longer.path());
    assert_eq!(passes, 0, "it is done");
    let (result, history, weights, passes) = run(5, longer.path());
    assert_eq!((history.len(), passes), (5, 2));
    let (at_once, of_one, of_whole, _) = run(5, whole.path());
    assert_eq!((result, history, weights), (at_once, of_one, of_whole));
}

#[test]
fn without_test_images_nothing_is_tested() {
    let mut toy = Toy::short();
    toy.has_test = false;
    let dir = folder();
    let mut store =
        with(&toy, &choices(&toy), None, |inputs| Store::open(dir.path(), inputs)).unwrap();
    let End::Finished(result) = go(&toy, &mut store, None).unwrap().0 else { panic!() };
    assert!(result.trained.unwrap().test.is_none());
    let written: serde_json::Value = store.read_json(names::RESULT).unwrap();
    assert!(written.get("test").is_none() && written.get("val").is_some(), "{written}");
}

#[test]
fn it_ends_the_same_wherever_it_is_stopped_or_crashes() {
    let toy = Toy::short();
    let weights = weights(0.2);
    with(&toy, &choices(&toy), Some(&weights), |inputs| {
        stop_anywhere(&toy, inputs);
        crash_anywhere(&toy, inputs);
    });
}

#[test]
fn it_stops_early_and_ends_the_same_wherever_it_is_stopped_or_crashes() {
    let mut toy = Toy::short();
    toy.recipe.retrain.epochs = 9;
    toy.recipe.retrain.patience = Patience { epochs: 2, min_delta: 0.2 };
    with(&toy, &choices(&toy), None, |inputs| {
        let dir = folder();
        let mut store = Store::open(dir.path(), inputs).unwrap();
        let End::Finished(result) = go(&toy, &mut store, None).unwrap().0 else { panic!() };
        let history = super::history(&store);
        let values = history.iter().map(|record| match record {
            Record::Retrain(epoch) => epoch.val.fitness(),
            Record::Search(_) => panic!("it searches"),
        });
        let values: Vec<f64> = values.collect();
        // The toy is better after every other epoch, by less and less.
        assert!(values.len() < 9 && toy.recipe.retrain.patience.is_over(values.clone()));
        let all_but_one = values[..values.len() - 1].to_vec();
        assert!(!toy.recipe.retrain.patience.is_over(all_but_one));
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(result.trained.unwrap().val.fitness(), best);
        assert_eq!(result.work.retrain.backward, super::toy::IMAGES * values.len() as u64);
        stop_anywhere(&toy, inputs);
        crash_anywhere(&toy, inputs);
    });
}

#[test]
fn a_stop_before_the_first_epoch_is_one_of_the_retraining() {
    let toy = Toy::short();
    let dir = folder();
    let opened = with(&toy, &choices(&toy), None, |inputs| Store::open(dir.path(), inputs));
    let (outcome, _) = go(&toy, &mut opened.unwrap(), Some(1)).unwrap();
    assert_eq!(outcome, End::Interrupted(Status { phase: Phase::Retrain, done: 0, of: 3 }));
}

#[test]
fn another_goal_network_or_beginning_is_another_run() {
    let toy = Toy::short();
    let dir = folder();
    let given = choices(&toy);
    let opened = with(&toy, &given, Some(&weights(0.2)), |inputs| Store::open(dir.path(), inputs));
    drop(opened.unwrap());
    let differences = |choices: &Choices, weights: Option<&Weights>| match with(
        &toy,
        choices,
        weights,
        |inputs| Store::open(dir.path(), inputs),
    ) {
        Err(RunError::Differs { differences, .. }) => differences,
        other => panic!("{other:?}"),
    };
    let mut other = given.clone();
    other.insert("u1.0/op".to_owned(), "c4".to_owned());
    assert_eq!(
        differences(&other, Some(&weights(0.2))),
        ["it trains another network: `u1.0/op` is c2 in it and c4 now"]
    );
    for weights in [None, Some(&weights(0.3))] {
        assert_eq!(differences(&given, weights), ["it began with other weights"]);
    }
    let search = Store::open(dir.path(), &inputs(&toy, &sources(), &versions())).unwrap_err();
    assert!(search.to_string().ends_with("it is the retraining of one network"), "{search}");
    drop(with(&toy, &given, Some(&weights(0.2)), |i| Store::open(dir.path(), i)).unwrap());

    let searched = folder();
    drop(create(&toy, searched.path()));
    let error = with(&toy, &given, None, |inputs| Store::open(searched.path(), inputs));
    assert!(error.unwrap_err().to_string().ends_with("it is a search"));
}

#[test]
fn what_a_retraining_left_that_was_not_begun_for_good_is_not_of_a_search() {
    let toy = Toy::short();
    let dir = folder();
    let weights = weights(0.2);
    let opened = with(&toy, &choices(&toy), Some(&weights), |i| Store::open(dir.path(), i));
    drop(opened.unwrap());
    std::fs::remove_file(dir.path().join(names::RUN)).unwrap();
    let store = create(&toy, dir.path());
    for absent in [names::ASSIGNMENT, names::INITIAL] {
        assert!(store.read(absent).unwrap().is_none(), "{absent}");
    }
}

#[test]
fn the_run_says_what_it_is_of() {
    let toy = Toy::short();
    let dir = folder();
    let opened = with(&toy, &choices(&toy), None, |inputs| Store::open(dir.path(), inputs));
    let run: Run = opened.unwrap().read_json(names::RUN).unwrap();
    let json = serde_json::to_value(&run).unwrap();
    assert_eq!(json["goal"], "retrain");
    assert_eq!(json["versions"]["nasc"], "0.1.0");
}
