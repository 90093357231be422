//! Losses and metrics of numbers and of several labels, by hand.

use nas_ir::recipe::{RegressionLoss, ValueLoss};
use nas_ir::{Metric, Task};
use tch::{Device, Kind, Tensor};

use crate::answer::Enlarged;
use crate::fused::mean_cross_entropy;
use crate::judge::{Judge, Judging};
use crate::task::{Criterion, DeviceTargets, mean_loss};

const REGRESSION: Task = Task::Regression { values: 1 };
const UNKNOWN: f32 = f32::NAN;

/// Of two maps of 1 x 2 pixels; the second pixel of the second one is not known.
fn maps(regression: RegressionLoss, delta: f64) -> (Tensor, DeviceTargets) {
    let answers = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0]).view([2, 1, 1, 2]);
    let values = Tensor::from_slice(&[1.0_f32, 2.5, 5.0, UNKNOWN]).view([2, 1, 1, 2]);
    let criterion = Criterion { task: REGRESSION, loss: ValueLoss { regression, delta } };
    (answers, DeviceTargets { values, criterion })
}

#[test]
fn the_loss_of_a_regression_is_the_mean_over_what_is_known() {
    // The errors are 0, 0.5 and 2.
    for (regression, wanted) in [
        (RegressionLoss::L1, 2.5 / 3.0),
        (RegressionLoss::L2, 4.25 / 3.0),
        (RegressionLoss::Huber, (0.125 + 1.0 * (2.0 - 0.5)) / 3.0),
    ] {
        let (answers, targets) = maps(regression, 1.0);
        let answers = answers.set_requires_grad(true);
        let loss = mean_loss(&answers, &targets).unwrap();
        assert!((loss.double_value(&[]) - wanted).abs() < 1e-6, "{regression:?}");
        loss.backward();
        let gradient = answers.grad().view([-1]);
        assert_eq!(gradient.double_value(&[3]), 0.0, "what is not known pulls nowhere");
        assert!(gradient.double_value(&[2]) < 0.0);
    }
}

#[test]
fn the_errors_of_a_regression_are_those_of_what_is_known() {
    let (answers, targets) = maps(RegressionLoss::L1, 1.0);
    let mut judge = Judge::new(REGRESSION, Judging { primary: Some(Metric::Rmse), peak: 10.0 });
    assert!(!judge.is_labelled());
    judge.add(&answers, &targets).unwrap();
    let metrics = judge.metrics().unwrap();
    let near = |metric, wanted: f64| {
        let found = metrics.get(metric).unwrap();
        assert!((found - wanted).abs() < 1e-5, "{metric:?}: {found} is not {wanted}");
    };
    assert!(*metrics.primary().0 == Metric::Rmse);
    near(Metric::Mae, 2.5 / 3.0);
    near(Metric::Rmse, (4.25_f64 / 3.0).sqrt());
    // Mean squared errors of 0.125 and 4, against the square of 10.
    near(Metric::Psnr, (10.0 * 800.0_f64.log10() + 10.0 * 25.0_f64.log10()) / 2.0);
    let (answers, values) = (answers.view([2, 2]), targets.values.view([2, 2]));
    let mut judge = Judge::new(REGRESSION, Judging { primary: None, peak: 10.0 });
    judge.add(&answers, &DeviceTargets { values, criterion: targets.criterion }).unwrap();
    assert_eq!(judge.metrics().unwrap().get(Metric::Psnr), None, "a vector has no signal");
}

#[test]
fn labels_are_told_apart_by_their_own_logits() {
    let task = Task::Multilabel { classes: 2 };
    let logits = Tensor::from_slice(&[2.0_f32, -1.0, -3.0, 0.5]).view([2, 2]);
    let values = Tensor::from_slice(&[1.0_f32, 1.0, 0.0, UNKNOWN]).view([2, 2]);
    let targets = DeviceTargets { values, criterion: Criterion::of(task) };
    // -log(sigmoid(z)) for a label, -log(1 - sigmoid(z)) for none.
    let by_hand = |z: f64| (1.0 + (-z).exp()).ln();
    let wanted = (by_hand(2.0) + by_hand(-1.0) + by_hand(3.0)) / 3.0;
    let loss = mean_loss(&logits, &targets).unwrap().double_value(&[]);
    assert!((loss - wanted).abs() < 1e-6, "{loss} is not {wanted}");
    let mut judge = Judge::new(task, Judging { primary: None, peak: 1.0 });
    judge.add(&logits, &targets).unwrap();
    let metrics = judge.metrics().unwrap();
    assert_eq!(metrics.get(Metric::F1), Some(0.5));
    assert_eq!(metrics.get(Metric::MicroF1), Some(2.0 / 3.0));
    assert_eq!(metrics.get(Metric::Auroc), Some(1.0), "of the class that has both labels");
    let by_auroc = Judging { primary: Some(Metric::Auroc), peak: 1.0 };
    let mut judge = Judge::new(task, by_auroc);
    let one = DeviceTargets { values: targets.values.ones_like(), criterion: targets.criterion };
    judge.add(&logits, &one).unwrap();
    assert!(judge.metrics().is_none(), "where all images have a label, their order tells nothing");
}

#[test]
fn the_right_class_is_among_the_first_five() {
    let task = Task::Classification { classes: 7 };
    let logits = Tensor::from_slice(&[6.0_f32, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]).repeat([3, 1]);
    let values = Tensor::from_slice(&[0_i64, 4, 5]);
    let mut judge = Judge::new(task, Judging { primary: None, peak: 1.0 });
    judge.add(&logits, &DeviceTargets { values, criterion: Criterion::of(task) }).unwrap();
    let metrics = judge.metrics().unwrap();
    assert_eq!(metrics.get(Metric::Top5), Some(2.0 / 3.0));
    assert_eq!(metrics.get(Metric::Accuracy), Some(1.0 / 3.0));
}

/// As if the logits were enlarged first, for maps that grow and shrink, with pixels without a label.
#[test]
fn the_loss_of_enlarged_logits_is_that_of_the_larger_map() {
    let task = Task::Segmentation { classes: 5, ignore: 255 };
    for (size, align_corners) in
        [([12, 20], false), ([3, 4], true), ([9, 9], true), ([2, 3], false)]
    {
        let logits = || Tensor::arange(2 * 5 * 3 * 4, (Kind::Float, Device::Cpu)).sin() * 4.0;
        let leaf = || logits().view([2, 5, 3, 4]).set_requires_grad(true);
        let labels = Tensor::arange(2 * size[0] * size[1], (Kind::Int64, Device::Cpu)).remainder(6);
        let labels = labels.where_scalarother(&labels.lt(5), 255).view([2, size[0], size[1]]);
        let targets = DeviceTargets { values: labels, criterion: Criterion::of(task) };
        let [own, wanted] = [leaf(), leaf()];
        let enlarged = Enlarged { map: own.shallow_clone(), size, align_corners };
        let loss = mean_cross_entropy(&enlarged, &targets.values, 255).unwrap();
        let answers = wanted.upsample_bilinear2d(size, align_corners, None, None);
        let wanted_loss = mean_loss(&answers, &targets).unwrap();
        assert!(loss.allclose(&wanted_loss, 1e-6, 0.0, false), "{size:?}: {loss:?}");
        (loss * 3.0).backward();
        (wanted_loss * 3.0).backward();
        assert!(own.grad().allclose(&wanted.grad(), 1e-5, 1e-7, false), "{size:?}");
    }
}
