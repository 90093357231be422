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

use nas_compiler::error::Problems;
use nas_compiler::modules::Program;
use nas_compiler::network::Port;
use nas_compiler::weights::Tensor;
use nas_compiler::{Assignment, Checked, Compiler, Network, Space, specialise};
use nas_grammar::Source;
use nas_tract::{Model, Tolerance, compare, seeded_inputs};
use nasc::{input, sample, weights_file};

/// A test for each file, of its spaces with arguments that make them small; and the table of all.
macro_rules! files {
    ($($file:ident: $references:expr;)*) => {
        const FILES: &[(&str, &[&str])] = &[$((stringify!($file), &$references)),*];
        $(#[test] fn $file() { check(stringify!($file), &$references); })*
    };
}

files! {
    alexnet: ["alexnet(classes = 10, size = 64)"];
    amoebanet: ["amoebanet(classes = 10, size = 64, filters = 16, repeats = 1, stem = 8)",
                "amoebanet_cifar(size = 16, filters = 8, repeats = 1)"];
    autonac: ["autonac(classes = 10, size = 32)"];
    darts: ["darts(size = 16, width = 4, layers = 3)",
            "darts_imagenet(classes = 10, size = 64, width = 4, layers = 3)",
            "darts_relaxed(size = 16, width = 4, layers = 3)",
            "darts_relaxed_cells(size = 16, width = 4)"];
    deeplab_mobilenet_v2: ["deeplab_mobilenet_v2(height = 65, width = 65)"];
    deeplab_v3plus: ["deeplab_v3plus(height = 65, width = 65)"];
    edanet: ["edanet(height = 64, width = 64)"];
    enet: ["enet(height = 64, width = 64)"];
    fbnet: ["fbnet(classes = 10, size = 64)"];
    landcover_demo: ["landcover_demo(size = 32)"];
    mnasnet: ["mnasnet(classes = 10, size = 64)", "mnasnet_per_layer(classes = 10, size = 64)",
              "mnasnet_published(classes = 10, size = 64)"];
    mobilenet_v1: ["mobilenet_v1(classes = 10, size = 64)"];
    mobilenet_v2: ["mobilenet_v2(classes = 10, size = 64)"];
    nasnet: ["nasnet(classes = 10, size = 64, filters = 16, repeats = 1, stem = 8)",
             "nasnet_cifar(size = 16, filters = 8, repeats = 1)"];
    ofa: ["ofa(classes = 10, size = 64)"];
    resnet: ["resnet(classes = 10, size = 64)", "resnet_cifar"];
    shiftresnet: ["shiftresnet"];
    shufflenet_v1: ["shufflenet_v1(classes = 10, size = 64)"];
    // 49 at a sixteenth of the size, as high and wide as the window of the pool.
    squeezenas_large: ["squeezenas_large(height = 784, width = 784)"];
    squeezenas_small: ["squeezenas_small(height = 784, width = 784)"];
    squeezenas_xlarge: ["squeezenas_xlarge(height = 64, width = 64)"];
    squeezenet: ["squeezenet(classes = 10, size = 64)"];
    squeezenext: ["squeezenext_23(classes = 10, size = 64)"];
    vgg: ["vgg(classes = 10, size = 32)"];
}

/// Networks that are drawn from each space.
const NETWORKS: usize = 3;
const SEED: u64 = 1;

#[test]
fn every_shipped_space_has_a_test() {
    let mut shipped = BTreeSet::new();
    for entry in std::fs::read_dir(nas_spaces::shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "nas") {
            let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let program = load(input::read_source(&path).unwrap(), &mut Problems::default());
            shipped.extend(program.spaces().map(|item| (file.clone(), item.name.name.clone())));
        }
    }
    let name = |reference: &str| reference.split('(').next().unwrap().to_owned();
    let tested = FILES.iter().flat_map(|(file, references)| {
        references.iter().map(|reference| ((*file).to_owned(), name(reference)))
    });
    assert_eq!(tested.collect::<BTreeSet<_>>(), shipped);
}

/// Fails with a line for each space of a file that does not train or export.
fn check(file: &str, references: &[&str]) {
    let mut failures = Vec::new();
    for reference in references {
        let start = Instant::now();
        let result = reduced(file, reference).and_then(|space| {
            trains(&space)?;
            networks(&space)?.iter().try_for_each(exports)
        });
        println!("{reference}: {:.1} s", start.elapsed().as_secs_f64());
        failures.extend(result.err().map(|reason| format!("{reference}: {reason}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
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

/// Some networks, uniformly from the space; fewer where a draw repeats.
fn networks(space: &Checked<Space>) -> Result<Vec<Network>, String> {
    let drawn = sample::draw(space, SEED).map_err(|failure| format!("{failure:?}"))?;
    let drawn: BTreeSet<Assignment> = drawn.take(NETWORKS).collect();
    Ok(drawn.iter().map(|assignment| specialise(space, assignment)).collect())
}

/// With fresh weights, tract answers as libtorch does.
fn exports(network: &Network) -> Result<(), String> {
    let weights = weights_file::initial(network, SEED);
    let inputs = seeded_inputs(&shapes(network, &network.inputs), SEED);
    let slices: Vec<Vec<f32>> = inputs.iter().map(|tensor| tensor.data.clone()).collect();
    let outputs = nas_torch::run(network, &weights, &slices).map_err(|error| error.to_string())?;
    let shaped = shapes(network, &network.outputs).into_iter().zip(outputs);
    let expected: Vec<Tensor> = shaped.map(|(dims, data)| Tensor { dims, data }).collect();

    let onnx = nas_onnx::emit(network, &weights, &nas_onnx::Options::default());
    let onnx = onnx.map_err(|error| error.to_string())?;
    let model = Model::load(&onnx).map_err(|error| error.to_string())?;
    let actual = model.run(&inputs).map_err(|error| error.to_string())?;
    assert_eq!(actual.len(), expected.len());
    for (expected, actual) in expected.iter().zip(&actual) {
        let agreement = compare(expected, actual).map_err(|error| error.to_string())?;
        if !Tolerance::Export.allows(&agreement) {
            return Err(format!("tract differs from libtorch: {agreement:?}"));
        }
    }
    Ok(())
}

/// The shapes of ports, with a batch of one.
fn shapes(network: &Network, ports: &[Port]) -> Vec<Vec<u32>> {
    ports.iter().map(|port| [&[1], network.nodes[port.node].shape.dims()].concat()).collect()
}
