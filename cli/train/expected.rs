//! What networks expect of their inputs: as the data of a recipe say, and as the run said that trained their weights.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use nas_data::{Input, Normalisation};
use nas_ir::Network;
use nasc::render::report::Failure;
use nasc::services::expected::{Expected, Read};
use thiserror::Error;

use crate::training::Training;

impl Training {
    /// What a network of the space expects of its inputs.
    ///
    /// # Errors
    /// There is no data set, or it has statistics of other channels.
    pub(crate) fn expected(&self, network: &Network) -> Result<Option<Expected>, Failure> {
        let dataset = self.dataset()?;
        let mut read = Vec::new();
        for port in &network.inputs {
            let channels = network.port_shape(port).channels() as usize;
            let Input { normalisation: Normalisation { mean, std }, scale } =
                dataset.input(&port.name, channels).map_err(Failure::problem)?;
            read.push(Read { mean, std, scale });
        }
        Ok(Expected::of(network, &self.recipe.data, read))
    }

    /// What a network expects whose weights are in a file. What the run that trained them wrote beside it counts: where the data are
    /// read otherwise now, no score and no grid of integers would be of this network.
    ///
    /// # Errors
    /// As `expected`; or they are read otherwise.
    pub(crate) fn expected_with(
        &self,
        network: &Network,
        weights: &Path,
    ) -> Result<Option<Expected>, Failure> {
        let now = self.expected(network)?;
        let trained = Expected::beside(weights);
        if let (Some(now), Some(trained)) = (&now, &trained)
            && !now.is_read_as(trained)
        {
            let (now, trained) = (now.to_string(), trained.to_string());
            return Err(Failure::problem(OtherImages {
                weights: weights.to_owned(),
                now,
                trained,
            }));
        }
        Ok(now)
    }
}

/// Weights of images that were made into something else than those of the recipe.
#[derive(Debug, Error, Diagnostic)]
#[error("`{}` was trained on images that were read otherwise than the recipe and its data say", weights.display())]
#[diagnostic(
    code(nas::train::other_images),
    help(
        "`{}` beside it says\n  {trained},\nand the recipe\n  {now}:\ngive the data and the settings of the run by `--set`, such as `data.path`, `data.resize` or `data.fit`",
        Expected::FILE
    )
)]
struct OtherImages {
    weights: PathBuf,
    now: String,
    trained: String,
}
