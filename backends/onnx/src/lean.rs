//! A graph with nothing in it that an engine does not need.

use std::collections::{BTreeMap, BTreeSet};

use onnx_protobuf::GraphProto;

/// The digits of names.
const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Gives values and constants the shortest names that there are, nodes none, and leaves out the sizes of what is neither input
/// nor output, which engines infer. Inputs and outputs keep their names.
pub(crate) fn lean(graph: &mut GraphProto) {
    graph.value_info.clear();
    graph.doc_string.clear();
    let ports = graph.input.iter().chain(&graph.output).map(|port| port.name.clone());
    let mut names = Names { kept: ports.collect(), given: BTreeMap::new(), next: 0 };
    for node in &mut graph.node {
        node.name.clear();
        for name in node.input.iter_mut().chain(&mut node.output) {
            *name = names.short(name);
        }
    }
    for constant in &mut graph.initializer {
        constant.name = names.short(&constant.name);
    }
}

/// Short names, in the order in which they are asked for.
struct Names {
    /// Those that stay.
    kept: BTreeSet<String>,
    given: BTreeMap<String, String>,
    next: usize,
}

impl Names {
    fn short(&mut self, name: &str) -> String {
        // An empty name is that of an operand which is left out.
        if name.is_empty() || self.kept.contains(name) {
            return name.to_owned();
        }
        if let Some(short) = self.given.get(name) {
            return short.clone();
        }
        let short = loop {
            let short = spelled(self.next);
            self.next += 1;
            if !self.kept.contains(&short) {
                break short;
            }
        };
        self.given.insert(name.to_owned(), short.clone());
        short
    }
}

/// A number to the base of 36.
fn spelled(number: usize) -> String {
    let digit = char::from(DIGITS.get(number % DIGITS.len()).copied().unwrap_or_default());
    match number / DIGITS.len() {
        0 => digit.to_string(),
        rest => format!("{}{digit}", spelled(rest)),
    }
}
