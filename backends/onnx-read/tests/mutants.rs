//! Ten thousand mutants of files: bytes that are flipped, cut and spliced, and fields of messages that are changed, left out
//! and repeated. Each gives an answer or an error, soon, without a panic and within memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "helpers of tests are tests, and what is shared with the fuzzer is used in part"
)]

#[path = "../../../xtask/src/fuzz/mutate.rs"]
mod mutate;
#[path = "../../../xtask/src/fuzz/protobuf.rs"]
mod protobuf;

/// What the shared modules call so.
mod case {
    pub(crate) type Random = rand_chacha::ChaCha8Rng;
}

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use case::Random;
use nas_cases::cases;
use nas_cases::networks::with_weights;
use nas_onnx::{Options, emit};
use nas_onnx_read::{ReadError, Sizes, costs, infer, matched, read};
use nas_passes::model::for_export;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const MUTANTS: u64 = 10_000;
/// A mutant takes less than a millisecond; other programs may have the processor.
const LONGEST: Duration = Duration::from_secs(5);
const MOST_MEMORY: usize = 1 << 30;

/// The files that mutants are made of.
fn seeds() -> Vec<Vec<u8>> {
    let all = cases::all().into_iter();
    let mut seeds: Vec<Vec<u8>> = all
        .map(|(_, network)| {
            let model = for_export(with_weights(&network)).unwrap();
            emit(&model, &Options::default()).unwrap()
        })
        .collect();
    seeds.push(include_bytes!("data/shapes.onnx").to_vec());
    seeds.push(include_bytes!("data/attention.onnx").to_vec());
    seeds
}

/// What is asked of a file.
fn exercise(bytes: &[u8]) -> Result<(), ReadError> {
    let graph = read(bytes)?;
    let mut sizes = Sizes::new();
    for value in graph.inputs.iter().map(|&id| &graph.values[id]).filter(|it| it.name == "image") {
        sizes.insert(value.name.to_owned(), vec![1, 3, 32, 32]);
    }
    let inferred = infer(&graph, &sizes)?;
    costs(&graph, &inferred)?;
    matched(&graph, &inferred, &mut |name, _| {
        Err(ReadError::Outside { name: name.to_owned(), why: "it is not there".to_owned() })
    })
    .map(|_| ())
}

/// The most memory that the process held up to now, where the system says so.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<usize>().ok()? * 1024)
}

#[test]
fn mutants_give_answers_or_errors() {
    let seeds = seeds();
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    for number in 0..MUTANTS {
        let mut random = Random::seed_from_u64(number);
        let seed = seeds.choose(&mut random).unwrap();
        let mutant = match random.random_range(0..3) {
            0 => mutate::bytes(&mut random, seed, &seeds),
            _ => protobuf::edited(&mut random, seed),
        };
        let since = Instant::now();
        let end = match exercise(&mutant) {
            Ok(()) => "understood",
            Err(ReadError::Damaged { .. }) => "damaged",
            Err(ReadError::Graph { .. }) => "graph",
            Err(ReadError::Operands { .. }) => "operands",
            Err(ReadError::Unsupported { .. }) => "unsupported",
            Err(ReadError::NotOurs { .. }) => "not ours",
            Err(
                ReadError::TooLarge { .. }
                | ReadError::Outside { .. }
                | ReadError::OpenSize { .. }
                | ReadError::Input { .. },
            ) => "other",
        };
        assert!(since.elapsed() < LONGEST, "mutant {number} took {:?}", since.elapsed());
        *ends.entry(end).or_default() += 1;
    }
    if let Some(peak) = peak_memory() {
        assert!(peak < MOST_MEMORY, "{peak} bytes");
    }
    // Mutants reach every part.
    for end in ["understood", "damaged", "graph", "operands", "unsupported", "not ours", "other"] {
        assert!(ends.contains_key(end), "{end}: {ends:?}");
    }
}

/// Five megabytes of empty nodes, of which a decoder of whole messages makes more than a gigabyte.
#[test]
fn many_empty_messages_are_too_many() {
    let mut graph = Vec::new();
    for _ in 0..5 << 20 {
        graph.extend([1 << 3 | 2, 0]);
    }
    let mut model = vec![7 << 3 | 2];
    let mut length = graph.len() as u64;
    while length > 0x7f {
        model.push(length as u8 | 0x80);
        length >>= 7;
    }
    model.push(length as u8);
    model.extend(graph);
    assert!(matches!(read(&model), Err(ReadError::TooLarge { .. })));
}
