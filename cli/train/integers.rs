//! A network of integers of 8 bits, made of one of floats, and what that costs on the validation images.

use std::collections::BTreeSet;

use nas_ir::metric::Direction;
use nas_ir::network::Port;
use nas_ir::{Grid, Model, Tensor};
use nas_passes::model::{Normalisation, normalise, reverse_channels};
use nas_quantise::{Plan, Scheme, Sensitivity, calibrated, correct_biases, equalise, sensitivity};
use nas_search::Metrics;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::Split;
use nas_search::metrics::MetricName;
use nasc::render::bar::Bar;
use nasc::render::report::{Failure, counted};
use nasc::services::form::Form;
use nasc::services::onnx_file::folded;
use nasc::services::reference::Reference;
use nasc::services::rounding::RoundingArgs;
use nasc::tell;
use serde::Serialize;

use crate::reference::libtorch;
use crate::scores::value_of;
use crate::training::{Training, stopped};

/// How many images are run at once to watch values.
const AT_ONCE: usize = 16;
/// How many of the images tell what a layer loses, and what a bias is off by.
const FEW: usize = 64;

/// A network of integers.
pub(crate) struct Integers {
    /// The network, as it is written.
    pub(crate) model: Model,
    /// What it costs.
    pub(crate) report: Report,
    /// The metric by which that is told.
    pub(crate) metric: MetricName,
}

/// What integers cost, as it is written beside a file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// The metric by which networks are ranked.
    pub(crate) metric: String,
    /// Its value for 32-bit floats, and for the integers.
    pub(crate) fp32: f64,
    pub(crate) int8: f64,
    /// The layers that compute with floats all the same.
    pub(crate) floats: Vec<String>,
    /// The layers, the one that loses most first; empty if it was not asked for.
    pub(crate) layers: Vec<Layer>,
}

/// What a layer loses.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Layer {
    pub(crate) path: String,
    /// See [`Sensitivity::decibels`].
    pub(crate) decibels: f64,
}

/// A network that is made to compute with integers, and what tells how well it does.
struct Work<'a> {
    training: &'a Training,
    rounding: &'a RoundingArgs,
    form: &'a Form,
    scheme: Scheme,
    /// The model of floats, as it is exported.
    floats: Model,
    /// Images as the file takes them, in batches.
    batches: Vec<Vec<Tensor>>,
    reference: Reference,
}

/// A network of integers, and the layers that are none.
struct Rounded {
    model: Model,
    floats: BTreeSet<usize>,
    value: f64,
}

/// A model in the form of a file as one of integers. It is not folded yet.
///
/// # Errors
/// The data cannot be read, or the user stops it.
pub(crate) fn integers(
    training: &Training,
    model: Model,
    form: &Form,
    rounding: &RoundingArgs,
) -> Result<Integers, Failure> {
    let mut floats = folded(model)?;
    if rounding.equalise {
        floats = equalise(floats);
    }
    let batches = batches(training, &floats, form, rounding.images)?;
    let scheme = rounding.scheme();
    let work = Work { training, rounding, form, scheme, floats, batches, reference: libtorch() };
    let (metric, fp32) = work.score(&work.floats, "score of floats")?;
    let (rounded, layers) = work.rounded(&metric, fp32)?;
    let path = |node: &usize| Some(work.floats.network.node(*node)?.name.clone());
    let layer = |it: Sensitivity| Layer { path: it.path, decibels: it.decibels };
    let report = Report {
        metric: metric.key().to_owned(),
        fp32,
        int8: rounded.value,
        floats: rounded.floats.iter().filter_map(path).collect(),
        layers: layers.into_iter().map(layer).collect(),
    };
    Ok(Integers { model: rounded.model, report, metric })
}

/// Training images as the file takes them, without augmentation.
fn batches(
    training: &Training,
    model: &Model,
    form: &Form,
    images: u32,
) -> Result<Vec<Vec<Tensor>>, Failure> {
    let ports: Vec<Port> = model.network.inputs.clone();
    let all =
        training.backend()?.training_images(images as usize, AT_ONCE).map_err(Failure::problem)?;
    let given = |batch: Vec<Tensor>| -> Vec<Tensor> {
        ports.iter().zip(batch).map(|(port, tensor)| form.given(&port.name, &tensor)).collect()
    };
    Ok(all.into_iter().map(given).collect())
}

impl Work<'_> {
    /// What runs a model; Ctrl-C stops it.
    fn run(&self, model: &Model, inputs: &[Tensor]) -> Result<Vec<Tensor>, Failure> {
        (self.reference.run)(model, inputs)
    }

    fn few(&self) -> &[Vec<Tensor>] {
        let batches = self.batches.len().min(FEW.div_ceil(AT_ONCE));
        self.batches.get(..batches).unwrap_or_default()
    }

    /// The network of integers: all of it, or as much as keeps within the loss that is allowed.
    fn rounded(
        &self,
        metric: &MetricName,
        fp32: f64,
    ) -> Result<(Rounded, Vec<Sensitivity>), Failure> {
        let whole = self.integers(BTreeSet::new())?;
        let told = self.rounding.sensitivity || self.rounding.within.is_some();
        let layers = if told { self.layers()? } else { Vec::new() };
        let Some(within) = self.rounding.within else { return Ok((whole, layers)) };
        let sign = match metric {
            MetricName::Known(metric) if metric.direction() == Direction::Lower => -1.0,
            _ => 1.0,
        };
        let is_good = |value: f64| sign * (fp32 - value) <= within;
        let mut best = whole;
        // Ever more of the layers that lose most, until it is good; then as few as are needed.
        let mut bad = 0;
        let mut good = 1;
        while !is_good(best.value) {
            if bad == layers.len() {
                break;
            }
            let count = good.min(layers.len());
            best = self.integers(layers.iter().take(count).map(|layer| layer.node).collect())?;
            tell!(
                "{} with floats: {} {}",
                counted(count, "layer"),
                metric.title(),
                value_of(metric, best.value)
            );
            if is_good(best.value) {
                good = count;
            } else {
                bad = count;
                good = count * 2;
            }
        }
        while is_good(best.value) && good > bad + 1 {
            let middle = usize::midpoint(bad, good);
            let tried =
                self.integers(layers.iter().take(middle).map(|layer| layer.node).collect())?;
            if is_good(tried.value) {
                (best, good) = (tried, middle);
            } else {
                bad = middle;
            }
        }
        Ok((best, layers))
    }

    fn grids(&self, plan: &Plan) -> Result<Vec<Grid>, Failure> {
        let (bar, mut done) = (Bar::new()?, 0);
        let of = 2 * self.batches.len();
        let mut run = |model: &Model, inputs: &[Tensor]| {
            done += 1;
            let flow = bar.step("watch values", done.min(of), of);
            if flow.is_break() { Err(Failure::Interrupted) } else { self.run(model, inputs) }
        };
        let how = (self.rounding.method, self.scheme);
        let grids = calibrated(&self.floats, plan, how, &self.batches, &mut run);
        bar.finish();
        grids
    }

    /// The network in which all but these layers compute with integers.
    fn integers(&self, floats: BTreeSet<usize>) -> Result<Rounded, Failure> {
        let plan = Plan::of(&self.floats.network, &floats);
        let grids = self.grids(&plan)?;
        let mut model = self.scheme.rounded(self.floats.clone(), &plan, &grids);
        if !self.rounding.keep_biases {
            let bar = Bar::new()?;
            let mut run = |model: &Model, inputs: &[Tensor]| self.run(model, inputs);
            let mut stopped = false;
            model =
                correct_biases(&self.floats, model, &plan, self.few(), &mut run, |done, of| {
                    stopped |= bar.step("correct biases", done, of).is_break();
                })?;
            bar.finish();
            if stopped {
                return Err(Failure::Interrupted);
            }
        }
        let (_, value) = self.score(&model, "score of integers")?;
        Ok(Rounded { model, floats, value })
    }

    fn layers(&self) -> Result<Vec<Sensitivity>, Failure> {
        let plan = Plan::of(&self.floats.network, &BTreeSet::new());
        let grids = self.grids(&plan)?;
        let bar = Bar::with_rest()?;
        let mut run = |model: &Model, inputs: &[Tensor]| self.run(model, inputs);
        let how = (self.scheme, grids.as_slice());
        let layers = sensitivity(&self.floats, &plan, how, self.few(), &mut run, |done, of| {
            let _ = bar.step("layer by layer", done, of);
        });
        bar.finish();
        layers
    }

    /// The primary metric of a model on the validation images.
    fn score(&self, model: &Model, what: &str) -> Result<(MetricName, f64), Failure> {
        let model = of_training_images(model.clone(), self.form);
        let mut network =
            self.training.backend()?.trainable(&model.network).map_err(Failure::problem)?;
        network.load(&model.weights).map_err(|fault| Failure::Problems(vec![fault]))?;
        let bar = Bar::new()?;
        let score = network.score(Split::Val, &mut |step| bar.step(what, step.done, step.of));
        bar.finish();
        let score: Metrics = score.map_err(stopped)?;
        let (metric, value) = score.primary();
        Ok((metric.clone(), value))
    }
}

/// The model of a file as one of the images that training has: those are turned into what the file takes.
fn of_training_images(mut model: Model, form: &Form) -> Model {
    let inputs: Vec<String> = model.network.inputs.iter().map(|port| port.name.clone()).collect();
    for input in inputs {
        // What the file rounds of its input is rounded of what is made of the images.
        let port =
            model.network.inputs.iter().find(|port| port.name == input).map(|port| port.node);
        let rounding = port
            .and_then(|node| model.network.nodes.get_mut(node))
            .map(|node| std::mem::take(&mut node.rounding));
        let before = model.network.nodes.len();
        if let Some(by) = form.normalised.iter().find(|by| by.input == input) {
            model = normalise(model, &inverse(by));
        }
        if form.is_reversed {
            model = reverse_channels(model, &input);
        }
        let added = model.network.nodes.len() - before;
        let last = port.map(|node| node + added);
        if let (Some(rounding), Some(node)) =
            (rounding, last.and_then(|it| model.network.nodes.get_mut(it)))
        {
            node.rounding = rounding;
        }
    }
    model
}

/// What undoes a normalisation: `x std white + mean white`.
fn inverse(by: &Normalisation) -> Normalisation {
    let mean = by.mean.iter().zip(&by.std).map(|(mean, std)| -mean / std).collect();
    let std = by.std.iter().map(|std| (1.0 / (f64::from(*std) * by.white)) as f32).collect();
    Normalisation { input: by.input.clone(), white: 1.0, mean, std }
}
