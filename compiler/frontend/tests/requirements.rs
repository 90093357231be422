//! Requirements against the arithmetic that they are written in: what is kept is what is true, network
//! by network.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "functions that only tests use"
)]

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use nas_analysis::count_within;
use nas_grammar::Source;
use nas_ir::requirement::Requirement;
use nas_ir::{Checked, Costs, Limit, Measure, Network, Space};
use nas_passes::specialise;
use nas_testing::random;
use num_bigint::{BigInt, BigUint};
use num_rational::Ratio;
use num_traits::Zero;
use proptest::prelude::*;

/// The most assignments that brute force goes through.
const MAX_ASSIGNMENTS: usize = 200;

/// An exact number.
type Exact = Ratio<BigInt>;

/// Arithmetic of measures.
#[derive(Debug, Clone)]
enum Sum {
    Measure(Measure),
    /// As written, and as a fraction.
    Number(&'static str, (i64, i64)),
    Negated(Box<Sum>),
    Combined(char, Box<Sum>, Box<Sum>),
}

/// A side of a comparison.
#[derive(Debug, Clone)]
enum Side {
    Sum(Sum),
    Least(Vec<Side>),
    Greatest(Vec<Side>),
}

#[derive(Debug, Clone)]
enum Claim {
    Compared(&'static str, Side, Side),
    Joined(&'static str, Box<Claim>, Box<Claim>),
    Denied(Box<Claim>),
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sum::Measure(measure) => f.write_str(measure.name()),
            Sum::Number(text, _) => f.write_str(text),
            Sum::Negated(inner) => write!(f, "-({inner})"),
            Sum::Combined(op, a, b) => write!(f, "({a} {op} {b})"),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, sides) = match self {
            Side::Sum(sum) => return sum.fmt(f),
            Side::Least(sides) => ("min", sides),
            Side::Greatest(sides) => ("max", sides),
        };
        let sides: Vec<String> = sides.iter().map(Side::to_string).collect();
        write!(f, "{name}({})", sides.join(", "))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Compared(op, a, b) => write!(f, "{a} {op} {b}"),
            Claim::Joined(op, a, b) => write!(f, "({a}) {op} ({b})"),
            Claim::Denied(inner) => write!(f, "not ({inner})"),
        }
    }
}

impl Sum {
    /// `None` where this divides by zero.
    fn value(&self, costs: &Costs) -> Option<Exact> {
        Some(match self {
            Sum::Measure(measure) => BigInt::from(costs.of(*measure).unwrap()).into(),
            Sum::Number(_, (over, under)) => Exact::new((*over).into(), (*under).into()),
            Sum::Negated(inner) => -inner.value(costs)?,
            Sum::Combined(op, a, b) => {
                let (a, b) = (a.value(costs)?, b.value(costs)?);
                match op {
                    '+' => a + b,
                    '-' => a - b,
                    '*' => a * b,
                    _ if b.is_zero() => return None,
                    _ => a / b,
                }
            }
        })
    }
}

impl Side {
    fn value(&self, costs: &Costs) -> Option<Exact> {
        let values = |sides: &[Side]| -> Option<Vec<Exact>> {
            sides.iter().map(|side| side.value(costs)).collect()
        };
        match self {
            Side::Sum(sum) => sum.value(costs),
            Side::Least(sides) => values(sides)?.into_iter().min(),
            Side::Greatest(sides) => values(sides)?.into_iter().max(),
        }
    }
}

impl Claim {
    /// Whether it is true of a network; `None` where a side has no value.
    fn holds(&self, costs: &Costs) -> Option<bool> {
        Some(match self {
            Claim::Compared(op, a, b) => {
                let (a, b) = (a.value(costs)?, b.value(costs)?);
                match *op {
                    "<" => a < b,
                    "<=" => a <= b,
                    ">" => a > b,
                    ">=" => a >= b,
                    "==" => a == b,
                    _ => a != b,
                }
            }
            Claim::Joined(op, a, b) => {
                let (a, b) = (a.holds(costs)?, b.holds(costs)?);
                if *op == "and" { a && b } else { a || b }
            }
            Claim::Denied(inner) => !inner.holds(costs)?,
        })
    }
}

fn number() -> impl Strategy<Value = Sum> {
    const NUMBERS: &[(&str, (i64, i64))] = &[
        ("0", (0, 1)),
        ("1", (1, 1)),
        ("3", (3, 1)),
        ("0.25", (1, 4)),
        ("2.4", (12, 5)),
        ("29.9", (299, 10)),
        ("200", (200, 1)),
        ("1K", (1000, 1)),
        ("9_720", (9720, 1)),
    ];
    proptest::sample::select(NUMBERS).prop_map(|(text, value)| Sum::Number(text, value))
}

fn measure() -> impl Strategy<Value = Sum> {
    let known = Measure::ALL.map(|measure| (measure != Measure::Latency).then_some(measure));
    let known: Vec<Measure> = known.into_iter().flatten().collect();
    proptest::sample::select(known).prop_map(Sum::Measure)
}

fn combined(op: char, (a, b): (Sum, Sum)) -> Sum {
    Sum::Combined(op, Box::new(a), Box::new(b))
}

fn sum() -> impl Strategy<Value = Sum> {
    let leaf = prop_oneof![3 => measure(), 2 => number()];
    leaf.prop_recursive(3, 8, 2, |sum| {
        prop_oneof![
            3 => (sum.clone(), measure()).prop_map(|parts| combined('/', parts)),
            2 => (number(), sum.clone()).prop_map(|parts| combined('*', parts)),
            1 => (sum.clone(), number()).prop_map(|parts| combined('/', parts)),
            1 => (sum.clone(), sum.clone()).prop_map(|parts| combined('/', parts)),
            2 => (sum.clone(), sum.clone()).prop_map(|parts| combined('+', parts)),
            2 => (sum.clone(), number()).prop_map(|parts| combined('-', parts)),
            1 => sum.prop_map(|inner| Sum::Negated(Box::new(inner))),
        ]
    })
}

fn side() -> impl Strategy<Value = Side> {
    let sides = || proptest::collection::vec(sum().prop_map(Side::Sum), 2..4);
    prop_oneof![
        8 => sum().prop_map(Side::Sum),
        1 => sides().prop_map(Side::Least),
        1 => sides().prop_map(Side::Greatest),
    ]
}

fn claim() -> impl Strategy<Value = Claim> {
    let ops = ["<", "<=", ">", ">=", "==", "!="].as_slice();
    let other = prop_oneof![3 => number().prop_map(Side::Sum), 1 => side()];
    let compared = (proptest::sample::select(ops), side(), other)
        .prop_map(|(op, a, b)| Claim::Compared(op, a, b));
    compared.prop_recursive(2, 4, 2, |claim| {
        let words = proptest::sample::select(["and", "and", "or"].as_slice());
        let joined = (words, claim.clone(), claim.clone())
            .prop_map(|(op, a, b)| Claim::Joined(op, Box::new(a), Box::new(b)));
        prop_oneof![3 => joined, 2 => claim.prop_map(|inner| Claim::Denied(Box::new(inner)))]
    })
}

/// The space of a text with a requirement; `None` where the requirement is refused, or divides one
/// number by another that is zero.
fn requiring(
    text: &str,
    claim: &impl fmt::Display,
    divides_by_zero: bool,
) -> Option<Arc<Checked<Space>>> {
    let text = text.trim_end().strip_suffix('}').unwrap();
    let text = format!("{text}    require {claim}\n}}\n");
    let (space, problems) =
        nas_testing::compile(Source::new("random.nas", text), |program, compiler| {
            let name = &program.spaces().next().unwrap().name.name;
            compiler.space(name, &[])
        });
    let refusals =
        ["this requirement does not limit a sum of measures", "a requirement is a comparison"];
    let is_refusal = |problem: &String| refusals.contains(&problem.as_str());
    let is_refused = problems.iter().any(is_refusal);
    let is_division = |problem: &String| divides_by_zero && problem == "division by zero";
    let is_refused = is_refused || problems.iter().any(is_division);
    assert!(is_refused || space.is_some(), "{problems:?}: {claim}");
    space.filter(|_| !is_refused)
}

fn networks(space: &Checked<Space>, most: usize) -> Option<Vec<Network>> {
    let assignments = nas_testing::assignments(space, most)?;
    Some(assignments.iter().map(|assignment| specialise(space, assignment)).collect())
}

/// Whether what the space requires is `truth` of its networks, one by one and counted.
fn assert_true_of(
    space: &Checked<Space>,
    networks: &[Network],
    truth: impl Fn(&Network, &Costs) -> Option<bool>,
    claim: &str,
) {
    let (mut kept, mut is_whole) = (BTreeSet::new(), true);
    for network in networks {
        let costs = nas_analysis::costs(network);
        let Some(holds) = truth(network, &costs) else {
            is_whole = false;
            continue;
        };
        let figures = nas_analysis::figures(space, network);
        let keeps = space.requirements.iter().all(|r| r.is_kept(&figures) == Some(true));
        assert_eq!(keeps, holds, "{claim} of {costs:?}: {:?}", space.requirements);
        // Only those are counted under requirements that read their input.
        kept.extend((holds && network.reads_input()).then_some(&network.choices));
    }
    let is_exact = |r: &Requirement| r.is_sum() || r.order().is_some();
    if is_whole && space.requirements.iter().all(is_exact) {
        let limits: Vec<Limit> = space.requirements.iter().map(|r| r.limit.clone()).collect();
        let within = count_within(space, &limits).unwrap();
        let count = BigUint::from(kept.len());
        assert!(
            within.at_least <= count && count <= within.at_most,
            "{claim}: {within:?}, {count}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_true(text in random::source(), claim in claim()) {
        // With these, a divisor is zero only where it always is.
        let costs =
            Costs { macs: 1 << 40, params: 1 << 41, weight_bytes: 1 << 43, peak_memory: 1 << 47, depth: 1 << 53, ..Costs::default() };
        let divides_by_zero = claim.holds(&costs).is_none();
        if let Some(space) = requiring(&text, &claim, divides_by_zero)
            && let Some(networks) = networks(&space, MAX_ASSIGNMENTS)
        {
            assert_true_of(&space, &networks, |_, costs| claim.holds(costs), &claim.to_string());
        }
    }
}

/// What the property above draws once in a long while.
#[test]
fn numbers_that_are_divided_by_zero_are_refused() {
    let claim = "not (min((3 / (29.9 - 1K)), (29.9 - 200), ((1K / 0) - 3)) <= 3)";
    assert!(requiring(SPACE, &claim, true).is_none());
}

const SPACE: &str = "space some {
    input image: [3, 8, 8]
    let wide = image -> choose op {
        none: relu
        pool: max_pool(3, 1, padding = \"same\")
        narrow: conv(4, kernel = 1) -> relu -> conv(3, kernel = choose kernel [1, 3, 5])
        deep: conv(8, kernel = 3) -> batch_norm -> conv(3, kernel = 1) -> relu
    }
    output y = wide -> relu -> choose last { plain: identity, conv: conv(3, kernel = 1, bias = true) }
}
";

/// A claim of costs.
type Truth = fn(&Costs) -> bool;

#[test]
fn forms_that_are_conjunctions_of_limits_are_read() {
    let claims: &[(&str, Truth)] = &[
        ("macs / params <= 55", |c| c.macs <= 55 * c.params),
        ("55 >= macs / params", |c| c.macs <= 55 * c.params),
        ("macs / (params + 100) < 12.5", |c| 2 * c.macs < 25 * (c.params + 100)),
        ("macs / -params > -55", |c| c.macs < 55 * c.params),
        ("2 * (macs / params - 3) + 1 <= 99", |c| c.macs <= 52 * c.params),
        ("1M / (macs + 1) >= 100", |c| 1_000_000 >= 100 * (c.macs + 1)),
        ("peak_memory / weight_bytes <= 3", |c| c.peak_memory <= 3 * c.weight_bytes),
        ("macs / params <= depth / params", |c| c.macs <= c.depth),
        ("max(macs, 40 * params) <= 9K", |c| c.macs <= 9000 && 40 * c.params <= 9000),
        ("min(params, depth) >= 2", |c| c.params >= 2 && c.depth >= 2),
        ("macs <= min(12K, 60 * params, max(1, 2) * 8K)", |c| {
            c.macs <= 12_000 && c.macs <= 60 * c.params && c.macs <= 16_000
        }),
        ("not (macs > 9K or params < 20)", |c| c.macs <= 9000 && c.params >= 20),
        ("not depth != 3", |c| c.depth == 3),
        ("params / weight_bytes >= 1 / 4", |_| true),
        ("1 / 3 * params <= 20", |c| c.params <= 60),
    ];
    for (claim, truth) in claims {
        let space = requiring(SPACE, claim, false).unwrap_or_else(|| panic!("{claim} is refused"));
        let networks = networks(&space, MAX_ASSIGNMENTS).unwrap();
        assert_true_of(&space, &networks, |_, costs| Some(truth(costs)), claim);
    }
}

const CHOICES: &str = "const LARGE = 5

block unit(x) {
    let op = choose op { skip: 0, conv: 1, \"3x3\": 2 }
    if op == 0 { x } else { x -> conv(4, kernel = choose kernel [3, LARGE]) }
}

block sum_of_two(x) { sum(choose 2 pair { a: x, b: x -> relu, c: x -> sigmoid }) }

space some(skip = 5) {
    input x: [4, 8, 8]
    let wide = x -> unit -> unit -> choose last { skip: identity, wide: conv(4, kernel = choose kernel [1, 3]) }
    output y = wide -> conv(choose width [8, 16, 10.0], kernel = 1) -> conv(choose width [8, 12], kernel = 1)
        -> sum_of_two -> global_avg_pool -> linear(2)
}
";

/// A claim of the choices of a network, which counts the decisions of a label that a test holds of, and
/// lists what those of a label take.
type ChosenTruth =
    fn(&dyn Fn(&str, &dyn Fn(&str) -> bool) -> usize, &dyn Fn(&str) -> Vec<f64>) -> bool;

#[test]
fn claims_of_choices_are_read() {
    let claims: &[(&str, ChosenTruth)] = &[
        ("count(op == skip) <= 1", |count, _| count("op", &|c| c == "skip") <= 1),
        ("count(op == 3x3) == 1", |count, _| count("op", &|c| c == "3x3") == 1),
        ("count(\"3x3\" == op) > 0", |count, _| count("op", &|c| c == "3x3") > 0),
        ("1 < count(not (op == skip or op == conv))", |count, _| count("op", &|c| c == "3x3") > 1),
        ("count(last == skip) >= 1", |count, _| count("last", &|c| c == "skip") == 1),
        ("count(kernel == skip) >= 1", |count, _| count("kernel", &|c| c == "5") >= 1),
        ("count(kernel == LARGE) >= 2", |count, _| count("kernel", &|c| c == "5") >= 2),
        ("count(kernel != 1 and kernel < 2 * 2.5) == 1", |count, _| {
            count("kernel", &|c| c == "3") == 1
        }),
        ("count(width == 10) + count(width == 12.0) == 1", |count, _| {
            count("width", &|c| c == "10" || c == "12") == 1
        }),
        ("count(op == conv) >= 2 * count(kernel == 3) - 1", |count, _| {
            1 + count("op", &|c| c == "conv") >= 2 * count("kernel", &|c| c == "3")
        }),
        ("count(kernel == 3) / (count(kernel > 0) + 1) >= 1 / 2", |count, _| {
            2 * count("kernel", &|c| c == "3") > count("kernel", &|_| true)
        }),
        (
            "max(count(op == skip), count(last == wide)) <= 1 and not count(op == skip) < 1",
            |count, _| count("op", &|c| c == "skip") == 1,
        ),
        ("count(pair == [a, c]) + count(pair == \"b+c\") == 0", |count, _| {
            count("pair", &|c| c == "a+b") == 1
        }),
        ("monotone(width)", |_, values| values("width").is_sorted()),
        ("monotone(kernel) and monotone(width, decreasing = true)", |_, values| {
            values("kernel").is_sorted() && values("width").is_sorted_by(|a, b| a >= b)
        }),
        ("(monotone(kernel, decreasing = LARGE > 3))", |_, values| {
            values("kernel").is_sorted_by(|a, b| a >= b)
        }),
    ];
    for (claim, truth) in claims {
        let space =
            requiring(CHOICES, claim, false).unwrap_or_else(|| panic!("{claim} is refused"));
        let holds = |network: &Network, _: &Costs| {
            let of_label = |label: &str| -> Vec<String> {
                let own = space.decisions.iter().filter(|decision| decision.label == label);
                let chosen = own.filter_map(|decision| {
                    network.choices.iter().find(|(path, _)| *path == decision.path)
                });
                chosen.map(|(_, candidate)| candidate.clone()).collect()
            };
            let count = |label: &str, test: &dyn Fn(&str) -> bool| {
                of_label(label).iter().filter(|candidate| test(candidate)).count()
            };
            let values = |label: &str| -> Vec<f64> {
                of_label(label).iter().map(|value| value.parse().unwrap()).collect()
            };
            Some(truth(&count, &values))
        };
        let networks = networks(&space, 3000).unwrap();
        assert_true_of(&space, &networks, holds, claim);
    }
}

/// Where the divisor is zero, the comparison with the divisor on its other side decides.
#[test]
fn nothing_by_nothing_keeps_what_equality_keeps() {
    for (claim, keeps) in [
        ("macs / params <= 3", true),
        ("macs / params >= 3", true),
        ("macs / params < 3", false),
        ("1 / params <= 3", false),
        ("1 / params >= 3", true),
    ] {
        let space = requiring(SPACE, &claim, false).unwrap();
        let networks = networks(&space, MAX_ASSIGNMENTS).unwrap();
        let mut figures = networks.iter().map(|network| nas_analysis::figures(&space, network));
        let figures = figures.find(|figures| figures.costs.params == 0).unwrap();
        assert_eq!(space.requirements[0].is_kept(&figures), Some(keeps), "{claim}");
    }
}
