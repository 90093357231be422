//! Colours as numbers around 0: the mean and the standard deviation by which they are normalised.

use crate::error::DataError;

/// Mean of red, green and blue over ImageNet, white being 1: what a data set without its own uses.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviation of red, green and blue over ImageNet, white being 1.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// `(value / 255 - mean) / std`, as one multiplication and one addition.
pub(crate) fn normalise(mean: f32, std: f32) -> impl Fn(u8) -> f32 {
    let (factor, shift) = (1.0 / (255.0 * std), -mean / std);
    move |value| f32::from(value) * factor + shift
}

/// `mean` lies in 0 to 1, `std` above 0 and at most at 1; both are in units where white is 1.
pub(crate) fn check_statistics(name: &'static str, values: [f32; 3]) -> Result<(), DataError> {
    let lowest = if name == "std" { f32::MIN_POSITIVE } else { 0.0 };
    if values.iter().all(|value| (lowest..=1.0).contains(value)) {
        return Ok(());
    }
    Err(DataError::BadStatistics { name, found: values.to_vec() })
}
