//! What a run writes into its records, and drops from them when it goes on.

use super::folder::Store;
use super::layout::{damaged, names};
use super::records::{self, Records};
use crate::error::RunError;
use crate::record::{Phase, Record, Status, TriedNetwork};

impl Store {
    /// The records, which are begun where the run has written nothing yet.
    ///
    /// # Errors
    /// They are missing or damaged, or cannot be opened.
    pub(crate) fn records(&self) -> Result<&Records, RunError> {
        if let Some(records) = self.records.get() {
            return Ok(records);
        }
        let is_lost = || names::AFTER.iter().any(|name| self.has(name));
        if !self.has(names::RECORDS) && is_lost() {
            return Err(damaged(names::RECORDS, "it is missing"));
        }
        let opened = Records::open(&self.dir, self.run.seed)?;
        Ok(self.records.get_or_init(|| opened))
    }

    /// Writes where the run is.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn set_status(&mut self, status: &Status) -> Result<(), RunError> {
        self.change(|db| records::set_status(db, status))
    }

    /// Writes an epoch, how long it took, and where the run is then.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) fn add_epoch(
        &mut self,
        epoch: &Record,
        seconds: f64,
        status: &Status,
    ) -> Result<(), RunError> {
        let records = self.records()?;
        let digest = records.digest(records.last_epoch()?, epoch)?;
        self.change(|db| {
            records::add_epoch(db, epoch, &digest, seconds)?;
            records::set_status(db, status)
        })
    }

    /// Writes a trial, how long it took, and where the run is then.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) fn add_trial(
        &mut self,
        trial: &TriedNetwork,
        seconds: f64,
        status: &Status,
    ) -> Result<(), RunError> {
        let records = self.records()?;
        let digest = records.digest(records.last_trial()?, trial)?;
        self.change(|db| {
            records::add_trial(db, trial, &digest, seconds)?;
            records::set_status(db, status)
        })
    }

    /// The first epochs; the others are dropped.
    ///
    /// # Errors
    /// There are fewer, or they cannot be written.
    pub(crate) fn keep_epochs(&mut self, count: usize) -> Result<Vec<Record>, RunError> {
        let mut epochs = self.records()?.epochs()?;
        if epochs.len() < count {
            let why = format!("it has {} epochs of {count}", epochs.len());
            return Err(damaged(names::RECORDS, why));
        }
        for dropped in epochs.drain(count..) {
            let (phase, from) = match dropped {
                Record::Search(epoch) => (Phase::Search, epoch.epoch),
                Record::Retrain(epoch) => (Phase::Retrain, epoch.epoch),
            };
            self.change(|db| records::cut_epochs(db, phase, from))?;
        }
        Ok(epochs)
    }

    /// Drops the trials behind the first so many.
    ///
    /// # Errors
    /// They cannot be written.
    pub(crate) fn keep_trials(&mut self, count: usize) -> Result<(), RunError> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if self.records()?.tried()? <= count {
            return Ok(());
        }
        self.change(|db| records::cut_trials(db, count))
    }

    /// Makes changes of the records, all or none.
    fn change(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()>,
    ) -> Result<(), RunError> {
        self.settle()?;
        // What a test lets crash is not put for good.
        let path = self.path(names::RECORDS)?;
        self.burn(&path)?;
        self.records()?.write(work)
    }
}
