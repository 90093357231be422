//! The folder `.libtorch/`: whole or absent, whatever interrupts the set-up.
//!
//! All work is done in `.libtorch.part-<pid>/`; `VERSION` is written last, after everything else
//! has reached the disk, and one rename makes the result visible.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{self, Command};

use anyhow::{Context, Result, ensure};

use crate::pip::DISK_FULL;
use crate::platform::Platform;
use crate::wheel;

const FOLDER: &str = ".libtorch";
const PART: &str = ".libtorch.part-";
const LOCK: &str = ".libtorch.part.lock";

/// Makes `.libtorch/` under `root` whole. `fetch` downloads the packages that it is given into
/// `wheels/` under the folder that it is given.
pub(crate) fn ensure(
    root: &Path,
    platform: Platform,
    fetch: impl FnOnce(&[&str], &Path) -> Result<()>,
) -> Result<()> {
    if is_whole(&root.join(FOLDER), platform) {
        return Ok(());
    }
    let _lock = lock(root)?;
    // Whoever held the lock before may have done the work.
    if is_whole(&root.join(FOLDER), platform) {
        return Ok(());
    }
    remove_stale(root)?;
    let work = root.join(format!("{PART}{}", process::id()));
    let done = build(&work, platform, fetch).and_then(|()| swap(root, &work));
    // What cannot be removed now is removed as stale by the next set-up.
    let _ = fs::remove_dir_all(&work);
    done.map_err(explain)
}

/// Whether the folder holds the pinned versions and nothing of them is missing.
fn is_whole(folder: &Path, platform: Platform) -> bool {
    let same = fs::read_to_string(folder.join("VERSION")).is_ok_and(|it| it == version(platform));
    let present = |path| fs::metadata(folder.join(path)).is_ok_and(|it| it.len() > 0);
    same && platform.required().all(present)
}

fn version(platform: Platform) -> String {
    platform.packages().iter().map(|package| format!("{package}\n")).collect()
}

/// The system frees the lock when the process ends in any way, so it is never left behind. The file
/// stays: removing it would let two processes hold locks on two files of one name.
fn lock(root: &Path) -> Result<File> {
    let path = root.join(LOCK);
    let at = || format!("{} cannot be locked", path.display());
    let file = File::create(&path).with_context(at)?;
    if file.try_lock().is_err() {
        eprintln!("waiting for another `cargo xtask` to finish its set-up");
        file.lock().with_context(at)?;
    }
    Ok(file)
}

/// INVARIANT: the caller holds the lock, so every part folder belongs to a set-up that died.
fn remove_stale(root: &Path) -> Result<()> {
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PART) {
            let path = entry.path();
            fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

/// Fills `work/tree` and marks it as whole.
fn build(
    work: &Path,
    platform: Platform,
    fetch: impl FnOnce(&[&str], &Path) -> Result<()>,
) -> Result<()> {
    let (wheels, tree) = (work.join("wheels"), work.join("tree"));
    fs::create_dir_all(&wheels)?;
    fs::create_dir_all(&tree)?;
    eprintln!("downloading libtorch into {FOLDER}/: {}", platform.packages().join(", "));
    fetch(platform.packages(), work)?;
    eprintln!("unpacking");
    for entry in fs::read_dir(&wheels)? {
        let wheel = entry?.path();
        wheel::unpack(&wheel, &tree, |member| platform.wants(member))?;
        // Not needed any more, and the largest is half a gigabyte.
        fs::remove_file(&wheel)?;
    }
    for path in platform.required() {
        ensure!(tree.join(path).exists(), "the downloaded packages hold no {path}");
    }
    mark(&tree, platform)
}

/// Writes `VERSION`, once everything that it vouches for is on the disk.
fn mark(tree: &Path, platform: Platform) -> Result<()> {
    // One call for ten thousand headers; syncing them one by one takes minutes on a slow disk.
    let status =
        Command::new("sync").status().context("the program `sync` could not be started")?;
    ensure!(status.success(), "`sync` failed ({status}): the files may not have reached the disk");
    let mut file = File::create(tree.join("VERSION"))?;
    file.write_all(version(platform).as_bytes())?;
    file.sync_all()?;
    File::open(tree)?.sync_all()?;
    Ok(())
}

/// Puts the new folder in the place of the old one, if there is one.
fn swap(root: &Path, work: &Path) -> Result<()> {
    let folder = root.join(FOLDER);
    let at = || format!("replacing {}", folder.display());
    if folder.symlink_metadata().is_ok() {
        fs::rename(&folder, work.join("old")).with_context(at)?;
    }
    fs::rename(work.join("tree"), &folder).with_context(at)?;
    File::open(root)?.sync_all()?;
    Ok(())
}

fn explain(error: anyhow::Error) -> anyhow::Error {
    let full = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| io.kind() == ErrorKind::StorageFull)
    };
    if error.chain().any(full) { error.context(DISK_FULL) } else { error }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::path::PathBuf;

    use anyhow::bail;
    use tempfile::{TempDir, tempdir};

    use super::*;

    const LINUX: Platform = Platform::LinuxX86;

    /// Stands for pip: one wheel with everything, one member that nobody wants.
    fn fetch(_: &[&str], work: &Path) -> Result<()> {
        let mut members: Vec<&str> = LINUX.required().collect();
        members.push("torch/lib/libtorch_cuda.so");
        wheel::tests::make(&work.join("wheels/torch.whl"), &members);
        Ok(())
    }

    fn no_fetch(_: &[&str], _: &Path) -> Result<()> {
        bail!("fetched again")
    }

    fn installed() -> (TempDir, PathBuf) {
        let root = tempdir().unwrap();
        ensure(root.path(), LINUX, fetch).unwrap();
        let folder = root.path().join(FOLDER);
        (root, folder)
    }

    fn parts(root: &Path) -> usize {
        let names = fs::read_dir(root).unwrap().map(|it| it.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(PART)).count()
    }

    #[test]
    fn a_new_folder_is_whole_and_leaves_nothing_beside_it() {
        let (root, folder) = installed();
        assert!(is_whole(&folder, LINUX));
        assert!(!folder.join("torch/lib/libtorch_cuda.so").exists());
        assert_eq!(parts(root.path()), 0);
    }

    #[test]
    fn a_whole_folder_is_left_alone() {
        let (root, _) = installed();
        ensure(root.path(), LINUX, no_fetch).unwrap();
    }

    #[test]
    fn another_version_is_replaced() {
        let (root, folder) = installed();
        fs::write(folder.join("VERSION"), "torch==2.10.0\n").unwrap();
        fs::write(folder.join("of the old version"), "").unwrap();
        ensure(root.path(), LINUX, fetch).unwrap();
        assert!(is_whole(&folder, LINUX));
        assert!(!folder.join("of the old version").exists());
    }

    #[test]
    fn half_a_folder_is_not_taken_for_whole() {
        let (_root, folder) = installed();
        for path in LINUX.required().chain(["VERSION"]) {
            let aside = folder.join("aside");
            fs::rename(folder.join(path), &aside).unwrap();
            assert!(!is_whole(&folder, LINUX), "{path}");
            fs::rename(&aside, folder.join(path)).unwrap();
        }
        assert!(is_whole(&folder, LINUX));
    }

    #[test]
    fn half_a_folder_is_made_whole() {
        let (root, folder) = installed();
        fs::remove_file(folder.join("VERSION")).unwrap();
        ensure(root.path(), LINUX, fetch).unwrap();
        assert!(is_whole(&folder, LINUX));
    }

    #[test]
    fn an_empty_library_is_not_taken_for_whole() {
        let (_root, folder) = installed();
        fs::write(folder.join("torch/lib/libc10.so"), "").unwrap();
        assert!(!is_whole(&folder, LINUX));
    }

    #[test]
    fn the_folder_of_another_platform_is_not_taken_for_whole() {
        let (_root, folder) = installed();
        assert!(!is_whole(&folder, Platform::MacArm));
    }

    #[test]
    fn a_failed_download_changes_nothing() {
        let (root, folder) = installed();
        fs::write(folder.join("VERSION"), "torch==2.10.0\n").unwrap();
        let error = ensure(root.path(), LINUX, no_fetch).unwrap_err().to_string();
        assert_eq!(error, "fetched again");
        assert_eq!(fs::read_to_string(folder.join("VERSION")).unwrap(), "torch==2.10.0\n");
        assert_eq!(parts(root.path()), 0);
    }

    #[test]
    fn a_package_that_lacks_a_library_is_an_error() {
        let root = tempdir().unwrap();
        let fetch = |_: &[&str], work: &Path| {
            wheel::tests::make(&work.join("wheels/torch.whl"), &["torch/lib/libc10.so"]);
            Ok(())
        };
        let error = ensure(root.path(), LINUX, fetch).unwrap_err().to_string();
        assert!(error.contains("hold no torch/lib/libtorch_cpu.so"), "{error}");
        assert!(!root.path().join(FOLDER).exists());
    }

    #[test]
    fn stale_part_folders_are_removed() {
        let root = tempdir().unwrap();
        let stale = root.path().join(format!("{PART}1"));
        fs::create_dir_all(stale.join("tree/torch")).unwrap();
        ensure(root.path(), LINUX, fetch).unwrap();
        assert!(!stale.exists());
    }

    #[test]
    fn two_set_ups_at_once_fetch_once() {
        let root = tempdir().unwrap();
        let held = lock(root.path()).unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| ensure(root.path(), LINUX, no_fetch));
            build(&root.path().join(format!("{PART}1")), LINUX, fetch).unwrap();
            swap(root.path(), &root.path().join(format!("{PART}1"))).unwrap();
            drop(held);
            other.join().unwrap().unwrap();
        });
    }

    #[test]
    fn the_packages_fetched_are_the_pinned_ones() {
        let root = tempdir().unwrap();
        let asked = Cell::new(String::new());
        let spy = |packages: &[&str], work: &Path| {
            asked.set(packages.join(" "));
            fetch(packages, work)
        };
        ensure(root.path(), LINUX, spy).unwrap();
        assert!(asked.take().starts_with("torch==2.11.0 nvidia-cuda-runtime==13.0.96"));
    }

    #[test]
    fn a_full_disk_is_named() {
        let full = std::io::Error::from(ErrorKind::StorageFull);
        let error = explain(anyhow::Error::from(full).context("writing a file"));
        assert!(error.to_string().contains("the disk is full"));
    }
}
