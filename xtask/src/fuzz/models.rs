//! Models: mutants of exported ONNX files and of their check records, in `nasc verify`; of those and of files that others made,
//! without a record, in `nasc cost` and `nasc verify`.

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
/// Files that others made.
const OTHERS: [&[u8]; 3] = [
    include_bytes!("../../../backends/onnx-read/tests/data/shapes.onnx"),
    include_bytes!("../../../backends/onnx-read/tests/data/attention.onnx"),
    include_bytes!("../../../backends/onnx-read/tests/data/chain.onnx"),
];
/// What is asked of a file without a record, and the most memory that it takes, in MiB: reading one is bounded, tract is not.
const ASKED: [(&str, u64); 4] = [
    ("cost --json --layers", 1 << 10),
    ("cost --input image=1x3x32x32", 1 << 10),
    ("verify --json", 4 << 10),
    ("verify --input image=1x3x32x32", 4 << 10),
];

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

impl Models {
    /// A mutant without a record.
    fn of_others(&self, random: &mut Random) -> Case {
        let others = OTHERS.map(<[u8]>::to_vec);
        let all: Vec<&Vec<u8>> = others.iter().chain(&self.models).collect();
        let model = all.choose(random).copied().cloned().unwrap_or_default();
        let model = match random.random_bool(0.7) {
            true => protobuf::edited(random, &model),
            false => mutate::bytes(random, &model, &self.models),
        };
        let (args, memory) = ASKED.choose(random).copied().unwrap_or_default();
        let step = Step { memory: Some(memory), ..Step::slow(args) };
        Case {
            files: Tree::default().with(MODEL, model),
            steps: vec![step.arg(MODEL)],
            ..Case::default()
        }
    }
}

impl Kind for Models {
    fn case(&self, random: &mut Random) -> Case {
        if random.random_bool(0.4) {
            return self.of_others(random);
        }
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
