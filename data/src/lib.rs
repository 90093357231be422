//! Folders of images and their targets as shuffled, augmented batches.
//!
//! A target is what a network is to say of an image. A data set holds targets of one kind, and each
//! kind has its layout:
//!
//! ```text
//! ROOT/{train,val,test}/images/STEM.{jpg,jpeg,png,bmp,tif,tiff,webp,npy}
//! ROOT/{train,val,test}/labels/STEM.png     class_map: one channel, at most 8 bits, the class of each pixel
//! ROOT/{train,val,test}/labels.csv          labels: image,water,forest; STEM,1,0
//! ROOT/{train,val,test}/targets/STEM.{png,tif,npy,…}  map: numbers for each pixel, of the size of the image, or k times that
//! ROOT/{train,val,test}/targets.csv         vector: image,x,y; STEM,0.5,1.5
//!
//! ROOT/{train,val,test}/INPUT/STEM.{jpg,…}  in the place of `images` for each input of a network with several
//!
//! ROOT/{train,val,test}/CLASS/*.{jpg,…}         class: the folder of an image is its class
//!
//! ROOT/dataset.json                         optional: {"target": "class_map", "classes": ["water", …],
//!                                           "ignore": 255, "mean": [r, g, b], "std": [r, g, b],
//!                                           "map": {…}, "vector": {…}, "inputs": {"depth": {…}}}
//! ```
//!
//! Or it is a folder of files that hold many pictures of one size, each with a class, as they are published: IDX
//! files and CIFAR batches.
//!
//! ```text
//! ROOT/{train,t10k}-images-idx3-ubyte[.gz]  pictures, grey; the split `t10k` is `test`
//! ROOT/{train,t10k}-labels-idx1-ubyte[.gz]  their classes
//! ROOT/{data_batch_N,test_batch}.bin        CIFAR-10; ROOT/batches.meta.txt names the classes
//! ROOT/{train,test}.bin                     CIFAR-100; ROOT/fine_label_names.txt names the classes
//! ```
//!
//! Where `dataset.json` names no target, the splits tell it by the folder or the file of their targets: they hold classes
//! if they hold other folders. Where it names no classes, the folders of `train` do, sorted, or the header of its table.
//!
//! [`Dataset::open`] reads the folder, [`Dataset::split`] lists one part of it, a [`Pipeline`] says
//! what happens to a picture, [`Dataset::survey`] finds what is wrong with the files, and a [`Loader`] turns a split into [`Batch`]es, epoch by epoch. A
//! [`Split`] may also be made in memory, of any [`Sample`]s.
//!
//! ```no_run
//! # fn main() -> Result<(), nas_data::DataError> {
//! use nas_data::{Dataset, Loader, LoaderOptions, Pipeline, Size};
//!
//! let data = Dataset::open("camvid")?;
//! let size = Size { height: 256, width: 256 };
//! let (weights, choices) = data.split("train")?.divide(0.8, 0);
//! let pipeline = data.pipeline(3, 11, Some(11))?;
//! let training = Pipeline { crop: Some(size), flip: true, ..pipeline };
//! let loader = Loader::new(weights, training, LoaderOptions::training(16, 0))?;
//! for epoch in 0..10 {
//!     for batch in loader.epoch(epoch) {
//!         let batch = batch?; // images: [16, 3, 256, 256], targets: class maps, [16, 256, 256]
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything is a function of the files, the settings and the seed: the number of worker threads
//! and the state of the cache change no byte of a batch.

mod augment;
mod batch;
mod containers;
mod dataset;
mod decode;
mod error;
mod folder;
mod input;
mod labels;
mod loader;
mod map;
mod moves;
mod normalise;
mod numbers;
mod opening;
mod pipeline;
mod pixels;
mod place;
mod planes;
mod randaugment;
mod random;
mod resample;
mod sample;
mod size;
mod span;
mod statistics;
mod survey;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod warning;
mod whole;

pub use batch::{Batch, Images, Targets};
pub use dataset::{Dataset, Drawn};
pub use error::{BatchOf, DataError, DatasetJsonError};
pub use input::Input;
pub use loader::{Batches, Loader, LoaderOptions};
pub use map::{Between, MapFormat};
pub use moves::Moves;
pub use normalise::{IMAGENET_MEAN, IMAGENET_STD, Normalisation};
pub use pipeline::Pipeline;
pub use place::{Container, Place};
pub use resample::Fit;
pub use sample::{Sample, Split};
pub use size::Size;
pub use statistics::{class_shares, mean_std};
pub use survey::{DataFile, OnSample, Survey};
pub use target::{Target, TargetKind};
pub use warning::{DataWarning, Resized};
