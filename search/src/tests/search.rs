//! What a search finds, and how.

use std::ops::ControlFlow;

use nas_ir::recipe::Value;
use nas_ir::{Metric, TaskMetrics};
use nas_testing::folder;

use super::objective::objective;
use super::toy::{Fault, Toy};
use super::{bytes, create, go, whole};
use crate::error::{Failure, RunError};
use crate::event::{Event, StepKind};
use crate::record::{Choices, Phase, Record, SearchEpoch, TriedNetwork};
use crate::regime::run;
use crate::store::names;

fn epochs(toy: &Toy) -> (Vec<SearchEpoch>, Vec<TriedNetwork>) {
    let dir = folder();
    let mut store = create(toy, dir.path());
    go(toy, &mut store, None).unwrap();
    let epochs = super::history(&store).into_iter().filter_map(|record| match record {
        Record::Search(epoch) => Some(epoch),
        Record::Retrain(_) => None,
    });
    (epochs.collect(), super::tried(&store))
}

fn chosen(choices: &Choices) -> Vec<&str> {
    choices.values().map(String::as_str).collect()
}

fn entropy(epoch: &SearchEpoch) -> f64 {
    epoch.entropy.unwrap()
}

fn rows(epoch: &SearchEpoch) -> &[Vec<f64>] {
    epoch.probabilities.as_deref().unwrap()
}

#[test]
fn it_finds_the_best_network() {
    let toy = Toy::new();
    let result = whole(&toy, folder().path());
    assert_eq!(chosen(&result.choices), ["c1", "c3", "c0", "c2"]);
    let (epochs, scored) = epochs(&toy);
    // The choices themselves agree, not only the ranking of the draws.
    assert_eq!(chosen(&scored[0].choices), ["c1", "c3", "c0", "c2"]);
    assert!(entropy(epochs.last().unwrap()) < 0.5 * entropy(&epochs[0]));
    assert!((entropy(&epochs[0]) - 5_f64.ln()).abs() < 1e-6);
}

#[test]
fn pressure_on_cost_changes_the_choice() {
    let mut toy = Toy::new();
    toy.recipe.objective = objective("minimize cross_entropy + 0.05 * macs");
    let (_, scored) = epochs(&toy);
    assert_eq!(chosen(&scored[0].choices), ["c3", "c4", "c0", "c1"], "the cheap ones");
    assert_eq!(scored[0].cost.macs, 40);
}

#[test]
fn the_warm_up_leaves_the_choices_alone() {
    let (epochs, _) = epochs(&Toy::new());
    assert_eq!(epochs.len(), 30);
    for (i, epoch) in epochs.iter().enumerate() {
        assert_eq!(epoch.epoch as usize, i);
        assert_eq!(epoch.choices.is_none(), i < 3);
        if i < 3 {
            assert!(rows(epoch).iter().flatten().all(|p| (p - 0.2).abs() < 1e-6));
            assert_eq!(epoch.temperature, Some(5.0));
        }
    }
    assert_eq!((epochs[3].temperature, epochs[29].temperature), (Some(5.0), Some(1.0)));
    assert_eq!((epochs[0].learning_rate[0], epochs[29].learning_rate[1]), (0.05, 0.0));
}

#[test]
fn improbable_candidates_go_for_good_but_never_the_last() {
    let mut toy = Toy::new();
    toy.set("strategy", "prune_below", Value::Real(0.49));
    let (epochs, scored) = epochs(&toy);
    let pruned: Vec<_> = epochs.iter().flat_map(|epoch| epoch.pruned.iter().flatten()).collect();
    assert_eq!(pruned.len(), 16, "all but one of each decision, each once");
    assert!(pruned.iter().all(|p| p.probability < 0.49));
    assert!(epochs[3..].iter().all(|epoch| {
        rows(epoch).iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-5)
    }));
    assert_eq!(scored.len(), 1, "one network is left");
    assert_eq!(scored[0].drawn, 20);

    toy.set("strategy", "prune_below", Value::Real(0.0));
    assert!(
        self::epochs(&toy).0.iter().all(|epoch| epoch.pruned.as_ref().is_some_and(Vec::is_empty))
    );
}

#[test]
fn networks_are_ranked_by_score_then_cost() {
    // Two equally good candidates everywhere; one is cheaper.
    let worth = [(0.1, 10), (0.5, 50), (0.5, 20), (0.1, 10), (0.1, 10)];
    let mut toy = Toy::of(&[worth; 4], "");
    toy.set("derive", "sample", Value::Count(200));
    toy.set("derive", "keep", Value::Count(3));
    let dir = folder();
    let result = whole(&toy, dir.path());
    assert_eq!(chosen(&result.choices), ["c2"; 4]);
    let store = super::resume(&toy, dir.path());
    let kept: Vec<TriedNetwork> = store.read_json(names::CANDIDATES).unwrap();
    assert_eq!(kept.iter().map(|c| c.cost.macs).collect::<Vec<_>>(), [80, 110, 110]);
    let scored = super::tried(&store);
    assert_eq!(scored.iter().map(|c| c.drawn).sum::<u32>(), 200);
    let distinct: std::collections::BTreeSet<_> =
        scored.iter().map(|c| chosen(&c.choices)).collect();
    assert_eq!(distinct.len(), scored.len(), "each network is scored once");
}

#[test]
fn decisions_that_a_network_does_not_have_do_not_count() {
    let toy = Toy::nested();
    let (_, scored) = epochs(&toy);
    let distinct: std::collections::BTreeSet<_> =
        scored.iter().map(|c| chosen(&c.choices)).collect();
    assert_eq!(distinct.len(), scored.len());
    let result = whole(&toy, folder().path());
    assert_eq!(result.choices.len(), 3, "the first takes c1, so what is inside c0 is not there");
}

#[test]
fn the_best_epoch_of_the_retraining_is_kept() {
    let toy = Toy::new();
    let dir = folder();
    let result = whole(&toy, dir.path());
    let store = super::resume(&toy, dir.path());
    let vals: Vec<f64> = super::history(&store)
        .iter()
        .filter_map(|record| match record {
            Record::Retrain(epoch) => Some(epoch.val.primary().1),
            Record::Search(_) => None,
        })
        .collect();
    let trained = result.trained.unwrap();
    assert_eq!((vals.len(), trained.epoch), (5, 3), "not the last");
    let best = vals.iter().copied().fold(0.0, f64::max);
    let (metric, val) = trained.val.primary();
    assert!(*metric == Metric::Miou && val == best, "{trained:?}");
    assert_eq!(vals[trained.epoch as usize], best);
    assert!(
        (trained.test.as_ref().unwrap().primary().1 - 0.9 * best).abs() < 1e-12,
        "the kept weights are tested"
    );
    let weights =
        nas_safetensors::from_bytes(&store.read(names::WEIGHTS).unwrap().unwrap()).unwrap();
    assert_eq!(weights.keys().collect::<Vec<_>>(), ["y.weight"], "no optimiser state");
    for gone in [names::TRAINEE, names::BEST] {
        assert!(store.read(gone).unwrap().is_none());
    }
}

#[test]
fn another_primary_metric_ranks_by_its_own_direction() {
    let mut toy = Toy::new();
    let by_miou = whole(&toy, folder().path());
    // The toy's loss is 1 - mIoU, so the lowest picks what the highest mIoU picked.
    toy.metrics = TaskMetrics {
        primary: Metric::Loss,
        metrics: &[Metric::Accuracy, Metric::Loss],
        by_class: &[],
    };
    let by_loss = whole(&toy, folder().path());
    let [loss, miou] = [by_loss.trained.unwrap(), by_miou.trained.unwrap()];
    assert_eq!(*loss.val.primary().0, Metric::Loss);
    assert_eq!((by_loss.choices, loss.epoch), (by_miou.choices, miou.epoch));
}

#[test]
fn same_seed_same_bytes() {
    let mut toy = Toy::short();
    let runs = [folder(), folder(), folder()];
    whole(&toy, runs[0].path());
    whole(&toy, runs[1].path());
    super::assert_same(&bytes(runs[0].path()), &bytes(runs[1].path()), "same seed");
    toy.recipe.seed = 1;
    whole(&toy, runs[2].path());
    assert_ne!(bytes(runs[0].path())["epochs"], bytes(runs[2].path())["epochs"]);
    assert!(bytes(runs[0].path()).contains_key("sources/toy.nas"));
}

#[test]
fn events_tell_the_run_in_order() {
    let toy = Toy::short();
    let dir = folder();
    let mut told: Vec<String> = Vec::new();
    let mut on_event = |event: Event<'_>| {
        told.push(match event {
            Event::PhaseBegan { phase, done, of } => format!("{phase} {done}/{of}"),
            Event::Step { kind, .. } => format!("{kind:?}"),
            Event::Waiting => "waiting".to_owned(),
            Event::Pruned { .. } => "pruned".to_owned(),
            Event::EpochDone { record, .. } => format!("epoch {}", record.epoch),
            Event::Scored { .. } => "scored".to_owned(),
            Event::Ranked { networks } => format!("ranked {}", networks.len()),
            Event::StoppedEarly { done } => format!("stopped after {done}"),
            Event::Spent { work } => format!("spent {work:?}"),
            Event::Retrained { record, best, .. } => format!("retrained {} {best}", record.epoch),
            Event::Done { .. } => "done".to_owned(),
            Event::Resumed { .. } => "resumed".to_owned(),
        });
        ControlFlow::Continue(())
    };
    let job = toy.job();
    run(&job, &mut create(&toy, dir.path()), &mut on_event).unwrap();
    told.dedup();
    let text = told.join(", ");
    assert!(text.starts_with("search 0/4, Weights, epoch 0, Weights, Choices, "), "{text}");
    assert!(text.contains("pruned, epoch "), "{text}");
    assert!(text.contains("Score, scored, "), "{text}");
    let end = "ranked 2, retrain 0/3, Train, Val, retrained 0 true, Train, Val, retrained 1 true, \
               Train, Val, retrained 2 false, Test, done";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(format!("{} {:?}", Phase::Derive, StepKind::Val), "derive Val");
}

#[test]
fn faults_of_the_backend_are_told() {
    for (fault, expected) in [
        (Fault::Diverges, "nas::run::diverged"),
        (Fault::ShortTable, "nas::internal::probabilities"),
        (Fault::Fails, "out of memory"),
    ] {
        let toy = Toy::new();
        toy.fault.set(fault);
        let dir = folder();
        let failure = go(&toy, &mut create(&toy, dir.path()), None).unwrap_err();
        let said = match &failure {
            Failure::Run(error) => miette::Diagnostic::code(error).unwrap().to_string(),
            Failure::Backend(fault) => fault.to_string(),
        };
        assert_eq!(said, expected);
        if let Failure::Run(error @ RunError::Diverged { .. }) = failure {
            assert_eq!(
                error.to_string(),
                "the loss of the choices of epoch 5 is not a finite number"
            );
            // What was done before is kept, and the run goes on when the fault is gone.
            toy.fault.set(Fault::None);
            let reference = folder();
            whole(&toy, reference.path());
            go(&toy, &mut super::resume(&toy, dir.path()), None).unwrap();
            super::assert_same(&bytes(dir.path()), &bytes(reference.path()), "after a divergence");
        }
    }
}

#[test]
fn a_space_of_one_network_is_retrained() {
    let toy = Toy::of(&[], "").searched_by(Toy::short().recipe);
    let dir = folder();
    let result = whole(&toy, dir.path());
    assert!(result.choices.is_empty() && result.cost.macs == 0);
    assert!(result.trained.unwrap().test.unwrap().primary().1 > 0.0);
}
