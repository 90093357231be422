//! Vectors of floats, in the instruction set that the processor has.
//!
//! A kernel is written once, generic over [`Simd`], and compiled for each set (`tiles::at`); which one runs is decided
//! at run time. The portable form is plain arrays, which compilers turn into NEON or SSE.

/// Which instructions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// AVX-512: vectors of 16.
    Avx512,
    /// AVX2 with FMA: vectors of 8.
    Avx2,
    /// Plain arrays of 8.
    Portable,
}

impl Level {
    /// The best that this processor has.
    #[must_use]
    pub fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                return Self::Avx512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// All that this processor has.
    #[must_use]
    pub fn available() -> Vec<Self> {
        match Self::detected() {
            Self::Avx512 => vec![Self::Avx512, Self::Avx2, Self::Portable],
            Self::Avx2 => vec![Self::Avx2, Self::Portable],
            Self::Portable => vec![Self::Portable],
        }
    }
}

/// Vectors of so many floats.
///
/// # Safety
/// All functions: the processor has the instructions, and pointers are to as many floats as are read or written.
pub(crate) trait Simd: Copy {
    /// A vector.
    type V: Copy;
    /// Its floats.
    const N: usize;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    /// The first `count` floats, zeros behind; all if there are more.
    unsafe fn load_some(from: *const f32, count: usize) -> Self::V;
    unsafe fn store(to: *mut f32, v: Self::V);
    /// The first `count` floats; all if there are more.
    unsafe fn store_some(to: *mut f32, v: Self::V, count: usize);
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `x`, at least `least` and at most `most`; NaN stays what it is.
    unsafe fn clamp(x: Self::V, least: Self::V, most: Self::V) -> Self::V;
    /// `v` where `least < x < most`, and 0 elsewhere.
    unsafe fn inside(x: Self::V, least: Self::V, most: Self::V, v: Self::V) -> Self::V;
    /// The greater one of each pair.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The greatest of all.
    unsafe fn greatest(v: Self::V) -> f32;
    /// The sum of all.
    unsafe fn sum(v: Self::V) -> f32;
    /// `2^n` for whole numbers from -126 to 127, given as `n +` [`WHOLE`].
    unsafe fn power_of_two(n: Self::V) -> Self::V;
}

/// What is added to a float to round it: behind its point there is nothing left, and its last bits are the whole number.
const WHOLE: f32 = 1.5 * (1 << 23) as f32;
/// The bits of 1.
const ONE: u32 = 127 << 23;

/// The exponential of numbers from -87 to 0, right to two units in the last place.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    /// ln 2 in two parts, the first of few bits.
    const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
    /// 1 / k! from 7 down to 0.
    const TERMS: [f32; 8] =
        [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    unsafe {
        let whole = S::splat(WHOLE);
        let n = S::fma(x, S::splat(std::f32::consts::LOG2_E), whole);
        let rounded = S::sub(n, whole);
        let rest = S::fma(rounded, S::splat(-LN_2[0]), x);
        let rest = S::fma(rounded, S::splat(-LN_2[1]), rest);
        let mut sum = S::splat(TERMS[0]);
        let mut term = 1;
        while term < TERMS.len() {
            sum = S::fma(sum, rest, S::splat(TERMS[term]));
            term += 1;
        }
        S::mul(sum, S::power_of_two(n))
    }
}

/// `1 / (1 + exp(-x))`.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
pub(crate) unsafe fn sigmoid<S: Simd>(x: S::V) -> S::V {
    /// Where the exponential is still right.
    const LEAST: f32 = -87.0;
    unsafe {
        let (zero, one) = (S::splat(0.0), S::splat(1.0));
        let size = S::max(x, S::sub(zero, x));
        let small = exp::<S>(S::clamp(S::sub(zero, size), S::splat(LEAST), zero));
        // `small` below 0, 1 elsewhere.
        let below = S::inside(x, S::splat(f32::NEG_INFINITY), zero, S::sub(small, one));
        S::div(S::add(one, below), S::add(one, small))
    }
}

/// Plain arrays.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

/// Eight floats.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(crate) struct Eight([f32; 8]);

impl Eight {
    #[inline(always)]
    fn each(f: impl FnMut(usize) -> f32) -> Self {
        Self(std::array::from_fn(f))
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut values = self.0;
        for (value, other) in values.iter_mut().zip(other.0) {
            *value = f(*value, other);
        }
        Self(values)
    }
}

impl Simd for Portable {
    type V = Eight;
    const N: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Eight {
        Eight([x; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Eight {
        Eight(unsafe { from.cast::<[f32; 8]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn load_some(from: *const f32, count: usize) -> Eight {
        Eight::each(|i| if i < count { unsafe { *from.add(i) } } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: Eight) {
        unsafe { to.cast::<[f32; 8]>().write_unaligned(v.0) }
    }
    #[inline(always)]
    unsafe fn store_some(to: *mut f32, v: Eight, count: usize) {
        for (i, value) in v.0.into_iter().take(count).enumerate() {
            unsafe { *to.add(i) = value }
        }
    }
    #[inline(always)]
    unsafe fn add(a: Eight, b: Eight) -> Eight {
        a.zip(b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: Eight, b: Eight) -> Eight {
        a.zip(b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: Eight, b: Eight) -> Eight {
        a.zip(b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: Eight, b: Eight) -> Eight {
        a.zip(b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn fma(a: Eight, b: Eight, c: Eight) -> Eight {
        a.zip(b, |a, b| a * b).zip(c, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn clamp(x: Eight, least: Eight, most: Eight) -> Eight {
        let above = x.zip(least, |x, least| if x < least { least } else { x });
        above.zip(most, |x, most| if x > most { most } else { x })
    }
    #[inline(always)]
    unsafe fn inside(x: Eight, least: Eight, most: Eight, v: Eight) -> Eight {
        let mut values = v.0;
        let bounds = least.0.into_iter().zip(most.0);
        for ((value, x), (least, most)) in values.iter_mut().zip(x.0).zip(bounds) {
            *value = if x > least && x < most { *value } else { 0.0 };
        }
        Eight(values)
    }
    #[inline(always)]
    unsafe fn max(a: Eight, b: Eight) -> Eight {
        a.zip(b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn greatest(v: Eight) -> f32 {
        v.0.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
    #[inline(always)]
    unsafe fn sum(v: Eight) -> f32 {
        v.0.into_iter().sum()
    }
    #[inline(always)]
    unsafe fn power_of_two(n: Eight) -> Eight {
        Eight(n.0.map(|n| f32::from_bits((n.to_bits() << 23).wrapping_add(ONE))))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use crate::simd::{ONE, Simd};

    /// AVX-512.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512;

    #[inline(always)]
    fn first_16(count: usize) -> __mmask16 {
        if count >= 16 { !0 } else { (1 << count) - 1 }
    }

    impl Simd for Avx512 {
        type V = __m512;
        const N: usize = 16;

        #[inline(always)]
        unsafe fn splat(x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn load_some(from: *const f32, count: usize) -> __m512 {
            unsafe { _mm512_maskz_loadu_ps(first_16(count), from) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: __m512) {
            unsafe { _mm512_storeu_ps(to, v) }
        }
        #[inline(always)]
        unsafe fn store_some(to: *mut f32, v: __m512, count: usize) {
            unsafe { _mm512_mask_storeu_ps(to, first_16(count), v) }
        }
        #[inline(always)]
        unsafe fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn clamp(x: __m512, least: __m512, most: __m512) -> __m512 {
            unsafe { _mm512_min_ps(most, _mm512_max_ps(least, x)) }
        }
        #[inline(always)]
        unsafe fn inside(x: __m512, least: __m512, most: __m512, v: __m512) -> __m512 {
            unsafe {
                let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, least);
                let both = _mm512_mask_cmp_ps_mask::<_CMP_LT_OQ>(above, x, most);
                _mm512_maskz_mov_ps(both, v)
            }
        }
        #[inline(always)]
        unsafe fn max(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn greatest(v: __m512) -> f32 {
            unsafe { _mm512_reduce_max_ps(v) }
        }
        #[inline(always)]
        unsafe fn sum(v: __m512) -> f32 {
            unsafe { _mm512_reduce_add_ps(v) }
        }
        #[inline(always)]
        unsafe fn power_of_two(n: __m512) -> __m512 {
            unsafe {
                let shifted = _mm512_slli_epi32::<23>(_mm512_castps_si512(n));
                _mm512_castsi512_ps(_mm512_add_epi32(shifted, _mm512_set1_epi32(ONE as i32)))
            }
        }
    }

    /// AVX2 with FMA.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2;

    /// All bits of the first `count` of eight.
    #[inline(always)]
    unsafe fn first_8(count: usize) -> __m256i {
        unsafe {
            let places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(count.min(8) as i32), places)
        }
    }

    impl Simd for Avx2 {
        type V = __m256;
        const N: usize = 8;

        #[inline(always)]
        unsafe fn splat(x: f32) -> __m256 {
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m256 {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn load_some(from: *const f32, count: usize) -> __m256 {
            unsafe { _mm256_maskload_ps(from, first_8(count)) }
        }
        #[inline(always)]
        unsafe fn store(to: *mut f32, v: __m256) {
            unsafe { _mm256_storeu_ps(to, v) }
        }
        #[inline(always)]
        unsafe fn store_some(to: *mut f32, v: __m256, count: usize) {
            unsafe { _mm256_maskstore_ps(to, first_8(count), v) }
        }
        #[inline(always)]
        unsafe fn add(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(a: __m256, b: __m256, c: __m256) -> __m256 {
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn clamp(x: __m256, least: __m256, most: __m256) -> __m256 {
            unsafe { _mm256_min_ps(most, _mm256_max_ps(least, x)) }
        }
        #[inline(always)]
        unsafe fn inside(x: __m256, least: __m256, most: __m256, v: __m256) -> __m256 {
            unsafe {
                let above = _mm256_cmp_ps::<_CMP_GT_OQ>(x, least);
                let below = _mm256_cmp_ps::<_CMP_LT_OQ>(x, most);
                _mm256_and_ps(_mm256_and_ps(above, below), v)
            }
        }
        #[inline(always)]
        unsafe fn max(a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn greatest(v: __m256) -> f32 {
            unsafe {
                let four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
                let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
        #[inline(always)]
        unsafe fn sum(v: __m256) -> f32 {
            unsafe {
                let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
        #[inline(always)]
        unsafe fn power_of_two(n: __m256) -> __m256 {
            unsafe {
                let shifted = _mm256_slli_epi32::<23>(_mm256_castps_si256(n));
                _mm256_castsi256_ps(_mm256_add_epi32(shifted, _mm256_set1_epi32(ONE as i32)))
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};
