//! `Checked<Space>`: the only thing that analyses and backends accept, and the checker that
//! makes it.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::OnceLock;

use hashbrown::HashTable;
use nas_diagnostics::{Fix, Help, Place, Problems, diagnostics};
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap};

use crate::decision::Decision;
use crate::device::{Device, Latency};
use crate::diagram::{self, Diagram, Joints, Selectors};
use crate::dtype::Precision;
use crate::id_vec::IdVec;
use crate::ids::{DecisionId, NodeId, OriginId};
use crate::liveness::Liveness;
use crate::measure::Measure;
use crate::node::{Node, NodeKind};
use crate::operation::{Case, Operation};
use crate::ops::Op;
use crate::shape::Shape;
use crate::space::Space;
use crate::task::Task;
use crate::varied::Varied;

diagnostics! {
    /// A space that takes nothing.
    Error NoInput [nas::space::no_input] "space `{space}` has no input" { space: String }
    /// A space that gives nothing.
    Error NoOutput [nas::space::no_output] "space `{space}` has no output" { space: String }
    /// A tensor that reaches no output.
    Warning UnusedTensor [nas::space::unused_tensor] "the result of this `{what}` reaches no output" { what: String }
    /// An output that the task cannot use.
    Error TaskOutput [nas::space::task_output] "{task} needs an output {needed}, not {found}" { task: String, needed: String, found: String }
    /// A decision that no network depends on, as only what training adds does.
    Error TrainDecision [nas::space::train_decision] "`{decision}` decides nothing of the network, only what training adds" { decision: String }
    /// Costs whose sum leaves the range of what the compiler computes with.
    Error CostOverflow [nas::space::cost_overflow] "the {measure} of space `{space}` leave the range of 64 bits" { measure: String, space: String }
    /// Decisions that no table of bounded size holds.
    Error Entangled [nas::space::entangled] "the decisions of space `{space}` are too entangled to prove its shapes" { space: String }
    /// Two parts of a space with one path, by which networks and files of weights know them.
    Error SamePath [nas::space::same_path] "two {what} of space `{space}` have the path `{path}`" { what: String, space: String, path: String }
    /// A fault of the compiler.
    Error Broken [nas::internal::broken_space] "the compiler made a space that is not well-formed: {what}" { what: String }
}

/// When nodes are alive, found when somebody first asks.
type OnceLiveness = OnceLock<Result<Liveness, diagram::Entangled>>;

/// Something that the checker proved well-formed. Only the checker makes it.
#[derive(Debug, Clone)]
pub struct Checked<T> {
    value: T,
    /// What all analyses of it begin with, made when the first one asks.
    liveness: OnceLiveness,
    /// The same, with the conditions of nodes.
    whole_liveness: OnceLiveness,
}

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl Checked<Space> {
    /// When each node is part of the network, and when each decision matters.
    ///
    /// # Errors
    /// [`diagram::Entangled`] where the conditions grow beyond what can be held.
    pub fn liveness(&self) -> Result<&Liveness, diagram::Entangled> {
        self.liveness.get_or_init(|| Liveness::new(&self.value)).as_ref().map_err(Clone::clone)
    }

    /// As [`Self::liveness`], if what reads nothing, such as `zero`, read its operand.
    ///
    /// # Errors
    /// As [`Self::liveness`].
    pub fn liveness_as_written(&self) -> Result<Liveness, diagram::Entangled> {
        Liveness::as_written(&self.value)
    }

    /// As [`Self::liveness`], with the conditions of nodes that are not quickly found, for an analysis
    /// that looks at most of them and adds conditions of its own.
    ///
    /// # Errors
    /// As [`Self::liveness`].
    pub fn whole_liveness(&self) -> Result<Liveness, diagram::Entangled> {
        let make = || self.liveness().cloned().and_then(Liveness::whole);
        self.whole_liveness.get_or_init(make).clone()
    }

    /// From now on, networks of which an output depends on no input are drawn and found like all others.
    pub fn admit_constant(&mut self) {
        self.value.admits_constant = true;
    }

    /// Whether there are networks that are left out where some are drawn or found, as an output of theirs
    /// depends on no input.
    #[must_use]
    pub fn leaves_out_constant(&self) -> bool {
        let is_always = |liveness: &Liveness| {
            let reads = liveness.reads_input().ok()?;
            Some(matches!(liveness.conditions.top(reads), diagram::Top::Leaf(1)))
        };
        let is_always = self.liveness().ok().and_then(is_always);
        !self.value.admits_constant && is_always == Some(false)
    }

    /// Sets what costs depend on beside the space. A latency comes by [`Self::set_latency`].
    pub fn set_device(&mut self, device: Device) {
        self.value.device = device;
    }

    /// Sets the latency of the space. `selectors` are those of the space, and those of the latency.
    pub fn set_latency(&mut self, latency: Latency, selectors: Selectors) {
        // INVARIANT: stores of diagrams only grow, so that what was proved still holds.
        self.value.device.latency = Some(latency);
        self.value.selectors = selectors;
        self.liveness = OnceLock::new();
        self.whole_liveness = OnceLock::new();
    }
}

/// Proves a space well-formed: every shape follows from its operands, the candidates of each
/// select agree, inputs and outputs are there and fit the task, sums of costs fit into 64 bits.
/// `None` if an error was reported; warnings leave a space checked.
pub fn verify(space: Space, problems: &mut Problems) -> Option<Checked<Space>> {
    let (found, liveness) = Checker::new(&space).run();
    let is_sound = !found.has_errors();
    problems.extend(found.into_vec());
    is_sound.then_some(Checked { value: space, liveness, whole_liveness: OnceLock::new() })
}

struct Checker<'s> {
    space: &'s Space,
    /// What the operators cost together, the dearest case of each.
    macs: u128,
    params: u128,
    /// Operators that follow from their operands.
    proved: HashTable<Proved<'s>>,
    /// Whether a selector takes some of so many operands, and nothing else.
    selects: HashMap<(Diagram, usize), bool>,
    problems: Problems,
}

/// An operator whose shape follows from those of its operands, and what its dearest case costs.
struct Proved<'s> {
    op: &'s Varied<Op>,
    inputs: Vec<Shape>,
    output: Shape,
    costs: (u128, u128),
}

impl<'s> Checker<'s> {
    fn new(space: &'s Space) -> Self {
        Self {
            space,
            macs: 0,
            params: 0,
            proved: HashTable::new(),
            selects: HashMap::default(),
            problems: Problems::default(),
        }
    }

    /// What is wrong with the space, and when its nodes are alive, if that was needed.
    fn run(mut self) -> (Problems, OnceLiveness) {
        let varying = self.fixed_nodes();
        let known = if varying.is_empty() { OnceLock::new() } else { self.prove(&varying) };
        self.ports();
        self.unused();
        self.train_decisions();
        self.paths();
        self.costs();
        (self.problems, known)
    }

    /// Proves nodes whose shape, or an operand's, depends on decisions.
    fn prove(&mut self, nodes: &[(NodeId, &Node)]) -> OnceLiveness {
        // What only training reads is proved too.
        let is_trained = self.space.graph.train_outputs().next().is_some();
        let make = if is_trained { Liveness::in_training } else { Liveness::new };
        let mut liveness = make(self.space);
        let proved = match &mut liveness {
            Ok(liveness) => self.varying_nodes(nodes, liveness),
            Err(entangled) => Err(entangled.clone()),
        };
        if let Err(entangled) = proved {
            let paths = self.space.paths(entangled.decisions.iter().copied());
            let place = self.place(self.space.origin, "this space");
            let place = place.advice(format!("let fewer choices meet in one tensor: {paths} do"));
            self.problems.push(Entangled::at(place, self.space.name.as_str()));
        }
        if is_trained { OnceLock::new() } else { OnceLock::from(liveness) }
    }

    fn place(&self, origin: Option<OriginId>, label: impl Into<String>) -> Place {
        let origins = &self.space.origins;
        let mut chain = origins.chain(origin).into_iter();
        match chain.next() {
            Some((source, span)) => Place::new(&source, span, label).chain(chain.collect()),
            None => Place::nowhere(),
        }
    }

    fn broken(&mut self, id: NodeId, what: &str) {
        let place = Place::nowhere().advice("please report it with the file");
        self.problems.push(Broken::at(place, format!("{id}: {what}")));
    }

    /// Every node follows from its operands. The elaborator builds such spaces; one that was
    /// read from the text form may be anything. Returns the nodes whose shape, or an operand's,
    /// depends on decisions.
    fn fixed_nodes(&mut self) -> Vec<(NodeId, &'s Node)> {
        let (mut varying, mut inputs) = (Vec::new(), Vec::new());
        for (id, node) in self.space.graph.nodes() {
            if node.inputs.iter().any(|operand| *operand >= id) {
                self.broken(id, "an operand that comes after it");
                continue;
            }
            let fixed = |&input: &NodeId| self.space.graph.shape(input)?.fixed().copied();
            inputs.clear();
            inputs.extend(node.inputs.iter().filter_map(fixed));
            match (node.shape.fixed(), inputs.len() == node.inputs.len()) {
                (Some(&output), true) => self.fixed_node(id, node, &inputs, output),
                _ => varying.push((id, node)),
            }
        }
        varying
    }

    /// A node of which at most the operator varies.
    fn fixed_node(&mut self, id: NodeId, node: &'s Node, inputs: &[Shape], output: Shape) {
        match &node.kind {
            NodeKind::Input if inputs.is_empty() => {}
            NodeKind::Output | NodeKind::TrainOutput { .. } if inputs == [output] => {}
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => {
                self.broken(id, "a port with other operands");
            }
            NodeKind::Op(op) => {
                // Most operators are copies of another one, on operands of the same shapes.
                let hash = FxBuildHasher.hash_one((inputs, output, op.values().len()));
                let is_same = |known: &Proved<'_>| {
                    (known.op, known.inputs.as_slice(), known.output) == (op, inputs, output)
                };
                if let Some(known) = self.proved.find(hash, is_same) {
                    self.add(known.costs);
                    return;
                }
                if !is_one_operator(op) {
                    self.broken(id, "an operator that is another one in some networks");
                    return;
                }
                if op.values().iter().any(|op| op.shape(inputs) != Ok(output)) {
                    self.broken(id, "a shape that does not follow from its operands");
                    return;
                }
                let costs = dearest(op.values().iter().map(|op| costs_of(op, inputs, output)));
                self.add(costs);
                let proved = Proved { op, inputs: inputs.to_vec(), output, costs };
                let rehash = |known: &Proved<'_>| {
                    let Proved { op, inputs, output, .. } = known;
                    FxBuildHasher.hash_one((inputs.as_slice(), output, op.values().len()))
                };
                self.proved.insert_unique(hash, proved, rehash);
            }
            NodeKind::Select(selector) => {
                let is_sound =
                    *self.selects.entry((*selector, inputs.len())).or_insert_with(|| {
                        let leaves = self.space.selectors.leaves(*selector);
                        !leaves.is_empty() && leaves.iter().all(|&&l| (l as usize) < inputs.len())
                    });
                if !is_sound || inputs.iter().any(|shape| *shape != output) {
                    self.broken(id, "a select whose operands do not agree");
                }
            }
        }
    }

    /// Nodes whose shape, or an operand's, depends on decisions: proved for all assignments
    /// under which the node is alive.
    fn varying_nodes(
        &mut self,
        nodes: &[(NodeId, &Node)],
        liveness: &mut Liveness,
    ) -> Result<(), diagram::Entangled> {
        let mut joints = Joints::default();
        for &(id, node) in nodes {
            let alive = liveness.node(id);
            liveness.conditions.room()?;
            if !self.follows(node, alive, &mut liveness.conditions, &mut joints) {
                self.broken(id, "a shape that does not follow from its operands");
            }
        }
        Ok(())
    }

    fn follows(
        &mut self,
        node: &Node,
        alive: Diagram,
        selectors: &mut Selectors,
        joints: &mut Joints,
    ) -> bool {
        let shape_of = |id: &NodeId| self.space.graph.shape(*id);
        match &node.kind {
            NodeKind::Input => node.inputs.is_empty(),
            NodeKind::Output | NodeKind::TrainOutput { .. } => match node.inputs.as_slice() {
                [operand] => shape_of(operand) == Some(&node.shape),
                _ => false,
            },
            NodeKind::Op(op) => {
                let operation = Operation::of(self.space, node, op);
                let joint = operation.cases_with(selectors, alive, joints);
                let cases: Vec<Case<'_>> = operation.combinations(&joint).collect();
                let follows =
                    |(op, inputs, output): &Case<'_>| op.shape(inputs).as_ref() == Ok(output);
                if !is_one_operator(op) || !cases.iter().all(follows) {
                    return false;
                }
                let costs = cases.iter().map(|(op, inputs, output)| costs_of(op, inputs, *output));
                self.add(dearest(costs));
                true
            }
            NodeKind::Select(selector) => {
                let inputs: Vec<_> = node.inputs.iter().filter_map(shape_of).collect();
                let mut parts = vec![*selector, node.shape.index(selectors)];
                parts.extend(inputs.iter().map(|shape| shape.index(selectors)));
                let cases = selectors.joint_with(alive, parts, joints);
                cases.combinations.iter().all(|row| {
                    let [taken, output, shapes @ ..] = row.as_slice() else { return false };
                    let taken = *taken as usize;
                    let index = shapes.get(taken).map(|&index| index as usize);
                    let shape = inputs.get(taken).zip(index).and_then(|(s, i)| s.values().get(i));
                    shape.is_some() && shape == node.shape.values().get(*output as usize)
                })
            }
        }
    }

    fn ports(&mut self) {
        let name = self.space.name.as_str();
        let graph = &self.space.graph;
        let Some((_, input)) = graph.inputs().next() else {
            // Without an input there is nothing to make an output of.
            let place = self.place(self.space.origin, "this space");
            self.problems.push(NoInput::at(place.help(self.input_line()), name));
            return;
        };
        let Some((_, output)) = graph.outputs().next() else {
            let place = self.place(self.space.origin, "this space");
            let help = match graph.train_outputs().next() {
                Some((_, node)) => self.without_train(node),
                None => Help::advice("end it with `output logits = …`"),
            };
            self.problems.push(NoOutput::at(place.help(help), name));
            return;
        };
        let Some(task) = self.space.task else { return };
        self.fits_task(task, input, output);
        for (_, output) in graph.train_outputs() {
            self.fits_task(task, input, output);
        }
    }

    /// A line with an input, for a space without one.
    fn input_line(&self) -> Help {
        const LINE: &str = "input image: [3, 224, 224]";
        let says = |new: &str| format!("add `{new}`");
        let name = self.space.origins.at(self.space.origin);
        let fix = name.and_then(|name| Fix::lines_in_braces(name, &[LINE], says));
        fix.map_or_else(|| Help::Advice(says(LINE)), Help::Fix)
    }

    /// A train output as an output of the network.
    fn without_train(&self, output: &Node) -> Help {
        let words = format!("write `output {}` without the `train`", output.name);
        let Some(name) = self.space.origins.at(output.origin) else { return Help::Advice(words) };
        let before = name.before().trim_end();
        match before.strip_suffix("output").and_then(|before| before.rfind("train")) {
            Some(start) => {
                let train = name.move_to(start, before.len() - "output".len());
                Fix::remove(train, |_| words).into()
            }
            None => Help::Advice(words),
        }
    }

    /// More steps behind what an output gives.
    fn appended(&self, output: &Node, steps: &str) -> Help {
        let says = |new: &str| format!("append `{new}`");
        match self.space.origins.whole(output.origin) {
            Some(given) => Fix::behind(given, format!(" {steps}"), says).into(),
            None => Help::Advice(says(steps)),
        }
    }

    /// Reports an output that does not fit the task, whatever the input's size.
    fn fits_task(&mut self, task: Task, input: &Node, output: &Node) {
        let mut selectors = self.space.selectors.clone();
        let always = selectors.constant(1);
        let parts = [input.shape.index(&mut selectors), output.shape.index(&mut selectors)];
        let cases = selectors.joint(always, &parts).combinations;
        let shapes = cases.iter().filter_map(|row| {
            let [i, o] = row.as_slice() else { return None };
            Some((input.shape.values().get(*i as usize)?, output.shape.values().get(*o as usize)?))
        });
        for (input, found) in shapes {
            if let Some((needed, steps)) = task.misfit(*input, *found) {
                let place = self.place(output.origin, "this output");
                let place = place.help(self.appended(output, &steps));
                let what = task.describe();
                self.problems.push(TaskOutput::at(
                    place,
                    what,
                    needed.to_string(),
                    found.to_string(),
                ));
                return;
            }
        }
    }

    /// Warns where a chain of operators ends that reaches no output, whatever is chosen.
    fn unused(&mut self) {
        let reaches = self
            .space
            .graph
            .reaching(|kind| matches!(kind, NodeKind::Output | NodeKind::TrainOutput { .. }));
        for (id, node) in self.space.graph.nodes() {
            let is_end = self.space.graph.consumers(id).next().is_none();
            let is_told = self.space.dropped.contains(&id);
            if !is_end || is_told || reaches[id] {
                continue;
            }
            let what = match &node.kind {
                NodeKind::Op(op) => op.name(),
                NodeKind::Select(_) => "choose",
                NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => continue,
            };
            let place = self.place(node.origin, "computed here").advice("use it, or remove it");
            self.problems.push(UnusedTensor::at(place, what));
        }
    }

    /// Reports the decisions that only what train outputs read depends on.
    fn train_decisions(&mut self) {
        let graph = &self.space.graph;
        if graph.train_outputs().next().is_none() {
            return;
        }
        let network = graph.reaching(|kind| matches!(kind, NodeKind::Input | NodeKind::Output));
        let of_network = self.decisions_of(&network);
        for id in self.decisions_of(&graph.train_only()).difference(&of_network) {
            let Some(decision) = self.space.decision(*id) else { continue };
            let place = self.place(decision.origin, "chosen here");
            let place = place.help(self.without_choice(*id, decision));
            self.problems.push(TrainDecision::at(place, decision.path.as_str()));
        }
    }

    /// Paths are identities. All that they are made of has one place in them, but for names of
    /// candidates that look like several parts of a path.
    fn paths(&mut self) {
        let space = self.space;
        let mut candidates = space.decisions.iter().flat_map(|decision| &decision.candidates);
        if !candidates.any(|candidate| candidate.contains('/')) {
            return;
        }
        let decisions = space.decisions.iter().map(|d| (d.path.as_str(), d.origin));
        let nodes = space.graph.nodes().map(|(_, node)| (node.name.as_str(), node.origin));
        // What decisions make has their paths.
        if self.unique("decisions", decisions) {
            self.unique("parts", nodes);
        }
    }

    /// Whether no path is there twice; reports the first that is.
    fn unique<'p>(
        &mut self,
        what: &str,
        paths: impl Iterator<Item = (&'p str, Option<OriginId>)>,
    ) -> bool {
        let mut seen: HashMap<&str, Option<OriginId>> = HashMap::default();
        for (path, origin) in paths {
            let Some(first) = seen.insert(path, origin) else { continue };
            let place = self.place(origin, "again here");
            let place = match self.space.origins.at(first) {
                Some(first) if first.source.name() == place.source.name() => {
                    place.label(first.span, "first here")
                }
                _ => place,
            };
            let place = place.advice("rename a candidate whose name holds `/`, which parts a path");
            self.problems.push(SamePath::at(place, what, self.space.name.as_str(), path));
            return false;
        }
        true
    }

    /// The first candidate in place of a choice.
    fn without_choice(&self, id: DecisionId, decision: &Decision) -> Help {
        let says = |new: &str| format!("write one of the candidates instead, such as `{new}`");
        let origins = &self.space.origins;
        let first = origins.written(id).and_then(<[_]>::first).filter(|first| !first.is_made);
        let written = origins.whole(decision.origin).zip(first).and_then(|(whole, first)| {
            let value = if first.is_arm { Some(first.span) } else { first.whole };
            Some((whole, whole.source.at(value?).text()))
        });
        match written {
            Some((whole, value)) => Fix::replace(whole, value, says).into(),
            None => {
                let name = decision.candidates.first().map(String::as_str);
                Help::Advice(says(name.unwrap_or_default()))
            }
        }
    }

    /// The decisions that some of these nodes depend on.
    fn decisions_of(&self, nodes: &IdVec<NodeId, bool>) -> BTreeSet<DecisionId> {
        let nodes = self.space.graph.nodes().filter(|(id, _)| nodes[*id]);
        let selectors = nodes.flat_map(|(_, node)| node.selectors());
        selectors.flat_map(|selector| self.space.selectors.decisions(selector)).collect()
    }

    fn add(&mut self, (macs, params): (u128, u128)) {
        self.macs = self.macs.saturating_add(macs);
        self.params = self.params.saturating_add(params);
    }

    /// The sum over all candidates, the dearest case of each, bounds the cost of every network.
    fn costs(&mut self) {
        let (macs, params) = (self.macs, self.params);
        let bytes = params.saturating_mul(u128::from(Precision::Fp32.bytes()));
        let sums =
            [(Measure::Macs, macs), (Measure::Params, params), (Measure::WeightBytes, bytes)];
        // More bytes than fit follow from more parameters than fit: one report is enough.
        let too_large = sums.into_iter().find(|(_, sum)| *sum > u128::from(u64::MAX));
        if let Some((measure, sum)) = too_large {
            let place = self.place(self.space.origin, format!("{sum} over all candidates"));
            let place = place.advice("use fewer layers, fewer channels or a smaller input");
            self.problems.push(CostOverflow::at(place, measure.name(), self.space.name.as_str()));
        }
    }
}

/// Whether decisions change arguments alone.
fn is_one_operator(op: &Varied<Op>) -> bool {
    let mut kinds = op.values().iter().map(std::mem::discriminant);
    let first = kinds.next();
    kinds.all(|kind| Some(kind) == first)
}

/// The most multiply-accumulates and parameters of the cases of an operator.
fn dearest(cases: impl Iterator<Item = (u128, u128)>) -> (u128, u128) {
    cases.fold((0, 0), |(m, p), (macs, params)| (m.max(macs), p.max(params)))
}

/// The multiply-accumulates and the parameters of an operator.
fn costs_of(op: &Op, inputs: &[Shape], output: Shape) -> (u128, u128) {
    (op.macs(inputs, output), op.params(inputs))
}
