//! Every shipped space, small: every candidate runs in a step of its supernet on libtorch, and
//! networks drawn from it answer in tract as they do in libtorch.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test panics"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use nas_diagnostics::Problems;
use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_grammar::Source;
use nas_ir::network::Port;
use nas_ir::{Assignment, Checked, Decision, Network, Space};
use nas_passes::model::for_export;
use nas_passes::{from_choices, specialise};
use nas_torch::{StepReport, Trial};
use nas_tract::{Model, Tolerance, compare, seeded_inputs};
use nasc::services::{draw, source, weights_file};

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
    efficientnet: ["efficientnet(classes = 10, size = 64)"];
    enet: ["enet(height = 64, width = 64)"];
    fbnet: ["fbnet(classes = 10, size = 64)"];
    fbnetv2: ["fbnetv2(classes = 10, size = 64)"];
    garments_demo: ["garments_demo"];
    landcover_demo: ["landcover_demo(size = 32)"];
    mnasnet: ["mnasnet(classes = 10, size = 64)", "mnasnet_per_layer(classes = 10, size = 64)",
              "mnasnet_published(classes = 10, size = 64)"];
    mobilenet_v1: ["mobilenet_v1(classes = 10, size = 64)"];
    mobilenet_v2: ["mobilenet_v2(classes = 10, size = 64)"];
    mobilenet_v3: ["mobilenet_v3(classes = 10, size = 64)"];
    nasbench_macro: ["nasbench_macro"];
    nasnet: ["nasnet(classes = 10, size = 64, filters = 16, repeats = 1, stem = 8)",
             "nasnet_cifar(size = 16, filters = 8, repeats = 1)"];
    ofa: ["ofa(classes = 10, size = 64)"];
    proxylessnas: ["proxylessnas(classes = 10, size = 64)"];
    resnet: ["resnet(classes = 10, size = 64)", "resnet_cifar"];
    scenes_demo: ["scenes_demo(size = 32, most = 2M)"];
    shiftresnet: ["shiftresnet"];
    shufflenet_v1: ["shufflenet_v1(classes = 10, size = 64)"];
    single_path: ["single_path(classes = 10, size = 64)"];
    // 49 at a sixteenth of the size, as high and wide as the window of the pool.
    squeezenas_large: ["squeezenas_large(height = 784, width = 784)"];
    squeezenas_small: ["squeezenas_small(height = 784, width = 784)"];
    squeezenas_xlarge: ["squeezenas_xlarge(height = 64, width = 64)"];
    squeezenet: ["squeezenet(classes = 10, size = 64)"];
    squeezenext: ["squeezenext_23(classes = 10, size = 64)"];
    vgg: ["vgg(classes = 10, size = 32)"];
}

/// Networks that are drawn from each space that has so many.
const NETWORKS: usize = 3;
/// Steps after which all candidates have run, with room to spare.
const STEPS: usize = 150;
/// Steps that are also made without layers that are computed together.
const COMPARED: usize = 2;
/// How far layers that are computed together may be from double precision.
const FUSED: f64 = 1e-4;
/// Or how much farther than those that are computed one by one, where rounding grows from layer to layer.
const FARTHER: f64 = 10.0;
/// The share of the loss by which rounding moves it.
const NO_EFFECT: f64 = 1e-3;
const SEED: u64 = 1;

#[test]
fn every_shipped_space_has_a_test() {
    let mut shipped = BTreeSet::new();
    for entry in std::fs::read_dir(nas_spaces::shipped()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "nas") {
            let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let program = load(source::read_source(&path).unwrap(), &mut Problems::default());
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
    Program::load(source, &source::load_module, problems)
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

/// The straight-through gradient of an absorbed decision, over the greatest gradient of a weight: what rounding and
/// the epsilons of batch norms leave.
const ABSORBED: f64 = 1e-3;

/// Steps of the supernet until every candidate of every decision has run: whatever moves the loss
/// gets a gradient in every step, and every decision does in some step.
fn trains(space: &Checked<Space>) -> Result<(), String> {
    let trial = Trial::new(space, SEED).map_err(|error| error.to_string())?;
    if !trial.unproved().is_empty() {
        return Err(format!("not proved: {:?}", trial.unproved()));
    }
    let absorbed = nas_analysis::absorbed(space);
    let mut runs = Runs::new(space);
    let mut still: BTreeSet<usize> = (0..space.decisions.len()).collect();
    still.retain(|&decision| is_searched(&space.decisions[decision]));
    for step in 0..STEPS {
        let assignment = runs.rarest(space);
        if step < COMPARED {
            agrees(&trial, &assignment)?;
        }
        let report = trial.step(&assignment).map_err(|error| error.to_string())?;
        judge(&trial, &assignment, &report)?;
        let steepest = report.weights.iter().fold(report.loss, |most, (_, g)| most.max(*g));
        for &id in &absorbed {
            let gradient = report.choices[id.index()];
            if gradient > ABSORBED * steepest {
                let path = &space.decisions[id.index()].path;
                return Err(format!(
                    "{path} is absorbed, and has the gradient {gradient} of {steepest}"
                ));
            }
        }
        still.retain(|&decision| report.choices[decision] == 0.0);
        runs.count(&specialise(space, &assignment));
        if runs.never().is_empty() {
            let still: Vec<&str> =
                still.iter().map(|&decision| space.decisions[decision].path.as_str()).collect();
            let reason = format!("no gradient reaches the choices {still:?}");
            return if still.is_empty() { Ok(()) } else { Err(reason) };
        }
    }
    Err(format!("never run: {:?}", runs.never()))
}

/// Fails where layers that are computed together are farther from double precision than one by one.
fn agrees(trial: &Trial<'_>, assignment: &Assignment) -> Result<(), String> {
    let [fused, plain] = trial.apart(assignment).map_err(|error| error.to_string())?;
    let is_near = |fused: f64, plain: f64| fused < FUSED.max(FARTHER * plain);
    let are_near = is_near(fused.loss, plain.loss)
        && is_near(fused.gradient.0, plain.gradient.0)
        && is_near(fused.statistic, plain.statistic);
    if are_near { Ok(()) } else { Err(format!("together {fused:?}, one by one {plain:?}")) }
}

fn is_searched(decision: &Decision) -> bool {
    decision.candidates.len() > 1
}

/// Fails where a gradient is no number, or 0 although the loss depends on the tensor.
fn judge(trial: &Trial<'_>, assignment: &Assignment, report: &StepReport) -> Result<(), String> {
    let StepReport { loss, weights, choices } = report;
    let gradients = weights.iter().map(|(_, gradient)| gradient);
    if !gradients.chain(choices).chain([loss]).all(|value| value.is_finite()) {
        return Err(format!("a step comes to {report:?}"));
    }
    for (name, _) in weights.iter().filter(|(_, gradient)| *gradient == 0.0) {
        let effect = trial.effect(assignment, name).map_err(|error| error.to_string())?;
        if effect > NO_EFFECT * loss {
            return Err(format!("no gradient reaches {name}, which moves {loss} by {effect}"));
        }
    }
    Ok(())
}

/// How often each candidate was part of a network: by the path of its decision and its name.
struct Runs {
    of: BTreeMap<(String, String), usize>,
}

impl Runs {
    fn new(space: &Space) -> Self {
        let searched = space.decisions.iter().filter(|decision| is_searched(decision));
        let all = searched.flat_map(|decision| {
            let names = decision.candidates.iter();
            names.map(|name| ((decision.path.clone(), name.clone()), 0))
        });
        Self { of: all.collect() }
    }

    /// Of each decision the candidate that ran least.
    fn rarest(&self, space: &Space) -> Assignment {
        let mut assignment = space.first_assignment();
        for (id, decision) in space.decision_ids().filter(|(_, decision)| is_searched(decision)) {
            let runs = |name: &String| self.of[&(decision.path.clone(), name.clone())];
            let candidates = decision.candidates.iter().enumerate();
            let rarest = candidates.min_by_key(|(_, name)| runs(name)).unwrap();
            assignment.set(id, rarest.0);
        }
        assignment
    }

    fn count(&mut self, network: &Network) {
        for choice in &network.choices {
            self.of.entry(choice.clone()).and_modify(|runs| *runs += 1);
        }
    }

    fn never(&self) -> Vec<&(String, String)> {
        self.of.iter().filter(|(_, runs)| **runs == 0).map(|(candidate, _)| candidate).collect()
    }
}

/// Different networks, uniformly from the space.
fn networks(space: &Checked<Space>) -> Result<Vec<Network>, String> {
    let count = nas_analysis::count(space).map_err(|reason| format!("{reason:?}"))?;
    let wanted = usize::try_from(count).map_or(NETWORKS, |count| count.min(NETWORKS));
    let drawn = draw::draw_any(space, SEED).map_err(|failure| format!("{failure:?}"))?;
    let mut networks = BTreeMap::new();
    for assignment in drawn.take(100) {
        let network = specialise(space, &assignment);
        networks.entry(network.choices.clone()).or_insert(network);
        if networks.len() == wanted {
            return Ok(networks.into_values().collect());
        }
    }
    Err(format!("{} different networks of {wanted}", networks.len()))
}

/// With fresh weights, tract answers as libtorch does.
fn exports(network: &Network) -> Result<(), String> {
    assert_eq!(network.verify(), Ok(()));
    let model = weights_file::initial(network.clone(), SEED);
    let inputs = seeded_inputs(&shapes(network, &network.inputs), SEED);
    let expected = nas_torch::run(&model, &inputs).map_err(|error| error.to_string())?;

    let model = for_export(model).map_err(|unsound| unsound.to_string())?;
    let onnx = nas_onnx::emit(&model, &nas_onnx::Options::default());
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
    ports.iter().map(|port| network.port_shape(port).batched(1)).collect()
}

/// What each network of the demo reaches is looked up in the table of another space: it has the same networks.
#[test]
fn the_networks_of_the_demo_are_those_whose_truth_is_known() {
    let space = reduced("garments_demo", "garments_demo(most = 1G)").unwrap();
    let table = nas_spaces::shipped().join("../truth/garments.jsonl");
    let table = std::fs::read_to_string(table).unwrap();
    let mut known = BTreeSet::new();
    for line in table.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let choices = line["choices"].as_object().unwrap();
        let choices = choices.iter().map(|(path, name)| (path.as_str(), name.as_str().unwrap()));
        let assignment = from_choices(&space, choices).unwrap();
        let costs = nas_analysis::costs(&specialise(&space, &assignment));
        assert_eq!(line["cost"]["macs"], costs.macs);
        known.insert(line["choices"].to_string());
    }
    assert_eq!(known.len() as u64, 3_u64.pow(5));
}
