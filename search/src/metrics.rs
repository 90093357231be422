//! How well a network does: the values of its metrics by name, of which one ranks networks.
//!
//! In the files of a run they are an object with the metrics as keys, the primary one first, and
//! after them what is told of each class:
//!
//! ```json
//! {"miou": 0.41, "accuracy": 0.58, "loss": 1.21, "class_iou": [0.5, null, 0.32]}
//! ```

use std::cmp::Ordering;
use std::fmt;

use indexmap::IndexMap;
use nas_ir::metric::{ClassMetric, Direction, Metric, TaskMetrics};
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The metrics of a network on some images.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    primary: (Metric, f64),
    others: IndexMap<Metric, f64>,
    by_class: IndexMap<ClassMetric, Vec<Option<f64>>>,
}

impl Metrics {
    /// What a task declares, with the value of each metric, and of each metric of classes the values
    /// in the order of the classes, `None` for a class that does not occur.
    pub fn new(
        declared: TaskMetrics,
        value: impl Fn(Metric) -> f64,
        by_class: impl Fn(ClassMetric) -> Vec<Option<f64>>,
    ) -> Self {
        let TaskMetrics { primary, others, by_class: of_classes } = declared;
        Self {
            primary: (primary, value(primary)),
            others: others.iter().map(|&metric| (metric, value(metric))).collect(),
            by_class: of_classes.iter().map(|&metric| (metric, by_class(metric))).collect(),
        }
    }

    /// The metric that ranks networks, and its value.
    #[must_use]
    pub fn primary(&self) -> (Metric, f64) {
        self.primary
    }

    /// Each metric with its value, the primary one first.
    pub fn values(&self) -> impl Iterator<Item = (Metric, f64)> {
        let others = self.others.iter().map(|(&metric, &value)| (metric, value));
        std::iter::once(self.primary).chain(others)
    }

    /// The value of a metric, if it is among them.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values().find_map(|(found, value)| (found == metric).then_some(value))
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

    /// The value that ranks networks, turned so that more is better.
    #[must_use]
    pub fn fitness(&self) -> f64 {
        let (metric, value) = self.primary;
        match metric.direction() {
            Direction::Higher => value,
            Direction::Lower => -value,
        }
    }

    /// The order that puts the better one first, by the primary metric. Both are of one task.
    #[must_use]
    pub fn best_first(&self, other: &Self) -> Ordering {
        other.fitness().total_cmp(&self.fitness())
    }

    /// Whether it is better by the primary metric. Both are of one task.
    #[must_use]
    pub fn is_better_than(&self, other: &Self) -> bool {
        self.fitness() > other.fitness()
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map =
            serializer.serialize_map(Some(1 + self.others.len() + self.by_class.len()))?;
        for (metric, value) in self.values() {
            map.serialize_entry(metric.name(), &value)?;
        }
        for (metric, values) in self.by_class() {
            map.serialize_entry(metric.name(), values)?;
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
        let mut primary = None;
        let (mut others, mut by_class) = (IndexMap::new(), IndexMap::new());
        while let Some(name) = map.next_key::<String>()? {
            if let Some(metric) = Metric::named(&name) {
                let value = map.next_value()?;
                match primary {
                    None => primary = Some((metric, value)),
                    Some(_) => drop(others.insert(metric, value)),
                }
            } else if let Some(metric) = ClassMetric::named(&name) {
                by_class.insert(metric, map.next_value()?);
            } else {
                return Err(A::Error::custom(format!("there is no metric `{name}`")));
            }
        }
        let primary = primary.ok_or_else(|| A::Error::custom("there are no metrics"))?;
        Ok(Metrics { primary, others, by_class })
    }
}
