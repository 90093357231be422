//! The build that both executables are of: the same for the same sources, wherever they lie.
#![allow(clippy::unwrap_used, reason = "the functions that the tests share are tests too")]

use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

#[path = "../build/identity.rs"]
mod identity;

use identity::Identity;
use nas_ir::fnv;

const FILES: [&str; 8] = [
    "Cargo.lock",
    "cli/src/main.rs",
    "cli/train/main.rs",
    "compiler/ir/src/lib.rs",
    "compiler/ir/src/inner/mod.rs",
    "compiler/ir/Cargo.toml",
    "spaces/std/blocks.nas",
    "spaces/demo.nas",
];

/// A workspace of a few files that hold their own names.
fn workspace() -> TempDir {
    let dir = tempdir().unwrap();
    for name in FILES {
        write(dir.path(), name, name);
    }
    let manifest =
        "[workspace]\nmembers = [\n    \"compiler/ir\",\n    \"spaces\",\n    \"tests\",\n]\n";
    write(dir.path(), "Cargo.toml", manifest);
    write(dir.path(), "tests/src/lib.rs", "tests");
    dir
}

fn write(root: &Path, name: &str, text: &str) {
    fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
    fs::write(root.join(name), text).unwrap();
}

fn id(root: &Path) -> String {
    Identity::of(root, "libtorch 1").unwrap().id
}

#[test]
fn the_same_sources_are_the_same_build_in_every_folder() {
    let [one, two] = [workspace(), workspace()];
    assert_eq!(id(one.path()), id(two.path()));
    assert_ne!(id(one.path()), Identity::of(one.path(), "libtorch 2").unwrap().id);
}

#[test]
fn every_source_counts_and_nothing_else() {
    let dir = workspace();
    let before = id(dir.path());
    for name in FILES {
        write(dir.path(), name, "changed");
        let counts = name != "spaces/demo.nas";
        assert_eq!(id(dir.path()) != before, counts, "{name}");
        write(dir.path(), name, name);
        assert_eq!(id(dir.path()), before, "{name}");
    }
    for name in ["tests/src/lib.rs", "tests/src/new.rs", "target/debug/nasc", "README.md"] {
        write(dir.path(), name, "changed");
        assert_eq!(id(dir.path()), before, "{name}");
    }
    write(dir.path(), "compiler/ir/src/new.rs", "");
    let more = id(dir.path());
    assert_ne!(more, before);
    fs::rename(
        dir.path().join("compiler/ir/src/new.rs"),
        dir.path().join("compiler/ir/src/now.rs"),
    )
    .unwrap();
    assert_ne!(id(dir.path()), more);
}

#[test]
fn every_crate_of_ours_that_is_linked_counts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let watched = Identity::of(root, "").unwrap().watched;
    // Each package of the lock file that has no source is one of the workspace.
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let ours = lock.split("[[package]]\n").filter(|package| !package.contains("source = "));
    let sources = watched.iter().filter(|path| path.ends_with("src")).count();
    // All but testing, its cases, tests and xtask; the lines before the first package are none.
    assert_eq!(sources, ours.skip(1).count() - 4);
}
