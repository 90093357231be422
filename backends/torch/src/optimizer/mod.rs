//! Steps down gradients, on the parameters that a step touched.

mod average;
mod gradient;
mod rule;

use nas_autograd::{floats, floats_mut};
use nas_ir::recipe::Training;
use nas_ir::{Tensor as Plain, Weights};
use nas_kernels::Sgd;
use tch::{Tensor, no_grad};

use crate::error::TorchError;
use crate::fused::processor;
use crate::parameters::{Parameters, fitting, plain};
use crate::program::{ParameterId, Table};

use average::Average;
pub(crate) use gradient::{Descent, Gradients};
use gradient::{Gradient, Part, clip_norm};
use rule::Rule;

/// What moves the parameters. Tensors that a step did not touch (of candidates that did not run) keep their values and
/// what is kept of them; of one that was read in part, the rest moves on without a gradient.
pub(crate) struct Optimizer {
    rule: Rule,
    /// Gradients of a larger norm, over all tensors together, are scaled down to it.
    clip: Option<f64>,
    /// Batches of which one step is made.
    accumulate: u32,
    /// What the rule keeps of each element of [`Parameters::flat`].
    kept: Vec<Tensor>,
    /// The steps that each tensor was part of.
    steps: Table<ParameterId, u32>,
    /// The gradient of batches of which no step was made yet.
    pending: Option<Gradient>,
    average: Option<Average>,
}

/// Times that weights which learn so are held: their values, what is kept of each, their average, and a gradient that is
/// gathered.
pub(crate) fn held(training: &Training) -> u64 {
    let kept = Rule::from(training).kept().len() as u64;
    1 + kept + u64::from(training.ema > 0.0) + u64::from(training.accumulate > 1)
}

/// Names in a saved state begin with it; what is kept follows, and the tensor's name.
const STATE: &str = "optimizer";
/// What stands for the steps of a tensor there.
const STEPS: &str = "steps";

/// Where a batch stands in its pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    /// Which batch it is, from 0.
    pub(crate) step: usize,
    /// Batches of the pass.
    pub(crate) of: usize,
    /// The learning rate.
    pub(crate) rate: f64,
}

/// Neighbouring elements that move alike: where they begin in `flat` and among the gradients, their length, and the
/// number of their step.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: i64,
    from: i64,
    len: i64,
    step: u32,
}

impl Optimizer {
    /// That of a section of a recipe, for these parameters.
    pub(crate) fn new(
        parameters: &Parameters,
        training: &Training,
        clip: Option<f64>,
    ) -> Result<Self, TorchError> {
        let rule = Rule::from(training);
        let kept = rule.kept().iter().map(|_| parameters.flat().f_zeros_like());
        let average = (training.ema > 0.0).then(|| Average::new(parameters, training.ema));
        Ok(Self {
            rule,
            clip,
            accumulate: training.accumulate,
            kept: kept.collect::<Result<_, _>>()?,
            steps: Table::from(vec![0; parameters.specs().count()]),
            pending: None,
            average: average.transpose()?,
        })
    }

    /// The parameters that are scored and kept: the averages, if there are any.
    pub(crate) fn evaluated<'a>(&'a self, parameters: &'a Parameters) -> &'a Parameters {
        self.average.as_ref().map_or(parameters, |average| &average.parameters)
    }

    /// Exchanges the parameters with their averages, if there are any.
    pub(crate) fn exchange(&mut self, parameters: &mut Parameters) {
        if let Some(average) = &mut self.average {
            std::mem::swap(&mut average.parameters, parameters);
        }
    }

    /// Takes parameters that were loaded as those to begin with.
    pub(crate) fn begin(&mut self, parameters: &Parameters) -> Result<(), TorchError> {
        self.average.as_mut().map_or(Ok(()), |average| average.begin(parameters))
    }

    /// Takes in a batch with this loss, which read these of the parameters: makes a step down the mean gradient of
    /// the last ones if enough are together, or the pass ends. The parameters must require gradients; those that
    /// `loss` does not depend on stay.
    #[cfg(test)]
    pub(crate) fn learn(
        &mut self,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
        turn: Turn,
    ) -> Result<(), TorchError> {
        self.take_in(parameters, Descent::of(parameters, read, loss)?, turn)
    }

    /// The same for a batch with several losses, which are summed.
    pub(crate) fn take_in(
        &mut self,
        parameters: &Parameters,
        gradients: Gradients,
        turn: Turn,
    ) -> Result<(), TorchError> {
        self.pending = match (self.pending.take(), gradients.sum) {
            (Some(sum), Some(gradient)) => Some(sum.plus(gradient)?),
            (sum, gradient) => sum.or(gradient),
        };
        let done = turn.step + 1;
        if done == turn.of || done.is_multiple_of(self.accumulate.max(1) as usize) {
            self.step(parameters, turn.rate)?;
        }
        Ok(())
    }

    /// A step down the gradient that is pending.
    fn step(&mut self, parameters: &Parameters, rate: f64) -> Result<(), TorchError> {
        let Some(gradient) = self.pending.take() else { return Ok(()) };
        let gradient = gradient.mean(self.clip)?;
        for part in &gradient.parts {
            *self.steps.get_mut(part.id)? += 1;
        }
        let Self { rule, kept, steps, average, .. } = self;
        no_grad(|| {
            let (weights, gradient) = (parameters.flat(), &gradient);
            let stretches = stretches(*rule, &gradient.parts, steps)?;
            if let (Some(sgd), [velocity]) = (rule.sgd(rate), kept.as_slice()) {
                descend(sgd, [weights, &gradient.values, velocity], &stretches)?;
            } else {
                for stretch in stretches {
                    let Stretch { start, from, len, .. } = stretch;
                    let mut weights = weights.f_narrow(0, start, len)?;
                    let part = gradient.values.f_narrow(0, from, len)?;
                    let direction = along(*rule, kept, stretch, &weights, &part)?;
                    let _ = weights.f_sub_(&direction.f_mul_scalar(rate)?)?;
                }
            }
            average.as_mut().map_or(Ok(()), |average| average.update(parameters))
        })
    }

    /// The gradient of `loss` with respect to these of the parameters, in the places of [`Parameters::flat`] and 0 where
    /// it does not depend on them, and with respect to `other`.
    pub(crate) fn gradient(
        &self,
        parameters: &Parameters,
        read: impl IntoIterator<Item = ParameterId>,
        loss: &Tensor,
        other: &Tensor,
    ) -> Result<[Tensor; 2], TorchError> {
        let touched = parameters.all_trainable(read)?;
        let tensors: Vec<&Tensor> = touched.iter().map(|(_, tensor, _)| *tensor).collect();
        let all: Vec<&Tensor> = tensors.iter().copied().chain([other]).collect();
        let mut gradients = Tensor::f_run_backward(&[loss], &all, false, false)?;
        let by_other = gradients.pop().filter(Tensor::defined);
        no_grad(|| {
            let flat = parameters.flat().f_zeros_like()?;
            for (gradient, (_, tensor, start)) in gradients.iter().zip(&touched) {
                if gradient.defined() {
                    let mut part = flat.f_narrow(0, *start, tensor.numel() as i64)?;
                    part.f_copy_(&gradient.f_reshape([-1])?)?;
                }
            }
            Ok([flat, by_other.map_or_else(|| other.f_zeros_like(), Ok)?])
        })
    }

    /// What a step of all parameters down this gradient would take from the weights at a rate of 1. Changes nothing.
    pub(crate) fn direction(
        &self,
        parameters: &Parameters,
        gradient: &Tensor,
    ) -> Result<Tensor, TorchError> {
        no_grad(|| {
            let mut gradient = gradient.f_detach_copy()?;
            clip_norm(&mut gradient, self.clip)?;
            let copies = self.kept.iter().map(Tensor::f_detach_copy);
            let mut kept = copies.collect::<Result<Vec<_>, _>>()?;
            let all = parameters.specs().map(|(id, _)| id);
            let parts = parameters
                .all_trainable(all)?
                .into_iter()
                .map(|(id, tensor, start)| Part { id, start, len: tensor.numel() as i64 });
            let steps: Vec<u32> = self.steps.rows().iter().map(|steps| steps + 1).collect();
            let whole = parameters.flat().f_zeros_like()?;
            for stretch in stretches(self.rule, &parts.collect::<Vec<_>>(), &Table::from(steps))? {
                let Stretch { start, len, .. } = stretch;
                let narrow = |tensor: &Tensor| tensor.f_narrow(0, start, len);
                let (weights, part) = (narrow(parameters.flat())?, narrow(&gradient)?);
                let direction = along(self.rule, &mut kept, stretch, &weights, &part)?;
                narrow(&whole)?.f_copy_(&direction)?;
            }
            Ok(whole)
        })
    }

    /// Adds what is kept of each tensor to `weights`.
    pub(crate) fn save(
        &self,
        parameters: &Parameters,
        weights: &mut Weights,
    ) -> Result<(), TorchError> {
        self.each(parameters, |name, dims, kept| {
            weights.insert(name, plain(&kept, dims)?);
            Ok(())
        })?;
        for (id, name) in self.counted(parameters)? {
            let steps = *self.steps.get(id)? as f32;
            weights.insert(name, Plain::of_floats([1], vec![steps]));
        }
        self.average.as_ref().map_or(Ok(()), |average| average.save(weights))
    }

    /// Takes from `weights` what `save` put there.
    pub(crate) fn load(
        &mut self,
        parameters: &Parameters,
        weights: &Weights,
    ) -> Result<(), TorchError> {
        self.each(parameters, |name, dims, _| fitting(weights, &name, dims).map(|_| ()))?;
        self.each(parameters, |name, dims, mut kept| {
            let values = fitting(weights, &name, dims)?;
            kept.f_copy_(&Tensor::f_from_slice(values)?)?;
            Ok(())
        })?;
        for (id, name) in self.counted(parameters)? {
            let steps = fitting(weights, &name, &[1])?.first().copied().unwrap_or_default();
            *self.steps.get_mut(id)? = steps as u32;
        }
        self.pending = None;
        self.average.as_mut().map_or(Ok(()), |average| average.load(weights))
    }

    /// Calls `act` with the name in a state, the sizes and the values of all that is kept of each trainable tensor.
    fn each(
        &self,
        parameters: &Parameters,
        mut act: impl FnMut(String, &[u32], Tensor) -> Result<(), TorchError>,
    ) -> Result<(), TorchError> {
        for (id, spec) in parameters.specs() {
            let Some((_, start)) = parameters.trainable(id)? else { continue };
            for (what, kept) in self.rule.kept().iter().zip(&self.kept) {
                let kept = kept.f_narrow(0, start, spec.elements())?;
                act(format!("{STATE}/{what}/{}", spec.name), &spec.dims, kept)?;
            }
        }
        Ok(())
    }

    /// The trainable tensors whose steps count, each with the name of their number in a state.
    fn counted(&self, parameters: &Parameters) -> Result<Vec<(ParameterId, String)>, TorchError> {
        let mut counted = Vec::new();
        for (id, spec) in parameters.specs().filter(|_| self.rule.counts()) {
            if parameters.trainable(id)?.is_some() {
                counted.push((id, format!("{STATE}/{STEPS}/{}", spec.name)));
            }
        }
        Ok(counted)
    }
}

/// Parts as far as they can be moved in one operation.
fn stretches(
    rule: Rule,
    parts: &[Part],
    steps: &Table<ParameterId, u32>,
) -> Result<Vec<Stretch>, TorchError> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut from = 0;
    for &Part { id, start, len } in parts {
        let step = if rule.counts() { *steps.get(id)? } else { 0 };
        match stretches.last_mut() {
            Some(last)
                if !rule.is_by_tensor() && last.start + last.len == start && last.step == step =>
            {
                last.len += len;
            }
            _ => stretches.push(Stretch { start, from, len, step }),
        }
        from += len;
    }
    Ok(stretches)
}

/// A step of some stretches of weights down their gradient, whose velocity is kept: one pass over their elements.
fn descend(
    sgd: Sgd,
    [weights, gradient, velocity]: [&Tensor; 3],
    stretches: &[Stretch],
) -> Result<(), TorchError> {
    let parts = stretches.iter().map(|&Stretch { start, from, len, .. }| {
        let part = |whole: &Tensor, start| whole.f_narrow(0, start, len);
        Ok([part(weights, start)?, part(gradient, from)?, part(velocity, start)?])
    });
    let mut parts = parts.collect::<Result<Vec<_>, TorchError>>()?;
    if weights.device().is_cuda() {
        let Sgd { momentum, decay, rate } = sgd;
        return Ok(nas_cuda::sgd(&parts, momentum.into(), decay.into(), rate.into())?);
    }
    for [weights, gradient, velocity] in &mut parts {
        let (weights, velocity) = (floats_mut(weights)?, floats_mut(velocity)?);
        sgd.step(processor(), weights, velocity, floats(gradient)?);
    }
    Ok(())
}

/// Along what a stretch moves; changes what is kept of it.
fn along(
    rule: Rule,
    kept: &mut [Tensor],
    stretch: Stretch,
    weights: &Tensor,
    gradient: &Tensor,
) -> Result<Tensor, TorchError> {
    let Stretch { start, len, step, .. } = stretch;
    let own = kept.iter().map(|kept| kept.f_narrow(0, start, len));
    let mut own = own.collect::<Result<Vec<_>, _>>()?;
    rule.direction(weights, gradient, &mut own, step)
}
