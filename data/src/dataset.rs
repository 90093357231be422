//! The folder of a data set: its description, its splits and their samples.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::containers::Containers;
use crate::error::DataError;
use crate::folder::{class_names, kind_of_layout, read_split, shared_file, split_names};
use crate::normalise::{IMAGENET_MEAN, IMAGENET_STD, check_statistics};
use crate::pipeline::Pipeline;
use crate::sample::Split;
use crate::target::TargetKind;

const DESCRIPTION: &str = "dataset.json";
/// The split whose folders are the classes where `dataset.json` names none.
const TRAIN: &str = "train";
/// The label of pixels that have no class where nothing says another.
const IGNORE: u8 = 255;

/// A folder of images and targets, with what its `dataset.json` says.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// What the data set holds for each image: what `dataset.json` says, or else its folders.
    pub kind: TargetKind,
    /// Names of the classes in the order of their labels. Where `dataset.json` names none, they are
    /// those of the folders of the split `train` if each image has a class, or those that come with CIFAR,
    /// and empty otherwise.
    pub classes: Vec<String>,
    /// Whether it is `dataset.json` that names them.
    names_classes: bool,
    /// The label of pixels that have no class, if `dataset.json` says it.
    pub ignore: Option<u8>,
    /// Mean of red, green and blue, white being 1; [`IMAGENET_MEAN`] unless `dataset.json` says otherwise.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue, white being 1; likewise [`IMAGENET_STD`].
    pub std: [f32; 3],
    /// The files of many pictures that it is made of, where it has no folders.
    containers: Option<Containers>,
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
        let names_classes = !classes.is_empty();
        let containers = match target {
            None | Some(TargetKind::Class) => Containers::find(root),
            Some(TargetKind::ClassMap | TargetKind::Image | TargetKind::Vector) => None,
        };
        let kind = match (target, &containers) {
            (Some(kind), _) => kind,
            (None, Some(_)) => TargetKind::Class,
            (None, None) => kind_of_layout(root)?,
        };
        if kind == TargetKind::Class && classes.is_empty() {
            classes = match &containers {
                Some(containers) => containers.class_names()?,
                None => class_names(&root.join(TRAIN))?,
            };
        }
        Ok(Self {
            root: root.to_owned(),
            kind,
            classes,
            names_classes,
            ignore,
            mean: statistics("mean", mean, IMAGENET_MEAN)?,
            std: statistics("std", std, IMAGENET_STD)?,
            containers,
        })
    }

    /// The samples of the split `name`, sorted by stem, or by class and name.
    ///
    /// # Errors
    /// The split or a folder in it is missing or of no class, it holds no image, an image has no
    /// target, or two images have the same one; or a container is damaged.
    pub fn split(&self, name: &str) -> Result<Split, DataError> {
        if let Some(containers) = &self.containers {
            let missing = || DataError::MissingSplit {
                root: self.root.clone(),
                name: name.to_owned(),
                found: containers.split_names(),
            };
            return containers.split(name)?.ok_or_else(missing);
        }
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

    /// Bytes of the containers that were read and stay in memory: those of the splits that were asked for.
    pub fn container_bytes(&self) -> u64 {
        self.containers.as_ref().map_or(0, Containers::bytes)
    }

    /// The files that are not of one sample: `dataset.json`, containers, and those that hold the targets of a
    /// split.
    pub(crate) fn shared_files(&self, splits: &[&str]) -> Vec<PathBuf> {
        let description = Some(self.root.join(DESCRIPTION)).filter(|path| path.exists());
        let of_splits = match &self.containers {
            Some(containers) => containers.of_splits(splits),
            None => {
                let files = splits.iter().map(|name| shared_file(&self.root.join(name), self.kind));
                files.flatten().collect()
            }
        };
        description.into_iter().chain(of_splits).collect()
    }

    /// Whether `dataset.json` says what a task does, where it says anything: how many classes there
    /// are, and which label is ignored, where there is one.
    ///
    /// # Errors
    /// It does not.
    pub fn check_task(&self, classes: usize, ignore: Option<u8>) -> Result<(), DataError> {
        let root = || self.root.clone();
        if self.names_classes && self.classes.len() != classes {
            let named = self.classes.len();
            return Err(DataError::OtherClasses { root: root(), named, classes });
        }
        match (self.ignore, ignore) {
            (Some(said), Some(ignore)) if said != ignore => {
                Err(DataError::OtherIgnore { root: root(), said, ignore })
            }
            _ => Ok(()),
        }
    }

    /// What evaluates a network of `classes` classes on this data set: no change but normalisation.
    /// Set `crop`, `flip` and `scale` for training. Pixels without a class have the label `ignore`; of
    /// whole images there is none, and what it is does not matter.
    pub fn pipeline(&self, classes: usize, ignore: Option<u8>) -> Pipeline {
        Pipeline {
            classes,
            ignore: ignore.or(self.ignore).unwrap_or(IGNORE),
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
    let text =
        nas_files::read_to_string(&path).map_err(|error| DataError::unreadable(&path, error))?;
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
