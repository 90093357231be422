//! A run as it is on disk, read beside whoever works on it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::layout::{damaged, names, of_layout};
use super::recipe;
use super::records::Records;
use crate::error::RunError;
use crate::record::{Goal, Record, Run, RunResult, Status, Timing, TriedNetwork};

/// A run that is read, and not worked on. It is seen as it was when it was opened.
#[derive(Debug)]
pub struct Recorded {
    dir: PathBuf,
    run: Run,
    recipe: Value,
    result: Option<RunResult>,
    /// None where the run was begun and has written nothing yet.
    records: Option<Records>,
}

impl Recorded {
    /// Whether a folder holds a run.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        dir.join(names::RUN).is_file()
    }

    /// The run in a folder.
    ///
    /// # Errors
    /// There is none, it is of another layout, or damaged.
    pub fn open(dir: &Path) -> Result<Self, RunError> {
        let Some(run) = read::<Value>(dir, names::RUN)? else {
            return Err(RunError::NoRun { dir: dir.to_owned() });
        };
        let run = of_layout(dir, run)?;
        let recipe = read(dir, names::RECIPE)?;
        let recipe = recipe.ok_or_else(|| damaged(names::RECIPE, "it is missing"))?;
        let result = read(dir, names::RESULT)?;
        let has_records = result.is_some() || dir.join(names::RECORDS).exists();
        let records = if has_records { Records::read(dir, run.seed)? } else { None };
        if result.is_some() && records.is_none() {
            return Err(damaged(names::RECORDS, "it is empty"));
        }
        Ok(Self { dir: dir.to_owned(), run, recipe, result, records })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it is of.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The recipe, every setting with its value, section by section.
    #[must_use]
    pub fn recipe(&self) -> &Value {
        &self.recipe
    }

    /// The name of the strategy that searches; `None` where one network is trained.
    #[must_use]
    pub fn strategy(&self) -> Option<String> {
        (self.run.goal == Goal::Search).then(|| recipe::strategy(&self.recipe))
    }

    /// What came of it, if it is done.
    #[must_use]
    pub fn result(&self) -> Option<&RunResult> {
        self.result.as_ref()
    }

    /// The bytes of a file of it; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file(&self, name: &str) -> Result<Option<Vec<u8>>, RunError> {
        bytes(&self.dir, name)
    }

    /// Whether a process works on it at this moment.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        let lock = File::open(self.dir.join(names::LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
    }

    /// Where it is; `None` before its first phase.
    ///
    /// # Errors
    /// The records are damaged.
    pub fn status(&self) -> Result<Option<Status>, RunError> {
        self.records.as_ref().map_or(Ok(None), Records::status)
    }

    /// The epochs in their order, those of the search first.
    ///
    /// # Errors
    /// The records are damaged.
    pub fn epochs(&self) -> Result<Vec<Record>, RunError> {
        self.records.as_ref().map_or(Ok(Vec::new()), Records::epochs)
    }

    /// The trials in their order.
    ///
    /// # Errors
    /// The records are damaged.
    pub fn trials(&self) -> Result<Vec<TriedNetwork>, RunError> {
        self.records.as_ref().map_or(Ok(Vec::new()), Records::trials)
    }

    /// The networks that were tried as a table of known scores, a line of JSON for each: what
    /// [`crate::table::ScoreTable`] reads.
    ///
    /// # Errors
    /// The records are damaged.
    pub fn score_table(&self) -> Result<Vec<u8>, RunError> {
        let mut lines = Vec::new();
        for trial in self.trials()? {
            serde_json::to_writer(&mut lines, &trial).map_err(|e| damaged(names::RECORDS, e))?;
            lines.push(b'\n');
        }
        Ok(lines)
    }

    /// The wall times of epochs and trials.
    ///
    /// # Errors
    /// The records are damaged.
    pub fn timings(&self) -> Result<Vec<Timing>, RunError> {
        self.records.as_ref().map_or(Ok(Vec::new()), Records::timings)
    }
}

fn read<T: DeserializeOwned>(dir: &Path, name: &str) -> Result<Option<T>, RunError> {
    let bytes = bytes(dir, name)?;
    let value = bytes.map(|bytes| serde_json::from_slice(&bytes));
    value.transpose().map_err(|e| damaged(name, e))
}

fn bytes(dir: &Path, name: &str) -> Result<Option<Vec<u8>>, RunError> {
    let path = dir.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunError::Io { action: "read", path, source }),
    }
}
