//! A Gaussian process over what networks choose (Rasmussen and Williams 2006, algorithm 2.1).
//!
//! Two networks are alike by the decisions in which they agree: the kernel is a sum of the share of these
//! (what each choice adds by itself) and of `exp(-differences / length)` (what they do together). The length
//! is that of a few which makes the values likeliest.

/// What a network chooses in each decision; `None` where that makes no difference.
pub(super) type Point = Vec<Option<usize>>;

/// Lengths that are tried, in decisions.
const LENGTHS: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
/// Part of the sum in the kernel; the rest is for what choices do together.
const ALONE: f64 = 0.5;
/// Variances of the noise that are tried, of values whose variance is 1.
const NOISES: [f64; 3] = [1e-3, 1e-2, 1e-1];
/// How many values there are when the kernel is fitted first; then whenever they have doubled.
const FITTED: usize = 10;

/// A process that was told values.
pub(super) struct Process<'p> {
    points: &'p [Point],
    fit: Fit,
    /// The Cholesky factor of the kernel matrix, row by row.
    factor: Vec<Vec<f64>>,
    /// The kernel matrix's inverse times the values.
    weights: Vec<f64>,
    /// The greatest value.
    best: f64,
}

/// What the kernel is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    length: f64,
    noise: f64,
    /// Of how many values it was fitted.
    of: usize,
}

impl Default for Fit {
    fn default() -> Self {
        Self { length: 1.0, noise: 1e-2, of: 0 }
    }
}

impl Fit {
    /// The fit of the first of these values, where they have doubled since.
    pub(super) fn renewed(self, points: &[Point], values: &[f64]) -> Self {
        let mut of = FITTED;
        while of * 2 <= values.len() {
            of *= 2;
        }
        match (points.get(..of), values.get(..of)) {
            (Some(points), Some(values)) if of != self.of => {
                Self { of, ..likeliest(points, &standardised(values)) }
            }
            _ => self,
        }
    }
}

impl<'p> Process<'p> {
    /// The process of these points and values, which are as many and at least one.
    pub(super) fn of(points: &'p [Point], values: &[f64], fit: Fit) -> Self {
        let values = standardised(values);
        let factor = factor(points, fit);
        let weights = solved(&factor, &values);
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Self { points, fit, factor, weights, best }
    }

    /// The expected improvement of a point on the best value (Jones et al. 1998, equation 15).
    pub(super) fn improvement(&self, point: &Point) -> f64 {
        let near: Vec<f64> =
            self.points.iter().map(|other| kernel(point, other, self.fit.length)).collect();
        let mean: f64 = near.iter().zip(&self.weights).map(|(k, w)| k * w).sum();
        let explained = forward(&self.factor, &near);
        let variance = 1.0 - explained.iter().map(|v| v * v).sum::<f64>();
        let deviation = variance.max(1e-12).sqrt();
        let score = (mean - self.best) / deviation;
        deviation * (score * below(score) + density(score))
    }
}

/// Values of mean 0 and variance 1.
fn standardised(values: &[f64]) -> Vec<f64> {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt().max(1e-12);
    values.iter().map(|value| (value - mean) / deviation).collect()
}

fn kernel(a: &Point, b: &Point, length: f64) -> f64 {
    let differ = a.iter().zip(b).filter(|(a, b)| a != b).count() as f64;
    let agree = 1.0 - differ / a.len().max(1) as f64;
    ALONE * agree + (1.0 - ALONE) * (-differ / length).exp()
}

/// The length and the noise of those that are tried under which the values are likeliest.
fn likeliest(points: &[Point], values: &[f64]) -> Fit {
    let fits = LENGTHS.iter().flat_map(|&length| NOISES.map(|noise| Fit { length, noise, of: 0 }));
    let likelihood = |fit: Fit| {
        let factor = factor(points, fit);
        let weights = solved(&factor, values);
        let fitted: f64 = values.iter().zip(&weights).map(|(value, weight)| value * weight).sum();
        let volume: f64 = factor.iter().filter_map(|row| row.last()).map(|d| d.ln()).sum();
        -0.5 * fitted - volume
    };
    let rated = fits.map(|fit| (likelihood(fit), fit));
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map_or_else(Fit::default, |(_, fit)| fit)
}

/// The lower triangle of the Cholesky factor of the kernel matrix, noise added.
fn factor(points: &[Point], Fit { length, noise, .. }: Fit) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(points.len());
    for (i, point) in points.iter().enumerate() {
        let near: Vec<f64> =
            points.iter().take(i).map(|other| kernel(point, other, length)).collect();
        let mut row = forward(&rows, &near);
        let rest = 1.0 + noise - row.iter().map(|v| v * v).sum::<f64>();
        row.push(rest.max(1e-12).sqrt());
        rows.push(row);
    }
    rows
}

/// The solution of `factor x = values`.
fn forward(factor: &[Vec<f64>], values: &[f64]) -> Vec<f64> {
    let mut solution: Vec<f64> = Vec::with_capacity(values.len());
    for (row, value) in factor.iter().zip(values) {
        let sum: f64 = row.iter().zip(&solution).map(|(l, x)| l * x).sum();
        solution.push((value - sum) / row.last().copied().unwrap_or(1.0));
    }
    solution
}

/// The solution of `factor factor' x = values`.
fn solved(factor: &[Vec<f64>], values: &[f64]) -> Vec<f64> {
    let mut solution = forward(factor, values);
    for i in (0..solution.len()).rev() {
        let Some(row) = factor.get(i) else { continue };
        let (before, from) = solution.split_at_mut(i);
        let Some(x) = from.first_mut() else { continue };
        *x /= row.last().copied().unwrap_or(1.0);
        for (other, l) in before.iter_mut().zip(row) {
            *other -= l * *x;
        }
    }
    solution
}

/// The density of the standard normal distribution.
fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// Its share below `x` (Abramowitz and Stegun 1964, 26.2.17).
fn below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = density(x) * poly;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<Point> {
        (0..9).map(|n| vec![Some(n % 3), Some(n / 3)]).collect()
    }

    #[test]
    fn what_was_told_is_predicted() {
        let points = points();
        let values: Vec<f64> = (0..9).map(|n| f64::from(n % 3) + 2.0 * f64::from(n / 3)).collect();
        let process = Process::of(&points, &values, Fit::default());
        let standard = standardised(&values);
        for (point, value) in points.iter().zip(&standard) {
            let near = points.iter().map(|other| kernel(point, other, process.fit.length));
            let mean: f64 = near.zip(&process.weights).map(|(k, w)| k * w).sum();
            assert!((mean - value).abs() < 0.05, "{mean} {value}");
        }
    }

    #[test]
    fn the_factor_is_that_of_the_kernel_matrix() {
        let (points, fit) = (points(), Fit { length: 2.0, noise: 1e-2, of: 0 });
        let factor = factor(&points, fit);
        let values: Vec<f64> = (0..9).map(f64::from).collect();
        let solution = solved(&factor, &values);
        for (i, point) in points.iter().enumerate() {
            let row = points.iter().map(|other| kernel(point, other, fit.length));
            let product: f64 = row.zip(&solution).map(|(k, x)| k * x).sum();
            assert!((product + fit.noise * solution[i] - values[i]).abs() < 1e-9);
        }
    }

    #[test]
    fn improvement_is_where_the_values_rise() {
        // Each choice adds by itself; the corner where both are best was not tried.
        let mut points = points();
        points.pop();
        let values: Vec<f64> = (0..8).map(|n| f64::from(n % 3) + f64::from(n / 3)).collect();
        let process = Process::of(&points, &values, Fit::default());
        let best = process.improvement(&vec![Some(2), Some(2)]);
        assert!(points.iter().all(|point| process.improvement(point) < best));
    }

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        for (x, share) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.959_964, 0.025), (3.0, 0.998_650_1)]
        {
            assert!((below(x) - share).abs() < 1e-6, "{x}");
        }
    }
}
