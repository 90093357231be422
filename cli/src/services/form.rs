//! The form of an exported file: its numbers and sizes, what its inputs hold, what it answers, how its ports are called.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use miette::{Diagnostic, SourceSpan};
use nas_grammar::Source;
use nas_ir::open_size::{Closed, Why};
use nas_ir::{Model, Network, OpenSize, Space, Tensor};
use nas_onnx::{Answer, Batch, EmitError, InputType, Integers, Numbers};
use nas_passes::model::{Normalisation, normalise, reverse_channels};
use nas_tract::Tolerance;
use thiserror::Error;

use super::expected::Expected;
use crate::render::report::Failure;

/// What a byte stands for that is white.
const WHITE: f64 = 255.0;
/// How many numbers an input or an output may have, all images of a batch together: a gigabyte of floats.
const MOST: u64 = 1 << 28;

/// Options of `nasc export` that say in which form the file is.
#[derive(Debug, Clone, PartialEq, Default, Args)]
#[command(next_help_heading = "Form of the file")]
pub struct FormArgs {
    /// How many images it takes at once, or `dynamic`.
    #[arg(long, value_name = "N", value_parser = batch, default_value = "1")]
    pub batch: FileBatch,
    /// Whether height and width of the inputs are left open, where the network allows it.
    #[arg(long, value_enum, default_value_t)]
    pub size: FileSize,
    /// What the inputs hold: floats, or bytes that it makes floats of.
    #[arg(long, value_enum, default_value_t)]
    pub input_type: FileInput,
    /// Let it do the normalisation that the weights were trained with, or `MEAN/STD` of each channel, white being 1: its inputs
    /// are then pictures of 0 to 255.
    #[arg(long, value_name = "MEAN/STD", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub normalise: Option<NormaliseArg>,
    /// In which order the colours of its inputs are.
    #[arg(long, value_enum, ignore_case = true, default_value_t)]
    pub channel_order: ChannelOrder,
    /// What it answers in the place of an output: `softmax`, `argmax` or `top5`, for all outputs or as `OUTPUT=argmax`.
    #[arg(long, value_name = "[OUTPUT=]ANSWER")]
    pub answer: Vec<AnswerArg>,
    /// What an input or output is called in it: `image=data`.
    #[arg(long, value_name = "NAME=NEW", value_parser = renaming)]
    pub rename: Vec<(String, String)>,
    /// Leave out what no engine needs: the paths of values and constants, which then have short names, and the sizes of all
    /// but inputs and outputs.
    #[arg(long)]
    pub lean: bool,
}

impl FormArgs {
    /// What a port is called in the file.
    #[must_use]
    pub fn renamed<'a>(&'a self, name: &'a str) -> &'a str {
        self.rename.iter().find(|(old, _)| old == name).map_or(name, |(_, new)| new)
    }

    /// Whether any of the options was given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self != Self::default()
    }
}

/// Numbers that a file can compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FilePrecision {
    /// 32-bit floats.
    Fp32,
    /// 16-bit floats inside, 32-bit floats as inputs and outputs.
    Fp16,
}

/// How many images a file takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileBatch(pub Batch);

/// Whether height and width are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FileSize {
    /// Those of the space.
    #[default]
    Fixed,
    /// Symbols `height` and `width`.
    Dynamic,
}

/// What inputs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FileInput {
    /// 32-bit floats.
    #[default]
    Float,
    /// Bytes.
    Uint8,
}

/// The order of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ChannelOrder {
    /// As the network was trained.
    #[default]
    Rgb,
    /// The other way round.
    Bgr,
}

/// The normalisation that a file does: that of the data, or this.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NormaliseArg(Option<(Vec<f32>, Vec<f32>)>);

/// An answer, and of which output if not of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerArg {
    output: Option<String>,
    answer: Answer,
}

/// A network whose sizes cannot be left open, at the line of the node that keeps it to one.
#[derive(Debug, Error, Diagnostic)]
#[error("`--size dynamic`: the network takes no maps of another size, because of `{node}`")]
#[diagnostic(
    code(nas::onnx::one_size),
    help(
        "export it for the size that it has; behind `global_avg_pool` vectors are of one size whatever the map's is"
    )
)]
pub struct OneSize {
    /// The path of the node.
    node: String,
    why: Why,
    #[source_code]
    file: Source,
    #[label("{why}")]
    at: Option<SourceSpan>,
}

impl OneSize {
    /// Unless the network of a space takes maps of other sizes, too: what keeps it to one.
    ///
    /// # Errors
    /// It takes maps of one size.
    pub fn refuse(network: &Network, space: &Space) -> Result<(), Failure> {
        let Err(Closed { node, why }) = OpenSize::of(network) else { return Ok(()) };
        let node = network.node(node).map_or_else(String::new, |node| node.name.clone());
        let mut nodes = space.graph.nodes();
        let origin = nodes.find(|(_, of_space)| of_space.name == node).map(|(_, it)| it.origin);
        let origin = origin.and_then(|origin| space.origins.at(origin));
        let file = origin.as_ref().map(|at| at.source.clone());
        Err(Failure::problem(Self {
            node,
            why,
            at: origin.map(|at| at.span.into()),
            file: file.unwrap_or_else(|| Source::new("", "")),
        }))
    }
}

/// The form of a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Form {
    /// What numbers it computes with.
    pub numbers: Numbers,
    /// The integers of what is rounded, in a network that computes with them.
    pub levels: Integers,
    /// How many images it takes.
    pub batch: Batch,
    /// Whether height and width are open.
    pub open_size: bool,
    /// What its inputs hold.
    pub inputs: InputType,
    /// What it answers in the place of each output.
    pub answers: Vec<Answer>,
    /// What it normalises itself, by input, the channels in the order of the file.
    pub normalised: Vec<Normalisation>,
    /// Whether the channels of its inputs are in reverse order.
    pub is_reversed: bool,
    /// Whether it has no names but those of its ports.
    pub lean: bool,
}

impl Form {
    /// The key of the file's metadata under which stands what is answered in the place of outputs, as a JSON object.
    pub const ANSWERS: &'static str = "nasc.answers";
    /// That under which stands in which order the channels of inputs are, if not in that of the training; and that order.
    pub const CHANNELS: &'static str = "nasc.channels";
    /// As `CHANNELS`.
    pub const REVERSED: &'static str = "reversed";

    /// What the file's metadata say of it, if there is something to say: how outputs of a network are answered, in which order
    /// channels are.
    pub fn metadata(&self, network: &Network) -> impl Iterator<Item = (String, String)> {
        let answers = network.outputs.iter().zip(&self.answers);
        let answers = answers.filter(|(_, answer)| **answer != Answer::Values);
        let answers: serde_json::Map<String, serde_json::Value> =
            answers.map(|(port, answer)| (port.name.clone(), answer.to_string().into())).collect();
        let is_answered = !answers.is_empty();
        let answers = (Self::ANSWERS, serde_json::Value::Object(answers).to_string());
        let channels = (Self::CHANNELS, Self::REVERSED.to_owned());
        let all = [(answers, is_answered), (channels, self.is_reversed)];
        let told = all.into_iter().filter(|(_, is_told)| *is_told);
        told.map(|((key, value), _)| (key.to_owned(), value))
    }

    /// Whether the first output is answered as it is, so that a metric can be told.
    #[must_use]
    pub fn answers_values(&self) -> bool {
        self.answers.first().is_none_or(|answer| *answer == Answer::Values)
    }

    /// How far it may be from the reference by default.
    #[must_use]
    pub fn tolerance(&self) -> Tolerance {
        match self.numbers {
            Numbers::Float => Tolerance::Export,
            Numbers::Half => Tolerance::Coarse,
        }
    }

    /// Normalised images of an input, `[N, C, H, W]`, as the file takes them: raw numbers where it normalises itself, and in
    /// its order of channels.
    #[must_use]
    pub fn given(&self, input: &str, normalised: &Tensor) -> Tensor {
        let positions: usize =
            normalised.dims.iter().skip(2).map(|&size| size as usize).product::<usize>().max(1);
        let channels = normalised.dims.get(1).map_or(1, |&channels| channels as usize).max(1);
        let mut floats = Vec::new();
        for image in normalised.floats().unwrap_or_default().chunks(channels * positions) {
            let planes = image.chunks(positions);
            let planes: Vec<&[f32]> =
                if self.is_reversed { planes.rev().collect() } else { planes.collect() };
            floats.extend(planes.concat());
        }
        if let Some(by) = self.normalised.iter().find(|by| by.input == input) {
            for (number, x) in floats.iter_mut().enumerate() {
                let channel = number / positions % channels;
                let of = |all: &[f32]| all.get(channel).copied().unwrap_or_default();
                *x = (*x * of(&by.std) + of(&by.mean)) * by.white as f32;
                if self.inputs == InputType::Byte {
                    *x = x.round().clamp(0.0, 255.0);
                }
            }
        }
        Tensor::of_floats(normalised.dims.clone(), floats)
    }
}

fn batch(text: &str) -> Result<FileBatch, String> {
    if text == "dynamic" {
        return Ok(FileBatch(Batch::Open));
    }
    let images = text.parse().map_err(|_| "give a number from 1 on, or `dynamic`".to_owned())?;
    Ok(FileBatch(Batch::Of(images)))
}

fn renaming(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => {
            Ok((old.to_owned(), new.to_owned()))
        }
        _ => Err("write `NAME=NEW`, such as `image=data`".to_owned()),
    }
}

impl NormaliseArg {
    /// Means and deviations, if it gives them.
    #[must_use]
    pub fn given(&self) -> Option<(&[f32], &[f32])> {
        self.0.as_ref().map(|(mean, std)| (mean.as_slice(), std.as_slice()))
    }
}

impl FromStr for NormaliseArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let numbers = |list: &str| -> Option<Vec<f32>> {
            list.split(',').map(|number| number.trim().parse().ok()).collect()
        };
        let parts =
            text.split_once('/').and_then(|(mean, std)| Some((numbers(mean)?, numbers(std)?)));
        let is_sound = |(mean, std): &(Vec<f32>, Vec<f32>)| {
            mean.len() == std.len()
                && mean.iter().chain(std).all(|x| x.is_finite())
                && std.iter().all(|&std| std > 0.0)
        };
        let parts = parts.filter(is_sound).ok_or(
            "write as many means as deviations above 0, such as `0.485,0.456,0.406/0.229,0.224,0.225`",
        )?;
        Ok(Self(Some(parts)))
    }
}

impl FromStr for AnswerArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (output, answer) = match text.split_once('=') {
            Some((output, answer)) => (Some(output.to_owned()), answer),
            None => (None, text),
        };
        let answer = match answer {
            "softmax" => Some(Answer::Softmax),
            "argmax" => Some(Answer::ArgMax),
            _ => answer
                .strip_prefix("top")
                .and_then(|k| k.parse::<NonZeroU32>().ok())
                .map(Answer::Top),
        };
        let answer =
            answer.ok_or("write `softmax`, `argmax`, or `top` and a number, such as `top5`")?;
        Ok(Self { output, answer })
    }
}

/// A model in the form that the options ask for, that form, and what the file then expects of its inputs.
///
/// # Errors
/// The options name ports that the network lacks, or a normalisation that is not known or of other channels.
pub fn formed(
    args: &FormArgs,
    model: Model,
    numbers: Numbers,
    expected: Option<Expected>,
) -> Result<(Model, Form, Option<Expected>), Failure> {
    let answers = answers(args, &model)?;
    check_batch(args, &model.network)?;
    let normalisations = normalisations(args, &model, expected.as_ref())?;
    let (mut model, mut expected) = (model, expected);
    for by in &normalisations {
        model = normalise(model, by);
    }
    if !normalisations.is_empty() {
        // Where nothing is known of the data, it is known that the numbers of pictures are taken as they are.
        let known = expected.or_else(|| Expected::of_pictures(&model.network));
        expected = known.map(Expected::of_raw_numbers);
    }
    let mut normalised = normalisations;
    if args.channel_order == ChannelOrder::Bgr {
        let inputs: Vec<String> =
            model.network.inputs.iter().map(|port| port.name.clone()).collect();
        model = inputs.iter().fold(model, |model, input| reverse_channels(model, input));
        expected = expected.map(Expected::reversed);
        for by in &mut normalised {
            by.mean.reverse();
            by.std.reverse();
        }
    }
    let is_normalised = expected.as_ref().is_some_and(|expected| !expected.is_of_raw_numbers());
    if args.input_type == FileInput::Uint8 && is_normalised {
        return Err(Failure::input(
            "--input-type uint8: bytes are not normalised, and the network was trained on numbers that are: let the file do \
             that by `--normalise`",
        ));
    }
    rename(args, &mut model, &mut normalised, &mut expected)?;
    let form = Form {
        numbers,
        levels: Integers::default(),
        batch: args.batch.0,
        open_size: args.size == FileSize::Dynamic,
        inputs: match args.input_type {
            FileInput::Float => InputType::Float,
            FileInput::Uint8 => InputType::Byte,
        },
        answers,
        normalised,
        is_reversed: args.channel_order == ChannelOrder::Bgr,
        lean: args.lean,
    };
    Ok((model, form, expected))
}

/// Refuses a batch whose numbers no machine holds.
fn check_batch(args: &FormArgs, network: &Network) -> Result<(), Failure> {
    let Batch::Of(images) = args.batch.0 else { return Ok(()) };
    let ports = network.inputs.iter().chain(&network.outputs);
    let of_port = |port| network.port_shape(port).elements().saturating_mul(images.get().into());
    let numbers = ports.map(of_port);
    match numbers.max() {
        Some(most) if most > MOST => Err(Failure::input(format!(
            "--batch: {images} images at once have {most} numbers, and {MOST} are the most; `dynamic` leaves it open"
        ))),
        _ => Ok(()),
    }
}

fn answers(args: &FormArgs, model: &Model) -> Result<Vec<Answer>, Failure> {
    let outputs = &model.network.outputs;
    let mut answers = vec![Answer::Values; outputs.len()];
    for AnswerArg { output, answer } in &args.answer {
        let asked = |name: &str| output.as_deref().is_none_or(|output| output == name);
        let mut any = false;
        for (port, own) in outputs.iter().zip(&mut answers).filter(|(port, _)| asked(&port.name)) {
            any = true;
            let channels = model.network.port_shape(port).channels();
            if let Answer::Top(most) = answer
                && most.get() > channels
            {
                return Err(Failure::input(format!(
                    "--answer: the {most} largest of `{}` are asked for, which has {channels} channels",
                    port.name
                )));
            }
            *own = *answer;
        }
        if !any {
            let names: Vec<String> =
                outputs.iter().map(|port| format!("`{}`", port.name)).collect();
            return Err(Failure::input(format!(
                "--answer: the network has no output `{}`; it has {}",
                output.as_deref().unwrap_or_default(),
                names.join(", ")
            )));
        }
    }
    Ok(answers)
}

/// What each input is normalised by, if the file does it.
fn normalisations(
    args: &FormArgs,
    model: &Model,
    expected: Option<&Expected>,
) -> Result<Vec<Normalisation>, Failure> {
    let Some(NormaliseArg(given)) = &args.normalise else { return Ok(Vec::new()) };
    let all: Vec<Normalisation> = match (given, expected) {
        (Some((mean, std)), _) => {
            let of = |port: &nas_ir::network::Port| Normalisation {
                input: port.name.clone(),
                white: WHITE,
                mean: mean.clone(),
                std: std.clone(),
            };
            model.network.inputs.iter().map(of).collect()
        }
        (None, Some(expected)) => {
            expected.inputs().iter().map(|input| input.normalisation(WHITE)).collect()
        }
        (None, None) => {
            return Err(Failure::input(
                "--normalise: nothing is known of the data, because no `input.json` lies beside the weights; give means and \
                 deviations, such as `--normalise=0.485,0.456,0.406/0.229,0.224,0.225`",
            ));
        }
    };
    for by in &all {
        let port = model.network.inputs.iter().find(|port| port.name == by.input);
        let channels = port.map(|port| model.network.port_shape(port).channels());
        if channels.is_some_and(|channels| channels as usize != by.mean.len()) {
            return Err(Failure::input(format!(
                "--normalise: input `{}` has {} channels, and the means are {}",
                by.input,
                channels.unwrap_or_default(),
                by.mean.len()
            )));
        }
    }
    Ok(all)
}

/// Gives ports their new names, all at once.
fn rename(
    args: &FormArgs,
    model: &mut Model,
    normalised: &mut [Normalisation],
    expected: &mut Option<Expected>,
) -> Result<(), Failure> {
    let Network { inputs, outputs, .. } = &mut model.network;
    let has = |old: &String| inputs.iter().chain(outputs.iter()).any(|port| port.name == *old);
    if let Some((old, _)) = args.rename.iter().find(|(old, _)| !has(old)) {
        return Err(Failure::input(format!(
            "--rename: the network has no input or output `{old}`"
        )));
    }
    for port in inputs.iter_mut().chain(outputs.iter_mut()) {
        port.name = args.renamed(&port.name).to_owned();
    }
    let mut names = BTreeSet::new();
    if let Some(port) = inputs.iter().chain(outputs.iter()).find(|port| !names.insert(&port.name)) {
        return Err(Failure::problem(EmitError::DuplicateName { name: port.name.clone() }));
    }
    for by in normalised {
        by.input = args.renamed(&by.input).to_owned();
    }
    *expected =
        expected.take().map(|expected| expected.renamed(|name| args.renamed(name).to_owned()));
    Ok(())
}
