//! What the numbers of target maps mean.

use serde::Deserialize;

/// What the numbers of target maps mean; `dataset.json` says it as `map`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MapFormat {
    /// What one step of a stored number is worth. Without it white is 1 in pictures of 8 and 16 bits, and other numbers stay
    /// as they are.
    pub scale: Option<f32>,
    /// The stored number of pixels whose value is not known; NaN and infinite ones never are.
    pub invalid: Option<f32>,
    /// How maps are brought to another size.
    pub resample: Between,
    /// The largest value that there can be, by which PSNR is measured; 1 where it is not said.
    pub peak: Option<f32>,
}

/// How the value of a pixel of a map is found that lies between others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// Interpolated linearly; next to a value that is not known none is known.
    #[default]
    Linear,
    /// That of the nearest pixel.
    Nearest,
}
