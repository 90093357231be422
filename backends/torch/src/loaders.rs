//! The loaders of a run, and the way of their batches to the device.

use std::cell::OnceCell;
use std::rc::Rc;

use nas_data::{Dataset, Fit, Input, Loader, LoaderOptions, Pipeline, Size, Target, Targets};
use nas_ir::recipe::{self, ClassLoss, Data, Recipe};
use nas_ir::{Shape, Task, fault};
use nas_search::evaluator::{Part, Split};
use nas_search::task::Trainable;
use tch::Device;

use crate::blend::Blending;
use crate::error::TorchError;
use crate::judge::Judging;
use crate::profile::Profiler;
use crate::task::{Criterion, classes, ignored, ignored_label};
use crate::training_loss::TrainingLoss;
use crate::upload::Upload;

/// The name of a split in the folder of a data set.
pub(crate) fn split_name(split: Split) -> &'static str {
    match split {
        Split::Val | Split::Ranking => "val",
        Split::Test => "test",
    }
}

/// The size of a picture.
fn size(input: Shape) -> Size {
    let [height, width] = input.plane().unwrap_or_else(|| fault("an input that is no picture"));
    Size { height, width }
}

/// How the images of the inputs of a network are read.
///
/// # Errors
/// The data set has statistics of other channels than an input.
fn inputs(dataset: &Dataset, trained: &Trainable) -> Result<Vec<Input>, TorchError> {
    let inputs = trained.inputs.iter();
    let inputs = inputs.map(|input| dataset.input(&input.name, input.shape.channels() as usize));
    Ok(inputs.collect::<Result<_, _>>()?)
}

/// What is done to the pictures of a training, for a network with these inputs; evaluation is derived from it.
///
/// # Errors
/// The data set has statistics of other channels than an input.
pub(crate) fn pipeline(
    dataset: &Dataset,
    data: &Data,
    trained: &Trainable,
) -> Result<Pipeline, TorchError> {
    let Trainable { task, times, .. } = *trained;
    let size = size(trained.input());
    let of = |[height, width]: [u32; 2]| Size { height, width };
    let channels = trained.input().channels() as usize;
    Ok(Pipeline {
        inputs: inputs(dataset, trained)?,
        values: classes(task),
        times,
        resize: Some(data.resize.map_or(size, of)),
        fit: match data.fit {
            recipe::Fit::Stretch => Fit::Stretch,
            recipe::Fit::Cover => Fit::Cover,
            recipe::Fit::Letterbox => Fit::Letterbox,
        },
        crop: Some(data.crop.map_or(size, of)),
        flip: data.flip,
        scale: data.scale.map(|[low, high]| (low as f32, high as f32)),
        pad: data.pad,
        operations: data.randaugment,
        magnitude: data.magnitude,
        jitter: data.jitter as f32,
        blur: data.blur as f32,
        cutout: data.cutout,
        ..dataset.pipeline(channels, classes(task), ignored_label(task))?
    })
}

/// The loaders of the parts and splits that a run trains and scores on, each made when first asked for.
///
/// Pictures are brought to one size first, in training as in scoring, so that things have one size in
/// both: that of the recipe, or of the network's input. The random scale and crop of training follow,
/// or the middle of them is scored.
pub(crate) struct Loaders {
    dataset: Dataset,
    /// For training; evaluation is derived from it.
    pipeline: Pipeline,
    input: Size,
    data: Data,
    /// Share of the training images for the weights, where choices learn on the rest.
    share: f64,
    pub(crate) seed: u64,
    criterion: Criterion,
    judging: Judging,
    device: Device,
    /// What training is to make small, of classes.
    class_loss: ClassLoss,
    /// What that comes to, once it was made: of one recipe and one data set it is the same for all networks.
    training_loss: Rc<OnceCell<Rc<TrainingLoss>>>,
    parts: [Option<Loader>; 3],
    splits: [Option<Loader>; 2],
    /// Of the validation images on which networks are compared.
    ranking: Option<Loader>,
    /// What notes what steps take.
    pub(crate) profiler: Option<Rc<Profiler>>,
}

impl Loaders {
    /// The loaders of a search, or with another size of batch those of a retraining. `share` of the
    /// training images are for the weights; where no choices learn, all.
    ///
    /// # Errors
    /// As [`pipeline`].
    pub(crate) fn new(
        dataset: &Dataset,
        recipe: &Recipe,
        trained: &Trainable,
        batch: u32,
        share: f64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let Recipe { data, seed, loss, .. } = recipe;
        let criterion = Criterion { task: trained.task, loss: loss.values };
        Ok(Self {
            dataset: dataset.clone(),
            pipeline: pipeline(dataset, data, trained)?,
            input: size(trained.input()),
            data: Data { batch, ..data.clone() },
            share,
            seed: *seed,
            criterion,
            judging: Judging {
                primary: recipe.metrics.primary,
                peak: f64::from(dataset.map.peak.unwrap_or(1.0)),
            },
            device,
            class_loss: loss.classes.clone(),
            training_loss: Rc::default(),
            parts: [None, None, None],
            splits: [None, None],
            ranking: None,
            profiler: None,
        })
    }

    /// The same, of whose steps this notes some.
    pub(crate) fn noting(self, profiler: Option<Rc<Profiler>>) -> Self {
        Self { profiler, ..self }
    }

    /// The same, which share with others of the recipe and the data set what training makes small.
    pub(crate) fn sharing(self, training_loss: &Rc<OnceCell<Rc<TrainingLoss>>>) -> Self {
        Self { training_loss: Rc::clone(training_loss), ..self }
    }

    /// The images.
    pub(crate) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// What is done to images that a network is scored on.
    pub(crate) fn evaluation(&self) -> Pipeline {
        self.pipeline.evaluation(self.input)
    }

    /// The batches of a part of the training images.
    pub(crate) fn part(&mut self, part: Part) -> Result<&Loader, TorchError> {
        let row = match part {
            Part::All => 0,
            Part::Weights => 1,
            Part::Choices => 2,
        };
        let missing = self.parts.get(row).is_some_and(Option::is_none);
        if missing {
            let train = self.dataset.split("train")?;
            let split = match part {
                Part::All => train,
                Part::Weights => train.divide(self.share, self.seed).0,
                Part::Choices => train.divide(self.share, self.seed).1,
            };
            let batch = self.data.batch as usize;
            let options = LoaderOptions {
                workers: self.data.workers as usize,
                ..LoaderOptions::training(batch, self.seed)
            };
            let loader = Loader::new(split, self.pipeline.clone(), options)?;
            if let Some(place) = self.parts.get_mut(row) {
                *place = Some(loader);
            }
        }
        let loader = self.parts.get(row).and_then(Option::as_ref);
        loader.ok_or_else(|| TorchError::broken("a loader was lost"))
    }

    /// The batches of validation or test images, of the size of the network's input.
    pub(crate) fn split(&mut self, split: Split) -> Result<&Loader, TorchError> {
        let row = match split {
            Split::Val => 0,
            Split::Ranking => return self.ranking(),
            Split::Test => 1,
        };
        if self.splits.get(row).is_some_and(Option::is_none) {
            let loader = self.evaluating(self.dataset.split(split_name(split))?)?;
            if let Some(place) = self.splits.get_mut(row) {
                *place = Some(loader);
            }
        }
        let loader = self.splits.get(row).and_then(Option::as_ref);
        loader.ok_or_else(|| TorchError::broken("a loader was lost"))
    }

    /// The batches of the validation images on which networks are compared.
    pub(crate) fn ranking(&mut self) -> Result<&Loader, TorchError> {
        if self.data.rank_on == 0 {
            return self.split(Split::Val);
        }
        if self.ranking.is_none() {
            let val = self.dataset.split(split_name(Split::Val))?;
            self.ranking = Some(self.evaluating(val.take(self.data.rank_on as usize))?);
        }
        self.ranking.as_ref().ok_or_else(|| TorchError::broken("a loader was lost"))
    }

    /// What evaluates on images, which are brought to the size of the network's input.
    fn evaluating(&self, images: nas_data::Split) -> Result<Loader, TorchError> {
        let workers = self.data.workers as usize;
        let options =
            LoaderOptions { workers, ..LoaderOptions::evaluation(self.data.batch as usize) };
        Ok(Loader::new(images, self.evaluation(), options)?)
    }

    /// Bytes of pictures that the loader of a split will hold: decoded ones for the next epoch, and batches
    /// that were read ahead.
    pub(crate) fn holds(&self, split: &str) -> Result<u64, TorchError> {
        let cached = LoaderOptions::evaluation(self.data.batch as usize).cache_bytes;
        let [decoded, _] = self.picture_bytes();
        let images = self.dataset.split(split)?.len() as u64;
        let decoded = images.saturating_mul(decoded).min(cached as u64);
        Ok(decoded.saturating_add(self.ahead(split)?))
    }

    /// Bytes of the batches of a split that are read ahead of whoever takes them.
    pub(crate) fn ahead(&self, split: &str) -> Result<u64, TorchError> {
        let images = self.dataset.split(split)?.len() as u64;
        let [_, batched] = self.picture_bytes();
        let ahead = images.min(u64::from(self.data.workers) * 2 * u64::from(self.data.batch));
        Ok(ahead.saturating_mul(batched))
    }

    /// Bytes of a picture with its label or values, decoded and in a batch.
    fn picture_bytes(&self) -> [u64; 2] {
        let area = |Size { height, width }| u64::from(height) * u64::from(width);
        let pixels = area(self.input);
        let resized = self.pipeline.resize.map_or(pixels, area);
        let channels: u64 = self.pipeline.inputs.iter().map(|input| input.channels() as u64).sum();
        // Where they are numbers, a picture has four bytes per channel and pixel, and so have the values of a map.
        let is_bytes = |input: &Input| input.scale.is_none() && [1, 3].contains(&input.channels());
        let width = if self.pipeline.inputs.iter().all(is_bytes) { 1 } else { 4 };
        let times = u64::from(self.pipeline.times);
        let map = match self.criterion.task {
            Task::Regression { values } => 4 * u64::from(values) * times * times,
            Task::Segmentation { .. } | Task::Classification { .. } | Task::Multilabel { .. } => 1,
        };
        // Of a batch a number per channel and pixel, and a label twice as long.
        let decoded = (width * channels + map).saturating_mul(resized);
        [decoded, (4 * channels + map.max(8)).saturating_mul(pixels)]
    }

    /// How the images of a batch are blended in training.
    pub(crate) fn blending(&self) -> Blending {
        Blending::of(&self.data)
    }

    /// What training makes small; made when first asked for.
    ///
    /// # Errors
    /// The recipe has weights of other classes, or the training images cannot be read of which it is made.
    pub(crate) fn training_loss(&self) -> Result<Rc<TrainingLoss>, TorchError> {
        if let Some(loss) = self.training_loss.get() {
            return Ok(Rc::clone(loss));
        }
        let loss = TrainingLoss::new(&self.class_loss, || self.label_counts(), self.device)?;
        Ok(Rc::clone(self.training_loss.get_or_init(|| Rc::new(loss))))
    }

    /// How many labels of each class the training images have, as they are without augmentation.
    fn label_counts(&self) -> Result<Vec<u64>, TorchError> {
        let images = self.dataset.split("train")?;
        let mut counts = vec![0_u64; classes(self.criterion.task)];
        let mut count = |class: Option<usize>| {
            let found = class.and_then(|class| counts.get_mut(class));
            found.into_iter().for_each(|count| *count += 1);
        };
        let of_images = images.samples().iter().map(|sample| match sample.target {
            Target::Class(class) => Some(class as usize),
            Target::ClassMap(_) | Target::Map(_) | Target::Vector(_) => None,
        });
        of_images.for_each(&mut count);
        if let Task::Segmentation { .. } = self.criterion.task {
            let ignore = ignored(self.criterion.task);
            let workers = self.data.workers as usize;
            let evaluation = LoaderOptions::evaluation(self.data.batch as usize);
            let options = LoaderOptions { workers, cache_bytes: 0, ..evaluation };
            let whole = Pipeline { crop: None, ..self.evaluation() };
            for batch in Loader::new(images, whole, options)?.epoch(0) {
                let Targets::ClassMaps(labels) = batch?.targets else { continue };
                let known = labels.into_iter().filter(|&label| label != ignore);
                known.map(|label| usize::try_from(label).ok()).for_each(&mut count);
            }
        }
        Ok(counts)
    }

    /// What turns batches into tensors.
    pub(crate) fn upload(&self) -> Upload {
        Upload { criterion: self.criterion, judging: self.judging, device: self.device }
    }
}
