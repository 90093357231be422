//! What several proxies say together of one network: where it stands, on average, among networks drawn beforehand.

/// What each proxy says of some networks of a space, against which others are ranked. Abdelfattah et al. 2021 let proxies
/// vote on pairs of networks; the mean of a network's ranks says the same of all pairs at once, and is known of
/// one network before there are others.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Electorate {
    /// By proxy, in ascending order.
    values: Vec<Vec<f64>>,
}

impl Electorate {
    /// One of these networks: by network, the value of each proxy. All have as many.
    #[must_use]
    pub fn new(networks: &[Vec<f64>]) -> Self {
        let proxies = networks.first().map_or(0, Vec::len);
        let column = |proxy: usize| {
            let values = networks.iter().filter_map(|values| values.get(proxy).copied());
            let mut values: Vec<f64> = values.collect();
            values.sort_by(f64::total_cmp);
            values
        };
        Self { values: (0..proxies).map(column).collect() }
    }

    /// The mean rank of a network: 0 as the least of them by every proxy, 1 as the greatest, and beyond for one that is
    /// less or greater still.
    #[must_use]
    pub fn vote(&self, values: &[f64]) -> f64 {
        let ranks = self.values.iter().zip(values).map(|(others, value)| rank(others, *value));
        ranks.sum::<f64>() / self.values.len().max(1) as f64
    }
}

/// Where a value stands among others, which ascend: from 0 at the least to 1 at the greatest, linear between neighbours so
/// that no two values share a rank; beyond the ends as steep as on average.
fn rank(others: &[f64], value: f64) -> f64 {
    let [Some(least), Some(greatest)] = [others.first(), others.last()] else { return 0.5 };
    let last = others.len() as f64 - 1.0;
    if greatest <= least {
        return 0.5 + 0.5 * value.partial_cmp(least).map_or(0.0, |order| f64::from(order as i8));
    }
    if value < *least {
        return (value - least) / (greatest - least);
    }
    if value > *greatest {
        return 1.0 + (value - greatest) / (greatest - least);
    }
    let below = others.partition_point(|other| *other < value);
    let place = below as f64;
    match [below.checked_sub(1).and_then(|before| others.get(before)), others.get(below)] {
        [Some(before), Some(behind)] => (place - 1.0 + (value - before) / (behind - before)) / last,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, value: f64) {
        assert!((found - value).abs() < 1e-12, "{found} is not {value}");
    }

    #[test]
    fn ranks_are_linear_between_neighbours_and_go_on_beyond_the_ends() {
        let others = [1.0, 2.0, 4.0, 11.0];
        for (value, expected) in [
            (1.0, 0.0),
            (1.5, 0.5 / 3.0),
            (2.0, 1.0 / 3.0),
            (3.0, 1.5 / 3.0),
            (11.0, 1.0),
            (16.0, 1.5),
            (-4.0, -0.5),
        ] {
            near(rank(&others, value), expected);
        }
        let equal = [3.0, 3.0];
        for (value, expected) in [(2.0, 0.0), (3.0, 0.5), (4.0, 1.0)] {
            near(rank(&equal, value), expected);
        }
        near(rank(&[], 1.0), 0.5);
    }

    #[test]
    fn a_vote_is_the_mean_of_the_ranks() {
        // The second proxy counts in other units, and has the first two networks the other way round.
        let electorate = Electorate::new(&[vec![1.0, 200.0], vec![2.0, 100.0], vec![3.0, 300.0]]);
        near(electorate.vote(&[3.0, 300.0]), 1.0);
        near(electorate.vote(&[1.0, 200.0]), 0.25);
        near(electorate.vote(&[2.0, 100.0]), 0.25);
        near(electorate.vote(&[2.0, 250.0]), (0.5 + 0.75) / 2.0);
    }
}
