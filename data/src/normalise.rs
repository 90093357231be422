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

/// What is subtracted from each channel, white being 1, and what it is then divided by.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalisation {
    /// A mean for each channel.
    pub mean: Vec<f32>,
    /// A standard deviation for each channel.
    pub std: Vec<f32>,
}

/// As many numbers as there are channels: those that are given, one of them for all, or else those of ImageNet,
/// for grey their mean.
pub(crate) fn for_channels(
    name: &'static str,
    given: Option<&[f32]>,
    imagenet: [f32; 3],
    channels: usize,
) -> Result<Vec<f32>, DataError> {
    match given {
        Some([one]) => Ok(vec![*one; channels]),
        Some(all) if all.len() == channels => Ok(all.to_vec()),
        Some(all) => Err(DataError::OtherChannels { name, numbers: all.len(), channels }),
        None if channels == imagenet.len() => Ok(imagenet.to_vec()),
        None => Ok(vec![imagenet.iter().sum::<f32>() / imagenet.len() as f32; channels]),
    }
}

/// Of colours `mean` lies in 0 to 1, `std` above 0 and at most at 1; both are in units where white is 1.
pub(crate) fn check_statistics(name: &'static str, values: &[f32]) -> Result<(), DataError> {
    let lowest = if name == "std" { f32::MIN_POSITIVE } else { 0.0 };
    if !values.is_empty() && values.iter().all(|value| (lowest..=1.0).contains(value)) {
        return Ok(());
    }
    Err(DataError::BadStatistics { name, found: values.to_vec() })
}

/// A factor that is given is a finite number other than 0, and above it where that is asked for.
pub(crate) fn check_scale(
    name: &'static str,
    factor: Option<f32>,
    is_positive: bool,
) -> Result<(), DataError> {
    match factor {
        Some(found) if !found.is_finite() || found == 0.0 || is_positive && found < 0.0 => {
            Err(DataError::BadFactor { name, found })
        }
        _ => Ok(()),
    }
}

/// In any unit, there is a finite mean and a finite deviation above 0 for each channel.
pub(crate) fn check_units(normalisation: &Normalisation) -> Result<(), DataError> {
    let Normalisation { mean, std } = normalisation;
    let bad = |name, found: &[f32]| Err(DataError::BadStatistics { name, found: found.to_vec() });
    if mean.is_empty() || !mean.iter().all(|value| value.is_finite()) {
        return bad("mean", mean);
    }
    if !std.iter().all(|value| value.is_finite() && *value > 0.0) {
        return bad("std", std);
    }
    if mean.len() == std.len() {
        return Ok(());
    }
    Err(DataError::OtherChannels { name: "std", numbers: std.len(), channels: mean.len() })
}
