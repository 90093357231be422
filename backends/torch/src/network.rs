//! One network on libtorch: its values, its weights, its pictures.

use nas_ir::recipe::TrainingPrecision;
use nas_ir::{Model, Network, Shape, Tensor as Plain, Weights};
use tch::{Device, Tensor, no_grad};

use crate::error::TorchError;
use crate::evaluation::Evaluation;
use crate::forecast::Fit;
use crate::fused::Part;
use crate::layout::values;
use crate::layout::{channels_last, plain_map};
use crate::parameters::Parameters;
use crate::plan::Plan;
use crate::program::Program;
use crate::schedule::Schedule;
use crate::statistics::Statistics;

/// A network with its parameters on a device.
pub struct TorchNetwork {
    pub(crate) program: Program,
    pub(crate) parameters: Parameters,
    pub(crate) plan: Plan,
    pub(crate) schedule: Schedule,
}

impl TorchNetwork {
    /// The network with fresh weights: kernels normal with the variance 2 / fan-out of He et al.
    /// 2015, batch norms the identity, biases 0. A tensor's values depend on the seed and its name
    /// only.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(network: &Network, seed: u64, device: Device) -> Result<Self, TorchError> {
        Self::fed(network, None, seed, device)
    }

    /// As `new`, for pictures of another size, which the network brings to its own. It answers in
    /// the size of the pictures.
    pub(crate) fn fed(
        network: &Network,
        pictures: Option<Shape>,
        seed: u64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let program = Program::in_precision(network, pictures)?;
        let parameters = Parameters::new(&program.parameters, seed, device)?;
        Self::with(program, parameters, device)
    }

    /// As `fed`, with what training adds; [`Schedule::in_training`] says how to evaluate it then.
    pub(crate) fn in_training(
        network: &Network,
        pictures: Option<Shape>,
        seed: u64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let program = Program::in_training(network, pictures)?;
        let parameters = Parameters::new(&program.parameters, seed, device)?;
        Self::with(program, parameters, device)
    }

    /// As `fed`, of a network that learns to compute with the numbers that its nodes round to. Its parameters are to be
    /// loaded; those of [`Program::learning`].
    pub(crate) fn learning(
        network: &Network,
        pictures: Option<Shape>,
        powers_of_two: bool,
        device: Device,
    ) -> Result<Self, TorchError> {
        let program = Program::learning(network, pictures, powers_of_two)?;
        let parameters = Parameters::new(&program.parameters, 0, device)?;
        Self::with(program, parameters, device)
    }

    pub(crate) fn with(
        program: Program,
        parameters: Parameters,
        device: Device,
    ) -> Result<Self, TorchError> {
        let plan = Plan::new(&program, device)?;
        let schedule = Schedule::new(&program, &[])?;
        Ok(Self { program, parameters, plan, schedule })
    }

    /// The same, computed operator by operator, by libtorch alone.
    pub(crate) fn unfused(self) -> Self {
        Self { plan: self.plan.unfused(), ..self }
    }

    /// The same for training with these numbers.
    pub(crate) fn training_in(self, precision: TrainingPrecision) -> Self {
        Self { plan: self.plan.training_in(precision), ..self }
    }

    /// The same, unless it `fuses`: operator by operator.
    pub(crate) fn fusing(self, fuses: bool) -> Self {
        if fuses { self } else { self.unfused() }
    }

    /// The same, which is trained with less memory.
    ///
    /// # Errors
    /// A fault of this crate.
    pub(crate) fn fitting(self, fit: Fit) -> Result<Self, TorchError> {
        Ok(Self { plan: self.plan.fitting(fit, &self.program)?, ..self })
    }

    /// The same, where a part of what has operators computed together is left out.
    pub(crate) fn without(self, part: Part) -> Result<Self, TorchError> {
        Ok(Self { plan: self.plan.without(part, &self.program)?, ..self })
    }

    /// The values of all parameters, running statistics included, by name.
    ///
    /// # Errors
    /// Failed to read them from the device.
    pub fn weights(&self) -> Result<Weights, TorchError> {
        let mut weights = Weights::new();
        self.parameters.save(&mut weights)?;
        Ok(weights)
    }

    /// Takes the values of all parameters from `weights`; other tensors there are not looked at.
    ///
    /// # Errors
    /// A tensor is missing or has other sizes; then nothing is changed.
    pub fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        self.parameters.load(weights)
    }

    /// As `load`, but what only training has stays as it is.
    pub(crate) fn load_evaluated(&mut self, weights: &Weights) -> Result<(), TorchError> {
        let read = self.schedule.parameters(&self.program);
        self.parameters.load_some(weights, |id| read.contains(&id))
    }

    /// The outputs `[N, C, H, W]` for inputs `[N, C, H, W]`. Training takes the statistics of the
    /// batch and moves the running ones; evaluation takes the running ones, and no gradient.
    ///
    /// # Errors
    /// Out of memory, or inputs of a size that the network cannot run on.
    pub fn forward(&self, inputs: &[Tensor], train: bool) -> Result<Vec<Tensor>, TorchError> {
        if train {
            return self.evaluation(Statistics::Learn).run(inputs);
        }
        no_grad(|| self.evaluation(Statistics::Running).run(inputs))
    }

    pub(crate) fn evaluation(&self, statistics: Statistics) -> Evaluation<'_> {
        let Self { program, parameters, plan, schedule } = self;
        Evaluation { program, plan, parameters, schedule, mixes: &[], statistics, noise: None }
    }

    /// One slice for each input as tensors of `n` pictures.
    pub(crate) fn inputs(&self, inputs: &[&[f32]], n: usize) -> Result<Vec<Tensor>, TorchError> {
        let shaped = self.program.inputs.iter().enumerate();
        let tensors = shaped.map(|(input, shape)| {
            let given = inputs.get(input).copied().unwrap_or_default();
            let needed = shape.elements();
            if given.len() as u64 != needed * n as u64 {
                let found = given.len() / n.max(1);
                return Err(TorchError::InputSize { input, needed, found });
            }
            let mut sizes = vec![n as i64];
            sizes.extend(shape.dims().iter().map(|&d| i64::from(d)));
            let tensor = Tensor::f_from_slice(given)?.f_view(sizes.as_slice())?;
            channels_last(&tensor.f_to_device(self.plan.device)?)
        });
        tensors.collect()
    }
}

/// The outputs of a model, each `[1, C, H, W]`, for one picture: a tensor `[1, C, H, W]` for each input.
/// Evaluated on the processor, by libtorch alone.
///
/// # Errors
/// The weights or the inputs are not those of the network.
pub fn run(model: &Model, inputs: &[Plain]) -> Result<Vec<Plain>, TorchError> {
    let program = Program::of_network(&model.network, None)?;
    let parameters = Parameters::blank(&program.parameters, Device::Cpu)?;
    // Other engines are held against libtorch, and not against kernels of ours.
    let mut network = TorchNetwork::with(program, parameters, Device::Cpu)?.unfused();
    network.load(&model.weights)?;
    let images = inputs.first().and_then(|input| input.dims.first().copied()).unwrap_or(1);
    // What holds no floats has none of the numbers that the input takes.
    let slices: Vec<&[f32]> =
        inputs.iter().map(|input| input.floats().unwrap_or_default()).collect();
    let outputs = network.forward(&network.inputs(&slices, images as usize)?, false)?;
    let outputs = outputs.iter().zip(&network.program.outputs).map(|(output, port)| {
        Ok(Plain::of_floats(port.shape.batched(images), values(&plain_map(output)?)?))
    });
    outputs.collect()
}
