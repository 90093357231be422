//! Writing files whole or not at all: beside their place, synced, then renamed into it.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How the names of files end that are not in their place yet.
const ASIDE: &str = ".nasc-aside";

/// Writes a file whole or not at all. One that was there keeps its permissions.
///
/// # Errors
/// The folder cannot be written; then the file is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    Aside::write(path, bytes)?.put()
}

/// A file that is written and synced, but not in its place yet.
#[derive(Debug)]
#[must_use = "it is not in its place"]
pub struct Aside {
    aside: PathBuf,
    path: PathBuf,
}

impl Aside {
    /// Writes the bytes of a file beside it.
    ///
    /// # Errors
    /// The folder cannot be written; then nothing is left there.
    pub fn write(path: &Path, bytes: &[u8]) -> Result<Self, WriteError> {
        let aside = Self { aside: aside(path), path: path.to_owned() };
        let written = aside.fill(bytes);
        written.map_err(|error| aside.given_up("write", error))?;
        Ok(aside)
    }

    /// Puts the file into its place, and makes that last.
    ///
    /// # Errors
    /// The folder cannot be written; then the file is as it was.
    pub fn put(self) -> Result<(), WriteError> {
        fs::rename(&self.aside, &self.path).map_err(|error| self.given_up("rename", error))?;
        sync(folder(&self.path))
    }

    fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(&self.aside)?;
        file.write_all(bytes)?;
        if let Ok(there) = fs::metadata(&self.path) {
            file.set_permissions(there.permissions())?;
        }
        file.sync_all()
    }

    /// The error, after what is of no use any more is removed as far as that goes.
    fn given_up(&self, action: &'static str, source: io::Error) -> WriteError {
        let _ = fs::remove_file(&self.aside);
        WriteError { action, path: self.path.clone(), source }
    }
}

/// Removes what never got to its place because a process ended before, from a folder and those in
/// it. No other process may be writing there.
///
/// # Errors
/// A folder cannot be read, or a file not be removed.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sweep(&entry.path())?;
        } else if is_aside(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_aside(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(ASIDE)
}

/// A name of its own for each writer: two that write one file do not write into each other's.
fn aside(path: &Path) -> PathBuf {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let (name, process) = (path.file_name().unwrap_or_default(), std::process::id());
    path.with_file_name(format!(".{}.{process}-{number}{ASIDE}", name.to_string_lossy()))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename last; only Unix lets a program open a folder to sync it.
fn sync(folder: &Path) -> Result<(), WriteError> {
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|file| file.sync_all());
        return synced.map_err(|source| {
            let path = folder.to_owned();
            WriteError { action: "sync", path, source }
        });
    }
    Ok(())
}

/// A file that could not be written.
#[derive(Debug)]
pub struct WriteError {
    /// What was tried: "write", "rename" or "sync".
    pub action: &'static str,
    /// The file, or the folder that holds it.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}", self.action, self.path.display())
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let dir = tempdir().unwrap();
        let path = dir.path().join("a.txt");
        for text in ["one", "two"] {
            write_whole(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(dir.path()), ["a.txt"]);
    }

    #[test]
    fn what_is_not_put_is_aside() {
        let dir = tempdir().unwrap();
        let path = dir.path().join("a.txt");
        write_whole(&path, b"old").unwrap();
        let [first, second] = [b"new", b"nex"].map(|bytes| Aside::write(&path, bytes).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let left = names(dir.path());
        assert_eq!(left.iter().filter(|name| is_aside(Path::new(name))).count(), 2, "{left:?}");
        second.put().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"nex");
        first.put().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_was_left_aside_is_swept_away() {
        let dir = tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        for folder in [dir.path(), &inner] {
            write_whole(&folder.join("a.txt"), b"kept").unwrap();
            let _ = Aside::write(&folder.join("a.txt"), b"left").unwrap();
        }
        sweep(dir.path()).unwrap();
        assert_eq!(names(&inner), ["a.txt"]);
        assert_eq!(names(dir.path()).len(), 2);
    }

    #[test]
    fn a_write_that_fails_leaves_all_as_it_was() {
        let dir = tempdir().unwrap();
        let error = write_whole(&dir.path().join("none/a.txt"), b"text").unwrap_err();
        assert!(error.to_string().ends_with("none/a.txt"), "{error}");
        // A folder that is not empty cannot be replaced by a file.
        fs::create_dir_all(dir.path().join("full/inner")).unwrap();
        let error = write_whole(&dir.path().join("full"), b"text").unwrap_err();
        assert_eq!(error.action, "rename");
        assert_eq!(names(dir.path()), ["full"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempdir().unwrap();
        let path = dir.path().join("run.sh");
        write_whole(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
    }
}
