//! Means and variances that are gathered in parts.
//!
//! The variance of a part is taken about its own mean, and parts are put together by what their means differ (Chan et al.
//! 1979), so that nothing is lost where values are far from 0 and near each other.

use crate::simd::Simd;
use crate::tiles::Rows;

/// Sums that are gathered side by side: a step of one does not wait for that before it.
const CHAINS: usize = 4;

/// Mean and biased variance of each channel over all pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The means.
    pub mean: Vec<f64>,
    /// The variances.
    pub variance: Vec<f64>,
}

impl Moments {
    /// Of parts of so many values each: a row of means, and of sums of squares about them.
    pub(crate) fn of_parts<'a>(
        channels: usize,
        parts: impl Iterator<Item = (usize, [&'a [f64]; 2])>,
    ) -> Self {
        let mut all = Self { mean: vec![0.0; channels], variance: vec![0.0; channels] };
        let mut before = 0;
        for (count, [mean, square]) in parts {
            // SAFETY: rows are as long as there are channels.
            unsafe {
                put(
                    (all.mean.as_mut_ptr(), all.variance.as_mut_ptr(), before),
                    (|channel| mean[channel], |channel| square[channel], count),
                    channels,
                );
            }
            before += count;
        }
        for variance in &mut all.variance {
            *variance /= before.max(1) as f64;
        }
        all
    }
}

/// Puts a part to what there is: means, sums of squares about them, and of how many values.
///
/// # Safety
/// There are so many of each.
#[inline(always)]
unsafe fn put(
    (mean, square, before): (*mut f64, *mut f64, usize),
    (of_mean, of_square, count): (impl Fn(usize) -> f64, impl Fn(usize) -> f64, usize),
    channels: usize,
) {
    let (before, count) = (before as f64, count as f64);
    let all = before + count;
    if all == 0.0 {
        return;
    }
    for channel in 0..channels {
        unsafe {
            let apart = of_mean(channel) - *mean.add(channel);
            *mean.add(channel) += apart * count / all;
            *square.add(channel) += of_square(channel) + apart * apart * before * count / all;
        }
    }
}

/// Where moments of a task are gathered: `width` means, and as many sums of squares about them.
#[derive(Clone, Copy)]
pub(crate) struct Gathered {
    pub(crate) to: *mut f64,
    pub(crate) width: usize,
}

impl Gathered {
    /// Puts the values of some columns of rows to what was gathered of so many values before. `scratch` has room for `2 * width`
    /// floats, of which the first `width` hold the sums of the columns.
    ///
    /// # Safety
    /// The processor has the instructions, and `width` columns are a multiple of vectors; columns behind `columns` are not there.
    #[inline(always)]
    pub(crate) unsafe fn put<S: Simd>(
        self,
        rows: Rows,
        columns: usize,
        before: usize,
        scratch: *mut f32,
    ) {
        unsafe {
            let (sums, squares) = (scratch, scratch.add(self.width));
            let share = S::splat(1.0 / rows.count as f32);
            let mut column = 0;
            while column < columns {
                let left = columns - column;
                let mean = S::mul(S::load(sums.add(column)), share);
                S::store(sums.add(column), mean);
                let mut totals = [S::splat(0.0); CHAINS];
                let mut place = rows.first.add(column);
                for _ in 0..rows.count / CHAINS {
                    for total in &mut totals {
                        let apart = S::sub(S::load_some(place, left), mean);
                        *total = S::fma(apart, apart, *total);
                        place = place.add(rows.step);
                    }
                }
                let [mut total, others @ ..] = totals;
                for _ in 0..rows.count % CHAINS {
                    let apart = S::sub(S::load_some(place, left), mean);
                    total = S::fma(apart, apart, total);
                    place = place.add(rows.step);
                }
                for other in others {
                    total = S::add(total, other);
                }
                S::store(squares.add(column), total);
                column += S::N;
            }
            put(
                (self.to, self.to.add(self.width), before),
                (
                    |column| f64::from(*sums.add(column)),
                    |column| f64::from(*squares.add(column)),
                    rows.count,
                ),
                columns,
            );
        }
    }
}
