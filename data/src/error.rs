//! What can be wrong with a data set or with the settings that read it.

use std::path::{Path, PathBuf};

use miette::{Diagnostic, NamedSource, SourceOffset, SourceSpan};
use thiserror::Error;

use crate::place::Place;
use crate::size::Size;
use crate::target::TargetKind;

/// A fault in a data set, or in the settings that read it. Each variant has its own code.
#[derive(Debug, Error, Diagnostic)]
pub enum DataError {
    /// A folder of the layout is not there.
    #[error("no folder `{}`", path.display())]
    #[diagnostic(
        code(nas::data::missing_folder),
        help(
            "a data set is ROOT/train/images/*.jpg with ROOT/train/labels/*.png, or ROOT/train/CLASS/*.jpg for classes of whole images, and the same for val and test"
        )
    )]
    MissingFolder {
        /// The folder that was looked for.
        path: PathBuf,
    },

    /// The data set has no split of this name.
    #[error("no split `{name}` in `{}`", root.display())]
    #[diagnostic(code(nas::data::missing_split), help("{}{}", splits_help(found), val_help(name)))]
    MissingSplit {
        /// The root of the data set.
        root: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The splits that are there.
        found: Vec<String>,
    },

    /// A split `val` is to be drawn, and there is one.
    #[error("`val` of `data` is {share}, but `{}` has a split `val`", root.display())]
    #[diagnostic(
        code(nas::data::has_val),
        help(
            "take `val` out of `data`, or move the folder away: it draws validation images from `train` where there are none"
        )
    )]
    HasVal {
        /// The folder of the data set.
        root: PathBuf,
        /// The share that is to be drawn.
        share: f64,
    },

    /// More images are to be trained on than there are.
    #[error("`take` of `data` is {take}, but `train` of `{}` has {images} images to train on", root.display())]
    #[diagnostic(
        code(nas::data::takes_too_many),
        help("take `take` out of `data` to train on all images, or make it smaller")
    )]
    TakesTooMany {
        /// The folder of the data set.
        root: PathBuf,
        /// How many are to be taken.
        take: usize,
        /// How many there are, without those that are validated on.
        images: usize,
    },

    /// A split holds no image.
    #[error("no images in `{}`", path.display())]
    #[diagnostic(
        code(nas::data::no_images),
        help("images are files that end in .jpg, .jpeg, .png, .bmp, .tif, .tiff, .webp or .npy")
    )]
    NoImages {
        /// The folder without images.
        path: PathBuf,
    },

    /// A part of a split is too small for the batches asked of it.
    #[error("{images} images{} do not fill one batch of {batch}", of.whose())]
    #[diagnostic(code(nas::data::too_few_images), help("{}", of.help()))]
    TooFewImages {
        /// Images in the split, or in its part.
        images: usize,
        /// Images in a batch.
        batch: usize,
        /// What the batch is for.
        of: BatchOf,
    },

    /// An image has no target.
    #[error("no {kind} for image {image}{}", and_more(*others))]
    #[diagnostic(code(nas::data::missing_label), help("put it at `{}`, or remove the image", place.display()))]
    MissingLabel {
        /// What is missing.
        kind: TargetKind,
        /// The first image without one.
        image: Place,
        /// The file that should be, or hold, its target.
        place: PathBuf,
        /// How many more images of the split have none.
        others: usize,
    },

    /// Two images of a split have the same stem, hence the same target.
    #[error("{first} and {second} have the same {kind}")]
    #[diagnostic(code(nas::data::shared_label), help("remove or rename one of the two images"))]
    SharedLabel {
        /// What they have in common.
        kind: TargetKind,
        /// The first of the images.
        first: Place,
        /// The second of the images.
        second: Place,
    },

    /// The folder of a class is none of the classes of the data set.
    #[error("`{}` is the folder of no class", folder.display())]
    #[diagnostic(code(nas::data::unknown_class), help("{}", classes_help(classes)))]
    UnknownClass {
        /// The folder.
        folder: PathBuf,
        /// The names of the classes.
        classes: Vec<String>,
    },

    /// A file or folder cannot be read or decoded.
    #[error("cannot read {place}: {reason}")]
    #[diagnostic(
        code(nas::data::unreadable),
        help(
            "replace or remove this file; images are JPEG, PNG, BMP, TIFF, WebP or `.npy`, label maps PNG, target maps as images, tables CSV"
        )
    )]
    Unreadable {
        /// The file or folder, or the picture in a file of many.
        place: Place,
        /// The words of the decoder or of the operating system.
        reason: String,
    },

    /// A file of many pictures, or of their labels, is not what its name says.
    #[error("`{}` is damaged: {reason}", path.display())]
    #[diagnostic(
        code(nas::data::bad_container),
        help(
            "fetch this file again: IDX files and CIFAR batches are read as they are published, IDX files also in gzip, with a name that ends in .gz"
        )
    )]
    BadContainer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file of pictures and the file of their labels do not belong together.
    #[error("`{}` has {count} pictures, but `{}` has {of} labels", images.display(), labels.display())]
    #[diagnostic(
        code(nas::data::other_count),
        help("the two files belong to different data sets or splits: fetch both again")
    )]
    OtherCount {
        /// The file of the pictures.
        images: PathBuf,
        /// How many there are.
        count: u32,
        /// The file of the labels.
        labels: PathBuf,
        /// How many there are.
        of: u32,
    },

    /// An image has none for another input of the network.
    #[error("no image in `{}` for image {image}", folder.display())]
    #[diagnostic(
        code(nas::data::missing_input),
        help("put one of the same name there: each input of the space has a folder of its images")
    )]
    MissingInput {
        /// The image of the first input.
        image: Place,
        /// The folder of the other input.
        folder: PathBuf,
    },

    /// The images of two inputs differ in size.
    #[error("{image} is {size}, but {other} is {found}")]
    #[diagnostic(
        code(nas::data::other_input_size),
        help("bring the images of all inputs to one size: they are cropped together")
    )]
    OtherInputSize {
        /// The image of the first input.
        image: Place,
        /// Its size.
        size: Size,
        /// That of the other one.
        other: Place,
        /// Its size.
        found: Size,
    },

    /// Files of many images, for several inputs.
    #[error("the files of `{}` hold images of one input, and the network has the inputs {}", root.display(), inputs.join(", "))]
    #[diagnostic(
        code(nas::data::one_input),
        help(
            "write the images into folders: `train/INPUT/CLASS/0001.png`, those that belong together under one name"
        )
    )]
    OneInput {
        /// The folder of the data set.
        root: PathBuf,
        /// The names of the inputs.
        inputs: Vec<String>,
    },

    /// A file of numbers has other channels than are wanted.
    #[error("`{}` has {}, and {wanted} {} wanted", path.display(), channels_counted(*found), if *wanted == 1 { "is" } else { "are" })]
    #[diagnostic(
        code(nas::data::channels),
        help(
            "an image has the channels of its input, a target map those of the output of the space: set them to {found}, or write other files"
        )
    )]
    Channels {
        /// The file.
        path: PathBuf,
        /// How many it has.
        found: usize,
        /// How many are wanted.
        wanted: usize,
    },

    /// A table of targets is none.
    #[error("bad table `{}`, line {line}: {reason}", path.display())]
    #[diagnostic(
        code(nas::data::bad_table),
        help(
            "a table is CSV: a header, `image,NAME,…`, then a row for each image, its name first; what is not known is left empty"
        )
    )]
    BadTable {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },

    /// The columns of the table of a split are not those of `train`.
    #[error("the columns of `{}` are {}, and not {}", path.display(), few(found), few(wanted))]
    #[diagnostic(
        code(nas::data::other_columns),
        help(
            "give the tables of all splits the same columns, in the same order, as `classes` in `dataset.json` if it is there"
        )
    )]
    OtherColumns {
        /// The file.
        path: PathBuf,
        /// What they are called.
        found: Vec<String>,
        /// What they should be called.
        wanted: Vec<String>,
    },

    /// A table has another number of columns than the task has numbers.
    #[error("each image in `{}` has {} {}, {}, but the task has {wanted}", root.display(), names.len(), if names.len() == 1 { "number" } else { "numbers" }, few(names))]
    #[diagnostic(
        code(nas::data::other_numbers),
        help("set the number of the task to {}, or leave columns out of the tables", names.len())
    )]
    OtherNumbers {
        /// The folder of the data set.
        root: PathBuf,
        /// What the columns are called.
        names: Vec<String>,
        /// How many the task has.
        wanted: usize,
    },

    /// Images are moved, and nobody knows what becomes of their numbers.
    #[error("images are {what}, and it is not known what their numbers become")]
    #[diagnostic(
        code(nas::data::numbers_move),
        help(
            "write `flip = false` in `data` of the recipe, and nothing else that moves images; or say in `dataset.json` what the numbers are: `\"vector\": {{\"numbers\": \"whole\"}}` if they are the same for a part of an image and for its mirror image, `\"vector\": {{\"numbers\": \"positions\", \"swap\": [[0, 1]]}}` if they are places in it, x and y in turns, of which those trade their names in a mirror image"
        )
    )]
    NumbersMove {
        /// What is done to images.
        what: &'static str,
    },

    /// Numbers cannot be positions as `dataset.json` says.
    #[error("the numbers of the images cannot be positions: {reason}")]
    #[diagnostic(
        code(nas::data::bad_positions),
        help(
            "positions are x and y in turns, as shares of the width and height of the image; `swap` has pairs of them, counted from 0"
        )
    )]
    BadPositions {
        /// Why not.
        reason: String,
    },

    /// No number of the targets of a split is known.
    #[error("no value of a target of `{split}` is known")]
    #[diagnostic(
        code(nas::data::no_values),
        help(
            "see that `invalid` of `map` in `dataset.json` is the number that marks pixels without a value, and that the cells of tables are filled in"
        )
    )]
    NoValues {
        /// The split.
        split: String,
    },

    /// A label map is not one channel of at most 8 bits.
    #[error("label map `{}` is {found}, not one byte per pixel", path.display())]
    #[diagnostic(
        code(nas::data::label_format),
        help(
            "save it as a grey or palette PNG of at most 8 bits, where the value (or palette index) of a pixel is its class"
        )
    )]
    LabelFormat {
        /// The label map.
        path: PathBuf,
        /// What the file is.
        found: String,
    },

    /// An image differs in size from the map or image that is its target.
    #[error("{image} is {image_size}, but its {kind} is {target_size}")]
    #[diagnostic(
        code(nas::data::size_mismatch),
        help("resize `{}` to {}{}, or pair the image with its own {kind}", target.display(), wanted_size(*kind), way_to_resize(*kind))
    )]
    SizeMismatch {
        /// The image.
        image: Place,
        /// Its size.
        image_size: Size,
        /// What its target is.
        kind: TargetKind,
        /// The file of the target.
        target: PathBuf,
        /// Its size.
        target_size: Size,
    },

    /// A label map holds a value that is no class.
    #[error("label {value} in `{}` (row {row}, column {column}), but there are {classes} classes", path.display())]
    #[diagnostic(
        code(nas::data::label_out_of_range),
        help("if {value} marks pixels without a class, set `ignore` to {value}; otherwise set `classes` to {} or more", usize::from(*value) + 1)
    )]
    LabelOutOfRange {
        /// The label map.
        path: PathBuf,
        /// The value.
        value: u8,
        /// Row of the first pixel that has it, from 0.
        row: usize,
        /// Column of the first pixel that has it, from 0.
        column: usize,
        /// Number of classes; labels run from 0 to `classes - 1`.
        classes: usize,
    },

    /// No pixel of a split has a class.
    #[error("no pixel of `{split}` has a class: all are ignored")]
    #[diagnostic(
        code(nas::data::no_labels),
        help(
            "see that `ignore` of the task is the label that marks pixels without a class, and that the label maps are those of the images"
        )
    )]
    NoLabels {
        /// The split.
        split: String,
    },

    /// `dataset.json` names more or fewer classes than the task has.
    #[error("`dataset.json` in `{}` names {}, but the task has {classes}", root.display(), named_classes(*named))]
    #[diagnostic(
        code(nas::data::other_classes),
        help(
            "name each class once, in the order of the labels, or set `classes` of the task to {named}"
        )
    )]
    OtherClasses {
        /// The folder of the data set.
        root: PathBuf,
        /// How many it names.
        named: usize,
        /// How many the task has.
        classes: usize,
    },

    /// There are more folders of classes than the task has classes.
    #[error("`train` in `{}` has {} folders of classes, {}, but the task has {classes} classes", root.display(), folders.len(), few(folders))]
    #[diagnostic(
        code(nas::data::class_folders),
        help("each folder is a class: move those away that are none, or set `classes` of the task to {}", folders.len())
    )]
    ClassFolders {
        /// The folder of the data set.
        root: PathBuf,
        /// The names of the folders.
        folders: Vec<String>,
        /// How many classes the task has.
        classes: usize,
    },

    /// `dataset.json` ignores another label than the task does.
    #[error("`dataset.json` in `{}` ignores the label {said}, but the task ignores {ignore}", root.display())]
    #[diagnostic(
        code(nas::data::other_ignore),
        help("write `ignore = {said}` in the task, or take `ignore` out of `dataset.json`")
    )]
    OtherIgnore {
        /// The folder of the data set.
        root: PathBuf,
        /// The label that it ignores.
        said: u8,
        /// The label that the task ignores.
        ignore: u8,
    },

    /// The class of an image is not among those of the network.
    #[error("{image} is of class {class}, counted from 0, but there are {classes} classes")]
    #[diagnostic(
        code(nas::data::class_out_of_range),
        help("set `classes` to {} or more, or leave out the images of this class", class + 1)
    )]
    ClassOutOfRange {
        /// The image.
        image: Place,
        /// Its class.
        class: u32,
        /// Number of classes; they run from 0 to `classes - 1`.
        classes: usize,
    },

    /// A crop would be mostly padding.
    #[error(
        "a crop {crop} is too large for {image}, which is {image_size} even at the largest scale"
    )]
    #[diagnostic(
        code(nas::data::crop_too_large),
        help(
            "less than a quarter of the crop would be image: make the crop smaller, or raise the scale"
        )
    )]
    CropTooLarge {
        /// The crop.
        crop: Size,
        /// The image.
        image: Place,
        /// Its size after resizing and the largest scale.
        image_size: Size,
    },

    /// Images of different sizes meet in one batch.
    #[error("{image} is {found}, but its batch is {expected}")]
    #[diagnostic(
        code(nas::data::mixed_sizes),
        help("the images of a batch have one size: set `resize` or `crop`")
    )]
    MixedSizes {
        /// The first image that differs.
        image: Place,
        /// The size of the batch.
        expected: Size,
        /// The size of this image.
        found: Size,
    },

    /// Targets of different kinds, or vectors of different lengths, meet in one batch.
    #[error("{image} has {found}, but its batch has {expected}")]
    #[diagnostic(
        code(nas::data::mixed_targets),
        help("the targets of a split are all of one kind, and its vectors of one length")
    )]
    MixedTargets {
        /// The first image that differs.
        image: Place,
        /// What the images before it have.
        expected: String,
        /// What it has.
        found: String,
    },

    /// A size of the pipeline has no pixels.
    #[error("`{setting}` is {size}")]
    #[diagnostic(
        code(nas::data::empty_size),
        help("give `{setting}` a height and a width of at least 1")
    )]
    EmptySize {
        /// `resize` or `crop`.
        setting: &'static str,
        /// Its value.
        size: Size,
    },

    /// The range of the random scale is no range of positive factors.
    #[error("`scale` is {low}..{high}")]
    #[diagnostic(
        code(nas::data::bad_scale),
        help("give two factors above 0, the smaller first, as in 0.5..2.0")
    )]
    BadScale {
        /// The lower end.
        low: f32,
        /// The upper end.
        high: f32,
    },

    /// What is put around pictures would fill the window.
    #[error("`pad` is {pad}, but the crop is {window}")]
    #[diagnostic(
        code(nas::data::pad_too_large),
        help("make `pad` less than half of the height and the width of the crop")
    )]
    PadTooLarge {
        /// Pixels on each side.
        pad: u32,
        /// The window.
        window: Size,
    },

    /// The strength of an augmentation is out of its range.
    #[error("`{setting}` is {value}")]
    #[diagnostic(
        code(nas::data::bad_strength),
        help("give `{setting}` a number from 0, which is off, to {most}")
    )]
    BadStrength {
        /// `jitter` or `blur`.
        setting: &'static str,
        /// Its value.
        value: f32,
        /// The most that it may be.
        most: f32,
    },

    /// The mean or the standard deviation cannot normalise an image.
    #[error("`{name}` is {found:?}")]
    #[diagnostic(
        code(nas::data::bad_statistics),
        help(
            "give a number for each channel, or one for all, where white is 1 (not 255): `mean` from 0 to 1, `std` above 0 and at most 1; for numbers in another unit they stand with a `scale` in `inputs`"
        )
    )]
    BadStatistics {
        /// `mean` or `std`.
        name: &'static str,
        /// Its value.
        found: Vec<f32>,
    },

    /// `dataset.json` describes an input that there is not.
    #[error("`inputs` in `dataset.json` of `{}` describes `{name}`, and there is no such input", root.display())]
    #[diagnostic(
        code(nas::data::unknown_input),
        help("the inputs of the network are {}, and no folder of images in `train` is called so", inputs.join(", "))
    )]
    UnknownInput {
        /// The folder of the data set.
        root: PathBuf,
        /// What is described.
        name: String,
        /// The inputs of the network.
        inputs: Vec<String>,
    },

    /// A factor of `dataset.json` that makes nothing of what it multiplies.
    #[error("`{name}` in `dataset.json` is {found}")]
    #[diagnostic(
        code(nas::data::bad_factor),
        help(
            "write what one step of a stored number is worth, as `scale`, or the largest value that there can be, as `peak`: a number other than 0"
        )
    )]
    BadFactor {
        /// What it is, without the outer backticks.
        name: &'static str,
        /// Its value.
        found: f32,
    },

    /// `dataset.json` has statistics of other channels than the network sees.
    #[error("`{name}` in `dataset.json` has {numbers} numbers, but the input of the network has {}", channels_counted(*channels))]
    #[diagnostic(
        code(nas::data::other_channels),
        help(
            "give `{name}` one number, which holds for every channel, or as many as the input has channels"
        )
    )]
    OtherChannels {
        /// `mean` or `std`.
        name: &'static str,
        /// How many it has.
        numbers: usize,
        /// How many channels there are.
        channels: usize,
    },

    /// `dataset.json` is no description of a data set.
    #[error(transparent)]
    #[diagnostic(transparent)]
    DatasetJson(Box<DatasetJsonError>),

    /// A worker thread ended before its work was done.
    #[error("a thread that reads images ended early")]
    #[diagnostic(
        code(nas::internal::data_worker),
        help("this is a fault of nasc: please report it with the output above")
    )]
    WorkerLost,
}

/// What a batch is for: which setting says how large it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOf {
    /// A split as it is.
    Split,
    /// A search whose weights learn on all images.
    Search,
    /// The weights in a search whose choices learn too.
    Weights,
    /// The choices in a search.
    Choices,
    /// A retraining.
    Retrain,
}

impl BatchOf {
    fn whose(self) -> &'static str {
        match self {
            Self::Split => "",
            Self::Search => " for the search",
            Self::Weights => " for the weights of the search",
            Self::Choices => " for the choices of the search",
            Self::Retrain => " for the retraining",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Split => "make the batch smaller, or add images",
            Self::Search => "make `data.batch` smaller, or add images to `train`",
            Self::Weights => {
                "make `data.batch` smaller, or `schedule.split`, the share of the images that the weights learn on, larger"
            }
            Self::Choices => {
                "make `data.batch` smaller, or `schedule.split`, the share of the images that the choices do not learn on, smaller"
            }
            Self::Retrain => "make `retrain.batch` smaller, or add images to `train`",
        }
    }
}

/// `dataset.json` is no description of a data set.
#[derive(Debug, Error, Diagnostic)]
#[error("bad dataset.json: {reason}")]
#[diagnostic(
    code(nas::data::bad_dataset_json),
    help(
        "the fields are target: \"class_map\", \"class\", \"labels\", \"map\" or \"vector\", classes: [\"water\", …], ignore: 0 to 255, mean: [r, g, b] and std: [r, g, b], or [grey], map: {{\"scale\": …, \"invalid\": …, \"resample\": \"linear\" or \"nearest\", \"peak\": …}}, vector: {{\"numbers\": \"whole\" or \"positions\", \"swap\": [[0, 1]]}} and inputs: {{\"depth\": {{\"mean\": …, \"std\": …, \"scale\": …}}}}, all optional"
    )
)]
pub struct DatasetJsonError {
    /// What is wrong, with line and column.
    pub reason: String,
    #[source_code]
    source_code: NamedSource<String>,
    #[label("here")]
    at: SourceSpan,
}

impl DataError {
    pub(crate) fn unreadable(place: impl Into<Place>, reason: impl ToString) -> Self {
        Self::Unreadable { place: place.into(), reason: reason.to_string() }
    }

    pub(crate) fn damaged(path: &Path, reason: String) -> Self {
        Self::BadContainer { path: path.to_owned(), reason }
    }

    pub(crate) fn dataset_json(path: PathBuf, text: String, error: &serde_json::Error) -> Self {
        let offset = SourceOffset::from_location(&text, error.line(), error.column());
        Self::DatasetJson(Box::new(DatasetJsonError {
            reason: error.to_string(),
            at: SourceSpan::new(offset, 0),
            source_code: NamedSource::new(path.display().to_string(), text),
        }))
    }
}

fn splits_help(found: &[String]) -> String {
    match found {
        [] => "a split is a folder that holds `images` and `labels`, or a folder for each class; or a pair of IDX files, as `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or the binary files of CIFAR"
            .to_owned(),
        names => format!("the splits here are {}", names.join(", ")),
    }
}

/// How a data set without validation images has some.
fn val_help(name: &str) -> &'static str {
    match name {
        "val" => {
            "; `val = 0.1` in `data` of the recipe validates on a tenth of the images of `train`"
        }
        _ => "",
    }
}

fn channels_counted(channels: usize) -> String {
    if channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") }
}

fn named_classes(named: usize) -> String {
    if named == 1 { "1 class".to_owned() } else { format!("{named} classes") }
}

fn classes_help(classes: &[String]) -> String {
    let named = "name them as `classes` in `dataset.json`, or give each a folder in `train`";
    match classes {
        [] => format!("the data set has no classes: {named}"),
        names => format!("the classes are {}: {named}", names.join(", ")),
    }
}

/// How to resize a target without making values up.
fn way_to_resize(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::ClassMap => " (nearest neighbour)",
        TargetKind::Map | TargetKind::Class | TargetKind::Labels | TargetKind::Vector => "",
    }
}

/// Which size a target should have.
fn wanted_size(kind: TargetKind) -> &'static str {
    match kind {
        TargetKind::Map => {
            "the size of the image, or as many times that as the output of the space has"
        }
        TargetKind::ClassMap | TargetKind::Class | TargetKind::Labels | TargetKind::Vector => {
            "the size of the image"
        }
    }
}

/// The first few names.
fn few(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let named: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    if more == 0 { named.join(", ") } else { format!("{} and {more} more", named.join(", ")) }
}

/// The most names that are told.
const NAMED: usize = 8;

fn and_more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" (and for {others} more)") }
}
