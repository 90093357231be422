//! What tests skipped, and why: they write it into a file that the environment names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The variable that names the file; `nas_testing::skipped` reads it.
pub(crate) const FILE: &str = "NASC_SKIPPED";

/// The file.
pub(crate) struct Skipped(PathBuf);

impl Skipped {
    /// An empty one.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let path = root.join("target/skipped.txt");
        fs::create_dir_all(root.join("target")).context("target/ cannot be made")?;
        fs::write(&path, "").with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Says what was skipped, this too.
    pub(crate) fn tell(&self, more: Option<String>) -> Result<()> {
        let text = fs::read_to_string(&self.0).context("what was skipped cannot be read")?;
        let mut lines: Vec<&str> = text.lines().chain(more.as_deref()).collect();
        lines.sort_unstable();
        lines.dedup();
        match lines.as_slice() {
            [] => eprintln!("no test was skipped"),
            lines => lines.iter().for_each(|line| eprintln!("{line}")),
        }
        Ok(())
    }
}
