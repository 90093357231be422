//! The folder of a data set: its description, its splits and their samples.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use serde::Deserialize;

use crate::pipeline::check_statistics;
use crate::random::{Purpose, stream};
use crate::{DataError, Pipeline};

/// Mean of red, green and blue over ImageNet, white being 1: what a data set without its own uses.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of red, green and blue over ImageNet, white being 1.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

const DESCRIPTION: &str = "dataset.json";
const IMAGE_EXTENSIONS: [&str; 3] = ["jpg", "jpeg", "png"];
const IGNORE: u8 = 255;

/// A folder of images and label maps, with what its `dataset.json` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// Names of the classes in the order of their labels; empty where `dataset.json` names none.
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
    classes: Vec<String>,
    ignore: Option<u8>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
}

impl Dataset {
    /// Opens the data set in the folder `root`.
    ///
    /// # Errors
    /// There is no such folder, or its `dataset.json` is bad.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, DataError> {
        let root = root.as_ref();
        if !root.is_dir() {
            return Err(DataError::MissingFolder { path: root.to_owned() });
        }
        let Description { classes, ignore, mean, std } = read_description(root)?;
        Ok(Self {
            root: root.to_owned(),
            classes,
            ignore: ignore.unwrap_or(IGNORE),
            mean: statistics("mean", mean, IMAGENET_MEAN)?,
            std: statistics("std", std, IMAGENET_STD)?,
        })
    }

    /// The samples of the split `name`, sorted by stem.
    ///
    /// # Errors
    /// The split or one of its two folders is missing, it holds no image, an image has no label
    /// map, or two images have the same stem.
    pub fn split(&self, name: &str) -> Result<Split, DataError> {
        let folder = self.root.join(name);
        if !folder.is_dir() {
            let found = self.split_names();
            return Err(DataError::MissingSplit {
                root: self.root.clone(),
                name: name.to_owned(),
                found,
            });
        }
        Split::read(&folder)
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
            let samples = self.split(name)?.samples.into_iter();
            paths.extend(samples.flat_map(|Sample { image, label }| [image, label]));
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

    fn split_names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter(|entry| entry.path().join("images").is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

/// One image and its label map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The image, JPEG or PNG.
    pub image: PathBuf,
    /// The label map, PNG.
    pub label: PathBuf,
}

impl Sample {
    /// The name of the image without folder and extension.
    pub fn stem(&self) -> Cow<'_, str> {
        self.image.file_stem().unwrap_or_default().to_string_lossy()
    }
}

/// A list of samples, sorted by stem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    samples: Vec<Sample>,
}

impl Split {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is no sample, as in a part that [`Split::divide`] gave nothing.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The samples.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The stem of each sample.
    pub fn stems(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.samples.iter().map(Sample::stem)
    }

    /// Two parts without a common sample: `fraction` (0 to 1, rounded to whole samples) of the
    /// samples drawn at random, and the rest. The same seed gives the same parts. Neither part is
    /// empty unless the fraction is 0 or 1 or there is but one sample.
    pub fn divide(&self, fraction: f64, seed: u64) -> (Split, Split) {
        let mut samples = self.samples.clone();
        samples.shuffle(&mut stream(seed, Purpose::Divide));
        let rest = samples.split_off(first_part(self.len(), fraction));
        (Split::sorted(samples), Split::sorted(rest))
    }

    fn read(folder: &Path) -> Result<Self, DataError> {
        let images = list_images(&folder.join("images"))?;
        let labels = existing(folder.join("labels"))?;
        let samples = images.into_iter().map(|image| {
            let mut name = image.file_stem().unwrap_or_default().to_owned();
            name.push(".png");
            Sample { label: labels.join(name), image }
        });
        let split = Split::sorted(samples.collect());
        split.check_labels()?;
        Ok(split)
    }

    fn sorted(mut samples: Vec<Sample>) -> Self {
        samples.sort_by(|a, b| (&a.label, &a.image).cmp(&(&b.label, &b.image)));
        Self { samples }
    }

    fn check_labels(&self) -> Result<(), DataError> {
        for pair in self.samples.windows(2) {
            if let [a, b] = pair
                && a.label == b.label
            {
                return Err(DataError::SharedLabel {
                    first: a.image.clone(),
                    second: b.image.clone(),
                });
            }
        }
        let mut missing = self.samples.iter().filter(|sample| !sample.label.is_file());
        let Some(Sample { image, label }) = missing.next().cloned() else { return Ok(()) };
        Err(DataError::MissingLabel { image, label, others: missing.count() })
    }
}

fn first_part(len: usize, fraction: f64) -> usize {
    let count = (len as f64 * fraction.clamp(0.0, 1.0)).round() as usize;
    if fraction > 0.0 && fraction < 1.0 && len > 1 { count.clamp(1, len - 1) } else { count }
}

fn list_images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let folder = existing(folder.to_owned())?;
    let unreadable = |error| DataError::unreadable(&folder, error);
    let mut images = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_image(&path) {
            images.push(path);
        }
    }
    if images.is_empty() { Err(DataError::NoImages { path: folder }) } else { Ok(images) }
}

/// Whether the name is that of an image; a hidden file is none (macOS writes `._x.jpg` beside `x.jpg`).
fn is_image(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = path.extension().unwrap_or_default();
    !hidden && IMAGE_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn existing(folder: PathBuf) -> Result<PathBuf, DataError> {
    if folder.is_dir() { Ok(folder) } else { Err(DataError::MissingFolder { path: folder }) }
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
