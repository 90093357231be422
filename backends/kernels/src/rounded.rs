//! Values that wait for their gradient in half of the memory: as bfloat16, with the range of floats and 7 bits behind the point.

use crate::memory::Buffer;
use crate::simd::Level;
use crate::tiles::{Job, Tiles, at};
use crate::work::{Shared, TASKS, Work, stretches};

/// Values that a task converts at least.
const GRAIN: usize = 4096;
/// Bits of a float that are left out.
const LESS: u32 = 16;
/// What keeps a number that is none from becoming infinite.
const QUIET: u16 = 0x40;

/// Floats, each rounded to the nearest bfloat16, and of two that are as near to the even one.
#[derive(Debug)]
pub(crate) struct Rounded {
    /// Two in the place of each float.
    memory: Buffer,
    len: usize,
}

impl Rounded {
    /// Memory for so many, which hold any values at first.
    pub(crate) fn new(len: usize) -> Self {
        Self { memory: Buffer::new(len.div_ceil(2)), len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn values(&self) -> &[u16] {
        // SAFETY: floats have place for two each, and any bits are a number of 16.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }

    fn values_mut(&mut self) -> &mut [u16] {
        // SAFETY: as above, and any bits are a float.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_mut_ptr().cast(), self.len) }
    }
}

/// Numbers to be written in another form.
pub(crate) struct Conversion<'a> {
    from: From<'a>,
    stretches: Vec<[usize; 2]>,
}

enum From<'a> {
    Floats(&'a [f32], Shared<u16>),
    Rounded(&'a [u16], Shared),
}

impl<'a> Conversion<'a> {
    /// Rounds as many floats.
    pub(crate) fn round(from: &'a [f32], to: &mut Rounded) -> Self {
        assert_eq!(from.len(), to.len, "as many");
        let stretches = stretches(from.len(), GRAIN, TASKS);
        Self { from: From::Floats(from, Shared::new(to.values_mut())), stretches }
    }

    /// Writes as many floats of the same values.
    pub(crate) fn widen(from: &'a Rounded, to: &mut Buffer) -> Self {
        assert_eq!(from.len, to.len(), "as many");
        let stretches = stretches(from.len, GRAIN, TASKS);
        Self { from: From::Rounded(from.values(), Shared::new(to)), stretches }
    }
}

impl Work for Conversion<'_> {
    fn tasks(&self) -> usize {
        self.stretches.len()
    }

    fn run(&self, level: Level, task: usize) {
        let [first, end] = self.stretches[task];
        // SAFETY: the level is one that was detected; stretches lie within both, and each is a task's own.
        unsafe {
            match self.from {
                From::Floats(from, to) => {
                    let to = std::slice::from_raw_parts_mut(to.at(first), end - first);
                    at(level, Round { from: &from[first..end], to });
                }
                From::Rounded(from, to) => {
                    let to = std::slice::from_raw_parts_mut(to.at(first), end - first);
                    at(level, Widen { from: &from[first..end], to });
                }
            }
        }
    }
}

struct Round<'a> {
    from: &'a [f32],
    to: &'a mut [u16],
}

impl Job for Round<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = rounded(*from);
        }
    }
}

struct Widen<'a> {
    from: &'a [u16],
    to: &'a mut [f32],
}

impl Job for Widen<'_> {
    #[inline(always)]
    unsafe fn run<S: Tiles>(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = f32::from_bits(u32::from(*from) << LESS);
        }
    }
}

#[inline(always)]
fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    let half = (1 << (LESS - 1)) - 1;
    let even = (bits >> LESS) & 1;
    let nearest = (bits.wrapping_add(half + even) >> LESS) as u16;
    let cut = (bits >> LESS) as u16 | QUIET;
    if value.is_nan() { cut } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::{Processor, Serial};

    fn there_and_back(values: &[f32], level: Level) -> Vec<f32> {
        let processor = Processor { level, pool: &Serial };
        let mut rounded = Rounded::new(values.len());
        processor.all(c"test", &[Conversion::round(values, &mut rounded)]);
        let mut back = Buffer::new(values.len());
        processor.all(c"test", &[Conversion::widen(&rounded, &mut back)]);
        back.to_vec()
    }

    #[test]
    fn the_nearest_is_taken_and_of_two_the_even_one() {
        let step = 2.0_f32.powi(-7);
        let values = [1.0, 1.0 + step, 1.0 + 0.5 * step, 1.0 + 1.5 * step, -1.0 - 0.51 * step, 0.0];
        let wanted = [1.0, 1.0 + step, 1.0, 1.0 + 2.0 * step, -1.0 - step, 0.0];
        for level in Level::available() {
            assert_eq!(there_and_back(&values, level), wanted);
        }
    }

    #[test]
    fn what_is_no_number_stays_none_and_what_is_too_large_is_infinite() {
        let odd =
            [f32::NAN, f32::from_bits(0x7f80_0001), f32::INFINITY, -f32::MAX, f32::MIN_POSITIVE];
        for level in Level::available() {
            let back = there_and_back(&odd, level);
            assert!(back[0].is_nan() && back[1].is_nan());
            assert_eq!(back[2..], [f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE]);
        }
    }

    #[test]
    fn each_value_is_within_half_of_a_step() {
        let values: Vec<f32> =
            (0..10_001).map(|i| (i as f32 * 0.37).sin() * 3.0_f32.powi(i % 40 - 20)).collect();
        for level in Level::available() {
            for (value, back) in values.iter().zip(there_and_back(&values, level)) {
                assert!((value - back).abs() <= value.abs() * 2.0_f32.powi(-8), "{value} {back}");
            }
        }
    }
}
