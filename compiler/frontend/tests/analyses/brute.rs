//! What brute force finds: every network of a small space, what it costs, and what makes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nas_ir::diagram::Diagram;
use nas_ir::quantity::{Count, Order};
use nas_ir::{
    Assignment, Checked, Cost, Costs, DecisionId, Form, Measure, Network, NodeId, NodeKind,
    Quantity, Shape, Space, Varied,
};
use nas_passes::specialise;

/// The most assignments that brute force goes through.
const MAX_ASSIGNMENTS: usize = 1500;

pub(crate) fn widths(space: &Space) -> Vec<usize> {
    space.decisions.iter().map(|decision| decision.candidates.len()).collect()
}

/// What the outputs read, followed node by node, and what it costs; dropped sums and identities
/// cost nothing.
pub(crate) fn naive_cost(space: &Space, assignment: &Assignment) -> (Cost, BTreeSet<NodeId>) {
    let mut open: Vec<_> = space.graph.outputs().map(|(id, _)| id).collect();
    let mut seen = BTreeSet::new();
    let mut cost = Cost::default();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = space.graph.node(id).unwrap();
        match &node.kind {
            NodeKind::Select(selector) => {
                let taken = *space.selectors.value(*selector, assignment);
                open.push(node.inputs[taken as usize]);
            }
            NodeKind::Op(op) => {
                let op = op.get(&space.selectors, assignment);
                let shape = |shape: &Varied<Shape>| *shape.get(&space.selectors, assignment);
                let shapes: Vec<Shape> =
                    node.inputs.iter().map(|&i| shape(space.graph.shape(i).unwrap())).collect();
                cost.macs += u64::try_from(op.macs(&shapes, shape(&node.shape))).unwrap();
                cost.params += u64::try_from(op.params(&shapes)).unwrap();
                if op.reads_inputs() {
                    open.extend(&node.inputs);
                }
            }
            NodeKind::Input | NodeKind::Output | NodeKind::TrainOutput { .. } => {
                open.extend(&node.inputs);
            }
        }
    }
    (cost, seen)
}

pub(crate) fn assert_well_formed(network: &Network) {
    for (index, node) in network.nodes.iter().enumerate() {
        assert!(node.inputs.iter().all(|&input| input < index), "operands come first");
        // What reads no inputs is a constant, and has none in a network.
        if let Some(op) = node.op.as_ref().filter(|op| op.reads_inputs()) {
            assert_eq!(op.shape(&network.operand_shapes(node)), Ok(node.shape), "{}", node.name);
        }
    }
    let read: BTreeSet<usize> = network
        .nodes
        .iter()
        .flat_map(|node| node.inputs.iter().copied())
        .chain(network.outputs.iter().map(|port| port.node))
        .collect();
    for (index, node) in network.nodes.iter().enumerate() {
        assert!(node.op.is_none() || read.contains(&index), "nothing reads {}", node.name);
    }
}

/// The choices that make a difference in a network, followed from its outputs; an input is part of
/// every network.
pub(crate) fn made(
    space: &Space,
    tables: &mut Tables,
    assignment: &Assignment,
) -> BTreeSet<(usize, usize)> {
    let ends = space.graph.outputs().chain(space.graph.inputs());
    let mut open: Vec<_> = ends.map(|(id, _)| id).collect();
    let (mut seen, mut made) = (BTreeSet::new(), BTreeSet::new());
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = space.graph.node(id).unwrap();
        let selector = match &node.kind {
            NodeKind::Select(selector) => Some(*selector),
            NodeKind::Op(op) => op.selector(),
            NodeKind::Input => node.shape.selector(),
            NodeKind::Output | NodeKind::TrainOutput { .. } => None,
        };
        let precision = node.precision.as_ref().and_then(Varied::selector);
        for selector in selector.into_iter().chain(precision) {
            for decision in tables.mattering(space, selector, assignment) {
                made.insert((decision.index(), assignment.get(decision)));
            }
        }
        match &node.kind {
            NodeKind::Select(selector) => {
                let taken = *space.selectors.value(*selector, assignment);
                open.push(node.inputs[taken as usize]);
            }
            NodeKind::Op(op) if !op.get(&space.selectors, assignment).reads_inputs() => {}
            _ => open.extend(&node.inputs),
        }
    }
    made
}

/// What each selector takes.
#[derive(Default)]
pub(crate) struct Tables(HashMap<Diagram, TruthTable>);

/// The decisions that a selector looks at, in order; and for each way to decide them, what it takes.
type TruthTable = (Vec<DecisionId>, Vec<(Vec<usize>, u32)>);

impl Tables {
    /// The decisions that, with those before them as they are, can make a difference to a selector.
    fn mattering(
        &mut self,
        space: &Space,
        selector: Diagram,
        assignment: &Assignment,
    ) -> Vec<DecisionId> {
        let table = self.0.entry(selector).or_insert_with(|| {
            let decisions: Vec<_> = space.selectors.decisions(selector).into_iter().collect();
            let mut rows = vec![(Vec::new(), space.first_assignment())];
            for &decision in &decisions {
                let width = space.decision(decision).unwrap().candidates.len();
                rows = rows
                    .into_iter()
                    .flat_map(|(row, assignment)| {
                        (0..width).map(move |candidate| {
                            let mut assignment = assignment.clone();
                            assignment.set(decision, candidate);
                            ([row.clone(), vec![candidate]].concat(), assignment)
                        })
                    })
                    .collect();
            }
            let take = |(row, assignment): (_, Assignment)| {
                (row, *space.selectors.value(selector, &assignment))
            };
            (decisions, rows.into_iter().map(take).collect())
        });
        let (decisions, rows) = &*table;
        let own: Vec<usize> = decisions.iter().map(|&decision| assignment.get(decision)).collect();
        let matters = |place: usize| {
            let mut by_rest: HashMap<&[usize], u32> = HashMap::new();
            rows.iter()
                .filter(|(row, _)| row[..place] == own[..place])
                .any(|(row, taken)| *by_rest.entry(&row[place + 1..]).or_insert(*taken) != *taken)
        };
        (0..decisions.len()).filter(|&place| matters(place)).map(|place| decisions[place]).collect()
    }
}

/// Whether every output leads back to an input, operand by operand.
pub(crate) fn leads_to_inputs(network: &Network) -> bool {
    network.outputs.iter().all(|port| {
        let mut open = vec![port.node];
        while let Some(index) = open.pop() {
            let node = &network.nodes[index];
            if node.op.is_none() {
                return true;
            }
            open.extend(&node.inputs);
        }
        false
    })
}

/// Every assignment with its network and cost.
pub(crate) struct Brute {
    pub(crate) rows: Vec<(Assignment, Network, Costs)>,
}

impl Brute {
    /// `None` if there are too many.
    pub(crate) fn new(space: &Checked<Space>) -> Option<Self> {
        let assignments = nas_testing::assignments(space, MAX_ASSIGNMENTS)?;
        let rows = assignments.into_iter().map(|assignment| {
            let network = specialise(space, &assignment);
            let costs = nas_analysis::costs(&network);
            (assignment, network, costs)
        });
        Some(Self { rows: rows.collect() })
    }

    /// The costs of each network, by its choices.
    pub(crate) fn networks(&self) -> BTreeMap<&[(String, String)], Costs> {
        let mut networks = BTreeMap::new();
        for (_, network, cost) in &self.rows {
            let before = networks.insert(network.choices.as_slice(), *cost);
            assert!(before.is_none_or(|before| before == *cost), "one network, two costs");
        }
        networks
    }

    /// The costs of each network that is drawn and found: unless the space admits others, of which each
    /// output leads back to an input.
    pub(crate) fn wanted(&self, space: &Space) -> BTreeMap<&[(String, String)], Costs> {
        let reads: BTreeSet<&[(String, String)]> = self
            .rows
            .iter()
            .filter(|(_, network, _)| space.admits_constant || leads_to_inputs(network))
            .map(|(_, network, _)| network.choices.as_slice())
            .collect();
        self.networks().into_iter().filter(|(choices, _)| reads.contains(choices)).collect()
    }

    pub(crate) fn expected(
        &self,
        space: &Space,
        measure: Measure,
        probabilities: &[Vec<f64>],
    ) -> f64 {
        let weighted = self.rows.iter().map(|(assignment, _, cost)| {
            let weight: f64 = space
                .decision_ids()
                .map(|(id, _)| probabilities[id.index()][assignment.get(id)])
                .product();
            weight * of(measure, cost) as f64
        });
        weighted.sum()
    }
}

pub(crate) fn of(measure: Measure, costs: &Costs) -> u64 {
    costs.of(measure).unwrap()
}

/// What a form is of a network that makes these choices, decision by decision.
pub(crate) fn form(
    space: &Space,
    form: &Form,
    choices: &[(String, String)],
    costs: &Costs,
) -> i128 {
    let label = |path: &str| {
        let decision = space.decisions.iter().find(|decision| decision.path == path);
        decision.unwrap().label.as_str()
    };
    let of_label = |wanted: &str| -> Vec<&str> {
        let own = choices.iter().filter(|(path, _)| label(path) == wanted);
        own.map(|(_, candidate)| candidate.as_str()).collect()
    };
    let of = |quantity: &Quantity| match quantity {
        Quantity::Measure(measure) => i128::from(of(*measure, costs)),
        Quantity::Count(Count { label, candidates }) => {
            let is_counted =
                |candidate: &str| candidates.iter().any(|counted| counted == candidate);
            of_label(label).into_iter().filter(|candidate| is_counted(candidate)).count() as i128
        }
        Quantity::Breaks(Order { label, is_decreasing }) => {
            let mut values: Vec<f64> =
                of_label(label).into_iter().filter_map(|value| value.parse().ok()).collect();
            if *is_decreasing {
                values.reverse();
            }
            values.windows(2).filter(|pair| pair[1] < pair[0]).count() as i128
        }
    };
    form.0.iter().map(|(quantity, factor)| of(quantity) * factor).sum()
}
