//! A file with more of its values as outputs.

use crate::element::Element;
use crate::wire::push_varint;

/// The bytes of a file with these values, and what their elements are, as outputs behind its own. Parts of a message that
/// stand apart are one message, as protobuf has it, so that the file is as it was, with a few bytes behind.
#[must_use]
pub fn with_outputs(bytes: &[u8], values: &[(&str, Option<Element>)]) -> Vec<u8> {
    let mut graph = Vec::new();
    for (name, element) in values {
        let mut value = Vec::new();
        push_field(&mut value, 1, name.as_bytes());
        if let Some(element) = element {
            let (mut tensor, mut kind) = (vec![1 << 3], Vec::new());
            push_varint(&mut tensor, element.code().cast_unsigned());
            push_field(&mut kind, 1, &tensor);
            push_field(&mut value, 2, &kind);
        }
        push_field(&mut graph, 12, &value);
    }
    let mut all = bytes.to_vec();
    push_field(&mut all, 7, &graph);
    all
}

fn push_field(message: &mut Vec<u8>, number: u64, bytes: &[u8]) {
    push_varint(message, number << 3 | 2);
    push_varint(message, bytes.len() as u64);
    message.extend(bytes);
}
