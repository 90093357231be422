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

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use indexmap::IndexMap;
use nas_files::{Aside, WriteError};
use nas_ir::recipe::Recipe;
use nas_ir::{Space, Weights, text};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RunError;
use crate::record::{Choices, Goal, Run, VersionChange};

mod compare;
mod recipe;
pub(crate) mod state;

/// Names of the files that this crate reads and writes.
pub mod names {
    /// See [`super`].
    pub const LOCK: &str = "nasc.lock";
    /// The folder of the sources.
    pub const SOURCES: &str = "sources";
    /// See [`crate::record::Run`].
    pub const RUN: &str = "run.json";
    /// The recipe.
    pub const RECIPE: &str = "recipe.json";
    /// The space.
    pub const SPACE: &str = "space.txt";
    /// The files of the data set.
    pub const DATA: &str = "data.json";
    /// The weights to begin with.
    pub const INITIAL: &str = "initial.safetensors";
    /// The candidates of each decision.
    pub const DECISIONS: &str = "decisions.json";
    /// See [`crate::record::Status`].
    pub const STATUS: &str = "status.json";
    /// See [`crate::record::Record`].
    pub const HISTORY: &str = "history.jsonl";
    /// See [`crate::record::Timing`].
    pub const TIMING: &str = "timing.jsonl";
    /// The state of the supernet.
    pub const SUPERNET: &str = "supernet.safetensors";
    /// See [`crate::record::TrialLine`].
    pub const SCORES: &str = "scores.jsonl";
    /// See [`crate::record::Candidate`].
    pub const CANDIDATES: &str = "candidates.json";
    /// See [`crate::record::Choices`].
    pub const ASSIGNMENT: &str = "assignment.json";
    /// The state of the retraining.
    pub const TRAINEE: &str = "trainee.safetensors";
    /// The best state of the retraining.
    pub const BEST: &str = "best.safetensors";
    /// The retrained weights.
    pub const WEIGHTS: &str = "weights.safetensors";
    /// See [`crate::record::RunResult`].
    pub const RESULT: &str = "result.json";
}

/// The version of the layout.
const FORMAT: u32 = 2;

/// What a run is of. Two runs of equal inputs on equal versions give equal files.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The space as it was asked for: `darts(width = 36)`.
    pub space_ref: &'a str,
    /// The space.
    pub space: &'a Space,
    /// Whether the space is without what its target cannot run.
    pub drop_unsupported: bool,
    /// The files that it was made of: relative name and bytes.
    pub sources: &'a [(String, Vec<u8>)],
    /// The network to train; `None` to search for one.
    pub start: Option<Start<'a>>,
    /// The recipe.
    pub recipe: &'a Recipe,
    /// The files of the data set: path from its folder, and size in bytes.
    pub data: &'a [(String, u64)],
    /// Versions of what runs: `("nasc", "0.1.0")`.
    pub versions: &'a [(String, String)],
}

/// What a retraining begins with.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// What the network chooses.
    pub choices: &'a Choices,
    /// Its weights; `None` for fresh ones.
    pub weights: Option<&'a Weights>,
}

impl Inputs<'_> {
    fn run(&self) -> Run {
        Run {
            format: FORMAT,
            goal: if self.start.is_some() { Goal::Retrain } else { Goal::Search },
            space: self.space_ref.to_owned(),
            drop_unsupported: self.drop_unsupported,
            recipe: self.recipe.name.clone(),
            seed: self.recipe.seed,
            versions: self.versions.iter().cloned().collect(),
            sources: self.sources.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    fn decisions(&self) -> IndexMap<&str, &[String]> {
        let decisions = self.space.decisions.iter();
        decisions.map(|d| (d.path.as_str(), d.candidates.as_slice())).collect()
    }

    fn data(&self) -> IndexMap<String, u64> {
        self.data.iter().cloned().collect()
    }

    /// The bytes of the initial weights.
    fn initial(&self) -> Result<Option<Vec<u8>>, RunError> {
        let weights = self.start.and_then(|start| start.weights);
        let bytes = weights.map(|weights| nas_safetensors::to_bytes(weights, None));
        bytes.transpose().map_err(|e| damaged(names::INITIAL, e))
    }
}

/// An open run directory; no other process can open it meanwhile.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    run: Run,
    resumed: bool,
    version_changes: Vec<VersionChange>,
    _lock: File,
    /// How many more writes succeed, in tests of crashes.
    #[cfg(test)]
    pub(crate) fuse: Option<usize>,
}

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

    fn locked(dir: &Path, run: Run, resumed: bool) -> Result<Self, RunError> {
        let path = dir.join(names::LOCK);
        let lock = OpenOptions::new().create(true).append(true).open(&path);
        let lock = lock.map_err(|e| refused("open", &path, e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(RunError::Locked { dir: dir.to_owned() });
            }
            Err(TryLockError::Error(e)) => return Err(refused("lock", &path, e)),
        }
        Ok(Self {
            dir: dir.to_owned(),
            run,
            resumed,
            version_changes: Vec::new(),
            _lock: lock,
            #[cfg(test)]
            fuse: None,
        })
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the run is of.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Whether an earlier process began it.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Versions that are not those of the process that began it.
    #[must_use]
    pub fn version_changes(&self) -> &[VersionChange] {
        &self.version_changes
    }

    /// Writes a file, whole or not at all. The name is relative, with `/` between folders.
    ///
    /// # Errors
    /// The name leads out of the folder, or the file cannot be written.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path(name)?;
        let folder = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder).map_err(|e| refused("create", folder, e))?;
        let aside = Aside::write(&path, bytes).map_err(unwritten)?;
        self.burn(&path)?;
        aside.put().map_err(unwritten)
    }

    /// Writes a value as JSON, with a line for each field.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_json(&mut self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| damaged(name, e))?;
        bytes.push(b'\n');
        self.write(name, &bytes)
    }

    /// The bytes of a file; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RunError> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(refused("read", &path, e)),
        }
    }

    /// The value of a JSON file that must be there.
    ///
    /// # Errors
    /// There is no such file, or it holds something else.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunError> {
        let bytes = self.read(name)?.ok_or_else(|| damaged(name, "it is missing"))?;
        serde_json::from_slice(&bytes).map_err(|e| damaged(name, e))
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&mut self, name: &str) -> Result<(), RunError> {
        let path = self.path(name)?;
        self.burn(&path)?;
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(refused("remove", &path, e)),
            _ => Ok(()),
        }
    }

    /// Appends a value as a line of JSON.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        let path = self.path(name)?;
        let mut line = serde_json::to_vec(value).map_err(|e| damaged(name, e))?;
        line.push(b'\n');
        if let Err(crash) = self.burn(&path) {
            // What a crash leaves: half a line.
            line.truncate(line.len() / 2);
            append(&path, &line)?;
            return Err(crash);
        }
        append(&path, &line)
    }

    /// The values of the whole lines of a file; none if there is no file.
    ///
    /// # Errors
    /// A whole line holds something else.
    pub fn lines<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, RunError> {
        let bytes = self.read(name)?.unwrap_or_default();
        whole_lines(&bytes)
            .enumerate()
            .map(|(i, line)| {
                let parsed = serde_json::from_slice(line);
                parsed.map_err(|e| damaged(name, format!("line {}: {e}", i + 1)))
            })
            .collect()
    }

    /// Cuts a file of lines down to its first `count`; what a crash left after them goes.
    ///
    /// # Errors
    /// There are fewer, or the file cannot be written.
    pub fn keep_lines(&mut self, name: &str, count: usize) -> Result<(), RunError> {
        let bytes = self.read(name)?.unwrap_or_default();
        let lengths: Vec<usize> = whole_lines(&bytes).map(<[u8]>::len).collect();
        let Some(kept) = lengths.get(..count) else {
            let why = format!("it has {} lines of {count}", lengths.len());
            return Err(damaged(name, why));
        };
        let length: usize = kept.iter().sum();
        if length == bytes.len() {
            return Ok(());
        }
        self.write(name, bytes.get(..length).unwrap_or_default())
    }

    /// Removes what a crash left half written: files aside, and the torn end of the times.
    fn sweep(&mut self) -> Result<(), RunError> {
        nas_files::sweep(&self.dir).map_err(|e| refused("clear", &self.dir, e))?;
        let times = self.read(names::TIMING)?.unwrap_or_default();
        self.keep_lines(names::TIMING, whole_lines(&times).count())
    }

    fn path(&self, name: &str) -> Result<PathBuf, RunError> {
        let relative = Path::new(name);
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !plain || name.contains('\\') {
            return Err(RunError::FileName { name: name.to_owned() });
        }
        Ok(self.dir.join(relative))
    }

    /// Fails where a test wants a crash.
    #[cfg(test)]
    fn burn(&mut self, path: &Path) -> Result<(), RunError> {
        match self.fuse.as_mut() {
            Some(0) => Err(refused("survive", path, io::Error::other("the fuse of the test"))),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests crash here")]
    fn burn(&mut self, _: &Path) -> Result<(), RunError> {
        Ok(())
    }
}

fn source_name(name: &str) -> String {
    format!("{}/{name}", names::SOURCES)
}

/// Whether a folder holds nothing or does not exist.
fn is_empty(dir: &Path) -> Result<bool, RunError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(e) => Err(refused("read", dir, e)),
    }
}

/// The lines that have their end, with it.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"))
}

fn append(path: &Path, line: &[u8]) -> Result<(), RunError> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(line)?;
        file.sync_all()
    });
    written.map_err(|e| refused("append to", path, e))
}

fn unwritten(WriteError { action, path, source }: WriteError) -> RunError {
    RunError::Io { action, path, source }
}

fn refused(action: &'static str, path: &Path, source: io::Error) -> RunError {
    RunError::Io { action, path: path.to_owned(), source }
}

pub(crate) fn damaged(file: &str, why: impl ToString) -> RunError {
    RunError::Damaged { file: file.to_owned(), why: why.to_string() }
}
