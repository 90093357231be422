//! An ONNX file as text: one line for each input, constant, node and output.

use std::fmt::Write;

use miette::Diagnostic;
use nas_ir::fnv::fnv1a;
use onnx_protobuf::attribute_proto::AttributeType;
use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::tensor_shape_proto::dimension;
use onnx_protobuf::{
    AttributeProto, GraphProto, Message, ModelProto, NodeProto, TensorProto, ValueInfoProto,
    type_proto,
};
use protobuf::Enum;
use thiserror::Error;

/// The bytes are not an ONNX model.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
#[error("this is not an ONNX model: {reason}")]
#[diagnostic(code(nas::onnx::not_a_model), help("give a file that `nasc export` wrote"))]
pub struct DumpError {
    /// What the decoder said.
    pub reason: String,
}

/// The most elements of a constant that are shown; of larger ones a checksum is.
const SHOWN: usize = 8;

/// The model as text, the same for the same bytes. Large constants appear by the 64-bit FNV-1a
/// checksum of their bytes.
///
/// # Errors
/// The bytes are not an ONNX model.
pub fn dump(model: &[u8]) -> Result<String, DumpError> {
    let model = ModelProto::parse_from_bytes(model)
        .map_err(|error| DumpError { reason: error.to_string() })?;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_model(&mut text, &model);
    Ok(text)
}

fn write_model(out: &mut String, model: &ModelProto) -> std::fmt::Result {
    let opsets: Vec<i64> = model.opset_import.iter().map(|set| set.version).collect();
    writeln!(out, "onnx ir {} opset {opsets:?}", model.ir_version)?;
    writeln!(out, "producer {} {}", model.producer_name, model.producer_version)?;
    for entry in &model.metadata_props {
        writeln!(out, "metadata {} = {}", entry.key, entry.value)?;
    }
    match model.graph.as_ref() {
        Some(graph) => write_graph(out, graph),
        None => writeln!(out, "no graph"),
    }
}

fn write_graph(out: &mut String, graph: &GraphProto) -> std::fmt::Result {
    writeln!(out, "graph {}", graph.name)?;
    for line in graph.doc_string.lines() {
        writeln!(out, "  # {line}")?;
    }
    for value in &graph.input {
        writeln!(out, "  input {}: {}", value.name, value_type(value))?;
    }
    for tensor in &graph.initializer {
        writeln!(out, "  constant {}: {}", tensor.name, constant(tensor))?;
    }
    for node in &graph.node {
        write_node(out, graph, node)?;
    }
    for value in &graph.output {
        writeln!(out, "  output {}: {}", value.name, value_type(value))?;
    }
    Ok(())
}

fn write_node(out: &mut String, graph: &GraphProto, node: &NodeProto) -> std::fmt::Result {
    let inputs: Vec<&str> =
        node.input.iter().map(|name| if name.is_empty() { "-" } else { name }).collect();
    let attributes: Vec<String> = node.attribute.iter().map(attribute).collect();
    write!(out, "  node {}: {}({})", node.name, node.op_type, inputs.join(", "))?;
    if !attributes.is_empty() {
        write!(out, " {{ {} }}", attributes.join(", "))?;
    }
    for output in &node.output {
        let info = graph.value_info.iter().chain(&graph.output).find(|v| v.name == *output);
        write!(out, " -> {output}: {}", info.map_or_else(|| "?".to_owned(), value_type))?;
    }
    writeln!(out)
}

fn attribute(attribute: &AttributeProto) -> String {
    let value = match attribute.type_.enum_value() {
        Ok(AttributeType::INT) => attribute.i.to_string(),
        Ok(AttributeType::INTS) => format!("{:?}", attribute.ints),
        Ok(AttributeType::FLOAT) => format!("{:?}", attribute.f),
        Ok(AttributeType::FLOATS) => format!("{:?}", attribute.floats),
        Ok(AttributeType::STRING) => String::from_utf8_lossy(&attribute.s).into_owned(),
        Ok(AttributeType::TENSOR) => attribute.t.as_ref().map_or_else(|| "?".to_owned(), constant),
        Ok(other) => format!("{other:?}"),
        Err(number) => format!("type {number}"),
    };
    format!("{} = {value}", attribute.name)
}

fn element(data_type: i32) -> String {
    match DataType::from_i32(data_type) {
        Some(DataType::FLOAT) => "f32".to_owned(),
        Some(DataType::INT64) => "i64".to_owned(),
        Some(other) => format!("{other:?}").to_lowercase(),
        None => format!("type {data_type}"),
    }
}

fn value_type(value: &ValueInfoProto) -> String {
    let tensor = value.type_.as_ref().and_then(|kind| match &kind.value {
        Some(type_proto::Value::TensorType(tensor)) => Some(tensor),
        _ => None,
    });
    let Some(tensor) = tensor else { return "?".to_owned() };
    let dims: Vec<String> = tensor
        .shape
        .iter()
        .flat_map(|shape| &shape.dim)
        .map(|dim| match &dim.value {
            Some(dimension::Value::DimValue(size)) => size.to_string(),
            Some(dimension::Value::DimParam(name)) => name.clone(),
            _ => "?".to_owned(),
        })
        .collect();
    format!("{}[{}]", element(tensor.elem_type), dims.join(", "))
}

fn constant(tensor: &TensorProto) -> String {
    let kind = format!("{}{:?}", element(tensor.data_type), tensor.dims);
    let values = match DataType::from_i32(tensor.data_type) {
        Some(DataType::FLOAT) => numbers(&tensor.raw_data, f32::from_le_bytes),
        Some(DataType::INT64) => numbers(&tensor.raw_data, i64::from_le_bytes),
        _ => None,
    };
    match values {
        Some(values) => format!("{kind} = {}", values.join(", ")),
        None => format!("{kind} fnv {:016x}", fnv1a(&tensor.raw_data)),
    }
}

/// The elements as text, if they are few.
fn numbers<const N: usize, T: std::fmt::Debug>(
    bytes: &[u8],
    read: fn([u8; N]) -> T,
) -> Option<Vec<String>> {
    let (elements, _) = bytes.as_chunks::<N>();
    let shown = elements.len() <= SHOWN;
    shown.then(|| elements.iter().map(|&bytes| format!("{:?}", read(bytes))).collect())
}
