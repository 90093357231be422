//! Numbers of networks as cells of tables: as wide as the number of all networks needs.

use std::hash::Hash;
use std::marker::PhantomData;

use num_bigint::BigUint;

use super::budget::Algebra;
use super::priced::Price;

/// A number of networks.
pub(super) trait Count: Clone + Eq + Hash + Ord + Send + Sync {
    /// How much longer it takes to add two than to add two of 128 bits.
    const DEARNESS: f64;
    /// This small number.
    fn small(count: u32) -> Self;
    /// Adds another, `times` over.
    fn add(&mut self, more: &Self, times: u32);
    /// Adds numbers to those at the same places, `times` over.
    fn add_all(sums: &mut [Self], more: &[Self], times: u32) {
        sums.iter_mut().zip(more).for_each(|(sum, more)| sum.add(more, times));
    }
    /// The number, whatever its size.
    fn to_big(&self) -> BigUint;
}

// INVARIANT: of fixed widths, that one is used in which the number of all networks fits; no
// count is above it.

impl Count for u128 {
    const DEARNESS: f64 = 1.0;

    fn small(count: u32) -> Self {
        u128::from(count)
    }

    fn add(&mut self, more: &Self, times: u32) {
        *self = self.wrapping_add(more.wrapping_mul(u128::from(times)));
    }

    fn add_all(sums: &mut [Self], more: &[Self], times: u32) {
        // Nearly always once: so that nothing is multiplied then.
        if times == 1 {
            return sums
                .iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum = sum.wrapping_add(*more));
        }
        sums.iter_mut().zip(more).for_each(|(sum, more)| sum.add(more, times));
    }

    fn to_big(&self) -> BigUint {
        BigUint::from(*self)
    }
}

/// A number of so many digits to the base of 2^64, the greatest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Wide<const DIGITS: usize>([u64; DIGITS]);

impl<const DIGITS: usize> Count for Wide<DIGITS> {
    const DEARNESS: f64 = DIGITS as f64;

    fn small(count: u32) -> Self {
        let mut digits = [0; DIGITS];
        digits.last_mut().into_iter().for_each(|digit| *digit = u64::from(count));
        Self(digits)
    }

    fn add(&mut self, more: &Self, times: u32) {
        let mut carry = 0u128;
        for (digit, more) in self.0.iter_mut().zip(&more.0).rev() {
            carry += u128::from(*digit) + u128::from(*more) * u128::from(times);
            *digit = carry as u64;
            carry >>= 64;
        }
    }

    fn to_big(&self) -> BigUint {
        let halves = self.0.iter().rev().flat_map(|digit| [*digit as u32, (digit >> 32) as u32]);
        BigUint::new(halves.collect())
    }
}

impl Count for BigUint {
    const DEARNESS: f64 = 64.0;

    fn small(count: u32) -> Self {
        BigUint::from(count)
    }

    fn add(&mut self, more: &Self, times: u32) {
        *self += more * times;
    }

    fn to_big(&self) -> BigUint {
        self.clone()
    }
}

/// A computation that counts with numbers of any width.
pub(super) trait Counted {
    /// What comes out.
    type Output;
    /// Does it.
    fn with<C: Count + 'static>(self) -> Self::Output;
}

/// Does a computation with numbers in which this one fits.
pub(super) fn counted<D: Counted>(most: &BigUint, computation: D) -> D::Output {
    match most.bits() {
        0..=128 => computation.with::<u128>(),
        129..=256 => computation.with::<Wide<4>>(),
        257..=512 => computation.with::<Wide<8>>(),
        _ => computation.with::<BigUint>(),
    }
}

/// How many completions there are.
pub(super) struct Counting<C>(PhantomData<C>);

impl<C> Default for Counting<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<C: Count> Algebra for Counting<C> {
    type Cell = C;

    const DEARNESS: f64 = C::DEARNESS;

    fn none(&self) -> C {
        C::small(0)
    }

    fn end(&self) -> C {
        C::small(1)
    }

    fn add(&self, sums: &mut [C], rests: &[C], _price: &Price, times: u32) {
        C::add_all(sums, rests, times);
    }
}

#[cfg(test)]
mod tests {
    use super::{BigUint, Count, Wide};

    /// Sums that carry from digit to digit, in every width.
    fn sum<C: Count>() -> BigUint {
        let mut sum = C::small(7);
        for times in [1, 3, u32::MAX, u32::MAX, 5, u32::MAX] {
            let more = sum.clone();
            sum.add(&more, times);
        }
        sum.to_big()
    }

    #[test]
    fn all_widths_count_alike() {
        let expected = sum::<BigUint>();
        assert!(expected.bits() > 64 && expected.bits() <= 128, "{expected}");
        assert_eq!(sum::<u128>(), expected);
        assert_eq!(sum::<Wide<4>>(), expected);
        assert_eq!(sum::<Wide<8>>(), expected);
        assert!(Wide::<4>::small(1) < Wide::<4>::small(2));
    }
}
