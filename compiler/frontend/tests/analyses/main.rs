//! The analyses against brute force over all assignments of random small spaces.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "functions that only tests use"
)]

mod brute;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nas_analysis::{
    Draw, ExpectedCost, Sampler, SamplerWithin, Within, best_under, count, count_reading,
    count_within, distribution, front, front_within, least_under, moments, range,
};
use nas_grammar::Source;
use nas_ir::liveness::Liveness;
use nas_ir::quantity::{Count, Order, number};
use nas_ir::{
    Assignment, Checked, Cost, Costs, Decision, Figures, Form, Limit, Measure, Quantity, Space,
};
use nas_passes::specialise;
use nas_testing::random;
use num_bigint::BigUint;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use brute::{Brute, Tables, assert_well_formed, leads_to_inputs, made, naive_cost, of, widths};

const MEASURES: [Measure; 3] = [Measure::Macs, Measure::Params, Measure::WeightBytes];

fn assert_close(a: f64, b: f64, scale: f64, what: &str) {
    assert!((a - b).abs() <= 1e-9 * scale.abs().max(1.0), "{what}: {a} and {b}");
}

fn check_counts(space: &Checked<Space>, brute: &Brute) {
    let networks = brute.networks();
    assert_eq!(count(space).unwrap(), BigUint::from(networks.len()));
    let reading = brute.wanted(space).len();
    if !space.admits_constant {
        assert_eq!(count_reading(space).unwrap(), BigUint::from(reading));
    }
    for measure in MEASURES {
        let costs = || networks.values().map(|cost| of(measure, cost));
        let range = range(space, measure).unwrap();
        assert_eq!((Some(range.min), Some(range.max)), (costs().min(), costs().max()));
        let moments = moments(space, measure).unwrap();
        let total = networks.len() as f64;
        let mean = costs().map(|cost| cost as f64).sum::<f64>() / total;
        let variance = costs().map(|cost| (cost as f64 - mean).powi(2)).sum::<f64>() / total;
        assert_close(moments.mean, mean, mean, "mean");
        assert_close(moments.std, variance.sqrt(), mean, "standard deviation");
    }
}

fn check_networks(space: &Checked<Space>, brute: &Brute) {
    let (conditions, alive) = space.whole_liveness().and_then(Liveness::into_nodes).unwrap();
    for (assignment, network, costs) in &brute.rows {
        assert_well_formed(network);
        assert_eq!(network.reads_input(), leads_to_inputs(network));
        let Costs { macs, params, .. } = *costs;
        let (cost, mut read) = naive_cost(space, assignment);
        assert_eq!(cost, Cost { macs, params });
        read.extend(space.graph.inputs().map(|(id, _)| id));
        let is_alive = |condition| *conditions.value(condition, assignment) == 1;
        let alive = alive.iter().filter(|(_, alive)| is_alive(**alive)).map(|(id, _)| id);
        assert_eq!(alive.collect::<BTreeSet<_>>(), read);
    }
}

/// Value, gradient by finite differences, and differences along the simplex by brute force.
fn check_expected(space: &Checked<Space>, brute: &Brute, probabilities: &[Vec<f64>]) {
    for measure in MEASURES {
        let expected = ExpectedCost::new(space, measure).unwrap();
        let (value, gradient) = expected.evaluate(probabilities);
        let scale = range(space, measure).unwrap().max as f64;
        assert_close(value, brute.expected(space, measure, probabilities), scale, "value");
        for (row, slopes) in gradient.iter().enumerate() {
            let mut certain = Vec::new();
            for candidate in 0..slopes.len() {
                let moved = |by: f64| {
                    let mut moved = probabilities.to_vec();
                    moved[row][candidate] += by;
                    expected.evaluate(&moved).0
                };
                // The value is linear in each probability, so that a large step is exact.
                let slope = (moved(0.5) - moved(-0.5)) / 1.0;
                assert_close(slope, slopes[candidate], scale, "slope");
                let mut decided = probabilities.to_vec();
                decided[row].fill(0.0);
                decided[row][candidate] = 1.0;
                certain.push(brute.expected(space, measure, &decided));
            }
            for (slope, value) in slopes.iter().zip(&certain) {
                let (difference, along) = (value - certain[0], slope - slopes[0]);
                assert_close(difference, along, scale, "along the simplex");
            }
        }
    }
}

/// Draws are canonical, reach every network, and about equally often: of more networks than can be
/// drawn often, each of some groups of them, as often as it is large.
fn check_sampler(space: &Checked<Space>, brute: &Brute, seed: u64) {
    const EACH: usize = 50;
    const MOST_GROUPS: usize = 60;
    let all = brute.wanted(space);
    let (networks, groups) = (all.len(), all.len().min(MOST_GROUPS));
    let group_of: BTreeMap<&[(String, String)], usize> = all
        .keys()
        .enumerate()
        .map(|(index, choices)| (*choices, index * groups / networks))
        .collect();
    let sampler = Sampler::new(space).unwrap();
    assert_eq!(*sampler.count(), BigUint::from(networks));
    if sampler.is_empty() {
        return;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: BTreeMap<Vec<(String, String)>, Assignment> = BTreeMap::new();
    let mut times = vec![0usize; groups];
    let total = EACH * groups;
    for _ in 0..total {
        let assignment = sampler.draw(&mut rng);
        let choices = specialise(space, &assignment).choices;
        times[group_of[choices.as_slice()]] += 1;
        let first = drawn.entry(choices).or_insert(assignment.clone());
        assert_eq!(*first, assignment, "decisions that make no difference take the first");
    }
    assert!(times.iter().all(|times| *times > 0), "every network can be drawn");
    let sizes = (0..groups).map(|group| group_of.values().filter(|of| **of == group).count());
    let squares = sizes.zip(times).map(|(size, times)| {
        let expected = total as f64 * size as f64 / networks as f64;
        (times as f64 - expected).powi(2) / expected
    });
    let chi_square: f64 = squares.sum();
    // Seven standard deviations above the mean, and more for the tail of few degrees.
    let degrees = (groups - 1) as f64;
    assert!(
        chi_square <= degrees + 7.0 * (2.0 * degrees).sqrt() + 20.0,
        "{chi_square} of {degrees}"
    );
}

/// Distribution and counts of one measure against those of all networks.
fn check_distribution(space: &Checked<Space>, brute: &Brute, measure: Measure) {
    let (networks, wanted) = (brute.networks(), brute.wanted(space));
    let mut costs: Vec<i128> = networks.values().map(|cost| of(measure, cost).into()).collect();
    costs.sort_unstable();
    let form = Form::from(measure);
    let distribution = distribution(space, &form).unwrap();
    assert_eq!(distribution.slack(), 0);
    assert_eq!(distribution.range(), (costs[0], costs[costs.len() - 1]));
    for &most in costs.iter().step_by(costs.len().div_ceil(7)) {
        for most in [most - 1, most, most + 1] {
            let expected = BigUint::from(costs.partition_point(|cost| *cost <= most));
            assert_eq!(distribution.at_most(most), expected);
            // Of those that are drawn.
            let kept = wanted.values().filter(|cost| i128::from(of(measure, cost)) <= most);
            let expected = BigUint::from(kept.count());
            let within = count_within(space, &[Limit { form: form.clone(), most }]).unwrap();
            assert_eq!((within.at_least, within.at_most), (expected.clone(), expected));
        }
    }
    let histogram = distribution.histogram(5);
    let (from, to) = (histogram.from, histogram.to);
    let mut expected = vec![BigUint::ZERO; 5];
    for cost in costs {
        let bin = if cost == to { 4 } else { (cost - from) * 5 / (to - from) };
        expected[usize::try_from(bin).unwrap()] += 1u32;
    }
    assert_eq!(histogram.counts, expected);
}

/// The networks that keep both limits: how many, draws among them, and the best of them.
fn check_limits(space: &Checked<Space>, brute: &Brute, weights: &[f64], seed: u64) {
    let networks = brute.wanted(space);
    if networks.is_empty() {
        return;
    }
    let nth = |measure, share: f64| {
        let mut costs: Vec<u64> = networks.values().map(|cost| of(measure, cost)).collect();
        costs.sort_unstable();
        i128::from(costs[((costs.len() - 1) as f64 * share) as usize])
    };
    let share = weights[0];
    let limits = MEASURES.map(|m| Limit { form: m.into(), most: nth(m, share) });
    let keeps = |cost: &Costs| {
        MEASURES.iter().zip(&limits).all(|(m, limit)| i128::from(of(*m, cost)) <= limit.most)
    };
    let kept: BTreeMap<_, _> = networks.iter().filter(|(_, cost)| keeps(cost)).collect();
    let within = count_within(space, &limits).unwrap();
    let number = BigUint::from(kept.len());
    assert_eq!((&within.at_least, &within.at_most), (&number, &number));
    check_intervals(space, &networks, &limits, seed);
    check_draws(space, &limits, &kept, seed);

    let least = least_under(space, &Measure::Params.into(), &limits[..1]).unwrap().unwrap();
    let cheap = networks.values().filter(|cost| i128::from(cost.macs) <= limits[0].most);
    let expected = cheap.map(|cost| cost.params).min().unwrap();
    assert_eq!((-least.score, least.bound), (expected as f64, least.score));
    assert_eq!(specialise(space, &least.assignment).cost().params, expected);

    let scores = probabilities(space, weights);
    let best = best_under(space, &scores, &limits).unwrap();
    let expected = kept.keys().map(|choices| score_of(space, &scores, choices)).reduce(f64::max);
    assert_eq!(best.is_some(), expected.is_some());
    if let (Some(best), Some(expected)) = (best, expected) {
        assert_close(best.score, expected, 1.0, "the best score");
        assert_eq!(best.score, best.bound);
        let network = specialise(space, &best.assignment);
        assert!(keeps(&nas_analysis::costs(&network)));
        assert_close(
            score_of(space, &scores, &network.choices),
            expected,
            1.0,
            "the score of the best",
        );
    }
}

/// Whether a network of these costs keeps limits on measures.
fn keeps(limits: &[Limit], costs: &Costs) -> bool {
    let figures = Figures::new(*costs, &[], &[]);
    limits.iter().all(|limit| limit.is_kept(&figures).unwrap())
}

/// Limits on one measure from both sides, beside one on another.
fn check_intervals(
    space: &Checked<Space>,
    networks: &BTreeMap<&[(String, String)], Costs>,
    limits: &[Limit; 3],
    seed: u64,
) {
    for (measure, upper) in MEASURES.iter().zip(limits) {
        for from in [upper.most / 2, upper.most, upper.most + 1] {
            let lower = Limit { form: Form::multiple(*measure, -1), most: -from };
            let both = [lower.clone(), limits[0].clone(), upper.clone()];
            let is_kept = |cost: &&Costs| keeps(&both, cost);
            let kept: BTreeMap<_, _> = networks.iter().filter(|(_, cost)| is_kept(cost)).collect();
            let number = BigUint::from(kept.len());
            let within = count_within(space, &both).unwrap();
            assert_eq!((&within.at_least, &within.at_most), (&number, &number), "from {from}");
            check_draws(space, &both, &kept, seed);
        }
    }
}

/// Draws among the networks that keep limits.
fn check_draws(
    space: &Checked<Space>,
    limits: &[Limit],
    kept: &BTreeMap<&&[(String, String)], &Costs>,
    seed: u64,
) {
    let sampler = SamplerWithin::new(space, limits).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: BTreeMap<Vec<(String, String)>, usize> = BTreeMap::new();
    let few = kept.len().min(20);
    for _ in 0..50 * few {
        let Draw::Network(drawn_one) = sampler.draw(&mut rng) else {
            panic!("{} networks keep the limits", kept.len())
        };
        let network = specialise(space, &drawn_one);
        assert!(kept.contains_key(&network.choices.as_slice()));
        *drawn.entry(network.choices).or_default() += 1;
    }
    if kept.len() == few && few > 0 {
        assert_eq!(drawn.len(), few, "every network within the limits can be drawn");
        assert!(drawn.values().all(|times| (8..140).contains(times)), "equally often: {drawn:?}");
    }
    assert!(few > 0 || !matches!(sampler.draw(&mut rng), Draw::Network(_)));
}

/// Limits on what is no sum, from both sides, beside one that is.
fn check_conditions(space: &Checked<Space>, brute: &Brute, weights: &[f64], seed: u64) {
    let networks = brute.wanted(space);
    if networks.is_empty() {
        return;
    }
    let nth = |measure, share: f64| {
        let mut costs: Vec<u64> = networks.values().map(|cost| of(measure, cost)).collect();
        costs.sort_unstable();
        i128::from(costs[((costs.len() - 1) as f64 * share) as usize])
    };
    for (measure, factor) in
        [Measure::Depth, Measure::PeakMemory].into_iter().flat_map(|m| [(m, 1), (m, -1)])
    {
        let limits = [
            Limit {
                form: Form::multiple(measure, factor),
                most: factor * nth(measure, weights[0]),
            },
            Limit { form: Measure::Macs.into(), most: nth(Measure::Macs, weights[1]) },
        ];
        let keeps = |cost: &Costs| keeps(&limits, cost);
        let kept: BTreeMap<_, _> = networks.iter().filter(|(_, cost)| keeps(cost)).collect();
        let number = BigUint::from(kept.len());
        let Within { at_least, at_most } = count_within(space, &limits).unwrap();
        assert!(at_least <= number && number <= at_most, "{at_least}..{at_most}, not {number}");
        if measure == Measure::Depth {
            assert_eq!(at_least, at_most);
        }
        check_draws(space, &limits, &kept, seed);
        let scores = probabilities(space, weights);
        let best = best_under(space, &scores, &limits).unwrap();
        let expected = kept.keys().map(|choices| score_of(space, &scores, choices));
        let expected = expected.reduce(f64::max);
        assert_eq!(best.as_ref().map(|best| best.score.is_finite()), expected.map(|_| true));
        if let (Some(best), Some(expected)) = (best, expected) {
            assert_close(best.score, expected, 1.0, "the best score");
            assert!(keeps(&nas_analysis::costs(&specialise(space, &best.assignment))));
        }
    }
}

/// A random one of several, if there are any.
fn one_of<T>(from: impl IntoIterator<Item = T>, rng: &mut ChaCha8Rng) -> Option<T> {
    let all: Vec<T> = from.into_iter().collect();
    let index = rng.random_range(0..all.len().max(1));
    all.into_iter().nth(index)
}

/// A random number of decisions of a random label, and one whose candidates are all numbers, if there is one.
fn random_count(space: &Space, rng: &mut ChaCha8Rng) -> Option<Quantity> {
    let label = one_of(space.decisions.iter().map(|d| d.label.clone()), rng)?;
    let own = space.decisions.iter().filter(|decision| decision.label == label);
    let candidates: BTreeSet<String> = own.flat_map(|d| d.candidates.clone()).collect();
    let candidates = candidates.into_iter().filter(|_| rng.random_bool(0.5)).collect();
    Some(Quantity::Count(Count { label, candidates }))
}

fn random_order(space: &Space, rng: &mut ChaCha8Rng) -> Option<Quantity> {
    let is_number = |d: &&Decision| d.candidates.iter().all(|name| number(d, name).is_some());
    let label = one_of(space.decisions.iter().filter(is_number).map(|d| d.label.clone()), rng)?;
    Some(Quantity::Breaks(Order { label, is_decreasing: rng.random_bool(0.5) }))
}

/// Random limits on what is chosen, by themselves and beside one on a measure.
fn random_limits(space: &Space, costs: &[Costs], rng: &mut ChaCha8Rng) -> Vec<Limit> {
    let mut limits = Vec::new();
    for _ in 0..rng.random_range(0..=2) {
        let factor = [1, 1, -1, 2][rng.random_range(0..4)];
        let Some(count) = random_count(space, rng) else { continue };
        let mut form = Form::multiple(count, factor);
        form.0.extend(random_count(space, rng).filter(|_| rng.random_bool(0.3)).map(|c| (c, -1)));
        limits.push(Limit { form, most: rng.random_range(-2..=3) });
    }
    let orders = (0..rng.random_range(0..=2)).filter_map(|_| random_order(space, rng));
    limits.extend(orders.map(|order| Limit { form: Form::multiple(order, 1), most: 0 }));
    if let Some(costs) = one_of(costs, rng).filter(|_| rng.random_bool(0.5)) {
        limits.push(Limit { form: Measure::Macs.into(), most: costs.macs.into() });
        if let Some(count) = random_count(space, rng).filter(|_| rng.random_bool(0.3)) {
            let form = Form(vec![(Measure::Params.into(), 1), (count, 30)]);
            limits.push(Limit { form, most: costs.params.into() });
        }
    }
    limits
}

/// Limits on what is chosen: counts, draws, the best and the least network, and fronts.
fn check_chosen(space: &Checked<Space>, brute: &Brute, weights: &[f64], seed: u64) {
    let networks = brute.wanted(space);
    let costs: Vec<Costs> = networks.values().copied().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for round in 0..4 {
        let limits = random_limits(space, &costs, &mut rng);
        let is_kept = |choices: &[(String, String)], costs: &Costs| {
            limits.iter().all(|limit| brute::form(space, &limit.form, choices, costs) <= limit.most)
        };
        let kept: BTreeMap<_, _> =
            networks.iter().filter(|(choices, costs)| is_kept(choices, costs)).collect();
        for (_, network, costs) in &brute.rows {
            let figures = Figures::new(*costs, &space.decisions, &network.choices);
            let keeps = limits.iter().all(|limit| limit.is_kept(&figures) == Some(true));
            assert_eq!(keeps, is_kept(&network.choices, costs), "{limits:?}");
        }
        let number = BigUint::from(kept.len());
        let within = count_within(space, &limits).unwrap();
        assert_eq!((within.at_least, within.at_most), (number.clone(), number), "{limits:?}");
        check_draws(space, &limits, &kept, seed ^ round);

        let scores = probabilities(space, weights);
        let best = best_under(space, &scores, &limits).unwrap();
        let expected = kept.keys().map(|choices| score_of(space, &scores, choices));
        let expected = expected.reduce(f64::max);
        assert_eq!(best.is_some(), expected.is_some(), "{limits:?}");
        if let (Some(best), Some(expected)) = (best, expected) {
            assert_close(best.score, expected, 1.0, "the best score");
            assert!(kept.contains_key(&specialise(space, &best.assignment).choices.as_slice()));
        }
        let form = match random_count(space, &mut rng) {
            Some(count) if round % 2 == 0 => {
                Form::multiple(count, if seed.is_multiple_of(3) { -1 } else { 1 })
            }
            _ => Measure::Params.into(),
        };
        let least = least_under(space, &form, &limits).unwrap().map(|best| -best.score as i128);
        let expected = kept.iter().map(|(c, costs)| brute::form(space, &form, c, costs)).min();
        assert_eq!(least, expected, "{form} within {limits:?}");

        let points = kept.values().map(|costs| (costs.macs, costs.params));
        let front = front_within(space, (Measure::Macs, Measure::Params), &limits).unwrap();
        assert_eq!((front.points, front.is_cut), (undominated(points), false), "{limits:?}");
    }
}

/// The score of a network by those of its choices.
fn score_of(space: &Space, scores: &[Vec<f64>], choices: &[(String, String)]) -> f64 {
    let score = |(path, candidate): &(String, String)| {
        let row = space.decisions.iter().position(|d| d.path == *path).unwrap();
        let column = space.decisions[row].candidates.iter().position(|c| c == candidate);
        scores[row][column.unwrap()]
    };
    choices.iter().map(score).sum()
}

/// The points of which no other is better in one figure and not worse in the other.
fn undominated(points: impl Iterator<Item = (u64, u64)>) -> Vec<(i128, i128)> {
    let mut points: Vec<(u64, u64)> = points.collect();
    points.sort_unstable();
    let mut least = u64::MAX;
    points.retain(|&(_, second)| {
        let before = least;
        least = least.min(second);
        second < before
    });
    points.into_iter().map(|(a, b)| (i128::from(a), i128::from(b))).collect()
}

/// The Pareto front of both measures, and a network at each of its points.
fn check_front(space: &Checked<Space>, brute: &Brute) {
    let wanted = brute.wanted(space);
    let expected = undominated(wanted.values().map(|costs| (costs.macs, costs.params)));
    let front = front(space, &Measure::Macs.into(), &Measure::Params.into()).unwrap();
    assert_eq!(front.points().collect::<Vec<_>>(), expected);
    for (index, point) in expected.iter().enumerate() {
        let cost = specialise(space, &front.network(index).unwrap()).cost();
        assert_eq!((i128::from(cost.macs), i128::from(cost.params)), *point);
    }
}

/// Fronts of any two measures within limits on any.
fn check_fronts_within(space: &Checked<Space>, brute: &Brute, weights: &[f64]) {
    let wanted = brute.wanted(space);
    let nth = |measure, share: f64| {
        let mut costs: Vec<u64> = wanted.values().map(|cost| of(measure, cost)).collect();
        costs.sort_unstable();
        costs.get((costs.len() as f64 * share) as usize).map_or(0, |cost| i128::from(*cost))
    };
    let at_most = |measure, share| Limit { form: Form::from(measure), most: nth(measure, share) };
    let at_least =
        |measure, share| Limit { form: Form::multiple(measure, -1), most: -nth(measure, share) };
    let (high, low) = (weights[0].max(0.4), weights[1] / 2.0);
    for (a, b, limits) in [
        (Measure::Macs, Measure::Params, vec![at_most(Measure::Params, high)]),
        (Measure::Params, Measure::Macs, vec![at_least(Measure::Macs, low)]),
        (Measure::Macs, Measure::PeakMemory, vec![at_most(Measure::Params, high)]),
        (Measure::PeakMemory, Measure::Depth, vec![]),
        (Measure::Macs, Measure::WeightBytes, vec![at_most(Measure::PeakMemory, high)]),
    ] {
        let kept = wanted.values().filter(|costs| keeps(&limits, costs));
        let expected = undominated(kept.map(|costs| (of(a, costs), of(b, costs))));
        let front = front_within(space, (a, b), &limits).unwrap();
        assert_eq!((front.points, front.is_cut), (expected, false), "{a:?}, {b:?}, {limits:?}");
    }
}

/// Probabilities of every decision from a few random numbers.
fn probabilities(space: &Space, weights: &[f64]) -> Vec<Vec<f64>> {
    let mut weights = weights.iter().cycle();
    let mut row = |width: usize| {
        let row: Vec<f64> = weights.by_ref().take(width).copied().collect();
        let sum: f64 = row.iter().sum();
        row.into_iter().map(|weight| weight / sum).collect()
    };
    widths(space).into_iter().map(&mut row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn analyses_equal_brute_force(
        text in random::source(),
        weights in proptest::collection::vec(0.05f64..1.0, 2..40),
        seed in any::<u64>(),
    ) {
        let mut space = nas_testing::space(Source::new("random.nas", text.as_str()));
        if seed % 2 == 0 {
            Arc::make_mut(&mut space).admit_constant();
        }
        let brute = Brute::new(&space);
        prop_assume!(brute.is_some());
        let brute = brute.unwrap();
        check_networks(&space, &brute);
        check_counts(&space, &brute);
        check_expected(&space, &brute, &probabilities(&space, &[1.0]));
        check_expected(&space, &brute, &probabilities(&space, &weights));
        check_sampler(&space, &brute, seed);
        MEASURES.into_iter().for_each(|measure| check_distribution(&space, &brute, measure));
        check_limits(&space, &brute, &weights, seed);
        check_conditions(&space, &brute, &weights, seed);
        check_chosen(&space, &brute, &weights, seed);
        check_front(&space, &brute);
        check_fronts_within(&space, &brute, &weights);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_equal_brute_force_up_to_a_million(text in random::source()) {
        let space = nas_testing::space(Source::new("random.nas", text.as_str()));
        let assignments = nas_testing::assignments(&space, 1_000_000);
        prop_assume!(assignments.is_some());
        let mut tables = Tables::default();
        let assignments = assignments.into_iter().flatten();
        let networks: BTreeSet<_> =
            assignments.map(|assignment| made(&space, &mut tables, &assignment)).collect();
        prop_assert_eq!(count(&space).unwrap(), BigUint::from(networks.len()));
    }
}

/// What random spaces must have held at least: a nested choice that an outer one cuts off.
#[test]
fn a_choice_inside_a_candidate_counts_only_there() {
    let text = "
space nested {
    input x: [4, 6, 6]
    let y = x -> choose outer {
        skip: zero
        deep: inner
    }
    output z = x + y
}
block inner(x) { x -> choose op { a: conv(4, kernel = 1), b: conv(4, kernel = 3), c: relu } }
";
    let space = nas_testing::space(Source::new("nested.nas", text));
    assert_eq!(count(&space).unwrap(), BigUint::from(4u32));
    let range = range(&space, Measure::Macs).unwrap();
    assert_eq!((range.min, range.max), (0, 4 * 4 * 9 * 36));
    let sampler = Sampler::new(&space).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let skips = (0..4000)
        .filter(|_| specialise(&space, &sampler.draw(&mut rng)).choices.len() == 1)
        .count();
    assert!((900..1100).contains(&skips), "a quarter of the networks skips: {skips} of 4000");
}

/// The right side of `and` and `or` is evaluated only in the cases that the left leaves open.
#[test]
fn a_chosen_left_side_guards_the_right_side() {
    let text = "
space guarded {
    input x: [4, 8, 8]
    let i = choose i [0, 1, 2]
    let steps = [5, 1]
    let is_large = i > 0 and steps[i - 1] > 3
    output y = if is_large { x -> conv(4, kernel = 3) } else { x -> relu }
}
";
    let space = nas_testing::space(Source::new("guarded.nas", text));
    assert_eq!(count(&space).unwrap(), BigUint::from(3u32));
    let range = range(&space, Measure::Macs).unwrap();
    assert_eq!((range.min, range.max), (0, 4 * 4 * 9 * 64));
}
