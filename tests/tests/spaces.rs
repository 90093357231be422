//! Every shipped space, small: its supernet makes a step on libtorch, and networks drawn from it
//! answer in tract as they do in libtorch.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use nas_compiler::analyse::Sampler;
use nas_compiler::error::Problems;
use nas_compiler::modules::Program;
use nas_compiler::network::Port;
use nas_compiler::weights::Tensor;
use nas_compiler::{Assignment, Checked, Compiler, Network, Space, specialise};
use nas_grammar::Source;
use nas_tract::{CaseReport, Model, Report, Tolerance, seeded_inputs};
use nasc::{input, weights_file};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Each file and one of its spaces, with arguments that make it small.
const SPACES: &[(&str, &str)] = &[
    ("alexnet", "alexnet(classes = 10)"),
    ("amoebanet", "amoebanet(classes = 10, size = 64, filters = 8, repeats = 1, stem = 8)"),
    ("amoebanet", "amoebanet_cifar(size = 16, filters = 8, repeats = 1)"),
    ("autonac", "autonac(classes = 10, size = 64)"),
    ("darts", "darts(size = 16, width = 4, layers = 3)"),
    ("darts", "darts_imagenet(classes = 10, size = 64, width = 4, layers = 3)"),
    ("darts", "darts_relaxed(size = 16, width = 4, layers = 3)"),
    ("darts", "darts_relaxed_cells(size = 16, width = 4)"),
    ("deeplab_mobilenet_v2", "deeplab_mobilenet_v2(height = 65, width = 65)"),
    ("deeplab_v3plus", "deeplab_v3plus(height = 65, width = 65)"),
    ("edanet", "edanet(height = 64, width = 64)"),
    ("enet", "enet(height = 64, width = 64)"),
    ("fbnet", "fbnet(classes = 10, size = 64)"),
    ("landcover_demo", "landcover_demo(size = 32)"),
    ("mnasnet", "mnasnet(classes = 10, size = 64)"),
    ("mnasnet", "mnasnet_per_layer(classes = 10, size = 64)"),
    ("mnasnet", "mnasnet_published(classes = 10, size = 64)"),
    ("mobilenet_v1", "mobilenet_v1(classes = 10, size = 64)"),
    ("mobilenet_v2", "mobilenet_v2(classes = 10, size = 64)"),
    ("nasnet", "nasnet(classes = 10, size = 64, filters = 8, repeats = 1, stem = 8)"),
    ("nasnet", "nasnet_cifar(size = 16, filters = 8, repeats = 1)"),
    ("ofa", "ofa(classes = 10, size = 64)"),
    ("resnet", "resnet(classes = 10)"),
    ("resnet", "resnet_cifar"),
    ("shiftresnet", "shiftresnet"),
    ("shufflenet_v1", "shufflenet_v1(classes = 10, size = 64)"),
    ("squeezenas_large", "squeezenas_large(height = 64, width = 64)"),
    // The window of its pool is 49 by 49, at a sixteenth of the size.
    ("squeezenas_small", "squeezenas_small(height = 784, width = 784)"),
    ("squeezenas_xlarge", "squeezenas_xlarge(height = 64, width = 64)"),
    ("squeezenet", "squeezenet(classes = 10, size = 64)"),
    ("squeezenext", "squeezenext_23(classes = 10, size = 64)"),
    ("vgg", "vgg(classes = 10)"),
];

/// Networks that are drawn from each space.
const NETWORKS: usize = 3;
const SEED: u64 = 1;

#[test]
fn every_space_trains_and_its_networks_export() {
    let mut failures = Vec::new();
    for (file, reference) in SPACES {
        if std::env::var("ONLY").is_ok_and(|only| !reference.contains(&only)) {
            continue;
        }
        let start = Instant::now();
        let result = reduced(file, reference).and_then(|space| {
            trains(&space)?;
            let t = start.elapsed().as_secs_f64();
            let r = networks(&space).into_iter().try_for_each(|network| exports(&network));
            println!("   step {t:.1}");
            r
        });
        println!("{reference}: {:.1} s", start.elapsed().as_secs_f64());
        failures.extend(result.err().map(|reason| format!("{reference}: {reason}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_shipped_space_has_a_row() {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(nas_spaces::shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "nas") {
            let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let program = load(input::read_source(&path).unwrap(), &mut Problems::default());
            found.extend(program.spaces().map(|item| (file.clone(), item.name.name.clone())));
        }
    }
    let name = |reference: &str| reference.split('(').next().unwrap_or_default().to_owned();
    let rows = SPACES.iter().map(|(file, reference)| ((*file).to_owned(), name(reference)));
    assert_eq!(rows.collect::<BTreeSet<_>>(), found);
}

fn load(source: Source, problems: &mut Problems) -> Program {
    Program::load(source, &input::load_module, problems)
}

/// The space of a shipped file with the arguments of a row.
fn reduced(file: &str, reference: &str) -> Result<Arc<Checked<Space>>, String> {
    let path: PathBuf = nas_spaces::shipped().join(format!("{file}.nas"));
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let text = format!("{text}\nsearch reduced of {reference} {{}}\n");
    let mut problems = Problems::default();
    let program = load(Source::new(path.display().to_string(), text), &mut problems);
    let item = program.recipes().find(|item| item.name.name == "reduced").unwrap();
    let space = Compiler::new(&program, &mut problems).space_ref(&item.space);
    let titles = || problems.into_vec().iter().map(ToString::to_string).collect::<Vec<_>>();
    space.ok_or_else(|| titles().join("; "))
}

fn trains(space: &Checked<Space>) -> Result<(), String> {
    let report = nas_torch::step(space, SEED).map_err(|error| error.to_string())?;
    let nas_torch::StepReport { loss, weights, choices } = report;
    let moves = |gradient: f64| gradient.is_finite() && gradient > 0.0;
    let is_searched = !space.decisions.is_empty();
    if loss.is_finite() && moves(weights) && (moves(choices) || !is_searched) {
        return Ok(());
    }
    Err(format!("a step of the supernet comes to {report:?}"))
}

/// Some networks, uniformly from the space; where it is too entangled to be counted, uniformly
/// from the candidates of each decision.
fn networks(space: &Checked<Space>) -> Vec<Network> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let sampler = Sampler::new(space).ok();
    let mut draw = || match &sampler {
        Some(sampler) => sampler.draw(&mut random),
        None => {
            let mut assignment = Assignment::first(space);
            for (id, decision) in space.decision_ids() {
                assignment.set(id, random.random_range(0..decision.candidates.len()));
            }
            assignment
        }
    };
    let drawn: BTreeSet<Assignment> = (0..NETWORKS).map(|_| draw()).collect();
    drawn.iter().map(|assignment| specialise(space, assignment)).collect()
}

/// With fresh weights, tract answers as libtorch does.
fn exports(network: &Network) -> Result<(), String> {
    let t = Instant::now();
    let weights = weights_file::initial(network, SEED);
    let t0 = t.elapsed().as_secs_f64();
    let inputs = seeded_inputs(&shapes(network, &network.inputs), SEED);
    let slices: Vec<Vec<f32>> = inputs.iter().map(|tensor| tensor.data.clone()).collect();
    let outputs = nas_torch::run(network, &weights, &slices).map_err(|error| error.to_string())?;
    let t1 = t.elapsed().as_secs_f64();
    let shaped = shapes(network, &network.outputs).into_iter().zip(outputs);
    let expected: Vec<Tensor> = shaped.map(|(dims, data)| Tensor { dims, data }).collect();

    let onnx = nas_onnx::emit(network, &weights, &nas_onnx::Options::default());
    let t2 = t.elapsed().as_secs_f64();
    let model = Model::load(&onnx.map_err(|error| error.to_string())?);
    let model = model.map_err(|error| error.to_string())?;
    let t3 = t.elapsed().as_secs_f64();
    let actual = model.run(&inputs).map_err(|error| error.to_string())?;
    let t4 = t.elapsed().as_secs_f64();
    println!("   init {t0:.1} torch {t1:.1} emit {t2:.1} load {t3:.1} run {t4:.1}");
    let bound = Tolerance::Export;
    let case = CaseReport::new(String::new(), model.outputs(), &expected, &actual, bound);
    let report = Report::new(bound, vec![case.map_err(|error| error.to_string())?]);
    if report.passed { Ok(()) } else { Err(format!("tract differs: {:?}", report.worst)) }
}

/// The shapes of ports, with a batch of one.
fn shapes(network: &Network, ports: &[Port]) -> Vec<Vec<u32>> {
    ports.iter().map(|port| [&[1], network.nodes[port.node].shape.dims()].concat()).collect()
}
