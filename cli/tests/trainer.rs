//! `nasc` without and with `nasc-train` beside it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{TempDir, tempdir_in};

#[cfg(feature = "torch")]
use crate::bench::Bench;
use crate::bench::{Said, TINY};

/// A folder with a `nasc` that has nothing beside it.
fn alone() -> TempDir {
    let folder = tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    // A link to a program is another place of it, unlike a symbolic one.
    fs::hard_link(env!("CARGO_BIN_EXE_nasc"), nasc(folder.path())).unwrap();
    fs::write(folder.path().join("tiny.nas"), TINY).unwrap();
    folder
}

fn nasc(folder: &Path) -> PathBuf {
    folder.join(format!("nasc{}", std::env::consts::EXE_SUFFIX))
}

/// What a program says, at work in a folder.
fn said(program: impl AsRef<OsStr>, folder: &Path, args: &str) -> Said {
    let mut command = Command::new(program);
    Said::of(args, command.current_dir(folder).args(args.split(' ')).output().unwrap())
}

/// The names of the libraries that a program loads, which the loader of glibc lists with their places and addresses.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn libraries(program: &str) -> Vec<String> {
    let mut command = Command::new(program);
    let output = command.env("LD_TRACE_LOADED_OBJECTS", "1").output().unwrap();
    let listed = Said::of(program, output).done();
    listed.lines().filter_map(|line| line.split_whitespace().next()).map(String::from).collect()
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn nasc_loads_no_libtorch() {
    let loads = |program, library| libraries(program).iter().any(|name| name.contains(library));
    let own = env!("CARGO_BIN_EXE_nasc");
    assert!(loads(own, "libc.so"), "{:?}", libraries(own));
    assert!(!loads(own, "torch") && !loads(own, "c10"), "{:?}", libraries(own));
    #[cfg(feature = "torch")]
    assert!(loads(env!("CARGO_BIN_EXE_nasc-train"), "libtorch_cpu.so"));
}

#[test]
fn help_and_wrong_options_need_no_trainer() {
    let folder = alone();
    let said = |args: &str| said(nasc(folder.path()), folder.path(), args);
    for command in ["search", "retrain", "eval", "demo", "export"] {
        let help = said(&format!("{command} --help")).done();
        assert!(help.contains(&format!("Usage: nasc {command}")), "{help}");
        said(&format!("{command} --no-such-option")).fails(2, &["--no-such-option"]);
    }
    said("eval tiny.nas").fails(2, &["--arch <ARCH>"]);
    said("search tiny.nas --threads 0").fails(2, &["--threads"]);
}

#[test]
fn a_trainer_that_is_not_there_is_explained() {
    let folder = alone();
    let said = |args: &str| said(nasc(folder.path()), folder.path(), args);
    let why = if cfg!(feature = "torch") { "there is no `" } else { "was built without it" };
    let words = ["nas::trainer::missing", why, "cargo install --path ."];
    for args in ["search tiny.nas", "retrain tiny.nas --arch first", "demo"] {
        let (command, _) = args.split_once(' ').unwrap_or((args, ""));
        said(args).fails(1, &words);
        said(args).fails(1, &[&format!("`nasc {command}` needs `nasc-train`")]);
        said(args).fails(1, &[&format!("cargo nasc {command}")]);
    }
    let exported = said("export tiny.nas --arch first -o net.onnx");
    if cfg!(feature = "torch") {
        exported.fails(1, &words);
    } else {
        assert!(exported.err.contains("not compared with libtorch"), "{}", exported.err);
        exported.done();
    }
}

#[cfg(all(unix, feature = "torch"))]
#[test]
fn a_trainer_gets_the_arguments_and_gives_its_exit_code() {
    use std::os::unix::fs::symlink;
    let folder = alone();
    let trainer = folder.path().join("nasc-train");
    symlink("/bin/echo", &trainer).unwrap();
    let elsewhere = tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    symlink(nasc(folder.path()), elsewhere.path().join("link")).unwrap();
    for nasc in [nasc(folder.path()), elsewhere.path().join("link")] {
        let told = said(&nasc, folder.path(), "eval a.nas --arch b --weights c").done();
        let (build, args) = told.split_once(' ').unwrap();
        let digits = build.strip_prefix("--build=").unwrap();
        assert!(digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit()), "{told}");
        assert_eq!(args, "eval a.nas --arch b --weights c\n");
    }
    fs::remove_file(&trainer).unwrap();
    symlink("/bin/false", &trainer).unwrap();
    let said = said(nasc(folder.path()), folder.path(), "search tiny.nas");
    assert_eq!((said.code, &*said.err), (Some(1), ""));
}

#[cfg(all(unix, feature = "torch"))]
#[test]
fn a_trainer_that_does_not_start_is_explained() {
    let folder = alone();
    fs::write(folder.path().join("nasc-train"), "no program").unwrap();
    let said = said(nasc(folder.path()), folder.path(), "search tiny.nas");
    said.fails(1, &["nas::trainer::broken", "nasc-train` cannot be started"]);
}

#[cfg(feature = "torch")]
#[test]
fn a_trainer_hears_only_a_nasc_of_its_build() {
    let bench = Bench::new();
    let trainer = env!("CARGO_BIN_EXE_nasc-train");
    let folder = bench.path("");
    let stale = said(trainer, &folder, "--build=0123 search tiny.nas --out run");
    stale.fails(1, &["nas::trainer::stale", "another build", "cargo nasc"]);
    said(trainer, &folder, "search tiny.nas --out run").fails(1, &["run `nasc search`"]);
    assert_eq!(bench.list("."), ["tiny.nas"]);
}
