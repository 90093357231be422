//! Parts of spaces and tables of them, on random small spaces and on those that are shipped.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "functions that only tests use")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nas_analysis::latency::{
    Correction, Entry, Part, Plan, Setting, Table, Unmeasured, measured, plan, surrounded,
    surroundings,
};
use nas_analysis::{ExpectedCost, Sampler};
use nas_grammar::Source;
use nas_ir::diagram::Entangled;
use nas_ir::ops::Yields;
use nas_ir::{Assignment, Checked, Decision, Measure, Network, Precision, Space};
use nas_passes::{part_times, specialise};
use nas_testing::random;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn setting() -> Setting {
    Setting {
        hardware: "a board".to_owned(),
        engine: "an engine".to_owned(),
        engine_version: "1.0".to_owned(),
        precision: Precision::Fp32,
        threads: 1,
        surrounded: false,
    }
}

/// A table in which part `n` of the plan takes `time(n)` nanoseconds.
fn table(plan: &Plan, time: impl Fn(usize) -> u64) -> Table {
    let mut table = Table::new(setting());
    for (index, part) in plan.parts.iter().enumerate() {
        let (about, least) = (part.about.clone(), time(index));
        let entry = Entry { about, least, median: least + 1, spread: 1, repeats: 5 };
        table.insert(part.key, entry);
    }
    table
}

/// Draws of networks, the same for the same space.
fn draws(space: &Checked<Space>, count: usize) -> Vec<Assignment> {
    let sampler = Sampler::new(space).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    (0..count).map(|_| sampler.draw(&mut rng)).collect()
}

/// How often each operator is there on operands of which shapes, but for those that nothing is left
/// of outside training.
fn operators(networks: &[&Network]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for network in networks {
        for node in &network.nodes {
            let op =
                node.op.as_ref().filter(|op| matches!(op.yields(), Yields::Sum | Yields::Computed));
            if let Some(op) = op {
                let shapes = network.operand_shapes(node);
                *counts.entry(format!("{op:?} {shapes:?} {}", node.shape)).or_default() += 1;
            }
        }
    }
    counts
}

fn check_parts_make_up(space: &Checked<Space>, plan: &Plan, assignment: &Assignment) {
    let network = specialise(space, assignment);
    let parts: Vec<&Network> =
        plan.network(assignment).into_iter().map(|part| &part.network).collect();
    assert_eq!(operators(&[&network]), operators(&parts), "{:?}", network.choices);
}

fn check_sound(part: &Network) {
    let read: BTreeSet<usize> = part.nodes.iter().flat_map(|node| node.inputs.clone()).collect();
    for (index, node) in part.nodes.iter().enumerate() {
        assert!(node.inputs.iter().all(|&operand| operand < index));
        let is_output = part.outputs.iter().any(|port| port.node == index);
        assert!(is_output || read.contains(&index), "{part:?}");
        if let Some(op) = node.op.as_ref().filter(|op| op.reads_inputs()) {
            assert_eq!(op.shape(&part.operand_shapes(node)), Ok(node.shape));
        }
    }
}

/// Between neighbours a part is a sound network in which each of its operators is there once more, and
/// without it the neighbours are left.
fn check_surrounded(part: &Part) {
    let whole = surrounded(part);
    check_sound(&whole);
    let names: BTreeSet<&str> = whole.nodes.iter().map(|node| &*node.name).collect();
    assert_eq!(names.len(), whole.nodes.len());
    let (own, all) = (operators(&[&part.network]), operators(&[&whole]));
    assert!(own.iter().all(|(op, count)| all[op] >= *count), "{}", part.about);
    assert_eq!(whole.inputs.len(), part.network.inputs.len());
    assert_eq!(whole.outputs.len(), part.network.outputs.len());
    if let Some(around) = surroundings(part) {
        check_sound(&around.network);
        assert!(around.network.inputs.len() <= whole.inputs.len());
        assert_ne!(around.key, part.key);
    }
}

/// The latency of a space after a table is the sum of the parts of each network.
fn check_sums(space: &Checked<Space>, plan: &Plan, assignments: &[Assignment]) {
    // Times that every step of the grid divides: it is coarse where there are many parts.
    let time = |index: usize| 100_000 * (1 + index as u64 * 31 % 101);
    let table = table(plan, time);
    let mut space = space.clone();
    measured(&mut space, &table).unwrap();
    let terms = ExpectedCost::new(&space, Measure::Latency).unwrap();
    for assignment in assignments {
        let parts = plan.network(assignment).into_iter();
        let sum: u64 = parts.map(|part| table.entries[&part.key].least).sum();
        let network = specialise(&space, assignment);
        assert_eq!(network.latency, Some(sum));
        let times = part_times(&space, assignment).unwrap();
        assert_eq!(times.iter().map(|part| part.nanoseconds).sum::<u64>(), sum);
        let is_there = |part: &&nas_passes::PartTime<'_>| {
            let mut paths = part.nodes.iter().map(|&id| &space.graph[id].name);
            paths.any(|path| network.nodes.iter().any(|node| node.name == *path))
        };
        // Where nothing is left of what is measured together, it takes no time.
        assert!(times.iter().filter(|part| part.nanoseconds > 0).all(|part| is_there(&part)));
        let (expected, _) = terms.evaluate(&certain(&space, assignment));
        assert!((expected - sum as f64).abs() <= 1e-9 * expected, "{expected} and {sum}");
    }
}

/// Probabilities under which each decision is the assignment's.
fn certain(space: &Space, assignment: &Assignment) -> Vec<Vec<f64>> {
    let row = |(id, decision): (_, &Decision)| {
        let mut row = vec![0.0; decision.candidates.len()];
        row[assignment.get(id)] = 1.0;
        row
    };
    space.decision_ids().map(row).collect()
}

fn check(space: &Checked<Space>, assignments: &[Assignment]) -> Plan {
    let plan = plan(space).unwrap();
    for assignment in assignments {
        check_parts_make_up(space, &plan, assignment);
    }
    plan.parts.iter().for_each(|part| check_sound(&part.network));
    plan.parts.iter().for_each(check_surrounded);
    check_sums(space, &plan, assignments);
    plan
}

fn one(text: &str) -> Arc<Checked<Space>> {
    nas_testing::space(Source::new("one.nas", text))
}

/// What the parts of a space are, for people.
fn abouts(space: &Checked<Space>) -> Vec<String> {
    plan(space).unwrap().parts.into_iter().map(|part| part.about).collect()
}

#[test]
fn parts_stand_between_neighbours_but_at_the_ends_of_the_space() {
    let space = one(
        "space s {\n    input x: [3, 32, 32]\n    output y = x -> conv(8, kernel = 3) -> choose op {\n        \
         a: conv(8, kernel = 3)\n        b: conv(8, kernel = 5)\n    } -> conv(4, kernel = 1)\n}\n",
    );
    let plan = plan(&space).unwrap();
    let shapes = |network: &Network| {
        let of = |ports: &[nas_ir::network::Port]| {
            ports.iter().map(|port| network.port_shape(port).to_string()).collect::<Vec<_>>()
        };
        (of(&network.inputs).join(" "), of(&network.outputs).join(" "))
    };
    let found: Vec<(String, String)> =
        plan.parts.iter().map(|part| shapes(&surrounded(part))).collect();
    let [from, to] = ["[1, 32, 32]", "[16, 2, 2]"];
    let ends = [("[3, 32, 32]", to), (from, to), (from, to), (from, "[4, 32, 32]")];
    assert_eq!(found, ends.map(|(from, to)| (from.to_owned(), to.to_owned())));
    // What makes and reads a tensor of a shape is the same around all parts that take one.
    let around: Vec<_> =
        plan.parts.iter().map(|part| surroundings(part).map(|it| it.key)).collect();
    assert!(around[0].is_none() && around[1].is_some());
    assert!(around[1] == around[2] && around[2] == around[3]);
    let around = surroundings(&plan.parts[1]).unwrap().network;
    assert_eq!(shapes(&around), (from.to_owned(), to.to_owned()));
}

/// A candidate is measured with the residual that follows it; where it is zero, neither is there.
#[test]
fn a_candidate_takes_in_what_passes_over_its_result() {
    let space = one("
space s {
    input image: [3, 8, 8]
    let x = image -> conv(4, kernel = 1) -> relu
    let y = x -> choose op { a: conv(4, kernel = 3) -> batch_norm, b: identity, skip: zero }
    output z = x + y -> relu -> conv(2, kernel = 1)
}
");
    let plan = plan(&space).unwrap();
    let parts: Vec<(String, Vec<&str>)> = plan
        .parts
        .iter()
        .map(|part| {
            let ops = part.network.nodes.iter().filter_map(|node| node.op.as_ref());
            (part.about.clone(), ops.map(|op| op.declaration().name).collect())
        })
        .collect();
    let expected = [
        ("conv.0: [3, 8, 8] -> [4, 8, 8]", vec!["conv", "relu"]),
        ("op = a: [4, 8, 8] -> [4, 8, 8]", vec!["conv", "batch_norm", "add", "relu"]),
        ("op = b: [4, 8, 8] -> [4, 8, 8]", vec!["add", "relu"]),
        ("op = skip: [4, 8, 8] -> [4, 8, 8]", vec!["relu"]),
        ("conv.1: [4, 8, 8] -> [2, 8, 8]", vec!["conv"]),
    ];
    assert_eq!(parts, expected.map(|(about, ops)| (about.to_owned(), ops)));
}

/// Names make no difference: three layers of one shape are measured once, and so are two spaces.
#[test]
fn equal_parts_are_one() {
    let layers = |name: &str| {
        one(&format!(
            "
block layer(x) {{ x -> choose op {{ a: conv(4, kernel = 1), b: conv(4, kernel = 3) }} }}
space {name} {{
    input image: [4, 8, 8]
    output y = image -> layer -> layer -> layer
}}
"
        ))
    };
    let (one, other) = (plan(&layers("one")).unwrap(), plan(&layers("other")).unwrap());
    assert_eq!(one.parts.len(), 2);
    assert_eq!(one.parts[1].places.len(), 3);
    let keys = |plan: &Plan| plan.parts.iter().map(|part| part.key).collect::<Vec<_>>();
    assert_eq!(keys(&one), keys(&other));
    // Keys are for ever: tables hold them.
    assert_eq!(one.parts[0].key.to_string(), "11e53e3bd086f7a1562e136387f04ef2");
}

/// What varies is measured in each of its cases, from where it begins to vary to where it ends.
#[test]
fn an_elastic_layer_has_a_part_for_each_case() {
    let space = one("
block layer(x) {
    let width = elastic width [4, 8]
    x -> conv(width, kernel = 1) -> relu -> conv(width, kernel = elastic kernel [3, 5]) -> conv(4, kernel = 1)
}
space s {
    input image: [4, 8, 8]
    output y = image -> conv(4, kernel = 3) -> layer -> layer
}
");
    let abouts = abouts(&space);
    assert_eq!(abouts.len(), 1 + 4, "{abouts:?}");
}

#[test]
fn a_space_is_made_once_for_equal_arguments_and_targets() {
    let source = Source::new(
        "s.nas",
        "
target board { precision int8 }
space s(width = 4) {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(width, kernel = 1), b: conv(width, kernel = 3) }
}
arch one of s(width = 8) { op = a }
arch two of s(width = 8) { op = b }
arch narrow of s(width = 6) { op = a }
search first of s(width = 8) for board {}
search second of s(width = 8) for board {}
search wide of s(width = 8) {}
",
    );
    let (_, problems) = nas_testing::compile(source, |program, compiler| {
        let of_archs = program.archs().map(|item| compiler.named_network(item).unwrap().space);
        let [one, two, narrow] = of_archs.collect::<Vec<_>>().try_into().unwrap();
        let searched = program.recipes().map(|item| compiler.searched(item).unwrap());
        let [first, second, wide] = searched.collect::<Vec<_>>().try_into().unwrap();
        assert!(
            Arc::ptr_eq(&one, &two) && Arc::ptr_eq(&one, &wide) && Arc::ptr_eq(&first, &second)
        );
        assert!(!Arc::ptr_eq(&one, &narrow) && !Arc::ptr_eq(&one, &first));
        assert_eq!(first.device.precision, Precision::Int8);
    });
    assert!(problems.is_empty(), "{problems:?}");
}

/// Which of many summands are zeros is too much to make a case of each.
#[test]
fn thousands_of_cases_are_too_many() {
    let space = one("
space s {
    input image: [4, 8, 8]
    output y = sum([for _i in 0..14 { image -> choose op { a: conv(4, kernel = 1), none: zero } }])
}
");
    let all = Entangled::new(space.decision_ids().map(|(id, _)| id));
    assert_eq!(plan(&space).err(), Some(all));
}

#[test]
fn the_correction_is_part_of_the_latency() {
    let space = one("
space s {
    input image: [3, 8, 8]
    output y = image -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3) } -> conv(2, kernel = 1)
}
");
    let plan = plan(&space).unwrap();
    let mut table = table(&plan, |index| 1000 * (index as u64 + 1));
    table.correction =
        Some(Correction { scale: 0.5, per_part: -600.0, overhead: 100.0, ..Correction::NONE });
    let mut space = Checked::clone(&space);
    measured(&mut space, &table).unwrap();
    let latencies =
        draws(&space, 20).iter().map(|a| specialise(&space, a).latency).collect::<BTreeSet<_>>();
    // A part takes no less than nothing: 0 for `a`, 400 for `b`, 900 for what follows.
    assert_eq!(latencies, BTreeSet::from([Some(1000), Some(1400)]));
    table.entries.clear();
    let missing = measured(&mut space, &table);
    assert!(
        matches!(missing, Err(Unmeasured::Missing { missing, parts: 3, .. }) if missing.len() == 3)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_network_is_made_of_its_parts(text in random::source()) {
        let space = nas_testing::space(Source::new("random.nas", text.as_str()));
        check(&space, &draws(&space, 40));
    }
}

#[test]
fn shipped_spaces_are_made_of_their_parts() {
    for name in nas_testing::shipped_names() {
        let (spaces, problems) =
            nas_testing::compile(nas_testing::shipped(&name), |program, compiler| {
                let names = program.spaces().map(|space| space.name.name.as_str());
                names.map(|name| compiler.space(name, &[]).unwrap()).collect::<Vec<_>>()
            });
        assert_eq!(problems, Vec::<String>::new(), "{name}");
        for space in spaces {
            let plan = check(&space, &draws(&space, 2));
            println!("{name}: {} has {} parts", space.name, plan.parts.len());
        }
    }
}
