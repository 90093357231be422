//! Folders of images and label maps as shuffled, augmented batches for semantic segmentation.
//!
//! A data set is a folder:
//!
//! ```text
//! ROOT/{train,val,test}/images/STEM.{jpg,jpeg,png}
//! ROOT/{train,val,test}/labels/STEM.png     one channel, at most 8 bits: the class of each pixel
//! ROOT/dataset.json                         optional: {"classes": ["water", …], "ignore": 255,
//!                                           "mean": [r, g, b], "std": [r, g, b]}
//! ```
//!
//! [`Dataset::open`] reads the folder, [`Dataset::split`] lists one part of it, a [`Pipeline`] says
//! what happens to a picture, and a [`Loader`] turns a split into [`Batch`]es, epoch by epoch:
//!
//! ```no_run
//! # fn main() -> Result<(), nas_data::DataError> {
//! use nas_data::{Dataset, Loader, Loading, Pipeline, Size};
//!
//! let data = Dataset::open("camvid")?;
//! let size = Size { height: 256, width: 256 };
//! let (weights, choices) = data.split("train")?.divide(0.8, 0);
//! let pipeline = Pipeline { ignore: 11, ..data.pipeline(11) };
//! let training = Pipeline { crop: Some(size), flip: true, ..pipeline };
//! let loader = Loader::new(weights, training, Loading::training(16, 0))?;
//! for epoch in 0..10 {
//!     for batch in loader.epoch(epoch) {
//!         let batch = batch?; // images: [16, 3, 256, 256], labels: [16, 256, 256]
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Everything is a function of the files, the settings and the seed: the number of worker threads
//! and the state of the cache change no byte of a batch.

mod dataset;
mod decode;
mod error;
mod loader;
mod pipeline;
mod random;
mod statistics;
#[cfg(test)]
mod tests;

pub use dataset::{Dataset, IMAGENET_MEAN, IMAGENET_STD, Sample, Split};
pub use error::{DataError, DatasetJsonError};
pub use loader::{Batch, Batches, Loader, Loading};
pub use pipeline::{Pipeline, Size};
pub use statistics::{class_shares, mean_std};
