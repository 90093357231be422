//! The samples of one split, read from its folder: a layout for each kind of targets.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::sample::{Sample, Split};
use crate::target::{Target, TargetKind};

/// The folder of the images of a split, unless each class has one.
const IMAGES: &str = "images";
/// The folder of the label maps of a split.
const LABELS: &str = "labels";
/// The folder of the target images of a split.
const TARGETS: &str = "targets";
/// The file of the vectors of a split: an object with a list of numbers for each stem.
const VECTORS: &str = "targets.json";
const IMAGE_EXTENSIONS: [&str; 7] = ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"];

/// The samples in the folder of a split, whose classes have these names.
///
/// # Errors
/// A folder is missing or of no class, there is no image, an image has no target, or two images have
/// the same stem and hence the same target.
pub(crate) fn read_split(
    split: &Path,
    kind: TargetKind,
    classes: &[String],
) -> Result<Split, DataError> {
    match kind {
        TargetKind::ClassMap => read_pairs(split, kind, LABELS, Target::ClassMap),
        TargetKind::Class => read_classes(split, classes),
        TargetKind::Image => read_pairs(split, kind, TARGETS, Target::Image),
        TargetKind::Vector => read_vectors(split),
    }
}

/// The file of a split that holds the targets of all its images.
pub(crate) fn shared_file(split: &Path, kind: TargetKind) -> Option<PathBuf> {
    match kind {
        TargetKind::Vector => Some(split.join(VECTORS)),
        TargetKind::ClassMap | TargetKind::Class | TargetKind::Image => None,
    }
}

/// What the folders of a data set tell of its targets: they are classes if its splits hold folders,
/// and none of them `images`.
pub(crate) fn kind_of_layout(root: &Path) -> Result<TargetKind, DataError> {
    let mut kind = TargetKind::ClassMap;
    for split in folders(root)? {
        // A folder that cannot be read is no split.
        let inside = folders(&split).unwrap_or_default();
        if inside.iter().any(|folder| folder.ends_with(IMAGES)) {
            return Ok(TargetKind::ClassMap);
        }
        if !inside.is_empty() {
            kind = TargetKind::Class;
        }
    }
    Ok(kind)
}

/// The names of the splits of a data set, sorted.
pub(crate) fn split_names(root: &Path, kind: TargetKind) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for split in folders(root)? {
        let is_split = match kind {
            TargetKind::Class => folders(&split).is_ok_and(|inside| !inside.is_empty()),
            TargetKind::ClassMap | TargetKind::Image | TargetKind::Vector => {
                split.join(IMAGES).is_dir()
            }
        };
        if is_split {
            names.push(name(&split));
        }
    }
    Ok(names)
}

/// The names of the classes that have a folder in a split, sorted; none where there is no such split.
pub(crate) fn class_names(split: &Path) -> Result<Vec<String>, DataError> {
    if !split.is_dir() {
        return Ok(Vec::new());
    }
    Ok(folders(split)?.iter().map(|folder| name(folder)).collect())
}

/// Images, and for each a PNG of the same stem in the folder `targets`.
fn read_pairs(
    split: &Path,
    kind: TargetKind,
    targets: &str,
    target: fn(PathBuf) -> Target,
) -> Result<Split, DataError> {
    let images = read_images(split)?;
    let targets = existing(split.join(targets))?;
    let samples = images.into_iter().map(|image| {
        let mut name = image.file_stem().unwrap_or_default().to_owned();
        name.push(".png");
        Sample { target: target(targets.join(name)), image: image.into() }
    });
    let split = Split::new(samples.collect());
    check_pairs(&split, kind)?;
    Ok(split)
}

/// Each image has a file of its own as its target.
fn check_pairs(split: &Split, kind: TargetKind) -> Result<(), DataError> {
    for pair in split.samples().windows(2) {
        if let [a, b] = pair
            && a.target == b.target
        {
            let (first, second) = (a.image.clone(), b.image.clone());
            return Err(DataError::SharedLabel { kind, first, second });
        }
    }
    let files = split.samples().iter().filter_map(|s| Some((&s.image, s.target.file()?)));
    let mut missing = files.filter(|(_, file)| !file.is_file());
    let Some((image, place)) = missing.next() else { return Ok(()) };
    let (image, place) = (image.clone(), place.to_owned());
    Err(DataError::MissingLabel { kind, image, place, others: missing.count() })
}

/// A folder of images for each class.
fn read_classes(split: &Path, classes: &[String]) -> Result<Split, DataError> {
    let mut samples = Vec::new();
    for folder in folders(split)? {
        let found = name(&folder);
        let Some(class) = (0..).zip(classes).find_map(|(i, name)| (*name == found).then_some(i))
        else {
            return Err(DataError::UnknownClass { folder, classes: classes.to_vec() });
        };
        let images = list_images(&folder)?.into_iter();
        samples.extend(
            images.map(|image| Sample { image: image.into(), target: Target::Class(class) }),
        );
    }
    if samples.is_empty() {
        return Err(DataError::NoImages { path: split.to_owned() });
    }
    Ok(Split::new(samples))
}

/// Images, and one file with a list of numbers for the stem of each.
fn read_vectors(split: &Path) -> Result<Split, DataError> {
    let images = read_images(split)?;
    let place = split.join(VECTORS);
    let unreadable = |error: &dyn std::fmt::Display| DataError::unreadable(&place, error);
    let text = nas_files::read_to_string(&place).map_err(|error| unreadable(&error))?;
    let mut vectors: BTreeMap<String, Vec<f32>> =
        serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    let (mut samples, mut missing) = (Vec::new(), Vec::new());
    for image in images {
        let stem = image.file_stem().unwrap_or_default().to_string_lossy();
        match vectors.remove(stem.as_ref()) {
            Some(vector) => {
                samples.push(Sample { target: Target::Vector(vector.into()), image: image.into() })
            }
            None => missing.push(image),
        }
    }
    missing.sort();
    let others = missing.len().saturating_sub(1);
    match missing.into_iter().next() {
        None => Ok(Split::new(samples)),
        Some(image) => {
            let (kind, image) = (TargetKind::Vector, image.into());
            Err(DataError::MissingLabel { kind, image, place, others })
        }
    }
}

/// The images of a split where all are in one folder; there is at least one.
fn read_images(split: &Path) -> Result<Vec<PathBuf>, DataError> {
    let folder = existing(split.join(IMAGES))?;
    let images = list_images(&folder)?;
    if images.is_empty() { Err(DataError::NoImages { path: folder }) } else { Ok(images) }
}

fn list_images(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    Ok(entries(folder)?.into_iter().filter(|path| is_image(path)).collect())
}

/// Whether the name is that of an image; a hidden file is none (macOS writes `._x.jpg` beside `x.jpg`).
fn is_image(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    !is_hidden(path) && IMAGE_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The folders in a folder but the hidden ones, sorted.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir() && !is_hidden(path));
    folders.sort();
    Ok(folders)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |error| DataError::unreadable(folder, error);
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    entries.map(|entry| Ok(entry.map_err(unreadable)?.path())).collect()
}

fn existing(folder: PathBuf) -> Result<PathBuf, DataError> {
    if folder.is_dir() { Ok(folder) } else { Err(DataError::MissingFolder { path: folder }) }
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
