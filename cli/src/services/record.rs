//! What was given to a network and what it answered, whole: from it a check is repeated anywhere.
//!
//! `NAME.check.safetensors` lies beside `NAME.onnx` and holds, for each case, the tensors `CASE/inputs/NAME` and
//! `CASE/outputs/NAME`; its metadata have, under `nasc`, a JSON object with the names of the cases and ports in order.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use nas_ir::{Tensor, Weights};
use nas_onnx::Resized;
use nas_tract::Tolerance;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::weights_file;
use crate::render::report::Failure;

/// The version of the record.
const FORMAT: u32 = 2;

/// What a network answered in some cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What computed the outputs.
    pub reference: String,
    /// How far results may be from them.
    pub tolerance: Tolerance,
    /// The cases, in order.
    pub cases: Vec<Case>,
    /// What makes the file one for inputs of the size of the cases, if its own is larger.
    pub resized: Option<Resized>,
}

/// Inputs and outputs of a network, by the names of its ports and in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What the case is called: `seed 1`.
    pub name: String,
    /// What the network was given.
    pub inputs: Vec<(String, Tensor)>,
    /// What it answered.
    pub outputs: Vec<(String, Tensor)>,
}

/// A file that is no record of an export, or of another model.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` is no record of this model: {why}")]
#[diagnostic(
    code(nas::verify::record),
    help("give by `--check` the NAME.check.safetensors that `nasc export` wrote with the model")
)]
pub struct NotARecord {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// The note of a record.
#[derive(Serialize, Deserialize)]
struct Note {
    format: u32,
    reference: String,
    tolerance: Tolerance,
    cases: Vec<CaseNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resized: Option<Resized>,
}

/// A case in it, without its tensors.
#[derive(Serialize, Deserialize)]
struct CaseNote {
    name: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl Record {
    /// A file that is no record of a model, and why.
    #[must_use]
    pub fn faulty(file: &str, why: String) -> Failure {
        Failure::problem(NotARecord { file: file.to_owned(), why })
    }

    /// As a safetensors file.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let names =
            |ports: &[(String, Tensor)]| ports.iter().map(|(name, _)| name.clone()).collect();
        let cases = self.cases.iter().map(|case| CaseNote {
            name: case.name.clone(),
            inputs: names(&case.inputs),
            outputs: names(&case.outputs),
        });
        let note = Note {
            format: FORMAT,
            reference: self.reference.clone(),
            tolerance: self.tolerance,
            cases: cases.collect(),
            resized: self.resized.clone(),
        };
        let note = serde_json::to_string(&note).map_err(|e| Failure::input(e.to_string()))?;
        let mut tensors = Weights::new();
        for case in &self.cases {
            for (side, ports) in [("inputs", &case.inputs), ("outputs", &case.outputs)] {
                for (name, tensor) in ports {
                    tensors.insert(key(&case.name, side, name), tensor.clone());
                }
            }
        }
        nas_safetensors::to_bytes(&tensors, Some(&note))
            .map_err(|error| Failure::input(error.to_string()))
    }

    /// What [`Record::to_bytes`] made; `file` is what it is called.
    ///
    /// # Errors
    /// The bytes are no such file.
    pub fn from_bytes(bytes: &[u8], file: &str) -> Result<Self, Failure> {
        let faulty = |why: String| Self::faulty(file, why);
        let mut tensors = nas_safetensors::from_bytes(bytes)
            .map_err(|error| weights_file::no_tensors(error, bytes, file))?;
        let note = nas_safetensors::note(bytes).map_err(|error| faulty(error.to_string()))?;
        let note = note.ok_or_else(|| faulty("it was not written by `nasc export`".to_owned()))?;
        let format = serde_json::from_str::<serde_json::Value>(&note).ok();
        let format = format.and_then(|note| note.get("format")?.as_u64());
        if let Some(format) = format.filter(|&format| format != u64::from(FORMAT)) {
            return Err(faulty(format!("its format is {format}, this nasc reads {FORMAT}")));
        }
        let Note { reference, tolerance, cases, resized, .. } =
            serde_json::from_str(&note).map_err(|e| faulty(e.to_string()))?;
        let mut ports = |case: &str, side: &str, names: Vec<String>| {
            let tensors = names.into_iter().map(|name| {
                let key = key(case, side, &name);
                let tensor = tensors.swap_remove(&key);
                Ok((name, tensor.ok_or_else(|| faulty(format!("it lacks `{key}`")))?))
            });
            tensors.collect::<Result<Vec<_>, Failure>>()
        };
        let cases = cases.into_iter().map(|CaseNote { name, inputs, outputs }| {
            let inputs = ports(&name, "inputs", inputs)?;
            let outputs = ports(&name, "outputs", outputs)?;
            Ok(Case { name, inputs, outputs })
        });
        let cases = cases.collect::<Result<_, Failure>>()?;
        Ok(Self { reference, tolerance, cases, resized })
    }
}

fn key(case: &str, side: &str, port: &str) -> String {
    format!("{case}/{side}/{port}")
}

/// The files beside an ONNX file: its report and its record. Their names are that of the file without
/// `.onnx`, so that `net.v1` and `net.v2` have their own.
#[must_use]
pub fn beside(onnx: &Path) -> [PathBuf; 2] {
    let name = onnx.file_name().unwrap_or_default();
    let is_onnx = onnx.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    let stem = if is_onnx { onnx.file_stem().unwrap_or(name) } else { name };
    ["verify.json", "check.safetensors"].map(|kind| {
        let mut name = stem.to_owned();
        name.push(".");
        name.push(kind);
        onnx.with_file_name(name)
    })
}

#[cfg(test)]
mod tests {
    use nas_ir::Elements;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let image = Tensor { dims: vec![1, 2], elements: Elements::U8(vec![0, 255]) };
        let classes = Tensor { dims: vec![1], elements: Elements::I64(vec![-3]) };
        let case = Case {
            name: "seed 1".to_owned(),
            inputs: vec![("image".to_owned(), image)],
            outputs: vec![
                ("classes".to_owned(), classes),
                ("a/b".to_owned(), Tensor::of_floats([1], vec![0.5])),
            ],
        };
        let record = Record {
            reference: "libtorch".to_owned(),
            tolerance: Tolerance::Loose,
            cases: vec![case],
            resized: None,
        };
        let bytes = record.to_bytes().unwrap();
        assert_eq!(Record::from_bytes(&bytes, "x").unwrap(), record);
        let other = nas_safetensors::to_bytes(&Weights::new(), Some(r#"{"format":1}"#)).unwrap();
        let failure = Record::from_bytes(&other, "x").err().unwrap().summary();
        assert!(failure.contains("its format is 1, this nasc reads 2"), "{failure}");
    }
}
