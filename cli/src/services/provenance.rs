//! Where a network is from, as its ONNX file says it.

use nas_ir::Network;
use nas_ir::fnv::fnv1a;

use super::expected::Expected;

/// Where a network is from and what it expects, as the file says it. Only what is the same on every
/// machine.
#[must_use]
pub fn provenance(
    network: &Network,
    sources: &[(String, Vec<u8>)],
    weights: &str,
    expected: Option<&Expected>,
) -> Vec<(String, String)> {
    let arch: serde_json::Map<String, serde_json::Value> =
        network.choices.iter().map(|(path, name)| (path.clone(), name.clone().into())).collect();
    let sources: Vec<String> =
        sources.iter().map(|(name, bytes)| format!("{name} {:016x}", fnv1a(bytes))).collect();
    [
        ("nasc.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("nasc.space", network.space.clone()),
        ("nasc.arch", serde_json::Value::Object(arch).to_string()),
        ("nasc.sources", sources.join("\n")),
        ("nasc.weights", weights.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .chain(expected.and_then(Expected::metadata))
    .collect()
}
