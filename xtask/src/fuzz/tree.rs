//! What lies in a folder, as a value: it is damaged in memory, written, read back and compared.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    File(Vec<u8>),
    Folder,
    Link(PathBuf),
}

/// Entries by their paths from the folder, with `/` between names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, Entry>);

impl Tree {
    /// All that lies in a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.gather(folder, "").with_context(|| format!("reading {}", folder.display()))?;
        Ok(tree)
    }

    fn gather(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("{prefix}{name}");
            let kind = fs::symlink_metadata(&path)?.file_type();
            let found = if kind.is_symlink() {
                Entry::Link(fs::read_link(&path)?)
            } else if kind.is_dir() {
                self.gather(&path, &format!("{name}/"))?;
                Entry::Folder
            } else {
                Entry::File(fs::read(&path)?)
            };
            self.0.insert(name, found);
        }
        Ok(())
    }

    /// Writes all of it into a folder, which is made if it is not there.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)?;
        for (name, entry) in &self.0 {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(folder);
            let written = fs::create_dir_all(parent).and_then(|()| match entry {
                Entry::File(bytes) => fs::write(&path, bytes),
                Entry::Folder => fs::create_dir_all(&path),
                Entry::Link(target) => symlink(target, &path),
            });
            written.with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }

    /// The tree with a file more.
    pub(crate) fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.put(name, Entry::File(bytes.into()));
        self
    }

    /// Puts an entry where there was none, or in the place of what was there.
    pub(crate) fn put(&mut self, name: &str, entry: Entry) {
        self.remove(name);
        self.0.insert(name.to_owned(), entry);
    }

    /// Removes an entry and what is in it.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|path, _| !is_in(path, name));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    /// The bytes of a file; none of what is not there.
    pub(crate) fn bytes(&self, name: &str) -> &[u8] {
        match self.0.get(name) {
            Some(Entry::File(bytes)) => bytes,
            _ => &[],
        }
    }

    /// The names of the files, sorted.
    pub(crate) fn files(&self) -> Vec<&str> {
        let files = self.0.iter().filter(|(_, entry)| matches!(entry, Entry::File(_)));
        files.map(|(name, _)| name.as_str()).collect()
    }

    /// The part of it that lies in one of its folders, under the same names.
    pub(crate) fn part(&self, folder: &str) -> Self {
        let inside = self.0.iter().filter(|(path, _)| is_in(path, folder));
        Self(inside.map(|(path, entry)| (path.clone(), entry.clone())).collect())
    }

    /// Both together; of what is in both, that of the other.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The first path at which the other differs, but for those that lie in one of `but`.
    pub(crate) fn difference(&self, other: &Self, but: &[String]) -> Option<String> {
        let mut paths = self.0.keys().chain(other.0.keys());
        let differs = |path: &&String| self.0.get(*path) != other.0.get(*path);
        let counts = |path: &&String| !but.iter().any(|folder| is_in(path, folder));
        paths.find(|path| differs(path) && counts(path)).cloned()
    }
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
