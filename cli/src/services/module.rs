//! A network as a folder that is a package of Python: a module of PyTorch, and its weights.

use std::path::{Path, PathBuf};

use nas_ir::Model;

use super::files::{check_folder, write_together};
use crate::render::report::Failure;

/// What the package gives to those who import it.
const INIT: &str = "from .layers import load_weights, save_weights\nfrom .model import *\nfrom .model import load\n";
/// The files of the folder.
const FILES: [&str; 5] =
    ["layers.py", "names.json", "weights.safetensors", "model.py", "__init__.py"];

/// The paths of what is written into a folder.
#[must_use]
pub fn paths(folder: &Path) -> [PathBuf; 5] {
    FILES.map(|name| folder.join(name))
}

/// Refuses a folder that Python could not import, or in which there is something else than an earlier module.
///
/// # Errors
/// It is such a folder.
pub fn check(folder: &Path) -> Result<(), Failure> {
    let name = folder.file_name().map(|name| name.to_string_lossy());
    let is_plain = |c: char| c.is_alphanumeric() || c == '_';
    if let Some(name) = name
        .filter(|name| !name.chars().all(is_plain) || name.starts_with(|c: char| c.is_numeric()))
    {
        let plain = Path::new(&*name).file_stem().map(|stem| stem.to_string_lossy());
        let plain = plain.unwrap_or_default().replace(|c| !is_plain(c), "_");
        return Err(Failure::input(format!(
            "the folder is the module, and Python imports none called `{name}`: name one such as `{plain}`"
        )));
    }
    check_folder(folder, "a module", |folder| {
        ["layers.py", "names.json", "model.py"].iter().all(|name| folder.join(name).exists())
    })
}

/// Writes the folder.
///
/// # Errors
/// It cannot be written.
pub fn write(folder: &Path, model: &Model) -> Result<(), Failure> {
    let module = nas_pytorch::emit(&model.network);
    let weights = nas_safetensors::to_bytes(&model.weights, None)
        .map_err(|error| Failure::input(error.to_string()))?;
    let bytes: [&[u8]; 5] = [
        module.layers.as_bytes(),
        module.names.as_bytes(),
        &weights,
        module.model.as_bytes(),
        INIT.as_bytes(),
    ];
    let paths = paths(folder);
    let files: Vec<(&Path, &[u8])> = paths.iter().map(PathBuf::as_path).zip(bytes).collect();
    write_together(&files)
}
