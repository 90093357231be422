//! What a trained network expects of its inputs.

use std::fmt;
use std::path::Path;

use nas_ir::Network;
use nas_ir::network::Port;
use nas_ir::recipe::{Data, Fit};
use nas_passes::model::Normalisation;
use serde::{Deserialize, Serialize};

/// What is made of the images of each input before a network sees them. In files it is one object, of several inputs a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// Of the only input.
    One(ExpectedInput),
    /// Of each input, in their order.
    Several(Vec<ExpectedInput>),
}

/// What a picture is made into before the network sees it: resized, and `(value / 255 - mean) / std`
/// of each colour, in planes; of numbers `(value * scale - mean) / std`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectedInput {
    /// The name of the input.
    input: String,
    /// The order of its planes: `RGB`, `grey` of one, or `channels` as they are stored.
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
    /// What a step of a stored number is worth, where its pixels are numbers and not colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scale: Option<f32>,
    /// Of each plane, white being 1, or in the unit of the numbers.
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// How the images of an input are read.
pub struct Read {
    /// What is subtracted from each channel.
    pub mean: Vec<f32>,
    /// What it is then divided by.
    pub std: Vec<f32>,
    /// What a step of a stored number is worth, where they are numbers and not colours.
    pub scale: Option<f32>,
}

impl Expected {
    /// The key of the file's metadata under which it stands as JSON.
    pub const KEY: &'static str = "nasc.input";
    /// The file of a run that holds it, beside its weights.
    pub const FILE: &'static str = "input.json";

    /// What a network expects that was trained on images that were resized as these data say, and each read so; `None` if
    /// an input is no picture.
    #[must_use]
    pub fn of(network: &Network, data: &Data, read: Vec<Read>) -> Option<Self> {
        Self::resized(network, (data.resize, data.fit), read)
    }

    /// What a network expects of pictures of which nothing is known but that each is of its input's size; `None` if an input is
    /// no picture.
    #[must_use]
    pub fn of_pictures(network: &Network) -> Option<Self> {
        let read = |port: &Port| {
            let channels = network.port_shape(port).channels() as usize;
            Read { mean: vec![0.0; channels], std: vec![1.0; channels], scale: None }
        };
        Self::resized(network, (None, Fit::Stretch), network.inputs.iter().map(read).collect())
    }

    fn resized(
        network: &Network,
        (resize, fit): (Option<[u32; 2]>, Fit),
        read: Vec<Read>,
    ) -> Option<Self> {
        let of = |(port, Read { mean, std, scale }): (&Port, Read)| {
            let [height, width] = network.port_shape(port).plane()?;
            let resize = resize.filter(|size| *size != [height, width]);
            let fit = Some(fit).filter(|fit| *fit != Fit::Stretch);
            let order = match (mean.len(), scale) {
                (1, _) => "grey",
                (3, None) => "RGB",
                _ => "channels",
            };
            let (input, order) = (port.name.clone(), order.to_owned());
            Some(ExpectedInput { input, order, height, width, resize, fit, scale, mean, std })
        };
        let mut all = network.inputs.iter().zip(read).map(of).collect::<Option<Vec<_>>>()?;
        match all.len() {
            0 => None,
            1 => all.pop().map(Self::One),
            _ => Some(Self::Several(all)),
        }
    }

    /// That of each input.
    #[must_use]
    pub fn inputs(&self) -> &[ExpectedInput] {
        match self {
            Self::One(input) => std::slice::from_ref(input),
            Self::Several(inputs) => inputs,
        }
    }

    /// What a run wrote beside these weights; `None` if they are of no run.
    #[must_use]
    pub fn beside(weights: &Path) -> Option<Self> {
        let bytes = nas_files::read(&weights.with_file_name(Self::FILE)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Whether images are made into the same for both, but for their size: of another size, `resize` is another one, too.
    #[must_use]
    pub fn is_read_as(&self, other: &Self) -> bool {
        let (own, others) = (self.inputs(), other.inputs());
        own.len() == others.len()
            && own.iter().zip(others).all(|(own, other)| {
                let size = |of: &ExpectedInput| [of.height, of.width];
                let resize = if size(own) == size(other) { own.resize } else { other.resize };
                let (input, [height, width]) = (other.input.clone(), size(other));
                ExpectedInput { input, height, width, resize, ..own.clone() } == *other
            })
    }

    /// What is expected where the network normalises itself: the numbers as they are.
    #[must_use]
    pub fn of_raw_numbers(self) -> Self {
        self.each(|input| {
            input.scale = Some(1.0);
            input.mean.fill(0.0);
            input.std.fill(1.0);
        })
    }

    /// What is expected where the network takes its channels in reverse order.
    #[must_use]
    pub fn reversed(self) -> Self {
        self.each(|input| {
            if input.order == "RGB" {
                "BGR".clone_into(&mut input.order);
            }
            input.mean.reverse();
            input.std.reverse();
        })
    }

    /// The same of inputs that are called otherwise.
    #[must_use]
    pub fn renamed(self, new: impl Fn(&str) -> String) -> Self {
        self.each(|input| input.input = new(&input.input))
    }

    /// Whether the network takes the numbers as they are.
    #[must_use]
    pub fn is_of_raw_numbers(&self) -> bool {
        self.inputs().iter().all(ExpectedInput::is_of_raw_numbers)
    }

    fn each(mut self, change: impl Fn(&mut ExpectedInput)) -> Self {
        match &mut self {
            Self::One(input) => change(input),
            Self::Several(inputs) => inputs.iter_mut().for_each(change),
        }
        self
    }

    /// As it stands in the file's metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<(String, String)> {
        Some((Self::KEY.to_owned(), serde_json::to_string(self).ok()?))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, input) in self.inputs().iter().enumerate() {
            write!(f, "{}{input}", if place > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl ExpectedInput {
    /// Whether its numbers are taken as they are.
    fn is_of_raw_numbers(&self) -> bool {
        self.scale == Some(1.0)
            && self.mean.iter().all(|&mean| mean == 0.0)
            && self.std.iter().all(|&std| std == 1.0)
    }

    /// What is done to the numbers, where `white` is what stands for 1 if nothing says what they are worth.
    #[must_use]
    pub fn normalisation(&self, white: f64) -> Normalisation {
        Normalisation {
            input: self.input.clone(),
            white: self.scale.map_or(white, |scale| 1.0 / f64::from(scale)),
            mean: self.mean.clone(),
            std: self.std.clone(),
        }
    }
}

impl fmt::Display for ExpectedInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, order, height, width, resize, fit, scale, mean, std } = self;
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
        match scale {
            _ if self.is_of_raw_numbers() => f.write_str("the numbers as they are"),
            Some(scale) => write!(f, "(value * {scale} - {mean:?}) / {std:?}"),
            None if order == "channels" => write!(f, "(value / white - {mean:?}) / {std:?}"),
            None => write!(f, "(value / 255 - {mean:?}) / {std:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expected, ExpectedInput, Fit};

    #[test]
    fn what_is_expected_is_told_to_people_and_to_programs() {
        let expected = ExpectedInput {
            input: "image".to_owned(),
            order: "RGB".to_owned(),
            height: 48,
            width: 64,
            resize: None,
            fit: None,
            scale: None,
            mean: vec![0.29, 0.31, 0.24],
            std: vec![0.23, 0.19, 0.23],
        };
        let words = "image: RGB, 48 x 64, (value / 255 - [0.29, 0.31, 0.24]) / [0.23, 0.19, 0.23]";
        assert_eq!(expected.to_string(), words);
        let json = r#"{"input":"image","order":"RGB","height":48,"width":64,"mean":[0.29,0.31,0.24],"std":[0.23,0.19,0.23]}"#;
        assert_eq!(serde_json::to_string(&expected).unwrap(), json);
        let cut = ExpectedInput { resize: Some([56, 72]), fit: Some(Fit::Cover), ..expected };
        let words = "image: RGB, 48 x 64, covered, resized to 56 x 72, (value";
        assert!(cut.to_string().starts_with(words), "{cut}");
        let json = serde_json::to_string(&cut).unwrap();
        assert!(json.contains(r#""width":64,"resize":[56,72],"fit":"cover","mean""#), "{json}");
        let one = Expected::One(cut.clone());
        let larger = ExpectedInput { height: 96, resize: None, ..cut.clone() };
        assert!(one.is_read_as(&Expected::One(larger.clone())));
        let brighter = ExpectedInput { mean: vec![0.5, 0.31, 0.24], ..larger };
        assert!(!one.is_read_as(&Expected::One(brighter)));
        assert!(!one.is_read_as(&Expected::One(ExpectedInput { resize: None, ..cut.clone() })));
        assert_eq!(serde_json::from_str::<Expected>(&json).unwrap(), one);
        let depth = ExpectedInput { scale: Some(0.5), order: "grey".to_owned(), ..cut.clone() };
        assert!(depth.to_string().contains("(value * 0.5 - "), "{depth}");
        let raw = Expected::One(depth.clone()).of_raw_numbers();
        assert!(raw.inputs()[0].to_string().ends_with("72, the numbers as they are"), "{raw:?}");
        let both = Expected::Several(vec![cut, depth]);
        let json = serde_json::to_string(&both).unwrap();
        assert_eq!(serde_json::from_str::<Expected>(&json).unwrap(), both);
    }
}
