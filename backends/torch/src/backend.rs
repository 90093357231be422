//! What a search trains, on libtorch: the traits of `nas_search`.

mod forecasts;

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use nas_data::{Dataset, OnSample, Survey};
use nas_ir::recipe::{Recipe, Retrain};
use nas_ir::{Checked, Network, Space, Task, Weights};
use nas_passes::specialise;
use nas_search::backend::{Backend, Proxies, TrainableNetwork};
use nas_search::evaluator::{OnStep, Part, Split, Stop};
use nas_search::shared::{Adam, Mixing, Relaxation, Relaxed, SharedWeights, Sharing};
use nas_search::task::{Trainable, trainable};
use nas_search::teacher::Teacher;
use nas_search::work::Work;
use nas_search::{Fault, Metrics};
use tch::Device;

use crate::beginning::{Beginnings, Fitting};
use crate::error::TorchError;
use crate::examples::plain_images;
use crate::forecast::Forecast;
use crate::loaders::{Loaders, pipeline, split_name};
use crate::mixture::{Mixture, Settings};
use crate::network::TorchNetwork;
use crate::passes::{Engine, failed, score};
use crate::patterns::Patterns;
use crate::profile::Profiler;
use crate::program::Program;
use crate::proxies::TorchProxies;
use crate::supernet::{Seats, TorchSupernet};
use crate::task::{classes, ignored_label, target_kind};
use crate::teaching::Teaching;
use crate::threads::{default_threads, use_threads};
use crate::trainable::TorchTrainable;
use crate::training_loss::{self, TrainingLoss};

/// How a run uses the machine, and what the recipe does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Where tensors live.
    pub device: Device,
    /// Threads of libtorch's kernels; [`default_threads`] if `None`. Another number may change the
    /// last digits of a result.
    pub threads: Option<u32>,
    /// Whether convolutions, batch norms and activations are computed together, where that is done. It changes the last
    /// digits of a result.
    pub fuses: bool,
    /// Bytes that training may take: where it would take more, layers that are computed together are computed again in the
    /// backward pass instead of being kept, as many as it needs, or all. What is computed is the same. None takes
    /// what it takes.
    pub memory: Option<u64>,
    /// Gradients of the weights whose norm is larger are scaled down to it (DARTS uses 5).
    pub clip: Option<f64>,
    /// Training batches over which the statistics of batch norm are taken before a network is
    /// scored with the weights of the supernet; 0 takes the supernet's running statistics. On
    /// the land-cover set, inherited weights then score 0.36 rather than 0.31 mIoU after a hard
    /// search and 0.26 rather than 0.19 after a soft one; more than two batches change little.
    pub estimate: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device: Device::Cpu,
            threads: None,
            fuses: true,
            memory: None,
            clip: Some(5.0),
            estimate: 4,
        }
    }
}

impl Options {
    /// The same, after the threads are set for the process, and memory is kept, until something gives it back.
    pub(crate) fn in_use(self) -> Self {
        nas_autograd::keep_memory();
        use_threads(self.threads());
        self
    }

    /// How many threads compute.
    fn threads(&self) -> u32 {
        self.threads.unwrap_or_else(default_threads)
    }
}

/// Trains the networks of one space by one recipe.
pub struct TorchBackend {
    space: Arc<Checked<Space>>,
    recipe: Recipe,
    dataset: Dataset,
    options: Options,
    trained: Trainable,
    begins_with: Beginnings,
    /// What training makes small, once it was made.
    training_loss: Rc<OnceCell<Rc<TrainingLoss>>>,
    teaching: Option<Teaching>,
    /// What notes what steps take.
    profiler: Option<Rc<Profiler>>,
}

impl TorchBackend {
    /// A backend for a space, a recipe and an opened data set. Sets the number of libtorch's
    /// threads for the whole process. Reads no image yet.
    ///
    /// # Errors
    /// The space is for no task that is trained here, the data set holds no targets for it, or says
    /// otherwise what its classes are, or how many channels its pictures have.
    pub fn new(
        space: Arc<Checked<Space>>,
        recipe: Recipe,
        dataset: Dataset,
        options: Options,
    ) -> Result<Self, TorchError> {
        let trained = trainable(&space)?;
        check_targets(&space, trained.task, &dataset)?;
        dataset.check_task(classes(trained.task), ignored_label(trained.task))?;
        training_loss::check(&recipe, trained.task)?;
        pipeline(&dataset, &recipe.data, &trained)?;
        let options = options.in_use();
        let (begins_with, training_loss) = (Beginnings::default(), Rc::default());
        let (teaching, profiler) = (None, None);
        Ok(Self {
            space,
            recipe,
            dataset,
            options,
            trained,
            begins_with,
            training_loss,
            teaching,
            profiler,
        })
    }

    /// The same, which begins with these weights as far as they fit.
    #[must_use]
    pub fn beginning_with(self, begins_with: Beginnings) -> Self {
        Self { begins_with, ..self }
    }

    /// The same, whose networks that are trained on their own learn from this teacher, too, as the recipe says.
    #[must_use]
    pub fn taught_by(self, teacher: Rc<dyn Teacher>) -> Self {
        let teaching = Teaching::new(teacher, &self.recipe.retrain.distillation);
        Self { teaching: Some(teaching), ..self }
    }

    /// The same, of which some steps are noted.
    #[must_use]
    pub fn profiled_by(self, profiler: Option<Rc<Profiler>>) -> Self {
        Self { profiler, ..self }
    }

    /// Whether what the recipe freezes is there: in the network that is trained, or where one is searched for, in the supernet
    /// and, for the retraining, in what networks have in training alone.
    ///
    /// # Errors
    /// The space is too entangled, or a pattern matches nothing.
    pub fn check_frozen(&self, network: Option<&Network>) -> Result<(), TorchError> {
        let Recipe { weights, retrain, .. } = &self.recipe;
        let of_search = weights.freeze.as_ref().filter(|_| network.is_none());
        if let Some(patterns) = of_search {
            check_frozen(patterns, &[self.program(None)?])?;
        }
        let Some(patterns) = &retrain.training.freeze else { return Ok(()) };
        if network.is_some() {
            return check_frozen(patterns, &[self.program(network)?]);
        }
        let any = specialise(&self.space, &self.space.first_assignment());
        check_frozen(patterns, &[self.program(None)?, self.program(Some(&any))?])
    }

    /// The program of a network in training, or of the supernet.
    fn program(&self, network: Option<&Network>) -> Result<Program, TorchError> {
        match network {
            Some(network) => Program::in_training(network, Some(self.trained.input())),
            None => Program::of_space(&self.space),
        }
    }

    /// How far weights fit a network in training, or the supernet.
    ///
    /// # Errors
    /// The space is too entangled, or not one tensor fits.
    pub fn fitting(
        &self,
        network: Option<&Network>,
        weights: &Weights,
    ) -> Result<Fitting, TorchError> {
        Fitting::of(self.program(network)?.parameters.rows(), weights)
    }

    /// Reads all files that a run reads, before it begins; `None` if `on_sample` ended it.
    ///
    /// # Errors
    /// A split is missing, or has no samples.
    pub fn survey(&self, on_sample: OnSample<'_>) -> Result<Option<Survey>, TorchError> {
        let pipeline = pipeline(&self.dataset, &self.recipe.data, &self.trained)?;
        Ok(self.dataset.survey(&self.dataset.splits(), &pipeline, on_sample)?)
    }

    fn loaders(&self, batch: u32, share: f64) -> Result<Loaders, TorchError> {
        let Self { dataset, recipe, trained, options, .. } = self;
        let loaders = Loaders::new(dataset, recipe, trained, batch, share, options.device)?;
        Ok(loaders.sharing(&self.training_loss).noting(self.profiler.clone()))
    }

    /// What stays the same while a supernet is trained.
    fn settings(&self, mixing: Mixing, adam: Adam) -> Settings {
        let Recipe { weights, seed, .. } = &self.recipe;
        let Options { clip, device, .. } = self.options;
        let fuses = self.options.fuses;
        Settings { mixing, adam, training: weights.clone(), clip, seed: *seed, device, fuses }
    }

    /// The supernet of the space, to be trained on networks that it is given.
    ///
    /// # Errors
    /// The space is too entangled, or out of memory.
    pub fn shared_supernet(&self, sharing: Sharing) -> Result<TorchSupernet, TorchError> {
        // Nothing is mixed, and no logits learn.
        let settings = self.settings(Mixing::Hard, Adam { beta1: 0.0, beta2: 0.0, decay: 0.0 });
        let mixture = Mixture::on_paths(&self.space, settings, sharing)?;
        let fitted = |memory| self.fitted_paths(sharing, memory);
        let fit = self.fit(fitted)?;
        let forecasts = [fitted(None)?.1, fitted(self.options.memory)?.1];
        self.supernet(mixture.fitting(fit)?, Part::All, 1.0, forecasts)
    }

    /// The supernet of the space with relaxed choices.
    ///
    /// # Errors
    /// As `shared_supernet`.
    pub fn relaxed_supernet(&self, relaxation: &Relaxation) -> Result<TorchSupernet, TorchError> {
        let Relaxation { mixing, optimizer, split } = *relaxation;
        let fitted = |memory| self.fitted_mixture(mixing, memory);
        let fit = self.fit(fitted)?;
        let forecasts = [fitted(None)?.1, fitted(self.options.memory)?.1];
        let mixture = Mixture::new(&self.space, self.settings(mixing, optimizer))?;
        self.supernet(mixture.fitting(fit)?, Part::Weights, split, forecasts)
    }

    fn supernet(
        &self,
        mut mixture: Mixture,
        trained_on: Part,
        share: f64,
        forecasts: [Forecast; 2],
    ) -> Result<TorchSupernet, TorchError> {
        if let Some(weights) = &self.begins_with.weights {
            mixture.begin_with(weights)?;
        }
        let loaders = self.loaders(self.recipe.data.batch, share)?;
        let (space, work) = (Arc::clone(&self.space), Work::default());
        let estimate = self.options.estimate;
        // A GPU has one queue of work.
        let most = if self.options.device.is_cuda() { 1 } else { self.options.threads() };
        let seats = Seats::new(forecasts, loaders.ahead("val")?, most, self.options.threads());
        Ok(TorchSupernet { space, mixture, loaders, trained_on, estimate, seats, work })
    }

    /// A network to be trained as the recipe's `retrain` says.
    ///
    /// # Errors
    /// Out of memory.
    pub fn trainable(&self, network: &Network) -> Result<TorchTrainable, TorchError> {
        let Recipe { retrain, seed, .. } = &self.recipe;
        let Options { clip, device, .. } = self.options;
        let fit = self.fit(|memory| self.fitted_network(network, memory))?;
        let mut network =
            TorchNetwork::in_training(network, Some(self.trained.input()), *seed, device)?
                .fusing(self.options.fuses)
                .fitting(fit)?;
        network.parameters.begin(retrain.training.initial, *seed)?;
        let loaders = self.loaders(retrain.batch, 1.0)?;
        let mut trainable =
            TorchTrainable::new(network, &retrain.training, clip, loaders, self.teaching.clone())?;
        if let Some(weights) = &self.begins_with.retrain {
            trainable.begin_with(weights)?;
        }
        Ok(trainable)
    }

    /// A network that rounds ([`Rounding`]), to be trained as the recipe's `retrain` says: it learns to compute with those
    /// numbers, and the steps of their grids with it. Batch norms that are left keep their running statistics. Its weights
    /// are to be loaded; beside those of the network these are the steps, by the names of [`nas_ir::grid`].
    ///
    /// [`Rounding`]: nas_ir::Rounding
    ///
    /// # Errors
    /// Out of memory.
    pub fn tuned(
        &self,
        network: &Network,
        powers_of_two: bool,
    ) -> Result<TorchTrainable, TorchError> {
        let Retrain { training, batch, .. } = &self.recipe.retrain;
        let Options { clip, device, .. } = self.options;
        let fed = Some(self.trained.input());
        let fit = self.fit(|memory| self.fitted_tuning(network, powers_of_two, memory))?;
        let network = TorchNetwork::learning(network, fed, powers_of_two, device)?
            .fusing(self.options.fuses)
            .fitting(fit)?;
        let loaders = self.loaders(*batch, 1.0)?;
        let trainable =
            TorchTrainable::new(network, training, clip, loaders, self.teaching.clone())?;
        Ok(trainable.with_fixed_statistics())
    }

    /// So many training images, always the same ones, without augmentation and in batches: a tensor `[N, C, H, W]` of each
    /// input.
    ///
    /// # Errors
    /// Unreadable data.
    pub fn training_images(
        &self,
        images: usize,
        batch: usize,
    ) -> Result<Vec<Vec<nas_ir::Tensor>>, TorchError> {
        let loaders = self.loaders(u32::try_from(batch).unwrap_or(1), 1.0)?;
        plain_images(&loaders, "train", images, batch)
    }

    /// The first validation images, each `[1, C, H, W]` for each input, normalised.
    ///
    /// # Errors
    /// Unreadable data.
    pub fn validation_images(&self, images: usize) -> Result<Vec<Vec<nas_ir::Tensor>>, TorchError> {
        plain_images(&self.loaders(1, 1.0)?, split_name(Split::Val), images, 1)
    }

    /// The score of another engine on a split: of what it answers on images `[N, C, H, W]` of each input, the values of the
    /// first output.
    ///
    /// # Errors
    /// The images cannot be read, the engine fails, or it is stopped.
    pub fn score_engine(
        &self,
        split: Split,
        answer: &mut dyn FnMut(&[nas_ir::Tensor]) -> Result<nas_ir::Tensor, Fault>,
        on_step: OnStep<'_>,
    ) -> Result<Metrics, Stop> {
        let loaders = self.loaders(self.recipe.retrain.batch, 1.0);
        let mut loaders = loaders.map_err(failed).map_err(Stop::boxed)?;
        let scored = score(&mut loaders, &mut Engine(answer), split, on_step);
        Ok(scored.map_err(Stop::boxed)?.0)
    }

    /// What computes proxies on the first batch of so many training images.
    ///
    /// # Errors
    /// Unreadable data, or out of memory.
    pub fn proxies_on(&self, images: u32) -> Result<TorchProxies, TorchError> {
        let batch = u64::from(images).min(self.images_of_training()?);
        let mut loaders = self.loaders(u32::try_from(batch).unwrap_or(images), 1.0)?;
        let upload = loaders.upload();
        let none = || TorchError::broken("there are no training images");
        let batch = loaders.part(Part::All)?.epoch(0).next().ok_or_else(none)??;
        let (inputs, targets) = upload.tensors(&batch)?;
        let (input, device) = (self.trained.input(), self.options.device);
        let Recipe { seed, retrain, .. } = &self.recipe;
        let (seed, initial) = (*seed, retrain.training.initial);
        Ok(TorchProxies { input, seed, initial, device, inputs, targets })
    }

    fn images_of_training(&self) -> Result<u64, TorchError> {
        Ok(self.dataset.split("train")?.len() as u64)
    }
}

/// A failure as the traits return it.
fn fault(error: TorchError) -> Fault {
    error.into()
}

/// Whether the data set holds what the task needs.
fn check_targets(space: &Space, task: Task, dataset: &Dataset) -> Result<(), TorchError> {
    let mut outputs = space.graph.outputs();
    let is_map = outputs.any(|(_, output)| output.shape.largest().is_spatial());
    let (needed, found) = (target_kind(task, is_map), dataset.kind);
    if needed == found {
        return Ok(());
    }
    let (space, task, root) = (space.name.clone(), task.describe(), dataset.root.clone());
    Err(TorchError::Targets { space, task, needed, root, found })
}

impl Backend for TorchBackend {
    fn shared(&self, sharing: Sharing) -> Result<Box<dyn SharedWeights>, Fault> {
        Ok(Box::new(self.shared_supernet(sharing).map_err(fault)?))
    }

    fn relaxed(&self, relaxation: &Relaxation) -> Result<Box<dyn Relaxed>, Fault> {
        Ok(Box::new(self.relaxed_supernet(relaxation).map_err(fault)?))
    }

    fn network(&self, network: Network) -> Result<Box<dyn TrainableNetwork>, Fault> {
        Ok(Box::new(self.trainable(&network).map_err(fault)?))
    }

    fn proxies(&self, images: u32) -> Result<Box<dyn Proxies>, Fault> {
        Ok(Box::new(self.proxies_on(images).map_err(fault)?))
    }

    fn training_images(&self) -> Result<u64, Fault> {
        self.images_of_training().map_err(fault)
    }

    fn has_test(&self) -> bool {
        self.dataset.splits().contains(&split_name(Split::Test))
    }
}

/// Whether each of some patterns matches a weight of one of these programs that could learn.
fn check_frozen(patterns: &str, programs: &[Program]) -> Result<(), TorchError> {
    let specs = programs.iter().flat_map(|program| program.parameters.rows());
    let learn = specs.filter(|spec| spec.role.is_trainable());
    let names: Vec<&str> = learn.map(|spec| spec.name.as_str()).collect();
    Patterns::of(patterns).check(&names)
}
