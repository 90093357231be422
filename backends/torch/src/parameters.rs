//! Parameters by name: their initial values, and their ways in and out of [`Weights`].

use std::collections::{BTreeMap, HashMap};

use nas_ir::operation::WeightGroup;
use nas_ir::ops::{Initial, Role, Weight};
use nas_ir::{Tensor as Plain, TensorName, Weights};
use tch::{Device, Kind, TchError, Tensor, no_grad};

use crate::error::TorchError;
use crate::random::{Purpose, normal, stream};

/// A tensor that a program needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spec {
    /// Its name.
    pub(crate) name: String,
    /// What it holds.
    pub(crate) role: Role,
    /// Its sizes.
    pub(crate) dims: Vec<u32>,
    /// What it holds before training.
    pub(crate) initial: Initial,
}

/// What an instruction reads of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The row of the tensor.
    pub(crate) row: usize,
    /// First element and length along each axis; all of it if `None`.
    part: Option<Vec<[i64; 2]>>,
}

impl Reading {
    /// What a weight is of the tensor in this row that has these sizes.
    pub(crate) fn new(row: usize, weight: &Weight, sizes: &[u32]) -> Self {
        let part = WeightGroup::part(weight, sizes).into_iter();
        let part = part.map(|range| [range.start, range.end - range.start].map(i64::from));
        Self { row, part: (weight.dims != sizes).then(|| part.collect()) }
    }

    /// A view: gradients, and what is written into it, reach the whole tensor.
    fn of(&self, whole: &Tensor) -> Result<Tensor, TchError> {
        let mut view = whole.shallow_clone();
        for (axis, [start, length]) in (0..).zip(self.part.iter().flatten()) {
            view = view.f_narrow(axis, *start, *length)?;
        }
        Ok(view)
    }
}

/// The parameters of a program, in the order of its specs.
pub(crate) struct Parameters {
    specs: Vec<Spec>,
    tensors: Vec<Tensor>,
    /// All trainable values, one tensor after the other. The tensors are views of it, so that an
    /// optimiser changes many of them in one operation.
    flat: Tensor,
    /// First element of each tensor in `flat`; none for those that are not trainable.
    offsets: Vec<Option<i64>>,
}

impl Parameters {
    /// Freshly initialised. A tensor's values depend on the seed and on its name only.
    pub(crate) fn new(specs: Vec<Spec>, seed: u64, device: Device) -> Result<Self, TorchError> {
        let mut offsets = Vec::new();
        let mut end = 0;
        for spec in &specs {
            let is_trainable = spec.role.is_trainable();
            offsets.push(is_trainable.then_some(end));
            end += if is_trainable { spec.elements() } else { 0 };
        }
        let flat = Tensor::f_zeros([end], (Kind::Float, device))?;
        let mut tensors = Vec::new();
        for (spec, offset) in specs.iter().zip(&offsets) {
            let mut tensor = match offset {
                Some(offset) => {
                    let part = flat.f_narrow(0, *offset, spec.elements())?;
                    part.f_view(spec.sizes().as_slice())?.f_detach()?
                }
                None => Tensor::f_zeros(spec.sizes(), (Kind::Float, device))?,
            };
            tensor.f_copy_(&spec.initial(seed)?)?;
            tensors.push(tensor);
        }
        Ok(Self { specs, tensors, flat, offsets })
    }

    /// Parameters of another program over the same memory: those of a node are what the node
    /// reads here. Running statistics are its own, at their initial values, if `statistics` says so.
    pub(crate) fn share(
        &self,
        specs: Vec<Spec>,
        readings: &BTreeMap<&str, &[Reading]>,
        statistics: bool,
    ) -> Result<Self, TorchError> {
        let mut sources = HashMap::new();
        for (node, readings) in readings {
            for reading in *readings {
                let Some(spec) = self.specs.get(reading.row) else { continue };
                sources.insert(TensorName::new(node, spec.role).to_string(), reading);
            }
        }
        let mut tensors = Vec::new();
        for spec in &specs {
            let tensor = self.source(spec, sources.get(&spec.name).copied())?;
            tensors.push(if spec.role.is_trainable() || !statistics {
                tensor
            } else {
                spec.initial(0)?.f_to_device(tensor.device())?
            });
        }
        let offsets = vec![None; specs.len()];
        Ok(Self { specs, tensors, flat: self.flat.shallow_clone(), offsets })
    }

    fn source(&self, spec: &Spec, reading: Option<&Reading>) -> Result<Tensor, TorchError> {
        let whole = reading.and_then(|reading| self.tensors.get(reading.row).zip(Some(reading)));
        let found = whole.map(|(whole, reading)| reading.of(whole)).transpose()?;
        match found {
            Some(tensor) if tensor.size() == spec.sizes() => Ok(tensor),
            found => Err(TorchError::OtherState {
                name: spec.name.clone(),
                needed: spec.dims.clone(),
                found: found.map(|tensor| tensor.size().iter().map(|&d| d as u32).collect()),
            }),
        }
    }

    /// What these readings give.
    pub(crate) fn read(&self, readings: &[Reading]) -> Result<Vec<Tensor>, TchError> {
        let missing = || TchError::Shape("parameters that do not exist".to_owned());
        let read =
            |reading: &Reading| reading.of(self.tensors.get(reading.row).ok_or_else(missing)?);
        readings.iter().map(read).collect()
    }

    /// What the tensors are.
    pub(crate) fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// All trainable values in one tensor, whose memory the tensors share.
    pub(crate) fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// A trainable tensor, and its first element in `flat`.
    pub(crate) fn trainable(&self, row: usize) -> Option<(&Tensor, i64)> {
        let offset = self.offsets.get(row).copied().flatten()?;
        Some((self.tensors.get(row)?, offset))
    }

    /// Makes them double precision, to compare gradients with differences; no optimiser takes these.
    #[cfg(test)]
    pub(crate) fn make_double(&mut self) {
        for tensor in &mut self.tensors {
            *tensor = tensor.detach().to_kind(Kind::Double);
        }
    }

    /// Whether backward computes gradients of the trainable tensors.
    pub(crate) fn require_gradients(&self, yes: bool) -> Result<(), TorchError> {
        for (tensor, offset) in self.tensors.iter().zip(&self.offsets) {
            if offset.is_some() {
                let _ = tensor.f_set_requires_grad(yes)?;
            }
        }
        Ok(())
    }

    /// Adds the values of all tensors to `weights`.
    pub(crate) fn save(&self, weights: &mut Weights) -> Result<(), TorchError> {
        for (spec, tensor) in self.specs.iter().zip(&self.tensors) {
            weights.insert(spec.name.clone(), plain(tensor, &spec.dims)?);
        }
        Ok(())
    }

    /// Takes the values of all tensors from `weights`; of none if one does not fit.
    pub(crate) fn load(&mut self, weights: &Weights) -> Result<(), TorchError> {
        self.load_some(weights, |_| true)
    }

    /// Takes the values of the tensors in some rows from `weights`; of none if one does not fit.
    pub(crate) fn load_some(
        &mut self,
        weights: &Weights,
        is_asked: impl Fn(usize) -> bool,
    ) -> Result<(), TorchError> {
        let tensors = self.specs.iter().zip(&mut self.tensors).enumerate();
        let tensors = tensors.filter(|(row, _)| is_asked(*row)).map(|(_, tensor)| tensor);
        let tensors: Vec<_> = tensors.collect();
        for (spec, _) in &tensors {
            fitting(weights, &spec.name, &spec.dims)?;
        }
        no_grad(|| {
            for (spec, tensor) in tensors {
                let values = fitting(weights, &spec.name, &spec.dims)?;
                tensor.f_copy_(&from_plain(values)?)?;
            }
            Ok(())
        })
    }
}

impl Spec {
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
    Ok(Plain { dims: dims.to_vec(), data: values(tensor)? })
}

/// The values of a tensor of floats, row-major.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>, TorchError> {
    let count = tensor.numel();
    let mut data = vec![0.0; count];
    let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
    tensor.f_copy_data(&mut data, count)?;
    Ok(data)
}

fn from_plain(plain: &Plain) -> Result<Tensor, TorchError> {
    let sizes: Vec<i64> = plain.dims.iter().map(|&d| i64::from(d)).collect();
    Ok(Tensor::f_from_slice(&plain.data)?.f_view(sizes.as_slice())?)
}

/// The tensor of this name, if it has these sizes.
pub(crate) fn fitting<'w>(
    weights: &'w Weights,
    name: &str,
    dims: &[u32],
) -> Result<&'w Plain, TorchError> {
    let found = weights.get(name);
    let fits = |tensor: &&Plain| {
        let elements: u64 = dims.iter().map(|&d| u64::from(d)).product();
        tensor.dims == dims && tensor.data.len() as u64 == elements
    };
    found.filter(fits).ok_or_else(|| TorchError::OtherState {
        name: name.to_owned(),
        needed: dims.to_vec(),
        found: found.map(|tensor| tensor.dims.clone()),
    })
}
