//! The table of a device: how long each part took, and on what it was measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::RangeInclusive;

use nas_ir::{Assignment, Precision};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::correction::{Correction, Sample};
use super::key::Key;
use super::parts::Plan;

/// The version of the format of table files.
const VERSION: u32 = 1;
/// The largest factor or number of nanoseconds of a correction.
const MAX_CORRECTION: f64 = 1e12;

/// What was measured, on what.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// On what: the same for all entries.
    pub device: Setting,
    /// How long the parts took, by [`super::Part::key`].
    pub entries: BTreeMap<Key, Entry>,
    /// How the latency of a network follows from those of its parts; their sum, if it is not known.
    pub correction: Option<Correction>,
}

/// On what parts were measured. Figures of two settings are not comparable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "what it was measured on")]
pub struct Setting {
    /// The machine or board, in words.
    pub hardware: String,
    /// What ran the parts: `tract`, `onnxruntime`.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// What it computed with.
    pub precision: Precision,
    /// On how many threads.
    pub threads: u32,
    /// Whether each part ran between neighbours, as [`super::surrounded`] has it, rather than alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surrounded: bool,
}

impl Setting {
    /// What differs between two settings, in words: "threads: 1 and 4".
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let texts = |setting: &Self| {
            let threads = setting.threads.to_string();
            let precision = setting.precision.name().to_owned();
            let surrounded = setting.surrounded.to_string();
            [setting.hardware.clone(), setting.engine.clone(), setting.engine_version.clone()]
                .into_iter()
                .chain([precision, threads, surrounded])
        };
        let names = ["hardware", "engine", "engine_version", "precision", "threads", "surrounded"];
        let mut both = names.into_iter().zip(texts(self).zip(texts(other)));
        let (name, (a, b)) = both.find(|(_, (a, b))| a != b)?;
        Some(format!("{name}: {a} and {b}"))
    }
}

/// How long a part took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an entry")]
pub struct Entry {
    /// What the part is, for people.
    pub about: String,
    /// The least of the repeats, in nanoseconds: what disturbs a run only adds to its time. It is what
    /// the latency of networks is made of.
    pub least: u64,
    /// Their median, in nanoseconds.
    pub median: u64,
    /// The difference of their upper and lower quartile, in nanoseconds.
    pub spread: u64,
    /// How often it was run.
    pub repeats: u32,
}

impl Entry {
    /// What a part may take, in nanoseconds: up to a quarter of an hour, so that sums of such times
    /// fit into 64 bits.
    pub const TIMES: RangeInclusive<u64> = 1..=900_000_000_000;
}

/// Why a text is no table, or two tables are not one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// The text is not JSON, or not of this form.
    #[error("line {line}, column {column}: {what}")]
    Form {
        /// What is wrong.
        what: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// A version of the format that this compiler does not know.
    #[error("version {found} of the format; this compiler reads version {VERSION}")]
    Version {
        /// The version of the text.
        found: u32,
    },
    /// A figure that cannot be.
    #[error("{place}: {what}")]
    Figure {
        /// Where in the text: `entries.9f3c….least`.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// Tables of two settings.
    #[error("measured on different settings: {0}")]
    Mixed(String),
}

/// A part that the table lacks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the part `{about}` ({key}) is not in the table")]
pub struct Missing {
    /// The key of the part.
    pub key: Key,
    /// What it is.
    pub about: String,
}

/// The form of the file; [`Table`] is what has passed all checks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a latency table")]
struct Form {
    version: u32,
    device: Setting,
    #[serde(default)]
    correction: Option<Correction>,
    entries: BTreeMap<Key, Entry>,
}

/// What tells the version of a file, whatever else it has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Table {
    /// A table without entries.
    #[must_use]
    pub fn new(device: Setting) -> Self {
        Self { device, entries: BTreeMap::new(), correction: None }
    }

    /// The table that a text holds.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        let form = serde_json::from_str::<Form>(text);
        // A file of another version is said to be one, rather than to have unknown fields.
        let version = match &form {
            Ok(form) => Some(form.version),
            Err(_) => serde_json::from_str::<Version>(text).ok().map(|probe| probe.version),
        };
        if let Some(found) = version.filter(|&version| version != VERSION) {
            return Err(TableError::Version { found });
        }
        let Form { device, correction, entries, .. } = form.map_err(|error| form_error(&error))?;
        let table = Self { device, entries, correction };
        table.check()?;
        Ok(table)
    }

    fn check(&self) -> Result<(), TableError> {
        let fail = |place: String, what: String| Err(TableError::Figure { place, what });
        for (key, entry) in &self.entries {
            if !Entry::TIMES.contains(&entry.least) {
                let (least, greatest) = Entry::TIMES.into_inner();
                let what = format!("{} is not from {least} to {greatest}", entry.least);
                return fail(format!("entries.{key}.least"), what);
            }
        }
        let Some(correction) = self.correction else { return Ok(()) };
        let Correction { scale, per_part, overhead, .. } = correction;
        let from_zero = 0.0..=MAX_CORRECTION;
        let ranges = [
            ("scale", scale, from_zero.clone()),
            ("per_part", per_part, -MAX_CORRECTION..=MAX_CORRECTION),
            ("overhead", overhead, from_zero),
        ];
        match ranges.into_iter().find(|(_, value, range)| !range.contains(value)) {
            Some((name, value, range)) => fail(
                format!("correction.{name}"),
                format!("{value} is not from {} to {}", range.start(), range.end()),
            ),
            None => Ok(()),
        }
    }

    /// The text of the table: the same for equal tables, a line for each entry.
    #[must_use]
    pub fn to_text(&self) -> String {
        // INVARIANT: text, whole and finite numbers under keys of text always have a JSON.
        let mut text =
            format!("{{\n  \"version\": {VERSION},\n  \"device\": {}", json(&self.device));
        if let Some(correction) = &self.correction {
            let _ = write!(text, ",\n  \"correction\": {}", json(correction));
        }
        text += ",\n  \"entries\": {";
        for (index, (key, entry)) in self.entries.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\n    {}: {}", json(key), json(entry));
        }
        text += if self.entries.is_empty() { "}\n}\n" } else { "\n  }\n}\n" };
        text
    }

    /// Takes over the entries of another table; where both have one, the other's. A correction was
    /// fitted to the entries as they were, so that one stays only where nothing changes.
    ///
    /// # Errors
    /// They were measured on different settings.
    pub fn merge(&mut self, other: Self) -> Result<(), TableError> {
        if let Some(difference) = self.device.difference(&other.device) {
            return Err(TableError::Mixed(difference));
        }
        for (key, entry) in other.entries {
            self.insert(key, entry);
        }
        Ok(())
    }

    /// Adds an entry, or replaces it. The correction goes if the table changes by that: it was
    /// fitted to the entries as they were.
    pub fn insert(&mut self, key: Key, entry: Entry) {
        if self.entries.get(&key) != Some(&entry) {
            self.entries.insert(key, entry);
            self.correction = None;
        }
    }

    /// The parts that the table lacks, in the order of the plan.
    #[must_use]
    pub fn missing(&self, plan: &Plan) -> Vec<Missing> {
        let parts = plan.parts.iter().filter(|part| !self.entries.contains_key(&part.key));
        parts.map(|part| Missing { key: part.key, about: part.about.clone() }).collect()
    }

    /// The keys of entries that are no part of the plan: of other spaces, or of a space that was
    /// changed since.
    #[must_use]
    pub fn stale(&self, plan: &Plan) -> Vec<Key> {
        let known: BTreeSet<Key> = plan.parts.iter().map(|part| part.key).collect();
        self.entries.keys().copied().filter(|key| !known.contains(key)).collect()
    }

    /// A network of the plan's space, as a sample to which a correction can be fitted: the times of
    /// its parts, and what the whole took.
    ///
    /// # Errors
    /// A part of the network is not in the table.
    pub fn sample(
        &self,
        plan: &Plan,
        assignment: &Assignment,
        nanoseconds: u64,
    ) -> Result<Sample, Missing> {
        let time = |part: &super::Part| match self.entries.get(&part.key) {
            Some(entry) => Ok(entry.least),
            None => Err(Missing { key: part.key, about: part.about.clone() }),
        };
        let parts = plan.network(assignment).into_iter().map(time);
        Ok(Sample { parts: parts.collect::<Result<_, _>>()?, measured: nanoseconds })
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn form_error(error: &serde_json::Error) -> TableError {
    let (line, column) = (error.line(), error.column());
    let what = error.to_string();
    let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
    TableError::Form { what: what.to_owned(), line, column }
}

#[cfg(test)]
mod tests {
    use super::super::correction::Residual;
    use super::*;

    const A: &str = "0000000000000000000000000000000a";
    const C: &str = "cccccccccccccccccccccccccccccccc";
    const B: &str = "ffffffffffffffffffffffffffffffff";

    fn table(keys: &[&str]) -> Table {
        let device = Setting {
            hardware: "a \"board\"".to_owned(),
            engine: "tract".to_owned(),
            engine_version: "0.23".to_owned(),
            precision: Precision::Int8,
            threads: 2,
            surrounded: false,
        };
        let mut table = Table::new(device);
        for key in keys {
            let about = format!("part {key}");
            let (least, median) = (1_200_000, 1_210_000);
            let entry = Entry { about, least, median, spread: 3, repeats: 20 };
            table.insert(key.parse().unwrap(), entry);
        }
        table
    }

    #[test]
    fn a_table_is_its_text() {
        let mut table = table(&[B, A]);
        let residual = Residual { mean_absolute_percent: 3.5, spearman: 0.97, networks: 20 };
        table.correction =
            Some(Correction { scale: 0.93, per_part: -41.5, overhead: 120.0, residual });
        let text = table.to_text();
        assert_eq!(
            text,
            r#"{
  "version": 1,
  "device": {"hardware":"a \"board\"","engine":"tract","engine_version":"0.23","precision":"int8","threads":2},
  "correction": {"scale":0.93,"per_part":-41.5,"overhead":120.0,"residual":{"mean_absolute_percent":3.5,"spearman":0.97,"networks":20}},
  "entries": {
    "0000000000000000000000000000000a": {"about":"part 0000000000000000000000000000000a","least":1200000,"median":1210000,"spread":3,"repeats":20},
    "ffffffffffffffffffffffffffffffff": {"about":"part ffffffffffffffffffffffffffffffff","least":1200000,"median":1210000,"spread":3,"repeats":20}
  }
}
"#
        );
        assert_eq!(Table::parse(&text), Ok(table));
        let empty = self::table(&[]);
        assert_eq!(Table::parse(&empty.to_text()), Ok(empty));
    }

    #[test]
    fn what_is_no_table_is_told_with_its_place() {
        let good = table(&[A]).to_text();
        let cases = [
            ("", "line 1, column 0: EOF while parsing a value"),
            ("[1]", "line 1, column 3: invalid length 1, expected a latency table"),
        ];
        for (text, reason) in cases {
            assert_eq!(Table::parse(text).unwrap_err().to_string(), reason);
        }
        let with = |from: &str, to: &str| {
            assert!(good.contains(from));
            Table::parse(&good.replace(from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            with("\"version\": 1", "\"version\": 2"),
            "version 2 of the format; this compiler reads version 1"
        );
        assert_eq!(
            with("1200000", "0"),
            format!("entries.{A}.least: 0 is not from 1 to 900000000000")
        );
        let elsewhere = with(&format!("\"{A}\":"), "\"../victim\":");
        assert!(elsewhere.starts_with("line 5, column ") && elsewhere.contains("no key of a part"));
        assert_eq!(
            with(
                "\"entries\"",
                "\"correction\": {\"scale\": -1, \"per_part\": 0, \"overhead\": 0, \"residual\": {\"mean_absolute_percent\": 0, \"spearman\": 0, \"networks\": 0}}, \"entries\""
            ),
            "correction.scale: -1 is not from 0 to 1000000000000"
        );
        assert!(with("int8", "int7").starts_with("line 3, column "));
        assert!(with("\"spread\"", "\"spraed\"").contains("unknown field `spraed`"));
    }

    #[test]
    fn tables_of_one_setting_merge() {
        let mut whole = table(&[A]);
        whole.correction = Some(Correction::NONE);
        whole.merge(table(&[A])).unwrap();
        assert_eq!(whole.correction, Some(Correction::NONE), "nothing changed");
        whole.merge(table(&[B])).unwrap();
        assert_eq!(whole.correction, None, "it was fitted to fewer entries");
        assert_eq!(whole, table(&[A, B]));
        let mut other = table(&[C]);
        other.device.threads = 4;
        let mixed = whole.merge(other).unwrap_err().to_string();
        assert_eq!(mixed, "measured on different settings: threads: 2 and 4");
        assert_eq!(whole, table(&[A, B]), "nothing was taken over");
    }
}
