//! What was measured so far, kept as it is measured: a line of JSON for each figure, after a first
//! line that says under which conditions. A measurement that was stopped or killed goes on from it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use nas_analysis::latency::Setting;
use serde::{Deserialize, Serialize};

use super::error::Mixed;
use super::table::{TIMES, time};
use crate::render::report::Failure;
use crate::services::source::io_reason;

/// Figures by what was measured, in the order in which they were taken.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    samples: IndexMap<String, Vec<f64>>,
}

/// What all figures of a journal have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conditions {
    /// What is measured on.
    pub(super) device: Setting,
    /// How many runs before each do not count, where nasc runs the models.
    pub(super) warmup: Option<usize>,
    /// What tells the figure in what a command prints, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
}

impl Conditions {
    fn difference(&self, other: &Self) -> Option<String> {
        let runs = |warmup: Option<usize>| warmup.map_or("other".to_owned(), |n| n.to_string());
        let warmup = || format!("warmup: {} and {}", runs(self.warmup), runs(other.warmup));
        let text = |pattern: &Option<String>| pattern.clone().unwrap_or_else(|| "none".to_owned());
        let pattern = || format!("pattern: {} and {}", text(&self.pattern), text(&other.pattern));
        let device = self.device.difference(&other.device);
        device
            .or_else(|| (self.warmup != other.warmup).then(warmup))
            .or_else(|| (self.pattern != other.pattern).then(pattern))
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: String,
    ms: f64,
}

impl Journal {
    /// The journal of a file, which is made if there is none.
    ///
    /// # Errors
    /// It cannot be read or written, or was kept under other conditions.
    pub(super) fn open(path: &Path, conditions: Conditions) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| failure(path, &error);
        nas_files::replaceable(path).map_err(failed)?;
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        // Held until the file is closed.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                return Err(Failure::input(format!(
                    "another `nasc latency` measures into {path}: wait for it, or name another file by `--out`"
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let text = match nas_files::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        // What a kill cut off is measured again.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let kept = text.get(..whole).unwrap_or_default();
        file.set_len(whole as u64).map_err(failed)?;
        let mut lines = kept.lines();
        match lines.next() {
            None => file.write_all(line(&conditions)?.as_bytes()).map_err(failed)?,
            Some(first) => agree(path, &parsed(path, first)?, &conditions)?,
        }
        let mut samples: IndexMap<String, Vec<f64>> = IndexMap::new();
        for line in lines {
            let Line { key, ms } = parsed(path, line)?;
            if time(ms).is_none() {
                let path = path.display();
                return Err(Failure::input(format!("{path}: {ms} ms is no time ({TIMES})")));
            }
            samples.entry(key).or_default().push(ms);
        }
        Ok(Self { path: path.to_owned(), file, samples })
    }

    /// How many figures there are of something.
    #[must_use]
    pub(super) fn count(&self, key: &str) -> usize {
        self.samples.get(key).map_or(0, Vec::len)
    }

    /// The figures of something.
    #[must_use]
    pub(super) fn samples(&self, key: &str) -> &[f64] {
        self.samples.get(key).map_or(&[], Vec::as_slice)
    }

    /// Keeps a figure.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn push(&mut self, key: &str, ms: f64) -> Result<(), Failure> {
        let line = line(&Line { key: key.to_owned(), ms })?;
        self.file.write_all(line.as_bytes()).map_err(|error| failure(&self.path, &error))?;
        self.samples.entry(key.to_owned()).or_default().push(ms);
        Ok(())
    }

    /// Removes the file: the figures are elsewhere now.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn finish(self) -> Result<(), Failure> {
        std::fs::remove_file(&self.path).map_err(|error| failure(&self.path, &error))
    }
}

/// That figures of these conditions may follow those that are there.
fn agree(path: &Path, there: &Conditions, here: &Conditions) -> Result<(), Failure> {
    match there.difference(here) {
        None => Ok(()),
        Some(difference) => {
            Err(Failure::problem(Mixed { file: path.display().to_string(), difference }))
        }
    }
}

fn line(value: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string(value).map_err(|error| Failure::input(error.to_string()))?;
    Ok(json + "\n")
}

fn parsed<T: for<'l> Deserialize<'l>>(path: &Path, line: &str) -> Result<T, Failure> {
    serde_json::from_str(line)
        .map_err(|error| Failure::input(format!("{}: {error}", path.display())))
}

fn failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::input(format!("{}: {}", path.display(), io_reason(error)))
}

#[cfg(test)]
mod tests {
    use nas_ir::Precision;

    use super::*;

    fn conditions(engine: &str, warmup: usize) -> Conditions {
        let device = Setting {
            hardware: "board".to_owned(),
            engine: engine.to_owned(),
            engine_version: "1".to_owned(),
            precision: Precision::Fp32,
            threads: 1,
            surrounded: false,
        };
        Conditions { device, warmup: Some(warmup), pattern: None }
    }

    #[test]
    fn figures_outlive_the_process_but_not_half_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.partial");
        let open = || Journal::open(&path, conditions("tract", 1)).unwrap();
        let mut journal = open();
        journal.push("a", 1.5).unwrap();
        journal.push("b", 2.0).unwrap();
        drop(journal);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "{\"key\":\"a\",\"m").unwrap();
        let mut journal = open();
        assert_eq!((journal.samples("a"), journal.count("b")), (&[1.5][..], 1));
        journal.push("a", 1.25).unwrap();
        drop(journal);
        let journal = open();
        assert_eq!(journal.samples("a"), [1.5, 1.25]);
        journal.finish().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn two_do_not_measure_into_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.partial");
        let first = Journal::open(&path, conditions("tract", 1)).unwrap();
        let refused = Journal::open(&path, conditions("tract", 1)).unwrap_err();
        assert!(refused.summary().contains("another `nasc latency` measures into"), "{refused:?}");
        drop(first);
        Journal::open(&path, conditions("tract", 1)).unwrap();
    }

    #[test]
    fn other_conditions_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.partial");
        let refusal = |conditions| match Journal::open(&path, conditions) {
            Err(Failure::Problems(problems)) => problems[0].to_string(),
            other => panic!("{other:?}"),
        };
        Journal::open(&path, conditions("tract", 1)).unwrap();
        let text = refusal(conditions("ncnn", 1));
        assert!(text.ends_with("engine: tract and ncnn"), "{text}");
        let text = refusal(conditions("tract", 3));
        assert!(text.ends_with("warmup: 1 and 3"), "{text}");
        let pattern = Some("Min: (.*)".to_owned());
        let text = refusal(Conditions { pattern, ..conditions("tract", 1) });
        assert!(text.ends_with("pattern: none and Min: (.*)"), "{text}");
    }

    #[test]
    fn what_is_no_time_is_no_figure() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.partial");
        Journal::open(&path, conditions("tract", 1)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "{\"key\":\"a\",\"ms\":-1}\n").unwrap();
        let failure = Journal::open(&path, conditions("tract", 1)).unwrap_err();
        assert!(failure.summary().contains("-1 ms is no time"), "{failure:?}");
    }
}
