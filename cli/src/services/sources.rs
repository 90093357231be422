//! The files of a program by names that are the same wherever it lies.

use std::path::Path;

use nas_frontend::Compiler;

/// The files of the program, the main file first, and the latency tables that were read, named from
/// the main file's folder.
#[must_use]
pub fn sources(compiler: &Compiler<'_, '_>) -> Vec<(String, Vec<u8>)> {
    let main = compiler.sources().next().map(|source| source.name().to_owned());
    let main = main.unwrap_or_default();
    let folder = Path::new(&main).parent().unwrap_or(Path::new(""));
    let relative = |name: &str| match Path::new(name).strip_prefix(folder) {
        Ok(path) => path.to_string_lossy().replace('\\', "/"),
        // The standard library's names are relative already.
        Err(_) => name.to_owned(),
    };
    let bytes = |text: &str| text.as_bytes().to_vec();
    compiler.sources().map(|source| (relative(source.name()), bytes(source.text()))).collect()
}
