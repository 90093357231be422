//! Starting cargo.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::setup;

/// The cargo that started us, at work on the checkout.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The outer cargo has put the default of .cargo/config.toml into our environment; the inner one
    // reads that file itself, exactly as a plain `cargo build` does.
    if setup::users_libtorch(root).is_none() {
        command.env_remove("LIBTORCH");
    }
    command
}
