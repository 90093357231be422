//! Models: mutants of exported ONNX files and of their check records, in `nasc verify`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rand::Rng;
use rand::seq::IndexedRandom;

use super::case::{Case, Kind, Random, Step};
use super::made;
use super::mutate;
use super::protobuf;
use super::tree::Tree;

const MODEL: &str = "net.onnx";
const RECORD: &str = "net.check.safetensors";

pub(crate) struct Models {
    models: Vec<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Models {
    /// Exports what the cases are made of.
    pub(crate) fn new(nasc: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("seeds.nas"), made::SEEDS)?;
        let mut all = Self { models: Vec::new(), records: Vec::new() };
        for (space, opset) in [("tiny", 17), ("classes", 21), ("maps", 13)] {
            let args = format!(
                "export seeds.nas --space {space} --arch random:1 -o {MODEL} --opset {opset}"
            );
            made::nasc(nasc, folder.path(), &args)?;
            let read = |name| fs::read(folder.path().join(name)).context("an export lacks a file");
            all.models.push(read(MODEL)?);
            all.records.push(read(RECORD)?);
        }
        Ok(all)
    }
}

impl Kind for Models {
    fn case(&self, random: &mut Random) -> Case {
        let at = random.random_range(0..self.models.len());
        let [mut model, mut record] =
            [&self.models, &self.records].map(|all| all.get(at).cloned().unwrap_or_default());
        match random.random_range(0..10) {
            0..6 => model = protobuf::edited(random, &model),
            6..8 => model = mutate::bytes(random, &model, &self.models),
            8 => record = mutate::bytes(random, &record, &self.records),
            _ => record = with_header(random, &record),
        }
        let options =
            ["verify", "verify --json", "verify --tolerance exact", "verify --tolerance loose"];
        let args = options.choose(random).copied().unwrap_or("verify");
        Case {
            files: Tree::default().with(MODEL, model).with(RECORD, record),
            steps: vec![Step::slow(args).arg(MODEL)],
            ..Case::default()
        }
    }
}

/// A safetensors file with its header edited as a text, and its length as it is then.
pub(crate) fn with_header(random: &mut Random, file: &[u8]) -> Vec<u8> {
    let Some((length, rest)) = file.split_first_chunk() else { return Vec::new() };
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, data) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    let header = mutate::text(random, header, &[]);
    [&(header.len() as u64).to_le_bytes(), header.as_slice(), data].concat()
}
