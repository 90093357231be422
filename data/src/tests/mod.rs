//! Small data sets written to a temporary folder, and what the tests ask of them.

mod augmentation;
mod batches;
mod containers;
mod files;
mod folder;
mod inputs;
mod maps;
mod survey;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma, Rgb, RgbImage};
use miette::Diagnostic;
use nas_testing::pictures::{coded, save, save_labelled};

use crate::{
    Batch, DataError, Dataset, Fit, Input, Loader, LoaderOptions, MapFormat, Moves, Normalisation,
    Pipeline, Size, Split, Target, TargetKind, Targets,
};

/// A data set in a temporary folder, gone with the value.
struct Folder {
    dir: nas_testing::Folder,
}

impl Folder {
    fn new() -> Self {
        Self { dir: nas_testing::folder() }
    }

    /// A train split of `count` pictures of 12 rows and 16 columns, each of its own colour.
    fn of(count: usize) -> Self {
        let folder = Self::new();
        for nth in 0..count {
            let (mut image, labels) = coded(12, 16);
            image.pixels_mut().for_each(|pixel| pixel.0[2] = nth as u8);
            folder.add(&format!("s{nth:03}"), &image, &labels);
        }
        folder
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn image(&self, stem: &str) -> PathBuf {
        self.root().join(format!("train/images/{stem}.png"))
    }

    fn label(&self, stem: &str) -> PathBuf {
        self.root().join(format!("train/labels/{stem}.png"))
    }

    fn add(&self, stem: &str, image: &RgbImage, labels: &GrayImage) {
        save_labelled(&self.root().join("train"), stem, image, labels);
    }

    fn describe(&self, json: &str) -> Result<Dataset, DataError> {
        fs::write(self.root().join("dataset.json"), json).unwrap();
        Dataset::open(self.root())
    }

    fn split(&self) -> Result<Split, DataError> {
        Dataset::open(self.root())?.split("train")
    }

    fn loader(&self, pipeline: Pipeline, options: LoaderOptions) -> Result<Loader, DataError> {
        Loader::new(self.split()?, pipeline, options)
    }

    /// The batches of one epoch of the train split.
    fn epoch(&self, pipeline: Pipeline, options: LoaderOptions) -> Result<Vec<Batch>, DataError> {
        self.loader(pipeline, options)?.epoch(0).collect()
    }
}

fn by<const CHANNELS: usize>(mean: [f32; CHANNELS], std: [f32; CHANNELS]) -> Normalisation {
    Normalisation { mean: mean.to_vec(), std: std.to_vec() }
}

/// The only input, of colours that are normalised so.
fn seen(normalisation: Normalisation) -> Vec<Input> {
    vec![Input { normalisation, scale: None }]
}

/// Nothing but division by 255: 250 classes, 255 ignored, one value for each pixel of a map.
fn plain() -> Pipeline {
    Pipeline {
        classes: 250,
        ignore: 255,
        inputs: seen(by([0.0; 3], [1.0; 3])),
        values: 1,
        times: 1,
        map: MapFormat::default(),
        moves: Moves::Whole {},
        resize: None,
        fit: Fit::Stretch,
        scale: None,
        pad: 0,
        crop: None,
        centred: false,
        flip: false,
        jitter: 0.0,
        blur: 0.0,
        operations: 0,
        magnitude: 0,
        cutout: 0,
    }
}

/// The labels of a batch, `[N, H, W]`.
#[track_caller]
fn class_map(batch: &Batch) -> &[i64] {
    let Targets::ClassMaps(labels) = &batch.targets else { panic!("{:?}", batch.targets) };
    labels
}

fn size(height: u32, width: u32) -> Size {
    Size { height, width }
}

/// The code of an error, and its title.
fn told<T>(result: Result<T, DataError>) -> (String, String) {
    let error = result.err().expect("this must fail");
    assert!(error.help().is_some(), "no help: {error}");
    (error.code().unwrap().to_string(), error.to_string())
}

/// Asserts the code of an error and words of its title.
#[track_caller]
fn assert_told<T>(result: Result<T, DataError>, code: &str, words: &[&str]) {
    let (found, title) = told(result);
    assert_eq!(found, code, "{title}");
    for word in words {
        assert!(title.contains(word), "`{word}` is not in: {title}");
    }
}
