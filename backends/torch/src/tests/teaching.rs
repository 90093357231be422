//! Networks that learn from a teacher: the size of its loss, and what a student becomes.

use std::ops::ControlFlow;
use std::path::Path;
use std::rc::Rc;

use nas_data::Dataset;
use nas_ir::recipe::{Distillation, Recipe};
use nas_ir::{Checked, Shape, Space, Task, Tensor as Plain};
use nas_passes::specialise;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::{Part, Pass, Rate, Split};
use nas_search::teacher::{Lesson, Teacher};
use nas_search::{Fault, Metrics};
use nas_testing::{folder, pictures};
use tch::{Kind, Tensor};

use super::source::compiled;
use crate::answer::Answer;
use crate::error::TorchError;
use crate::layout::values;
use crate::passes::TrainBatch;
use crate::task::{Criterion, DeviceTargets, taught_loss};
use crate::teaching::Teaching;
use crate::training_loss::{Blend, TrainingLoss};
use crate::{Options, TorchBackend, TorchNetwork, TorchTrainable};

const SPACE: &str = r#"
space s(classes = 2) {
    input image: [3, 16, 16]
    task segmentation(classes, ignore = 255)
    output logits = image -> conv(6, kernel = 3) -> batch_norm -> relu -> conv(classes, kernel = 1, bias = true)
    train output helper = image -> conv(classes, kernel = 1, bias = true)
}
search r of s {
    data tiles { path = "unused", flip = true, batch = 4, workers = 1 }
    retrain { rate = 0.1 }
}
"#;

/// The square of 3 times the divergence of the probabilities at the temperature 3, and by a logit three times the difference
/// of the probabilities, shared by the two labels; the first pixel has none.
#[test]
fn the_divergence_is_softened_and_keeps_its_size() {
    let (own, taught) =
        ([[9.0, 1.0], [0.6, -0.9], [3.0, 3.0]], [[0.0, 5.0], [1.5, 0.3], [0.0, 6.0]]);
    let tensor = |pixels: &[[f64; 2]; 3]| {
        let by_class: Vec<f64> = (0..2).flat_map(|c| pixels.iter().map(move |p| p[c])).collect();
        Tensor::from_slice(&by_class).to_kind(Kind::Float).view([1, 2, 1, 3])
    };
    let logits = tensor(&own).set_requires_grad(true);
    let values_ = Tensor::from_slice(&[255_i64, 1, 0]).view([1, 1, 3]);
    let criterion = Criterion::of(Task::Segmentation { classes: 2, ignore: 255 });
    let targets = DeviceTargets { values: values_, criterion };
    let loss = taught_loss(&logits, &tensor(&taught), 3.0, &targets).unwrap();
    let found = values(&Tensor::run_backward(&[&loss], &[&logits], false, false)[0]).unwrap();
    let soft = |pixel: [f64; 2]| {
        let powers = pixel.map(|logit| (logit / 3.0).exp());
        powers.map(|power| power / powers.iter().sum::<f64>())
    };
    let (mut divergence, mut slopes) = (0.0, [0.0; 6]);
    for pixel in [1, 2] {
        let (p, q) = (soft(own[pixel]), soft(taught[pixel]));
        for class in [0, 1] {
            divergence += 9.0 * q[class] * (q[class] / p[class]).ln() / 2.0;
            slopes[3 * class + pixel] = 3.0 * (p[class] - q[class]) / 2.0;
        }
    }
    assert!((loss.double_value(&[]) - divergence).abs() < 1e-5, "{loss:?} {divergence}");
    for (found, wanted) in found.iter().zip(slopes) {
        assert!((f64::from(*found) - wanted).abs() < 1e-6, "{found} {wanted}");
    }
}

/// Answers the same for each image.
struct Fixed([f32; 2]);

impl Teacher for Fixed {
    fn answers(&self, images: &[Plain]) -> Result<Plain, Fault> {
        let batch = images[0].dims[0];
        Ok(Plain::of_floats(vec![batch, 2], self.0.repeat(batch as usize)))
    }
}

/// By the share `weight` of what the teacher says, and the rest of what the labels say, of both images where two are blended.
#[test]
fn the_targets_have_the_share_that_the_teacher_leaves() {
    let criterion = Criterion::of(Task::Classification { classes: 2 });
    let labels = |class: i64| DeviceTargets { values: Tensor::from_slice(&[class]), criterion };
    let (targets, blend) = (labels(0), Blend { others: labels(1), share: 0.75 });
    let answers = Tensor::from_slice(&[0.4f32, -0.2]).view([1, 2]);
    let images = [Tensor::zeros([1, 3, 2, 2], (Kind::Float, tch::Device::Cpu))];
    let plain = TrainBatch {
        inputs: &images,
        targets: &targets,
        blend: Some(&blend),
        loss: &TrainingLoss::PLAIN,
        taught: None,
        temperature: 1.0,
        rate: 0.1,
        drop_path: 1.0,
        epoch: 0,
        step: 0,
        draws: 0,
        of: 1,
        seed: 0,
    };
    let loss = |weight: f64| {
        let distillation = Distillation { teacher: None, temperature: 2.0, weight };
        let taught = Teaching::new(Rc::new(Fixed([1.0, 0.0])), &distillation).of(&images).unwrap();
        let batch = TrainBatch { taught: Some(&taught), ..plain };
        batch.loss_of(&Answer::Tensor(answers.shallow_clone())).unwrap().double_value(&[])
    };
    let of_labels =
        plain.loss_of(&Answer::Tensor(answers.shallow_clone())).unwrap().double_value(&[]);
    let teacher = Tensor::from_slice(&[1.0f32, 0.0]).view([1, 2]);
    let of_teacher = taught_loss(&answers, &teacher, 2.0, &targets).unwrap().double_value(&[]);
    assert!((of_labels - of_teacher).abs() > 0.1);
    for weight in [0.0, 0.3, 1.0] {
        let wanted = (1.0 - weight) * of_labels + weight * of_teacher;
        assert!((loss(weight) - wanted).abs() < 1e-6, "{weight}: {} {wanted}", loss(weight));
    }
}

/// Answers the opposite of what a network does.
struct Contrary(TorchNetwork);

impl Teacher for Contrary {
    fn answers(&self, images: &[Plain]) -> Result<Plain, Fault> {
        let sizes: Vec<i64> = images[0].dims.iter().map(|&size| size.into()).collect();
        let images = Tensor::from_slice(images[0].floats().unwrap()).view(sizes.as_slice());
        let answers = -self.0.forward(&[images], false)?.remove(0);
        let dims: Vec<u32> = answers.size().iter().map(|&size| size as u32).collect();
        Ok(Plain::of_floats(dims, values(&answers)?))
    }
}

fn backend(space: &std::sync::Arc<Checked<Space>>, recipe: &Recipe, data: &Path) -> TorchBackend {
    let options = Options { threads: Some(1), ..Options::default() };
    let dataset = Dataset::open(data).unwrap();
    TorchBackend::new(std::sync::Arc::clone(space), recipe.clone(), dataset, options).unwrap()
}

/// Trains for so many epochs, and scores.
fn trained(network: &mut TorchTrainable, epochs: u32) -> Metrics {
    let learning_rate = Rate::constant(0.1);
    for epoch in 0..epochs {
        let pass = Pass { part: Part::All, epoch, learning_rate, drop_path: 1.0 };
        network.train(&pass, &mut |_| ControlFlow::Continue(())).unwrap();
    }
    network.score(Split::Val, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// The student of a teacher that says the opposite of the labels becomes as bad as that, and never reads them.
#[test]
fn a_student_learns_without_labels_what_its_teacher_says() {
    let dir = folder();
    pictures::rectangles(dir.path(), [("train", 16), ("val", 8), ("test", 1)]);
    let (space, mut recipe) = compiled(SPACE);
    let network = specialise(&space, &space.first_assignment());
    let mut taught_by_labels = backend(&space, &recipe, dir.path()).trainable(&network).unwrap();
    let good = trained(&mut taught_by_labels, 8).primary().1;
    assert!(good > 0.8, "{good}");
    let mut teacher = TorchNetwork::new(&network, 0, tch::Device::Cpu).unwrap();
    teacher.load_evaluated(&taught_by_labels.weights().unwrap()).unwrap();
    recipe.retrain.distillation.weight = 1.0;
    let taught = backend(&space, &recipe, dir.path()).taught_by(Rc::new(Contrary(teacher)));
    let bad = trained(&mut taught.trainable(&network).unwrap(), 8).primary().1;
    assert!(bad < 0.2, "{good} by the labels, {bad} by a teacher that says the opposite");
}

#[test]
fn a_lesson_is_of_the_size_of_images_in_training() {
    let (space, mut recipe) = compiled(SPACE);
    let shapes = |recipe: &Recipe| {
        let Lesson { images, answer } = Lesson::of(&space, recipe).unwrap();
        (images, answer)
    };
    assert_eq!(shapes(&recipe), (vec![Shape::from([3, 16, 16])], Shape::from([2, 16, 16])));
    recipe.data.crop = Some([8, 12]);
    assert_eq!(shapes(&recipe), (vec![Shape::from([3, 8, 12])], Shape::from([2, 8, 12])));
}

#[test]
fn a_temperature_says_nothing_of_a_regression() {
    let text = SPACE
        .replace("segmentation(classes, ignore = 255)", "regression(classes)")
        .replace("rate = 0.1", "teacher = \"t.onnx\", temperature = 2");
    let (space, recipe) = compiled(&text);
    let error = crate::training_loss::check(&recipe, space.task.unwrap()).unwrap_err();
    let TorchError::OutOfPlace { setting, .. } = error else { panic!("{error}") };
    assert_eq!(setting, "retrain.temperature");
}
