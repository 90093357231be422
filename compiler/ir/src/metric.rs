//! What networks are judged by: metrics, each with its name, its direction and how it is shown.

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Mean intersection over union, over the classes that occur among labels or predictions.
    Miou,
    /// The share of labels that are predicted: of pixels in a segmentation, of images in a classification.
    Accuracy,
    /// Mean cross-entropy over the labels, in nats.
    Loss,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 3] = [Self::Miou, Self::Accuracy, Self::Loss];

    /// Its key in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Miou => "miou",
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Miou => "mIoU",
            Self::Accuracy => "accuracy",
            Self::Loss => "cross-entropy",
        }
    }

    /// Which way is better.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::Miou | Self::Accuracy => Direction::Higher,
            Self::Loss => Direction::Lower,
        }
    }

    /// What its values are.
    #[must_use]
    pub fn scale(self) -> Scale {
        match self {
            Self::Miou | Self::Accuracy => Scale::Share,
            Self::Loss => Scale::Number,
        }
    }

    /// The metric of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// A figure that each class has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClassMetric {
    /// Intersection over union of the pixels of a class; a share.
    Iou,
}

impl ClassMetric {
    /// Every metric of classes.
    pub const ALL: [Self; 1] = [Self::Iou];

    /// Its key in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iou => "class_iou",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Iou => "IoU",
        }
    }

    /// The metric of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }
}

/// The metrics of a task, in the order in which files and tables have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskMetrics {
    /// What ranks networks and picks the best epoch; it comes first.
    pub primary: Metric,
    /// The others.
    pub others: &'static [Metric],
    /// What is told of each class.
    pub by_class: &'static [ClassMetric],
}
