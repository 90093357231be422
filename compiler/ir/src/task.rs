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
}

impl Task {
    /// What it is, in words.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Task::Segmentation { classes, .. } => format!("a segmentation of {classes} classes"),
            Task::Classification { classes } => format!("a classification of {classes} classes"),
        }
    }

    /// What networks for it are judged by.
    #[must_use]
    pub fn metrics(self) -> TaskMetrics {
        match self {
            Task::Segmentation { .. } => TaskMetrics {
                primary: Metric::Miou,
                others: &[Metric::Accuracy, Metric::Loss],
                by_class: &[ClassMetric::Iou],
            },
            Task::Classification { .. } => {
                TaskMetrics { primary: Metric::Accuracy, others: &[Metric::Loss], by_class: &[] }
            }
        }
    }

    /// If an output does not fit the task: the shape that would, and the steps that make it, such as
    /// `-> conv(7, kernel = 1)`.
    pub(crate) fn misfit(self, input: Shape, output: Shape) -> Option<(Shape, String)> {
        let (needed, steps) = match self {
            Task::Segmentation { classes, .. } => {
                let conv = (output.channels() != classes)
                    .then(|| format!("-> conv({classes}, kernel = 1)"));
                let resize = (output.spatial() != input.spatial()).then(|| {
                    let sizes: Vec<String> = input.spatial().iter().map(u32::to_string).collect();
                    format!("-> resize(size = ({}))", sizes.join(", "))
                });
                (input.with_channels(classes), conv.into_iter().chain(resize).collect())
            }
            Task::Classification { classes } => {
                let pool = output.is_spatial().then(|| "-> global_avg_pool".to_owned());
                let linear = format!("-> linear({classes})");
                (Shape::from([classes]), pool.into_iter().chain([linear]).collect::<Vec<_>>())
            }
        };
        (output != needed).then(|| (needed, steps.join(" ")))
    }
}
