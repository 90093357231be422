//! The folder of a run: reading and writing its files.

use std::cell::OnceCell;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use nas_files::{Aside, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::later::Later;
use super::layout::{damaged, names};
use super::records::Records;
use crate::error::RunError;
use crate::record::{Run, VersionChange};

/// How long a lock may outlive who holds it: a command that is started has a copy of it until it has become
/// another program.
const HANDED: Duration = Duration::from_secs(1);
/// How often it is looked whether a lock is free.
const TICK: Duration = Duration::from_millis(10);

/// An open run directory; no other process can open it meanwhile.
#[derive(Debug)]
pub struct Store {
    pub(super) dir: PathBuf,
    pub(super) run: Run,
    pub(super) resumed: bool,
    pub(super) version_changes: Vec<VersionChange>,
    pub(super) changes: Vec<String>,
    /// Opened when they are first asked for.
    pub(super) records: OnceCell<Records>,
    pub(super) later: Later,
    /// Whether states are written before training goes on.
    pub(super) is_short_of_memory: bool,
    /// Given up last.
    pub(super) _lock: File,
    /// How many more writes succeed, in tests of crashes.
    #[cfg(test)]
    pub(crate) fuse: Option<usize>,
}

impl Store {
    pub(super) fn locked(dir: &Path, run: Run, resumed: bool) -> Result<Self, RunError> {
        let path = dir.join(names::LOCK);
        let lock = OpenOptions::new().create(true).append(true).open(&path);
        let lock = lock.map_err(|e| refused("open", &path, e))?;
        let deadline = Instant::now() + HANDED;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(TICK);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(RunError::Locked { dir: dir.to_owned() });
                }
                Err(TryLockError::Error(e)) => return Err(refused("lock", &path, e)),
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            run,
            resumed,
            version_changes: Vec::new(),
            changes: Vec::new(),
            records: OnceCell::new(),
            later: Later::default(),
            is_short_of_memory: false,
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

    /// What is not as when it began and was taken over, a phrase each.
    #[must_use]
    pub fn changes(&self) -> &[String] {
        &self.changes
    }

    /// The absolute path of a file, whether it is there or not.
    ///
    /// # Errors
    /// The system does not say where this process works.
    pub(crate) fn absolute(&self, name: &str) -> Result<PathBuf, RunError> {
        let path = self.dir.join(name);
        std::path::absolute(&path).map_err(|e| refused("find", &path, e))
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.dir.join(name).exists()
    }

    /// Writes a file, whole or not at all. The name is relative, with `/` between folders.
    ///
    /// # Errors
    /// The name leads out of the folder, or the file cannot be written.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        self.settle()?;
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

    /// Begins to write files of the same bytes, one after the other, which `make` makes meanwhile. Whatever is written or read here
    /// next waits for them.
    ///
    /// # Errors
    /// A name leads out of the folder, or what was begun before cannot be written.
    pub(crate) fn write_later(
        &mut self,
        names: &[&str],
        make: impl Fn() -> Result<Vec<u8>, RunError> + Send + Sync + 'static,
    ) -> Result<(), RunError> {
        let (mut paths, mut survived) = (Vec::new(), Ok(()));
        for name in names {
            let path = self.path(name)?;
            survived = self.burn(&path);
            if survived.is_err() {
                break;
            }
            paths.push(path);
        }
        self.later.begin(move || {
            let bytes = make()?;
            let write = |path| Aside::write(path, &bytes)?.put();
            paths.iter().try_for_each(|path| write(path)).map_err(unwritten)
        })?;
        if self.is_short_of_memory {
            self.settle()?;
        }
        survived
    }

    /// Has states be written before training goes on: meanwhile they lie in memory, twice.
    pub fn spare_memory(&mut self) {
        self.is_short_of_memory = true;
    }

    /// Waits until all that was begun is written.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn settle(&self) -> Result<(), RunError> {
        self.later.settle()
    }

    /// The bytes of a file; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, RunError> {
        self.settle()?;
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
        self.settle()?;
        let path = self.path(name)?;
        self.burn(&path)?;
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(refused("remove", &path, e)),
            _ => Ok(()),
        }
    }

    /// Removes what was written here for a run that was not begun for good: it is not of this one.
    pub(super) fn clear_unbegun(&mut self) -> Result<(), RunError> {
        nas_files::sweep(&self.dir).map_err(|e| refused("clear", &self.dir, e))?;
        let sources = self.dir.join(names::SOURCES);
        match fs::remove_dir_all(&sources) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(refused("remove", &sources, e));
            }
            _ => {}
        }
        let files =
            names::BEFORE.iter().filter(|name| ![names::LOCK, names::SOURCES].contains(name));
        files.into_iter().try_for_each(|name| self.remove(name))
    }

    /// Removes what a crash left half written: files aside.
    pub(super) fn sweep(&self) -> Result<(), RunError> {
        nas_files::sweep(&self.dir).map_err(|e| refused("clear", &self.dir, e))
    }

    pub(super) fn path(&self, name: &str) -> Result<PathBuf, RunError> {
        let relative = Path::new(name);
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !plain || name.contains('\\') {
            return Err(RunError::FileName { name: name.to_owned() });
        }
        Ok(self.dir.join(relative))
    }

    /// Fails where a test wants a crash.
    #[cfg(test)]
    pub(super) fn burn(&mut self, path: &Path) -> Result<(), RunError> {
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
    pub(super) fn burn(&mut self, _: &Path) -> Result<(), RunError> {
        Ok(())
    }
}

/// That a run may begin in a folder that has no [`names::RUN`]: nothing lies there but what one wrote
/// that was not begun for good.
///
/// # Errors
/// Something else does, or a run that lost its record.
pub(super) fn check_unbegun(dir: &Path) -> Result<(), RunError> {
    let held = entries(dir)?;
    let is_one_of = |names: &[&str], held: &Path| names.iter().any(|name| held.ends_with(name));
    let is_of_run = held.iter().any(|held| is_one_of(&[names::LOCK], held));
    if is_of_run && held.iter().any(|held| is_one_of(&names::AFTER, held)) {
        return Err(damaged(names::RUN, "it is missing"));
    }
    let is_before = |held: &PathBuf| is_one_of(&names::BEFORE, held) || nas_files::is_aside(held);
    if held.is_empty() || is_of_run && held.iter().all(is_before) {
        return Ok(());
    }
    Err(RunError::NotARun { dir: dir.to_owned() })
}

/// What lies in a folder; nothing, if it does not exist.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(refused("read", dir, e)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(|e| refused("read", dir, e))
}

fn unwritten(WriteError { action, path, source }: WriteError) -> RunError {
    RunError::Io { action, path, source }
}

pub(super) fn refused(action: &'static str, path: &Path, source: io::Error) -> RunError {
    RunError::Io { action, path: path.to_owned(), source }
}
