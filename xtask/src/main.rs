//! `cargo xtask`: set-up, demo and tests, for a machine on which libtorch may not exist yet.

mod engines;
mod install;
mod pip;
mod platform;
mod setup;
mod wheel;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

const USAGE: &str = "\
usage: cargo xtask COMMAND [ARGS]

  setup          fetch what is missing (libtorch, into .libtorch/) and check the C++ compiler
  demo [ARGS]    setup, then `cargo run -p nasc -- demo ARGS`
  test [ARGS]    setup, then `cargo test --workspace ARGS`; without ARGS also ONNX Runtime as `engines` does
  engines [NAMES] hold the shipped targets against the engines of PyPI; `--bless` writes their table";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match command.as_str() {
        "setup" => set_up().map(|_| ExitCode::SUCCESS),
        "demo" => with_setup(&["run", "-p", "nasc", "--", "demo"], rest),
        "test" => test(rest),
        "engines" => {
            checkout().and_then(|root| engines::run(&root, rest)).map(|()| ExitCode::SUCCESS)
        }
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

/// Runs cargo after the set-up, in the user's folder, so that relative paths mean what they say.
fn with_setup(args: &[&str], rest: &[String]) -> Result<ExitCode> {
    let root = set_up()?;
    let status =
        cargo(&root).args(args).args(rest).status().context("cargo could not be started")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// All tests, those with an engine of PyPI too; with arguments only what cargo makes of them.
fn test(rest: &[String]) -> Result<ExitCode> {
    let code = with_setup(&["test", "--workspace"], rest)?;
    if rest.is_empty() && code == ExitCode::SUCCESS {
        engines::test(&checkout()?)?;
    }
    Ok(code)
}

/// The cargo that started us, at work on the checkout.
fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The outer cargo has put the default of .cargo/config.toml into our environment; the inner one
    // reads that file itself, exactly as a plain `cargo build` does.
    if setup::users_libtorch(root).is_none() {
        command.env_remove("LIBTORCH");
    }
    command
}

/// Root of the checkout. Read at run time: a checkout that was moved still finds itself.
fn checkout() -> Result<PathBuf> {
    let package = env::var_os("CARGO_MANIFEST_DIR").context("start this by `cargo xtask`")?;
    let root = Path::new(&package).parent().context("xtask lies in no workspace")?;
    Ok(root.to_path_buf())
}
