//! Small pieces of ONNX messages.

use half::f16;
use nas_ir::Opset;
use onnx_protobuf::attribute_proto::AttributeType;
use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::tensor_shape_proto::{Dimension, dimension};
use onnx_protobuf::{
    AttributeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, type_proto,
};
use protobuf::Enum;

use crate::sizes::Size;

/// The value of an attribute.
pub(crate) enum Value {
    Int(i64),
    Ints(Vec<i64>),
    Float(f32),
    Text(&'static str),
    Tensor(Box<TensorProto>),
}

/// An attribute of a node.
pub(crate) fn attribute(name: &str, value: Value) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    let kind = match value {
        Value::Int(i) => {
            attribute.i = i;
            AttributeType::INT
        }
        Value::Ints(ints) => {
            attribute.ints = ints;
            AttributeType::INTS
        }
        Value::Float(f) => {
            attribute.f = f;
            AttributeType::FLOAT
        }
        Value::Text(text) => {
            attribute.s = text.as_bytes().to_vec();
            AttributeType::STRING
        }
        Value::Tensor(tensor) => {
            attribute.t = Some(*tensor).into();
            AttributeType::TENSOR
        }
    };
    attribute.type_ = kind.into();
    state_zero(&mut attribute);
    attribute
}

/// Has a number be in the file though it is 0, which protobuf leaves out of it: readers that ask whether it is there (TVM) take it for
/// missing.
fn state_zero(attribute: &mut AttributeProto) {
    /// Numbers of the fields `f` and `i` in `AttributeProto`.
    const FIELDS: [u32; 2] = [2, 3];
    let [float, int] = FIELDS;
    let (kind, is_zero) = (attribute.type_.enum_value_or_default(), attribute.f.to_bits() == 0);
    let fields = attribute.special_fields.mut_unknown_fields();
    match kind {
        AttributeType::INT if attribute.i == 0 => fields.add_varint(int, 0),
        AttributeType::FLOAT if is_zero => fields.add_fixed32(float, 0),
        _ => {}
    }
}

/// A constant of 32-bit floats, row-major.
pub(crate) fn floats(name: &str, dims: &[u32], data: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|&d| i64::from(d)).collect(),
        data_type: DataType::FLOAT.value(),
        raw_data: data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// A constant of integers, row-major, of which `data` has the bytes.
pub(crate) fn whole(name: &str, kind: DataType, dims: &[u32], data: Vec<u8>) -> TensorProto {
    TensorProto { data_type: kind.value(), raw_data: data, ..floats(name, dims, &[]) }
}

/// A constant vector of 64-bit integers.
pub(crate) fn integers(name: &str, data: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![i64::try_from(data.len()).unwrap_or(i64::MAX)],
        data_type: DataType::INT64.value(),
        raw_data: data.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// A constant of 16-bit floats, row-major: the nearest ones, ties to even.
pub(crate) fn halves(name: &str, dims: &[u32], data: &[f32]) -> TensorProto {
    TensorProto {
        data_type: DataType::FLOAT16.value(),
        raw_data: data.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect(),
        ..floats(name, dims, &[])
    }
}

/// What a value is called that was converted to this type.
pub(crate) fn type_name(kind: DataType) -> &'static str {
    match kind {
        DataType::FLOAT => "float",
        DataType::FLOAT16 => "half",
        _ => "value",
    }
}

/// Name, element type and sizes of a value.
pub(crate) fn value_info(name: &str, kind: DataType, sizes: &[Size]) -> ValueInfoProto {
    let dim = sizes.iter().map(|size| Dimension {
        value: match size {
            Size::Of(size) => Some(dimension::Value::DimValue(*size)),
            Size::Named(symbol) => Some(dimension::Value::DimParam(symbol.clone())),
            Size::Open => None,
        },
        ..Dimension::default()
    });
    let tensor = type_proto::Tensor {
        elem_type: kind.value(),
        shape: Some(TensorShapeProto { dim: dim.collect(), ..TensorShapeProto::default() }).into(),
        ..type_proto::Tensor::default()
    };
    let kind =
        TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.to_owned(), type_: Some(kind).into(), ..ValueInfoProto::default() }
}

/// The default operator domain at the version of the operator set.
pub(crate) fn operator_set(opset: Opset) -> OperatorSetIdProto {
    OperatorSetIdProto { version: opset.version(), ..OperatorSetIdProto::default() }
}

/// A key and a value.
pub(crate) fn metadata((key, value): &(String, String)) -> StringStringEntryProto {
    StringStringEntryProto {
        key: key.clone(),
        value: value.clone(),
        ..StringStringEntryProto::default()
    }
}

#[cfg(test)]
mod tests {
    use protobuf::Message;

    use super::*;

    /// As other readers see it: the bytes of a field are there.
    #[test]
    fn a_number_that_is_0_is_in_the_file() {
        let bytes = |value| attribute("a", value).write_to_bytes().unwrap();
        let has =
            |value, field: &[u8]| bytes(value).windows(field.len()).any(|window| window == field);
        assert!(has(Value::Int(0), &[3 << 3, 0]) && has(Value::Int(7), &[3 << 3, 7]));
        assert!(has(Value::Float(0.0), &[2 << 3 | 5, 0, 0, 0, 0]));
        assert!(!has(Value::Float(1.0), &[3 << 3, 0]));
        let read = AttributeProto::parse_from_bytes(&bytes(Value::Int(0))).unwrap();
        assert_eq!((read.i, read.type_.enum_value_or_default()), (0, AttributeType::INT));
    }
}
