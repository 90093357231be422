//! A network of integers of 8 bits, made of one of floats, and what that costs on the validation images.

use std::collections::BTreeMap;
use std::path::Path;

use nas_ir::metric::Direction;
use nas_ir::network::Port;
use nas_ir::ops::Role;
use nas_ir::{Grid, Model, Op, Precision, Tensor, TensorName, fault};
use nas_quantise::{
    Grids, Plan, Scheme, Sensitivity, asked_floats, calibrated, correct_biases, equalise,
    sensitivity,
};
use nas_search::Metrics;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::Split;
use nas_search::metrics::MetricName;
use nasc::render::bar::Bar;
use nasc::render::report::{Failure, counted};
use nasc::services::form::Form;
use nasc::services::onnx_file::folded;
use nasc::services::reference::Reference;
use nasc::services::rounding::{FloatLayer, RoundingArgs};
use nasc::tell;
use serde::Serialize;

use crate::file_images::of_training_images;
use crate::reference::libtorch;
use crate::scores::value_of;
use crate::training::{Training, stopped};
use crate::tuning::Tune;

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
    /// What it was for the integers before they were trained on, if they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) untuned: Option<f64>,
    /// The layers that compute with floats all the same.
    pub(crate) floats: Vec<FloatLayer>,
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
    /// The layers that the space has compute with floats, and with which.
    asked: BTreeMap<usize, Precision>,
    /// Images as the file takes them, in batches.
    batches: Vec<Vec<Tensor>>,
    reference: Reference,
}

/// From what a network of integers is made.
enum Origin {
    /// The model of floats, and grids by what its values are on images.
    Watched,
    /// What was trained on: a model before it is rounded, and the grids of a plan that rounds all of it.
    Tuned { model: Box<Model>, plan: Plan, grids: Grids },
}

/// A network of integers, and the layers that are none.
struct Rounded {
    model: Model,
    plan: Plan,
    grids: Grids,
    floats: BTreeMap<usize, Precision>,
    value: f64,
}

/// A model in the form of a file as one of integers. It is not folded yet. `name` is what the run is called that trains it on,
/// if it is trained on.
///
/// # Errors
/// The data cannot be read, or the user stops it.
pub(crate) fn integers(
    training: &Training,
    model: Model,
    form: &Form,
    rounding: &RoundingArgs,
    name: &str,
) -> Result<Integers, Failure> {
    let mut floats = folded(model)?;
    if rounding.equalise {
        floats = equalise(floats);
    }
    let batches = batches(training, &floats, form, rounding.images)?;
    let scheme = rounding.scheme();
    let asked = asked_floats(&floats.network);
    floats.network = floats.network.in_one_precision();
    let reference = libtorch();
    let work = Work { training, rounding, form, scheme, floats, asked, batches, reference };
    let (metric, fp32) = work.score(&work.floats, "score of floats")?;
    let plain = work.integers(&Origin::Watched, work.asked.clone())?;
    let untuned = rounding.tune.tune.map(|_| plain.value);
    let (origin, whole) = match rounding.tune.tune {
        Some(epochs) => work.tuned(plain, epochs, &rounding.tune.folder(name), &metric)?,
        None => (Origin::Watched, plain),
    };
    let (rounded, layers) = work.within(&origin, whole, (&metric, fp32))?;
    let of_floats = |(&node, &precision): (&usize, &Precision)| {
        let node = work.floats.network.node(node)?;
        let is_layer = node.op.as_ref().is_some_and(Op::has_kernel);
        is_layer.then(|| FloatLayer { path: node.name.clone(), precision })
    };
    let layer = |it: Sensitivity| Layer { path: it.path, decibels: it.decibels };
    let report = Report {
        metric: metric.key().to_owned(),
        fp32,
        int8: rounded.value,
        untuned,
        floats: rounded.floats.iter().filter_map(of_floats).collect(),
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

    /// The network after it was trained on, or as it was where that is no better.
    fn tuned(
        &self,
        plain: Rounded,
        epochs: u32,
        run: &Path,
        metric: &MetricName,
    ) -> Result<(Origin, Rounded), Failure> {
        let Self { training, form, scheme, rounding, .. } = self;
        let Rounded { plan, grids, .. } = &plain;
        let mut model = self.floats.clone();
        // Biases begin as they were corrected: the first step is on the network that was scored.
        for &index in &plan.kernels {
            let bias = model.network.node(index).map(|node| bias_name(&node.name));
            if let Some((name, own)) =
                bias.and_then(|name| Some((name.clone(), plain.model.weights.get(&name)?)))
            {
                model.weights.insert(name, own.clone());
            }
        }
        let args = &rounding.tune;
        let tune = Tune { training, form, scheme: *scheme, plan, args, epochs, run };
        let (model, grids) = tune.run(model, grids)?;
        let origin = Origin::Tuned { model: Box::new(model), plan: plan.clone(), grids };
        let tuned = self.integers(&origin, self.asked.clone())?;
        let shown = |value| value_of(metric, value);
        tell!("{}: {} before, {} tuned", metric.title(), shown(plain.value), shown(tuned.value));
        if sign(metric) * (tuned.value - plain.value) > 0.0 {
            return Ok((origin, tuned));
        }
        tell!("tuning makes it no better: the network stays as it was");
        Ok((Origin::Watched, plain))
    }

    /// As much of the network of integers as keeps within the loss that is allowed, and the layers, if that is asked for.
    fn within(
        &self,
        origin: &Origin,
        whole: Rounded,
        (metric, fp32): (&MetricName, f64),
    ) -> Result<(Rounded, Vec<Sensitivity>), Failure> {
        let told = self.rounding.sensitivity || self.rounding.within.is_some();
        let layers = if told { self.layers(origin, &whole)? } else { Vec::new() };
        let Some(within) = self.rounding.within else { return Ok((whole, layers)) };
        let is_good = |value: f64| sign(metric) * (fp32 - value) <= within;
        let fallback = self.rounding.fallback();
        let without = |count: usize| {
            let floats = layers.iter().take(count).map(|layer| (layer.node, fallback));
            let floats = floats.chain(self.asked.iter().map(|(&node, &of)| (node, of)));
            self.integers(origin, floats.collect())
        };
        let mut best = whole;
        // Ever more of the layers that lose most, until it is good; then as few as are needed.
        let mut bad = 0;
        let mut good = 1;
        while !is_good(best.value) {
            if bad == layers.len() {
                break;
            }
            let count = good.min(layers.len());
            best = without(count)?;
            tell!(
                "{} with {}: {} {}",
                counted(count, "layer"),
                fallback.name(),
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
            let tried = without(middle)?;
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
    fn integers(
        &self,
        origin: &Origin,
        floats: BTreeMap<usize, Precision>,
    ) -> Result<Rounded, Failure> {
        let plan = Plan::of(&self.floats.network, &floats);
        let (model, grids) = match origin {
            Origin::Watched => {
                let values = self.grids(&plan)?;
                let grids = Grids::of(self.scheme, &self.floats, &plan, values);
                let model = grids.rounded(self.floats.clone(), &plan);
                (self.corrected(model, &plan)?, grids)
            }
            Origin::Tuned { model, plan: whole, grids } => {
                let part = grids.of_part(whole, &plan);
                let part = part.unwrap_or_else(|| fault("a part of a plan that rounds more"));
                (part.rounded(Model::clone(model), &plan), part)
            }
        };
        let (_, value) = self.score(&model, "score of integers")?;
        Ok(Rounded { model, plan, grids, floats, value })
    }

    /// With biases out of which is taken what rounding adds on average, unless these are to stay.
    fn corrected(&self, model: Model, plan: &Plan) -> Result<Model, Failure> {
        if self.rounding.keep_biases {
            return Ok(model);
        }
        let bar = Bar::new()?;
        let mut run = |model: &Model, inputs: &[Tensor]| self.run(model, inputs);
        let mut stopped = false;
        let model = correct_biases(&self.floats, model, plan, self.few(), &mut run, |done, of| {
            stopped |= bar.step("correct biases", done, of).is_break();
        })?;
        bar.finish();
        if stopped { Err(Failure::Interrupted) } else { Ok(model) }
    }

    fn layers(&self, origin: &Origin, whole: &Rounded) -> Result<Vec<Sensitivity>, Failure> {
        let model = match origin {
            Origin::Watched => &self.floats,
            Origin::Tuned { model, .. } => model,
        };
        let bar = Bar::with_rest()?;
        let mut run = |model: &Model, inputs: &[Tensor]| self.run(model, inputs);
        let Rounded { plan, grids, .. } = whole;
        let layers = sensitivity(model, plan, grids, self.few(), &mut run, |done, of| {
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

fn bias_name(node: &str) -> String {
    TensorName::new(node, Role::Bias).to_string()
}

/// 1 for a metric of which more is better, else -1.
fn sign(metric: &MetricName) -> f64 {
    match metric {
        MetricName::Known(metric) if metric.direction() == Direction::Lower => -1.0,
        _ => 1.0,
    }
}
