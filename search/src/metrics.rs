//! How well a network does: the values of its metrics by name, of which one ranks networks.
//!
//! In the files of a run they are an object with the metrics as keys, the primary one first, and
//! after them what is told of each class:
//!
//! ```json
//! {"miou": 0.41, "accuracy": 0.58, "loss": 1.21, "class_iou": [0.5, null, 0.32]}
//! ```
//!
//! Where a metric ranks that nasc does not know, such as one that a trainer of the user's prints, the
//! object says which of its values are better:
//!
//! ```json
//! {"perplexity": 3.1, "r2": 0.87, "direction": "lower"}
//! ```

use std::fmt;

use indexmap::IndexMap;
use nas_ir::metric::{ClassMetric, Direction, Metric, Scale, TaskMetrics};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key that says which values of a metric are better, beside the metrics.
pub const DIRECTION: &str = "direction";

/// The key of the confusion matrix, a row for each class with how often it was taken for each class.
pub const CONFUSION: &str = "confusion";

/// Of what a value is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MetricName {
    /// A metric that nasc knows, and its backends compute.
    Known(Metric),
    /// Another one, which whoever measured it named.
    Named(String),
}

impl MetricName {
    /// That of a key of a file.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Metric::named(key).map_or_else(|| Self::Named(key.to_owned()), Self::Known)
    }

    /// Its key in files.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Known(metric) => metric.name(),
            Self::Named(name) => name,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Known(metric) => metric.title(),
            Self::Named(name) => name,
        }
    }

    /// What its values are; of a metric that nasc does not know, any numbers.
    #[must_use]
    pub fn scale(&self) -> Scale {
        match self {
            Self::Known(metric) => metric.scale(),
            Self::Named(_) => Scale::Number,
        }
    }
}

impl PartialEq<Metric> for MetricName {
    fn eq(&self, other: &Metric) -> bool {
        *self == Self::Known(*other)
    }
}

/// The metric that ranks networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// Which one.
    pub metric: MetricName,
    /// Which of its values are better.
    pub direction: Direction,
}

impl From<Metric> for Ranking {
    fn from(metric: Metric) -> Self {
        Self { metric: MetricName::Known(metric), direction: metric.direction() }
    }
}

/// The metrics of a network on some data.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    ranking: Ranking,
    /// Of the metric that ranks.
    value: f64,
    others: IndexMap<MetricName, f64>,
    by_class: IndexMap<ClassMetric, Vec<Option<f64>>>,
    confusion: Option<Vec<Vec<u64>>>,
}

impl Metrics {
    /// What a task declares, with the value of each metric that is defined on the data, and of each metric of classes the
    /// values in the order of the classes, `None` for a class for which it is not. `None` where the primary one is not
    /// defined.
    pub fn new(
        declared: TaskMetrics,
        value: impl Fn(Metric) -> Option<f64>,
        by_class: impl Fn(ClassMetric) -> Vec<Option<f64>>,
    ) -> Option<Self> {
        let TaskMetrics { primary, by_class: of_classes, .. } = declared;
        let others = declared.others();
        let others = others.filter_map(|metric| Some((MetricName::Known(metric), value(metric)?)));
        Some(Self {
            ranking: primary.into(),
            value: value(primary)?,
            others: others.collect(),
            by_class: of_classes.iter().map(|&metric| (metric, by_class(metric))).collect(),
            confusion: None,
        })
    }

    /// The same, with how often each class was taken for each.
    #[must_use]
    pub fn with_confusion(self, confusion: Vec<Vec<u64>>) -> Self {
        Self { confusion: Some(confusion), ..self }
    }

    /// How often each class was taken for each, `[class][prediction]`, where it is told.
    #[must_use]
    pub fn confusion(&self) -> Option<&[Vec<u64>]> {
        self.confusion.as_deref()
    }

    /// What someone else measured: the value of the metric that ranks, and those of others.
    #[must_use]
    pub fn measured(ranking: Ranking, value: f64, others: IndexMap<MetricName, f64>) -> Self {
        Self { ranking, value, others, by_class: IndexMap::new(), confusion: None }
    }

    /// The metric that ranks networks, and its value.
    #[must_use]
    pub fn primary(&self) -> (&MetricName, f64) {
        (&self.ranking.metric, self.value)
    }

    /// Each metric with its value, the primary one first.
    pub fn values(&self) -> impl Iterator<Item = (&MetricName, f64)> {
        let others = self.others.iter().map(|(metric, &value)| (metric, value));
        std::iter::once(self.primary()).chain(others)
    }

    /// The value of a metric, if it is among them.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values().find_map(|(found, value)| (*found == metric).then_some(value))
    }

    /// The value of a metric by its key in files, if it is among them.
    #[must_use]
    pub fn named(&self, key: &str) -> Option<f64> {
        self.values().find_map(|(found, value)| (found.key() == key).then_some(value))
    }

    /// What is told of each class: the values in the order of the classes, `None` for a class that
    /// does not occur.
    pub fn by_class(&self) -> impl Iterator<Item = (ClassMetric, &[Option<f64>])> {
        self.by_class.iter().map(|(&metric, values)| (metric, values.as_slice()))
    }

    /// Whether every value is a finite number.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let classes = self.by_class.values().flatten().copied().flatten();
        self.values().map(|(_, value)| value).chain(classes).all(f64::is_finite)
    }

    /// The value of the primary metric, turned round where lower ones are better: more is better.
    #[must_use]
    pub fn fitness(&self) -> f64 {
        match self.ranking.direction {
            Direction::Higher => self.value,
            Direction::Lower => -self.value,
        }
    }

    /// Whether it is better by the primary metric. Both are ranked by the same one.
    #[must_use]
    pub fn is_better_than(&self, other: &Self) -> bool {
        self.fitness() > other.fitness()
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (metric, value) in self.values() {
            map.serialize_entry(metric.key(), &value)?;
        }
        for (metric, values) in self.by_class() {
            map.serialize_entry(metric.name(), values)?;
        }
        if let Some(confusion) = &self.confusion {
            map.serialize_entry(CONFUSION, confusion)?;
        }
        if let Ranking { metric: MetricName::Named(_), direction } = &self.ranking {
            map.serialize_entry(DIRECTION, direction.name())?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

/// Reads the object of a file.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Metrics;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metrics by name, the primary one first")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
        let (mut primary, mut direction, mut confusion) = (None, None, None);
        let (mut others, mut by_class) = (IndexMap::new(), IndexMap::new());
        while let Some(name) = map.next_key::<String>()? {
            if let Some(metric) = ClassMetric::named(&name) {
                by_class.insert(metric, map.next_value()?);
            } else if name == CONFUSION {
                confusion = Some(map.next_value()?);
            } else if name == DIRECTION {
                let word = map.next_value::<String>()?;
                let known = Direction::named(&word);
                let unknown = || A::Error::custom(format!("there is no direction `{word}`"));
                direction = Some(known.ok_or_else(unknown)?);
            } else {
                let (metric, value) = (MetricName::of(&name), map.next_value()?);
                match primary {
                    None => primary = Some((metric, value)),
                    Some(_) => drop(others.insert(metric, value)),
                }
            }
        }
        let (metric, value) = primary.ok_or_else(|| A::Error::custom("there are no metrics"))?;
        let ranking = ranking(metric, direction).map_err(A::Error::custom)?;
        Ok(Metrics { ranking, value, others, by_class, confusion })
    }
}

/// The ranking by a metric, with the direction that is given, or that nasc knows of it.
///
/// # Errors
/// Neither is there, or they contradict each other; in words.
pub fn ranking(metric: MetricName, given: Option<Direction>) -> Result<Ranking, String> {
    let known = match &metric {
        MetricName::Known(metric) => Some(metric.direction()),
        MetricName::Named(_) => None,
    };
    let key = metric.key();
    match (known, given) {
        (Some(known), Some(given)) if known != given => {
            Err(format!("`{key}` is better where it is {}", known.name()))
        }
        (Some(direction), _) | (None, Some(direction)) => Ok(Ranking { metric, direction }),
        (None, None) => {
            Err(format!("it is not known whether `{key}` is better where it is higher"))
        }
    }
}
