//! What measures a model: tract on this host, an engine of Python, or a command that prints
//! milliseconds.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nas_tract::{Model, seeded_inputs};

use super::command::Bench;
use super::engines::python::Served;
use super::error::Fault;
use super::item::Item;
use crate::render::report::Failure;
use crate::services::source::io_reason;

/// The seed of the inputs on which models are timed.
const SEED: u64 = 1;

/// What measures models.
pub(super) enum Runner {
    /// tract, in this process.
    Tract(Tract),
    /// An engine of Python, in a process of its own.
    Served(Served),
    /// A command.
    Command(Bench),
}

impl Runner {
    /// The milliseconds of one run of a model. It is asked from time to time whether to go on.
    ///
    /// # Errors
    /// There is no figure.
    pub(super) fn measure(
        &mut self,
        item: &Item,
        flow: &dyn Fn() -> ControlFlow<()>,
    ) -> Result<f64, Fault> {
        match self {
            Self::Tract(tract) => tract.measure(&item.model).map_err(Fault::Failure),
            Self::Served(served) => served.measure(&item.model, flow),
            Self::Command(bench) => bench.measure(item, flow),
        }
    }
}

/// tract, with the models that it has loaded.
pub(super) struct Tract {
    models: HashMap<PathBuf, Model>,
    warmup: usize,
}

impl Tract {
    /// One that runs a model so many times before a run counts.
    #[must_use]
    pub(super) fn new(warmup: usize) -> Self {
        Self { models: HashMap::new(), warmup }
    }

    fn measure(&mut self, path: &Path) -> Result<f64, Failure> {
        if !self.models.contains_key(path) {
            let bytes = nas_files::read(path).map_err(|error| {
                Failure::input(format!("{}: {}", path.display(), io_reason(&error)))
            })?;
            self.models.insert(path.to_owned(), Model::load(&bytes).map_err(Failure::problem)?);
        }
        let Some(model) = self.models.get(path) else { return Err(Failure::Reported) };
        let shapes: Vec<&[u32]> = model.inputs().iter().map(|port| port.dims.as_slice()).collect();
        let times = model.time(&seeded_inputs(&shapes, SEED), self.warmup, 1);
        let times = times.map_err(Failure::problem)?;
        Ok(times.iter().sum::<Duration>().as_secs_f64() * 1e3)
    }
}
