//! How far two orders of the same networks agree: whether cheap scores find what true ones would.

use std::cmp::Ordering;

/// Kendall's tau-b of two lists of figures of the same things: the pairs that both order alike less those that they
/// order the other way round, as a share of the pairs, ties left out (Kendall 1945). 1 where the orders are the same, 0 where they
/// have nothing in common, -1 where one is the other reversed; `None` where one of the lists has but one value.
#[must_use]
pub fn kendall_tau(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mut balance, mut untied) = (0_i64, [0_i64; 2]);
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        for (other_x, other_y) in a.iter().zip(b).take(i) {
            let [in_a, in_b] = [sign(x.total_cmp(other_x)), sign(y.total_cmp(other_y))];
            balance += in_a * in_b;
            untied[0] += in_a.abs();
            untied[1] += in_b.abs();
        }
    }
    let [in_a, in_b] = untied.map(|pairs| pairs as f64);
    (in_a > 0.0 && in_b > 0.0).then(|| balance as f64 / (in_a * in_b).sqrt())
}

/// Spearman's rank correlation of two such lists: the correlation of the ranks, those of equals being their mean.
/// `None` as for [`kendall_tau`].
#[must_use]
pub fn spearman_rho(a: &[f64], b: &[f64]) -> Option<f64> {
    let [a, b] = [ranks(a), ranks(b)];
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum()
    };
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    (spread > 0.0).then(|| product(&a, &b) / spread)
}

/// Of the truly best share, at least one, how much is among as many of those that the scores put first: a
/// share. More is better in both lists; of equals the earlier is first.
#[must_use]
pub fn top_recall(scores: &[f64], truth: &[f64], share: f64) -> f64 {
    let count = ((truth.len() as f64 * share).round() as usize).max(1);
    let first = |of: &[f64]| -> Vec<usize> { best_first(of).into_iter().take(count).collect() };
    let wanted = first(truth);
    let found = first(scores);
    found.iter().filter(|place| wanted.contains(place)).count() as f64 / count as f64
}

/// Where the one that the scores put first truly stands: 1 for the best; `None` of nothing.
#[must_use]
pub fn rank_of_first(scores: &[f64], truth: &[f64]) -> Option<usize> {
    let picked = *truth.get(*best_first(scores).first()?)?;
    Some(1 + truth.iter().filter(|&&other| other > picked).count())
}

fn sign(order: Ordering) -> i64 {
    order as i64
}

/// The places of a list, the greatest value first, of equals the earlier.
fn best_first(of: &[f64]) -> Vec<usize> {
    let mut places: Vec<(usize, f64)> = of.iter().copied().enumerate().collect();
    places.sort_by(|(i, a), (j, b)| b.total_cmp(a).then(i.cmp(j)));
    places.into_iter().map(|(place, _)| place).collect()
}

/// The rank of each value, 1 for the least; equals have the mean of theirs.
fn ranks(of: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = of.iter().filter(|other| other.total_cmp(value).is_lt()).count();
        let equal = of.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        below as f64 + (equal as f64 + 1.0) / 2.0
    };
    of.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, value: f64) {
        assert!((found.unwrap() - value).abs() < 1e-12, "{found:?} is not {value}");
    }

    #[test]
    fn orders_that_agree_that_do_not_and_that_are_reversed() {
        let rising = [1.0, 2.0, 3.0, 4.0];
        let mut falling = rising;
        falling.reverse();
        for measure in [kendall_tau, spearman_rho] {
            near(measure(&rising, &[10.0, 20.0, 30.0, 40.0]), 1.0);
            near(measure(&rising, &falling), -1.0);
            near(measure(&rising, &[2.0, 4.0, 1.0, 3.0]), 0.0);
            assert_eq!(measure(&rising, &[5.0; 4]), None);
            assert_eq!(measure(&[], &[]), None);
        }
    }

    /// The values of SciPy 1.17, `kendalltau` and `spearmanr`, of these lists.
    #[test]
    fn ties_count_as_they_do_elsewhere() {
        let (a, b) = ([12.0, 2.0, 1.0, 12.0, 2.0], [1.0, 4.0, 7.0, 1.0, 0.0]);
        near(kendall_tau(&a, &b), -0.471_404_520_791_031_6);
        near(spearman_rho(&a, &b), -0.540_738_070_435_875_2);
    }

    #[test]
    fn what_comes_first_is_held_against_what_is_best() {
        let (scores, truth) = ([0.9, 0.8, 0.1, 0.7], [0.5, 0.9, 0.8, 0.1]);
        assert_eq!(rank_of_first(&scores, &truth), Some(3));
        near(Some(top_recall(&scores, &truth, 0.5)), 0.5);
        near(Some(top_recall(&scores, &truth, 0.01)), 0.0);
        assert_eq!(rank_of_first(&[], &[]), None);
    }
}
