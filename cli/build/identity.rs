//! The build that `nasc` and `nasc-train` are of: a hash of all that they are built from.
//!
//! Sources count as they are, tests within them too: a build too many is refused rather than one
//! too few. What is read when the command runs does not count, such as the shipped spaces, nor do
//! pages of the reference, which no training reads. No path of the machine and no time enters.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::fnv::fnv1a_128;

/// Members of the workspace that are in neither executable.
const ELSEWHERE: [&str; 4] = ["testing", "testing/cases", "tests", "xtask"];
/// Files of the workspace as a whole, and of the root package.
const OF_ROOT: [&str; 5] =
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "link.rs", "shim.rs"];
/// Folders of the root package.
const FOLDERS_OF_ROOT: [&str; 3] = ["cli/build", "cli/src", "cli/train"];
/// Files and folders of a member, where it has them. `std` is the standard library of `.nas`,
/// which `nas-spaces` embeds.
const OF_MEMBER: [&str; 4] = ["Cargo.toml", "build.rs", "src", "std"];

/// What a build is known by.
pub(crate) struct Identity {
    /// The hash, in hexadecimal digits.
    pub(crate) id: String,
    /// The files and folders on which it depends.
    pub(crate) watched: Vec<PathBuf>,
}

impl Identity {
    /// The identity of the workspace in a folder, with what else the build depends on.
    ///
    /// # Errors
    /// A source cannot be read.
    pub(crate) fn of(root: &Path, besides: &str) -> io::Result<Self> {
        let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
        let of_root = OF_ROOT.into_iter().chain(FOLDERS_OF_ROOT).map(PathBuf::from);
        let members = members(&manifest).filter(|member| !ELSEWHERE.contains(member));
        let of_members =
            members.flat_map(|member| OF_MEMBER.map(|name| Path::new(member).join(name)));
        let watched: Vec<PathBuf> =
            of_root.chain(of_members).filter(|path| root.join(path).exists()).collect();
        let mut files = Vec::new();
        for path in &watched {
            add_files(root, path, &mut files)?;
        }
        files.sort();
        let mut text = format!("{besides}\n").into_bytes();
        for name in files {
            let bytes = fs::read(root.join(&name))?;
            text.extend_from_slice(format!("{name} {}\n", bytes.len()).as_bytes());
            text.extend_from_slice(&bytes);
        }
        Ok(Self { id: format!("{:032x}", fnv1a_128(&text)), watched })
    }
}

/// The members that the manifest of the workspace lists.
fn members(manifest: &str) -> impl Iterator<Item = &str> {
    let list = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.unwrap_or_default();
    list.split('"').skip(1).step_by(2)
}

/// The files of a path, by names from the root that are the same on every system.
fn add_files(root: &Path, path: &Path, files: &mut Vec<String>) -> io::Result<()> {
    if !root.join(path).is_dir() {
        files.push(path.to_string_lossy().replace('\\', "/"));
        return Ok(());
    }
    for entry in fs::read_dir(root.join(path))? {
        add_files(root, &path.join(entry?.file_name()), files)?;
    }
    Ok(())
}
