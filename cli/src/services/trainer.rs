//! `nasc-train`, which `nasc` starts in its place for what runs on libtorch: so that all else
//! starts at once, and without libtorch too. Both must be of one build: they read the same
//! arguments, and compile the same space of the same file.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::Diagnostic;
use thiserror::Error;

use crate::render::report::Failure;

/// Whether `nasc-train` is a part of the build that this is of.
pub(crate) const IS_BUILT: bool = cfg!(feature = "torch");
/// Stands for the sources that both are built from.
const BUILD: &str = env!("NASC_BUILD");
/// How often a thread of libtorch looks whether there is work before it sleeps: read by its OpenMP library as it is loaded.
const SPINS: &str = "GOMP_SPINCOUNT";
/// About a tenth of a millisecond. By default a thread looks for milliseconds, and keeps a core from others that have work: from the
/// thread that it waits for, too. With one other program at work on two cores, a step of SqueezeNAS-Small of one candidate a
/// layer takes 0.205 s with 20000, 0.097 s with 2000 and 0.084 s with 1000; alone 0.037 s, 0.037 s and 0.039 s.
const FEW: &str = "2000";
/// What stands before it in the first argument of `nasc-train`.
const HANDED: &str = "--build=";

/// There is no `nasc-train`.
#[derive(Debug, Error, Diagnostic)]
#[error("`nasc {command}` needs `nasc-train`, which is not installed: {why}")]
#[diagnostic(
    code(nas::trainer::missing),
    help(
        "in a checkout of nasc, `cargo nasc {command} …` builds both and runs this; to install \
         both, run `cargo xtask setup` and `cargo install --path .` there"
    )
)]
pub(crate) struct Missing {
    /// What was to be done.
    pub command: String,
    /// Where there is none.
    pub why: String,
}

/// `nasc-train` was built from other sources.
#[derive(Debug, Error, Diagnostic)]
#[error("`{program}` is of another build than the `nasc` that started it")]
#[diagnostic(
    code(nas::trainer::stale),
    help(
        "build both anew: in a checkout of nasc, `cargo nasc …` does so and runs them; where they \
         are installed, run `cargo install --path .` there again"
    )
)]
pub(crate) struct Stale {
    /// Its path.
    pub program: String,
}

/// `nasc-train` is there, and does not start.
#[derive(Debug, Error, Diagnostic)]
#[error("`{program}` cannot be started: {reason}")]
#[diagnostic(
    code(nas::trainer::broken),
    help("install both anew: run `cargo install --path .` in a checkout of nasc")
)]
pub(crate) struct Broken {
    /// Its path.
    pub program: String,
    /// What the system says.
    pub reason: String,
}

/// Starts `nasc-train` with these arguments in the place of this process, if the system can do
/// that; else the exit status that it ended with.
///
/// # Errors
/// There is none beside this program, or it cannot be started.
pub(crate) fn start(command: &str, args: &[OsString]) -> Result<u8, Failure> {
    let missing = |why| Failure::problem(Missing { command: command.to_owned(), why });
    if !IS_BUILT {
        return Err(missing("this `nasc` was built without it".to_owned()));
    }
    let program = beside().map_err(|error| missing(error.to_string()))?;
    if !program.is_file() {
        return Err(missing(format!("there is no `{}`", program.display())));
    }
    let mut trainer = Command::new(&program);
    trainer.arg(format!("{HANDED}{BUILD}")).args(args);
    if env::var_os(SPINS).is_none() {
        trainer.env(SPINS, FEW);
    }
    become_it(trainer).map_err(|error| {
        let (program, reason) = (program.display().to_string(), error.to_string());
        Failure::problem(Broken { program, reason })
    })
}

/// Where `nasc-train` lies if it is installed: in the folder of this program, wherever links to it
/// may be.
fn beside() -> std::io::Result<PathBuf> {
    let program = env::current_exe()?.canonicalize()?;
    Ok(program.with_file_name(format!("nasc-train{}", env::consts::EXE_SUFFIX)))
}

#[cfg(unix)]
fn become_it(mut trainer: Command) -> std::io::Result<u8> {
    use std::os::unix::process::CommandExt;
    Err(trainer.exec())
}

#[cfg(not(unix))]
fn become_it(mut trainer: Command) -> std::io::Result<u8> {
    let code = trainer.status()?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::render::report::EXIT_BUG))
}

/// The arguments of `nasc` that it handed on to this `nasc-train`, the name of the program first.
///
/// # Errors
/// They were handed on by a `nasc` of another build, or by none.
pub(crate) fn handed(args: &[OsString]) -> Result<Vec<OsString>, Failure> {
    let (program, rest) = args.split_at(1.min(args.len()));
    let build = rest.first().and_then(|first| first.to_str()?.strip_prefix(HANDED));
    match build {
        Some(BUILD) => Ok([program, rest.get(1..).unwrap_or_default()].concat()),
        Some(_) => {
            let program = env::current_exe().unwrap_or_else(|_| Path::new("nasc-train").into());
            Err(Failure::problem(Stale { program: program.display().to_string() }))
        }
        None => Err(Failure::input(
            "`nasc-train` is a part of `nasc`, which starts it: run `nasc search` and the like",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_on(args: &[&str]) -> Result<Vec<OsString>, String> {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        handed(&args).map_err(|failure| failure.summary())
    }

    #[test]
    fn only_a_nasc_of_the_same_build_is_heard() {
        let ours = format!("{HANDED}{BUILD}");
        let args = handed_on(&["nasc-train", &ours, "search", "a.nas"]).unwrap();
        assert_eq!(args, ["nasc-train", "search", "a.nas"]);
        assert_eq!(handed_on(&["nasc-train", &ours]).unwrap(), ["nasc-train"]);
        let other = handed_on(&["nasc-train", "--build=0", "search"]).unwrap_err();
        assert!(other.ends_with("is of another build than the `nasc` that started it"), "{other}");
        for direct in [&["nasc-train", "search", "a.nas"][..], &["nasc-train"], &[]] {
            let told = handed_on(direct).unwrap_err();
            assert!(told.contains("run `nasc search`"), "{told}");
        }
    }
}
