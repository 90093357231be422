//! How well the sum of the parts predicts the whole, and the correction that makes it better.

use nas_ir::fault;

use super::correction::{Correction, Residual, Sample};

/// How often the weights of outliers are computed anew; they settle after a few times.
const ROUNDS: usize = 20;
/// From how many standard deviations on a network counts less (Huber 1964): 95 % as efficient as
/// least squares where there are no outliers.
const HUBER: f64 = 1.345;
/// The median of the absolute values of standard normal numbers is one by this.
const MEDIAN_TO_DEVIATION: f64 = 1.4826;
/// The share of a column's square that others must leave of it: below, they say the same.
const LEAST_OWN: f64 = 1e-9;

/// What a correction may change beside nothing at all.
#[derive(Debug, Clone, Copy)]
struct Form {
    per_part: bool,
    overhead: bool,
}

/// From the simplest on: of equal ones the first is taken.
const FORMS: [Form; 4] = [
    Form { per_part: false, overhead: false },
    Form { per_part: false, overhead: true },
    Form { per_part: true, overhead: false },
    Form { per_part: true, overhead: true },
];

/// The correction under which the parts of these networks predict networks best: least squares of
/// the relative errors, in which outliers count less. Of a factor alone, with an overhead, with
/// nanoseconds for each part, and with both, it takes the form that errs least on networks that it
/// was not fitted to, each left out once; none at all if that errs less. That error is the residual.
#[must_use]
pub fn fit(samples: &[Sample]) -> Correction {
    let samples: Vec<&Sample> = samples.iter().filter(|sample| sample.measured > 0).collect();
    let plain =
        Correction { residual: residual(&samples, |_| Correction::NONE), ..Correction::NONE };
    let mut best = plain;
    for form in FORMS {
        let left_out = |index: usize| {
            let others = samples.iter().enumerate().filter(|(i, _)| *i != index);
            solve(&others.map(|(_, sample)| *sample).collect::<Vec<_>>(), form)
        };
        let corrections: Option<Vec<Correction>> = (0..samples.len()).map(left_out).collect();
        let (Some(corrections), Some(found)) = (corrections, solve(&samples, form)) else {
            continue;
        };
        let residual_of = |index: usize| match corrections.get(index) {
            Some(correction) => *correction,
            None => fault("a network that was not left out"),
        };
        let residual = residual(&samples, residual_of);
        if residual.mean_absolute_percent < best.residual.mean_absolute_percent
            && percent(&samples, found) <= percent(&samples, Correction::NONE)
        {
            best = Correction { residual, ..found };
        }
    }
    best
}

/// How far networks are from what is predicted of each under the correction for it.
fn residual(samples: &[&Sample], correction: impl Fn(usize) -> Correction) -> Residual {
    let measured: Vec<f64> = samples.iter().map(|sample| sample.measured as f64).collect();
    let predict = |(i, sample): (usize, &&Sample)| correction(i).network(&sample.parts);
    let predicted: Vec<f64> = samples.iter().enumerate().map(predict).collect();
    Residual {
        mean_absolute_percent: mean_absolute_percent(&predicted, &measured),
        spearman: spearman(&predicted, &measured),
        networks: u32::try_from(samples.len()).unwrap_or(u32::MAX),
    }
}

fn percent(samples: &[&Sample], correction: Correction) -> f64 {
    residual(samples, |_| correction).mean_absolute_percent
}

/// The correction of this form that fits best; `None` if the networks do not tell it, or if it
/// would say that time runs backwards.
fn solve(samples: &[&Sample], form: Form) -> Option<Correction> {
    // Of the relative errors: each row is divided by what was measured, and should come to 1.
    let column = |value: &dyn Fn(&Sample) -> f64| -> Vec<f64> {
        samples.iter().map(|sample| value(sample) / sample.measured as f64).collect()
    };
    let sum = |sample: &Sample| sample.parts.iter().map(|&part| part as f64).sum();
    let mut columns = vec![column(&sum)];
    if form.per_part {
        columns.push(column(&|sample| sample.parts.len() as f64));
    }
    if form.overhead {
        columns.push(column(&|_| 1.0));
    }
    if samples.len() < columns.len() {
        return None;
    }
    let mut found = robust(&columns)?.into_iter();
    let scale = found.next()?;
    let per_part = if form.per_part { found.next()? } else { 0.0 };
    let overhead = if form.overhead { found.next()? } else { 0.0 };
    let is_sound = scale > 0.0 && overhead >= 0.0;
    // No digits that no measurement has.
    let digits = |value: f64, unit: f64| (value * unit).round() / unit;
    is_sound.then(|| Correction {
        scale: digits(scale, 1e6),
        per_part: digits(per_part, 1.0),
        overhead: digits(overhead, 1.0),
        ..Correction::NONE
    })
}

/// The factors with which the columns come nearest to 1 in each row, rows far from it counting less:
/// least squares with Huber's weights, again and again.
fn robust(columns: &[Vec<f64>]) -> Option<Vec<f64>> {
    let rows = columns.first().map_or(0, Vec::len);
    let mut weights = vec![1.0; rows];
    let mut factors = Vec::new();
    for _ in 0..ROUNDS {
        let weighted = |column: &Vec<f64>| product(column, &weights);
        factors = least_squares(&columns.iter().map(weighted).collect::<Vec<_>>(), &weights)?;
        let errors: Vec<f64> = rest(&vec![1.0; rows], columns, &factors);
        let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let bound = HUBER * MEDIAN_TO_DEVIATION * sizes.get(rows / 2).copied().unwrap_or(0.0);
        if bound <= f64::EPSILON {
            break;
        }
        // A weight of a row's square is the square of the row's weight.
        weights = errors.iter().map(|error| (bound / error.abs().max(bound)).sqrt()).collect();
    }
    Some(factors)
}

/// The factors with which the columns come nearest to the target, one after the other (Frisch and
/// Waugh 1933): what a column has that the others have not says its factor. `None` where columns say
/// the same.
fn least_squares(columns: &[Vec<f64>], target: &[f64]) -> Option<Vec<f64>> {
    let Some((last, others)) = columns.split_last() else { return Some(Vec::new()) };
    let own = rest(last, others, &least_squares(others, last)?);
    if square(&own) <= LEAST_OWN * square(last) {
        return None;
    }
    let factor = product(&own, target).iter().sum::<f64>() / square(&own);
    let left: Vec<f64> = rest(target, std::slice::from_ref(last), &[factor]);
    let mut factors = least_squares(others, &left)?;
    factors.push(factor);
    Some(factors)
}

/// What the columns leave of a target.
fn rest(target: &[f64], columns: &[Vec<f64>], factors: &[f64]) -> Vec<f64> {
    let mut rest = target.to_vec();
    for (column, factor) in columns.iter().zip(factors) {
        rest.iter_mut().zip(column).for_each(|(rest, value)| *rest -= factor * value);
    }
    rest
}

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

fn square(column: &[f64]) -> f64 {
    column.iter().map(|value| value * value).sum()
}

/// Spearman's rank correlation of two lists of equal length, from -1 to 1; equal values share the
/// mean of their ranks. 0 where one of the lists does not vary.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (centred_ranks(a), centred_ranks(b));
    let scale = (square(&a) * square(&b)).sqrt();
    if scale > 0.0 { product(&a, &b).iter().sum::<f64>() / scale } else { 0.0 }
}

/// The rank of each value, less the mean of all ranks; equal values share the mean of theirs.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let above = values.iter().filter(|other| *other > value).count() as f64;
        (below - above) / 2.0
    };
    values.iter().map(rank).collect()
}

/// The mean of the absolute errors of a prediction, in percent of what was measured; 0 of nothing.
#[must_use]
pub fn mean_absolute_percent(predicted: &[f64], measured: &[f64]) -> f64 {
    let errors = predicted.iter().zip(measured).map(|(p, m)| 100.0 * (p - m).abs() / m.max(1.0));
    errors.sum::<f64>() / (predicted.len().min(measured.len()).max(1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Networks of `sizes` parts each; what they took follows from the parts by `time`.
    fn samples(count: usize, time: impl Fn(usize, &[u64]) -> f64) -> Vec<Sample> {
        let sample = |network: usize| {
            let parts: Vec<u64> = (0..10 + network % 4)
                .map(|part| 1_000_000 + 37_000 * ((network * 31 + part * 17) % 97) as u64)
                .collect();
            let measured = time(network, &parts).round() as u64;
            Sample { parts, measured }
        };
        (0..count).map(sample).collect()
    }

    fn sum(parts: &[u64]) -> f64 {
        parts.iter().map(|&part| part as f64).sum()
    }

    #[test]
    fn what_the_times_follow_is_found() {
        let start = -60_000.0;
        let time = |_, parts: &[u64]| 0.9 * sum(parts) + start * parts.len() as f64 + 500_000.0;
        let found = fit(&samples(20, time));
        assert!((found.scale - 0.9).abs() < 1e-3, "{found:?}");
        assert!((found.per_part - start).abs() < 2_000.0, "{found:?}");
        assert!((found.overhead - 500_000.0).abs() < 20_000.0, "{found:?}");
        assert!(found.residual.mean_absolute_percent < 0.01 && found.residual.spearman > 0.999);
    }

    #[test]
    fn what_adds_up_needs_no_correction() {
        let found = fit(&samples(12, |_, parts| sum(parts)));
        assert_eq!((found.scale, found.per_part, found.overhead), (1.0, 0.0, 0.0));
    }

    #[test]
    fn an_outlier_hardly_counts() {
        let time = |network, parts: &[u64]| if network == 5 { 3.0 } else { 0.8 } * sum(parts);
        let found = fit(&samples(20, time));
        assert!((found.network(&[10_000_000; 12]) / 96_000_000.0 - 1.0).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn too_few_networks_tell_no_more_than_a_factor() {
        let found = fit(&samples(2, |_, parts| 0.5 * sum(parts)));
        assert_eq!((found.scale, found.per_part, found.overhead), (0.5, 0.0, 0.0));
        assert_eq!(found.residual.networks, 2);
        let nothing = Correction::NONE;
        assert_eq!(fit(&[]), nothing);
        // Of one network alone nothing can be left out.
        let one = fit(&samples(1, |_, parts| 0.5 * sum(parts)));
        assert_eq!((one.scale, one.residual.networks), (1.0, 1));
    }

    #[test]
    fn ranks_tell_how_two_lists_go_together() {
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 30.0, 90.0]), 1.0);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
        let tied = spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!((tied - 4.5 / (4.5_f64 * 5.0).sqrt()).abs() < 1e-12, "{tied}");
        assert_eq!(mean_absolute_percent(&[90.0, 120.0], &[100.0, 100.0]), 15.0);
    }
}
