//! What cases are made of, where that is made once by nasc itself.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Small spaces and a search.
pub(crate) const SEEDS: &str = include_str!("seeds.nas");

/// `nasc` with these arguments, which spaces part, at work in a folder.
pub(crate) fn command(nasc: &Path, folder: &Path, args: &str) -> Command {
    let mut command = Command::new(nasc);
    command.args(args.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs such a command, which must end well.
pub(crate) fn nasc(nasc: &Path, folder: &Path, args: &str) -> Result<()> {
    done(&mut command(nasc, folder, args))
}

/// Runs a command, which must end well.
pub(crate) fn done(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?} could not be started"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    Ok(())
}
