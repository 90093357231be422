//! The distribution of a value over the pictures that it was observed on, and which range a grid should have.

/// How many bins a histogram has.
const BINS: usize = 2048;
/// How many levels a grid has.
const LEVELS: usize = 256;
/// How many ranges the mean square is tried on, each way.
const TRIES: u32 = 32;

/// How the range of a grid follows from a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// From the least to the largest number that occurs.
    MinMax,
    /// So that this share of the numbers lies within, as many beyond either end.
    Percentile(f64),
    /// That whose rounded distribution tells least from the own one, by relative entropy (Migacz 2017, "8-bit Inference
    /// with TensorRT").
    Entropy,
    /// That with the least mean square of what rounding changes.
    MeanSquare,
}

/// The least and the largest number of what was observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// The least.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Default for Extent {
    fn default() -> Self {
        Self { least: f64::INFINITY, most: f64::NEG_INFINITY }
    }
}

impl Extent {
    /// Takes numbers into account; those that are not finite are left out.
    pub fn observe(&mut self, numbers: &[f32]) {
        for number in numbers.iter().filter(|number| number.is_finite()) {
            self.least = self.least.min(f64::from(*number));
            self.most = self.most.max(f64::from(*number));
        }
    }

    /// The extent, which always holds 0.
    #[must_use]
    pub fn with_zero(self) -> [f64; 2] {
        [self.least.min(0.0), self.most.max(0.0)]
    }
}

/// How many numbers fall into each part of an extent.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    least: f64,
    width: f64,
    counts: Vec<u64>,
}

impl Histogram {
    /// An empty one over an extent, which holds 0.
    #[must_use]
    pub fn over(extent: Extent) -> Self {
        let [least, most] = extent.with_zero();
        let width = ((most - least) / BINS as f64).max(f64::MIN_POSITIVE);
        Self { least, width, counts: vec![0; BINS] }
    }

    /// Counts numbers.
    pub fn observe(&mut self, numbers: &[f32]) {
        for number in numbers.iter().filter(|number| number.is_finite()) {
            let bin = ((f64::from(*number) - self.least) / self.width) as usize;
            let bin = bin.min(BINS - 1);
            self.counts.iter_mut().skip(bin).take(1).for_each(|count| *count += 1);
        }
    }

    fn most(&self) -> f64 {
        self.least + self.width * BINS as f64
    }

    fn total(&self) -> f64 {
        self.counts.iter().sum::<u64>() as f64
    }

    /// The middle of a bin.
    fn middle(&self, bin: usize) -> f64 {
        self.least + (bin as f64 + 0.5) * self.width
    }

    /// The range that a grid should have by a method; it holds 0.
    #[must_use]
    pub fn range(&self, method: Method) -> [f64; 2] {
        let whole = [self.least, self.most()];
        if self.total() == 0.0 {
            return whole;
        }
        match method {
            Method::MinMax => whole,
            Method::Percentile(share) => self.within(share),
            Method::MeanSquare => self.least_square(),
            Method::Entropy => self.least_entropy(),
        }
    }

    fn within(&self, share: f64) -> [f64; 2] {
        let beyond = self.total() * (1.0 - share).clamp(0.0, 1.0) / 2.0;
        let end = |counts: &mut dyn Iterator<Item = &u64>| {
            let mut sum = 0.0;
            counts
                .take_while(|count| {
                    sum += **count as f64;
                    sum <= beyond
                })
                .count()
        };
        let low = self.least + end(&mut self.counts.iter()) as f64 * self.width;
        let high = self.most() - end(&mut self.counts.iter().rev()) as f64 * self.width;
        [low.min(0.0), high.max(0.0)]
    }

    /// Ranges from an eighth of each end up to all of it.
    fn least_square(&self) -> [f64; 2] {
        let part = |end: f64, step: u32| end * (0.125 + 0.875 * f64::from(step) / f64::from(TRIES));
        let mut best = ([self.least, self.most()], f64::INFINITY);
        for low in 0..=TRIES {
            for high in 0..=TRIES {
                let range = [part(self.least, low), part(self.most(), high)];
                let error = self.square(range);
                if error <= best.1 {
                    best = (range, error);
                }
                // Where there is nothing on a side, its end does not matter.
                if self.most() <= 0.0 {
                    break;
                }
            }
            if self.least >= 0.0 {
                break;
            }
        }
        best.0
    }

    /// The sum of squares of what rounding to a grid of a range changes.
    fn square(&self, [low, high]: [f64; 2]) -> f64 {
        let step = ((high - low) / (LEVELS - 1) as f64).max(f64::MIN_POSITIVE);
        let bins = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let of_bin = |(bin, &count): (usize, &u64)| {
            let x = self.middle(bin);
            let bounded = x.clamp(low, high);
            let beyond = x - bounded;
            // Within the range numbers are spread evenly over a step.
            count as f64 * (beyond * beyond + step * step / 12.0)
        };
        bins.map(of_bin).sum()
    }

    fn least_entropy(&self) -> [f64; 2] {
        let reach = self.least.abs().max(self.most());
        let mut best = ([self.least, self.most()], f64::INFINITY);
        for bins in (LEVELS..=BINS).step_by(LEVELS / 4) {
            let bound = reach * bins as f64 / BINS as f64;
            let range = [self.least.max(-bound), self.most().min(bound)];
            let entropy = self.entropy(range);
            if entropy <= best.1 {
                best = (range, entropy);
            }
        }
        best.0
    }

    /// The relative entropy of the distribution within a range, what lies beyond counting at its ends, to what rounding
    /// leaves of it.
    fn entropy(&self, [low, high]: [f64; 2]) -> f64 {
        let first = ((low - self.least) / self.width).round() as usize;
        let last = (((high - self.least) / self.width).round() as usize).clamp(first + 1, BINS);
        let mut inside: Vec<f64> =
            self.counts.get(first..last).unwrap_or_default().iter().map(|&n| n as f64).collect();
        // Zeros are exact in every range, and of what a rectifier makes they are most: they count as their neighbours do.
        let zero = (((-self.least) / self.width) as usize).min(BINS - 1).saturating_sub(first);
        let beside = [zero.checked_sub(1), Some(zero + 1)].into_iter().flatten();
        let beside = beside.filter_map(|bin| inside.get(bin).copied()).fold(0.0, f64::max);
        inside.iter_mut().skip(zero).take(1).for_each(|count| *count = count.min(beside));
        let sum = |counts: Option<&[u64]>| counts.unwrap_or_default().iter().sum::<u64>() as f64;
        let mut own = inside.clone();
        own.iter_mut().take(1).for_each(|count| *count += sum(self.counts.get(..first)));
        own.iter_mut().rev().take(1).for_each(|count| *count += sum(self.counts.get(last..)));
        // Each level spreads what falls to it evenly over those of its bins that are not empty.
        let per_level = inside.len() as f64 / LEVELS as f64;
        let level = |bin: usize| ((bin as f64 + 0.5) / per_level) as usize;
        let mut rounded = vec![0.0; inside.len()];
        let mut start = 0;
        while start < inside.len() {
            let own_level = level(start);
            let end = (start..inside.len()).find(|&bin| level(bin) != own_level);
            let bins = start..end.unwrap_or(inside.len());
            let counts = inside.get(bins.clone()).unwrap_or_default();
            let filled = counts.iter().filter(|count| **count > 0.0).count().max(1) as f64;
            let each = counts.iter().sum::<f64>() / filled;
            for (count, rounded) in counts.iter().zip(rounded.iter_mut().skip(start)) {
                *rounded = if *count > 0.0 { each } else { 0.0 };
            }
            start = bins.end;
        }
        let [own_sum, rounded_sum] = [&own, &rounded].map(|all| all.iter().sum::<f64>().max(1.0));
        let terms = own.iter().zip(&rounded).filter(|(own, _)| **own > 0.0);
        terms
            .map(|(own, rounded)| {
                let (p, q) = (own / own_sum, (rounded / rounded_sum).max(1e-9));
                p * (p / q).ln()
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normal numbers, nearly, of deviation 1, and a few at 20.
    fn histogram() -> Histogram {
        let mut state = 1_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let mut numbers: Vec<f32> =
            (0..40_000).map(|_| ((0..12).map(|_| uniform()).sum::<f64>() - 6.0) as f32).collect();
        numbers.extend([20.0; 4]);
        let mut extent = Extent::default();
        extent.observe(&numbers);
        let mut histogram = Histogram::over(extent);
        histogram.observe(&numbers);
        histogram
    }

    #[test]
    fn methods_leave_out_what_is_far_off() {
        let histogram = histogram();
        let [low, high] = histogram.range(Method::MinMax);
        assert!(low < -3.0 && (high - 20.0).abs() < 1e-6, "{low} {high}");
        let [low, high] = histogram.range(Method::Percentile(0.999));
        assert!((-3.7..-3.0).contains(&low) && (3.0..3.7).contains(&high), "{low} {high}");
        let [low, high] = histogram.range(Method::Entropy);
        assert!((-5.0..-2.0).contains(&low) && (2.5..12.0).contains(&high), "{low} {high}");
        // Four numbers that are far off weigh more than the steps of all others; but no range has a smaller mean square.
        let least = histogram.square(histogram.range(Method::MeanSquare));
        for method in [Method::MinMax, Method::Percentile(0.999), Method::Entropy] {
            assert!(least <= histogram.square(histogram.range(method)), "{method:?}");
        }
    }

    #[test]
    fn a_range_holds_zero() {
        let mut extent = Extent::default();
        extent.observe(&[2.0, 3.0, f32::NAN]);
        let mut histogram = Histogram::over(extent);
        histogram.observe(&[2.0, 3.0]);
        for method in [Method::MinMax, Method::Percentile(1.0), Method::Entropy, Method::MeanSquare]
        {
            let [low, high] = histogram.range(method);
            assert!(low <= 0.0 && high >= 2.9, "{method:?}: {low} {high}");
        }
        assert_eq!(Histogram::over(Extent::default()).range(Method::Entropy)[0], 0.0);
    }
}
