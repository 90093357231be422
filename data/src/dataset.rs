//! The folder of a data set: its description, its splits and their samples.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::DataError;
use crate::folder::{class_names, kind_of_layout, read_split, shared_file, split_names};
use crate::normalise::{IMAGENET_MEAN, IMAGENET_STD, check_statistics};
use crate::pipeline::Pipeline;
use crate::sample::{Sample, Split};
use crate::target::TargetKind;

const DESCRIPTION: &str = "dataset.json";
/// The split whose folders are the classes where `dataset.json` names none.
const TRAIN: &str = "train";
const IGNORE: u8 = 255;

/// A folder of images and targets, with what its `dataset.json` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// What the data set holds for each image: what `dataset.json` says, or else its folders.
    pub kind: TargetKind,
    /// Names of the classes in the order of their labels. Where `dataset.json` names none, they are
    /// those of the folders of the split `train` if each image has a class, and empty otherwise.
    pub classes: Vec<String>,
    /// The label of pixels that have no class; 255 unless `dataset.json` says otherwise.
    pub ignore: u8,
    /// Mean of red, green and blue, white being 1; [`IMAGENET_MEAN`] unless `dataset.json` says otherwise.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue, white being 1; likewise [`IMAGENET_STD`].
    pub std: [f32; 3],
}

/// `dataset.json` as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Description {
    target: Option<TargetKind>,
    classes: Vec<String>,
    ignore: Option<u8>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
}

impl Dataset {
    /// Opens the data set in the folder `root`.
    ///
    /// # Errors
    /// There is no such folder, it cannot be read, or its `dataset.json` is bad.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DataError> {
        let root = root.as_ref();
        if !root.is_dir() {
            return Err(DataError::MissingFolder { path: root.to_owned() });
        }
        let Description { target, mut classes, ignore, mean, std } = read_description(root)?;
        let kind = target.map_or_else(|| kind_of_layout(root), Ok)?;
        if kind == TargetKind::Class && classes.is_empty() {
            classes = class_names(&root.join(TRAIN))?;
        }
        Ok(Self {
            root: root.to_owned(),
            kind,
            classes,
            ignore: ignore.unwrap_or(IGNORE),
            mean: statistics("mean", mean, IMAGENET_MEAN)?,
            std: statistics("std", std, IMAGENET_STD)?,
        })
    }

    /// The samples of the split `name`, sorted by stem, or by class and name.
    ///
    /// # Errors
    /// The split or a folder in it is missing or of no class, it holds no image, an image has no
    /// target, or two images have the same one.
    pub fn split(&self, name: &str) -> Result<Split, DataError> {
        let folder = self.root.join(name);
        if !folder.is_dir() {
            return Err(DataError::MissingSplit {
                root: self.root.clone(),
                name: name.to_owned(),
                found: split_names(&self.root, self.kind)?,
            });
        }
        read_split(&folder, self.kind, &self.classes)
    }

    /// The files of these splits and `dataset.json`, where there is one: the path from the folder of
    /// the data set, with `/` between folders, and the size in bytes. Tells, cheaply, whether a data
    /// set changed.
    ///
    /// # Errors
    /// As [`Dataset::split`], or a file cannot be read.
    pub fn files(&self, splits: &[&str]) -> Result<Vec<(String, u64)>, DataError> {
        let mut paths = Vec::from_iter(Some(self.root.join(DESCRIPTION)).filter(|p| p.exists()));
        for name in splits {
            paths.extend(shared_file(&self.root.join(name), self.kind));
            for Sample { image, target } in self.split(name)?.samples() {
                paths.push(image.clone());
                paths.extend(target.file().map(Path::to_owned));
            }
        }
        paths
            .into_iter()
            .map(|path| {
                let size = fs::metadata(&path).map_err(|e| DataError::unreadable(&path, e))?.len();
                let inside = path.strip_prefix(&self.root).unwrap_or(&path);
                Ok((inside.to_string_lossy().replace('\\', "/"), size))
            })
            .collect()
    }

    /// What evaluates a network of `classes` classes on this data set: no change but normalisation.
    /// Set `crop`, `flip` and `scale` for training.
    pub fn pipeline(&self, classes: usize) -> Pipeline {
        Pipeline {
            classes,
            ignore: self.ignore,
            mean: self.mean,
            std: self.std,
            resize: None,
            scale: None,
            crop: None,
            flip: false,
        }
    }
}

fn read_description(root: &Path) -> Result<Description, DataError> {
    let path = root.join(DESCRIPTION);
    if !path.exists() {
        return Ok(Description::default());
    }
    let text = fs::read_to_string(&path).map_err(|error| DataError::unreadable(&path, error))?;
    serde_json::from_str(&text).map_err(|error| DataError::dataset_json(path, text, &error))
}

fn statistics(
    name: &'static str,
    found: Option<Vec<f32>>,
    default: [f32; 3],
) -> Result<[f32; 3], DataError> {
    let Some(found) = found else { return Ok(default) };
    let Ok(values) = <[f32; 3]>::try_from(found.as_slice()) else {
        return Err(DataError::BadStatistics { name, found });
    };
    check_statistics(name, values)?;
    Ok(values)
}
