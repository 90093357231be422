//! Passes on models, which change a network together with its weights: the rows of [`PASSES`].

mod channel_order;
mod drop_training;
mod fold_batch_norm;
mod fold_into_readers;
mod fuse_gates;
mod normalise;
mod reparameterise;
mod weights;

use nas_ir::model::Unsound;
use nas_ir::{Model, fault};

pub use channel_order::{fold_channel_order, reverse_channels};
pub use drop_training::drop_training;
pub use fold_batch_norm::fold_batch_norm;
pub use fold_into_readers::fold_into_readers;
pub use fuse_gates::fuse_gates;
pub use normalise::{Normalisation, normalise};
pub use reparameterise::reparameterise;

/// A pass on models.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// What it is called.
    pub name: &'static str,
    /// The pass: from a verified model to one that computes the same up to rounding.
    pass: fn(Model) -> Model,
}

/// All passes on models, in the order in which they run.
pub const PASSES: [Pass; 6] = [
    Pass { name: "drop_training", pass: drop_training },
    Pass { name: "fuse_gates", pass: fuse_gates },
    Pass { name: "reparameterise", pass: reparameterise },
    Pass { name: "fold_batch_norm", pass: fold_batch_norm },
    Pass { name: "fold_channel_order", pass: fold_channel_order },
    Pass { name: "fold_into_readers", pass: fold_into_readers },
];

impl Pass {
    /// Runs the pass, and verifies what it made: a model that does not hold together then is a fault
    /// of the pass, and ends the command as such.
    ///
    /// # Errors
    /// The model does not hold together before.
    pub fn run(&self, model: Model) -> Result<Model, Unsound> {
        model.verify()?;
        let model = (self.pass)(model);
        match model.verify() {
            Ok(()) => Ok(model),
            Err(unsound) => fault(&format!("after the pass {}, {unsound}", self.name)),
        }
    }
}

/// The model as exporters write it: after all of [`PASSES`].
///
/// # Errors
/// The model does not hold together.
pub fn for_export(model: Model) -> Result<Model, Unsound> {
    PASSES.iter().try_fold(model, |model, pass| pass.run(model))
}

#[cfg(test)]
mod tests {
    use nas_ir::network::{NetworkNode, Port};
    use nas_ir::{Network, Shape, Tensor};

    use super::*;

    /// An input that is the output.
    fn model() -> Model {
        let node = NetworkNode::new("x", None, vec![], Shape::from([1]));
        let port = |name: &str| vec![Port { name: name.to_owned(), node: 0 }];
        let (inputs, outputs) = (port("x"), port("y"));
        let network = Network { nodes: vec![node], inputs, outputs, ..Network::default() };
        Model { network, ..Model::default() }
    }

    #[test]
    fn a_model_that_does_not_hold_together_is_refused() {
        let mut model = model();
        assert_eq!(for_export(model.clone()), Ok(model.clone()));
        model.weights.insert("x.bias".to_owned(), Tensor::of_floats([1], vec![0.0]));
        for pass in PASSES {
            let unsound = pass.run(model.clone()).unwrap_err().to_string();
            assert_eq!(
                unsound,
                "the weights do not fit the network: `x.bias` is not of the network"
            );
        }
    }

    #[test]
    #[should_panic(expected = "after the pass breaks, the network is not well-formed: `y`: ")]
    fn a_model_that_a_pass_broke_is_a_fault() {
        let breaks = |mut model: Model| {
            model.network.outputs.iter_mut().for_each(|port| port.node = 1);
            model
        };
        let _ = Pass { name: "breaks", pass: breaks }.run(model());
    }
}
