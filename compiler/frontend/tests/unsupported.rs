//! What `--drop-unsupported` leaves of random small spaces, against brute force over all networks.
#![allow(clippy::unwrap_used, reason = "functions that only tests use")]

use std::collections::BTreeSet;
use std::sync::Arc;

use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_grammar::Source;
use nas_ir::{Checked, Network, Space};
use nas_passes::specialise;
use nas_testing::random;
use proptest::prelude::*;
use proptest::sample::subsequence;

/// The most assignments that brute force goes through.
const MAX_ASSIGNMENTS: usize = 1500;

/// What every target runs: the stem of a random space, and sums, which vanish from a network where a
/// term is `zero`.
const STEM: &str = "add\nconv(kernel == 3, groups == 1, dilation == 1)";

/// What a target may run besides.
const ROWS: &[&str] = &[
    "relu",
    "mul",
    "concat",
    "conv(kernel == 1)",
    "conv(kernel <= 3, groups == 1)",
    "conv(kernel == 5)",
    "conv(groups == 2)",
    "conv(dilation == 2)",
    "conv(groups > 2)",
];

/// The path of a decision and one of its candidates.
type Choice = (String, String);

/// A network of a space.
struct Row {
    choices: BTreeSet<Choice>,
    /// What it computes.
    parts: String,
    /// Whether the target runs it.
    runs: bool,
}

fn parts(network: &Network) -> String {
    format!("{:?} {:?}", network.nodes, network.outputs)
}

/// Every network of the space; `None` if there are too many.
fn networks(
    program: &Program,
    compiler: &mut Compiler<'_, '_>,
    space: &Checked<Space>,
) -> Option<Vec<Row>> {
    let ident = program.targets().next().unwrap().name.clone();
    let target = compiler.target(&ident).unwrap();
    let rows = nas_testing::assignments(space, MAX_ASSIGNMENTS)?.into_iter().map(|assignment| {
        let network = specialise(space, &assignment);
        let runs = compiler.refusals(&network, &target).is_empty();
        Row { choices: network.choices.iter().cloned().collect(), parts: parts(&network), runs }
    });
    Some(rows.collect())
}

/// A space as it is written, its networks, and what is left of it, if anything is.
type Trial = (Arc<Checked<Space>>, Vec<Row>, Option<Arc<Checked<Space>>>);

/// `None` if there are too many networks.
fn trial(text: &str, rows: &[&str]) -> Option<Trial> {
    let rows = rows.join("\n");
    let space = text.replace("space random {", "space random for npu {");
    let text = format!("target npu {{ supports {{\n{STEM}\n{rows}\n}} }}\n{space}");
    let source = || Source::new("random.nas", text.as_str());
    let (whole, _) = nas_testing::compile(source(), |program, compiler| {
        let space = compiler.space("random", &[]).unwrap();
        let networks = networks(program, compiler, &space)?;
        Some((space, networks))
    });
    let (space, networks) = whole?;
    let (left, _) = nas_testing::compile(source(), |_, compiler| {
        compiler.drop_unsupported(true);
        compiler.space("random", &[])
    });
    Some((space, networks, left))
}

/// The candidates that went.
fn gone(whole: &Space, left: &Space) -> BTreeSet<Choice> {
    let decisions = whole.decisions.iter().zip(&left.decisions);
    let gone = decisions.flat_map(|(before, after)| {
        assert_eq!(before.path, after.path);
        let gone = before.candidates.iter().filter(|name| !after.candidates.contains(name));
        gone.map(|name| (before.path.clone(), name.clone()))
    });
    gone.collect()
}

/// That what is left is what does without the candidates that went, and all of it runs.
fn check_left(networks: &[Row], left: &Checked<Space>, gone: &BTreeSet<Choice>) {
    let found = nas_testing::assignments(left, MAX_ASSIGNMENTS).unwrap();
    let found: BTreeSet<String> = found.iter().map(|a| parts(&specialise(left, a))).collect();
    let kept: Vec<&Row> = networks.iter().filter(|row| row.choices.is_disjoint(gone)).collect();
    assert_eq!(found, kept.iter().map(|row| row.parts.clone()).collect());
    for Row { choices, runs, .. } in kept {
        assert!(runs, "left, and does not run: {choices:?}");
    }
}

/// That no candidate went in vain; and where each network that does not run has a candidate which
/// alone is at fault, and instead of which there is another, that none went with which some runs.
fn check_gone(whole: &Space, networks: &[Row], gone: &BTreeSet<Choice>) {
    let bad = || networks.iter().filter(|row| !row.runs);
    for choice in gone {
        let is_needed = bad().any(|row| row.choices.intersection(gone).eq([choice]));
        assert!(is_needed, "{choice:?} of {gone:?} could stay");
    }
    let good: BTreeSet<&Choice> =
        networks.iter().filter(|row| row.runs).flat_map(|row| &row.choices).collect();
    let is_at_fault = |choice: &Choice| {
        let has_other = whole.decisions.iter().any(|decision| {
            let mut all = decision.candidates.iter().map(|name| (choice.0.clone(), name.clone()));
            decision.path == choice.0 && all.any(|other| good.contains(&other))
        });
        !good.contains(choice) && has_other
    };
    if bad().all(|row| row.choices.iter().any(is_at_fault)) {
        let is_good = |choice: &&Choice| good.contains(*choice);
        assert_eq!(gone.iter().find(is_good), None, "of {gone:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_dropped_equals_brute_force(
        text in random::source(),
        rows in subsequence(ROWS, 0..=ROWS.len()),
    ) {
        let trial = trial(&text, &rows);
        prop_assume!(trial.is_some());
        let (whole, networks, left) = trial.unwrap();
        match left {
            Some(left) => {
                let gone = gone(&whole, &left);
                check_left(&networks, &left, &gone);
                check_gone(&whole, &networks, &gone);
            }
            None => assert!(networks.iter().all(|row| !row.runs), "a network runs, and went"),
        }
    }
}

/// What random spaces seldom hold: a choice of which no candidate runs, and which two choices before
/// it lead to only together.
#[test]
fn what_leads_to_a_choice_goes_where_it_would_keep_no_candidate() {
    let text = "
block unit(x, is_deep) {
    if is_deep { x -> choose op { a: conv(4, kernel = 5), b: conv(4, kernel = 7) } } else { x }
}
space random {
    input x: [4, 6, 5]
    let is_deep = choose deep [true, false]
    let y = if is_deep { x -> conv(4, kernel = 3) } else { x }
    output z = y -> choose outer { none: conv(4, kernel = 3), some: unit(is_deep) }
}
";
    let (whole, networks, left) = trial(text, &[]).unwrap();
    let left = left.unwrap();
    let gone = gone(&whole, &left);
    assert_eq!(gone, [("outer".to_owned(), "some".to_owned())].into());
    check_left(&networks, &left, &gone);
    check_gone(&whole, &networks, &gone);
}
