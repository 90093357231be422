//! Blocks against loops in double precision, and their gradients against differences of these, over small shapes and in each
//! set of instructions that there is.

#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod blocks;

use blocks::{Numbers, Own, odd, own, wide};
use nas_kernels::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[track_caller]
fn agree(name: &str, found: &[f32], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len(), "{name}");
    let largest = wanted.iter().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let apart = (f64::from(*found) - wanted).abs() / largest;
        assert!(apart < 1e-4, "{name}[{i}]: {found} for {wanted}");
    }
}

/// What a block comes to: its result, and gradients in the order of [`Own::arguments`].
fn run(own: &Own, processor: Processor<'_>, by_out: &[f32]) -> (Vec<f32>, Kept, Vec<Vec<f32>>) {
    run_wanting(own, processor, by_out, true)
}

/// The same, where the gradients of maps are wanted or not.
fn run_wanting(
    own: &Own,
    processor: Processor<'_>,
    by_out: &[f32],
    is_wanted: bool,
) -> (Vec<f32>, Kept, Vec<Vec<f32>>) {
    let block = own.block();
    let mut out = own.rest.clone();
    let mut kept = forward(processor, &block, own.has_rest(), &mut out);
    let mut by_out = by_out.to_vec();
    let mut by_maps: Vec<Vec<f32>> =
        own.maps.iter().map(|(values, _)| vec![f32::NAN; values.len()]).collect();
    let mut to: Vec<&mut [f32]> = by_maps.iter_mut().map(Vec::as_mut_slice).collect();
    let wanted = vec![is_wanted; own.maps.len()];
    let found = backward(processor, &block, &mut kept, &mut by_out, (&mut to, &wanted));
    let mut all = vec![by_out];
    all.extend(by_maps);
    for (chain, found) in own.chains.iter().zip(found) {
        all.push(if chain.weight.is_some() { found.weight } else { Vec::new() });
        all.push(found.gate);
        for (layer, found) in chain.layers.iter().zip(found.layers) {
            all.push(found.kernel);
            let of = |values: Vec<f32>, own: &[f32]| match layer.is_affine {
                true => values,
                false => vec![0.0; own.len()],
            };
            all.push(of(found.scale, &layer.scale));
            all.push(of(found.shift, &layer.shift));
        }
    }
    (out, kept, all)
}

fn levels() -> impl Strategy<Value = Level> {
    proptest::sample::select(Level::available())
}

/// Runs tasks on threads, in an order that changes.
struct Threads;

impl Pool for Threads {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || (thread..count).step_by(3).rev().for_each(task));
            }
        });
    }
}

/// The same cases each time.
fn config(cases: u32) -> ProptestConfig {
    let failure_persistence = None;
    ProptestConfig { cases, failure_persistence, rng_seed: RngSeed::Fixed(1), ..Default::default() }
}

/// Holds values, moments and gradients of a block against loops in double precision, and differences of these.
fn holds(own: &Own, seed: u64, level: Level) {
    let arguments = own.arguments();
    let by_out = Numbers(!seed).some(own.rest.len());
    let (out, kept, found) = run(own, Processor { level, pool: &Serial }, &by_out);
    let (wanted, moments) = own.computed(&arguments);
    agree("out", &out, &wanted);
    for (chain, of_layers) in moments.iter().enumerate() {
        for (layer, [mean, variance]) in of_layers.iter().enumerate() {
            if own.chains[chain].layers[layer].fixed.is_none() {
                let kept = kept.moments(chain, layer);
                let narrow =
                    |values: &[f64]| values.iter().map(|&x| x as f32).collect::<Vec<f32>>();
                agree("mean", &narrow(&kept.mean), mean);
                agree("variance", &narrow(&kept.variance), variance);
            }
        }
    }
    let by_out = wide(&by_out);
    let loss = |arguments: &[Vec<f64>]| {
        own.computed(arguments).0.iter().zip(&by_out).map(|(x, by)| x * by).sum::<f64>()
    };
    let mut moved = arguments.clone();
    let mut wanted = Vec::new();
    for (which, values) in arguments.iter().enumerate() {
        let mut own = Vec::new();
        for (i, value) in values.iter().enumerate() {
            const STEP: f64 = 1e-6;
            moved[which][i] = value + STEP;
            let above = loss(&moved);
            moved[which][i] = value - STEP;
            let below = loss(&moved);
            moved[which][i] = *value;
            own.push((above - below) / (2.0 * STEP));
        }
        wanted.push(own);
    }
    // Of a channel that is nearly constant, the batch norm multiplies what is rounded.
    let largest = wanted.iter().flatten().fold(1.0_f64, |largest, value| largest.max(value.abs()));
    for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        for (i, (found, wanted)) in found.iter().zip(wanted).enumerate() {
            let apart = (f64::from(*found) - wanted).abs() / largest;
            assert!(apart < 1e-4, "gradient {which}[{i}]: {found} for {wanted}, of {largest}");
        }
    }
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn small_blocks_have_the_values_and_gradients_of_their_definition(seed: u64, level in levels()) {
        holds(&own(seed, 1), seed, level);
    }

    #[test]
    fn windows_of_any_sides_have_them(seed: u64, level in levels()) {
        holds(&odd(seed), seed, level);
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn large_blocks_have_the_values_of_their_definition(seed: u64, level in levels()) {
        let own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (out, ..) = run(&own, Processor { level, pool: &Serial }, &by_out);
        agree("out", &out, &own.computed(&own.arguments()).0);
    }

    /// Whether all, none or some of what layers make is kept; what is not is computed again.
    #[test]
    fn gradients_do_not_depend_on_what_is_kept(seed: u64, level in levels()) {
        let processor = Processor { level, pool: &Threads };
        let mut own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (wanted, _, by_wanted) = run(&own, processor, &by_out);
        for kept_of_four in [0, 2] {
            let numbers = &mut Numbers(seed);
            for layer in own.chains.iter_mut().flat_map(|chain| &mut chain.layers) {
                let is_kept = numbers.below(4) < kept_of_four;
                layer.storage = if is_kept { Storage::Floats } else { Storage::Recomputed };
            }
            let (found, _, by_found) = run(&own, processor, &by_out);
            prop_assert_eq!(&found, &wanted);
            prop_assert_eq!(&by_found, &by_wanted);
        }
    }

    /// What is rounded changes nothing where it has 8 bits anyway, whatever else is computed again from it.
    #[test]
    fn what_has_few_bits_can_be_rounded(seed: u64, level in levels()) {
        let processor = Processor { level, pool: &Threads };
        let mut own = own(seed, 3);
        let by_out = Numbers(!seed).some(own.rest.len());
        let whole = |values: &mut Vec<f32>| values.iter_mut().for_each(|x| *x = x.clamp(-1.0, 1.0).round());
        own.maps.iter_mut().for_each(|(values, _)| whole(values));
        for chain in &mut own.chains {
            (chain.gate, chain.input) = (None, Activation::RELU);
            whole(&mut chain.layers[0].kernel);
        }
        let (wanted, _, by_wanted) = run(&own, processor, &by_out);
        for later in [Storage::Floats, Storage::Recomputed] {
            for layer in own.chains.iter_mut().flat_map(|chain| &mut chain.layers) {
                layer.storage = later;
            }
            own.chains.iter_mut().for_each(|chain| chain.layers[0].storage = Storage::BFloat16);
            let (found, _, by_found) = run(&own, processor, &by_out);
            prop_assert_eq!(&found, &wanted);
            prop_assert_eq!(&by_found, &by_wanted);
        }
    }

    /// Otherwise it changes nothing that is computed forward, and gradients little.
    #[test]
    fn what_is_rounded_changes_gradients_little(seed: u64, level in levels()) {
        let processor = Processor { level, pool: &Threads };
        let mut own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (wanted, _, by_wanted) = run(&own, processor, &by_out);
        let numbers = &mut Numbers(seed);
        for layer in own.chains.iter_mut().flat_map(|chain| &mut chain.layers) {
            layer.storage = match numbers.below(4) {
                0 => Storage::Floats,
                1 => Storage::Recomputed,
                _ => Storage::BFloat16,
            };
        }
        let (found, _, by_found) = run(&own, processor, &by_out);
        prop_assert_eq!(&found, &wanted);
        let pairs = by_found.iter().flatten().zip(by_wanted.iter().flatten());
        let (mut apart, mut norm) = (0.0, 0.0);
        for (found, wanted) in pairs {
            apart += f64::from(found - wanted).powi(2);
            norm += f64::from(*wanted).powi(2);
        }
        // Of a thousand values a few come to lie on the other side of a bound, which changes gradients by the root of that.
        assert!(apart.sqrt() <= 0.2 * norm.sqrt(), "{apart} of {norm}");
    }

    /// Those of what is learned do not depend on whether maps have gradients.
    #[test]
    fn gradients_of_maps_need_not_be_wanted(seed: u64, level in levels()) {
        let processor = Processor { level, pool: &Serial };
        let own = own(seed, 3);
        let by_out = Numbers(!seed).some(own.rest.len());
        let (.., wanted) = run(&own, processor, &by_out);
        let (.., found) = run_wanting(&own, processor, &by_out, false);
        let maps = 1..1 + own.maps.len();
        for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
            assert!(maps.contains(&which) || found == wanted, "{which}");
        }
    }

    /// Neither on the instructions, but for the last digits, nor at all on the threads.
    #[test]
    fn gradients_do_not_depend_on_what_computes_them(seed: u64) {
        let own = own(seed, 5);
        let by_out = Numbers(!seed).some(own.rest.len());
        let portable = Processor { level: Level::Portable, pool: &Serial };
        let (_, _, wanted) = run(&own, portable, &by_out);
        for level in Level::available() {
            let (out, _, found) = run(&own, Processor { level, pool: &Serial }, &by_out);
            let (same, _, again) = run(&own, Processor { level, pool: &Threads }, &by_out);
            assert_eq!(out, same);
            assert_eq!(found, again);
            for (which, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
                // A value near a bound may come to lie on its other side.
                let apart: f64 = found.iter().zip(wanted).map(|(a, b)| f64::from(a - b).powi(2)).sum();
                let norm: f64 = wanted.iter().map(|&b| f64::from(b).powi(2)).sum();
                assert!(apart.sqrt() <= 1e-2 * norm.sqrt() + 1e-3, "{which}: {apart} of {norm}");
            }
        }
    }
}
