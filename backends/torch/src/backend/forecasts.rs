//! What training takes of memory, and which layers it computes again in the backward pass to fit into what it may take.

use nas_ir::recipe::{Retrain, Training};
use nas_ir::{Network, Task};
use nas_search::shared::{Mixing, Relaxation, Sharing};
use nas_search::strategy::Method;
use tch::Device;

use super::{Options, TorchBackend};
use crate::error::TorchError;
use crate::forecast::{Fit, Forecast, Pictures, Trained, fitted};
use crate::mixture::{program, program_on_paths};
use crate::optimizer::held;
use crate::program::Program;
use crate::schedule::Schedule;

/// What is done to fit, and what training takes then.
type Fitted = Result<(Fit, Forecast), TorchError>;

/// One part of so many of a limit is left free: within one, up to a tenth more was taken than was forecast (`docs/forecast.md`).
const MARGIN: u64 = 20;

impl TorchBackend {
    /// What a search by this method takes of memory, where it may take so many bytes; nothing is allocated.
    ///
    /// # Errors
    /// A split is missing, or the space is too entangled.
    pub fn forecast_search(
        &self,
        method: &Method<'_>,
        memory: Option<u64>,
    ) -> Result<Forecast, TorchError> {
        match method {
            Method::Relaxed(Relaxation { mixing, .. }, _) => {
                Ok(self.fitted_mixture(*mixing, memory)?.1)
            }
            Method::Shared(sharing, _) => Ok(self.fitted_paths(*sharing, memory)?.1),
            Method::Alone(..) => self.forecast_retraining(None, memory),
        }
    }

    /// What a retraining takes: of a network, or of the network of the space that takes most.
    ///
    /// # Errors
    /// As `forecast_search`.
    pub fn forecast_retraining(
        &self,
        network: Option<&Network>,
        memory: Option<u64>,
    ) -> Result<Forecast, TorchError> {
        if let Some(network) = network {
            return Ok(self.fitted_network(network, memory)?.1);
        }
        let Retrain { batch, training, .. } = &self.recipe.retrain;
        let program = Program::of_space(&self.space)?;
        let of = |trained: &Trained<'_>| trained.greatest(&self.space);
        Ok(self.fitted(&program, self.batches_of(*batch, training), memory, of)?.1)
    }

    /// What the training of a network that learns to compute with integers takes.
    ///
    /// # Errors
    /// As `forecast_search`.
    pub fn forecast_tuning(
        &self,
        network: &Network,
        powers_of_two: bool,
        memory: Option<u64>,
    ) -> Result<Forecast, TorchError> {
        Ok(self.fitted_tuning(network, powers_of_two, memory)?.1)
    }

    /// What is done to fit, where something says how much memory there may be. If anything is, memory is short.
    pub(super) fn fit(
        &self,
        fitted: impl FnOnce(Option<u64>) -> Fitted,
    ) -> Result<Fit, TorchError> {
        let Some(memory) = self.options.memory else { return Ok(Fit::WHOLE) };
        let (fit, _) = fitted(Some(memory))?;
        if fit != Fit::WHOLE {
            nas_autograd::give_back_memory();
        }
        Ok(fit)
    }

    pub(super) fn fitted_mixture(&self, mixing: Mixing, memory: Option<u64>) -> Fitted {
        let pictures = self.batches_of(self.recipe.data.batch, &self.recipe.weights);
        let space = &self.space;
        let program = program(space, mixing)?;
        self.fitted(&program, pictures, memory, |trained| match mixing {
            // Where two paths run, no more is known than that all would be enough.
            Mixing::Soft | Mixing::Softmax | Mixing::TwoPaths => trained.mixture(space),
            Mixing::Masked => trained.masked(space),
            Mixing::Hard | Mixing::Reinforce { .. } => trained.greatest(space),
        })
    }

    pub(super) fn fitted_paths(&self, sharing: Sharing, memory: Option<u64>) -> Fitted {
        let pictures = self.batches_of(self.recipe.data.batch, &self.recipe.weights);
        let program = program_on_paths(&self.space, sharing)?;
        self.fitted(&program, pictures, memory, |trained| trained.greatest(&self.space))
    }

    pub(super) fn fitted_network(&self, network: &Network, memory: Option<u64>) -> Fitted {
        self.fitted_training(&Program::in_training(network, Some(self.trained.input()))?, memory)
    }

    pub(super) fn fitted_tuning(
        &self,
        network: &Network,
        powers_of_two: bool,
        memory: Option<u64>,
    ) -> Fitted {
        let fed = Some(self.trained.input());
        self.fitted_training(&Program::learning(network, fed, powers_of_two)?, memory)
    }

    fn fitted_training(&self, program: &Program, memory: Option<u64>) -> Fitted {
        let Retrain { batch, training, .. } = &self.recipe.retrain;
        let schedule = Schedule::in_training(program)?;
        let pictures = self.batches_of(*batch, training);
        self.fitted(program, pictures, memory, |trained| trained.step(&schedule))
    }

    /// The same with what the loaders hold.
    fn fitted(
        &self,
        program: &Program,
        pictures: Pictures,
        memory: Option<u64>,
        of: impl Fn(&Trained<'_>) -> Result<Forecast, TorchError>,
    ) -> Fitted {
        let loaders = self.loaders(pictures.batch, 1.0)?;
        let held = self.dataset.splits().into_iter().map(|split| loaders.holds(split));
        let held = held.sum::<Result<u64, TorchError>>()?;
        let held = held.saturating_add(self.dataset.container_bytes());
        // Where memory is not short, a state is written while the next epoch is trained, and lies there twice.
        let times = if memory.is_none() { 2 } else { 1 };
        let pictures = Pictures { held: times * pictures.held, ..pictures };
        let memory = memory.map(|memory| memory - memory / MARGIN);
        fitted(program, pictures, memory, |trained| Ok(Forecast { pictures: held, ..of(trained)? }))
    }

    fn batches_of(&self, batch: u32, training: &Training) -> Pictures {
        let Options { fuses, device, .. } = self.options;
        let is_plain = matches!(self.trained.task, Task::Segmentation { .. })
            && self.recipe.loss.classes.is_plain()
            && self.recipe.data.mixup == 0.0
            && self.teaching.is_none();
        let (fuses, precision) = (fuses && device == Device::Cpu, training.precision);
        let (held, crop) = (held(training), self.recipe.data.crop);
        Pictures { batch, parts: 1, held, crop, fuses, precision, is_plain }
    }
}
