//! What networks cost in the measures that are no sums, peak memory and depth: of networks worked
//! by hand, of the shipped spaces, and of whole spaces against brute force.
#![allow(clippy::unwrap_used, clippy::panic, reason = "functions that only tests use")]

use nas_analysis::{Sampler, depth_range, memory_range};
use nas_grammar::Source;
use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::{Assignment, Checked, Costs, Space};
use nas_passes::specialise;
use nas_testing::random;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The costs of the only network of a space with this body.
fn costs(body: &str) -> Costs {
    let text = format!("space one {{\n{body}\n}}\n");
    let space = nas_testing::space(Source::new("one.nas", text));
    let costs = nas_analysis::costs(&specialise(&space, &space.first_assignment()));
    assert!(!costs.peak_memory_is_bound);
    costs
}

fn elements(body: &str) -> u64 {
    costs(body).peak_memory / 4
}

#[test]
fn batch_norm_and_activations_need_no_memory_of_their_own() {
    // 3 maps and 8 maps of 4x4; then 8 and 2.
    let chain = "input x: [3, 4, 4]
        output y = x -> conv(8, kernel = 3) -> batch_norm -> relu -> conv(2, kernel = 1) -> hswish";
    assert_eq!(elements(chain), 16 * (3 + 8));
    let costs = costs(chain);
    assert_eq!((costs.depth, costs.latency), (2, None));
    assert_eq!(costs.weight_bytes, 4 * (3 * 8 * 9 + 2 * 8 + 8 * 2));
    // An input stays as it is.
    assert_eq!(elements("input x: [3, 4, 4] output y = x -> relu"), 16 * (3 + 3));
}

#[test]
fn each_number_is_as_wide_as_its_precision() {
    // The kernels of 3 x 8 x 9, 8 x 8 and 8 x 2; the last one is of the target, which has 32 bits.
    let body = "input x: [3, 4, 4]
        output y = x -> conv(8, kernel = 3, precision = int8) -> conv(8, kernel = 1, precision = fp16)
            -> conv(2, kernel = 1)";
    let found = costs(body);
    assert_eq!(found.weight_bytes, 3 * 8 * 9 + 2 * 8 * 8 + 4 * 8 * 2);
    // While the second runs, 8 maps of a byte and 8 of two; the input alone takes 12 bytes a pixel.
    assert_eq!(found.peak_memory, 16 * (8 + 2 * 8));
    // What a block makes inherits, and may say otherwise.
    let inherited =
        "block both(x) { x -> conv(4, kernel = 1) -> conv(2, kernel = 1, precision = fp16) }
        space one { input x: [8, 4, 4] output y = x -> both(precision = int8) }";
    let space = nas_testing::space(Source::new("one.nas", inherited));
    let network = specialise(&space, &space.first_assignment());
    assert_eq!(nas_analysis::costs(&network).weight_bytes, 8 * 4 + 2 * 4 * 2);
    // A rectifier of another precision writes its result elsewhere.
    let apart = "input x: [1, 4, 4]
        output y = x -> conv(4, kernel = 1, precision = int8) -> relu(precision = fp16)";
    assert_eq!(costs(apart).peak_memory, 16 * (4 + 2 * 4));
}

#[test]
fn a_value_that_is_read_twice_is_not_written_over() {
    // x, conv(x); relu of it beside it; their sum.
    let body = "input x: [1, 4, 4]
        let c = x -> conv(2, kernel = 1)
        output y = (c -> relu) + c";
    assert_eq!(elements(body), 16 * (2 + 2 + 2));
}

#[test]
fn views_share_and_concat_copies() {
    assert_eq!(elements("input x: [5, 4, 4] output y = x -> flatten -> dropout"), 16 * 5);
    let body = "input x: [5, 4, 4] output y = concat([x, x -> conv(1, kernel = 1)])";
    assert_eq!(elements(body), 16 * (5 + 1 + 6));
}

#[test]
fn a_residual_waits_for_its_sum() {
    // The block keeps 4 maps while 24 become 24, then 4.
    let body = "input x: [4, 8, 8]
        output y = x + (x -> conv(24, kernel = 1) -> conv(24, kernel = 3, groups = 24) -> conv(4, kernel = 1))";
    assert_eq!(elements(body), 64 * (4 + 24 + 24));
}

#[test]
fn the_branch_that_grows_goes_first() {
    // As written 10 maps wait while 1 become 30 become 1; the other way round 1 map waits.
    let body = "input x: [1, 8, 8]
        let wide = x -> conv(10, kernel = 1)
        let deep = x -> conv(30, kernel = 1) -> conv(1, kernel = 1)
        output y = concat([wide, deep])";
    // 1 + 30, 1 + 30 + 1, then 1 + 1 + 10, then 1 + 10 + 11.
    assert_eq!(elements(body), 64 * (1 + 30 + 1));
}

/// MobileNetV2 in int8 needs 1,372 kB in TinyEngine (Lin et al. 2021, "MCUNetV2", figure 1): that is
/// its widest pointwise convolution, for TinyEngine runs the depthwise one after it in place.
#[test]
fn the_peak_of_mobilenet_v2_is_that_of_its_widest_layers() {
    assert_eq!(
        elements("input x: [16, 112, 112] output y = x -> conv(96, kernel = 1)"),
        1372 << 10
    );
    let (peak, _) =
        nas_testing::compile(nas_testing::shipped("mobilenet_v2.nas"), |program, compiler| {
            let item = program.archs().find(|item| item.name.name == "x100").unwrap();
            let named = compiler.named_network(item).unwrap();
            nas_analysis::costs(&specialise(&named.space, &named.assignment)).peak_memory
        });
    assert_eq!(peak / 4, 96 * (112 * 112 + 56 * 56));
    assert_eq!(peak / 4, 1470 << 10);
}

fn spaces(file: &str) -> Vec<std::sync::Arc<Checked<Space>>> {
    let (spaces, _) = nas_testing::compile(nas_testing::shipped(file), |program, compiler| {
        let names: Vec<String> = program.spaces().map(|s| s.name.name.clone()).collect();
        names.iter().filter_map(|name| compiler.space(name, &[])).collect()
    });
    spaces
}

/// The shipped spaces of which an end of the peak is a bound: parts of their networks are
/// independent of each other, and the order in which they stand is not always the best.
const BOUNDED: [&str; 12] = [
    "amoebanet",
    "amoebanet_cifar",
    "darts",
    "darts_imagenet",
    "darts_relaxed",
    "darts_relaxed_cells",
    "landcover_demo",
    "mnasnet",
    "mnasnet_per_layer",
    "nasnet",
    "nasnet_cifar",
    "scenes_demo",
];

#[test]
fn peaks_in_shipped_spaces_are_exact_and_within_the_range() {
    for space in nas_testing::shipped_names().iter().flat_map(|file| spaces(file)) {
        let (memory, depth) = (memory_range(&space), depth_range(&space));
        let is_exact = memory.min.exact().is_some() && memory.max.exact().is_some();
        let is_bounded = BOUNDED.contains(&space.name.as_str());
        assert_ne!(is_exact, is_bounded, "{}: {memory:?}", space.name);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sampler = Sampler::new(&space).ok();
        let drawn = sampler.iter().flat_map(|sampler| std::iter::repeat_n(sampler, 4));
        let drawn: Vec<Assignment> = drawn.map(|sampler| sampler.draw(&mut rng)).collect();
        for assignment in drawn.into_iter().chain([space.first_assignment()]) {
            let costs = nas_analysis::costs(&specialise(&space, &assignment));
            assert!(!costs.peak_memory_is_bound, "{}: {assignment:?}", space.name);
            assert_contains(memory, costs.peak_memory);
            assert_contains(depth, costs.depth);
        }
    }
}

fn assert_contains(range: BoundedRange, figure: u64) {
    assert!(range.min.at_least <= figure && figure <= range.max.at_most, "{figure} in {range:?}");
}

fn assert_is(bounds: Bounds, figure: u64, text: &str) {
    let holds = bounds.at_least <= figure && figure <= bounds.at_most;
    assert!(holds, "{bounds:?} of {figure} in\n{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ranges_hold_the_ends_of_brute_force(text in random::source()) {
        let space = nas_testing::space(Source::new("random.nas", text.as_str()));
        let assignments = nas_testing::assignments(&space, 600);
        prop_assume!(assignments.is_some());
        let costs = |assignment: &Assignment| nas_analysis::costs(&specialise(&space, assignment));
        let costs: Vec<Costs> = assignments.unwrap().iter().map(costs).collect();
        let memory = memory_range(&space);
        // A tiny space is looked at network by network.
        if costs.len() * space.graph.nodes().count() <= 50_000 && costs.len() <= 512 {
            assert!(memory.min.exact().is_some() && memory.max.exact().is_some(), "{memory:?} of\n{text}");
        }
        let peaks = || costs.iter().map(|costs| costs.peak_memory);
        assert_is(memory.min, peaks().min().unwrap(), &text);
        assert_is(memory.max, peaks().max().unwrap(), &text);
        let depth = depth_range(&space);
        let depths = || costs.iter().map(|costs| costs.depth);
        prop_assert_eq!(depth.min, Bounds::exactly(depths().min().unwrap()));
        prop_assert_eq!(depth.max, Bounds::exactly(depths().max().unwrap()));
    }
}
