//! Peaks worked by hand, and the search against all orders of random steps.

use nas_ir::measure::Bounds;
use proptest::prelude::*;

use super::MAX_STATES;
use super::order::peak;
use super::steps::{Step, Steps};

/// Steps from what each reads: bytes of its tensor, and the steps before it; one that reads nothing
/// is an input. Tensors that nothing reads are outputs.
fn steps(rows: &[(u64, &[usize])]) -> Steps {
    let mut steps: Vec<Step> = Vec::new();
    for (index, (bytes, reads)) in rows.iter().enumerate() {
        reads.iter().for_each(|&read| steps[read].readers.push(index));
        let step =
            if reads.is_empty() { Step::input(*bytes) } else { Step::new(*bytes, reads.to_vec()) };
        steps.push(step);
    }
    for step in &mut steps {
        step.is_kept = step.readers.is_empty();
    }
    Steps(steps.into())
}

fn exact(rows: &[(u64, &[usize])]) -> u64 {
    let steps = steps(rows);
    let plain = peak(&steps, MAX_STATES);
    assert_eq!(peak(&steps.joined(), MAX_STATES), plain);
    plain.exact().unwrap()
}

#[test]
fn a_chain_needs_the_largest_pair() {
    // 12 | 12+32 | 32+8 | 8+4
    assert_eq!(exact(&[(12, &[]), (32, &[0]), (8, &[1]), (4, &[2])]), 44);
}

#[test]
fn a_residual_keeps_its_operand() {
    // The operand of 16 waits while 16+48, 48+16 run: 16+16+48 at most.
    assert_eq!(exact(&[(16, &[]), (48, &[0]), (16, &[1]), (16, &[0, 2])]), 80);
}

/// As written, the branch that ends small runs last: 10 + 30 + 50 + 5 are never needed at once.
#[test]
fn the_best_order_is_not_the_written_one() {
    // 0 -> 1 (30); 0 -> 2 (50) -> 3 (5); (1, 3) -> 4.
    let diamond: &[(u64, &[usize])] = &[(10, &[]), (30, &[0]), (50, &[0]), (5, &[2]), (1, &[1, 3])];
    // Written: 10 + 30 + 50 while step 2 runs. Better: 2 first (60), 3 (65), 1 (10 + 5 + 30).
    assert_eq!(exact(diamond), 65);
}

#[test]
fn two_outputs_are_alive_until_the_end() {
    // 8 + 4, then 4 and 8 + 16: the first output is kept.
    assert_eq!(exact(&[(8, &[]), (4, &[0]), (16, &[0])]), 28);
}

#[test]
fn what_cannot_be_searched_is_a_bound() {
    // Branches that grow to 10 i and are reduced to i, which a sum reads: the larger ones go first.
    let ends: Vec<usize> = (25..49).collect();
    let mut rows: Vec<(u64, Vec<usize>)> = vec![(100, vec![])];
    rows.extend((1..=24).map(|branch| (10 * branch, vec![0])));
    rows.extend((1..=24).map(|branch| (branch, vec![branch as usize])));
    rows.push((1, ends));
    let rows: Vec<(u64, &[usize])> = rows.iter().map(|(b, reads)| (*b, reads.as_slice())).collect();
    let few = peak(&steps(&rows), 100);
    assert!(few.at_least < few.at_most, "{few:?}");
    // 100 + 24 + 23 + … + 11 + 10 * 10
    assert!(few.at_least <= 445 && 445 <= few.at_most, "{few:?}");
}

/// The peak of the best of all orders.
fn brute(steps: &[Step]) -> u64 {
    fn go(steps: &[Step], done: &mut Vec<bool>, so_far: u64, best: &mut u64) {
        let alive = |done: &[bool]| -> u64 {
            let is_alive = |&(index, step): &(usize, &Step)| {
                let is_read_later = step.readers.iter().any(|&reader| !done[reader]);
                done[index] && (step.is_kept || is_read_later)
            };
            steps.iter().enumerate().filter(is_alive).map(|(_, step)| step.bytes).sum()
        };
        if done.iter().all(|&done| done) {
            *best = so_far.min(*best);
        }
        for (index, step) in steps.iter().enumerate() {
            if !done[index] && step.reads.iter().all(|&read| done[read]) {
                let during = alive(done) + step.bytes;
                done[index] = true;
                go(steps, done, so_far.max(during), best);
                done[index] = false;
            }
        }
    }
    let mut done: Vec<bool> = steps.iter().map(|step| step.is_input()).collect();
    let inputs = steps.iter().filter(|step| step.is_input()).map(|step| step.bytes).sum();
    let mut best = u64::MAX;
    go(steps, &mut done, inputs, &mut best);
    best
}

fn random_rows() -> impl Strategy<Value = Vec<(u64, Vec<usize>, bool)>> {
    let row = (0u64..20, proptest::collection::vec(any::<prop::sample::Index>(), 1..3), 0..6u8);
    proptest::collection::vec(row, 1..9).prop_map(|rows| {
        let mut made = vec![(7, Vec::new(), false)];
        for (index, (bytes, reads, kind)) in rows.into_iter().enumerate() {
            // Reads from the last few steps make long and entangled branches.
            let near = |read: prop::sample::Index| {
                let back = read.index((index + 1).min(4));
                index - back
            };
            let mut reads: Vec<usize> = reads.into_iter().map(near).collect();
            reads.sort_unstable();
            reads.dedup();
            made.push((bytes, reads, kind == 0));
        }
        made
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_search_finds_the_best_of_all_orders(rows in random_rows(), few in 0usize..6) {
        let plain: Vec<(u64, &[usize])> =
            rows.iter().map(|(bytes, reads, _)| (*bytes, reads.as_slice())).collect();
        let mut steps = steps(&plain);
        for (step, (_, _, is_kept)) in steps.0.rows_mut().iter_mut().zip(&rows) {
            step.is_kept |= is_kept;
        }
        let best = brute(steps.0.rows());
        prop_assert_eq!(peak(&steps, MAX_STATES), Bounds::exactly(best));
        prop_assert_eq!(peak(&steps.clone().joined(), MAX_STATES), Bounds::exactly(best));
        let bounds = peak(&steps, few);
        prop_assert!(bounds.at_least <= best && best <= bounds.at_most, "{:?} of {}", bounds, best);
    }
}
