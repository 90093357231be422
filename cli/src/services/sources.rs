//! The files of a program by names that are the same wherever it lies.

use std::path::{Component, Path};

use nas_frontend::Compiler;

/// The files of the program, the main file first, and the latency tables that were read, named from
/// the main file's folder.
#[must_use]
pub fn sources(compiler: &Compiler<'_, '_>) -> Vec<(String, Vec<u8>)> {
    let main = compiler.sources().next().map(|source| source.name().to_owned());
    let main = main.unwrap_or_default();
    let folder = Path::new(&main).parent().unwrap_or(Path::new(""));
    // The standard library's names are relative already.
    let relative =
        |name: &str| within(Path::new(name).strip_prefix(folder).unwrap_or(Path::new(name)));
    let bytes = |text: &str| text.as_bytes().to_vec();
    compiler.sources().map(|source| (relative(source.name()), bytes(source.text()))).collect()
}

/// A path as one that stays in its folder, where a run keeps what it was begun with: `../board.json`
/// is `_up/board.json`.
#[must_use]
pub fn within(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::ParentDir => Some("_up".to_owned()),
        Component::RootDir | Component::Prefix(_) => Some("_root".to_owned()),
        Component::CurDir => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::within;

    #[test]
    fn no_name_leads_out_of_a_folder() {
        let names = ["space.nas", "parts/./unit.nas", "../board.json", "/tables/board.json"];
        let wanted = ["space.nas", "parts/unit.nas", "_up/board.json", "_root/tables/board.json"];
        assert_eq!(names.map(|name| within(Path::new(name))), wanted);
    }
}
