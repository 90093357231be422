//! What trains a network of integers in a run, in the place of the network that the choices of the run say.

use nas_ir::Network;
use nas_search::Fault;
use nas_search::backend::{Backend, Proxies, TrainableNetwork};
use nas_search::shared::{Relaxation, Relaxed, SharedWeights, Sharing};
use nas_torch::{TorchBackend, TorchError};

/// A network of integers in training.
#[derive(Debug, Clone)]
pub(crate) struct Tuned {
    /// The network, on the images of training, with what its nodes round to at first.
    pub(crate) network: Network,
    /// Whether the steps of its grids stay powers of two.
    pub(crate) powers_of_two: bool,
}

/// The backend of its run.
pub(crate) struct Tuning<'t> {
    pub(crate) backend: &'t TorchBackend,
    pub(crate) tuned: &'t Tuned,
}

impl Backend for Tuning<'_> {
    fn shared(&self, sharing: Sharing) -> Result<Box<dyn SharedWeights>, Fault> {
        self.backend.shared(sharing)
    }

    fn relaxed(&self, relaxation: &Relaxation) -> Result<Box<dyn Relaxed>, Fault> {
        self.backend.relaxed(relaxation)
    }

    fn network(&self, _: Network) -> Result<Box<dyn TrainableNetwork>, Fault> {
        let Tuned { network, powers_of_two } = self.tuned;
        let tuned = self.backend.tuned(network, *powers_of_two);
        Ok(Box::new(tuned.map_err(|error: TorchError| Fault::from(error))?))
    }

    fn proxies(&self, images: u32) -> Result<Box<dyn Proxies>, Fault> {
        self.backend.proxies(images)
    }

    fn training_images(&self) -> Result<u64, Fault> {
        Backend::training_images(self.backend)
    }

    fn has_test(&self) -> bool {
        self.backend.has_test()
    }
}
