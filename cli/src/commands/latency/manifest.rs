//! What a folder of models holds: its manifest.

use std::path::{Path, PathBuf};

use nas_analysis::latency::Key;
use nas_ir::network::Port;
use nas_ir::{Network, Precision};
use serde::{Deserialize, Serialize};

use super::error::NotAPlan;
use super::item::Item;
use crate::render::report::Failure;
use crate::services::source::io_reason;

/// What the ONNX files of a folder are.
pub(super) const MANIFEST: &str = "manifest.json";
/// The version of the manifest.
pub(super) const FORMAT: u32 = 2;

/// What a folder of models holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// The space.
    pub(super) space: String,
    /// The name of its file.
    pub(super) file: String,
    /// What its target computes with.
    pub(super) precision: Precision,
    /// The operator set of the models.
    pub(super) opset: i64,
    /// Whether parts stand between neighbours in their models.
    pub(super) surrounded: bool,
    /// The parts, in the order in which the space has them.
    pub(super) parts: Vec<Measurable>,
    /// What stands around them.
    pub(super) surroundings: Vec<Around>,
}

/// A part that is to be measured: the model `KEY.onnx`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measurable {
    /// Stands for what it computes.
    pub(super) key: Key,
    /// What it is, for people.
    pub(super) about: String,
    /// Its multiply-accumulates.
    pub(super) macs: u64,
    /// The inputs of its model.
    pub(super) inputs: Vec<ModelInput>,
    /// What stands around it in its model: the time of that is not its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) less: Option<Key>,
    /// Where the space has it.
    pub(super) places: Vec<String>,
}

/// What stands around parts, as a model.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Around {
    /// Names its model.
    pub(super) key: Key,
    /// The inputs of its model.
    pub(super) inputs: Vec<ModelInput>,
}

impl Manifest {
    /// The keys of all models.
    pub(super) fn models(&self) -> impl Iterator<Item = Key> {
        let around = self.surroundings.iter().map(|around| around.key);
        self.parts.iter().map(|part| part.key).chain(around)
    }

    /// A model, for people.
    pub(super) fn said(&self, key: Key) -> String {
        let part = self.parts.iter().find(|part| part.key == key);
        let about = part.map_or("what stands around parts", |part| &*part.about);
        format!("{key} ({about})")
    }

    /// The models of these parts, and of what stands around them.
    pub(super) fn items(&self, folder: &Path, parts: &[&Measurable]) -> Vec<Item> {
        let item = |key: Key, inputs: &[ModelInput]| Item {
            key: key.to_string(),
            model: model(folder, key),
            shapes: inputs.iter().map(|input| input.shape.clone()).collect(),
        };
        let is_read = |around: &&Around| parts.iter().any(|part| part.less == Some(around.key));
        let around = self.surroundings.iter().filter(is_read);
        let around = around.map(|around| item(around.key, &around.inputs));
        parts.iter().map(|part| item(part.key, &part.inputs)).chain(around).collect()
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ModelInput {
    name: String,
    /// With a batch of one.
    shape: Vec<u32>,
}

/// The plan of a folder.
///
/// # Errors
/// It holds none.
pub(super) fn read(folder: &Path) -> Result<Manifest, Failure> {
    manifest_of(folder).map_err(|why| {
        let folder = folder.display().to_string();
        let help = format!("write one by `nasc latency plan FILE --out {folder}`");
        Failure::problem(NotAPlan { folder, why, help })
    })
}

/// The manifest of a folder, or why there is none.
///
/// # Errors
/// Why, in words.
pub(super) fn manifest_of(folder: &Path) -> Result<Manifest, String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let text = nas_files::read_to_string(&folder.join(MANIFEST))
        .map_err(|error| format!("{MANIFEST}: {}", io_reason(&error)))?;
    let faulty = |error: serde_json::Error| format!("{MANIFEST}: {error}");
    // What another format holds need not be what this one does.
    let Version { format } = serde_json::from_str(&text).map_err(faulty)?;
    if format != FORMAT {
        return Err(format!("its format is {format}, this nasc reads {FORMAT}"));
    }
    serde_json::from_str(&text).map_err(faulty)
}

/// The model of a part.
pub(super) fn model(folder: &Path, key: Key) -> PathBuf {
    folder.join(format!("{key}.onnx"))
}

/// The inputs of a model.
pub(super) fn inputs(network: &Network) -> Vec<ModelInput> {
    let input = |port: &Port| {
        let shape = network.port_shape(port).batched(1);
        ModelInput { name: port.name.clone(), shape }
    };
    network.inputs.iter().map(input).collect()
}
