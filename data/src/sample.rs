//! Samples, and lists of them.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::error::DataError;
use crate::moves::Moves;
use crate::place::{Container, Place};
use crate::random::{Purpose, stream};
use crate::target::Target;

/// An image and its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Where the image is: a JPEG, PNG, BMP, TIFF or WebP, or a record of a container.
    pub image: Place,
    /// Where the images of the other inputs of a network are, in their order.
    pub others: Vec<Place>,
    /// What a network is to say of it.
    pub target: Target,
}

impl Sample {
    /// One for a network with one input.
    pub fn new(image: impl Into<Place>, target: Target) -> Self {
        Self { image: image.into(), others: Vec::new(), target }
    }

    /// The name of the image without folder and extension; of a record, `data_batch_1[17]`.
    pub fn stem(&self) -> String {
        self.image.stem()
    }

    /// # Errors
    /// The image has a class that is not below `classes`.
    pub(crate) fn check_class(&self, classes: usize) -> Result<(), DataError> {
        match self.target {
            Target::Class(class) if class as usize >= classes => {
                Err(DataError::ClassOutOfRange { image: self.image.clone(), class, classes })
            }
            Target::Class(_) | Target::ClassMap(_) | Target::Map(_) | Target::Vector(_) => Ok(()),
        }
    }

    /// # Errors
    /// It has numbers that cannot move as these say.
    pub(crate) fn check_len(&self, moves: &Moves) -> Result<(), DataError> {
        match &self.target {
            Target::Vector(numbers) => moves.check_len(numbers.len()),
            Target::Class(_) | Target::ClassMap(_) | Target::Map(_) => Ok(()),
        }
    }
}

/// A list of samples, sorted by the files of their targets, then by their images: by stem, or where
/// each class has a folder, by class and then by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    samples: Vec<Sample>,
}

impl Split {
    /// These samples, sorted. Their targets are to be of one kind: others are an error of the batch in
    /// which they meet.
    pub fn new(mut samples: Vec<Sample>) -> Self {
        samples.sort_by(|a, b| (a.target.file(), &a.image).cmp(&(b.target.file(), &b.image)));
        Self { samples }
    }

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
    pub fn stems(&self) -> impl Iterator<Item = String> {
        self.samples.iter().map(Sample::stem)
    }

    /// Bytes of the containers of its samples.
    pub(crate) fn container_bytes(&self) -> u64 {
        let mut bytes = 0;
        let mut last: Option<&Container> = None;
        for sample in &self.samples {
            let Place::Record { container, .. } = &sample.image else { continue };
            // Sorted, samples of one container follow each other.
            if last.is_none_or(|last| last != container.as_ref()) {
                bytes += container.bytes.len() as u64;
                last = Some(container);
            }
        }
        bytes
    }

    /// Two parts without a common sample: `fraction` (0 to 1, rounded to whole samples) of the
    /// samples drawn at random, and the rest. The same seed gives the same parts. Neither part is
    /// empty unless the fraction is 0 or 1 or there is but one sample.
    pub fn divide(&self, fraction: f64, seed: u64) -> (Split, Split) {
        self.cut(first_part(self.len(), fraction), &mut stream(seed, Purpose::Divide))
    }

    /// Two parts as of [`Split::divide`], whatever the seed of a run: what is validated on, and the rest.
    pub(crate) fn hold_out(&self, fraction: f64) -> (Split, Split) {
        self.cut(first_part(self.len(), fraction), &mut stream(0, Purpose::HoldOut))
    }

    /// So many of the samples, the same whatever the seed of a run; those of a smaller number are among those
    /// of a larger one.
    #[must_use]
    pub fn take(&self, count: usize) -> Split {
        self.cut(count, &mut stream(0, Purpose::Take)).0
    }

    /// The first `count` samples of a shuffle, and the rest.
    fn cut(&self, count: usize, rng: &mut impl Rng) -> (Split, Split) {
        let mut samples = self.samples.clone();
        samples.shuffle(rng);
        let rest = samples.split_off(count.min(samples.len()));
        (Split::new(samples), Split::new(rest))
    }
}

fn first_part(len: usize, fraction: f64) -> usize {
    let count = (len as f64 * fraction.clamp(0.0, 1.0)).round() as usize;
    if fraction > 0.0 && fraction < 1.0 && len > 1 { count.clamp(1, len - 1) } else { count }
}
