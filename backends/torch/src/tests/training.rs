//! Passes over a few tiles of the land-cover set: they learn, repeat and stop when told.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use nas_data::Dataset;
use nas_ir::recipe::{Anneal, Law, LearningRate, Recipe};
use nas_ir::{
    Assignment, Checked, ClassMetric, Metric, Model, Shape, Space, Task, Tensor as Plain,
};
use nas_search::evaluator::{Part, Pass, Rate, Split, Step, Stop};
use nas_search::shared::{Lesson, Mixing, Sharing};
use nas_search::strategies::gumbel;
use nas_search::task::{Trainable, TrainableInput};
use tch::{Device, Kind, Tensor};

use super::build::{UNITS, network, squeeze};
use super::loss;
use super::sgd;
use super::supernet::settings;
use crate::error::{Phase, TorchError};
use crate::judge::{Judge, Judging};
use crate::loaders::Loaders;
use crate::mixture::Mixture;
use crate::network::{TorchNetwork, run};
use crate::optimizer::Optimizer;
use crate::passes::{Exam, score, train};
use crate::program::Program;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets, mean_loss};
use crate::training_loss::TrainingLoss;

/// A few tiles of each split in a temporary folder.
struct Tiles(nas_testing::Folder);

impl Tiles {
    fn new(train: usize) -> Self {
        let dir = nas_testing::folder();
        let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spaces/data/landcover");
        fs::copy(from.join("dataset.json"), dir.path().join("dataset.json")).unwrap();
        for (split, count) in [("train", train), ("val", 5), ("test", 4)] {
            copy(&from.join(split), &dir.path().join(split), count);
        }
        Self(dir)
    }

    fn loaders(&self, batch: u32, change: impl FnOnce(&mut Recipe)) -> Loaders {
        let mut recipe = recipe();
        change(&mut recipe);
        let dataset = Dataset::open(self.0.path()).unwrap();
        let task = Task::Segmentation { classes: 7, ignore: 255 };
        let input = TrainableInput { name: "image".to_owned(), shape: Shape::from([3, 64, 64]) };
        let shown = Trainable { task, inputs: vec![input], times: 1 };
        Loaders::new(&dataset, &recipe, &shown, batch, 0.5, Device::Cpu).unwrap()
    }
}

fn copy(from: &Path, to: &Path, count: usize) {
    for folder in ["images", "labels"] {
        fs::create_dir_all(to.join(folder)).unwrap();
        let mut files: Vec<_> =
            fs::read_dir(from.join(folder)).unwrap().map(|f| f.unwrap().file_name()).collect();
        files.sort();
        for file in files.into_iter().take(count) {
            fs::copy(from.join(folder).join(&file), to.join(folder).join(&file)).unwrap();
        }
    }
}

fn recipe() -> Recipe {
    let mut recipe = Recipe::default_for("r", &gumbel::SCHEMA).unwrap();
    recipe.data.scale = Some([0.8, 1.25]);
    (recipe.data.batch, recipe.data.workers) = (4, 1);
    recipe.seed = 11;
    recipe
}

fn space() -> Checked<Space> {
    squeeze(7, Shape::from([3, 64, 64]), &[(16, 2), (16, 1)], &[UNITS[2], UNITS[8]])
}

fn pass(part: Part, epoch: u32) -> Pass {
    Pass { part, epoch, learning_rate: falling(0.1, 0.05), drop_path: 1.0 }
}

/// A rate that falls over one pass.
fn falling(from: f64, to: f64) -> Rate {
    let anneal = Anneal { from, to, law: Law::Linear };
    Rate::over(LearningRate { anneal, warmup: 0.0 }, 0, 1)
}

fn go_on(_: Step) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn descend(
    network: &TorchNetwork,
    optimizer: &mut Optimizer,
    loaders: &mut Loaders,
    pass: &Pass,
) -> f64 {
    network.parameters.require_gradients(true).unwrap();
    let report = train(loaders, pass, &mut go_on, |batch| {
        let (loss, value) = loss(&network.evaluation(Statistics::Learn), batch, Phase::Network)?;
        let read = network.schedule.parameters(&network.program);
        optimizer.learn(&network.parameters, read, &loss, batch.turn())?;
        Ok((value, 0.0))
    });
    report.unwrap().loss
}

#[test]
fn a_network_learns_a_few_tiles_by_heart() {
    let tiles = Tiles::new(4);
    let mut loaders = tiles.loaders(4, |recipe| {
        recipe.data.flip = false;
        recipe.data.scale = None;
    });
    let network = TorchNetwork::new(&network(&space(), &[0, 0]), 1, Device::Cpu).unwrap();
    let mut optimizer = Optimizer::new(&network.parameters, &sgd(0.9, 0.0), Some(5.0)).unwrap();
    let losses: Vec<f64> = (0..40)
        .map(|e| descend(&network, &mut optimizer, &mut loaders, &pass(Part::All, e)))
        .collect();
    assert!(losses[0] > 1.5 && losses[39] < 0.5 * losses[0], "{losses:?}");
}

/// The supernet after one pass of weights and one of choices.
fn searched(tiles: &Tiles, workers: u32, mixing: Mixing) -> nas_ir::Weights {
    let mut loaders = tiles.loaders(2, |recipe| recipe.data.workers = workers);
    let mut mixture = Mixture::new(&space(), settings(mixing)).unwrap();
    mixture.parameters.require_gradients(true).unwrap();
    let learn = |batch: &crate::passes::TrainBatch<'_>| Ok((mixture.weight_step(batch)?, 0.0));
    let report = train(&mut loaders, &pass(Part::Weights, 0), &mut go_on, learn).unwrap();
    assert!(report.loss > 1.0);
    mixture.parameters.require_gradients(false).unwrap();
    let cost = |p: &[Vec<f64>]| (p[0][1], p.iter().map(|row| vec![1.0; row.len()]).collect());
    let learn =
        |batch: &crate::passes::TrainBatch<'_>| mixture.choice_step(&space(), batch, 0.1, &cost);
    let report = train(&mut loaders, &pass(Part::Choices, 0), &mut go_on, learn).unwrap();
    assert!(report.cost > 0.2 && report.cost < 0.5, "{report:?}");
    mixture.state().unwrap()
}

/// The network that takes these candidates.
fn path(choices: &[usize]) -> Assignment {
    super::build::assignment(&space(), choices)
}

#[test]
fn a_step_on_paths_trains_what_they_are_made_of() {
    let tiles = Tiles::new(4);
    let trained = |paths: &[Assignment]| {
        let mut mixture =
            Mixture::on_paths(&space(), settings(Mixing::Hard), Sharing::default()).unwrap();
        mixture.parameters.require_gradients(true).unwrap();
        let learn = |batch: &crate::passes::TrainBatch<'_>| {
            Ok((mixture.path_step(&space(), batch, paths, Lesson::Labels)?, 0.0))
        };
        let report = train(&mut tiles.loaders(4, |_| {}), &pass(Part::All, 0), &mut go_on, learn);
        (report.unwrap().loss, mixture.state().unwrap())
    };
    let fresh = Mixture::on_paths(&space(), settings(Mixing::Hard), Sharing::default())
        .unwrap()
        .state()
        .unwrap();
    assert!(!fresh.keys().any(|name| name.contains("choices")), "no logits, and nothing of them");
    let moved = |state: &nas_ir::Weights| -> Vec<bool> {
        let of = |candidate: &str| {
            let mut names = state.keys().filter(|name| name.starts_with(candidate));
            names.any(|name| state[name] != fresh[name])
        };
        ["stem", "unit.0/op=c0", "unit.0/op=c1", "unit.1/op=c0", "unit.1/op=c1"].map(of).to_vec()
    };
    let (one, state) = trained(&[path(&[0, 1])]);
    assert_eq!(moved(&state), [true, true, false, false, true]);
    let (other, _) = trained(&[path(&[1, 0])]);
    let (both, state) = trained(&[path(&[0, 1]), path(&[1, 0])]);
    assert_eq!(moved(&state), [true; 5]);
    assert!((both - (one + other) / 2.0).abs() < 1e-6, "{both} of {one} and {other}");
    assert!(matches!(
        Mixture::on_paths(&space(), settings(Mixing::Hard), Sharing::default()).unwrap().path_step(
            &space(),
            &crate::passes::TrainBatch {
                inputs: &[Tensor::zeros([2, 3, 64, 64], (Kind::Float, Device::Cpu))],
                targets: &DeviceTargets {
                    values: Tensor::zeros([2, 64, 64], (Kind::Int64, Device::Cpu)),
                    criterion: Criterion::of(Task::Segmentation { classes: 7, ignore: 255 }),
                },
                blend: None,
                taught: None,
                loss: &TrainingLoss::PLAIN,
                temperature: 1.0,
                rate: 0.1,
                drop_path: 1.0,
                epoch: 0,
                step: 0,
                draws: 0,
                of: 1,
                seed: 3,
            },
            &[],
            Lesson::Labels,
        ),
        Err(TorchError::Broken { .. })
    ));
}

#[test]
fn two_runs_of_three_steps_are_equal() {
    let tiles = Tiles::new(12);
    for mixing in [Mixing::Soft, Mixing::Hard] {
        let first = searched(&tiles, 1, mixing);
        assert_eq!(first, searched(&tiles, 1, mixing));
        assert_eq!(first, searched(&tiles, 3, mixing));
    }
}

#[test]
fn a_pass_tells_of_each_step_and_stops_when_told() {
    let tiles = Tiles::new(12);
    let mut loaders = tiles.loaders(2, |_| {});
    let mut steps = Vec::new();
    let mut rates = Vec::new();
    let mut on_step = |step: Step| {
        steps.push(step);
        if step.done == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let learn = |batch: &crate::passes::TrainBatch<'_>| {
        rates.push(batch.rate);
        Ok((batch.step as f64, 1.0))
    };
    let stopped = train(&mut loaders, &pass(Part::All, 0), &mut on_step, learn);
    assert!(matches!(stopped, Err(Stop::Interrupted)));
    let told: Vec<_> = steps.iter().map(|s| (s.done, s.of, s.loss)).collect();
    assert_eq!(told, [(1, 6, 0.0), (2, 6, 0.5), (3, 6, 1.0), (4, 6, 1.5)]);
    for (step, rate) in rates.iter().enumerate() {
        assert!((rate - (0.1 - 0.05 * step as f64 / 6.0)).abs() < 1e-12);
    }
}

#[test]
fn scores_and_estimated_statistics() {
    let tiles = Tiles::new(8);
    let mut loaders = tiles.loaders(2, |_| {});
    let network = TorchNetwork::new(&network(&space(), &[1, 2]), 1, Device::Cpu).unwrap();
    let fresh = network.weights().unwrap();
    let mut steps = Vec::new();
    let mut on_step = |step: Step| {
        steps.push((step.done, step.of));
        ControlFlow::Continue(())
    };
    let mut exam = Exam::new(loaders.upload(), 5, &mut on_step);
    let batches = loaders.part(Part::All).unwrap().epoch(0).take(2);
    exam.estimate(&network, batches).unwrap();
    let batches = loaders.split(Split::Val).unwrap().epoch(0);
    let first = exam.score(&mut &network, nas_search::evaluator::Split::Val, batches).unwrap();
    // Two batches of two images, and five images.
    assert_eq!(exam.images, 9);
    assert_eq!(steps, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    let (again, images) = score(&mut loaders, &mut &network, Split::Val, &mut go_on).unwrap();
    assert_eq!((&first, images), (&again, 5));
    assert!(first.by_class().all(|(_, values)| values.len() == 7));
    let [loss, accuracy] = [Metric::Loss, Metric::Accuracy].map(|m| first.get(m).unwrap());
    assert!(loss > 0.5 && accuracy > 0.0 && accuracy < 1.0);
    // The estimate of the stem is the mean of its statistics over the two batches.
    let mut means = Vec::new();
    let upload = loaders.upload();
    for batch in loaders.part(Part::All).unwrap().epoch(0).take(2) {
        let (inputs, _) = upload.tensors(&batch.unwrap()).unwrap();
        let kernel =
            Tensor::from_slice(fresh["stem/conv.weight"].floats().unwrap()).view([16, 3, 3, 3]);
        let y = inputs[0].conv2d(&kernel, None::<Tensor>, 2, 1, 1, 1);
        means.push(y.mean_dim([0i64, 2, 3].as_slice(), false, Kind::Float).double_value(&[5]));
    }
    let weights = network.weights().unwrap();
    let found = f64::from(weights["stem/bn.running_mean"].floats().unwrap()[5]);
    assert!((found - (means[0] + means[1]) / 2.0).abs() < 1e-5, "{found} {means:?}");
}

#[test]
fn crops_may_be_smaller_than_the_input() {
    let tiles = Tiles::new(4);
    let network = TorchNetwork::new(&network(&space(), &[0, 0]), 1, Device::Cpu).unwrap();
    let mut optimizer = Optimizer::new(&network.parameters, &sgd(0.9, 0.0), None).unwrap();
    let mut loaders = tiles.loaders(2, |recipe| recipe.data.crop = Some([32, 48]));
    assert!(descend(&network, &mut optimizer, &mut loaders, &pass(Part::All, 0)).is_finite());
    // The stem brings 30 rows to 15, the layer to 8; times the factor of the head it is 32.
    let mut loaders = tiles.loaders(2, |recipe| recipe.data.crop = Some([30, 30]));
    let report = train(&mut loaders, &pass(Part::All, 0), &mut go_on, |batch| {
        loss(&network.evaluation(Statistics::Learn), batch, Phase::Network).map(|(_, v)| (v, 0.0))
    });
    let Err(Stop::Failed(error)) = report else { panic!("{report:?}") };
    let TorchError::CropMisfit { height: 30, width: 30, .. } = error else { panic!("{error}") };
}

#[test]
fn ignored_pixels_count_for_nothing() {
    let logits =
        Tensor::from_slice(&[2.0f32, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0])
            .view([1, 3, 2, 2]);
    let task = Task::Segmentation { classes: 3, ignore: 9 };
    let labels = |values: [i64; 4]| DeviceTargets {
        values: Tensor::from_slice(&values).view([1, 2, 2]),
        criterion: Criterion::of(task),
    };
    // Predictions are, pixel by pixel, 0 (2, 1, 3: class 2), so count by hand below.
    let mut judge = Judge::new(task, Judging { primary: None, peak: 1.0 });
    judge.add(&logits, &labels([2, 1, 0, 9])).unwrap();
    judge.add(&logits, &labels([9, 2, 9, 9])).unwrap();
    let metrics = judge.metrics().unwrap();
    let predicted: Vec<i64> = {
        let classes = logits.argmax(1, false).view([-1]);
        (0..4).map(|i| classes.int64_value(&[i])).collect()
    };
    assert_eq!(predicted, [2, 2, 0, 0]);
    // Labels and predictions that count: (2, 2), (1, 2), (0, 0), (2, 2).
    assert_eq!(metrics.get(Metric::Accuracy), Some(0.75));
    let by_class: Vec<_> = metrics.by_class().collect();
    assert_eq!(by_class, [(ClassMetric::Iou, &[Some(1.0), Some(0.0), Some(2.0 / 3.0)][..])]);
    let (primary, miou) = metrics.primary();
    assert!(*primary == Metric::Miou && (miou - 5.0 / 9.0).abs() < 1e-12);
    let none = mean_loss(&logits, &labels([9; 4])).unwrap();
    assert_eq!(none.double_value(&[]), 0.0);
}

#[test]
fn weights_move_between_programs_by_name() {
    let network = network(&space(), &[0, 1]);
    let trained = TorchNetwork::new(&network, 5, Device::Cpu).unwrap();
    let mut model = Model { weights: trained.weights().unwrap(), network: network.clone() };
    let image: Vec<f32> = (0..3 * 64 * 64).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect();
    let tensor = Tensor::from_slice(&image).view([1, 3, 64, 64]);
    let plain = |floats: &[f32]| vec![Plain::of_floats([1, floats.len() as u32], floats.to_vec())];
    let outputs = run(&model, &plain(&image)).unwrap();
    let direct = trained.forward(&[tensor], false).unwrap();
    let direct = crate::layout::values(&direct[0]).unwrap();
    assert_eq!(outputs[0].dims, [1, 7, 64, 64]);
    for (a, b) in outputs[0].floats().unwrap().iter().zip(&direct) {
        assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()));
    }
    let short = run(&model, &plain(&[0.0; 5])).unwrap_err();
    assert!(matches!(short, TorchError::InputSize { input: 0, needed: 12288, found: 5 }));
    model.weights.shift_remove("head.bias");
    let missing = run(&model, &plain(&image)).unwrap_err();
    assert!(matches!(missing, TorchError::OtherState { found: None, .. }));
    // A supernet names its weights as its networks do.
    let of_space = Program::of_space(&space()).unwrap().parameters;
    let of_network = Program::of_network(&network, None).unwrap().parameters;
    assert!(of_network.rows().iter().all(|spec| of_space.rows().contains(spec)));
}
