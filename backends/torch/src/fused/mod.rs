//! Layers that are computed together on a processor: convolutions, the batch norms behind them, and activations.
//!
//! A 1x1 or depthwise convolution before a batch norm gives no tensor, but a [`Raw`] value with the moments that it gathered; the
//! batch norm makes a [`Normal`] value of it, a scale and a shift for each channel; an activation adds its bounds; and the
//! next convolution, or a sum, applies all of that as it loads the raw values (`nas-kernels`). Whoever else reads such a value
//! has it made into a tensor ([`Raw::settled`], [`Normal::settled`]). Gradients are recorded with libtorch's autograd
//! (`functions`), so that what is fused and what is not work together.
//!
//! `roles` says which convolutions of a program are computed so.

mod functions;
mod roles;

use std::cell::OnceCell;
use std::rc::Rc;

use nas_kernels::{Clamp, Level, Pool, Processor, Window};
use tch::{Tensor, no_grad};

use crate::error::TorchError;
use crate::kernel::Statistics;
use crate::layout::channels_last;
use crate::value::Value;

use functions::{Affine, Input, Norm};
pub(crate) use functions::Addend;
pub(crate) use roles::{Role, roles};

/// libtorch's threads.
struct Threads;

impl Pool for Threads {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        nas_autograd::parallel(count, task);
    }
}

/// What kernels run on.
fn processor() -> Processor<'static> {
    Processor { level: Level::detected(), pool: &Threads }
}

/// Mean `[C]` and covariance `[C, C]` of the channels of a tensor, once they were asked for.
pub(crate) type Covariance = Rc<OnceCell<[Tensor; 2]>>;

/// Where raw values are.
#[derive(Debug)]
enum Source {
    /// In a tensor `[N, C, H, W]`, channels last.
    Stored(Tensor),
    /// Nowhere yet: a 1x1 convolution of a map makes them where they are read.
    Expanded(Expansion),
}

/// A 1x1 convolution that is not computed yet.
#[derive(Debug)]
struct Expansion {
    /// `[N, C, H, W]`, channels last.
    map: Tensor,
    covariance: Covariance,
    /// `[out, C / groups, 1, 1]`.
    kernel: Tensor,
    groups: usize,
}

impl Expansion {
    /// Mean and covariance of the channels of the map.
    fn covariance(&self) -> Result<&[Tensor; 2], TorchError> {
        if let Some(found) = self.covariance.get() {
            return Ok(found);
        }
        let made = functions::covariance(&self.map)?;
        Ok(self.covariance.get_or_init(|| made))
    }

    fn computed(&self) -> Result<(Tensor, [Tensor; 2]), TorchError> {
        functions::pointwise(&Input::Plain(&self.map), &self.kernel, self.groups)
    }
}

/// What a convolution makes, before its batch norm.
#[derive(Debug)]
pub(crate) struct Raw {
    source: Source,
    /// Mean and variance `[C]`, where they were gathered.
    moments: Option<[Tensor; 2]>,
}

/// What a batch norm makes of it, and an activation.
#[derive(Debug)]
pub(crate) struct Normal {
    source: Source,
    scale: Tensor,
    shift: Tensor,
    clamp: Clamp,
}

impl Raw {
    /// A 1x1 convolution of a value.
    pub(crate) fn pointwise(input: Value, kernel: &Tensor, groups: usize) -> Result<Self, TorchError> {
        let (values, moments) = match input {
            Value::Normal(Normal { source: Source::Stored(values), scale, shift, clamp }) => {
                let norm = Norm { scale: &scale, shift: &shift, clamp };
                functions::pointwise(&Input::Normal(&values, norm), kernel, groups)?
            }
            input => {
                let map = channels_last(&input.settled()?.0)?;
                functions::pointwise(&Input::Plain(&map), kernel, groups)?
            }
        };
        Ok(Self { source: Source::Stored(values), moments: Some(moments) })
    }

    /// The same, to be computed by what reads it.
    pub(crate) fn expansion(
        input: Value,
        kernel: &Tensor,
        groups: usize,
    ) -> Result<Self, TorchError> {
        let (map, covariance) = input.settled()?;
        let map = channels_last(&map)?;
        let kernel = kernel.shallow_clone();
        let source = Source::Expanded(Expansion { map, covariance, kernel, groups });
        Ok(Self { source, moments: None })
    }

    /// A depthwise convolution of a value.
    pub(crate) fn depthwise(
        input: Value,
        kernel: &Tensor,
        window: Window,
    ) -> Result<Self, TorchError> {
        let (values, moments) = match input {
            Value::Normal(Normal { source, scale, shift, clamp }) => {
                let norm = Norm { scale: &scale, shift: &shift, clamp };
                match source {
                    Source::Stored(values) => {
                        functions::depthwise(&Input::Normal(&values, norm), kernel, window)?
                    }
                    Source::Expanded(Expansion { map, kernel: expansion, groups, .. }) => {
                        let input = Input::Expanded { map: &map, kernel: &expansion, groups, norm };
                        functions::depthwise(&input, kernel, window)?
                    }
                }
            }
            input => {
                let map = channels_last(&input.settled()?.0)?;
                functions::depthwise(&Input::Plain(&map), kernel, window)?
            }
        };
        Ok(Self { source: Source::Stored(values), moments: Some(moments) })
    }

    /// What a batch norm makes of it. `weights` are running mean and variance, after scale and shift if it has them.
    pub(crate) fn normalised(
        self,
        weights: &[Tensor],
        statistics: Statistics,
        [momentum, eps]: [f64; 2],
    ) -> Result<Normal, TorchError> {
        let (affine, running) = match weights {
            [mean, variance] => (None, [mean, variance]),
            [scale, shift, mean, variance] => (Some(Affine { scale, shift }), [mean, variance]),
            _ => return Err(TorchError::broken("a batch norm without its tensors")),
        };
        let clamp = Clamp::NONE;
        if statistics == Statistics::Running {
            let [scale, shift] = functions::coefficients(running, affine, eps)?;
            return Ok(Normal { source: self.source, scale, shift, clamp });
        }
        let ([scale, shift], moments) = match (&self.source, self.moments) {
            (_, Some(moments)) => {
                let [mean, variance] = &moments;
                (functions::coefficients([mean, variance], affine, eps)?, moments)
            }
            (Source::Expanded(expansion), None) => {
                let Expansion { kernel, groups, .. } = expansion;
                functions::expanded(expansion.covariance()?, kernel, *groups, affine, eps)?
            }
            (Source::Stored(_), None) => {
                return Err(TorchError::broken("values without their moments"));
            }
        };
        let momentum = match statistics {
            Statistics::Running | Statistics::Batch => None,
            Statistics::Learn => Some(momentum),
            Statistics::Average { seen } => Some(1.0 / (f64::from(seen) + 1.0)),
        };
        if let Some(momentum) = momentum {
            let pixels = pixels(self.source.map());
            no_grad(|| functions::run(running, &moments, momentum, pixels))?;
        }
        Ok(Normal { source: self.source, scale, shift, clamp })
    }

    /// The tensor, of which autograd keeps the memory.
    pub(crate) fn settled(self) -> Result<Tensor, TorchError> {
        match self.source {
            Source::Stored(values) => Ok(values),
            Source::Expanded(expansion) => Ok(expansion.computed()?.0),
        }
    }
}

impl Source {
    /// A tensor with as many pixels.
    fn map(&self) -> &Tensor {
        match self {
            Self::Stored(values) => values,
            Self::Expanded(expansion) => &expansion.map,
        }
    }
}

/// Pixels of all pictures.
fn pixels(map: &Tensor) -> usize {
    let sizes = map.size();
    let channels = sizes.get(1).copied().unwrap_or(1).max(1);
    map.numel() / channels as usize
}

impl Normal {
    /// The same with an activation, if it has none yet.
    pub(crate) fn clamped(self, clamp: Clamp) -> Result<Value, TorchError> {
        if self.clamp == Clamp::NONE {
            return Ok(Value::Normal(Self { clamp, ..self }));
        }
        let (tensor, _) = Value::Normal(self).settled()?;
        Ok(Value::fresh(tensor.f_clamp(f64::from(clamp.least), f64::from(clamp.most))?))
    }

    /// The tensor.
    pub(crate) fn settled(self) -> Result<Tensor, TorchError> {
        let clamp = self.clamp;
        functions::sum(None, &[self.stored()?.addend(None)], clamp)
    }

    /// Whether it is linear, so that it may be part of a sum.
    pub(crate) fn is_linear(&self) -> bool {
        self.clamp == Clamp::NONE
    }

    /// What of a sum it is, with a weight for each picture or one for all.
    pub(crate) fn addend(self, weight: Option<&Tensor>) -> Addend {
        let weight = weight.map(Tensor::shallow_clone);
        let (Source::Stored(values) | Source::Expanded(Expansion { map: values, .. })) = self.source;
        Addend { values, scale: self.scale, shift: self.shift, weight }
    }

    /// The same with its values in memory.
    pub(crate) fn stored(self) -> Result<Self, TorchError> {
        let source = match self.source {
            Source::Expanded(expansion) => Source::Stored(expansion.computed()?.0),
            stored @ Source::Stored(_) => stored,
        };
        Ok(Self { source, ..self })
    }
}

/// The sum of a tensor `[N, C, H, W]`, if there is one, and of normalised values.
pub(crate) fn sum(rest: Option<&Tensor>, addends: &[Addend]) -> Result<Tensor, TorchError> {
    functions::sum(rest, addends, Clamp::NONE)
}
