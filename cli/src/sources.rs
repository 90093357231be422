//! The files of a program by names that are the same wherever it lies.

use std::path::Path;

use nas_compiler::modules::Program;

use crate::input::Input;

/// The files of the program, the main file first, named from the main file's folder.
#[must_use]
pub fn sources(program: &Program) -> Vec<(String, Vec<u8>)> {
    let all = Input::sources(program);
    let main = all.first().map(|(name, _)| name.clone()).unwrap_or_default();
    let folder = Path::new(&main).parent().unwrap_or(Path::new("")).to_owned();
    let relative = |name: String| match Path::new(&name).strip_prefix(&folder) {
        Ok(path) => path.to_string_lossy().replace('\\', "/"),
        // The standard library's names are relative already.
        Err(_) => name,
    };
    all.into_iter().map(|(name, bytes)| (relative(name), bytes)).collect()
}
