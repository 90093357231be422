//! What a trained network expects of a picture.

use std::fmt;
use std::path::Path;

use nas_ir::Network;
use nas_ir::recipe::{Data, Fit};
use serde::{Deserialize, Serialize};

/// What a picture is made into before the network sees it: resized, and `(value / 255 - mean) / std`
/// of each colour, in planes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The name of the input.
    input: String,
    /// The order of its planes: `RGB`, or `grey` of one.
    order: String,
    height: u32,
    width: u32,
    /// Height and width to which it is brought, where that is not the size of the input: of a larger one the middle
    /// is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resize: Option<[u32; 2]>,
    /// What becomes of a picture of another shape, where it is not stretched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fit: Option<Fit>,
    /// Of each plane, white being 1.
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Expected {
    /// The key of the file's metadata under which it stands as JSON.
    pub const KEY: &'static str = "nasc.input";
    /// The file of a run that holds it, beside its weights.
    pub const FILE: &'static str = "input.json";

    /// What a network expects that was trained on pictures that were resized as these data say, less this mean, by
    /// this deviation; `None` if its input is no picture.
    #[must_use]
    pub fn of(network: &Network, data: &Data, mean: Vec<f32>, std: Vec<f32>) -> Option<Self> {
        let [input] = network.inputs.as_slice() else { return None };
        let [height, width] = network.port_shape(input).plane()?;
        let resize = data.resize.filter(|size| *size != [height, width]);
        let fit = Some(data.fit).filter(|fit| *fit != Fit::Stretch);
        let order = if mean.len() == 1 { "grey" } else { "RGB" };
        let (input, order) = (input.name.clone(), order.to_owned());
        Some(Self { input, order, height, width, resize, fit, mean, std })
    }

    /// How many planes a picture has that a network expects; `None` if its input is no picture.
    #[must_use]
    pub fn channels(network: &Network) -> Option<usize> {
        let [input] = network.inputs.as_slice() else { return None };
        let shape = network.port_shape(input);
        shape.plane().map(|_| shape.channels() as usize)
    }

    /// What a run wrote beside these weights; `None` if they are of no run.
    #[must_use]
    pub fn beside(weights: &Path) -> Option<Self> {
        let bytes = nas_files::read(&weights.with_file_name(Self::FILE)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// As it stands in the file's metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<(String, String)> {
        Some((Self::KEY.to_owned(), serde_json::to_string(self).ok()?))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, order, height, width, resize, fit, mean, std } = self;
        write!(f, "{input}: {order}, {height} x {width}, ")?;
        match fit {
            None => {}
            Some(Fit::Stretch) => f.write_str("stretched, ")?,
            Some(Fit::Cover) => f.write_str("covered, ")?,
            Some(Fit::Letterbox) => f.write_str("letterboxed, ")?,
        }
        if let Some([height, width]) = resize {
            write!(f, "resized to {height} x {width}, ")?;
        }
        write!(f, "(value / 255 - {mean:?}) / {std:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Expected, Fit};

    #[test]
    fn what_is_expected_is_told_to_people_and_to_programs() {
        let expected = Expected {
            input: "image".to_owned(),
            order: "RGB".to_owned(),
            height: 48,
            width: 64,
            resize: None,
            fit: None,
            mean: vec![0.29, 0.31, 0.24],
            std: vec![0.23, 0.19, 0.23],
        };
        let words = "image: RGB, 48 x 64, (value / 255 - [0.29, 0.31, 0.24]) / [0.23, 0.19, 0.23]";
        assert_eq!(expected.to_string(), words);
        let json = r#"{"input":"image","order":"RGB","height":48,"width":64,"mean":[0.29,0.31,0.24],"std":[0.23,0.19,0.23]}"#;
        assert_eq!(serde_json::to_string(&expected).unwrap(), json);
        let cut = Expected { resize: Some([56, 72]), fit: Some(Fit::Cover), ..expected };
        let words = "image: RGB, 48 x 64, covered, resized to 56 x 72, (value";
        assert!(cut.to_string().starts_with(words), "{cut}");
        let json = serde_json::to_string(&cut).unwrap();
        assert!(json.contains(r#""width":64,"resize":[56,72],"fit":"cover","mean""#), "{json}");
        assert_eq!(serde_json::from_str::<Expected>(&json).unwrap(), cut);
    }
}
