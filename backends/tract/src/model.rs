//! A loaded ONNX model.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use nas_ir::{DType, Elements, Tensor};
use tract_onnx::Onnx;
use tract_onnx::pb::tensor_shape_proto::Dimension;
use tract_onnx::pb::tensor_shape_proto::dimension::Value::DimValue;
use tract_onnx::pb::{GraphProto, ModelProto, type_proto};
use tract_onnx::prelude::*;

use crate::error::{TractError, described};

/// An input or an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name in the file.
    pub name: String,
    /// Its sizes as tract infers them, batch included: `[1, C, H, W]`.
    pub dims: Vec<u32>,
    /// What its elements are.
    pub dtype: DType,
}

/// A model that is ready to run, on one thread.
#[derive(Debug, Clone)]
pub struct Model {
    plan: Arc<TypedRunnableModel>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Model {
    /// Loads and optimises the bytes of an ONNX file. tract infers all shapes itself: a file that
    /// states others is refused.
    ///
    /// # Errors
    /// tract does not take the model, or an input or output is not of fixed sizes, or of elements that are no [`DType`].
    pub fn load(bytes: &[u8]) -> Result<Self, TractError> {
        let onnx = tract_onnx::onnx().with_ignore_output_shapes(false);
        guarded(|| Self::ready(&onnx, &parsed(&onnx, bytes)?))
            .unwrap_or_else(|panic| Err(TractError::load(panic)))
    }

    /// Works out the sizes of all values of a file, and holds them against those that it states; nothing is computed.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn check_sizes(bytes: &[u8]) -> Result<(), TractError> {
        let onnx = tract_onnx::onnx().with_ignore_output_shapes(false);
        let check = || {
            let parsed = onnx.parse(&parsed(&onnx, bytes)?, None).map_err(TractError::load)?;
            parsed.model.into_typed().map(|_| ()).map_err(TractError::load)
        };
        guarded(check).unwrap_or_else(|panic| Err(TractError::load(panic)))
    }

    /// [`Model::load`] for inputs of these sizes, `[N, C, H, W]` each, in their order: a file may leave open what its own are, as
    /// that of the batch. The sizes that it states stay, whatever these are; those of other values are not looked at.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_for(bytes: &[u8], inputs: &[Vec<u32>]) -> Result<Self, TractError> {
        Self::load_beside(bytes, inputs, None)
    }

    /// The same of a file whose constants may lie in other files of this folder. Where these are is not checked: whoever
    /// does not trust the file has to see to that.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn load_beside(
        bytes: &[u8],
        inputs: &[Vec<u32>],
        folder: Option<&Path>,
    ) -> Result<Self, TractError> {
        let onnx = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
        let load = || {
            let mut proto = parsed(&onnx, bytes)?;
            proto.graph.iter_mut().for_each(|graph| fill_open_sizes(graph, inputs));
            Self::ready_beside(&onnx, &proto, folder)
        };
        guarded(load).unwrap_or_else(|panic| Err(TractError::load(panic)))
    }

    fn ready(onnx: &Onnx, proto: &ModelProto) -> Result<Self, TractError> {
        Self::ready_beside(onnx, proto, None)
    }

    fn ready_beside(
        onnx: &Onnx,
        proto: &ModelProto,
        folder: Option<&Path>,
    ) -> Result<Self, TractError> {
        let graph = proto.graph.as_ref().ok_or_else(|| TractError::load("it has no graph"))?;
        let names = port_names(graph)?;
        let folder = folder.map(|folder| folder.to_string_lossy());
        let parsed = onnx.parse(proto, folder.as_deref()).map_err(TractError::load)?;
        if let Some(name) = parsed.unresolved_inputs.first() {
            return Err(TractError::load(format!("nothing computes `{name}`, which a node reads")));
        }
        let model = parsed.model.into_optimized().map_err(TractError::load)?;
        let ports = |outlets: &[OutletId], names: Vec<String>| {
            let named = names.into_iter().zip(outlets);
            named.map(|(name, &outlet)| port(&model, name, outlet)).collect::<Result<Vec<_>, _>>()
        };
        let inputs = ports(model.input_outlets().map_err(TractError::load)?, names.inputs)?;
        let outputs = ports(model.output_outlets().map_err(TractError::load)?, names.outputs)?;
        let plan = model.into_runnable().map_err(TractError::load)?;
        Ok(Self { plan, inputs, outputs })
    }

    /// The inputs, in the order of [`Model::run`].
    #[must_use]
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The outputs, in the order of [`Model::run`].
    #[must_use]
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The outputs for these inputs, one for each of [`Model::inputs`], in that order.
    ///
    /// # Errors
    /// The tensors are not the model's inputs, or tract fails.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, TractError> {
        let values = self.run_values(self.values(inputs)?)?;
        self.outputs.iter().zip(&values).map(|(port, value)| from_tract(port, value)).collect()
    }

    /// Inputs as tract takes them.
    pub(crate) fn values(&self, inputs: &[Tensor]) -> Result<TVec<TValue>, TractError> {
        if inputs.len() != self.inputs.len() {
            return Err(TractError::Tensors {
                what: "the inputs are".to_owned(),
                found: format!("{} tensors", inputs.len()),
                needed: self.inputs.len().to_string(),
            });
        }
        self.inputs.iter().zip(inputs).map(|(port, tensor)| into_tract(port, tensor)).collect()
    }

    pub(crate) fn run_values(&self, values: TVec<TValue>) -> Result<TVec<TValue>, TractError> {
        guarded(|| self.plan.run(values)).map_err(TractError::run)?.map_err(TractError::run)
    }
}

/// What `work` answers, or what it said when it panicked: tract does on some models that are no
/// models, a stride of zero for example.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What a panic leaves half done is dropped here, or, for a plan, local to one run.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("it panicked").to_owned()
    })
}

fn parsed(onnx: &Onnx, bytes: &[u8]) -> Result<ModelProto, TractError> {
    onnx.proto_model_for_read(&mut &*bytes).map_err(TractError::load)
}

/// Gives each size that an input leaves open the one here, where both have as many.
fn fill_open_sizes(graph: &mut GraphProto, inputs: &[Vec<u32>]) {
    let constants: BTreeSet<&str> = graph.initializer.iter().map(|c| c.name.as_str()).collect();
    let ports = graph.input.iter_mut().filter(|port| !constants.contains(port.name.as_str()));
    for (port, sizes) in ports.zip(inputs) {
        let Some(type_proto::Value::TensorType(tensor)) =
            port.r#type.as_mut().and_then(|of| of.value.as_mut())
        else {
            continue;
        };
        let Some(shape) = tensor.shape.as_mut().filter(|shape| shape.dim.len() == sizes.len())
        else {
            continue;
        };
        let open = shape.dim.iter_mut().zip(sizes).filter(|(dim, _)| is_open(dim));
        open.for_each(|(dim, &size)| dim.value = Some(DimValue(size.into())));
    }
}

/// Whether a size is a name, or none at all.
fn is_open(dim: &Dimension) -> bool {
    !matches!(dim.value, Some(DimValue(1..)))
}

struct PortNames {
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// The names of inputs that are not constants, and of outputs. An output that nothing makes is found
/// here, because tract does not check it.
fn port_names(graph: &GraphProto) -> Result<PortNames, TractError> {
    let constants: BTreeSet<&str> = graph.initializer.iter().map(|c| c.name.as_str()).collect();
    let inputs = graph.input.iter().map(|value| value.name.as_str());
    let made = graph.node.iter().flat_map(|node| &node.output).map(String::as_str);
    let values: BTreeSet<&str> =
        inputs.clone().chain(made).chain(constants.iter().copied()).collect();
    let outputs: Vec<String> = graph.output.iter().map(|value| value.name.clone()).collect();
    if let Some(name) = outputs.iter().find(|name| !values.contains(name.as_str())) {
        return Err(TractError::load(format!("nothing computes its output `{name}`")));
    }
    let inputs = inputs.filter(|name| !constants.contains(name)).map(str::to_owned).collect();
    Ok(PortNames { inputs, outputs })
}

fn port(model: &TypedModel, name: String, outlet: OutletId) -> Result<Port, TractError> {
    let fact = model.outlet_fact(outlet).map_err(TractError::load)?;
    let dtype = DType::ALL.into_iter().find(|&dtype| datum_type(dtype) == fact.datum_type);
    let sizes = fact.shape.as_concrete();
    let dims = sizes.and_then(|sizes| sizes.iter().map(|&d| u32::try_from(d).ok()).collect());
    match (dims, dtype) {
        (Some(dims), Some(dtype)) => Ok(Port { name, dims, dtype }),
        _ => Err(TractError::Port { name, found: format!("{fact:?}") }),
    }
}

fn datum_type(dtype: DType) -> DatumType {
    match dtype {
        DType::F32 => DatumType::F32,
        DType::F16 => DatumType::F16,
        DType::I8 => DatumType::I8,
        DType::U8 => DatumType::U8,
        DType::I32 => DatumType::I32,
        DType::I64 => DatumType::I64,
    }
}

fn into_tract(port: &Port, tensor: &Tensor) -> Result<TValue, TractError> {
    let sizes: Vec<usize> = tensor.dims.iter().map(|&d| d as usize).collect();
    if !(tensor.dims == port.dims && tensor.is_full() && tensor.dtype() == port.dtype) {
        return Err(TractError::Tensors {
            what: format!("input `{}` is", port.name),
            found: described(tensor),
            needed: match port.dtype {
                DType::F32 => format!("{:?}", port.dims),
                dtype => format!("{:?} of {dtype}", port.dims),
            },
        });
    }
    let mut value = tract_onnx::prelude::Tensor::zero_dt(datum_type(port.dtype), &sizes)
        .map_err(TractError::run)?;
    let mut plain =
        value.as_plain_ram_mut().ok_or_else(|| TractError::run("a tensor elsewhere"))?;
    plain.as_bytes_mut().copy_from_slice(&tensor.elements.to_le_bytes());
    Ok(value.into_tvalue())
}

fn from_tract(port: &Port, value: &TValue) -> Result<Tensor, TractError> {
    let dims = value.shape().iter().map(|&d| u32::try_from(d).unwrap_or(u32::MAX)).collect();
    let plain = value.as_plain_ram().filter(|_| value.datum_type() == datum_type(port.dtype));
    let plain =
        plain.ok_or_else(|| TractError::run(format!("output `{}` is {value:?}", port.name)))?;
    Ok(Tensor { dims, elements: Elements::from_le_bytes(port.dtype, plain.as_bytes()) })
}
