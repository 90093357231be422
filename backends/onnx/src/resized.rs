//! A file for inputs of another size: the same nodes and weights, other sizes.

use std::collections::{BTreeMap, BTreeSet};

use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::tensor_shape_proto::Dimension;
use onnx_protobuf::{GraphProto, Message, ModelProto, TensorProto, ValueInfoProto};
use protobuf::Enum;
use serde::{Deserialize, Serialize};

use crate::dump::DumpError;
use crate::message;

/// All by which a file for one size of inputs differs from that for another: the sizes of inputs and outputs, and, by their
/// names, those constants that are vectors of sizes or the factors of a `Resize`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resized {
    ports: BTreeMap<String, Vec<i64>>,
    sizes: BTreeMap<String, Vec<i64>>,
    factors: BTreeMap<String, Vec<f32>>,
}

impl Resized {
    /// By what a file differs from another one; `None` where it is by more than sizes.
    ///
    /// # Errors
    /// One of both is no ONNX file.
    pub fn of(own: &[u8], other: &[u8]) -> Result<Option<Self>, DumpError> {
        let [own, other] = [parsed(own)?, parsed(other)?];
        let ports = other.graph.input.iter().chain(&other.graph.output);
        let resized = Self {
            ports: ports.map(port_sizes).collect(),
            sizes: changed(size_vectors(&own), size_vectors(&other)),
            factors: changed(resize_factors(&own), resize_factors(&other)),
        };
        Ok((resized.applied(own) == without_values(other)).then_some(resized))
    }

    /// A file that was made for one size, for the other.
    ///
    /// # Errors
    /// The bytes are no ONNX file.
    pub fn apply(&self, onnx: &[u8]) -> Result<Vec<u8>, DumpError> {
        let resized = self.applied(parsed(onnx)?);
        resized.write_to_bytes().map_err(unreadable)
    }

    /// The sizes of an input or output.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<&[i64]> {
        self.ports.get(name).map(Vec::as_slice)
    }

    fn applied(&self, model: ModelProto) -> ModelProto {
        let mut model = without_values(model);
        let graph = model.graph.mut_or_insert_default();
        for port in graph.input.iter_mut().chain(&mut graph.output) {
            if let Some(sizes) = self.ports.get(&port.name) {
                set_sizes(port, sizes);
            }
        }
        for constant in &mut graph.initializer {
            if let Some(sizes) = self.sizes.get(&constant.name) {
                *constant = message::integers(&constant.name, sizes);
            }
            if let Some(factors) = self.factors.get(&constant.name) {
                *constant = message::floats(&constant.name, &[factors.len() as u32], factors);
            }
        }
        model
    }
}

fn unreadable(error: protobuf::Error) -> DumpError {
    DumpError { reason: error.to_string() }
}

fn parsed(onnx: &[u8]) -> Result<ModelProto, DumpError> {
    ModelProto::parse_from_bytes(onnx).map_err(unreadable)
}

/// Without the sizes of values, which follow from those of inputs.
fn without_values(mut model: ModelProto) -> ModelProto {
    model.graph.as_mut().into_iter().for_each(|graph: &mut GraphProto| graph.value_info.clear());
    model
}

/// What is another one in the second file.
fn changed<T: PartialEq>(
    own: BTreeMap<String, T>,
    mut other: BTreeMap<String, T>,
) -> BTreeMap<String, T> {
    other.retain(|name, value| own.get(name) != Some(value));
    other
}

/// The constants that are vectors of 64-bit integers.
fn size_vectors(model: &ModelProto) -> BTreeMap<String, Vec<i64>> {
    let vectors = model.graph.initializer.iter().filter(|it| is_vector(it, DataType::INT64));
    vectors.map(|it| (it.name.clone(), numbers(it, i64::from_le_bytes))).collect()
}

/// The constants that are factors of a `Resize`.
fn resize_factors(model: &ModelProto) -> BTreeMap<String, Vec<f32>> {
    let resizes = model.graph.node.iter().filter(|node| node.op_type == "Resize");
    let read: BTreeSet<&String> = resizes.filter_map(|node| node.input.get(2)).collect();
    let vectors = model.graph.initializer.iter().filter(|it| is_vector(it, DataType::FLOAT));
    let factors = vectors.filter(|it| read.contains(&it.name));
    factors.map(|it| (it.name.clone(), numbers(it, f32::from_le_bytes))).collect()
}

fn is_vector(constant: &TensorProto, kind: DataType) -> bool {
    constant.data_type == kind.value() && constant.dims.len() == 1
}

/// The numbers of a constant, of so many bytes each.
fn numbers<T, const BYTES: usize>(constant: &TensorProto, number: fn([u8; BYTES]) -> T) -> Vec<T> {
    constant.raw_data.as_chunks::<BYTES>().0.iter().map(|&bytes| number(bytes)).collect()
}

/// The name and the sizes of an input or output; of what is open, nothing.
fn port_sizes(port: &ValueInfoProto) -> (String, Vec<i64>) {
    let dims = &port.type_.tensor_type().shape.dim;
    (port.name.clone(), dims.iter().map(Dimension::dim_value).collect())
}

fn set_sizes(port: &mut ValueInfoProto, sizes: &[i64]) {
    let kind = port.type_.mut_or_insert_default().mut_tensor_type();
    let dims = kind.shape.mut_or_insert_default().dim.iter_mut();
    dims.zip(sizes)
        .filter(|(dim, _)| dim.has_dim_value())
        .for_each(|(dim, &size)| dim.set_dim_value(size));
}
