//! The folder of a data set: its description, its splits and their samples.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::containers::Containers;
use crate::error::DataError;
use crate::folder::{class_names, kind_of_layout, read_split, shared_file, split_names};
use crate::normalise::{
    IMAGENET_MEAN, IMAGENET_STD, Normalisation, check_statistics, for_channels,
};
use crate::pipeline::Pipeline;
use crate::resample::Fit;
use crate::sample::Split;
use crate::target::TargetKind;

const DESCRIPTION: &str = "dataset.json";
/// The split whose folders are the classes where `dataset.json` names none.
const TRAIN: &str = "train";
/// The split that may be drawn from `train`.
const VAL: &str = "val";
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
    /// The mean of each channel, or of all, white being 1, if `dataset.json` says it.
    mean: Option<Vec<f32>>,
    /// The standard deviation, likewise.
    std: Option<Vec<f32>>,
    /// The files of many pictures that it is made of, where it has no folders.
    containers: Option<Containers>,
    drawn: Drawn,
}

/// Which images of `train` are used for what. Both draws are the same for every seed, so that runs are scored
/// on the same images.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Drawn {
    /// The share of the images of `train` that are the split `val`, below 1; 0 where the data set has one.
    pub val: f64,
    /// How many of the others are trained on; `None` takes all.
    pub take: Option<usize>,
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
        for (name, given) in [("mean", &mean), ("std", &std)] {
            given.as_deref().map_or(Ok(()), |values| check_statistics(name, values))?;
        }
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
            mean,
            std,
            containers,
            drawn: Drawn::default(),
        })
    }

    /// The same data set, of which these images are used. Of some of the images `train` and `val` consist
    /// from then on.
    ///
    /// # Errors
    /// It has a split `val`, and another is to be drawn; or more images are to be taken than there are.
    pub fn drawn(self, drawn: Drawn) -> Result<Self, DataError> {
        if drawn.val > 0.0 && self.has(VAL) {
            return Err(DataError::HasVal { root: self.root, share: drawn.val });
        }
        let data = Self { drawn, ..self };
        if let Some(take) = drawn.take {
            let (train, _) = data.training()?;
            if take > train.len() {
                return Err(DataError::TakesTooMany { root: data.root, take, images: train.len() });
            }
        }
        Ok(data)
    }

    /// Whether its folder or its containers hold a split of this name.
    fn has(&self, name: &str) -> bool {
        match &self.containers {
            Some(containers) => containers.split_names().iter().any(|split| split == name),
            None => self.root.join(name).is_dir(),
        }
    }

    /// What is trained on before some of it is taken, and what is validated on of it.
    fn training(&self) -> Result<(Split, Split), DataError> {
        let train = self.stored(TRAIN)?;
        if self.drawn.val <= 0.0 {
            return Ok((train, Split::new(Vec::new())));
        }
        let (val, train) = train.hold_out(self.drawn.val);
        Ok((train, val))
    }

    /// The samples of the split `name`, sorted by stem, or by class and name.
    ///
    /// # Errors
    /// The split or a folder in it is missing or of no class, it holds no image, an image has no
    /// target, or two images have the same one; or a container is damaged.
    pub fn split(&self, name: &str) -> Result<Split, DataError> {
        match (name, self.drawn.take) {
            (TRAIN, Some(take)) => Ok(self.training()?.0.take(take)),
            (TRAIN, None) => Ok(self.training()?.0),
            (VAL, _) if self.drawn.val > 0.0 => Ok(self.training()?.1),
            _ => self.stored(name),
        }
    }

    /// The samples that lie in the folder or in the containers of a split.
    fn stored(&self, name: &str) -> Result<Split, DataError> {
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
        let mut stored: Vec<&str> = Vec::new();
        for &name in splits {
            let name = if name == VAL && self.drawn.val > 0.0 { TRAIN } else { name };
            if !stored.contains(&name) {
                stored.push(name);
            }
        }
        let description = Some(self.root.join(DESCRIPTION)).filter(|path| path.exists());
        let of_splits = match &self.containers {
            Some(containers) => containers.of_splits(&stored),
            None => {
                let files = stored.iter().map(|name| shared_file(&self.root.join(name), self.kind));
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

    /// How pictures of so many channels are normalised, 1 or 3: by what `dataset.json` says, where one number
    /// holds for all channels, or else by [`IMAGENET_MEAN`] and [`IMAGENET_STD`], of grey by the mean of the three.
    ///
    /// # Errors
    /// `dataset.json` has numbers for more or fewer channels.
    pub fn normalisation(&self, channels: usize) -> Result<Normalisation, DataError> {
        let mean = for_channels("mean", self.mean.as_deref(), IMAGENET_MEAN, channels)?;
        let std = for_channels("std", self.std.as_deref(), IMAGENET_STD, channels)?;
        Ok(Normalisation { mean, std })
    }

    /// What evaluates a network of `classes` classes on this data set, which sees pictures of so many channels: no
    /// change but normalisation. Set `crop`, `flip` and `scale` for training. Pixels without a class have the label
    /// `ignore`; of whole images there is none, and what it is does not matter.
    ///
    /// # Errors
    /// As [`Dataset::normalisation`].
    pub fn pipeline(
        &self,
        channels: usize,
        classes: usize,
        ignore: Option<u8>,
    ) -> Result<Pipeline, DataError> {
        Ok(Pipeline {
            classes,
            ignore: ignore.or(self.ignore).unwrap_or(IGNORE),
            normalisation: self.normalisation(channels)?,
            resize: None,
            fit: Fit::Stretch,
            scale: None,
            pad: 0,
            crop: None,
            centred: false,
            flip: false,
            jitter: 0.0,
            blur: 0.0,
            cutout: 0,
        })
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
