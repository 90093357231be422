//! What a network is for.

use serde::Serialize;

use crate::metric::{ClassMetric, Metric, TaskMetrics};
use crate::shape::Shape;

/// What the network is for: which loss and which metrics fit its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// A class for each pixel: the output is `[classes, H, W]` with the input's H and W.
    Segmentation {
        /// Number of classes.
        classes: u32,
        /// The label that neither loss nor metric sees.
        ignore: u32,
    },
    /// A class for the whole input: the output is `[classes]`.
    Classification {
        /// Number of classes.
        classes: u32,
    },
    /// Any number of classes for the whole input, each of which applies or does not: the output is `[classes]`, a logit for
    /// each.
    Multilabel {
        /// Number of classes.
        classes: u32,
    },
    /// Numbers for the whole input, where the output is `[values]`, or for each pixel, where it is `[values, k H, k W]` with
    /// the input's H and W and a whole number k: 1 for a map of depth, 2 or more for super-resolution.
    Regression {
        /// How many numbers.
        values: u32,
    },
}

impl Task {
    /// What it is, in words.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Task::Segmentation { classes, .. } => format!("a segmentation of {classes} classes"),
            Task::Classification { classes } => format!("a classification of {classes} classes"),
            Task::Multilabel { classes } => {
                format!("a multi-label classification of {classes} classes")
            }
            Task::Regression { values: 1 } => "a regression of 1 value".to_owned(),
            Task::Regression { values } => format!("a regression of {values} values"),
        }
    }

    /// What networks for it are judged by.
    #[must_use]
    pub fn metrics(self) -> TaskMetrics {
        let (metrics, by_class): (&[Metric], &[ClassMetric]) = match self {
            Task::Segmentation { .. } => {
                (&[Metric::Miou, Metric::Accuracy, Metric::F1, Metric::Loss], &[ClassMetric::Iou])
            }
            // Of at most five classes, the right one is always among the first five.
            Task::Classification { classes: ..=5 } => {
                (&[Metric::Accuracy, Metric::F1, Metric::Loss], &[ClassMetric::F1])
            }
            Task::Classification { .. } => {
                (&[Metric::Accuracy, Metric::Top5, Metric::F1, Metric::Loss], &[ClassMetric::F1])
            }
            Task::Multilabel { .. } => (
                &[Metric::F1, Metric::MicroF1, Metric::Auroc, Metric::MeanAp, Metric::Loss],
                &[ClassMetric::F1, ClassMetric::Auroc, ClassMetric::Ap],
            ),
            Task::Regression { .. } => {
                (&[Metric::Mae, Metric::Rmse, Metric::Psnr, Metric::Loss], &[])
            }
        };
        let primary = match self {
            Task::Segmentation { .. } => Metric::Miou,
            Task::Classification { .. } => Metric::Accuracy,
            Task::Multilabel { .. } => Metric::F1,
            Task::Regression { .. } => Metric::Mae,
        };
        TaskMetrics { primary, metrics, by_class }
    }

    /// If an output does not fit the task: the shape that would, and the steps that make it, such as
    /// `-> conv(7, kernel = 1)`.
    pub(crate) fn misfit(self, input: Shape, output: Shape) -> Option<(Shape, String)> {
        let (needed, steps) = match self {
            Task::Segmentation { classes, .. } => {
                (input.with_channels(classes), map_steps(classes, input, output))
            }
            Task::Classification { classes } | Task::Multilabel { classes } => {
                vector(classes, output)
            }
            Task::Regression { values } if !output.is_spatial() => vector(values, output),
            Task::Regression { values } => {
                let needed = if times(input, output).is_some() { output } else { input };
                (needed.with_channels(values), map_steps(values, needed, output))
            }
        };
        (output != needed).then(|| (needed, steps.join(" ")))
    }
}

/// By what height and width of an input are multiplied in an output, where it is one whole number for both: 1 where they
/// are the same. `None` where one of them is no picture, too.
#[must_use]
pub fn times(input: Shape, output: Shape) -> Option<u32> {
    let ([height, width], [high, wide]) = (input.plane()?, output.plane()?);
    let times = high / height.max(1);
    (times > 0 && high == times * height && wide == times * width).then_some(times)
}

/// What makes an output a map with so many channels and the size of another shape.
fn map_steps(channels: u32, like: Shape, output: Shape) -> Vec<String> {
    let conv = (output.channels() != channels).then(|| format!("-> conv({channels}, kernel = 1)"));
    let resize = (output.spatial() != like.spatial()).then(|| {
        let sizes: Vec<String> = like.spatial().iter().map(u32::to_string).collect();
        format!("-> resize(size = ({}))", sizes.join(", "))
    });
    conv.into_iter().chain(resize).collect()
}

/// A vector of so many numbers, and what makes an output one.
fn vector(len: u32, output: Shape) -> (Shape, Vec<String>) {
    let pool = output.is_spatial().then(|| "-> global_avg_pool".to_owned());
    (Shape::from([len]), pool.into_iter().chain([format!("-> linear({len})")]).collect())
}
