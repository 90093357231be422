//! The samples of one split, read from its folder: a layout for each kind of targets.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::sample::{Sample, Split};
use crate::table::{self, Cells, Table};
use crate::target::{Target, TargetKind};

/// The folder of the images of a split, unless each class has one.
const IMAGES: &str = "images";
/// The folder of the label maps of a split.
const LABELS: &str = "labels";
/// The folder of the target maps of a split.
const TARGETS: &str = "targets";
/// The table of the vectors of a split.
const VECTORS: &str = "targets.csv";
/// The table of the labels of a split.
const ALL_LABELS: &str = "labels.csv";
/// What files of images end in; the last is no picture, but an array of numbers.
const IMAGE_EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "npy"];

/// How the samples of a split lie in its folder.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    pub(crate) kind: TargetKind,
    /// The names of the classes, or of the columns of tables.
    pub(crate) names: &'a [String],
    /// The inputs that have a folder each, the first in the place of `images`; none of a network with one.
    pub(crate) inputs: &'a [String],
}

impl Layout<'_> {
    /// The samples in the folder of a split.
    ///
    /// # Errors
    /// A folder is missing or of no class, there is no image, an image has no target or lacks one for another input, or two
    /// images have the same stem and hence the same target.
    pub(crate) fn read(self, split: &Path) -> Result<Split, DataError> {
        if self.kind != TargetKind::Class || !self.inputs.is_empty() {
            for folder in self.folders() {
                existing(split.join(folder))?;
            }
        }
        match self.kind {
            TargetKind::ClassMap => self.read_label_maps(split),
            TargetKind::Class => self.read_classes(split),
            TargetKind::Map => self.read_maps(split),
            TargetKind::Labels => self.read_table(split, ALL_LABELS, Cells::Labels),
            TargetKind::Vector => self.read_table(split, VECTORS, Cells::Numbers),
        }
    }

    /// The names of the folders of the images of the inputs, in their order.
    fn folders(&self) -> Vec<&str> {
        match self.inputs {
            [] => vec![IMAGES],
            inputs => inputs.iter().map(String::as_str).collect(),
        }
    }

    /// Images, and for each a PNG of the same stem in the folder `labels`.
    fn read_label_maps(&self, split: &Path) -> Result<Split, DataError> {
        let labels = existing(split.join(LABELS))?;
        self.read_images(split, |image| {
            let mut name = image.file_stem().unwrap_or_default().to_owned();
            name.push(".png");
            let file = labels.join(name);
            if file.is_file() { Ok(Target::ClassMap(file)) } else { Err(file) }
        })
    }

    /// Images, and for each a file of numbers of the same stem in the folder `targets`.
    fn read_maps(&self, split: &Path) -> Result<Split, DataError> {
        let targets = existing(split.join(TARGETS))?;
        let files = by_stem(&targets)?;
        self.read_images(split, |image| {
            let stem = image.file_stem().unwrap_or_default();
            let found = files.get(stem).cloned().map(Target::Map);
            found.ok_or_else(|| targets.join(stem).with_added_extension("png"))
        })
    }

    /// Images, and one table with a row for each.
    fn read_table(&self, split: &Path, table: &str, cells: Cells) -> Result<Split, DataError> {
        let place = split.join(table);
        let table = Table::read(&place, cells)?;
        table.check_names(self.names)?;
        self.read_images(split, |image| {
            table.of(image).map(Target::Vector).ok_or_else(|| place.clone())
        })
    }

    /// A folder of images for each class, in the split, or in the folder of each of its inputs.
    fn read_classes(&self, split: &Path) -> Result<Split, DataError> {
        let mut inputs = self.inputs.iter().map(|input| split.join(input));
        let first = inputs.next().unwrap_or_else(|| split.to_owned());
        let others: Vec<PathBuf> = inputs.collect();
        let mut samples = Vec::new();
        for folder in folders(&first)? {
            let found = name(&folder);
            let mut classes = (0..).zip(self.names);
            let Some(class) = classes.find_map(|(i, name)| (*name == found).then_some(i)) else {
                return Err(DataError::UnknownClass { folder, classes: self.names.to_vec() });
            };
            let others = others.iter().map(|other| existing(other.join(&found)));
            let beside = Beside::in_folders(&others.collect::<Result<Vec<_>, _>>()?)?;
            let images = match beside.0.as_slice() {
                [] => list_images(&folder)?,
                _ => by_stem(&folder)?.into_values().collect(),
            };
            for image in images {
                samples.push(beside.sample(image, Target::Class(class))?);
            }
        }
        if samples.is_empty() {
            return Err(DataError::NoImages { path: first });
        }
        Ok(Split::new(samples))
    }

    /// The samples of images for which `target` finds a target, or tells where it should be; there is at least one.
    fn read_images(
        &self,
        split: &Path,
        target: impl Fn(&Path) -> Result<Target, PathBuf>,
    ) -> Result<Split, DataError> {
        let folders: Vec<PathBuf> =
            self.folders().into_iter().map(|folder| split.join(folder)).collect();
        let Some((first, others)) = folders.split_first() else {
            return Ok(Split::new(Vec::new()));
        };
        let mut images = list_images(first)?;
        images.sort();
        if images.is_empty() {
            return Err(DataError::NoImages { path: first.clone() });
        }
        check_stems(&images, self.kind)?;
        let beside = Beside::in_folders(others)?;
        let (mut samples, mut missing) = (Vec::new(), Vec::new());
        for image in images {
            match target(&image) {
                Ok(target) => samples.push(beside.sample(image, target)?),
                Err(place) => missing.push((image, place)),
            }
        }
        let others = missing.len().saturating_sub(1);
        match missing.into_iter().next() {
            None => Ok(Split::new(samples)),
            Some((image, place)) => {
                let (kind, image) = (self.kind, image.into());
                Err(DataError::MissingLabel { kind, image, place, others })
            }
        }
    }
}

/// The file of a split that holds the targets of all its images.
pub(crate) fn shared_file(split: &Path, kind: TargetKind) -> Option<PathBuf> {
    match kind {
        TargetKind::Vector => Some(split.join(VECTORS)),
        TargetKind::Labels => Some(split.join(ALL_LABELS)),
        TargetKind::ClassMap | TargetKind::Class | TargetKind::Map => None,
    }
}

/// The names of the columns of the table of a split; none where there is no such file.
pub(crate) fn column_names(split: &Path, kind: TargetKind) -> Result<Vec<String>, DataError> {
    match shared_file(split, kind).filter(|table| table.is_file()) {
        Some(table) => table::column_names(&table),
        None => Ok(Vec::new()),
    }
}

/// What the folders of a data set tell of its targets: the kind whose folder or file a split holds, classes if splits hold
/// other folders, and else label maps.
pub(crate) fn kind_of_layout(root: &Path) -> Result<TargetKind, DataError> {
    let mut kind = TargetKind::ClassMap;
    for split in folders(root)? {
        if split.join(LABELS).is_dir() || split.join(ALL_LABELS).is_file() {
            let is_table = !split.join(LABELS).is_dir();
            return Ok(if is_table { TargetKind::Labels } else { TargetKind::ClassMap });
        }
        if split.join(VECTORS).is_file() {
            return Ok(TargetKind::Vector);
        }
        if split.join(TARGETS).is_dir() {
            return Ok(TargetKind::Map);
        }
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
pub(crate) fn split_names(root: &Path, layout: Layout<'_>) -> Result<Vec<String>, DataError> {
    let mut names = Vec::new();
    for split in folders(root)? {
        let is_split = match layout.kind {
            TargetKind::Class if layout.inputs.is_empty() => {
                folders(&split).is_ok_and(|inside| !inside.is_empty())
            }
            TargetKind::Class
            | TargetKind::ClassMap
            | TargetKind::Labels
            | TargetKind::Map
            | TargetKind::Vector => {
                layout.folders().iter().any(|folder| split.join(folder).is_dir())
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

/// No two images have the same stem, and hence the same target.
fn check_stems(images: &[PathBuf], kind: TargetKind) -> Result<(), DataError> {
    let mut stems = BTreeMap::new();
    for image in images {
        if let Some(first) = stems.insert(image.file_stem(), image) {
            let (first, second) = (first.into(), image.into());
            return Err(DataError::SharedLabel { kind, first, second });
        }
    }
    Ok(())
}

/// The images or arrays in a folder by the stems of their names.
fn by_stem(folder: &Path) -> Result<BTreeMap<OsString, PathBuf>, DataError> {
    let mut files = BTreeMap::new();
    for path in list_images(folder)? {
        let stem = path.file_stem().unwrap_or_default().to_owned();
        if let Some(other) = files.insert(stem, path.clone()) {
            let reason = format!("`{}` has the same name without its extension", other.display());
            return Err(DataError::unreadable(path, reason));
        }
    }
    Ok(files)
}

/// The images of the inputs behind the first, by their stems.
struct Beside(Vec<(BTreeMap<OsString, PathBuf>, PathBuf)>);

impl Beside {
    /// Those in a folder for each of these inputs.
    fn in_folders(folders: &[PathBuf]) -> Result<Self, DataError> {
        let of = |folder: &PathBuf| Ok((by_stem(folder)?, folder.clone()));
        folders.iter().map(of).collect::<Result<_, _>>().map(Self)
    }

    /// An image of the first input with those that belong to it.
    fn sample(&self, image: PathBuf, target: Target) -> Result<Sample, DataError> {
        let mut sample = Sample::new(image.clone(), target);
        let stem = image.file_stem().unwrap_or_default();
        for (files, folder) in &self.0 {
            let Some(file) = files.get(stem) else {
                let (image, folder) = (image.into(), folder.clone());
                return Err(DataError::MissingInput { image, folder });
            };
            sample.others.push(file.into());
        }
        Ok(sample)
    }
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
