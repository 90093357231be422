//! What a rehearsal counts, and that it changes nothing.

use std::ops::ControlFlow;
use std::thread::sleep;
use std::time::Duration;

use nas_testing::folder;

use super::scores::toy;
use super::toy::Toy;
use super::{assert_same, bytes, create, whole};
use crate::evaluator::{Step, Stop};
use crate::regime::short::{Ended, shortly};
use crate::regime::{Times, rehearse};
use crate::strategies::{aging_evolution, random, successive_halving};

fn times(toy: &Toy) -> Times {
    let dir = folder();
    let store = create(toy, dir.path());
    let go_on = &mut |_: crate::Event<'_>| ControlFlow::Continue(());
    rehearse(&toy.job(), &store, go_on).unwrap().unwrap()
}

fn counts(times: Times) -> [u32; 4] {
    [times.learning, times.scoring, times.trials, times.retraining].map(|(count, _)| count)
}

#[test]
fn everything_that_a_run_does_is_counted() {
    // Four epochs, four networks of the probabilities.
    let relaxed = Toy::short();
    let [learning, scoring, trials, retraining] = counts(times(&relaxed));
    assert_eq!([learning, trials, retraining], [4, 0, 3]);
    assert!((1..=5).contains(&scoring), "{scoring}");
    let finals = [("derive", "sample", 6), ("derive", "finalists", 2), ("derive", "epochs", 2)];
    let mut inherited = toy(&aging_evolution::SCHEMA, "inherited", &finals);
    inherited.recipe.schedule.epochs = 7;
    assert_eq!(counts(times(&inherited)), [7, 6, 2, 3]);
    let warm = [("derive", "sample", 6), ("score", "warmup", 9), ("score", "epochs", 2)];
    assert_eq!(counts(times(&toy(&random::SCHEMA, "train", &warm))), [0, 9, 6, 3]);
    let halving = [("derive", "sample", 9), ("score", "epochs", 9)];
    let halved = toy(&successive_halving::SCHEMA, "train", &halving);
    assert_eq!(counts(times(&halved)), [0, 0, 9 + 3 + 1, 3]);
}

#[test]
fn a_run_that_was_rehearsed_ends_the_same() {
    let toy = Toy::short();
    let (plain, rehearsed) = (folder(), folder());
    whole(&toy, plain.path());
    let mut store = create(&toy, rehearsed.path());
    let go_on = &mut |_: crate::Event<'_>| ControlFlow::Continue(());
    rehearse(&toy.job(), &store, go_on).unwrap();
    super::go(&toy, &mut store, None).unwrap();
    assert_same(&bytes(rehearsed.path()), &bytes(plain.path()), "rehearsed");
}

#[test]
fn a_rehearsal_may_be_stopped() {
    let toy = Toy::short();
    let dir = folder();
    let store = create(&toy, dir.path());
    for stop_at in [1, 5, 11] {
        let mut told = 0;
        let outcome = rehearse(&toy.job(), &store, &mut |_| {
            told += 1;
            if told >= stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(outcome, Err(Stop::Interrupted)), "{stop_at}: {told}");
    }
}

/// A pass of so many steps, each of a millisecond but for the first, which takes 50.
fn pass(of: usize) -> Ended<()> {
    let outcome = shortly(&mut |_| ControlFlow::Continue(()), |on_step| {
        for done in 1..=of {
            sleep(Duration::from_millis(if done == 1 { 50 } else { 1 }));
            if on_step(Step { done, of, loss: 0.5 }).is_break() {
                return Err(Stop::Interrupted);
            }
        }
        Ok(())
    });
    outcome.unwrap()
}

#[test]
fn a_pass_is_as_long_as_its_steps_without_the_first() {
    let Ended { report, loss, taken } = pass(10_000);
    assert_eq!((report, loss), (None, 0.5));
    // Sleep may take longer, on a busy machine by far; never less.
    let [short, whole] = [taken.short, taken.whole].map(|time| time.as_millis());
    assert!(short >= 57 && whole >= 10_000, "{short} {whole}");
    assert!(whole < short * 10_000 / 7, "the first step does not count: {short} {whole}");
    // One that is over soon is taken as it is.
    let Ended { report, taken, .. } = pass(4);
    assert_eq!((report, taken.short), (Some(()), taken.whole));
}
