//! The folder of a data set: its description, its splits and their samples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::containers::Containers;
use crate::error::DataError;
use crate::folder::{Layout, class_names, column_names, kind_of_layout, shared_file, split_names};
use crate::input::Input;
use crate::map::MapFormat;
use crate::moves::Moves;
use crate::normalise::{
    IMAGENET_MEAN, IMAGENET_STD, Normalisation, check_scale, check_statistics, check_units,
    for_channels,
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
/// The split that may be missing.
const TEST: &str = "test";
/// The label of pixels that have no class where nothing says another.
const IGNORE: u8 = 255;

/// A folder of images and targets, with what its `dataset.json` says.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// What the data set holds for each image: what `dataset.json` says, or else its folders.
    pub kind: TargetKind,
    /// Names of the classes in the order of their labels, or of the numbers of a vector. Where `dataset.json` names none,
    /// they are those of the folders of the split `train` if each image has a class, those of the columns of its table if
    /// it has one, or those that come with CIFAR, and empty otherwise.
    pub classes: Vec<String>,
    /// Whether it is `dataset.json` that names them.
    names_classes: bool,
    /// The names of the inputs of the network, each of which has a folder in a split; none of a network with one input.
    inputs: Vec<String>,
    /// What `dataset.json` says of inputs.
    described: BTreeMap<String, InputDescription>,
    /// What is stored in target maps.
    pub map: MapFormat,
    /// What becomes of vectors.
    moves: Moves,
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
    map: MapFormat,
    vector: Option<Moves>,
    inputs: BTreeMap<String, InputDescription>,
}

/// What `dataset.json` says of the images of an input.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct InputDescription {
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
    scale: Option<f32>,
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
        let Description { target, mut classes, ignore, mean, std, map, vector, inputs } =
            read_description(root)?;
        for (name, given) in [("mean", &mean), ("std", &std)] {
            given.as_deref().map_or(Ok(()), |values| check_statistics(name, values))?;
        }
        check_scale("scale` of `map", map.scale, false)?;
        check_scale("peak` of `map", map.peak, true)?;
        for input in inputs.values() {
            check_scale("scale` of `inputs", input.scale, false)?;
        }
        let names_classes = !classes.is_empty();
        let containers = match target {
            None | Some(TargetKind::Class) => Containers::find(root),
            Some(_) => None,
        };
        let kind = match (target, &containers) {
            (Some(kind), _) => kind,
            (None, Some(_)) => TargetKind::Class,
            (None, None) => kind_of_layout(root)?,
        };
        if classes.is_empty() {
            let train = root.join(TRAIN);
            classes = match (kind, &containers) {
                (TargetKind::Class, Some(containers)) => containers.class_names()?,
                (TargetKind::Class, None) => class_names(&train)?,
                (TargetKind::Labels | TargetKind::Vector, _) => column_names(&train, kind)?,
                (TargetKind::ClassMap | TargetKind::Map, _) => Vec::new(),
            };
        }
        let moves = match kind {
            TargetKind::Vector => vector.unwrap_or_default(),
            // Whatever is seen of an image, its labels are the same; other targets do not read this.
            TargetKind::Labels | TargetKind::ClassMap | TargetKind::Class | TargetKind::Map => {
                Moves::Whole {}
            }
        };
        Ok(Self {
            root: root.to_owned(),
            kind,
            classes,
            names_classes,
            inputs: Vec::new(),
            described: inputs,
            map,
            moves,
            ignore,
            mean,
            std,
            containers,
            drawn: Drawn::default(),
        })
    }

    /// The same data set for a network with inputs of these names. Where there are several, the images of each lie in a
    /// folder of its name, in the place of `images`, or around the folders of the classes.
    ///
    /// # Errors
    /// There are several inputs, and it is in files of many images, which hold one. Or it describes an input that
    /// neither the network has nor the images; or a folder cannot be read.
    pub fn with_inputs(self, names: &[String]) -> Result<Self, DataError> {
        let has_images = |name: &String| self.root.join(TRAIN).join(name).is_dir();
        let mut described = self.described.keys();
        if let Some(name) = described.find(|name| !names.contains(name) && !has_images(name)) {
            let (name, inputs) = (name.clone(), names.to_vec());
            return Err(DataError::UnknownInput { root: self.root, name, inputs });
        }
        if names.len() < 2 {
            return Ok(self);
        }
        if self.containers.is_some() {
            return Err(DataError::OneInput { root: self.root, inputs: names.to_vec() });
        }
        let classes = match (self.kind, names.first()) {
            (TargetKind::Class, Some(first)) if !self.names_classes => {
                class_names(&self.root.join(TRAIN).join(first))?
            }
            _ => self.classes,
        };
        Ok(Self { inputs: names.to_vec(), classes, ..self })
    }

    fn layout(&self) -> Layout<'_> {
        Layout { kind: self.kind, names: &self.classes, inputs: &self.inputs }
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

    /// The splits that a run reads: `train`, `val`, and `test` where there is one.
    pub fn splits(&self) -> Vec<&'static str> {
        let test = self.has(TEST).then_some(TEST);
        [TRAIN, VAL].into_iter().chain(test).collect()
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
                found: split_names(&self.root, self.layout())?,
            });
        }
        self.layout().read(&folder)
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

    /// Whether the data set says what a task does, where it says anything: how many classes there are, or numbers of an
    /// image, and which label is ignored, where there is one.
    ///
    /// # Errors
    /// It does not.
    pub fn check_task(&self, classes: usize, ignore: Option<u8>) -> Result<(), DataError> {
        let root = || self.root.clone();
        let (named, is_table) = (self.classes.len(), self.is_table());
        if is_table && named != classes {
            let names = self.classes.clone();
            return Err(DataError::OtherNumbers { root: root(), names, wanted: classes });
        }
        if self.names_classes && named != classes {
            return Err(DataError::OtherClasses { root: root(), named, classes });
        }
        let is_of_folders = self.kind == TargetKind::Class && self.containers.is_none();
        if is_of_folders && named > classes {
            let folders = self.classes.clone();
            return Err(DataError::ClassFolders { root: root(), folders, classes });
        }
        match (self.ignore, ignore) {
            (Some(said), Some(ignore)) if said != ignore => {
                Err(DataError::OtherIgnore { root: root(), said, ignore })
            }
            _ => Ok(()),
        }
    }

    /// Whether its targets are rows of tables.
    fn is_table(&self) -> bool {
        matches!(self.kind, TargetKind::Labels | TargetKind::Vector)
    }

    /// How pictures of so many channels are normalised: by what `dataset.json` says, where one number
    /// holds for all channels, or else by [`IMAGENET_MEAN`] and [`IMAGENET_STD`], of other channels than three by the mean
    /// of the three.
    ///
    /// # Errors
    /// `dataset.json` has numbers for more or fewer channels.
    pub fn normalisation(&self, channels: usize) -> Result<Normalisation, DataError> {
        let mean = for_channels("mean", self.mean.as_deref(), IMAGENET_MEAN, channels)?;
        let std = for_channels("std", self.std.as_deref(), IMAGENET_STD, channels)?;
        Ok(Normalisation { mean, std })
    }

    /// How the images of an input are read: by what `dataset.json` says of it by its name, of the only one also without
    /// its name, and else as [`Dataset::normalisation`].
    ///
    /// # Errors
    /// `dataset.json` has numbers for more or fewer channels, or such as no images have.
    pub fn input(&self, name: &str, channels: usize) -> Result<Input, DataError> {
        let InputDescription { mean, std, scale } =
            self.described.get(name).cloned().unwrap_or_default();
        let mut normalisation = self.normalisation(channels)?;
        if mean.is_some() {
            normalisation.mean = for_channels("mean", mean.as_deref(), IMAGENET_MEAN, channels)?;
        }
        if std.is_some() {
            normalisation.std = for_channels("std", std.as_deref(), IMAGENET_STD, channels)?;
        }
        check_units(&normalisation)?;
        Ok(Input { normalisation, scale })
    }

    /// What evaluates a network of `classes` classes on this data set, which sees pictures of so many channels: no
    /// change but normalisation. Set `crop`, `flip` and `scale` for training. Pixels without a class have the label
    /// `ignore`; of whole images there is none, and what it is does not matter. Target maps have one value for each pixel of
    /// the image.
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
            inputs: vec![Input { normalisation: self.normalisation(channels)?, scale: None }],
            values: 1,
            times: 1,
            map: self.map,
            moves: self.moves.clone(),
            resize: None,
            fit: Fit::Stretch,
            scale: None,
            pad: 0,
            crop: None,
            centred: false,
            flip: false,
            operations: 0,
            magnitude: 0,
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
