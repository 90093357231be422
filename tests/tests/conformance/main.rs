//! Every operator by its definition, in libtorch and in tract: one answer and one shape.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the functions that the tests share are tests too"
)]

mod forms;
mod integers;

use std::collections::BTreeSet;

use nas_cases::networks::with_weights;
use nas_cases::{cases, reference};
use nas_ir::network::Port;
use nas_ir::ops::TABLE;
use nas_ir::{Network, Opset, Tensor};
use nas_onnx::{Options, emit, operator_set};
use nas_passes::model::for_export;
use nas_tract::{Model, Tolerance, compare, seeded_inputs};

/// A case with its weights and inputs, and what its outputs are by definition.
struct Case {
    model: nas_ir::Model,
    inputs: Vec<Tensor>,
    expected: Vec<Tensor>,
}

impl Case {
    fn new(network: &Network) -> Self {
        let model = with_weights(network);
        let inputs = seeded_inputs(&shapes(network, &network.inputs), 1);
        let expected = reference::run(&model, &inputs);
        Self { model, inputs, expected }
    }

    /// Fails where outputs are not those of the definition.
    fn judge(&self, outputs: &[Tensor]) -> Result<(), String> {
        self.judge_within(outputs, Tolerance::Tight)
    }

    fn judge_within(&self, outputs: &[Tensor], tolerance: Tolerance) -> Result<(), String> {
        if outputs.len() != self.expected.len() {
            return Err(format!("{} outputs", outputs.len()));
        }
        let ports = self.model.network.outputs.iter();
        for (port, (expected, output)) in ports.zip(self.expected.iter().zip(outputs)) {
            match compare(expected, output) {
                Ok(agreement) if tolerance.allows(&agreement) => {}
                other => return Err(format!("{}: {other:?}", port.name)),
            }
        }
        Ok(())
    }

    fn in_libtorch(&self) -> Result<(), String> {
        let outputs = nas_torch::run(&self.model, &self.inputs);
        self.judge(&outputs.map_err(|error| error.to_string())?)
    }

    fn in_tract(&self, opset: Opset) -> Result<(), String> {
        let options = Options { opset, ..Options::default() };
        let onnx = emit(&for_export(self.model.clone()).unwrap(), &options).unwrap();
        let model = Model::load(&onnx).map_err(|error| error.to_string())?;
        let inferred: Vec<&[u32]> = model.outputs().iter().map(|port| &*port.dims).collect();
        let network = &self.model.network;
        let shapes = shapes(network, &network.outputs);
        if inferred != shapes {
            return Err(format!("{inferred:?} is inferred, not {shapes:?}"));
        }
        self.judge(&model.run(&self.inputs).map_err(|error| error.to_string())?)
    }
}

/// The shapes of ports, with a batch of one.
fn shapes(network: &Network, ports: &[Port]) -> Vec<Vec<u32>> {
    ports.iter().map(|port| network.port_shape(port).batched(1)).collect()
}

#[test]
fn libtorch_and_tract_compute_what_the_definition_says() {
    let mut problems = Vec::new();
    for (name, network) in cases::all().into_iter().chain(cases::other_ranks()) {
        let case = Case::new(&network);
        let mut note = |engine: String, verdict: Result<(), String>| {
            problems.extend(verdict.err().map(|problem| format!("{name} in {engine}: {problem}")));
        };
        note("libtorch".to_owned(), case.in_libtorch());
        for opset in [11, 12, 13, 14, 17, 18, 19, 21].map(|version| operator_set(version).unwrap())
        {
            note(format!("tract at opset {opset}"), case.in_tract(opset));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_operator_of_the_table_has_a_case() {
    let cases = cases::all();
    let nodes = cases.iter().flat_map(|(_, network)| &network.nodes);
    let tried: BTreeSet<&str> =
        nodes.filter_map(|node| Some(node.op.as_ref()?.declaration().name)).collect();
    let table: BTreeSet<&str> = TABLE.iter().map(|row| row.declaration.name).collect();
    assert_eq!(tried, table);
}
