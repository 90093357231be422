//! Products of matrices in tiles that stay in registers.
//!
//! Columns come in panels of [`WIDE`] or [`NARROW`], padded with zeros; rows come as they are. What is done with an
//! element of a product is the caller's ([`Finish`]), so that it never goes to memory and back.

#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use crate::simd::{Level, Portable, Simd};

/// Columns of a wide panel.
pub(crate) const WIDE: usize = 32;
/// Columns of a narrow one.
pub(crate) const NARROW: usize = 16;

/// Rows of floats at even distances in memory.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) first: *const f32,
    /// Floats from one row to the next.
    pub(crate) step: usize,
    pub(crate) count: usize,
}

/// Floats of a row of a product that do not lie side by side: from where on, and how many each time.
pub(crate) type RunsOf<'a> = (&'a [usize], usize);

/// Vectors of rows that follow each other.
pub(crate) type Tile<S, const R: usize, const V: usize> = [[<S as Simd>::V; V]; R];

/// What becomes of a product.
pub(crate) trait Finish<S: Simd> {
    /// Takes the first `count` rows of a tile, from such a row and column of the panel on. What belongs to a column is loaded once
    /// for all rows.
    ///
    /// # Safety
    /// The processor has the instructions.
    unsafe fn take<const R: usize, const V: usize>(
        &mut self,
        place: [usize; 2],
        tile: Tile<S, R, V>,
        count: usize,
    );
}

/// Writes a product, or adds it to what is there.
pub(crate) struct Write {
    pub(crate) to: *mut f32,
    pub(crate) step: usize,
    /// Columns that there are.
    pub(crate) columns: usize,
    pub(crate) adds: bool,
}

impl<S: Simd> Finish<S> for Write {
    #[inline(always)]
    unsafe fn take<const R: usize, const V: usize>(
        &mut self,
        [row, column]: [usize; 2],
        tile: Tile<S, R, V>,
        count: usize,
    ) {
        unsafe {
            for j in 0..V {
                let column = column + j * S::N;
                let left = self.columns.saturating_sub(column);
                let mut to = self.to.add(row * self.step + column);
                for (i, row) in tile.iter().enumerate() {
                    if i < count {
                        let v = row[j];
                        let v = if self.adds { S::add(v, S::load_some(to, left)) } else { v };
                        S::store_some(to, v, left);
                        to = to.add(self.step);
                    }
                }
            }
        }
    }
}

/// Instructions, with the shapes of tiles that fit their registers.
pub(crate) trait Tiles: Simd {
    /// `left * right`: `left` has rows of `inner` floats, `right` is `[inner][WIDE]`.
    unsafe fn wide<F: Finish<Self>>(left: Rows, inner: usize, right: *const f32, finish: &mut F);
    /// The same with `right` as `[inner][NARROW]`.
    unsafe fn narrow<F: Finish<Self>>(left: Rows, inner: usize, right: *const f32, finish: &mut F);
    /// As [`Self::wide`], where floats of a row do not lie side by side.
    unsafe fn wide_of_runs<F: Finish<Self>>(
        left: Rows,
        runs: RunsOf<'_>,
        right: *const f32,
        finish: &mut F,
    );
    /// As [`Self::narrow`].
    unsafe fn narrow_of_runs<F: Finish<Self>>(
        left: Rows,
        runs: RunsOf<'_>,
        right: *const f32,
        finish: &mut F,
    );
    /// `sum += left^T * right`: `left` has rows of `across` floats, `right` rows of [`WIDE`], `sum` is
    /// `[across]` rows of [`WIDE`].
    unsafe fn outer_wide(left: Rows, across: usize, right: Rows, sum: *mut f32, step: usize);
    /// The same with rows of [`NARROW`].
    unsafe fn outer_narrow(left: Rows, across: usize, right: Rows, sum: *mut f32, step: usize);
}

macro_rules! tiles {
    ($name:ident, wide $wr:literal x $wn:literal, narrow $nr:literal x $nn:literal) => {
        impl Tiles for $name {
            #[inline(always)]
            unsafe fn wide<F: Finish<Self>>(
                left: Rows,
                inner: usize,
                right: *const f32,
                finish: &mut F,
            ) {
                unsafe { product::<Self, $wr, $wn, F>(left, inner, right, finish) }
            }
            #[inline(always)]
            unsafe fn wide_of_runs<F: Finish<Self>>(
                left: Rows,
                runs: RunsOf<'_>,
                right: *const f32,
                finish: &mut F,
            ) {
                unsafe { product_of_runs::<Self, $wr, $wn, F>(left, runs, right, finish) }
            }
            #[inline(always)]
            unsafe fn narrow<F: Finish<Self>>(
                left: Rows,
                inner: usize,
                right: *const f32,
                finish: &mut F,
            ) {
                unsafe { product::<Self, $nr, $nn, F>(left, inner, right, finish) }
            }
            #[inline(always)]
            unsafe fn narrow_of_runs<F: Finish<Self>>(
                left: Rows,
                runs: RunsOf<'_>,
                right: *const f32,
                finish: &mut F,
            ) {
                unsafe { product_of_runs::<Self, $nr, $nn, F>(left, runs, right, finish) }
            }
            #[inline(always)]
            unsafe fn outer_wide(
                left: Rows,
                across: usize,
                right: Rows,
                sum: *mut f32,
                step: usize,
            ) {
                unsafe { outer::<Self, $wr, $wn>(left, across, right, sum, step) }
            }
            #[inline(always)]
            unsafe fn outer_narrow(
                left: Rows,
                across: usize,
                right: Rows,
                sum: *mut f32,
                step: usize,
            ) {
                unsafe { outer::<Self, $nr, $nn>(left, across, right, sum, step) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles!(Avx512, wide 8 x 2, narrow 8 x 1);
#[cfg(target_arch = "x86_64")]
tiles!(Avx2, wide 2 x 4, narrow 4 x 2);
tiles!(Portable, wide 2 x 4, narrow 2 x 2);

/// Rows in tiles of `R`, columns in one tile of `V` vectors. (No closures here: they are compiled without the instructions
/// of what they stand in.)
#[inline(always)]
unsafe fn product<S: Simd, const R: usize, const V: usize, F: Finish<S>>(
    left: Rows,
    inner: usize,
    right: *const f32,
    finish: &mut F,
) {
    unsafe {
        let mut row = 0;
        while row < left.count {
            let rows = left.tile::<R>(row);
            let mut sums = [[S::splat(0.0); V]; R];
            accumulate::<S, R, V>(rows, inner, right, &mut sums);
            finish.take([row, 0], sums, left.count - row);
            row += R;
        }
    }
}

/// The same where floats of a row do not lie side by side.
#[inline(always)]
unsafe fn product_of_runs<S: Simd, const R: usize, const V: usize, F: Finish<S>>(
    left: Rows,
    (runs, length): RunsOf<'_>,
    right: *const f32,
    finish: &mut F,
) {
    unsafe {
        let mut row = 0;
        while row < left.count {
            let first = left.tile::<R>(row);
            let mut sums = [[S::splat(0.0); V]; R];
            let mut right = right;
            for run in runs {
                let mut rows = first;
                for row in &mut rows {
                    *row = row.add(*run);
                }
                accumulate::<S, R, V>(rows, length, right, &mut sums);
                right = right.add(length * V * S::N);
            }
            finish.take([row, 0], sums, left.count - row);
            row += R;
        }
    }
}

impl Rows {
    /// So many rows from one on; those behind the last are the last once more.
    #[inline(always)]
    unsafe fn tile<const R: usize>(self, row: usize) -> [*const f32; R] {
        let last = self.count - 1 - row;
        let mut rows = [self.first; R];
        for (i, place) in rows.iter_mut().enumerate() {
            *place = unsafe { self.first.add((row + i.min(last)) * self.step) };
        }
        rows
    }
}

/// `sums += rows * right` for `right` as `[inner][V vectors]`.
#[inline(always)]
unsafe fn accumulate<S: Simd, const R: usize, const V: usize>(
    rows: [*const f32; R],
    inner: usize,
    right: *const f32,
    sums: &mut [[S::V; V]; R],
) {
    unsafe {
        let mut b = right;
        for k in 0..inner {
            let mut columns = [S::splat(0.0); V];
            for (j, column) in columns.iter_mut().enumerate() {
                *column = S::load(b.add(j * S::N));
            }
            b = b.add(V * S::N);
            for (sums, row) in sums.iter_mut().zip(rows) {
                let a = S::splat(*row.add(k));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = S::fma(a, column, *sum);
                }
            }
        }
    }
}

/// Columns of `left` in tiles of `R`.
#[inline(always)]
unsafe fn outer<S: Simd, const R: usize, const V: usize>(
    left: Rows,
    across: usize,
    right: Rows,
    sum: *mut f32,
    step: usize,
) {
    unsafe {
        let mut column = 0;
        while column < across {
            let last = across - 1 - column;
            let mut sums = [[S::splat(0.0); V]; R];
            let (mut a, mut b) = (left.first.add(column), right.first);
            for _ in 0..left.count {
                let mut values = [S::splat(0.0); V];
                for (j, value) in values.iter_mut().enumerate() {
                    *value = S::load(b.add(j * S::N));
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let a = S::splat(*a.add(i.min(last)));
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = S::fma(a, value, *sum);
                    }
                }
                a = a.add(left.step);
                b = b.add(right.step);
            }
            for (i, sums) in sums.into_iter().enumerate() {
                if i <= last {
                    for (j, own) in sums.into_iter().enumerate() {
                        let to = sum.add((column + i) * step + j * S::N);
                        S::store(to, S::add(S::load(to), own));
                    }
                }
            }
            column += R;
        }
    }
}

/// Columns in wide panels, and a narrow one at the end if that is enough.
pub(crate) fn panels(columns: usize) -> impl Iterator<Item = Panel> {
    let wide = columns / WIDE;
    let rest = columns - wide * WIDE;
    let ends = (rest > 0).then(|| Panel {
        first: wide * WIDE,
        columns: rest,
        width: if rest <= NARROW { NARROW } else { WIDE },
    });
    (0..wide).map(|i| Panel { first: i * WIDE, columns: WIDE, width: WIDE }).chain(ends)
}

/// Some columns of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panel {
    pub(crate) first: usize,
    /// Columns that there are.
    pub(crate) columns: usize,
    /// Columns with those that pad it.
    pub(crate) width: usize,
}

impl Panel {
    /// `left * right` for `right` as `[inner][width]`.
    #[inline(always)]
    pub(crate) unsafe fn product<S: Tiles, F: Finish<S>>(
        self,
        left: Rows,
        inner: usize,
        right: *const f32,
        finish: &mut F,
    ) {
        unsafe {
            if self.width == WIDE {
                S::wide(left, inner, right, finish);
            } else {
                S::narrow(left, inner, right, finish);
            }
        }
    }

    /// The same where floats of a row do not lie side by side.
    #[inline(always)]
    pub(crate) unsafe fn product_of_runs<S: Tiles, F: Finish<S>>(
        self,
        left: Rows,
        runs: RunsOf<'_>,
        right: *const f32,
        finish: &mut F,
    ) {
        unsafe {
            if self.width == WIDE {
                S::wide_of_runs(left, runs, right, finish);
            } else {
                S::narrow_of_runs(left, runs, right, finish);
            }
        }
    }

    /// `sum += left^T * right` for rows of `right` with `width` floats.
    #[inline(always)]
    pub(crate) unsafe fn outer<S: Tiles>(
        self,
        left: Rows,
        across: usize,
        right: Rows,
        sum: *mut f32,
        step: usize,
    ) {
        unsafe {
            if self.width == WIDE {
                S::outer_wide(left, across, right, sum, step);
            } else {
                S::outer_narrow(left, across, right, sum, step);
            }
        }
    }
}

/// The columns with those that pad whole vectors.
pub(crate) fn padded(columns: usize) -> usize {
    columns.next_multiple_of(NARROW)
}

/// The width of all panels of so many columns together.
pub(crate) fn padded_width(columns: usize) -> usize {
    panels(columns).last().map_or(0, |panel| panel.first + panel.width)
}

/// The values with zeros behind, as panels are padded.
pub(crate) fn with_padding(values: &[f32]) -> Vec<f32> {
    let mut all = values.to_vec();
    all.resize(padded_width(values.len()), 0.0);
    all
}

/// What is compiled for each set of instructions.
pub(crate) trait Job {
    /// Does it. To be inlined, so that it is compiled with the instructions of its caller.
    ///
    /// # Safety
    /// The processor has the instructions.
    unsafe fn run<S: Tiles>(self);
}

/// Does a job with these instructions.
///
/// # Safety
/// The processor has them, as it has what [`Level::detected`] says.
#[inline]
pub(crate) unsafe fn at<J: Job>(level: Level, job: J) {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx2,fma")]
    unsafe fn avx512<J: Job>(job: J) {
        unsafe { job.run::<Avx512>() }
    }
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<J: Job>(job: J) {
        unsafe { job.run::<Avx2>() }
    }
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(job) },
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(job) },
        _ => unsafe { job.run::<Portable>() },
    }
}
