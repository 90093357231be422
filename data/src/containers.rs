//! Data sets that come as a few files of many pictures, as they are published: IDX, the format of MNIST
//! (Y. LeCun, C. Cortes and C. Burges), and the binary version of CIFAR-10 and CIFAR-100 (A. Krizhevsky, "Learning
//! Multiple Layers of Features from Tiny Images", 2009).

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use flate2::read::MultiGzDecoder;

use crate::error::DataError;
use crate::place::{Container, Place, Records};
use crate::sample::{Sample, Split};
use crate::size::Size;
use crate::target::Target;

/// What an IDX file of pictures begins with: unsigned bytes, along three axes.
const IDX_PICTURES: [u8; 4] = [0, 0, 8, 3];
/// What an IDX file of labels begins with: unsigned bytes, along one axis.
const IDX_LABELS: [u8; 4] = [0, 0, 8, 1];
/// The splits of these data sets, and what the IDX files of each begin with.
const SPLITS: [(&str, &str); 2] = [("train", "train"), ("test", "t10k")];
/// The pictures of both CIFAR data sets.
const CIFAR: Records =
    Records { start: 0, label: 1, size: Size { height: 32, width: 32 }, planes: 3 };
/// The most that an unpacked file may take.
const MAX_BYTES: u64 = 1 << 34;

/// A data set of containers. Each split is read when it is first asked for; clones share what was read.
#[derive(Debug, Clone)]
pub(crate) struct Containers {
    format: Format,
    /// The file of the names of the classes, where there is one.
    names: Option<PathBuf>,
    splits: Vec<Files>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Idx,
    Cifar10,
    Cifar100,
}

/// The files of a split.
#[derive(Debug, Clone)]
struct Files {
    split: &'static str,
    pictures: Vec<PathBuf>,
    /// The labels of IDX; those of CIFAR stand beside the pictures.
    labels: Option<PathBuf>,
    read: Arc<OnceLock<Split>>,
}

impl Containers {
    /// The containers in a folder, if it holds those of a data set and no folder `train`.
    pub(crate) fn find(root: &Path) -> Option<Self> {
        if root.join("train").is_dir() {
            return None;
        }
        let formats = [Format::Idx, Format::Cifar10, Format::Cifar100];
        formats.into_iter().find_map(|format| {
            let splits: Vec<Files> =
                SPLITS.iter().filter_map(|&(split, idx)| format.files(root, split, idx)).collect();
            let names = format.names().map(|name| root.join(name)).filter(|path| path.is_file());
            (!splits.is_empty()).then_some(Self { format, names, splits })
        })
    }

    /// The names of its classes, in the order of their labels; none if no file tells them.
    pub(crate) fn class_names(&self) -> Result<Vec<String>, DataError> {
        let Some(path) = &self.names else { return Ok(Vec::new()) };
        let text = nas_files::read_to_string(path);
        let text = text.map_err(|error| DataError::unreadable(path, error))?;
        let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
        Ok(names.map(str::to_owned).collect())
    }

    pub(crate) fn split_names(&self) -> Vec<String> {
        self.splits.iter().map(|files| files.split.to_owned()).collect()
    }

    /// The samples of a split; `None` if it has none of this name.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub(crate) fn split(&self, name: &str) -> Result<Option<Split>, DataError> {
        let Some(files) = self.files(name) else { return Ok(None) };
        if let Some(split) = files.read.get() {
            return Ok(Some(split.clone()));
        }
        let split = Split::new(match &files.labels {
            Some(labels) => idx(&files.pictures, labels)?,
            None => self.format.cifar(&files.pictures)?,
        });
        Ok(Some(files.read.get_or_init(|| split).clone()))
    }

    /// The files that hold these splits, and the names of their classes.
    pub(crate) fn of_splits(&self, names: &[&str]) -> Vec<PathBuf> {
        let files = names.iter().filter_map(|name| self.files(name));
        let files = files.flat_map(|files| files.pictures.iter().chain(&files.labels));
        self.names.iter().chain(files).cloned().collect()
    }

    /// Bytes of what was read.
    pub(crate) fn bytes(&self) -> u64 {
        let read = self.splits.iter().filter_map(|files| files.read.get());
        read.map(Split::container_bytes).sum()
    }

    fn files(&self, name: &str) -> Option<&Files> {
        self.splits.iter().find(|files| files.split == name)
    }
}

impl Format {
    fn files(self, root: &Path, split: &'static str, idx: &str) -> Option<Files> {
        let (pictures, labels) = match self {
            Self::Idx => {
                let pictures = idx_file(root, idx, "images", 3).filter(|path| path.is_file())?;
                (vec![pictures], idx_file(root, idx, "labels", 1))
            }
            Self::Cifar10 if split == "train" => (batches(root), None),
            Self::Cifar10 => (there(root.join("test_batch.bin")), None),
            Self::Cifar100 => (there(root.join(format!("{split}.bin"))), None),
        };
        let read = Arc::default();
        (!pictures.is_empty()).then_some(Files { split, pictures, labels, read })
    }

    /// The file of the names of the classes.
    fn names(self) -> Option<&'static str> {
        match self {
            Self::Idx => None,
            Self::Cifar10 => Some("batches.meta.txt"),
            Self::Cifar100 => Some("fine_label_names.txt"),
        }
    }

    /// Bytes of a record, of which the last before the picture is its class; CIFAR-100 has that of a coarser
    /// class before it.
    fn cifar(self, files: &[PathBuf]) -> Result<Vec<Sample>, DataError> {
        let label = if self == Self::Cifar100 { 2 } else { 1 };
        let records = Records { label, ..CIFAR };
        let mut samples = Vec::new();
        for path in files {
            let damaged = |reason: String| DataError::damaged(path, reason);
            let bytes = unpacked(path, |_| Ok(MAX_BYTES))?;
            let (stride, found) = (records.stride(), bytes.len());
            if found == 0 || found % stride != 0 {
                return Err(damaged(format!("its {found} bytes are no records of {stride}")));
            }
            let classes: Vec<u8> = bytes.iter().skip(label - 1).step_by(stride).copied().collect();
            let container = Arc::new(Container { path: path.clone(), bytes, records });
            samples.extend(labelled(&container, &classes));
        }
        Ok(samples)
    }
}

/// The files `data_batch_1.bin` and so on, as many as there are.
fn batches(root: &Path) -> Vec<PathBuf> {
    let files = (1..).map(|nth: u32| root.join(format!("data_batch_{nth}.bin")));
    files.take_while(|path| path.is_file()).collect()
}

fn there(path: PathBuf) -> Vec<PathBuf> {
    if path.is_file() { vec![path] } else { Vec::new() }
}

/// The first of the names that an IDX file goes by that is there, or the first of all.
fn idx_file(root: &Path, split: &str, what: &str, axes: u8) -> Option<PathBuf> {
    let names = ["-", "."].into_iter().flat_map(|dot| {
        ["", ".gz"].map(|gz| root.join(format!("{split}-{what}{dot}idx{axes}-ubyte{gz}")))
    });
    let names: Vec<PathBuf> = names.collect();
    names.iter().find(|path| path.is_file()).or(names.first()).cloned()
}

/// The samples of two IDX files.
fn idx(pictures: &[PathBuf], labels: &Path) -> Result<Vec<Sample>, DataError> {
    let mut samples = Vec::new();
    for path in pictures {
        let (bytes, [count, height, width]) = idx_values(path, IDX_PICTURES, "pictures")?;
        let (classes, [of]) = idx_values(labels, IDX_LABELS, "labels")?;
        if count != of {
            let (images, labels) = (path.clone(), labels.to_owned());
            return Err(DataError::OtherCount { images, count, labels, of });
        }
        let size = Size { height, width };
        if count == 0 || size.area() == 0 {
            return Err(DataError::NoImages { path: path.clone() });
        }
        let records = Records { start: 16, label: 0, size, planes: 1 };
        let container = Arc::new(Container { path: path.clone(), bytes, records });
        samples.extend(labelled(&container, classes.get(8..).unwrap_or_default()));
    }
    Ok(samples)
}

fn labelled(container: &Arc<Container>, classes: &[u8]) -> Vec<Sample> {
    let samples = classes.iter().enumerate().map(|(index, &class)| {
        let image = Place::Record { container: Arc::clone(container), index };
        Sample::new(image, Target::Class(class.into()))
    });
    samples.collect()
}

/// The whole of an IDX file, header included, and its lengths along its axes. The header says how long it is.
fn idx_values<const AXES: usize>(
    path: &Path,
    magic: [u8; 4],
    what: &str,
) -> Result<(Vec<u8>, [u32; AXES]), DataError> {
    let lengths = |header: &[u8]| {
        let axes = header.get(4..).unwrap_or_default().chunks_exact(4);
        let mut lengths = [0; AXES];
        for (length, axis) in lengths.iter_mut().zip(axes) {
            *length = axis.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        }
        lengths
    };
    let length = |start: &[u8]| {
        let found = start.get(..4).unwrap_or(start);
        if found != magic {
            return Err(format!(
                "it begins with {found:02x?}, an IDX file of {what} with {magic:02x?}"
            ));
        }
        let values = lengths(start).iter().try_fold(1_u64, |all, &n| all.checked_mul(n.into()));
        values.and_then(|values| values.checked_add(header_len(AXES))).ok_or_else(too_large)
    };
    let bytes = unpacked(path, length)?;
    let wanted = length(&bytes).map_err(|reason| DataError::damaged(path, reason))?;
    let lengths = lengths(&bytes);
    let found = bytes.len() as u64;
    if found == wanted {
        return Ok((bytes, lengths));
    }
    let all: Vec<String> = lengths.iter().map(ToString::to_string).collect();
    let (all, than) = (all.join(" x "), if found < wanted { "ends early" } else { "goes on" });
    let reason = format!("it {than}: its header says {all} {what}, so {wanted} bytes");
    Err(DataError::damaged(path, reason))
}

fn header_len(axes: usize) -> u64 {
    4 + 4 * axes as u64
}

fn too_large() -> String {
    format!("it would take more than {} GiB", MAX_BYTES >> 30)
}

/// What a file holds, out of its gzip if it is in one. At most a byte more is read than its first 16 bytes say that
/// it has, so that what is packed cannot fill the memory.
fn unpacked(
    path: &Path,
    length: impl FnOnce(&[u8]) -> Result<u64, String>,
) -> Result<Vec<u8>, DataError> {
    let file = nas_files::open(path).map_err(|error| DataError::unreadable(path, error))?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let mut reader: Box<dyn Read> =
        if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let damaged = |error: std::io::Error| {
        let early = error.kind() == std::io::ErrorKind::UnexpectedEof;
        DataError::damaged(path, if early { "it ends early".to_owned() } else { error.to_string() })
    };
    let mut bytes = Vec::new();
    reader.by_ref().take(16).read_to_end(&mut bytes).map_err(damaged)?;
    let length = length(&bytes).map_err(|reason| DataError::damaged(path, reason))?;
    if length > MAX_BYTES {
        return Err(DataError::damaged(path, too_large()));
    }
    let rest = (length + 1).saturating_sub(bytes.len() as u64);
    if !is_gzip {
        let there = fs::metadata(path).map_or(0, |there| there.len());
        bytes.reserve_exact(usize::try_from(there.min(length)).unwrap_or_default());
    }
    reader.take(rest).read_to_end(&mut bytes).map_err(damaged)?;
    Ok(bytes)
}
