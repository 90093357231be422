//! Layers that are computed together on a processor: convolutions, the batch norms behind them, and activations.
//!
//! A 1x1 or depthwise convolution before a batch norm computes nothing, but begins or continues a [`Chain`]; the batch norm and an
//! activation are noted in it. What sums chains (a mixture of candidates, a residual), or reads one in another way, has
//! them computed at once, by `nas-kernels` ([`sum`], [`Chain::settled`]). Their gradient is recorded with libtorch's autograd
//! (`function`), so that what is fused and what is not work together.
//!
//! `roles` says which operators of a program take part.

mod function;
mod roles;

use std::rc::Rc;

use nas_kernels::{Clamp, Level, Pool, Processor, Window};
use tch::Tensor;

use crate::error::TorchError;
use crate::kernel::Statistics;
use crate::layout::channels_last;
use crate::value::Value;

pub(crate) use roles::{Role, roles};

/// libtorch's threads.
struct Threads;

impl Pool for Threads {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        nas_autograd::parallel(count, task);
    }
}

/// What kernels run on.
pub(crate) fn processor() -> Processor<'static> {
    Processor { level: Level::detected(), pool: &Threads }
}

/// What tells values apart: those that are read in several places are one map of a block.
pub(crate) type Identity = Rc<()>;

/// Layers that are not computed yet.
#[derive(Debug)]
pub(crate) struct Chain {
    /// What the first one reads, `[N, C, H, W]` with channels last.
    map: Tensor,
    identity: Identity,
    /// What becomes of that before.
    input: Clamp,
    layers: Vec<Layer>,
    /// What the result is multiplied by, for each picture or for all; 1 without.
    weight: Option<Tensor>,
}

/// A convolution, its batch norm once there is one, and an activation.
#[derive(Debug)]
struct Layer {
    op: Convolution,
    /// `[out, C / groups, height, width]`.
    kernel: Tensor,
    norm: Option<Norm>,
    clamp: Clamp,
}

/// A convolution without a bias.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Convolution {
    /// By a kernel of one tap.
    Pointwise { groups: usize },
    /// Of each channel for itself.
    Depthwise(Window),
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
    /// Of a value; it continues what is no tensor yet.
    fn of(value: Value) -> Result<Self, TorchError> {
        match value {
            Value::Chain(chain) if chain.weight.is_none() => Ok(chain),
            value => {
                let (map, identity) = value.settled()?;
                let map = channels_last(&map)?;
                Ok(Self { map, identity, input: Clamp::NONE, layers: Vec::new(), weight: None })
            }
        }
    }

    /// A value with an activation, to be applied as it is read.
    pub(crate) fn input(value: Value, clamp: Clamp) -> Result<Self, TorchError> {
        let (map, identity) = value.settled()?;
        let map = channels_last(&map)?;
        Ok(Self { map, identity, input: clamp, layers: Vec::new(), weight: None })
    }

    /// A convolution of a value.
    pub(crate) fn convolved(
        value: Value,
        op: Convolution,
        kernel: &Tensor,
    ) -> Result<Self, TorchError> {
        let mut chain = Self::of(value)?;
        let kernel = kernel.shallow_clone();
        chain.layers.push(Layer { op, kernel, norm: None, clamp: Clamp::NONE });
        Ok(chain)
    }

    /// The same with a batch norm behind the convolution.
    pub(crate) fn normalised(mut self, norm: Norm) -> Result<Self, TorchError> {
        let missing = || TorchError::broken("a batch norm of no convolution");
        self.layers.last_mut().ok_or_else(missing)?.norm = Some(norm);
        Ok(self)
    }

    /// Whether it ends with a convolution, so that a batch norm must follow.
    pub(crate) fn awaits_norm(&self) -> bool {
        self.layers.last().is_some_and(|last| last.norm.is_none())
    }

    /// The same with an activation.
    ///
    /// # Errors
    /// The chain, where it has one already, and is to be computed first.
    pub(crate) fn clamped(mut self, clamp: Clamp) -> Result<Self, Self> {
        match self.layers.last_mut() {
            Some(last) if last.clamp == Clamp::NONE && self.weight.is_none() => {
                last.clamp = clamp;
                Ok(self)
            }
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

    /// Whether it ends with a batch norm, so that it may be part of a sum.
    pub(crate) fn is_linear(&self) -> bool {
        self.layers.last().is_some_and(|last| last.norm.is_some() && last.clamp == Clamp::NONE)
    }

    /// Whether autograd needs the tensor that it is made into.
    pub(crate) fn is_kept(&self) -> bool {
        !self.is_linear()
    }

    /// The tensor.
    pub(crate) fn settled(mut self) -> Result<Tensor, TorchError> {
        let Some(last) = self.layers.last_mut() else {
            let (least, most) = (f64::from(self.input.least), f64::from(self.input.most));
            return Ok(self.map.f_clamp(least, most)?);
        };
        let clamp = std::mem::replace(&mut last.clamp, Clamp::NONE);
        function::block(None, vec![self], clamp)
    }
}

/// The sum of a tensor `[N, C, H, W]`, if there is one, and of chains that are linear.
pub(crate) fn sum(rest: Option<&Tensor>, chains: Vec<Chain>) -> Result<Tensor, TorchError> {
    function::block(rest, chains, Clamp::NONE)
}
