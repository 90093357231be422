//! Environments of Python in the user's cache folder: made once for the packages that they hold.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::error::NoEngine;
use crate::render::report::Failure;
use crate::services::source::io_reason;
use crate::tell;

/// What makes environments.
const PYTHON: &str = "python3";
/// In an environment, what it holds: written last, so that one that lacks it is made anew.
const STAMP: &str = "PACKAGES";
/// Where the interpreter of an environment is.
const INTERPRETER: &str = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
/// The last lines of a failed command that are shown.
const SHOWN: usize = 8;

/// The interpreter of the environment of an engine, which is made if it is not there.
///
/// # Errors
/// There is no Python that makes environments, or no package index to install from.
pub(super) fn interpreter(engine: &str, packages: &[&str]) -> Result<PathBuf, Failure> {
    let failed = |why: String, help: String| {
        Failure::problem(NoEngine { engine: engine.to_owned(), why, help })
    };
    let folder = cache().ok_or_else(|| {
        let why = "there is no home folder for its environment".to_owned();
        failed(why, "name a folder for what nasc keeps by the variable NASC_CACHE".to_owned())
    })?;
    let folder = folder.join("engines");
    let home = folder.join(engine);
    let io = |error: std::io::Error| {
        let why = format!("{}: {}", home.display(), io_reason(&error));
        failed(why, "name another folder by the variable NASC_CACHE".to_owned())
    };
    let (python, wanted) = (home.join(INTERPRETER), packages.join("\n"));
    let is_there = || fs::read_to_string(home.join(STAMP)).is_ok_and(|found| found == wanted);
    if is_there() {
        return Ok(python);
    }
    fs::create_dir_all(&folder).map_err(io)?;
    // Held until the environment is whole: another nasc waits, and then finds it.
    let lock = File::create(folder.join(format!("{engine}.lock"))).map_err(io)?;
    lock.lock().map_err(io)?;
    if is_there() {
        return Ok(python);
    }
    let listed = packages.join(" ");
    tell!("{engine}: installing {listed} into {}, once", home.display());
    let by_hand = format!(
        "where there is a package index: {PYTHON} -m venv DIR && DIR/{INTERPRETER} -m pip install {listed}; \
         then name that Python by --python DIR/{INTERPRETER}"
    );
    let mut make = Command::new(PYTHON);
    make.args(["-m", "venv", "--clear"]).arg(&home);
    let python_help = format!(
        "install Python 3 with venv (Debian, Ubuntu: sudo apt install python3-venv); {by_hand}"
    );
    run(make).map_err(|why| failed(why, python_help))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(packages);
    run(install).map_err(|why| failed(why, by_hand))?;
    fs::write(home.join(STAMP), wanted).map_err(io)?;
    Ok(python)
}

/// The folder of what nasc keeps for later calls: `NASC_CACHE`, or where the system has such.
fn cache() -> Option<PathBuf> {
    let folder =
        |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let system = || {
        let home = || folder(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        if cfg!(windows) {
            folder("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home().map(|home| home.join("Library/Caches"))
        } else {
            folder("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
        }
    };
    let folder = folder("NASC_CACHE").or_else(|| system().map(|folder| folder.join("nasc")));
    folder.and_then(|folder| std::path::absolute(folder).ok())
}

/// Runs a command to its end; why it failed, with its last lines.
fn run(mut command: Command) -> Result<(), String> {
    let program = Path::new(command.get_program()).display().to_string();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    let text = std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ");
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.map_err(|error| format!("`{text}` cannot be started: {}", io_reason(&error)))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(SHOWN)..).unwrap_or_default();
    let last: String =
        last.iter().map(|line| format!("\n  {}", crate::render::line::cut(line, 200))).collect();
    Err(format!("`{text}` failed ({}){last}", output.status))
}
