//! What networks are judged by: metrics, each with its name, its direction and how it is shown.

use serde::Serialize;

/// Which of two values of a metric is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The higher one.
    Higher,
    /// The lower one.
    Lower,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Higher, Self::Lower];

    /// Its word, in recipes and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }

    /// The direction of a word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.name() == name)
    }
}

/// What the values of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Shares, from 0 to 1.
    Share,
    /// Numbers without an upper bound, from 0.
    Number,
}

/// A figure that says how well a network does its task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "&'static str")]
pub enum Metric {
    /// Mean intersection over union, over the classes that occur among labels or predictions.
    Miou,
    /// The share of labels that are predicted: of pixels in a segmentation, of images in a classification (top-1).
    Accuracy,
    /// The share of images whose label is among the five classes with the highest logits.
    Top5,
    /// The mean over the classes of F1, `2 TP / (2 TP + FP + FN)`, over those that occur among labels or predictions
    /// (macro). Of labels that apply or do not, one applies where its logit is above 0.
    F1,
    /// F1 of the labels of all classes together (micro).
    MicroF1,
    /// The mean over the classes of the area under the ROC curve, over those that have both labels. It is the share of the
    /// pairs of an image with the label and one without in which the first has the higher logit, equal ones counting half.
    Auroc,
    /// The mean over the classes of average precision, over those that have both labels: precision at each threshold,
    /// weighed by what it adds to recall.
    MeanAp,
    /// Mean absolute error, in the unit of the targets.
    Mae,
    /// Root of the mean squared error over all values, in the unit of the targets.
    Rmse,
    /// Peak signal-to-noise ratio in dB, `10 log10(peak^2 / MSE)` of each image, and the mean over the images; one without
    /// an error counts 100 dB.
    Psnr,
    /// The mean of the loss that is trained on, without what regularises it: cross-entropy in nats, of a regression the
    /// loss that the recipe names.
    Loss,
}

/// Its key in files.
impl From<Metric> for &'static str {
    fn from(metric: Metric) -> Self {
        metric.name()
    }
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 11] = [
        Self::Miou,
        Self::Accuracy,
        Self::Top5,
        Self::F1,
        Self::MicroF1,
        Self::Auroc,
        Self::MeanAp,
        Self::Mae,
        Self::Rmse,
        Self::Psnr,
        Self::Loss,
    ];

    /// Its key in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Miou => "miou",
            Self::Accuracy => "accuracy",
            Self::Top5 => "top5",
            Self::F1 => "f1",
            Self::MicroF1 => "micro_f1",
            Self::Auroc => "auroc",
            Self::MeanAp => "mean_ap",
            Self::Mae => "mae",
            Self::Rmse => "rmse",
            Self::Psnr => "psnr",
            Self::Loss => "loss",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Miou => "mIoU",
            Self::Accuracy => "accuracy",
            Self::Top5 => "top-5 accuracy",
            Self::F1 => "F1",
            Self::MicroF1 => "micro F1",
            Self::Auroc => "AUROC",
            Self::MeanAp => "mAP",
            Self::Mae => "MAE",
            Self::Rmse => "RMSE",
            Self::Psnr => "PSNR (dB)",
            Self::Loss => "loss",
        }
    }

    /// Which way is better.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::Miou
            | Self::Accuracy
            | Self::Top5
            | Self::F1
            | Self::MicroF1
            | Self::Auroc
            | Self::MeanAp
            | Self::Psnr => Direction::Higher,
            Self::Mae | Self::Rmse | Self::Loss => Direction::Lower,
        }
    }

    /// What its values are.
    #[must_use]
    pub fn scale(self) -> Scale {
        match self {
            Self::Miou
            | Self::Accuracy
            | Self::Top5
            | Self::F1
            | Self::MicroF1
            | Self::Auroc
            | Self::MeanAp => Scale::Share,
            Self::Mae | Self::Rmse | Self::Psnr | Self::Loss => Scale::Number,
        }
    }

    /// The metric of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// A figure that each class has; a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClassMetric {
    /// Intersection over union of the pixels of a class.
    Iou,
    /// As [`Metric::F1`], of one class.
    F1,
    /// As [`Metric::Auroc`], of one class.
    Auroc,
    /// Average precision; as [`Metric::MeanAp`], of one class.
    Ap,
}

impl ClassMetric {
    /// Every metric of classes.
    pub const ALL: [Self; 4] = [Self::Iou, Self::F1, Self::Auroc, Self::Ap];

    /// Its key in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iou => "class_iou",
            Self::F1 => "class_f1",
            Self::Auroc => "class_auroc",
            Self::Ap => "class_ap",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Iou => "IoU",
            Self::F1 => "F1",
            Self::Auroc => "AUROC",
            Self::Ap => "AP",
        }
    }

    /// The metric of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// The metrics of a task, in the order in which files and tables have them after the primary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskMetrics {
    /// What ranks networks and picks the best epoch; it comes first.
    pub primary: Metric,
    /// All, the primary one among them.
    pub metrics: &'static [Metric],
    /// What is told of each class.
    pub by_class: &'static [ClassMetric],
}

impl TaskMetrics {
    /// The same, ranked by another one of them.
    #[must_use]
    pub fn ranked_by(self, primary: Option<Metric>) -> Self {
        let known = primary.filter(|metric| self.metrics.contains(metric));
        Self { primary: known.unwrap_or(self.primary), ..self }
    }

    /// All metrics but the primary one.
    pub fn others(self) -> impl Iterator<Item = Metric> {
        self.metrics.iter().copied().filter(move |metric| *metric != self.primary)
    }

    /// All metrics, the primary one first.
    pub fn all(self) -> impl Iterator<Item = Metric> {
        std::iter::once(self.primary).chain(self.others())
    }
}
