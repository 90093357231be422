//! The run directory: everything to know what was run and to go on with it.
//!
//! ```text
//! nasc.lock               taken while a process works here
//! sources/…               the files of the space as they were read
//! recipe.json             the checked recipe, every default written out
//! space.txt               the space that the compiler made of the files, in the text form of the IR
//! decisions.json          the candidates of each decision, by path
//! data.json               the files of the data set with their sizes in bytes
//! initial.safetensors     the weights that a retraining began with, if they were given
//! run.json                goal, space and whether it is whole, seed, versions, names of the sources;
//!                         written last of these
//! status.json             phase and epoch, for people and tools
//! history.jsonl           a line for each epoch of search and retraining
//! timing.jsonl            their wall times; the only file that two equal runs differ in
//! supernet.safetensors    state of the supernet after the last finished epoch, if there is one
//! scores.jsonl            the networks that were tried, with their scores
//! candidates.json         the best of them, best first
//! assignment.json         the best one, or the one to retrain: decision path -> candidate; what
//!                         `--arch` reads
//! trainee.safetensors     state of the retraining after its last finished epoch; gone at the end
//! best.safetensors        the same after its best epoch; gone at the end
//! weights.safetensors     the retrained weights
//! result.json             cost and scores of the result; written last
//! ```
//!
//! Every file is written whole or not at all: aside in the same folder, synced, renamed. Lines
//! are appended and synced; a last line without its end was torn by a crash and does not count.
//!
//! A run goes on only with what it began with: the same goal, space, network, initial weights,
//! recipe and data files. Of these files only names and sizes are compared.

mod compare;
mod folder;
mod layout;
mod recipe;
pub(crate) mod state;

use std::fs;
use std::path::Path;

use nas_ir::text;

use crate::error::RunError;
pub use folder::Store;
use folder::{is_empty, refused};
pub(crate) use layout::damaged;
use layout::source_name;
pub use layout::{Inputs, Start, names};

impl Store {
    /// A new run in a folder that does not exist or is empty.
    ///
    /// # Errors
    /// The folder holds something, or cannot be written.
    pub fn create(dir: &Path, inputs: &Inputs<'_>) -> Result<Self, RunError> {
        if dir.join(names::RUN).exists() {
            return Err(RunError::Exists { dir: dir.to_owned() });
        }
        // A folder whose run was never begun for good counts as empty: it holds the lock.
        if !is_empty(dir)? && !dir.join(names::LOCK).exists() {
            return Err(RunError::NotARun { dir: dir.to_owned() });
        }
        fs::create_dir_all(dir).map_err(|e| refused("create", dir, e))?;
        let mut store = Self::locked(dir, inputs.run(), false)?;
        if dir.join(names::RUN).exists() {
            return Err(RunError::Exists { dir: dir.to_owned() });
        }
        store.sweep()?;
        for (name, bytes) in inputs.sources {
            store.path(name)?;
            store.write(&source_name(name), bytes)?;
        }
        store.write_json(names::RECIPE, &recipe::written(inputs.recipe)?)?;
        store.write(names::SPACE, text::print(inputs.space).as_bytes())?;
        store.write_json(names::DECISIONS, &inputs.decisions())?;
        store.write_json(names::DATA, &inputs.data())?;
        // What a run left here that was not begun for good is not of this one.
        match inputs.initial()? {
            Some(bytes) => store.write(names::INITIAL, &bytes)?,
            None => store.remove(names::INITIAL)?,
        }
        match inputs.start {
            Some(start) => store.write_json(names::ASSIGNMENT, start.choices)?,
            None => store.remove(names::ASSIGNMENT)?,
        }
        store.write_json(names::RUN, &store.run.clone())?;
        Ok(store)
    }

    /// The run of an earlier process, or a new one where there is none.
    ///
    /// # Errors
    /// As [`Store::resume`] and [`Store::create`].
    pub fn open(dir: &Path, inputs: &Inputs<'_>) -> Result<Self, RunError> {
        if dir.join(names::RUN).exists() {
            Self::resume(dir, inputs)
        } else {
            Self::create(dir, inputs)
        }
    }

    /// The run of an earlier process, to go on with.
    ///
    /// # Errors
    /// The folder holds no run, or one of other inputs (all differences are said), or another
    /// process works there.
    pub fn resume(dir: &Path, inputs: &Inputs<'_>) -> Result<Self, RunError> {
        if !dir.join(names::RUN).exists() {
            let dir = dir.to_owned();
            let unfinished = dir.join(names::LOCK).exists();
            return Err(if unfinished || is_empty(&dir)? {
                RunError::NothingToResume { dir }
            } else {
                RunError::NotARun { dir }
            });
        }
        let mut store = Self::locked(dir, inputs.run(), true)?;
        let recorded = compare::recorded(&store)?;
        let differences = compare::differences(&store, &recorded, inputs)?;
        if !differences.is_empty() {
            return Err(RunError::Differs { dir: dir.to_owned(), differences });
        }
        store.version_changes = compare::versions(&recorded, &store.run);
        store.sweep()?;
        Ok(store)
    }
}
