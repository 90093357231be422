//! `cargo xtask setup`: everything that a build needs and that cargo does not bring.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};

use crate::platform::Platform;
use crate::{install, pip};

/// Sets up the checkout at `root`; quick when nothing is missing.
pub(crate) fn run(root: &Path) -> Result<()> {
    check_compiler(env::var("CXX").ok())?;
    match users_libtorch(root) {
        Some(folder) => check_libtorch(&folder),
        None => install::ensure(root, Platform::here()?, pip::download),
    }
}

/// The folder that the user chose by `LIBTORCH`; None for the one that `setup` makes.
pub(crate) fn users_libtorch(root: &Path) -> Option<PathBuf> {
    chosen(root, env::var_os("LIBTORCH"))
}

/// Cargo sets `LIBTORCH` to the default of `.cargo/config.toml` where the user has not set it.
fn chosen(root: &Path, variable: Option<OsString>) -> Option<PathBuf> {
    let default = root.join(".libtorch/torch");
    let folder = PathBuf::from(variable?);
    let same = |real: &PathBuf| fs::canonicalize(&default).is_ok_and(|other| other == *real);
    let is_default = folder == default || fs::canonicalize(&folder).is_ok_and(|it| same(&it));
    (!is_default).then_some(folder)
}

fn check_libtorch(folder: &Path) -> Result<()> {
    const HELP: &str = "help: set it to the absolute path of a libtorch 2.11 folder, or unset it \
                        and let setup fetch one";
    let shown = folder.display();
    // Build scripts run each in the folder of its package.
    ensure!(folder.is_absolute(), "LIBTORCH is `{shown}`, which is no absolute path\n{HELP}");
    for part in ["lib", "include"] {
        ensure!(
            folder.join(part).is_dir(),
            "LIBTORCH is `{shown}`, where there is no folder {part}/\n{HELP}"
        );
    }
    Ok(())
}

/// torch-sys compiles its C++ part with `$CXX`, which may hold arguments, or else with `c++`.
fn check_compiler(variable: Option<String>) -> Result<()> {
    let compiler = variable.unwrap_or_else(|| "c++".to_owned());
    let mut words = compiler.split_whitespace();
    let program = words.next().unwrap_or("c++");
    let mut command = Command::new(program);
    command.args(words).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    bail!(
        "the C++ compiler `{compiler}` does not run\n\
         help: Debian, Ubuntu: sudo apt install g++\n\
         help: Fedora: sudo dnf install gcc-c++\n\
         help: macOS: xcode-select --install\n\
         help: or set CXX to another compiler"
    )
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn the_default_of_the_config_is_not_the_users_choice() {
        let root = Path::new("/checkout");
        assert_eq!(chosen(root, None), None);
        assert_eq!(chosen(root, Some("/checkout/.libtorch/torch".into())), None);
        assert_eq!(chosen(root, Some("/opt/torch".into())), Some("/opt/torch".into()));
    }

    #[test]
    fn the_users_folder_needs_lib_and_include() {
        let dir = tempdir().unwrap();
        fs::create_dir(dir.path().join("lib")).unwrap();
        let error = check_libtorch(dir.path()).unwrap_err().to_string();
        assert!(error.contains("no folder include/"), "{error}");
        fs::create_dir(dir.path().join("include")).unwrap();
        check_libtorch(dir.path()).unwrap();
        assert!(check_libtorch(Path::new("libtorch")).is_err());
    }

    #[test]
    fn a_missing_compiler_is_named_with_the_way_to_install_it() {
        let error = check_compiler(Some("no-such-compiler -x".into())).unwrap_err().to_string();
        assert!(error.contains("no-such-compiler") && error.contains("apt install g++"), "{error}");
    }
}
