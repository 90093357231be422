//! Steps of training on pictures, labels and mixtures that are given: the same code that a search and a retraining run,
//! without a data set, for benchmarks and to compare what it computes with other programs.

use nas_ir::recipe::Training;
use nas_ir::{Checked, Elements, Network, Space, Task, Tensor as Plain, Weights};
use nas_search::shared::{Adam, Mixing};
use tch::{Device, Tensor};

use crate::backend::Options;
use crate::error::TorchError;
use crate::forecast::Fit;
use crate::fused::Part;
use crate::layout::{channels_last, of_plain, on};
use crate::mixing::Mix;
use crate::mixture::{Mixture, Settings};
use crate::network::TorchNetwork;
use crate::optimizer::{Gradients, Optimizer};
use crate::parameters::{Parameters, plain};
use crate::passes::TrainBatch;
use crate::schedule::Schedule;
use crate::statistics::Statistics;
use crate::task::{Criterion, DeviceTargets};
use crate::trainable::gradients;
use crate::training_loss::TrainingLoss;

/// Weights are loaded, so that it decides nothing.
const SEED: u64 = 0;

/// What a decision does in the steps.
#[derive(Debug, Clone, PartialEq)]
pub enum Mixed {
    /// The weighted sum of all candidates: weights `[N, candidates]` for so many pictures.
    Weights(Plain),
    /// One candidate for all pictures.
    Candidate(usize),
}

/// A supernet or a network on a device, and what its steps are on.
pub struct Rehearsal {
    trained: Trained,
    criterion: Criterion,
    rate: f64,
    device: Device,
    pictures: Vec<Tensor>,
    targets: Option<DeviceTargets>,
    mixed: Vec<Mixed>,
    /// Steps that were made.
    steps: usize,
}

/// What learns.
enum Trained {
    Supernet(Box<Mixture>),
    Network { network: Box<TorchNetwork>, schedule: Schedule, optimizer: Box<Optimizer> },
}

impl Rehearsal {
    /// The supernet of a space for a task. What the training says of an average or of accumulation holds here, too.
    ///
    /// # Errors
    /// The space has no task or is too entangled, or memory is short.
    pub fn of_supernet(
        space: &Checked<Space>,
        training: &Training,
        options: Options,
    ) -> Result<Self, TorchError> {
        let Options { device, clip, fuses, .. } = options.in_use();
        let adam = Adam { beta1: 0.0, beta2: 0.0, decay: 0.0 };
        let (mixing, of, seed) = (Mixing::Soft, training.clone(), SEED);
        let settings = Settings { mixing, adam, training: of, clip, seed, device, fuses };
        let mixture = Mixture::new(space, settings)?;
        mixture.parameters.require_gradients(true)?;
        Self::new(Trained::Supernet(Box::new(mixture)), space.task, (training, device))
    }

    /// One network for a task, in training, likewise.
    ///
    /// # Errors
    /// The network has no task, or memory is short.
    pub fn of_network(
        network: &Network,
        training: &Training,
        options: Options,
    ) -> Result<Self, TorchError> {
        let Options { device, clip, fuses, .. } = options.in_use();
        let task = network.task;
        let network = TorchNetwork::in_training(network, None, SEED, device)?.fusing(fuses);
        let network = Box::new(network.training_in(training.precision));
        network.parameters.require_gradients(true)?;
        let schedule = Schedule::in_training(&network.program)?;
        let optimizer = Box::new(Optimizer::new(&network.parameters, training, clip)?);
        Self::new(Trained::Network { network, schedule, optimizer }, task, (training, device))
    }

    fn new(
        trained: Trained,
        task: Option<Task>,
        (training, device): (&Training, Device),
    ) -> Result<Self, TorchError> {
        let criterion = Criterion::of(task.ok_or_else(|| TorchError::broken("there is no task"))?);
        let (rate, pictures, mixed) = (training.rate.at(0, 1), Vec::new(), Vec::new());
        Ok(Self { trained, criterion, rate, device, pictures, targets: None, mixed, steps: 0 })
    }

    /// The same, which computes so many layers again in the backward pass instead of keeping them: the first in the order in
    /// which [`Options::memory`](crate::Options::memory) gives them up, all if there are fewer. It computes the same.
    ///
    /// # Errors
    /// A fault of this crate.
    pub fn recomputing(self, layers: usize) -> Result<Self, TorchError> {
        self.fitting(Fit { layers, parts: 1 })
    }

    /// The same, which learns from each batch in so many parts.
    ///
    /// # Errors
    /// A fault of this crate.
    pub fn in_parts(self, parts: usize) -> Result<Self, TorchError> {
        self.fitting(Fit { layers: 0, parts })
    }

    fn fitting(self, fit: Fit) -> Result<Self, TorchError> {
        let trained = match self.trained {
            Trained::Supernet(mixture) => Trained::Supernet(Box::new(mixture.fitting(fit)?)),
            Trained::Network { network, schedule, optimizer } => {
                let network = Box::new(network.fitting(fit)?);
                Trained::Network { network, schedule, optimizer }
            }
        };
        Ok(Self { trained, ..self })
    }

    /// The same, where a part of what has operators computed together is left out: what that gains is seen beside the whole.
    ///
    /// # Errors
    /// A fault of this crate.
    pub fn without(self, part: Part) -> Result<Self, TorchError> {
        let trained = match self.trained {
            Trained::Supernet(mixture) => Trained::Supernet(Box::new(mixture.without(part)?)),
            Trained::Network { network, schedule, optimizer } => {
                let network = Box::new(network.without(part)?);
                Trained::Network { network, schedule, optimizer }
            }
        };
        Ok(Self { trained, ..self })
    }

    fn parameters(&self) -> &Parameters {
        match &self.trained {
            Trained::Supernet(mixture) => &mixture.parameters,
            Trained::Network { network, .. } => &network.parameters,
        }
    }

    /// The values of all parameters by name, running statistics included.
    ///
    /// # Errors
    /// libtorch fails.
    pub fn weights(&self) -> Result<Weights, TorchError> {
        let mut weights = Weights::new();
        self.parameters().save(&mut weights)?;
        Ok(weights)
    }

    /// Takes the values of all parameters by name; what an optimiser keeps of them stays.
    ///
    /// # Errors
    /// A tensor is missing or has other sizes.
    pub fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        match &mut self.trained {
            Trained::Supernet(mixture) => mixture.parameters.load(weights),
            Trained::Network { network, .. } => network.load(weights),
        }
    }

    /// The steps from now on are on these pictures `[N, C, H, W]` of each input and their labels, whole numbers, or values.
    ///
    /// # Errors
    /// The elements do not fill the sizes.
    pub fn show(&mut self, pictures: &[Plain], targets: &Plain) -> Result<(), TorchError> {
        let pictures =
            pictures.iter().map(|picture| channels_last(&on(self.device, of_plain(picture)?)?));
        self.pictures = pictures.collect::<Result<_, TorchError>>()?;
        let values = match &targets.elements {
            Elements::I64(labels) => {
                let sizes: Vec<i64> = targets.dims.iter().map(|&size| i64::from(size)).collect();
                Tensor::f_from_slice(labels)?.f_view(sizes.as_slice())?
            }
            _ => of_plain(targets)?,
        };
        let values = on(self.device, values)?;
        self.targets = Some(DeviceTargets { values, criterion: self.criterion });
        Ok(())
    }

    /// The steps from now on mix the candidates of each decision of a supernet so.
    pub fn mix(&mut self, mixed: Vec<Mixed>) {
        self.mixed = mixed;
    }

    /// Makes a step, as training does; returns the loss before it.
    ///
    /// # Errors
    /// Nothing was shown, or libtorch fails.
    pub fn step(&mut self) -> Result<f64, TorchError> {
        let mixes = self.mixes()?;
        let Self { trained, pictures, targets, rate, steps, .. } = self;
        let batch = batch(pictures, targets.as_ref(), *rate, *steps)?;
        *steps += 1;
        match trained {
            Trained::Supernet(mixture) => mixture.mixed_step(&batch, mixes),
            Trained::Network { network, schedule, optimizer } => {
                let (gradients, learned) = gradients(network, schedule, Statistics::Learn, &batch)?;
                optimizer.take_in(&network.parameters, gradients, batch.turn())?;
                learned.value(&batch)
            }
        }
    }

    /// The loss, and its gradients by the names of the parameters that it depends on. The running statistics move, the
    /// weights stay.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn gradients(&self) -> Result<(f64, Weights), TorchError> {
        let batch = batch(&self.pictures, self.targets.as_ref(), self.rate, self.steps)?;
        let (gradients, learned) = match &self.trained {
            Trained::Supernet(mixture) => mixture.mixed_gradients(&batch, self.mixes()?)?,
            Trained::Network { network, schedule, .. } => {
                gradients(network, schedule, Statistics::Learn, &batch)?
            }
        };
        Ok((learned.value(&batch)?, self.named(&gradients)?))
    }

    fn named(&self, gradients: &Gradients) -> Result<Weights, TorchError> {
        let parts = gradients.parts()?.into_iter().map(|(id, values)| {
            let spec = self.parameters().spec(id)?;
            Ok((spec.name.clone(), plain(&values, &spec.dims)?))
        });
        parts.collect()
    }

    fn mixes(&self) -> Result<Vec<Mix>, TorchError> {
        self.mixed.iter().map(|mixed| mix(mixed, self.device)).collect()
    }
}

fn mix(mixed: &Mixed, device: Device) -> Result<Mix, TorchError> {
    match mixed {
        Mixed::Candidate(candidate) => Ok(Mix::One { candidate: *candidate, factor: None }),
        Mixed::Weights(weights) => {
            let weights = on(device, of_plain(weights)?)?.f_unbind(1)?;
            Ok(Mix::Soft { candidates: (0..weights.len()).collect(), weights })
        }
    }
}

fn batch<'a>(
    inputs: &'a [Tensor],
    targets: Option<&'a DeviceTargets>,
    rate: f64,
    step: usize,
) -> Result<TrainBatch<'a>, TorchError> {
    let missing = || TorchError::broken("a step without pictures");
    Ok(TrainBatch {
        inputs,
        targets: targets.ok_or_else(missing)?,
        blend: None,
        loss: &TrainingLoss::PLAIN,
        taught: None,
        temperature: 1.0,
        rate,
        drop_path: 0.0,
        epoch: 0,
        step,
        draws: step,
        // The pass goes on.
        of: usize::MAX,
        seed: SEED,
    })
}
