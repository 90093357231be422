#![allow(dead_code, missing_docs)]
pub mod report {
    use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
    use nas_grammar::Problem;
    #[derive(Debug)]
    pub enum Failure { Problems(Vec<Problem>), Input(String) }
    pub fn render(problem: &dyn Diagnostic, is_terminal: bool) -> String {
        let theme = if is_terminal { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(1);
        let mut text = String::new();
        let _ = handler.render_report(&mut text, problem);
        text
    }
}
pub mod input {
    use std::path::{Path, PathBuf};
    use nas_compiler::error::Problems;
    use nas_compiler::modules::{LoadError, Program};
    use nas_grammar::{Source, parse::decode};
    use super::report::Failure;
    pub struct Input { pub path: PathBuf, pub program: Program }
    impl Input {
        pub fn load(path: &Path, problems: &mut Problems) -> Result<Self, Failure> {
            let main = read(path).map_err(|error| match error {
                LoadError::Missing(reason) => Failure::Input(format!("{}: {reason}", path.display())),
                LoadError::Unreadable(problem) => Failure::Problems(vec![problem]),
            })?;
            let program = Program::load(main, &load_module, problems);
            Ok(Self { path: path.to_owned(), program })
        }
    }
fn read(path: &Path) -> Result<Source, LoadError> {
    let bytes = std::fs::read(path).map_err(|error| LoadError::Missing(io_reason(&error)))?;
    decode(&path.display().to_string(), bytes).map_err(LoadError::Unreadable)
}

/// Why a file could not be read, in plain words.
fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// `std.blocks` is part of the compiler; other modules are files beside the importing one.
fn load_module(importer: &str, module: &[&str]) -> Result<Source, LoadError> {
    if let ["std", rest @ ..] = module {
        let name = rest.join("/");
        return match nas_spaces::std_module(&name) {
            Some(text) => Ok(Source::new(format!("std/{name}.nas"), text)),
            None => Err(LoadError::Missing(format!(
                "the standard library has {}",
                nas_spaces::std_modules().join(", ")
            ))),
        };
    }
    let folder = Path::new(importer).parent().unwrap_or(Path::new(""));
    let mut path = folder.join(module.iter().collect::<PathBuf>());
    path.set_extension("nas");
    read(&path).map_err(|error| match error {
        LoadError::Missing(reason) => LoadError::Missing(format!("{}: {reason}", path.display())),
        other => other,
    })
}

}
