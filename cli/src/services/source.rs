//! Reading `.nas` files, and what they name: the modules that they import, latency tables.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nas_frontend::modules::LoadError;
use nas_grammar::Source;
use nas_grammar::parse::{MAX_BYTES, decode};

use crate::render::report::Failure;

/// The modules that are part of the compiler begin with it.
const LIBRARY: &str = "std";

/// The text of a file that was named on the command line; `-` is standard input.
///
/// # Errors
/// It cannot be read.
pub fn read_source(path: &Path) -> Result<Source, Failure> {
    read_named(path).map_err(|error| match error {
        LoadError::Unreadable(problem) => Failure::Problems(vec![problem]),
        reason => {
            let with_ending = path.with_extension("nas");
            let near = (!path.exists() && with_ending.is_file())
                .then(|| format!("; did you mean {}?", with_ending.display()));
            Failure::input(format!("{}: {reason}{}", name_of(path), near.unwrap_or_default()))
        }
    })
}

/// The path that stands for standard input.
const STDIN: &str = "-";

/// Whether a path of the command line stands for standard input.
#[must_use]
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// What a file that was named on the command line is called in reports. The folder of standard
/// input is the working folder.
#[must_use]
pub fn name_of(path: &Path) -> String {
    if is_stdin(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}

fn read_named(path: &Path) -> Result<Source, LoadError> {
    if !is_stdin(path) {
        return read(path);
    }
    let bytes = read_bytes(std::io::stdin().lock());
    let bytes = bytes.map_err(|error| LoadError::Missing(io_reason(&error)))?;
    decode(&name_of(path), bytes).map_err(LoadError::Unreadable)
}

fn read(path: &Path) -> Result<Source, LoadError> {
    let bytes = nas_files::open(path).and_then(read_bytes);
    let bytes = bytes.map_err(|error| LoadError::Missing(io_reason(&error)))?;
    decode(&path.display().to_string(), bytes).map_err(LoadError::Unreadable)
}

/// The bytes of a file, or one more than a source may have: a device may have no end.
fn read_bytes(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a file could not be read, in plain words.
#[must_use]
pub fn io_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// The files of a program, each under the name by which it was found first: two names that links
/// make for one file are one module.
#[derive(Debug)]
pub struct Modules {
    /// The names by the files that they lead to.
    names: RefCell<HashMap<PathBuf, String>>,
}

impl Modules {
    /// Those of a program with this main file, so far.
    #[must_use]
    pub fn of(path: &Path, main: &Source) -> Self {
        let main = path.canonicalize().ok().map(|file| (file, main.name().to_owned()));
        Self { names: RefCell::new(main.into_iter().collect()) }
    }

    /// A module, as [`load_module`] finds it.
    ///
    /// # Errors
    /// There is no such module, or it cannot be read.
    pub fn load(&self, importer: &str, module: &[&str]) -> Result<Source, LoadError> {
        let source = load_module(importer, module)?;
        if module.first() == Some(&LIBRARY) {
            return Ok(source);
        }
        let Ok(file) = Path::new(source.name()).canonicalize() else { return Ok(source) };
        let mut names = self.names.borrow_mut();
        let name = names.entry(file).or_insert_with(|| source.name().to_owned());
        if *name == source.name() {
            return Ok(source);
        }
        Ok(Source::new(name.clone(), Arc::clone(source.text())))
    }
}

/// `std.blocks` is part of the compiler; other modules are files beside the importing one.
///
/// # Errors
/// There is no such module, or it cannot be read.
pub fn load_module(importer: &str, module: &[&str]) -> Result<Source, LoadError> {
    if let [LIBRARY, rest @ ..] = module {
        let name = rest.join("/");
        return match nas_spaces::std_module(&name) {
            Some(text) => Ok(Source::new(format!("std/{name}.nas"), text)),
            None => {
                let known = nas_spaces::std_modules();
                Err(LoadError::Unknown(known.iter().map(|name| format!("std.{name}")).collect()))
            }
        };
    }
    read_beside(importer, &module.iter().collect::<PathBuf>().with_extension("nas"))
}

/// A latency table lies where its path leads to from the folder of the file that names it.
///
/// # Errors
/// It cannot be read.
pub fn load_table(importer: &str, path: &str) -> Result<Source, LoadError> {
    read_beside(importer, Path::new(path))
}

fn read_beside(file: &str, path: &Path) -> Result<Source, LoadError> {
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let path = folder.join(path);
    read(&path).map_err(|error| match error {
        LoadError::Missing(reason) => LoadError::Missing(format!("{}: {reason}", path.display())),
        other => other,
    })
}
