//! Writing files whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::report::Failure;

/// Writes a file aside, syncs it and renames it into place.
///
/// # Errors
/// The folder cannot be written; then the file is as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut aside = tempfile::NamedTempFile::new_in(folder)?;
        aside.write_all(bytes)?;
        aside.as_file().sync_all()?;
        let mode = std::fs::metadata(path).map(|meta| meta.permissions()).ok();
        match mode {
            Some(mode) => aside.as_file().set_permissions(mode)?,
            #[cfg(unix)]
            None => {
                use std::os::unix::fs::PermissionsExt;
                aside.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
            }
            #[cfg(not(unix))]
            None => {}
        }
        aside.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| Failure::input(format!("cannot write {}: {error}", path.display())))
}
