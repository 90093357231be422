//! What a trained network expects of a picture.

use std::fmt;

use nas_data::Dataset;
use nas_ir::Network;
use serde::Serialize;

/// What a picture is made into before the network sees it: resized, and `(value / 255 - mean) / std`
/// of each colour, in planes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Expected {
    /// The name of the input.
    input: String,
    /// The order of its planes.
    order: &'static str,
    height: u32,
    width: u32,
    /// Of red, green and blue, white being 1.
    mean: [f32; 3],
    std: [f32; 3],
}

impl Expected {
    /// The key of the file's metadata under which it stands as JSON.
    pub(crate) const KEY: &'static str = "nasc.input";

    /// What a network expects that was trained on this data set; `None` if its input is no picture.
    pub(crate) fn of(network: &Network, dataset: &Dataset) -> Option<Self> {
        let [input] = network.inputs.as_slice() else { return None };
        let [height, width] = network.port_shape(input).plane()?;
        let (input, order) = (input.name.clone(), "RGB");
        Some(Self { input, order, height, width, mean: dataset.mean, std: dataset.std })
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, order, height, width, mean, std } = self;
        write!(f, "{input}: {order}, {height} x {width}, (value / 255 - {mean:?}) / {std:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::Expected;

    #[test]
    fn what_is_expected_is_told_to_people_and_to_programs() {
        let expected = Expected {
            input: "image".to_owned(),
            order: "RGB",
            height: 48,
            width: 64,
            mean: [0.29, 0.31, 0.24],
            std: [0.23, 0.19, 0.23],
        };
        let words = "image: RGB, 48 x 64, (value / 255 - [0.29, 0.31, 0.24]) / [0.23, 0.19, 0.23]";
        assert_eq!(expected.to_string(), words);
        let json = r#"{"input":"image","order":"RGB","height":48,"width":64,"mean":[0.29,0.31,0.24],"std":[0.23,0.19,0.23]}"#;
        assert_eq!(serde_json::to_string(&expected).unwrap(), json);
    }
}
