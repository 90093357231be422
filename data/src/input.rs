//! The images of an input of a network: how they are read and normalised.

use crate::normalise::Normalisation;

/// How the images of an input are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// How each channel is normalised. There are as many as it has means: 1 makes pictures grey, 3 red, green and blue;
    /// where there are others, a file has just so many.
    pub normalisation: Normalisation,
    /// What one step of a stored number is worth, where images are read as numbers and not as colours.
    pub scale: Option<f32>,
}

impl Input {
    /// Number of channels of the images in a batch.
    pub fn channels(&self) -> usize {
        self.normalisation.mean.len()
    }
}
