//! A supernet as tensors: weights of every candidate, logits of every decision, one step at a time.

use nas_grammar::Source;
use nas_ir::recipe::{Adam, Mixing};
use nas_ir::{Assignment, Checked, Choice, Shape, Space, Weights};
use nas_passes::specialise;
use tch::{Device, Tensor};

use crate::choices::Choices;
use crate::dropout::Noise;
use crate::error::{Phase, SoftShapes, TorchError};
use crate::lower::Statistics;
use crate::mixing::{Draw, Mix, of_selects};
use crate::network::TorchNetwork;
use crate::optimizer::Sgd;
use crate::parameters::Parameters;
use crate::passes::TrainBatch;
use crate::program::{Evaluation, Plan, Program};
use crate::random::Moment;
use crate::task::{DeviceTargets, mean_loss};

/// What stays the same over a search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mixing: Mixing,
    pub(crate) adam: Adam,
    pub(crate) momentum: f64,
    pub(crate) decay: f64,
    /// Largest norm of the gradient of the weights.
    pub(crate) clip: Option<f64>,
    pub(crate) seed: u64,
    pub(crate) device: Device,
}

/// The expected cost for the probabilities of each candidate of each decision, and its gradient
/// with respect to each of them.
pub(crate) type Expected<'a> = &'a dyn Fn(&[Vec<f64>]) -> (f64, Vec<Vec<f64>>);

/// The supernet of a space.
pub(crate) struct Mixture {
    pub(crate) program: Program,
    pub(crate) parameters: Parameters,
    pub(crate) choices: Choices,
    sgd: Sgd,
    settings: Settings,
}

impl Mixture {
    /// The supernet of a space, freshly initialised.
    ///
    /// # Errors
    /// Mixing is soft and there are candidates of several shapes, or the cases of what depends on
    /// decisions cannot be listed.
    pub(crate) fn new(space: &Checked<Space>, settings: Settings) -> Result<Self, TorchError> {
        if let (Mixing::Soft, Some(shapes)) = (settings.mixing, several_shapes(space)) {
            return Err(TorchError::SoftShapes(Box::new(shapes)));
        }
        let entangled = |reason| TorchError::entangled(space, &reason);
        let (program, specs) = Program::of_space(space).map_err(entangled)?;
        let parameters = Parameters::new(specs, settings.seed, settings.device)?;
        let sgd = Sgd::new(&parameters, settings.momentum, settings.decay, settings.clip)?;
        Ok(Self { program, parameters, choices: Choices::new(space), sgd, settings })
    }

    /// One step of the weights with the choices fixed; returns the loss before it.
    pub(crate) fn weight_step(&mut self, batch: &TrainBatch<'_>) -> Result<f64, TorchError> {
        let mixes = self.draw(batch, false, &self.theta()?)?;
        let plan = Plan::new(&self.program, &mixes);
        let evaluation = self.evaluation(&plan, &mixes, Statistics::Learn);
        let (loss, value) = loss(&evaluation, batch, Phase::Weights)?;
        let rows = self.program.weights(&plan).into_iter();
        self.sgd.step(&self.parameters, rows, &loss, batch.rate)?;
        Ok(value)
    }

    /// One step of the choices with the weights fixed: down the gradient of
    /// `cross-entropy + factor * expected cost`. Batch norm takes the statistics of the batch and
    /// leaves the running ones. Returns the cross-entropy and the expected cost before the step.
    pub(crate) fn choice_step(
        &mut self,
        batch: &TrainBatch<'_>,
        factor: f64,
        expected: Expected<'_>,
    ) -> Result<(f64, f64), TorchError> {
        let theta = self.theta()?.f_set_requires_grad(true)?;
        let mixes = self.draw(batch, true, &theta)?;
        let plan = Plan::new(&self.program, &mixes);
        let evaluation = self.evaluation(&plan, &mixes, Statistics::Batch);
        let (loss, value) = loss(&evaluation, batch, Phase::Choices)?;
        let mut gradient = theta_gradient(&loss, &theta)?;
        let (cost, by_probability) = expected(&self.choices.probabilities());
        for (sum, part) in gradient.iter_mut().zip(self.choices.through_softmax(&by_probability)) {
            *sum += factor * part;
        }
        self.choices.step(&gradient, batch.rate, &self.settings.adam);
        Ok((value, cost))
    }

    /// The logits on the device.
    pub(crate) fn theta(&self) -> Result<Tensor, TorchError> {
        let theta = Tensor::f_from_slice(&self.choices.theta())?;
        Ok(theta.f_to_device(self.settings.device)?)
    }

    /// What each select does in a step.
    pub(crate) fn draw(
        &self,
        batch: &TrainBatch<'_>,
        choices: bool,
        theta: &Tensor,
    ) -> Result<Vec<Mix>, TorchError> {
        let draw = Draw {
            mixing: self.settings.mixing,
            temperature: batch.temperature,
            seed: self.settings.seed,
            moment: Moment { choices, epoch: batch.epoch, step: batch.step },
            batch: batch.images.size().first().copied().unwrap_or(1),
            device: self.settings.device,
        };
        of_selects(&self.program, &draw.mixes(&self.choices, theta)?)
    }

    pub(crate) fn evaluation<'a>(
        &'a self,
        plan: &'a Plan,
        mixes: &'a [Mix],
        statistics: Statistics,
    ) -> Evaluation<'a> {
        let Self { program, parameters, .. } = self;
        Evaluation { program, parameters, plan, mixes, statistics, noise: None }
    }

    /// The network of an assignment with the weights of the supernet, for pictures of the size that
    /// the supernet is `fed`. Its running statistics are those of the supernet, or its own to be
    /// estimated.
    pub(crate) fn inherit(
        &self,
        space: &Checked<Space>,
        assignment: &Assignment,
        own: bool,
    ) -> Result<TorchNetwork, TorchError> {
        let plan = Plan::new(&self.program, &self.program.assigned(space, assignment)?);
        let fed = self.program.inputs.first().copied();
        let (program, specs) = Program::of_network(&specialise(space, assignment), fed);
        let parameters = self.parameters.share(specs, &self.program.readings(&plan), own)?;
        Ok(TorchNetwork::with(program, parameters, self.settings.device))
    }

    /// Weights by name, `choices/PATH`, `dropped/PATH`, and `optimizer/…`.
    pub(crate) fn state(&self) -> Result<Weights, TorchError> {
        let mut state = Weights::new();
        self.parameters.save(&mut state)?;
        self.choices.save(&mut state);
        self.sgd.save(&self.parameters, &mut state)?;
        Ok(state)
    }

    pub(crate) fn restore(&mut self, state: &Weights) -> Result<(), TorchError> {
        self.parameters.load(state)?;
        self.choices.load(state)?;
        self.sgd.load(&self.parameters, state)
    }
}

/// What keeps candidates from being summed: the first node, in order, that has several shapes.
fn several_shapes(space: &Space) -> Option<SoftShapes> {
    let mut nodes = space.graph.nodes().map(|(_, node)| node);
    let (node, selector) = nodes.find_map(|node| Some((node, node.shape.selector()?)))?;
    let decision = space.decision(space.selectors.decisions(selector).first().copied()?)?;
    let origin = space.origin(decision.origin);
    let file = origin.and_then(|origin| space.origins.sources.get(origin.source));
    let shapes: Vec<String> = node.shape.values().iter().map(Shape::to_string).collect();
    let help = if decision.choice == Choice::Elastic {
        "write `mixing = hard` in the strategy: it runs one candidate of each decision at a time"
    } else {
        "write `mixing = hard` in the strategy, which runs one candidate of each decision at a time, and `elastic` for sizes that are to have their weights in common"
    };
    Some(SoftShapes {
        decision: decision.path.clone(),
        file: file.cloned().unwrap_or_else(|| Source::new("", "")),
        at: origin.map(|origin| origin.span.into()),
        shapes: format!("`{}` is {}", node.name, shapes.join(" or ")),
        help,
    })
}

/// The loss of a batch in training, as a tensor and as a number: the cross-entropy of the first
/// output, and that of each train output of the plan times its weight.
///
/// # Errors
/// It is not finite: then the batch is evaluated once more to find where that begins.
pub(crate) fn loss(
    evaluation: &Evaluation<'_>,
    batch: &TrainBatch<'_>,
    phase: Phase,
) -> Result<(Tensor, f64), TorchError> {
    let inputs = [batch.images.shallow_clone()];
    let choices = matches!(phase, Phase::Choices);
    let moment = Moment { choices, epoch: batch.epoch, step: batch.step };
    let noise = Some(Noise { seed: batch.seed, moment, drop_path: batch.drop_path });
    let evaluation = &Evaluation { noise, ..*evaluation };
    let values = evaluation.run(&inputs)?;
    let mut losses = evaluation.plan.outputs.iter().zip(&values).map(|(output, value)| {
        fits(value, batch.targets, || evaluation.program.name(output.row))?;
        mean_loss(value, batch.targets)
    });
    let mut loss =
        losses.next().ok_or_else(|| TorchError::broken("a network without outputs"))??;
    for (auxiliary, output) in losses.zip(&evaluation.program.train_outputs) {
        loss = loss.f_add(&auxiliary?.f_mul_scalar(output.weight)?)?;
    }
    let value = loss.f_double_value(&[])?;
    if value.is_finite() {
        return Ok((loss, value));
    }
    let again = Evaluation { statistics: Statistics::Batch, ..*evaluation };
    let node = tch::no_grad(|| again.inspect(&inputs));
    Err(TorchError::NotFinite { phase, epoch: batch.epoch, step: batch.step, loss: value, node })
}

/// Refuses logits for pixels that are not those of the targets.
fn fits(
    logits: &Tensor,
    targets: &DeviceTargets,
    node: impl FnOnce() -> String,
) -> Result<(), TorchError> {
    let (found, wanted) = (logits.size(), targets.values.size());
    match (found.as_slice(), wanted.as_slice()) {
        (&[_, _, h, w], &[_, height, width]) if [h, w] != [height, width] => {
            let reason = format!("its result is {h} x {w}");
            Err(TorchError::CropMisfit { height, width, node: node(), reason })
        }
        _ => Ok(()),
    }
}

/// The gradient of the loss with respect to each logit; 0 where it does not depend on them.
pub(crate) fn theta_gradient(loss: &Tensor, theta: &Tensor) -> Result<Vec<f64>, TorchError> {
    let mut gradient = vec![0.0; theta.numel()];
    if loss.requires_grad() {
        let found = Tensor::f_run_backward(&[loss], &[theta], false, false)?;
        if let Some(found) = found.first().filter(|found| found.defined()) {
            gradient = crate::parameters::values(found)?.into_iter().map(f64::from).collect();
        }
    }
    Ok(gradient)
}
