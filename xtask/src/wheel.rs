//! Unpacking the wanted members of a wheel, which is a zip file.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result};
use zip::ZipArchive;

/// Unpacks the members that `wants` names, under their own paths, into `folder`.
pub(crate) fn unpack(wheel: &Path, folder: &Path, wants: impl Fn(&str) -> bool) -> Result<()> {
    let damaged = || format!("{} cannot be unpacked", wheel.display());
    let file = File::open(wheel).with_context(damaged)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).with_context(damaged)?;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).with_context(damaged)?;
        // None for a path that would lead out of the folder.
        let Some(target) = member.enclosed_name().map(|path| folder.join(path)) else { continue };
        if wants(member.name()) {
            write(&mut member, &target).with_context(damaged)?;
        }
    }
    Ok(())
}

/// Reading to the end also compares the member's checksum.
fn write(member: &mut impl Read, target: &Path) -> Result<()> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = File::create(target)?;
    io::copy(member, &mut file).with_context(|| format!("writing {}", target.display()))?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write;

    use super::*;

    /// A wheel in which each member holds its own name.
    pub(crate) fn make(path: &Path, members: &[&str]) {
        let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
        for member in members {
            zip.start_file(*member, zip::write::FileOptions::default()).unwrap();
            zip.write_all(member.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
    }

    #[test]
    fn only_what_is_wanted_is_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, out) = (dir.path().join("a.whl"), dir.path().join("out"));
        make(&wheel, &["a/b/wanted", "a/not"]);
        unpack(&wheel, &out, |name| name == "a/b/wanted").unwrap();
        assert_eq!(fs::read_to_string(out.join("a/b/wanted")).unwrap(), "a/b/wanted");
        assert!(!out.join("a/not").exists());
    }

    #[test]
    fn no_member_leads_out_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (wheel, out) = (dir.path().join("a.whl"), dir.path().join("out"));
        make(&wheel, &["../escaped"]);
        unpack(&wheel, &out, |_| true).unwrap();
        assert!(!dir.path().join("escaped").exists());
    }

    #[test]
    fn a_truncated_wheel_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = dir.path().join("a.whl");
        make(&wheel, &["a", "b"]);
        let bytes = fs::read(&wheel).unwrap();
        fs::write(&wheel, &bytes[..bytes.len() / 2]).unwrap();
        let error = unpack(&wheel, dir.path(), |_| true).unwrap_err().to_string();
        assert!(error.contains("a.whl cannot be unpacked"), "{error}");
    }
}
