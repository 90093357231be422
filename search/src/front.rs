//! Fronts: the networks of which none is better by every goal, and how much of the space of values they cover. Values
//! are turned so that more is better, one list for each network and one entry for each goal.

/// Whether one is at least as good by every goal, and better by one (Pareto dominance).
#[must_use]
pub fn dominates(one: &[f64], other: &[f64]) -> bool {
    let pairs = || one.iter().zip(other);
    pairs().all(|(a, b)| a >= b) && pairs().any(|(a, b)| a > b)
}

/// The places of those that no other dominates, in order; of several with equal values the first alone.
#[must_use]
pub fn front(values: &[Vec<f64>]) -> Vec<usize> {
    let all = || values.iter().enumerate();
    let is_kept = |(place, own): &(usize, &Vec<f64>)| {
        !all().any(|(other, its)| dominates(its, own) || (other < *place && its == *own))
    };
    all().filter(is_kept).map(|(place, _)| place).collect()
}

/// The worst value of each goal: what [`hypervolume`] is measured from where nothing else is said. `None` of nothing.
#[must_use]
pub fn worst<'v>(values: impl IntoIterator<Item = &'v Vec<f64>>) -> Option<Vec<f64>> {
    let mut all = values.into_iter();
    let first = all.next()?.clone();
    Some(
        all.fold(first, |worst, values| worst.iter().zip(values).map(|(a, b)| a.min(*b)).collect()),
    )
}

/// The volume of what is worse than one of these and better than the reference point (Zitzler and Thiele 1998): by
/// slices along the last goal, whose areas are volumes of one goal less (While et al. 2006). The time grows with the number
/// of points to the power of the number of goals.
#[must_use]
pub fn hypervolume(values: &[Vec<f64>], reference: &[f64]) -> f64 {
    let Some((last, rest)) = reference.split_last() else { return 1.0 };
    let is_above = |values: &&Vec<f64>| values.iter().zip(reference).all(|(a, b)| a > b);
    let above = values.iter().filter(is_above);
    let mut points: Vec<(f64, Vec<f64>)> = above
        .filter_map(|values| values.split_last().map(|(depth, rest)| (*depth, rest.to_vec())))
        .collect();
    points.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let depths: Vec<f64> = points.iter().map(|(depth, _)| *depth).chain([*last]).collect();
    let mut slice: Vec<Vec<f64>> = Vec::new();
    let mut volume = 0.0;
    for ((_, values), depths) in points.into_iter().zip(depths.windows(2)) {
        slice.retain(|other| !dominates(&values, other));
        slice.push(values);
        if let [from, to] = depths {
            volume += (from - to) * hypervolume(&slice, rest);
        }
    }
    volume
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dominated_is_not_on_the_front() {
        let values = [[1.0, 5.0], [2.0, 4.0], [2.0, 3.0], [4.0, 1.0], [2.0, 4.0], [0.0, 5.0]];
        let values = values.map(|values| values.to_vec());
        assert_eq!(front(&values), [0, 1, 3]);
        assert_eq!(front(&[]), [0; 0]);
        assert_eq!(worst(&values), Some(vec![0.0, 1.0]));
        assert!(!dominates(&values[1], &values[4]));
    }

    #[test]
    fn a_volume_is_that_of_the_union_of_boxes() {
        let of = |values: &[&[f64]], reference: &[f64]| {
            let values: Vec<Vec<f64>> = values.iter().map(|values| values.to_vec()).collect();
            hypervolume(&values, reference)
        };
        assert_eq!(of(&[&[3.0]], &[1.0]), 2.0);
        // 1 x 5 + 1 x 4 + 2 x 1; a dominated point and one beyond the reference add nothing.
        let staircase: &[&[f64]] =
            &[&[1.0, 5.0], &[2.0, 4.0], &[4.0, 1.0], &[1.5, 3.0], &[9.0, -1.0]];
        assert_eq!(of(staircase, &[0.0, 0.0]), 11.0);
        // Two boxes of 2 x 2 x 1 and 1 x 1 x 3 that share 1 x 1 x 1.
        assert_eq!(of(&[&[2.0, 2.0, 1.0], &[1.0, 1.0, 3.0]], &[0.0; 3]), 6.0);
        assert_eq!(of(&[], &[0.0, 0.0]), 0.0);
    }

    /// Against a count of the cells of a grid.
    #[test]
    fn a_volume_in_three_dimensions_counts_cells() {
        let points: Vec<Vec<f64>> = (0..12_u32)
            .map(|i| [i * 5 % 7, i * 3 % 8, i * 7 % 9].map(f64::from).to_vec())
            .collect();
        let mut cells = 0.0;
        for x in 0..9 {
            for y in 0..9 {
                for z in 0..9 {
                    let corner = [x + 1, y + 1, z + 1].map(f64::from);
                    let is_in = |p: &Vec<f64>| p.iter().zip(corner).all(|(a, b)| *a >= b);
                    cells += f64::from(u8::from(points.iter().any(is_in)));
                }
            }
        }
        assert_eq!(hypervolume(&points, &[0.0; 3]), cells);
    }
}
