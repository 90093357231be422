//! How the integers of a network are chosen.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nas_ir::Precision;
use nas_onnx::Integers;
use nas_quantise::{Method, Scheme};
use serde::{Deserialize, Serialize};

use super::form::FilePrecision;

/// The share of numbers within the range, where `--method percentile` gives none.
const SHARE: f64 = 0.9999;

/// A layer that computes with floats in a network of integers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FloatLayer {
    /// The path of its node.
    pub path: String,
    /// Which floats.
    pub precision: Precision,
}

/// Options that say how the integers are chosen.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Integers")]
pub struct RoundingArgs {
    /// How many training images the values are watched on.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub images: u32,
    /// How the range of values follows from what they are on these images: `min-max`; `percentile`, of which
    /// `percentile=0.999` gives the share of numbers within; `entropy` (Migacz 2017); `mean-square`.
    #[arg(long, value_name = "METHOD", default_value = "mean-square", value_parser = method)]
    pub method: Method,
    /// Put 0 in the middle of each range.
    #[arg(long)]
    pub symmetric: bool,
    /// Let each step be a power of two.
    #[arg(long)]
    pub powers_of_two: bool,
    /// The integers of values: from -128 to 127, or from 0 to 255.
    #[arg(long, value_enum, default_value_t)]
    pub levels: Levels,
    /// Make the channels of kernels that follow each other alike in size before.
    #[arg(long)]
    pub equalise: bool,
    /// Leave biases as they are, rather than take out of them what rounding adds on average.
    #[arg(long)]
    pub keep_biases: bool,
    /// Tell how much the outputs lose by each layer.
    #[arg(long)]
    pub sensitivity: bool,
    /// Let the layers that lose most compute with floats until the metric of the validation images is by at most so much
    /// worse, such as 0.01.
    #[arg(long, value_name = "LOSS", value_parser = loss)]
    pub within: Option<f64>,
    /// With which floats these layers compute; without it, with 32 bits.
    #[arg(long, value_enum, requires = "within")]
    pub floats: Option<FilePrecision>,
    /// Whether and how it is trained on.
    #[command(flatten)]
    pub tune: TuneArgs,
}

/// Options that say how a network of integers is trained on.
#[derive(Debug, Clone, PartialEq, Default, Args)]
pub struct TuneArgs {
    /// Train the network on for so many epochs while it computes with integers, and the steps of its grids with it.
    #[arg(long, value_name = "EPOCHS", value_parser = clap::value_parser!(u32).range(1..))]
    pub tune: Option<u32>,
    /// The learning rate at first, which falls to 0 by half a cosine wave; without it, 0.001.
    #[arg(long, value_name = "RATE", requires = "tune", value_parser = rate)]
    pub tune_rate: Option<f64>,
    /// The folder of that run, which goes on if it was stopped; without it, `runs/int8-NAME`.
    #[arg(long, value_name = "DIR", requires = "tune")]
    pub tune_run: Option<PathBuf>,
}

impl TuneArgs {
    /// The momentum of Esser et al. 2020, section 2.3.
    pub const MOMENTUM: f64 = 0.9;
    /// Their learning rate for integers of 8 bits.
    const RATE: f64 = 0.001;

    /// The learning rate at first.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.tune_rate.unwrap_or(Self::RATE)
    }

    /// The folder of the run: of a network of this name, if none is given.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        let default = || PathBuf::from("runs").join(format!("int8-{name}"));
        self.tune_run.clone().unwrap_or_else(default)
    }
}

/// Integers of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Levels {
    /// From -128 to 127.
    #[default]
    Int8,
    /// From 0 to 255.
    Uint8,
}

impl Default for RoundingArgs {
    fn default() -> Self {
        Self {
            images: 256,
            method: Method::MeanSquare,
            symmetric: false,
            powers_of_two: false,
            levels: Levels::default(),
            equalise: false,
            keep_biases: false,
            sensitivity: false,
            within: None,
            floats: None,
            tune: TuneArgs::default(),
        }
    }
}

impl RoundingArgs {
    /// The grids that are allowed.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        Scheme { symmetric: self.symmetric, powers_of_two: self.powers_of_two }
    }

    /// With which floats layers compute that lose too much.
    #[must_use]
    pub fn fallback(&self) -> Precision {
        match self.floats {
            None | Some(FilePrecision::Fp32) => Precision::Fp32,
            Some(FilePrecision::Fp16) => Precision::Fp16,
        }
    }

    /// The integers of values.
    #[must_use]
    pub fn integers(&self) -> Integers {
        match self.levels {
            Levels::Int8 => Integers::Signed,
            Levels::Uint8 => Integers::Unsigned,
        }
    }

    /// Whether any of the options was given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self != Self::default()
    }
}

fn method(text: &str) -> Result<Method, String> {
    let share = |text: &str| text.parse().ok().filter(|share| (0.5..=1.0).contains(share));
    match text.split_once('=') {
        None if text == "min-max" => Ok(Method::MinMax),
        None if text == "percentile" => Ok(Method::Percentile(SHARE)),
        None if text == "entropy" => Ok(Method::Entropy),
        None if text == "mean-square" => Ok(Method::MeanSquare),
        Some(("percentile", of)) => {
            share(of).map(Method::Percentile).ok_or_else(|| "give a share from 0.5 to 1".to_owned())
        }
        _ => Err("write `min-max`, `percentile`, `percentile=0.999`, `entropy` or `mean-square`"
            .to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && rate.is_finite());
    rate.ok_or_else(|| "give a number above 0".to_owned())
}

fn loss(text: &str) -> Result<f64, String> {
    let loss: Option<f64> = text.parse().ok().filter(|loss: &f64| *loss >= 0.0 && loss.is_finite());
    loss.ok_or_else(|| "give a number from 0 on".to_owned())
}
