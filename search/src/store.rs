//! The run directory: everything to know what was run and to go on with it.
//!
//! ```text
//! nasc.lock               taken while a process works here
//! sources/…               the files of the space as they were read
//! recipe.json             the checked recipe, every default written out
//! space.txt               the space that the compiler made of the files, in the text form of the IR
//! decisions.json          the candidates of each decision, by path
//! data.json               the files of the data set with their sizes in bytes and the SHA-256 of each
//! initial.safetensors     the weights that a retraining began with, if they were given
//! run.json                goal, space and whether it is whole, seed, versions, names of the sources;
//!                         written last of these
//! run.sqlite              what is written while it goes on, a database of SQLite: where it is, the epochs
//!                         of search and retraining, the networks that were tried, with their scores, and wall
//!                         times, which are all that two equal runs differ in (`records/schema.sql`)
//! supernet.safetensors    state of the supernet after the last finished epoch, if there is one
//! trials/…                a folder for each of them, where a command scores them
//! candidates.json         the best of them, best first
//! assignment.json         the best one, or the one to retrain: decision path -> candidate; what
//!                         `--arch` reads
//! trainee.safetensors     state of the retraining after its last finished epoch; gone at the end
//! best.safetensors        the same after its best epoch; gone at the end
//! weights.safetensors     the retrained weights
//! result.json             cost and scores of the result; written last
//! ```
//!
//! Every file is written whole or not at all: aside in the same folder, synced, renamed. States are written while training goes on;
//! whatever is written next waits for them. What an epoch or a trial
//! adds to the database is one transaction, synced; `run.sqlite-wal` and `run.sqlite-shm` beside it are parts of it
//! while a process works here, and after one was killed.
//!
//! A run goes on only with what it began with: the same goal, space, network, initial weights, recipe
//! and data files. Of the space counts what the compiler makes of its files, not their text; of the
//! data files what they hold, not where they lie, and only what the run has used; the recipe may ask
//! for more epochs. What was taken over so is written into `recipe.json` and `data.json`.
//!
//! A folder is adopted only if it holds nothing but what is written before `run.json`.

mod compare;
mod folder;
mod kept;
mod later;
mod layout;
mod recipe;
mod recorded;
mod records;
pub(crate) mod state;

use std::fs;
use std::path::Path;

use nas_ir::text;

use crate::error::RunError;
use compare::Compared;
pub use folder::Store;
use folder::{check_unbegun, refused};
pub(crate) use layout::damaged;
use layout::source_name;
pub use layout::{Inputs, Start, names};
pub use recorded::Recorded;

impl Store {
    /// A new run in a folder that does not exist or is empty.
    ///
    /// # Errors
    /// The folder holds something, or cannot be written.
    pub fn create(dir: &Path, inputs: &Inputs<'_>) -> Result<Self, RunError> {
        let check = || {
            let exists = dir.join(names::RUN).exists();
            if exists { Err(RunError::Exists { dir: dir.to_owned() }) } else { check_unbegun(dir) }
        };
        check()?;
        fs::create_dir_all(dir).map_err(|e| refused("create", dir, e))?;
        let mut store = Self::locked(dir, inputs.run(), false)?;
        // Until the lock was taken, another process may have begun one.
        check()?;
        store.clear_unbegun()?;
        for (name, bytes) in inputs.sources {
            store.path(name)?;
            store.write(&source_name(name), bytes)?;
        }
        store.write_json(names::RECIPE, &recipe::written(inputs.recipe)?)?;
        store.write(names::SPACE, text::print(inputs.space).as_bytes())?;
        store.write_json(names::DECISIONS, &inputs.decisions())?;
        store.write_json(names::DATA, &inputs.data())?;
        if let Some(bytes) = inputs.initial()? {
            store.write(names::INITIAL, &bytes)?;
        }
        if let Some(start) = inputs.start {
            store.write_json(names::ASSIGNMENT, start.choices)?;
        }
        store.write_json(names::RUN, &store.run.clone())?;
        Ok(store)
    }

    /// The run of an earlier process, or a new one where there is none.
    ///
    /// # Errors
    /// There is a run of other inputs (all differences are said), another process works there, or
    /// as [`Store::create`].
    pub fn open(dir: &Path, inputs: &Inputs<'_>) -> Result<Self, RunError> {
        if !dir.join(names::RUN).exists() {
            return Self::create(dir, inputs);
        }
        let mut store = Self::locked(dir, inputs.run(), true)?;
        let recorded = compare::recorded(&store)?;
        let Compared { differences, changes } = compare::compare(&store, &recorded, inputs)?;
        if !differences.is_empty() {
            return Err(RunError::Differs { dir: dir.to_owned(), differences });
        }
        store.version_changes = compare::versions(&recorded, &store.run);
        store.sweep()?;
        if !changes.is_empty() {
            store.write_json(names::RECIPE, &recipe::written(inputs.recipe)?)?;
            store.write_json(names::DATA, &inputs.data())?;
            store.changes = changes;
        }
        Ok(store)
    }
}
