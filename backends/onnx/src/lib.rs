//! A model as an ONNX file.
//!
//! [`emit`] writes a [`Model`] as the bytes of an ONNX file that every engine reads: operators of
//! the default domain only, explicit pads, constant sizes unless [`Options`] leave some open. It writes the model as it is: what
//! is folded before, passes of `nas_passes` fold. The same arguments give the same bytes. [`dump`]
//! shows such a file as text.

mod build;
mod dump;
mod error;
mod graph;
mod integers;
mod lean;
mod lower;
mod message;
mod options;
mod resized;
mod running;
mod sizes;
mod vector;

use nas_ir::{Model, Opset};
use onnx_protobuf::{Message, ModelProto};

pub use dump::{DumpError, dump};
pub use error::EmitError;
pub use options::{Answer, Batch, InputType, Integers, Numbers, Options};
pub use resized::Resized;
pub use vector::tensor_file;

/// The largest message that protobuf encodes, in bytes.
const MAX_BYTES: u64 = i32::MAX as u64;

/// What the `metadata_props` of a file say under a key.
///
/// # Errors
/// The bytes are not an ONNX model.
pub fn metadata(onnx: &[u8], key: &str) -> Result<Option<String>, DumpError> {
    let model = ModelProto::parse_from_bytes(onnx)
        .map_err(|error| DumpError { reason: error.to_string() })?;
    let entry = model.metadata_props.into_iter().find(|entry| entry.key == key);
    Ok(entry.map(|entry| entry.value))
}

/// The operator set of a version that somebody asks for.
///
/// # Errors
/// Networks cannot be written in it.
pub fn operator_set(version: i64) -> Result<Opset, EmitError> {
    Opset::new(version).ok_or(EmitError::Opset { opset: version })
}

/// The bytes of an ONNX file that computes what the model does.
///
/// Inputs and outputs have the names of their ports and sizes `[N, C, H, W]` or `[N, C]`; the
/// value of a node has the node's path for a name, or that of the last node which a pass has folded
/// into it; an initialiser has the name of its weight. A lean file has short names instead ([`Options::lean`]).
///
/// # Errors
/// The model does not hold together ([`Model::verify`]): the network contradicts itself, or weights
/// are missing, have other sizes or another type, or are not of the network. Weights are not finite, or too large for
/// the numbers of the file; sizes are to be left open that cannot be ([`nas_ir::OpenSize`]); two values would have one
/// name; the file would exceed 2 GiB.
pub fn emit(model: &Model, options: &Options) -> Result<Vec<u8>, EmitError> {
    let model = ModelProto {
        ir_version: ir_version(options.opset),
        opset_import: vec![message::operator_set(options.opset)],
        producer_name: "nasc".to_owned(),
        producer_version: options.producer_version.clone(),
        graph: Some(build::build(model, options)?).into(),
        metadata_props: options.provenance.iter().map(message::metadata).collect(),
        ..ModelProto::default()
    };
    let bytes = model.compute_size();
    if bytes > MAX_BYTES {
        return Err(EmitError::TooLarge { bytes });
    }
    model.write_to_bytes().map_err(|error| EmitError::Encoding { reason: error.to_string() })
}

/// The file format that came with the operator set, by the table of ONNX's `Versioning.md`;
/// 9 at most, so that runtimes which know the operators also open the file.
fn ir_version(opset: Opset) -> i64 {
    match opset.version() {
        ..=11 => 6,
        12..=14 => 7,
        15..=18 => 8,
        19.. => 9,
    }
}
