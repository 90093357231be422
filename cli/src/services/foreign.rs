//! ONNX files made by others: reading them, the sizes of their inputs, data that lie in files beside them.

use std::path::{Component, Path, PathBuf};

use clap::Args;
use nas_onnx_read::{Graph, Outside, ReadError, Sizes};

use super::source::io_reason;
use crate::render::report::Failure;

/// The largest file that is read: no message of protobuf is longer.
const MAX_BYTES: u64 = i32::MAX as u64;

/// Options that say what sizes the inputs of a model have.
#[derive(Debug, Clone, Default, Args)]
pub struct SizesArgs {
    /// The sizes of an input of an ONNX file that leaves them open, such as `image=1x3x224x224`. An open batch is 1 where
    /// nothing is given.
    #[arg(long = "input", value_name = "NAME=SIZES", value_parser = input_sizes)]
    pub inputs: Vec<(String, Vec<u64>)>,
}

impl SizesArgs {
    /// The sizes by the names of inputs.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        self.inputs.iter().cloned().collect()
    }

    /// That none are given.
    ///
    /// # Errors
    /// Some are, and the file is none of ONNX.
    pub fn refuse(&self) -> Result<(), Failure> {
        match self.inputs.first() {
            None => Ok(()),
            Some(_) => Err(Failure::input("`--input` gives sizes of an ONNX file")),
        }
    }
}

fn input_sizes(text: &str) -> Result<(String, Vec<u64>), String> {
    let wrong = || "write an input and its sizes, such as `image=1x3x224x224`".to_owned();
    let (name, sizes) = text.rsplit_once('=').ok_or_else(wrong)?;
    let sizes = sizes.split('x').map(|size| size.parse().ok().filter(|&size| size > 0));
    let sizes: Vec<u64> = sizes.collect::<Option<_>>().ok_or_else(wrong)?;
    if name.is_empty() { Err(wrong()) } else { Ok((name.to_owned(), sizes)) }
}

/// Whether a path is that of an ONNX file, by its name.
#[must_use]
pub fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("onnx")) && !path.is_dir()
}

/// An ONNX file.
pub struct ForeignFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl ForeignFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is too large for an ONNX file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::input(format!("{}: {}", path.display(), io_reason(&error)))
        };
        let length = std::fs::metadata(path).map_err(failed)?.len();
        if length > MAX_BYTES {
            let what = format!("{length} bytes");
            return Err(Failure::problem(ReadError::TooLarge { what, most: MAX_BYTES }));
        }
        Ok(Self { path: path.to_owned(), bytes: nas_files::read(path).map_err(failed)? })
    }

    /// Its graph. What lies in other files is there.
    ///
    /// # Errors
    /// It is no model, or its data are not where it says.
    pub fn graph(&self) -> Result<Graph<'_>, Failure> {
        let graph = nas_onnx_read::read(&self.bytes).map_err(Failure::problem)?;
        for (name, outside) in graph.outside() {
            self.beside(name, outside).map_err(Failure::problem)?;
        }
        Ok(graph)
    }

    /// The folder that it lies in.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
    }

    /// The file beside this one in which the data of a constant lie, which is long enough.
    ///
    /// # Errors
    /// It lies elsewhere than in the folder of this one, is not there, or is too short.
    pub fn beside(&self, name: &str, outside: &Outside<'_>) -> Result<PathBuf, ReadError> {
        let found = resolved(&self.folder(), outside);
        found.map_err(|why| ReadError::Outside { name: name.to_owned(), why })
    }

    /// The bytes of a constant that lies beside it.
    ///
    /// # Errors
    /// As [`ForeignFile::beside`], or they cannot be read.
    pub fn outside_bytes(&self, name: &str, outside: &Outside<'_>) -> Result<Vec<u8>, ReadError> {
        use std::io::{Read, Seek, SeekFrom};
        let path = self.beside(name, outside)?;
        let read = || {
            let mut file = nas_files::open(&path)?;
            file.seek(SeekFrom::Start(outside.offset))?;
            let mut bytes = Vec::new();
            file.take(outside.length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: std::io::Error| {
            let why = format!("{}: {}", path.display(), io_reason(&error));
            ReadError::Outside { name: name.to_owned(), why }
        })
    }
}

/// Where data lie that are in another file; what leads out of the folder, be it by a link, is refused.
fn resolved(folder: &Path, outside: &Outside<'_>) -> Result<PathBuf, String> {
    let Outside { location, offset, length } = *outside;
    let location = Path::new(location);
    let is_inside =
        location.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let leads_out = || format!("`{}` leads out of the folder of the model", location.display());
    if !is_inside {
        return Err(leads_out());
    }
    let path = folder.join(location);
    let told = |error: std::io::Error| format!("{}: {}", path.display(), io_reason(&error));
    let (real, real_folder) =
        (path.canonicalize().map_err(told)?, folder.canonicalize().map_err(told)?);
    if !real.starts_with(real_folder) {
        return Err(leads_out());
    }
    let there = std::fs::metadata(&real).map_err(told)?;
    if !there.is_file() {
        return Err(format!("`{}` is no file", path.display()));
    }
    match offset.checked_add(length) {
        Some(end) if end <= there.len() => Ok(real),
        _ => Err(format!(
            "`{}` has {} bytes, and {length} from {offset} on are asked for",
            path.display(),
            there.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_an_input() {
        assert_eq!(input_sizes("a=b=1x3").unwrap(), ("a=b".to_owned(), vec![1, 3]));
        for text in ["x", "x=", "=1", "x=1x0", "x=-1", "x=1,3"] {
            assert!(input_sizes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn data_lie_in_the_folder_of_the_model_and_are_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("model");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("data"), [0; 8]).unwrap();
        std::fs::write(folder.path().join("secret"), [0; 8]).unwrap();
        let of = |location, offset, length| resolved(&inner, &Outside { location, offset, length });
        assert!(of("data", 0, 8).is_ok() && of("./data", 4, 4).is_ok());
        for (location, offset, length, why) in [
            ("data", 4, 5, "has 8 bytes, and 5 from 4 on"),
            ("data", u64::MAX, 5, "are asked for"),
            ("../secret", 0, 8, "leads out"),
            ("/etc/passwd", 0, 8, "leads out"),
            ("nowhere", 0, 8, "there is no such file"),
            (".", 0, 0, "is no file"),
        ] {
            let told = of(location, offset, length).unwrap_err();
            assert!(told.contains(why), "{location}: {told}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
            assert!(of("link", 0, 8).unwrap_err().contains("leads out"));
        }
    }
}
