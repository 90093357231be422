//! What a split holds: the shares of its classes, the mean and spread of its colours.

use crate::decode::{Layer, read_input};
use crate::error::DataError;
use crate::input::Input;
use crate::labels::{check_labels, read_labels};
use crate::normalise::Normalisation;
use crate::sample::Split;
use crate::target::Target;

/// The share of each class, from 0 to 1, among the labels of a split that have a class: of pixels in
/// label maps, of images where each has a class. All are 0 where none has one.
///
/// # Errors
/// A label map is unreadable, or a label is neither `ignore` nor below `classes`.
pub fn class_shares(split: &Split, classes: usize, ignore: u8) -> Result<Vec<f64>, DataError> {
    let mut counts = vec![0_u64; classes];
    for sample in split.samples() {
        sample.check_class(classes)?;
        match &sample.target {
            Target::ClassMap(path) => {
                let labels = read_labels(path)?;
                check_labels(&labels, classes, ignore, path)?;
                let labelled = labels.as_raw().iter().filter(|value| **value != ignore);
                labelled.for_each(|value| count(&mut counts, usize::from(*value)));
            }
            Target::Class(class) => count(&mut counts, *class as usize),
            Target::Map(_) | Target::Vector(_) => {}
        }
    }
    let total = counts.iter().sum::<u64>().max(1) as f64;
    Ok(counts.into_iter().map(|count| count as f64 / total).collect())
}

fn count(counts: &mut [u64], class: usize) {
    if let Some(count) = counts.get_mut(class) {
        *count += 1;
    }
}

/// The mean and the standard deviation of each channel over all pixels of a split, white being 1: the `mean`
/// and `std` of `dataset.json`. Images have one channel, grey, or three: red, green and blue. All are 0 where the
/// split is empty.
///
/// # Errors
/// An image is unreadable, or of another number of channels.
pub fn mean_std(split: &Split, channels: usize) -> Result<(Vec<f32>, Vec<f32>), DataError> {
    let mut sums = vec![(0_u64, 0_u64); channels]; // INVARIANT: whole numbers, so the sums are exact.
    let mut pixels = 0;
    let normalisation = Normalisation { mean: vec![0.0; channels], std: vec![1.0; channels] };
    let input = Input { normalisation, scale: None };
    for sample in split.samples() {
        let Layer::Pixels(image) = read_input(&sample.image, &input)? else {
            let reason = "it holds numbers that are no colours";
            return Err(DataError::unreadable(&sample.image, reason));
        };
        pixels += image.size.area();
        for pixel in image.values.chunks_exact(channels.max(1)) {
            for ((sum, squares), value) in sums.iter_mut().zip(pixel.iter().copied().map(u64::from))
            {
                *sum += value;
                *squares += value * value;
            }
        }
    }
    let count = pixels.max(1) as f64;
    let of = |&(sum, squares): &(u64, u64)| {
        let mean = sum as f64 / count;
        let std = (squares as f64 / count - mean * mean).max(0.0).sqrt();
        ((mean / 255.0) as f32, (std / 255.0) as f32)
    };
    Ok(sums.iter().map(of).unzip())
}
