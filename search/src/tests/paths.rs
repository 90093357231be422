//! On which networks a supernet learns, epoch by epoch.

use std::ops::ControlFlow;

use nas_ir::recipe::{Recipe, Value};
use nas_ir::{Assignment, Checked, Measure, Space, Weights};
use nas_passes::specialise;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::toy::space;
use crate::error::{Fault, RunError};
use crate::evaluator::{OnStep, Part, Pass, Stop};
use crate::progress::Progress;
use crate::shared::{Beside, Exam, Lesson, Paths, SharedWeights};
use crate::strategies::{self, random};
use crate::strategy::{Method, Turn};
use crate::work::Work;

/// Two elastic kernels, a width and a depth: the largest network takes the last candidate everywhere.
const ELASTIC: &str = "
    space flexible {
        input x: [2, 8, 8]
        output y = x -> repeat elastic depth [1, 2] { conv(2, kernel = elastic kernel [1, 3, 5]) }
            -> conv(elastic width [2, 4], kernel = 1) -> conv(2, kernel = 1)
        require macs <= 12_000
    }";

/// What remembers the networks that it is to learn on.
#[derive(Default)]
struct Memory(Vec<Paths>);

impl SharedWeights for Memory {
    fn steps(&mut self, _: Part) -> Result<usize, Fault> {
        Ok(40)
    }

    fn train(&mut self, _: &Pass, paths: &Paths, _: OnStep<'_>) -> Result<f64, Stop> {
        self.0.push(paths.clone());
        Ok(1.0)
    }

    fn exam(&mut self, _: &Assignment, _: Beside) -> Result<Exam, Fault> {
        unreachable!("nothing is scored")
    }

    fn share_out(&mut self, _: usize) -> usize {
        1
    }

    fn work(&self) -> Work {
        Work::default()
    }

    fn state(&self) -> Result<Weights, Fault> {
        Ok(Weights::new())
    }

    fn restore(&mut self, _: &Weights) -> Result<(), Fault> {
        Ok(())
    }
}

fn recipe(epochs: u32, settings: &[(&'static str, Value)]) -> Recipe {
    let mut recipe = Recipe::default_for("r", &random::SCHEMA).unwrap();
    recipe.schedule.epochs = epochs;
    for (name, value) in settings {
        recipe.settings.set("schedule", name, value.clone());
    }
    recipe
}

/// The networks of each step of each epoch, and from what they learn.
fn learned(space: &Checked<Space>, recipe: &Recipe) -> Vec<Paths> {
    let Method::Shared(_, mut strategy) = strategies::search(space, recipe).unwrap().method else {
        panic!("nothing is shared")
    };
    let mut memory = Memory::default();
    for epoch in 0..recipe.schedule.epochs {
        let rng = &mut ChaCha8Rng::seed_from_u64(u64::from(epoch));
        let mut on_event = |_: crate::event::Event<'_>| ControlFlow::Continue(());
        let progress = &mut Progress::new(&mut on_event);
        strategy.epoch(&mut memory, Turn { epoch, rng, progress }).unwrap();
    }
    memory.0
}

fn macs(space: &Checked<Space>, network: &Assignment) -> u64 {
    nas_analysis::costs(&specialise(space, network)).of(Measure::Macs).unwrap()
}

/// The candidates that networks take, by label, without those that make no difference.
fn taken(space: &Checked<Space>, steps: &[Vec<Assignment>], label: &str) -> Vec<String> {
    let choices = steps.iter().flatten().flat_map(|network| specialise(space, network).choices);
    let of = |path: &str| space.decisions.iter().any(|d| d.path == path && d.label == label);
    let taken = choices.filter(|(path, _)| of(path)).map(|(_, candidate)| candidate);
    let mut taken: Vec<String> = taken.collect();
    taken.sort();
    taken.dedup();
    taken
}

#[test]
fn a_sandwich_is_the_largest_the_smallest_and_some_between() {
    let space = space(ELASTIC);
    let all = nas_testing::assignments(&space, 1_000).unwrap();
    let costs: Vec<u64> = all.iter().map(|network| macs(&space, network)).collect();
    let (least, most) = (costs.iter().min().unwrap(), costs.iter().max().unwrap());
    let sandwich = [("paths", Value::Word("sandwich")), ("random", Value::Count(3))];
    let [paths] = learned(&space, &recipe(1, &sandwich)).try_into().unwrap();
    assert_eq!((paths.steps.len(), paths.lesson), (40, Lesson::First));
    for step in &paths.steps {
        let costs: Vec<u64> = step.iter().map(|network| macs(&space, network)).collect();
        assert_eq!((costs[0], costs[1]), (*most, *least));
        assert!(*most > 12_000 && costs[2..].iter().all(|macs| *macs <= 12_000), "{costs:?}");
        assert!(step.len() <= 5 && (1..step.len()).all(|at| !step[..at].contains(&step[at])));
    }
    assert!(paths.steps.iter().any(|step| step.len() == 5));
    assert_eq!(taken(&space, &paths.steps, "kernel"), ["1", "3", "5"]);

    let labels = [sandwich.as_slice(), &[("distill", Value::Flag(false))]].concat();
    assert_eq!(learned(&space, &recipe(1, &labels))[0].lesson, Lesson::Labels);
}

#[test]
fn decisions_open_label_by_label() {
    let space = &space(ELASTIC);
    for (ways, of_first) in [("sandwich", 1), ("uniform", 1), ("fair", 2)] {
        let settings = [
            ("paths", Value::Word(ways)),
            ("shrink", Value::Text(Some("kernel, depth".to_owned()))),
        ];
        let epochs = learned(space, &recipe(7, &settings));
        let of = |label| epochs.iter().map(move |paths| taken(space, &paths.steps, label));
        let kernels: Vec<usize> = of("kernel").map(|taken| taken.len()).collect();
        assert_eq!(kernels, [1, 1, 1, 3, 3, 3, 3], "{ways}");
        assert_eq!(of("kernel").next().unwrap(), ["5"]);
        let depths: Vec<usize> = of("depth").map(|taken| taken.len()).collect();
        assert_eq!(depths, [1, 1, 1, 1, 1, 2, 2], "{ways}");
        assert_eq!(of("depth").next().unwrap(), ["2"]);
        // What has another label is open from the start.
        assert!(of("width").all(|taken| taken == ["2", "4"]), "{ways}");
        assert!(epochs[0].steps.iter().all(|step| step.len() >= of_first), "{ways}");
    }
    // In each part the smallest network is that of what is open.
    let settings = [
        ("paths", Value::Word("sandwich")),
        ("shrink", Value::Text(Some("kernel,depth".to_owned()))),
    ];
    let epochs = learned(space, &recipe(3, &settings));
    let smallest = epochs.iter().map(|paths| macs(space, &paths.steps[0][1]));
    // Both kernels of 5 and a width of 2; both of 1; one of 1.
    let of = |kernels: &[u64]| 64 * (kernels.iter().map(|k| 4 * k * k).sum::<u64>() + 4 + 4);
    assert_eq!(smallest.collect::<Vec<_>>(), [of(&[5, 5]), of(&[1, 1]), of(&[1])]);
}

#[test]
fn labels_that_open_nothing_are_refused() {
    let space = space(ELASTIC);
    let said = |epochs, text: &str| {
        let recipe = recipe(epochs, &[("shrink", Value::Text(Some(text.to_owned())))]);
        match strategies::search(&space, &recipe).map(drop) {
            Err(RunError::Refused { refused, .. }) => {
                let help = |said: &dyn miette::Diagnostic| said.help().unwrap().to_string();
                refused.iter().map(|said| format!("{said}; {}", help(said))).collect()
            }
            other => vec![format!("{other:?}")],
        }
    };
    assert_eq!(said(3, " kernel , depth "), ["Ok(())"]);
    assert_eq!(
        said(9, "kernal, depth"),
        [
            "`schedule.shrink = \"kernal, depth\"` cannot be done: no decision of `flexible` is called `kernal`; write `kernel`"
        ]
    );
    assert_eq!(
        said(9, "resolution"),
        [
            "`schedule.shrink = \"resolution\"` cannot be done: no decision of `flexible` is called `resolution`; \
          its decisions are called `depth`, `kernel`, `width`"
        ]
    );
    assert_eq!(
        said(2, "kernel, kernel"),
        [
            "`schedule.shrink = \"kernel, kernel\"` cannot be done: `kernel` stands there twice; name each label once",
            "`schedule.shrink = \"kernel, kernel\"` cannot be done: it makes 3 parts of 2 epochs; \
             write `schedule { epochs = 3 }` at least, or fewer labels"
        ]
    );
}
