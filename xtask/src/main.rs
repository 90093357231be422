//! `cargo xtask`: set-up, `nasc` and tests, for a machine on which libtorch may not exist yet.

mod cargo;
mod engines;
mod exports;
#[cfg(unix)]
mod fuzz;
mod install;
mod pip;
mod platform;
mod setup;
mod skipped;
mod vendors;
mod wheel;

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use cargo::cargo;
use skipped::Skipped;

const USAGE: &str = "\
usage: cargo xtask COMMAND [ARGS]

  setup          fetch what is missing (libtorch, into .libtorch/) and check the C++ compiler
  nasc [ARGS]    setup, then `nasc ARGS`, built anew with all that belongs to it; `cargo nasc ARGS` in short
  demo [ARGS]    the same as `nasc demo ARGS`
  test [ARGS]    setup, then `cargo test --workspace ARGS`; without ARGS also ONNX Runtime as `engines` does
  vendors [NAMES] run every shipped network in these engines; `--nasc PATH` for another
                 executable, `--last` for what they said last, `--bless` writes their table
  engines [NAMES] hold the shipped targets against the engines of PyPI; `--bless` writes their table
  exports [NAMES] hold exported files of published networks against those of PyTorch; `--bless` writes their table
  fuzz [KINDS]   run nasc on hostile spaces, models, tables and runs, or those of KINDS, and count how it ends;
                 `--minutes N`, `--seed S`, `--jobs J`, `--nasc PATH` for another executable, `--replay FOLDER`
                 of a fault in target/fuzz/faults";

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match command.to_string_lossy().as_ref() {
        "setup" => set_up().map(|_| ExitCode::SUCCESS),
        "nasc" => nasc(rest),
        "demo" => nasc(&args),
        "test" => test(rest),
        "vendors" => {
            checkout().and_then(|root| vendors::run(&root, rest)).map(|()| ExitCode::SUCCESS)
        }
        "exports" => {
            checkout().and_then(|root| exports::run(&root, rest)).map(|()| ExitCode::SUCCESS)
        }
        "engines" => {
            checkout().and_then(|root| engines::run(&root, rest)).map(|()| ExitCode::SUCCESS)
        }
        #[cfg(unix)]
        "fuzz" => fuzz(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        unknown => {
            eprintln!("error: there is no command `{unknown}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Sets up the checkout and returns its root.
fn set_up() -> Result<PathBuf> {
    let root = checkout()?;
    setup::run(&root)?;
    Ok(root)
}

/// Runs `nasc` in the user's folder, so that relative paths mean what they say. Both of its
/// executables are built first, of the same sources: `cargo run` would leave an old `nasc-train`
/// beside a new `nasc`.
fn nasc(args: &[OsString]) -> Result<ExitCode> {
    match built()? {
        Ok(nasc) => become_it(Command::new(nasc).args(args)),
        Err(code) => Ok(code),
    }
}

/// Builds both executables and returns the path of `nasc`; what cargo ended with if it failed.
fn built() -> Result<Result<PathBuf, ExitCode>> {
    let root = set_up()?;
    let built =
        run(cargo(&root).args(["build", "--package", "nasc", "--bins"]).current_dir(&root))?;
    let here = env::current_exe().context("this program has no path")?;
    let nasc = here.with_file_name(format!("nasc{EXE_SUFFIX}"));
    Ok(if built == ExitCode::SUCCESS { Ok(nasc) } else { Err(built) })
}

/// Fuzzes the executable that is named, or that of the sources as they are.
#[cfg(unix)]
fn fuzz(args: &[OsString]) -> Result<ExitCode> {
    let options = fuzz::Options::parse(args)?;
    let nasc = match &options.nasc {
        Some(nasc) => nasc.clone(),
        None => match built()? {
            Ok(nasc) => nasc,
            Err(code) => return Ok(code),
        },
    };
    let is_clean = fuzz::run(&checkout()?, &nasc, &options)?;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Lets a program take the place of this one, so that Ctrl-C is its own to handle.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).with_context(|| format!("{command:?} could not be started"))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<ExitCode> {
    run(command)
}

/// All tests, those with an engine of PyPI too; with arguments only what cargo makes of them. What was
/// skipped is said at the end.
fn test(rest: &[OsString]) -> Result<ExitCode> {
    let root = set_up()?;
    let skipped = Skipped::new(&root)?;
    let tests = ["test", "--workspace"];
    let code = run(cargo(&root).args(tests).args(rest).env(skipped::FILE, skipped.path()))?;
    let engine = match rest {
        [] if code == ExitCode::SUCCESS => engines::test(&root)?,
        _ => None,
    };
    skipped.tell(engine)?;
    Ok(code)
}

/// Runs a program, to its exit code.
fn run(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("{command:?} could not be started"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Root of the checkout. Read at run time: a checkout that was moved still finds itself.
fn checkout() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").context("start this by `cargo xtask`")?;
    let root = Path::new(&package).parent().context("xtask lies in no workspace")?;
    Ok(root.to_path_buf())
}
