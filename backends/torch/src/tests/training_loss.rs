//! What training makes small, against values by hand and against those of libtorch.

use nas_ir::Task;
use nas_ir::recipe::{ClassLoss, ClassWeights, Data, Recipe};
use nas_search::strategies::gumbel;
use tch::{Device, Kind, Reduction, Tensor};

use crate::blend::Blending;
use crate::error::TorchError;
use crate::random::Moment;
use crate::task::{Criterion, DeviceTargets};
use crate::training_loss::{Blend, TrainingLoss, check};

const IGNORE: i64 = 9;
const TASK: Task = Task::Segmentation { classes: 3, ignore: 9 };

/// Four pixels of three classes, the last of which is ignored.
fn logits() -> Tensor {
    let of_classes = [[2.0f32, -1.0, 0.5, 7.0], [0.0, 1.5, 0.5, -3.0], [-1.0, 0.0, 2.5, 1.0]];
    Tensor::from_slice(of_classes.as_flattened()).view([1, 3, 2, 2])
}

fn labels(values: [i64; 4]) -> DeviceTargets {
    DeviceTargets {
        values: Tensor::from_slice(&values).view([1, 2, 2]),
        criterion: Criterion::of(TASK),
    }
}

const LABELS: [i64; 4] = [0, 1, 1, IGNORE];

fn plain() -> ClassLoss {
    Recipe::default_for("s", &gumbel::SCHEMA).unwrap().loss.classes
}

fn criterion(loss: &ClassLoss) -> TrainingLoss {
    TrainingLoss::new(loss, || Ok(vec![6, 2, 0]), Device::Cpu).unwrap()
}

fn value(loss: &ClassLoss) -> f64 {
    criterion(loss).of(&logits(), &labels(LABELS), None).unwrap().double_value(&[])
}

/// The probability of each class of a pixel.
fn probabilities(pixel: usize) -> [f64; 3] {
    let logits: Vec<f32> = Vec::try_from(logits().flatten(0, -1)).unwrap();
    let powers = [0, 1, 2].map(|class| f64::from(logits[class * 4 + pixel]).exp());
    powers.map(|power| power / powers.iter().sum::<f64>())
}

/// The probability of the label of each pixel that has one.
fn of_labels() -> [f64; 3] {
    [0, 1, 2].map(|pixel| probabilities(pixel)[LABELS[pixel] as usize])
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found} {expected}");
}

#[test]
fn weights_and_smoothing_are_those_of_libtorch() {
    let weights = vec![0.5, 2.0, 1.0];
    let class_weights = ClassWeights::Given(weights.clone());
    let loss = ClassLoss { class_weights, smoothing: 0.2, ..plain() };
    let weights = Tensor::from_slice(&weights).to_kind(Kind::Float);
    let expected = logits().cross_entropy_loss(
        &labels(LABELS).values,
        Some(&weights),
        Reduction::Mean,
        IGNORE,
        0.2,
    );
    near(value(&loss), expected.double_value(&[]));
}

/// A label of a class of weight 0 leaves nothing, whatever smoothing says of the other classes.
#[test]
fn labels_that_count_nothing_leave_nothing() {
    let loss = |weights: [f64; 3]| ClassLoss {
        class_weights: ClassWeights::Given(weights.to_vec()),
        smoothing: 0.3,
        ..plain()
    };
    let only = |labels_: [i64; 4], weights| {
        let loss = criterion(&loss(weights)).of(&logits(), &labels(labels_), None);
        loss.unwrap().double_value(&[])
    };
    assert_eq!(only([1, 1, 1, IGNORE], [1.0, 0.0, 1.0]), 0.0);
    let counted = only([0, IGNORE, IGNORE, IGNORE], [1.0, 0.0, 1.0]);
    near(only([0, 1, 1, IGNORE], [1.0, 0.0, 1.0]), counted);
}

#[test]
fn balanced_weights_follow_from_the_labels() {
    let loss = ClassLoss { class_weights: ClassWeights::Balanced, ..plain() };
    // Eight labels in three classes: 8 / (3 * 6) and 8 / (3 * 2).
    let of = of_labels();
    let [a, b] = [8.0 / 18.0, 8.0 / 6.0];
    let expected = -(a * of[0].ln() + b * of[1].ln() + b * of[2].ln()) / (a + 2.0 * b);
    near(value(&loss), expected);
    let mut recipe = Recipe::default_for("s", &gumbel::SCHEMA).unwrap();
    recipe.loss.classes.class_weights = ClassWeights::Given(vec![1.0; 2]);
    let error = check(&recipe, TASK).unwrap_err();
    assert!(matches!(error, TorchError::ClassWeights { given: 2, classes: 3 }), "{error}");
    recipe.loss.classes.class_weights = ClassWeights::Given(vec![0.0; 3]);
    assert!(matches!(check(&recipe, TASK), Err(TorchError::NoClassCounts)));
    let error = check(&recipe, Task::Regression { values: 2 }).unwrap_err();
    let TorchError::OutOfPlace { setting, .. } = error else { panic!("{error}") };
    assert_eq!(setting, "loss.class_weights");
    recipe.loss.classes.class_weights = ClassWeights::Equal;
    assert!(check(&recipe, TASK).is_ok());
    recipe.loss.values.delta = 2.0;
    let error = check(&recipe, TASK).unwrap_err();
    let TorchError::OutOfPlace { setting, .. } = error else { panic!("{error}") };
    assert_eq!(setting, "loss.regression");
}

#[test]
fn focal_loss_counts_what_is_missed() {
    let expected: f64 = of_labels().iter().map(|p| -(1.0 - p).powf(2.0) * p.ln()).sum();
    near(value(&ClassLoss { focal: 2.0, ..plain() }), expected / 3.0);
}

#[test]
fn dice_loss_is_the_mean_over_the_classes_that_are_there() {
    let dice = |class: usize| {
        let (mut common, mut all) = (0.0, 0.0);
        for (pixel, label) in LABELS.iter().enumerate().take(3) {
            let p = probabilities(pixel)[class];
            let g = f64::from(u8::from(*label == class as i64));
            common += 2.0 * p * g;
            all += p * p + g;
        }
        1.0 - common / all
    };
    let whole = f64::midpoint(dice(0), dice(1));
    near(value(&ClassLoss { dice: 1.0, ..plain() }), whole);
    let mixed = 0.75 * value(&plain()) + 0.25 * whole;
    near(value(&ClassLoss { dice: 0.25, ..plain() }), mixed);
}

#[test]
fn nothing_labelled_is_no_loss_and_has_a_gradient() {
    let losses = [
        ClassLoss { focal: 0.5, ..plain() },
        ClassLoss { dice: 0.5, smoothing: 0.1, ..plain() },
        ClassLoss { class_weights: ClassWeights::Balanced, ..plain() },
    ];
    for loss in losses {
        let logits = logits().set_requires_grad(true);
        let nothing = labels([IGNORE; 4]);
        let value = criterion(&loss).of(&logits, &nothing, None).unwrap();
        assert_eq!(value.double_value(&[]).to_bits(), 0f64.to_bits(), "{loss:?}");
        // A pixel that is certain has a finite gradient.
        let sure = (&logits * 50.0).view([1, 3, 2, 2]);
        let value = criterion(&loss).of(&sure, &labels(LABELS), None).unwrap();
        let gradient = Tensor::run_backward(&[value], &[&logits], false, false).remove(0);
        assert!(bool::try_from(gradient.isfinite().all()).unwrap(), "{loss:?}");
    }
}

#[test]
fn targets_are_blended_by_share() {
    let criterion = criterion(&ClassLoss { smoothing: 0.1, ..plain() });
    let of = |labels: &DeviceTargets, blend: Option<&Blend>| {
        criterion.of(&logits(), labels, blend).unwrap().double_value(&[])
    };
    let [one, other] = [LABELS, [2, 2, IGNORE, 0]].map(labels);
    let expected = 0.3 * of(&one, None) + 0.7 * of(&other, None);
    near(of(&one, Some(&Blend { others: other, share: 0.3 })), expected);
}

/// Eight pictures of 6 x 6 pixels, each all of its number; their targets are the same numbers.
fn batch(task: Task) -> (Tensor, DeviceTargets) {
    let numbers = Tensor::arange(8, (Kind::Float, Device::Cpu)).view([8, 1, 1, 1]);
    let images = numbers.expand([8, 3, 6, 6], false).contiguous();
    let values = match task {
        Task::Segmentation { .. } => images.select(1, 0),
        _ => numbers.flatten(0, -1),
    };
    (images, DeviceTargets { values: values.to_kind(Kind::Int64), criterion: Criterion::of(task) })
}

fn blended(
    task: Task,
    [mixup, cutmix]: [f64; 2],
    step: usize,
) -> (Tensor, DeviceTargets, Option<Blend>) {
    let Recipe { data, .. } = Recipe::default_for("s", &gumbel::SCHEMA).unwrap();
    let blending = Blending::of(&Data { mixup, cutmix, ..data });
    let (images, targets) = batch(task);
    let moment = Moment { choices: false, epoch: 0, step };
    let (mut inputs, targets, blend) = blending.apply((vec![images], targets), 7, moment).unwrap();
    (inputs.remove(0), targets, blend)
}

const PICTURES: Task = Task::Classification { classes: 8 };

#[test]
fn mixup_blends_pictures_as_it_does_targets() {
    for step in 0..4 {
        let (images, targets, blend) = blended(PICTURES, [0.4, 0.0], step);
        let Blend { others, share } = blend.unwrap();
        assert!((0.0..=1.0).contains(&share));
        let expected = targets.values.to_kind(Kind::Float) * share
            + others.values.to_kind(Kind::Float) * (1.0 - share);
        let found = images.select(1, 0).select(1, 2).select(1, 3);
        assert!((found - expected).abs().max().double_value(&[]) < 1e-5);
    }
}

#[test]
fn cutmix_pastes_a_rectangle() {
    let mut areas = Vec::new();
    for step in 0..8 {
        let (images, targets, blend) = blended(PICTURES, [0.0, 1.0], step);
        let Blend { others, share } = blend.unwrap();
        let [own, other] = [&targets, &others].map(|targets| targets.values.view([8, 1, 1]));
        let plane = images.select(1, 1);
        let is_own = plane.eq_tensor(&own);
        assert!(bool::try_from((&is_own + plane.eq_tensor(&other)).all()).unwrap());
        let differs = targets.values.ne_tensor(&others.values);
        if let Ok(row) = i64::try_from(differs.to_kind(Kind::Int64).argmax(0, false))
            && bool::try_from(differs.any()).unwrap()
        {
            let left = is_own.get(row).to_kind(Kind::Float).mean(Kind::Float).double_value(&[]);
            near(left, share);
            areas.push(share);
        }
    }
    assert!(areas.iter().any(|share| *share < 0.9 && *share > 0.1), "{areas:?}");
    // Of pixels, the labels move with the picture, and no loss is blended.
    let (images, targets, blend) =
        blended(Task::Segmentation { classes: 8, ignore: 255 }, [0.0, 1.0], 1);
    assert!(blend.is_none());
    assert!(bool::try_from(images.select(1, 0).eq_tensor(&targets.values).all()).unwrap());
}

#[test]
fn blends_are_the_same_for_the_same_step_and_need_to_be_asked_for() {
    let (images, _, blend) = blended(PICTURES, [0.0, 0.0], 0);
    assert!(blend.is_none() && images == batch(PICTURES).0);
    let both: Vec<Tensor> = (0..6).map(|step| blended(PICTURES, [0.5, 0.5], step).0).collect();
    assert_eq!(both[3], blended(PICTURES, [0.5, 0.5], 3).0);
    assert!(both.windows(2).all(|pair| pair[0] != pair[1]));
}
