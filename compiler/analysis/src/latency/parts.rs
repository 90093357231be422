//! What to measure of a space: its distinct parts.

use std::fmt::Write;

use indexmap::{IndexMap, IndexSet};
use nas_ir::diagram::{Combine, Diagram, Entangled, Joint, Selectors};
use nas_ir::fnv::fnv1a_128;
use nas_ir::{Assignment, Checked, IdVec, Network, Node, NodeId, NodeKind, Pick, Space, fault};
use nas_passes::space::simplify::Simplified;
use rustc_hash::FxHashMap as HashMap;

use super::groups::{self, Group};
use super::key::Key;
use super::network::{self, Ends, View};

/// The most cases of what is measured together.
const MAX_CASES: usize = 4096;

/// The distinct parts of the networks of a space, each once, in the order in which the space has
/// them first.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of the space.
    pub space: String,
    /// The parts.
    pub parts: Vec<Part>,
    pub(super) regions: Vec<Region>,
    /// The store of the diagrams of the regions.
    pub(super) conditions: Selectors,
}

/// A part that is measured on its own.
#[derive(Debug, Clone)]
pub struct Part {
    /// Stands for what the part computes.
    pub key: Key,
    /// The part as a network: its inputs are the tensors that it takes from outside.
    pub network: Network,
    /// Which of its tensors are inputs and outputs of the space, where the space has it first.
    pub(super) ends: Ends,
    /// What it is, for people: `unit.7/op = k3_e6_g1: [24, 128, 256] -> [40, 64, 128]`.
    pub about: String,
    /// Where the space has it; at least one place.
    pub places: Vec<Place>,
}

/// Where a space has a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path of the choice of which it is a candidate, or of its first node.
    pub path: String,
    /// The choices that make what is there this part: decision paths and candidates. None if it is
    /// this part wherever it is.
    pub choices: Vec<(String, String)>,
}

/// What is measured together: in a network that has it, one part or nothing.
#[derive(Debug, Clone)]
pub(super) struct Region {
    /// A node that is there exactly where the region is.
    pub(super) node: NodeId,
    /// All of its nodes.
    pub(super) nodes: Vec<NodeId>,
    pub(super) condition: Diagram,
    /// Which of the parts it is.
    pub(super) case: Diagram,
    /// Parts of the plan; none where nothing is left to measure.
    pub(super) parts: Vec<Option<usize>>,
}

impl Plan {
    /// The parts of one network; one that it has twice is there twice.
    #[must_use]
    pub fn network(&self, assignment: &Assignment) -> Vec<&Part> {
        let part = |region: &Region| {
            let holds = *self.conditions.value(region.condition, assignment) == 1;
            let case = holds.then(|| *self.conditions.value(region.case, assignment))?;
            let part = region.parts.get(case as usize);
            let part = (*part.unwrap_or_else(|| fault("a region without one of its cases")))?;
            Some(self.parts.get(part).unwrap_or_else(|| fault("a region of another plan")))
        };
        self.regions.iter().filter_map(part).collect()
    }
}

/// The distinct parts of a space.
///
/// # Errors
/// The conditions of the space grow beyond what can be held, or a part has thousands of cases.
pub fn plan(space: &Checked<Space>) -> Result<Plan, Entangled> {
    let mut liveness = space.whole_liveness()?;
    let groups = groups::groups(space, &mut liveness)?;
    let (mut conditions, alive) = liveness.into_nodes()?;
    let mut planner = Planner {
        space,
        zero: zeros(space, &mut conditions),
        alive,
        conditions,
        parts: IndexMap::new(),
        regions: Vec::new(),
    };
    for group in &groups {
        planner.group(group)?;
    }
    let Planner { conditions, parts, regions, .. } = planner;
    let parts = parts.into_values().collect();
    Ok(Plan { space: space.name.clone(), parts, regions, conditions })
}

/// For each node, when its value is zeros, which a sum leaves out.
fn zeros(space: &Space, conditions: &mut Selectors) -> IdVec<NodeId, Diagram> {
    let never = conditions.constant(0);
    let mut zeros: IdVec<NodeId, Diagram> = IdVec::with_capacity(space.graph.len());
    for (_, node) in space.graph.nodes() {
        let operands = node.inputs.iter().map(|&id| zeros[id]);
        let is_zero = match &node.kind {
            NodeKind::Op(op) => Simplified::of(op.yields()).is_zeros(conditions, operands),
            NodeKind::Select(selector) => {
                operands.enumerate().fold(never, |any, (index, zero)| match zero {
                    zero if zero != never => {
                        let taken = conditions.is(*selector, index as u32);
                        let zero = conditions.and(taken, zero);
                        conditions.or(any, zero)
                    }
                    _ => any,
                })
            }
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => never,
        };
        zeros.push(is_zero);
    }
    zeros
}

struct Planner<'s> {
    space: &'s Space,
    conditions: Selectors,
    alive: IdVec<NodeId, Diagram>,
    zero: IdVec<NodeId, Diagram>,
    /// By key.
    parts: IndexMap<Key, Part>,
    regions: Vec<Region>,
}

impl Planner<'_> {
    fn group(&mut self, group: &Group) -> Result<(), Entangled> {
        let node = group.choice.or(group.nodes.first().copied());
        let node = node.unwrap_or_else(|| fault("a group without nodes"));
        let cases = self.cases(group);
        self.conditions.room()?;
        if cases.combinations.len() > MAX_CASES {
            return Err(Entangled::new(self.conditions.decisions(cases.selector)));
        }
        let mut parts = IndexSet::new();
        let mut renamed = Vec::new();
        for case in 0..cases.combinations.len() as u32 {
            let holds = self.conditions.is(cases.selector, case);
            let holds = self.conditions.and(group.condition, holds);
            let found = self.conditions.shortest(holds).and_then(|ways| self.case(group, &ways));
            let part = found.map(|(network, ends)| {
                // None where there is no room; then there is no plan.
                let choices = self.conditions.explain(group.condition, holds).unwrap_or_default();
                self.part(network, ends, self.place(node, &choices))
            });
            self.conditions.room()?;
            renamed.push(parts.insert_full(part).0 as u32);
        }
        if parts.iter().any(Option::is_some) {
            let rename = |case: u32| {
                let part = renamed.get(case as usize);
                *part.unwrap_or_else(|| fault("a case of another group"))
            };
            let case = self.conditions.rename(cases.selector, &rename);
            let parts = parts.into_iter().collect();
            let nodes = group.nodes.clone();
            self.regions.push(Region { node, nodes, condition: group.condition, case, parts });
        }
        Ok(())
    }

    /// On what it depends what is left of a group.
    fn cases(&mut self, group: &Group) -> Joint {
        let mut parts = IndexSet::new();
        let mut memo = HashMap::default();
        for &id in &group.nodes {
            let (node, alive) = (&self.space.graph[id], self.alive[id]);
            for selector in self.selectors(node) {
                // Where the node is not there, what it would be makes no case.
                let masked = |alive: &u32, index: &u32| if *alive == 0 { 0 } else { *index + 1 };
                parts.insert(self.conditions.apply(
                    alive,
                    selector,
                    &Combine::by(&masked),
                    &mut memo,
                ));
            }
        }
        let parts: Vec<Diagram> = parts.into_iter().collect();
        self.conditions.joint(group.condition, &parts)
    }

    /// On what a node depends, once it is there.
    fn selectors(&self, node: &Node) -> Vec<Diagram> {
        match &node.kind {
            NodeKind::Select(selector) => vec![*selector],
            NodeKind::Op(op) => {
                let mut selectors: Vec<Diagram> = groups::selectors(self.space, node, op).collect();
                if Simplified::of(op.yields()) == Simplified::Sum {
                    selectors.extend(node.inputs.iter().map(|&id| self.zero[id]));
                }
                selectors
            }
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => Vec::new(),
        }
    }

    fn case(&self, group: &Group, choices: &[Pick]) -> Option<(Network, Ends)> {
        let Self { space, conditions, alive, zero, .. } = self;
        let mut assignment = space.first_assignment();
        choices.iter().for_each(|&(decision, candidate)| assignment.set(decision, candidate));
        network::network(View { space, conditions, alive, zero }, &group.nodes, &assignment)
    }

    fn place(&self, node: NodeId, choices: &[Pick]) -> Place {
        let choice = |&(id, candidate): &Pick| {
            let candidate = self.space[id].candidates.get(candidate);
            let candidate = candidate.unwrap_or_else(|| fault("a pick of no candidate"));
            (self.space[id].path.clone(), candidate.clone())
        };
        let path = self.space.graph[node].name.clone();
        Place { path, choices: choices.iter().map(choice).collect() }
    }

    /// The position of a part, which is added unless it is known.
    fn part(&mut self, network: Network, ends: Ends, place: Place) -> usize {
        let key = key("", &network);
        let entry = self.parts.entry(key);
        let index = entry.index();
        let about = format!("{place}: {}", shapes(&network));
        let part = entry.or_insert_with(|| Part { key, network, ends, about, places: Vec::new() });
        part.places.push(place);
        index
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A choice says where it is itself.
        let is_said = self.choices.iter().any(|(path, _)| *path == self.path);
        let path = Some(self.path.clone()).filter(|_| !is_said);
        let choices = self.choices.iter().map(|(path, candidate)| format!("{path} = {candidate}"));
        let steps: Vec<String> = path.into_iter().chain(choices).collect();
        f.write_str(&steps.join(", "))
    }
}

/// What a part takes and makes: `[16, 32, 32], [8, 32, 32] -> [16, 32, 32]`.
fn shapes(network: &Network) -> String {
    let list = |ports: &[nas_ir::network::Port]| {
        let shapes = ports.iter().map(|port| network.port_shape(port));
        shapes.map(|shape| shape.to_string()).collect::<Vec<_>>().join(", ")
    };
    format!("{} -> {}", list(&network.inputs), list(&network.outputs))
}

/// The key of a network that is measured for this purpose: none for a part.
pub(super) fn key(purpose: &str, network: &Network) -> Key {
    Key::of(fnv1a_128(format!("{purpose}{}", text(network)).as_bytes()))
}

/// The text of a part, equal for equal parts.
fn text(network: &Network) -> String {
    let mut text = format!("{}\n", network.precision.name());
    for node in &network.nodes {
        match &node.op {
            Some(op) => {
                text += op.declaration().name;
                for (name, value) in op.arguments().iter() {
                    let _ = write!(text, " {name}={value}");
                }
            }
            None => text += "input",
        }
        let _ = write!(text, " {:?} {}", node.inputs, node.shape);
        let precision = network.precision_of(node);
        if precision != network.precision {
            let _ = write!(text, " {}", precision.name());
        }
        text += "\n";
    }
    let outputs: Vec<usize> = network.outputs.iter().map(|port| port.node).collect();
    let _ = writeln!(text, "output {outputs:?}");
    text
}
