//! Tensors as files of ONNX's own test vectors.

use nas_ir::{DType, Tensor};
use onnx_protobuf::tensor_proto::DataType;
use onnx_protobuf::{Message, TensorProto};
use protobuf::Enum;

use crate::error::EmitError;

/// A tensor as the bytes of a `TensorProto`, the form of `input_0.pb` and `output_0.pb` in a folder `test_data_set_0` beside a
/// model.
///
/// # Errors
/// It cannot be encoded.
pub fn tensor_file(name: &str, tensor: &Tensor) -> Result<Vec<u8>, EmitError> {
    let kind = match tensor.dtype() {
        DType::F32 => DataType::FLOAT,
        DType::F16 => DataType::FLOAT16,
        DType::I8 => DataType::INT8,
        DType::U8 => DataType::UINT8,
        DType::I32 => DataType::INT32,
        DType::I64 => DataType::INT64,
    };
    let tensor = TensorProto {
        name: name.to_owned(),
        dims: tensor.dims.iter().map(|&size| size.into()).collect(),
        data_type: kind.value(),
        raw_data: tensor.elements.to_le_bytes(),
        ..TensorProto::default()
    };
    tensor.write_to_bytes().map_err(|error| EmitError::Encoding { reason: error.to_string() })
}
