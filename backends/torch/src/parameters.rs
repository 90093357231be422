//! Parameters by name: their initial values, and their ways in and out of [`Weights`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nas_ir::ops::Initial;
use nas_ir::recipe::Initialisation;
use nas_ir::{Tensor as Plain, Weights};
use tch::{Device, Kind, Tensor, no_grad};

use crate::error::TorchError;
use crate::gathered;
use crate::layout::values;
use crate::patterns::Patterns;
use crate::program::{
    ParameterId, ParameterSpec, Program, Table, Transform, WeightRounding, WeightView,
};
use crate::random::{Purpose, normal, stream, uniform};
use crate::rounding;

/// The parameters of a program on a device.
pub(crate) struct Parameters {
    rows: Table<ParameterId, Parameter>,
    /// All trainable values, one tensor after the other. The tensors are views of it, so that an
    /// optimiser changes many of them in one operation.
    flat: Tensor,
}

struct Parameter {
    spec: ParameterSpec,
    tensor: Tensor,
    /// Its first element in [`Parameters::flat`]; none of one that is not trained here.
    start: Option<i64>,
    /// Whether it stays as it is, though it could learn.
    is_frozen: bool,
}

impl Parameter {
    /// Its first element in [`Parameters::flat`], if it learns.
    fn learns_at(&self) -> Option<i64> {
        self.start.filter(|_| !self.is_frozen)
    }
}

impl Parameters {
    /// Draws kernels anew from something else than [`Parameters::new`] does, if it is something else. Their values depend on the
    /// seed and on their names only.
    pub(crate) fn begin(&mut self, initial: Initialisation, seed: u64) -> Result<(), TorchError> {
        match initial {
            Initialisation::He => Ok(()),
            Initialisation::Pytorch => self.draw_as_pytorch(seed),
        }
    }

    fn draw_as_pytorch(&mut self, seed: u64) -> Result<(), TorchError> {
        for Parameter { spec, tensor, .. } in self.rows.rows_mut() {
            if let Initial::Normal { .. } = spec.initial {
                let fan_in: u32 = spec.dims.iter().skip(1).product();
                let mut numbers = stream(seed, Purpose::Weight { name: &spec.name });
                let bound = 1.0 / f64::from(fan_in.max(1)).sqrt();
                let values = uniform(&mut numbers, bound, spec.elements() as usize);
                let values = Tensor::f_from_slice(&values)?.f_view(spec.sizes().as_slice())?;
                no_grad(|| tensor.f_copy_(&values))?;
            }
        }
        Ok(())
    }

    /// Freshly initialised. A tensor's values depend on the seed and on its name only.
    pub(crate) fn new(
        specs: &Table<ParameterId, ParameterSpec>,
        seed: u64,
        device: Device,
    ) -> Result<Self, TorchError> {
        let mut parameters = Self::blank(specs, device)?;
        for Parameter { spec, tensor, .. } in parameters.rows.rows_mut() {
            tensor.f_copy_(&spec.initial(seed)?)?;
        }
        Ok(parameters)
    }

    /// All zeros, to be loaded.
    pub(crate) fn blank(
        specs: &Table<ParameterId, ParameterSpec>,
        device: Device,
    ) -> Result<Self, TorchError> {
        let trainable = specs.rows().iter().filter(|spec| spec.role.is_trainable());
        let elements = trainable.map(ParameterSpec::elements).sum::<i64>();
        let flat = Tensor::f_zeros([elements], (Kind::Float, device))?;
        let mut rows = Table::default();
        let mut end = 0;
        for spec in specs.rows() {
            let start = spec.role.is_trainable().then_some(end);
            let tensor = match start {
                Some(start) => {
                    end += spec.elements();
                    let part = flat.f_narrow(0, start, spec.elements())?;
                    part.f_view(spec.sizes().as_slice())?.f_detach()?
                }
                None => Tensor::f_zeros(spec.sizes(), (Kind::Float, device))?,
            };
            rows.push(Parameter { spec: spec.clone(), tensor, start, is_frozen: false });
        }
        Ok(Self { rows, flat })
    }

    /// Parameters of the program of a network over the same memory: those of a node are what the
    /// node reads here. Running statistics are its own, at their initial values, if `statistics` says
    /// so.
    ///
    /// # Errors
    /// Out of memory; or a fault of this crate: the network has nodes that are not here.
    pub(crate) fn share(
        &self,
        program: &Program,
        weights: &BTreeMap<&str, &[WeightView]>,
        statistics: bool,
    ) -> Result<Self, TorchError> {
        let sources = sources(program, weights)?;
        let mut rows = Table::default();
        for (id, spec) in program.parameters.iter() {
            let unread = || TorchError::broken(format!("nothing reads `{}`", spec.name));
            let tensor = self.source(spec, sources.get(&id).ok_or_else(unread)?)?;
            let is_own = statistics && !spec.role.is_trainable();
            let tensor =
                if is_own { spec.initial(0)?.f_to_device(tensor.device())? } else { tensor };
            rows.push(Parameter { spec: spec.clone(), tensor, start: None, is_frozen: false });
        }
        Ok(Self { rows, flat: self.flat.shallow_clone() })
    }

    /// What a view gives, which must be what is described.
    fn source(&self, spec: &ParameterSpec, view: &WeightView) -> Result<Tensor, TorchError> {
        let whole = self.rows.get(view.parameter)?;
        let tensor = no_grad(|| self.part(view))?;
        if whole.spec.role == spec.role && tensor.size() == spec.sizes() {
            return Ok(tensor);
        }
        let (name, from) = (&spec.name, &whole.spec.name);
        Err(TorchError::broken(format!("`{name}` is no part {:?} of `{from}`", tensor.size())))
    }

    /// What these views give.
    pub(crate) fn read(&self, views: &[WeightView]) -> Result<Vec<Tensor>, TorchError> {
        views.iter().map(|view| self.rounded(self.part(view)?, view)).collect()
    }

    /// The part of a view, rounded as the view says.
    fn rounded(&self, part: Tensor, view: &WeightView) -> Result<Tensor, TorchError> {
        match view.rounding {
            None => Ok(part),
            Some(WeightRounding::Half) => rounding::to_half(&part),
            Some(WeightRounding::Levels { axis }) => rounding::kernel_to_levels(&part, axis),
            Some(WeightRounding::Kernel { steps, axis }) => {
                rounding::kernel(&part, self.tensor(steps.parameter)?, axis, steps.powers_of_two)
            }
            Some(WeightRounding::Bias { kernel, operand }) => {
                let [own, of_operand] = [self.tensor(kernel.parameter)?, self.tensor(operand)?];
                rounding::bias(&part, own, of_operand, kernel.powers_of_two)
            }
        }
    }

    /// What a view gives before it is rounded. Gradients reach the whole tensor, and the matrices on the way; what is written into it reaches the
    /// tensor where there are none.
    fn part(&self, view: &WeightView) -> Result<Tensor, TorchError> {
        let mut part = self.tensor(view.parameter)?.shallow_clone();
        let axes = (0..).zip(view.part.iter().flatten());
        // Windows are cut step by step.
        let is_cut = |axis: i64| axis < 2 || view.transforms.is_empty();
        for (axis, [first, length]) in axes.filter(|(axis, _)| is_cut(*axis)) {
            part = part.f_narrow(axis, i64::from(*first), i64::from(*length))?;
        }
        for Transform { matrix, window } in &view.transforms {
            part = transformed(&part, *window, self.tensor(*matrix)?)?;
        }
        Ok(part)
    }

    /// A tensor as it is, to be read.
    pub(crate) fn tensor(&self, id: ParameterId) -> Result<&Tensor, TorchError> {
        let tensor = &self.rows.get(id)?.tensor;
        gathered::note_read(tensor);
        Ok(tensor)
    }

    /// What the tensors are.
    pub(crate) fn specs(&self) -> impl Iterator<Item = (ParameterId, &ParameterSpec)> {
        self.rows.iter().map(|(id, row)| (id, &row.spec))
    }

    /// What a tensor is.
    pub(crate) fn spec(&self, id: ParameterId) -> Result<&ParameterSpec, TorchError> {
        Ok(&self.rows.get(id)?.spec)
    }

    /// All trainable values in one tensor, whose memory the tensors share.
    pub(crate) fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// A tensor and its first element in `flat`, if it is trained here.
    pub(crate) fn trainable(&self, id: ParameterId) -> Result<Option<(&Tensor, i64)>, TorchError> {
        let row = self.rows.get(id)?;
        Ok(row.learns_at().map(|start| (&row.tensor, start)))
    }

    /// Those of these tensors that are trained here, each with its first element in `flat`.
    pub(crate) fn all_trainable(
        &self,
        ids: impl IntoIterator<Item = ParameterId>,
    ) -> Result<Vec<(ParameterId, &Tensor, i64)>, TorchError> {
        let found = ids.into_iter().map(|id| {
            let trainable = self.trainable(id)?;
            Ok(trainable.map(|(tensor, start)| (id, tensor, start)))
        });
        found.filter_map(Result::transpose).collect()
    }

    /// Makes them double precision, for what single does not hold; no optimiser takes these.
    pub(crate) fn make_double(&mut self) {
        for row in self.rows.rows_mut() {
            row.tensor = row.tensor.detach().to_kind(Kind::Double);
        }
    }

    /// Whether backward computes gradients of the trainable tensors.
    pub(crate) fn require_gradients(&self, yes: bool) -> Result<(), TorchError> {
        for row in self.rows.rows().iter().filter(|row| row.learns_at().is_some()) {
            let _ = row.tensor.f_set_requires_grad(yes)?;
        }
        Ok(())
    }

    /// Has the tensors stay as they are whose names match one of these patterns; see [`Patterns`]. Of a network that chose
    /// otherwise, a pattern may match none.
    pub(crate) fn freeze(&mut self, patterns: &Patterns) {
        for row in self.rows.rows_mut() {
            row.is_frozen = row.start.is_some() && patterns.matches(&row.spec.name);
        }
    }

    /// The same values in memory of their own.
    pub(crate) fn copied(&self) -> Result<Self, TorchError> {
        let specs: Vec<ParameterSpec> = self.specs().map(|(_, spec)| spec.clone()).collect();
        let mut copy = Self::blank(&Table::from(specs), self.flat.device())?;
        copy.move_toward(self, 1.0)?;
        Ok(copy)
    }

    /// Goes this share of the way to the values of the same parameters elsewhere.
    pub(crate) fn move_toward(&mut self, other: &Self, share: f64) -> Result<(), TorchError> {
        no_grad(|| {
            let _ = self.flat.f_lerp_(&other.flat, share)?;
            for (row, other) in self.rows.rows_mut().iter_mut().zip(other.rows.rows()) {
                if row.start.is_none() {
                    let _ = row.tensor.f_lerp_(&other.tensor, share)?;
                }
            }
            Ok(())
        })
    }

    /// Takes the values of the tensors that `weights` has in the same size.
    pub(crate) fn load_what_fits(&mut self, weights: &Weights) -> Result<(), TorchError> {
        let fits = |row: &Parameter| fitting(weights, &row.spec.name, &row.spec.dims).is_ok();
        let found: BTreeSet<ParameterId> =
            self.rows.iter().filter(|(_, row)| fits(row)).map(|(id, _)| id).collect();
        self.load_some(weights, |id| found.contains(&id))
    }

    /// Adds the values of all tensors to `weights`.
    pub(crate) fn save(&self, weights: &mut Weights) -> Result<(), TorchError> {
        for Parameter { spec, tensor, .. } in self.rows.rows() {
            weights.insert(spec.name.clone(), plain(tensor, &spec.dims)?);
        }
        Ok(())
    }

    /// Takes the values of all tensors from `weights`; of none if one does not fit.
    pub(crate) fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        self.load_some(weights, |_| true)
    }

    /// Takes the values of some tensors from `weights`; of none if one does not fit.
    pub(crate) fn load_some(
        &mut self,
        weights: &Weights,
        is_asked: impl Fn(ParameterId) -> bool,
    ) -> Result<(), TorchError> {
        let asked = self.rows.iter_mut().filter(|(id, _)| is_asked(*id));
        let asked: Vec<&mut Parameter> = asked.map(|(_, row)| row).collect();
        for Parameter { spec, .. } in &asked {
            fitting(weights, &spec.name, &spec.dims)?;
        }
        no_grad(|| {
            for Parameter { spec, tensor, .. } in asked {
                let values = fitting(weights, &spec.name, &spec.dims)?;
                tensor.f_copy_(&Tensor::f_from_slice(values)?.f_view(spec.sizes().as_slice())?)?;
            }
            Ok(())
        })
    }
}

/// What the operators of a network read of a supernet's parameters, for each of their own.
fn sources<'w>(
    program: &Program,
    weights: &BTreeMap<&str, &'w [WeightView]>,
) -> Result<HashMap<ParameterId, &'w WeightView>, TorchError> {
    let mut sources = HashMap::new();
    for reader in program.instructions.rows() {
        let own = reader.weights();
        if own.is_empty() {
            continue;
        }
        let found = weights.get(reader.node.as_str()).filter(|found| found.len() == own.len());
        let missing = || TorchError::broken("its parameters are not in the supernet");
        let found = found.ok_or_else(missing).map_err(|error| error.at_node(&reader.node))?;
        sources.extend(own.iter().map(|view| view.parameter).zip(*found));
    }
    Ok(sources)
}

/// A kernel `[a, b, height, width]` brought to a smaller window: its centre, to which a matrix adds what it makes of it.
fn transformed(kernel: &Tensor, window: [u32; 2], matrix: &Tensor) -> Result<Tensor, TorchError> {
    let mut centre = kernel.shallow_clone();
    for (axis, size) in (2..).zip(window.map(i64::from)) {
        let all = centre.size().get(axis as usize).copied().unwrap_or_default();
        centre = centre.f_narrow(axis, (all - size) / 2, size)?;
    }
    let rows = centre.f_flatten(2, 3)?;
    Ok(rows.f_matmul(matrix)?.f_add(&rows)?.f_view_as(&centre)?)
}

impl ParameterSpec {
    pub(crate) fn elements(&self) -> i64 {
        self.dims.iter().map(|&d| i64::from(d)).product()
    }

    pub(crate) fn sizes(&self) -> Vec<i64> {
        self.dims.iter().map(|&d| i64::from(d)).collect()
    }

    fn initial(&self, seed: u64) -> Result<Tensor, TorchError> {
        let options = (Kind::Float, Device::Cpu);
        Ok(match self.initial {
            Initial::Normal { std } => {
                let mut rng = stream(seed, Purpose::Weight { name: &self.name });
                let values = normal(&mut rng, std, self.elements() as usize);
                Tensor::f_from_slice(&values)?.f_view(self.sizes().as_slice())?
            }
            Initial::Constant(value) => Tensor::f_full(self.sizes(), f64::from(value), options)?,
        })
    }
}

/// The values of a tensor, row-major.
pub(crate) fn plain(tensor: &Tensor, dims: &[u32]) -> Result<Plain, TorchError> {
    Ok(Plain::of_floats(dims, values(tensor)?))
}

/// The values of the tensor of this name, if it holds floats and has these sizes.
pub(crate) fn fitting<'w>(
    weights: &'w Weights,
    name: &str,
    dims: &[u32],
) -> Result<&'w [f32], TorchError> {
    let found = weights.get(name);
    let fitting = found.filter(|tensor| tensor.dims == dims && tensor.is_full());
    fitting.and_then(Plain::floats).ok_or_else(|| TorchError::OtherState {
        name: name.to_owned(),
        needed: dims.to_vec(),
        found: found.map(|tensor| tensor.dims.clone()),
    })
}
