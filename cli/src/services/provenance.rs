//! Where a network is from, as its ONNX file says it.

use std::path::Path;

use indexmap::IndexMap;
use nas_ir::Network;
use nas_ir::fnv::fnv1a;

use super::expected::Expected;
use crate::render::report::{Failure, counted};

/// The keys of the file's metadata under which stand the name of the space, and the choices as JSON.
const SPACE: &str = "nasc.space";
const ARCH: &str = "nasc.arch";

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
        (SPACE, network.space.clone()),
        (ARCH, serde_json::Value::Object(arch).to_string()),
        ("nasc.sources", sources.join("\n")),
        ("nasc.weights", weights.to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .chain(expected.and_then(Expected::metadata))
    .collect()
}

/// Which network a file is of, as its metadata say.
#[derive(Debug)]
pub struct Origin {
    /// The file.
    pub file: String,
    /// The space.
    pub space: String,
    /// The candidate of each decision.
    pub choices: IndexMap<String, String>,
}

impl Origin {
    /// That of the ONNX file with these bytes; `None` if it says nothing of it.
    ///
    /// # Errors
    /// The bytes are no ONNX file.
    pub fn of(path: &Path, onnx: &[u8]) -> Result<Option<Self>, Failure> {
        let told = |key| nas_onnx::metadata(onnx, key).map_err(Failure::problem);
        let (space, choices) = (told(SPACE)?, told(ARCH)?);
        let choices = choices.and_then(|choices| serde_json::from_str(&choices).ok());
        let file = path.display().to_string();
        Ok(space.zip(choices).map(|(space, choices)| Self { file, space, choices }))
    }

    /// Refuses another network than that of the file.
    ///
    /// # Errors
    /// It is of another space, or of other choices.
    pub fn check(&self, network: &Network) -> Result<(), Failure> {
        let Self { file, space, choices } = self;
        if *space != network.space {
            let other = &network.space;
            return Err(Failure::input(format!("{file} is of space `{space}`, not of `{other}`")));
        }
        let others = network.choices.iter().filter_map(|(path, candidate)| {
            let own = choices.get(path)?;
            (own != candidate).then(|| format!("`{path}` is `{own}` there, not `{candidate}`"))
        });
        let others: Vec<String> = others.collect();
        let Some(first) = others.first() else { return Ok(()) };
        let count = counted(others.len(), "decision");
        Err(Failure::input(format!(
            "{file} is another network than `--arch` names, by {count}: {first}; without `--arch` it is that of the file"
        )))
    }
}
