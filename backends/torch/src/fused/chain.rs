//! Layers that are not computed yet.

use std::rc::Rc;

use nas_kernels::{Activation, Storage};
use tch::Tensor;

use super::convolution::Convolution;
use crate::error::TorchError;
use crate::layout::channels_last;
use crate::statistics::Statistics;

/// What tells values apart: those that are read in several places are one map of a block.
pub(crate) type Identity = Rc<()>;

/// Layers that are not computed yet.
#[derive(Debug)]
pub(crate) struct Chain {
    /// What the first one reads, `[N, C, H, W]` with channels last.
    pub(super) map: Tensor,
    pub(super) identity: Identity,
    /// What that is multiplied by before, `[N, C, 1, 1]`; 1 without.
    pub(super) gate: Option<Tensor>,
    /// What becomes of it then.
    pub(super) input: Activation,
    pub(super) layers: Vec<Layer>,
    /// What the result is multiplied by, for each picture or for all; 1 without.
    pub(super) weight: Option<Tensor>,
}

/// A convolution, its bias or batch norm if there is one, and an activation.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) op: Convolution,
    /// `[out, C / groups, height, width]`.
    pub(super) kernel: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) norm: Option<Norm>,
    pub(super) activation: Activation,
    /// How what the convolution makes comes to the gradient.
    pub(super) storage: Storage,
}

/// A batch norm.
#[derive(Debug)]
pub(crate) struct Norm {
    /// Scale and shift, where it learns them.
    pub(crate) learned: Option<[Tensor; 2]>,
    /// Mean and variance over time.
    pub(crate) running: [Tensor; 2],
    pub(crate) statistics: Statistics,
    pub(crate) momentum: f64,
    pub(crate) eps: f64,
}

impl Chain {
    /// Without layers, of a map `[N, C, H, W]`, with an activation that is applied as it is read.
    pub(crate) fn begin(
        map: &Tensor,
        identity: Identity,
        input: Activation,
    ) -> Result<Self, TorchError> {
        let map = channels_last(map)?;
        Ok(Self { map, identity, gate: None, input, layers: Vec::new(), weight: None })
    }

    /// The same of the map times a number for each picture and channel, `[N, C, 1, 1]`.
    pub(crate) fn gated(self, gate: &Tensor) -> Self {
        Self { gate: Some(gate.shallow_clone()), ..self }
    }

    /// Whether layers may follow.
    pub(crate) fn goes_on(&self) -> bool {
        self.weight.is_none()
    }

    /// Whether autograd needs the tensor that it is made into: what libtorch makes of an activation.
    pub(crate) fn is_needed_later(&self) -> bool {
        self.layers.is_empty()
    }

    /// The same with a convolution behind it, whose result comes to the gradient in this way.
    pub(crate) fn convolved(
        mut self,
        op: Convolution,
        (kernel, bias): (&Tensor, Option<&Tensor>),
        storage: Storage,
    ) -> Self {
        let (kernel, bias) = (kernel.shallow_clone(), bias.map(Tensor::shallow_clone));
        let activation = Activation::NONE;
        self.layers.push(Layer { op, kernel, bias, norm: None, activation, storage });
        self
    }

    /// The same with a batch norm behind the convolution.
    pub(crate) fn normalised(mut self, norm: Norm) -> Result<Self, TorchError> {
        let missing = || TorchError::broken("a batch norm of no convolution");
        self.layers.last_mut().ok_or_else(missing)?.norm = Some(norm);
        Ok(self)
    }

    /// Whether it ends with a convolution that has neither bias nor batch norm.
    pub(crate) fn awaits_norm(&self) -> bool {
        self.layers.last().is_some_and(|last| !last.is_complete())
    }

    /// The same with an activation.
    ///
    /// # Errors
    /// The chain, where it has one already, and is to be computed first.
    pub(crate) fn activated(mut self, activation: Activation) -> Result<Self, Self> {
        match self.layers.last_mut() {
            Some(last) if last.activation == Activation::NONE && self.weight.is_none() => {
                last.activation = activation;
                Ok(self)
            }
            None if self.input == Activation::NONE => Ok(Self { input: activation, ..self }),
            _ => Err(self),
        }
    }

    /// The same times a weight for each picture, or one for all.
    ///
    /// # Errors
    /// The chain, where it has a weight or is no sum.
    pub(crate) fn weighted(mut self, weight: &Tensor) -> Result<Self, Self> {
        if !self.is_linear() || self.weight.is_some() {
            return Err(self);
        }
        self.weight = Some(weight.shallow_clone());
        Ok(self)
    }

    /// Whether it ends with a bias or a batch norm, so that it may be part of a sum.
    pub(crate) fn is_linear(&self) -> bool {
        let last = self.layers.last();
        last.is_some_and(|last| last.is_complete() && last.activation == Activation::NONE)
    }
}

impl Layer {
    /// What it learns: the kernel, and the bias, or scale and shift of the batch norm.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &Tensor> {
        let learned = self.norm.iter().flat_map(|norm| norm.learned.iter().flatten());
        std::iter::once(&self.kernel).chain(&self.bias).chain(learned)
    }

    /// Whether it has all that comes before an activation.
    fn is_complete(&self) -> bool {
        self.bias.is_some() || self.norm.is_some()
    }
}
