//! Writing files whole or not at all: beside their place, synced, then renamed into it; reading
//! files, and nothing that waits for a writer or has no end; knowing them by what they hold.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// How the names of files end that are not in their place yet.
const ASIDE: &str = ".nasc-aside";

/// The most links that are followed to a file.
const MAX_LINKS: usize = 40;

/// Writes a file whole or not at all, where the user wants it: a symbolic link stays, and the file
/// that it leads to is written. One that was there keeps its permissions.
///
/// # Errors
/// The folder cannot be written, or what is there is a device, a pipe or a socket; then all is as it
/// was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_together(&[(path, bytes)])
}

/// Writes files that belong together, as [`write_whole`] does: none gets its name before all are written.
///
/// # Errors
/// As [`write_whole`]; then all is as it was, unless the folder stopped taking files while they got their
/// names.
pub fn write_together(files: &[(&Path, &[u8])]) -> Result<(), WriteError> {
    let mut written = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        let failed = |source| WriteError { action: "write", path: path.to_path_buf(), source };
        let aside = target(path)
            .and_then(|target| replaceable(&target).map(|()| target))
            .map_err(failed)
            .and_then(|target| Aside::write(&target, bytes));
        match aside {
            Ok(aside) => written.push(aside),
            Err(error) => {
                written.into_iter().for_each(Aside::give_up);
                return Err(error);
            }
        }
    }
    written.into_iter().try_for_each(Aside::put)
}

/// Writes a file into a folder that is nasc's own, whole or not at all: what is there under its name
/// is replaced, so that no link leads out of the folder.
///
/// # Errors
/// The folder cannot be written; then the file is as it was.
pub fn replace_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    Aside::write(path, bytes)?.put()
}

/// That a path is free, or of what may be replaced: a file, not a device, a pipe or a socket. (A
/// folder cannot be.)
///
/// # Errors
/// It is none of these.
pub fn replaceable(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if !there.is_dir() => regular(&there),
        _ => Ok(()),
    }
}

/// That a file can be made at a path: one is, in its folder or in the nearest one above that is there, and is removed at once.
///
/// # Errors
/// It cannot be made: a folder may not be written, or a file stands where one would have to be.
pub fn writable(path: &Path) -> io::Result<()> {
    let target = target(path)?;
    let above = target.ancestors().skip(1).find(|above| fs::symlink_metadata(above).is_ok());
    let there = above.unwrap_or(Path::new("."));
    let probe = aside(&there.join("probe"));
    File::create(&probe)?;
    fs::remove_file(&probe)
}

/// Opens a file to read it; what is no file would wait for a writer, or have no end.
///
/// # Errors
/// There is none, it may not be read, or it is a device, a pipe or a socket.
pub fn open(path: &Path) -> io::Result<File> {
    let there = fs::metadata(path)?;
    if !there.is_dir() {
        regular(&there)?;
    }
    File::open(path)
}

/// The bytes of a file.
///
/// # Errors
/// As [`open`], or it cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The text of a file.
///
/// # Errors
/// As [`open`], it cannot be read, or is no UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// What tells content from other content: its SHA-256 (FIPS 180-4), in hexadecimal digits.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn regular(there: &Metadata) -> io::Result<()> {
    if there.is_file() {
        return Ok(());
    }
    Err(io::Error::other(format!("it is {}, and no file", kind(there))))
}

#[cfg(unix)]
fn kind(there: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = there.file_type();
    match () {
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn kind(_: &Metadata) -> &'static str {
    "a device"
}

/// Where the links lead to that stand at a path; also where there is no file yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(link) => target = folder(&target).join(link),
            // It is no link, or nothing.
            Err(_) => return Ok(target),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
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

    /// Removes the file; what is in its place stays.
    pub fn give_up(self) {
        let _ = fs::remove_file(&self.aside);
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

/// Whether a file is one that a process was writing, and perhaps did not get to its place.
#[must_use]
pub fn is_aside(path: &Path) -> bool {
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
    fn content_is_known_by_its_hash() {
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), of_abc, "FIPS 180-4, its example of one block");
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
    fn it_is_known_before_whether_a_file_can_be_made() {
        let dir = tempdir().unwrap();
        let [file, below, new] = ["a", "a/b", "x/y/z"].map(|name| dir.path().join(name));
        fs::write(&file, "a").unwrap();
        writable(&file).unwrap();
        writable(&new).unwrap();
        assert_eq!(writable(&below).unwrap_err().kind(), io::ErrorKind::NotADirectory);
        assert_eq!(names(dir.path()), ["a"]);
    }

    #[test]
    fn files_that_belong_together_are_all_written_or_none() {
        let dir = tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
        write_together(&[(&a, b"1"), (&b, b"2")]).unwrap();
        let lost = dir.path().join("no folder/c");
        write_together(&[(&a, b"3"), (&lost, b"4")]).unwrap_err();
        assert_eq!((fs::read(&a).unwrap(), fs::read(&b).unwrap()), (b"1".to_vec(), b"2".to_vec()));
        let mut left = names(dir.path());
        left.sort();
        assert_eq!(left, ["a", "b"]);
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
    fn links_stay_and_what_they_lead_to_is_written() {
        use std::os::unix::fs::symlink;
        let dir = tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("inner")).unwrap();
        fs::write(at("inner/a.txt"), "old").unwrap();
        for (link, to) in [("one", "inner/a.txt"), ("two", "one"), ("none", "inner/b.txt")] {
            symlink(to, at(link)).unwrap();
        }
        for (link, file) in
            [("one", "inner/a.txt"), ("two", "inner/a.txt"), ("none", "inner/b.txt")]
        {
            write_whole(&at(link), link.as_bytes()).unwrap();
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
            assert!(!fs::symlink_metadata(at(file)).unwrap().is_symlink(), "{file}");
            assert_eq!(fs::read_to_string(at(file)).unwrap(), link);
        }
        symlink("loop", at("loop")).unwrap();
        let error = write_whole(&at("loop"), b"").unwrap_err();
        assert_eq!(error.source.to_string(), "its links lead in a circle");
        // In a folder of nasc's own, no link leads out of it.
        replace_whole(&at("one"), b"new").unwrap();
        assert!(!fs::symlink_metadata(at("one")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(at("inner/a.txt")).unwrap(), "two");
    }

    #[cfg(unix)]
    #[test]
    fn only_files_are_read_and_replaced() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let dir = tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/null", at("device")).unwrap();
        symlink("pipe", at("link")).unwrap();
        for (name, what) in
            [("pipe", "a pipe"), ("link", "a pipe"), ("socket", "a socket"), ("device", "a device")]
        {
            let before = fs::metadata(at(name)).unwrap().file_type();
            let told = format!("it is {what}, and no file");
            assert_eq!(write_whole(&at(name), b"text").unwrap_err().source.to_string(), told);
            assert_eq!(read(&at(name)).unwrap_err().to_string(), told);
            assert_eq!(read_to_string(&at(name)).unwrap_err().to_string(), told);
            assert_eq!(fs::metadata(at(name)).unwrap().file_type(), before);
        }
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        fs::write(at("file"), "text").unwrap();
        assert_eq!(read(&at("file")).unwrap(), b"text");
        assert_eq!(read_to_string(&at("file")).unwrap(), "text");
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
