//! An exported file in an engine, on the images of a data set.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use nas_ir::{DType, Elements, Network, Tensor};
use nas_passes::model::Normalisation;
use nas_search::Metrics;
use nas_search::evaluator::Split;
use nasc::render::bar::Bar;
use nasc::render::report::Failure;
use nasc::services::expected::Expected;
use nasc::services::form::Form;
use nasc::services::runner::Runner;

use crate::training::{Training, stopped};

/// What bytes stand for that are white.
const WHITE: f64 = 255.0;

/// A file, what runs it, and how images become what it takes.
pub(crate) struct FileEngine<'a> {
    path: PathBuf,
    bytes: Vec<u8>,
    runner: Option<&'a Runner>,
    /// For each input, what training does to images, and what is to be done for the file.
    inputs: Vec<Given>,
    /// Whether it takes channels in reverse order.
    is_reversed: bool,
    /// What is answered in the place of outputs, by their names.
    answers: HashMap<String, String>,
    /// The sizes of what the network answers for an image.
    wanted: Vec<u32>,
    /// tract, for so many images at once.
    loaded: HashMap<u32, nas_tract::Model>,
}

/// An input of the file.
struct Given {
    trained: Normalisation,
    expected: Option<Normalisation>,
}

impl<'a> FileEngine<'a> {
    /// A file with these bytes that was exported of a network of this training.
    ///
    /// # Errors
    /// It is no ONNX file.
    pub(crate) fn new(
        path: &Path,
        bytes: Vec<u8>,
        runner: Option<&'a Runner>,
        training: &Training,
        network: &Network,
    ) -> Result<Self, Failure> {
        Ok(Self { path: path.to_owned(), runner, ..Self::of_bytes(bytes, training, network)? })
    }

    /// The bytes of such a file, in tract.
    ///
    /// # Errors
    /// They are no ONNX file.
    pub(crate) fn of_bytes(
        bytes: Vec<u8>,
        training: &Training,
        network: &Network,
    ) -> Result<Self, Failure> {
        let trained = training.expected(network)?;
        let own = nas_onnx::metadata(&bytes, Expected::KEY).map_err(Failure::problem)?;
        let own: Option<Expected> = own.and_then(|own| serde_json::from_str(&own).ok());
        let inputs =
            trained.iter().flat_map(Expected::inputs).enumerate().map(|(place, trained)| {
                let own = own.as_ref().and_then(|own| own.inputs().get(place));
                Given {
                    trained: trained.normalisation(WHITE),
                    expected: own.map(|own| own.normalisation(WHITE)),
                }
            });
        let inputs = inputs.collect();
        let is_reversed = nas_onnx::metadata(&bytes, Form::CHANNELS).map_err(Failure::problem)?;
        let is_reversed = is_reversed.is_some_and(|order| order == Form::REVERSED);
        let answers = nas_onnx::metadata(&bytes, Form::ANSWERS).map_err(Failure::problem)?;
        let answers = answers.and_then(|answers| serde_json::from_str(&answers).ok());
        let answers = answers.unwrap_or_default();
        let wanted = network.outputs.first().map(|port| network.port_shape(port).dims().to_vec());
        let wanted = wanted.unwrap_or_default();
        let (path, loaded) = (PathBuf::new(), HashMap::new());
        Ok(Self { path, bytes, runner: None, inputs, is_reversed, answers, wanted, loaded })
    }

    /// What the file answers for normalised images `[N, C, H, W]` of each input: its first output.
    fn answer(&mut self, images: &[Tensor]) -> Result<Tensor, Failure> {
        let count = images.first().and_then(|images| images.dims.first().copied()).unwrap_or(1);
        let sizes: Vec<Vec<u32>> = images.iter().map(|images| images.dims.clone()).collect();
        let loaded = self.loaded(&sizes, count)?;
        let at_once = loaded.inputs().first().and_then(|port| port.dims.first().copied());
        let at_once = at_once.unwrap_or(1).max(1);
        let types: Vec<DType> = loaded.inputs().iter().map(|port| port.dtype).collect();
        let mut answers: Option<Tensor> = None;
        for first in (0..count).step_by(at_once as usize) {
            let inputs: Vec<Tensor> = images
                .iter()
                .zip(&types)
                .enumerate()
                .map(|(place, (images, dtype))| {
                    self.given(place, &part(images, first, at_once), *dtype)
                })
                .collect();
            let outputs = match self.runner {
                Some(runner) => runner.run(&self.path, &inputs)?,
                None => self.loaded(&sizes, count)?.run(&inputs).map_err(Failure::problem)?,
            };
            let answer = outputs.into_iter().next();
            let answer = answer.ok_or_else(|| Failure::input("the file has no output"))?;
            let Some(floats) = answer.floats() else {
                return Err(self.unscorable(&format!("answers by numbers of {}", answer.dtype())));
            };
            if answer.dims.split_first() != Some((&at_once, self.wanted.as_slice())) {
                return Err(self.other_answer(&answer.dims));
            }
            let wanted = (count - first).min(at_once);
            let each = floats.len() / at_once.max(1) as usize;
            let floats = floats.iter().take(each * wanted as usize);
            let mut dims = answer.dims.clone();
            dims.iter_mut().take(1).for_each(|batch| *batch = count);
            let all = answers.get_or_insert_with(|| Tensor::of_floats(dims, Vec::new()));
            all.floats_mut().into_iter().for_each(|all| all.extend(floats.clone()));
        }
        answers.ok_or_else(|| Failure::input("there are no images"))
    }

    fn other_answer(&self, dims: &[u32]) -> Failure {
        let (path, wanted) = (self.path.display(), &self.wanted);
        Failure::input(format!(
            "{path} answers {dims:?}, and the network {wanted:?} for each image: its first output is scored, which has to have the same classes or values, in the same size"
        ))
    }

    fn unscorable(&self, why: &str) -> Failure {
        let path = self.path.display();
        Failure::input(format!(
            "{path} {why}; what is scored are the values themselves, of a file without `--answer`"
        ))
    }

    /// tract with the file, for so many images at once where it leaves that open.
    fn loaded(&mut self, sizes: &[Vec<u32>], count: u32) -> Result<&nas_tract::Model, Failure> {
        if !self.loaded.contains_key(&count) {
            let model = nas_tract::Model::load_for(&self.bytes, sizes).map_err(Failure::problem)?;
            let first = model.outputs().first().map_or("", |port| &port.name);
            if let Some(answer) = self.answers.get(first) {
                return Err(self.unscorable(&format!("answers `{first}` by {answer}")));
            }
            self.loaded.insert(count, model);
        }
        self.loaded.get(&count).ok_or(Failure::Reported)
    }

    /// Normalised images as the file takes them.
    fn given(&self, place: usize, images: &Tensor, dtype: DType) -> Tensor {
        let Some(input) = self.inputs.get(place) else { return images.clone() };
        let positions: usize = images.dims.iter().skip(2).map(|&size| size as usize).product();
        let positions = positions.max(1);
        let channels = images.dims.get(1).map_or(1, |&channels| channels as usize).max(1);
        let of =
            |all: &[f32], channel: usize| f64::from(all.get(channel).copied().unwrap_or_default());
        let mut floats: Vec<f32> = Vec::new();
        for image in images.floats().unwrap_or_default().chunks(channels * positions) {
            let mut planes: Vec<Vec<f32>> = Vec::new();
            for (channel, plane) in image.chunks(positions).enumerate() {
                let own = &input.trained;
                let raw = |x: f32| {
                    (f64::from(x) * of(&own.std, channel) + of(&own.mean, channel)) * own.white
                };
                let file = |x: f32| match &input.expected {
                    None => x,
                    Some(file) => {
                        // Statistics of the file are in the order of its channels.
                        let at = if self.is_reversed { channels - 1 - channel } else { channel };
                        ((raw(x) / file.white - of(&file.mean, at)) / of(&file.std, at)) as f32
                    }
                };
                planes.push(plane.iter().map(|&x| file(x)).collect());
            }
            if self.is_reversed {
                planes.reverse();
            }
            floats.extend(planes.concat());
        }
        let elements = match dtype {
            DType::U8 => Elements::U8(
                floats.into_iter().map(|x| x.round().clamp(0.0, 255.0) as u8).collect(),
            ),
            _ => Elements::F32(floats),
        };
        Tensor { dims: images.dims.clone(), elements }
    }
}

/// So many images from one on; where there are fewer, the last one stands for those that lack.
fn part(images: &Tensor, first: u32, count: u32) -> Tensor {
    let floats = images.floats().unwrap_or_default();
    let all = images.dims.first().copied().unwrap_or(1).max(1);
    let each = floats.len() / all as usize;
    let image = |number: u32| floats.chunks(each.max(1)).nth(number.min(all - 1) as usize);
    let numbers: Vec<f32> = (first..first + count).filter_map(image).flatten().copied().collect();
    let mut dims = images.dims.clone();
    dims.iter_mut().take(1).for_each(|batch| *batch = count);
    Tensor::of_floats(dims, numbers)
}

/// The score of a file on a split.
///
/// # Errors
/// The images cannot be read, the engine fails, or the user stops it.
pub(crate) fn score_file(
    training: &Training,
    mut engine: FileEngine<'_>,
    split: Split,
) -> Result<Metrics, Failure> {
    let bar = Bar::new()?;
    let mut answer = |images: &[Tensor]| engine.answer(images).map_err(Failure::into_problem);
    let score = training
        .backend()?
        .score_engine(split, &mut answer, &mut |step| bar.step("score", step.done, step.of));
    bar.finish();
    score.map_err(stopped)
}
