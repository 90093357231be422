//! Smaller elastic kernels that matrices make of larger ones (once-for-all, Cai et al. 2020, section 3.3).

use nas_ir::{Assignment, Checked, Space, Weights};
use nas_search::shared::{Lesson, Mixing, Sharing};
use tch::{Device, Kind, Tensor, no_grad};

use super::batch;
use super::build::assignment;
use super::source::space;
use super::supernet::settings;
use crate::evaluation::Evaluation;
use crate::layout::values;
use crate::mixing::assigned;
use crate::mixture::Mixture;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};

/// Kernels of three sizes, of two numbers of channels.
const SPACE: &str = r#"
space s() {
    input image: [3, 8, 8]
    task classification(2)
    let x = image -> conv(elastic width [2, 4], kernel = elastic kernel [1, 3, 5])
    output y = x -> batch_norm -> swish -> global_avg_pool -> linear(2)
}
"#;

const KERNEL: &str = "conv.0.weight";
const TO_3: &str = "conv.0.weight.to_3x3";
const TO_1: &str = "conv.0.weight.to_1x1";

fn mixture(space: &Checked<Space>, transforms: bool) -> Mixture {
    let mixture = Mixture::on_paths(space, settings(Mixing::Hard), Sharing { transforms }).unwrap();
    mixture.parameters.require_gradients(true).unwrap();
    mixture
}

/// The kernel of a network with the weights of the supernet.
fn kernel(mixture: &Mixture, space: &Checked<Space>, choices: &[usize]) -> Vec<f32> {
    let network = mixture.inherit(space, &assignment(space, choices), false).unwrap();
    network.weights().unwrap()[KERNEL].floats().unwrap().to_vec()
}

/// Small numbers without a pattern in each matrix.
fn stirred(mixture: &mut Mixture) -> Weights {
    let mut state = mixture.state().unwrap();
    for name in [TO_3, TO_1] {
        let matrix = state[name].floats_mut().unwrap();
        for (place, value) in matrix.iter_mut().enumerate() {
            *value = 0.1 * (1.7 * place as f32 + 0.3).sin();
        }
    }
    mixture.restore(&state).unwrap();
    state
}

#[test]
fn there_is_a_matrix_for_each_smaller_kernel_and_it_begins_as_the_identity() {
    let space = space(SPACE);
    let (plain, transformed) = (mixture(&space, false), mixture(&space, true));
    let specs = transformed.parameters.specs();
    let found: Vec<(&str, &[u32])> =
        specs.map(|(_, spec)| (spec.name.as_str(), spec.dims.as_slice())).take(3).collect();
    assert_eq!(found, [(TO_3, &[9, 9][..]), (TO_1, &[1, 1]), (KERNEL, &[4, 3, 5, 5])]);
    for choices in [[0, 0], [0, 1], [1, 2]] {
        assert_eq!(kernel(&transformed, &space, &choices), kernel(&plain, &space, &choices));
    }
}

#[test]
fn a_smaller_kernel_is_the_centre_and_what_the_matrices_make_of_it() {
    let space = space(SPACE);
    let mut mixture = mixture(&space, true);
    let state = stirred(&mut mixture);
    let [whole, to_3, to_1] = [KERNEL, TO_3, TO_1].map(|name| state[name].floats().unwrap());
    let [three, one] = [1, 0].map(|size| kernel(&mixture, &space, &[0, size]));
    assert_eq!(kernel(&mixture, &space, &[1, 2]), whole);
    for pair in 0..6 {
        let centre: Vec<f32> =
            (0..9).map(|at| whole[pair * 25 + (at / 3 + 1) * 5 + at % 3 + 1]).collect();
        let made: Vec<f32> = (0..9)
            .map(|to| {
                centre[to] + (0..9).map(|from| centre[from] * to_3[from * 9 + to]).sum::<f32>()
            })
            .collect();
        let differs = |a: f32, b: f32| (a - b).abs() > 1e-6;
        assert!(!made.iter().zip(&three[pair * 9..]).any(|(a, b)| differs(*a, *b)), "{pair}");
        assert!(!differs(made[4] * (1.0 + to_1[0]), one[pair]), "{pair}");
    }
}

#[test]
fn gradients_reach_the_kernel_and_every_matrix_on_the_way() {
    let space = space(SPACE);
    let mut mixture = mixture(&space, true);
    let before = stirred(&mut mixture);
    tch::manual_seed(2);
    let images = Tensor::randn([4, 3, 8, 8], (Kind::Float, Device::Cpu));
    let mixes = assigned(&mixture.program, &space, &assignment(&space, &[0, 0])).unwrap();
    let schedule = Schedule::new(&mixture.program, &mixes).unwrap();
    let value = |mixture: &Mixture| {
        let evaluation: Evaluation<'_> = mixture.evaluation(&schedule, &mixes, Statistics::Batch);
        let output = evaluation.run(&[images.shallow_clone()]).unwrap().remove(0);
        let weights = Tensor::from_slice(&[100.0f32, -200.0, 50.0, 150.0]).view([4, 1]);
        (output.square() * weights).sum(Kind::Float)
    };
    let read = schedule.parameters(&mixture.program);
    let ids = [KERNEL, TO_3, TO_1].map(|name| {
        let found = mixture.parameters.specs().find(|(_, spec)| spec.name == name);
        (name, found.map(|(id, _)| id).unwrap())
    });
    for (name, id) in ids {
        assert!(read.contains(&id), "{name}");
        let (tensor, _) = mixture.parameters.trainable(id).unwrap().unwrap();
        let found = Tensor::run_backward(&[value(&mixture)], &[tensor], false, false);
        let gradient = values(&found[0]).unwrap();
        let mut largest = 0.0_f64;
        for (place, &gradient) in gradient.iter().enumerate() {
            let mut at = |by: f32| {
                let mut state = before.clone();
                state[name].floats_mut().unwrap()[place] += by;
                mixture.restore(&state).unwrap();
                no_grad(|| value(&mixture)).double_value(&[])
            };
            let difference = (at(0.003) - at(-0.003)) / 0.006;
            let error = (f64::from(gradient) - difference).abs();
            assert!(
                error < 1e-2 * (1.0 + difference.abs()),
                "{name} {place}: {gradient} {difference}"
            );
            largest = largest.max(difference.abs());
        }
        // A 1x1 kernel before a batch norm keeps its direction, whatever a number makes of its length.
        assert!(name == TO_1 || largest > 1e-2, "{name}: {largest}");
        mixture.restore(&before).unwrap();
    }
}

#[test]
fn a_step_moves_the_matrices_of_the_kernels_that_run() {
    let space = space(SPACE);
    let pictures = Tensor::randn([4, 3, 8, 8], (Kind::Float, Device::Cpu));
    let labels = Tensor::from_slice(&[0_i64, 1, 1, 0]);
    let criterion = Criterion::of(nas_ir::Task::Classification { classes: 2 });
    let targets = DeviceTargets { values: labels, criterion };
    let moved = |paths: &[Assignment]| {
        let mut mixture = mixture(&space, true);
        let before = mixture.state().unwrap();
        let batch = batch(&pictures, &targets, 0);
        mixture.path_step(&space, &batch, paths, Lesson::Labels).unwrap();
        let after = mixture.state().unwrap();
        [KERNEL, TO_3, TO_1].map(|name| before[name] != after[name])
    };
    let path = |kernel: usize| assignment(&space, &[1, kernel]);
    assert_eq!(moved(&[path(2)]), [true, false, false]);
    assert_eq!(moved(&[path(1)]), [true, true, false]);
    assert_eq!(moved(&[path(0), path(2)]), [true, true, true]);
}
