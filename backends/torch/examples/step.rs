//! Makes steps of a supernet or of one network as a search and a retraining make them, as it is told: a line of JSON on the
//! standard input for each request, and one on the standard output for each answer. `bench/run.py` drives it.
//!
//! | request | what it does |
//! | --- | --- |
//! | `{"do": "load", "space": FILE, "threads": N}` | the supernet of the space that the first search of a file is of, which is compiled as if it stood beside the shipped ones, with the settings of that search; with `"network": {DECISION: CANDIDATE}` the network of that, with those of its retraining; with `"gpu": 0` on that GPU, with `"precision": "bf16"` in 16 bits, with `"recomputed": N` with so many layers computed again in the backward pass. Answers `decisions`, `rate`, `momentum`, `decay` and `clip` |
//! | `{"do": "weights", "from": FILE}` | takes all parameters from safetensors |
//! | `{"do": "show", "from": FILE}` | takes `input.0` and so on, and `labels` |
//! | `{"do": "mix", "from": FILE}` | takes weights `[N, candidates]` by the paths of the decisions, or whole numbers `[1]`: that candidate alone |
//! | `{"do": "step"}` | makes a step; answers `seconds` and `loss` |
//! | `{"do": "gradients", "to": FILE}` | no step: writes its gradients; answers `loss` |
//! | `{"do": "save", "to": FILE}` | writes all parameters, with running statistics |
//! | `{"do": "memory"}` | answers `peak`, the bytes that tensors on the GPU have taken at most |

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a part of the benchmarks"
)]

use std::fs;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;
use std::time::Instant;

use nas_ir::recipe::{Recipe, Training, TrainingPrecision};
use nas_ir::{Assignment, Checked, Elements, Space, Tensor, Weights};
use nas_passes::specialise;
use nas_safetensors::{from_bytes, to_bytes};
use nas_testing::{beside_shipped, compile};
use nas_torch::{Mixed, Options, Part, Rehearsal, gpu};
use serde_json::{Value, json};

/// What is loaded.
struct Loaded {
    space: Arc<Checked<Space>>,
    rehearsal: Rehearsal,
}

fn main() {
    let mut loaded = None;
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let answer = answer(&request, &mut loaded);
        println!("{answer}");
        stdout().flush().unwrap();
    }
}

fn answer(request: &Value, loaded: &mut Option<Loaded>) -> Value {
    if request["do"] == "load" {
        let (new, answer) = load(request);
        *loaded = Some(new);
        return answer;
    }
    let Loaded { space, rehearsal } = loaded.as_mut().unwrap();
    match request["do"].as_str().unwrap() {
        "weights" => rehearsal.load(&read(&request["from"])).unwrap(),
        "show" => show(rehearsal, &read(&request["from"])),
        "mix" => rehearsal.mix(mixes(space, &read(&request["from"]))),
        "step" => return step(rehearsal),
        "gradients" => {
            let (loss, gradients) = rehearsal.gradients().unwrap();
            write(&request["to"], &gradients);
            return json!({"loss": loss});
        }
        "save" => write(&request["to"], &rehearsal.weights().unwrap()),
        "memory" => return json!({"peak": gpu(0).unwrap().1.peak()}),
        other => panic!("there is no request `{other}`"),
    }
    json!({})
}

fn load(request: &Value) -> (Loaded, Value) {
    let text = fs::read_to_string(request["space"].as_str().unwrap()).unwrap();
    let (space, recipe) = searched(&text);
    let options = options(request);
    let clip = options.clip;
    let precision = match request["precision"].as_str() {
        Some("bf16") => TrainingPrecision::Bf16,
        _ => TrainingPrecision::Fp32,
    };
    let (rehearsal, training) = match request["network"].as_object() {
        Some(_) => {
            let training = Training { precision, ..recipe.retrain.training };
            let network = specialise(&space, &assignment(&space, &request["network"]));
            (Rehearsal::of_network(&network, &training, options), training)
        }
        None => {
            let training = Training { precision, ..recipe.weights };
            (Rehearsal::of_supernet(&space, &training, options), training)
        }
    };
    let answer = described(&space, &training, clip);
    let layers = request["recomputed"].as_u64().unwrap_or(0) as usize;
    let mut rehearsal = rehearsal.unwrap().recomputing(layers).unwrap();
    if let Some(without) = request["without"].as_str() {
        let (_, part) = Part::NAMED.into_iter().find(|(name, _)| *name == without).unwrap();
        rehearsal = rehearsal.without(part).unwrap();
    }
    (Loaded { space, rehearsal }, answer)
}

/// What computes: so many threads, or a GPU.
fn options(request: &Value) -> Options {
    let threads = request["threads"].as_u64().map(|threads| threads as u32);
    let device = request["gpu"].as_u64().map(|number| gpu(number as usize).unwrap().0);
    let of_processor = Options::default();
    Options { threads, device: device.unwrap_or(of_processor.device), ..of_processor }
}

/// The space that the first search of a text is of, with its recipe.
fn searched(text: &str) -> (Arc<Checked<Space>>, Recipe) {
    let (found, problems) = compile(beside_shipped(text), |program, compiler| {
        let search = program.recipes().next()?;
        compiler.space_ref(&search.space).zip(compiler.recipe(&search.name.name, &[]))
    });
    found.unwrap_or_else(|| panic!("{problems:?}"))
}

fn described(space: &Space, training: &Training, clip: Option<f64>) -> Value {
    let decisions = space
        .decisions
        .iter()
        .map(|decision| json!({"path": decision.path, "candidates": decision.candidates}));
    json!({
        "decisions": decisions.collect::<Vec<_>>(),
        "rate": training.rate.at(0, 1),
        "momentum": training.momentum,
        "decay": training.decay,
        "clip": clip,
    })
}

/// The candidates by the paths of their decisions.
fn assignment(space: &Space, chosen: &Value) -> Assignment {
    let mut assignment = space.first_assignment();
    for (id, decision) in space.decision_ids() {
        assignment.set(id, chosen[&decision.path].as_u64().unwrap() as usize);
    }
    assignment
}

fn show(rehearsal: &mut Rehearsal, tensors: &Weights) {
    let inputs = (0..).map_while(|input| tensors.get(&format!("input.{input}"))).cloned();
    rehearsal.show(&inputs.collect::<Vec<_>>(), &tensors["labels"]).unwrap();
}

fn mixes(space: &Space, tensors: &Weights) -> Vec<Mixed> {
    space.decisions.iter().map(|decision| mixed(&tensors[&decision.path])).collect()
}

fn mixed(tensor: &Tensor) -> Mixed {
    match &tensor.elements {
        Elements::I64(candidate) => Mixed::Candidate(candidate[0] as usize),
        _ => Mixed::Weights(tensor.clone()),
    }
}

fn step(rehearsal: &mut Rehearsal) -> Value {
    let start = Instant::now();
    let loss = rehearsal.step().unwrap();
    json!({"seconds": start.elapsed().as_secs_f64(), "loss": loss})
}

fn read(path: &Value) -> Weights {
    from_bytes(&fs::read(path.as_str().unwrap()).unwrap()).unwrap()
}

fn write(path: &Value, tensors: &Weights) {
    fs::write(path.as_str().unwrap(), to_bytes(tensors, None).unwrap()).unwrap();
}
