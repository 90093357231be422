//! Who is fitter where there are several goals: ranks of dominance, and crowding within them (Deb et al. 2002,
//! sections III-A and III-B).

use std::cmp::Ordering;

use crate::front::dominates;

/// How fit one is among others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fitness {
    /// 0 for those that none dominates, 1 for those that only these dominate, and so on.
    rank: usize,
    /// How far its neighbours of equal rank are; infinite at the ends.
    crowding: f64,
}

impl Fitness {
    /// The fitter one first: the crowded-comparison operator.
    pub(super) fn fitter_first(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then(other.crowding.total_cmp(&self.crowding))
    }
}

/// The fitness of each among all.
pub(super) fn fitness(values: &[&[f64]]) -> Vec<Fitness> {
    let mut fitness = vec![Fitness { rank: 0, crowding: 0.0 }; values.len()];
    let mut left: Vec<usize> = (0..values.len()).collect();
    let of = |place: usize| values.get(place).copied().unwrap_or_default();
    for rank in 0.. {
        if left.is_empty() {
            break;
        }
        let is_dominated =
            |&place: &usize| left.iter().any(|&other| dominates(of(other), of(place)));
        let (behind, front): (Vec<usize>, Vec<usize>) =
            left.iter().copied().partition(is_dominated);
        for (place, crowding) in crowding(&front, of) {
            if let Some(own) = fitness.get_mut(place) {
                *own = Fitness { rank, crowding };
            }
        }
        left = behind;
    }
    fitness
}

/// The crowding distance of each of a front.
fn crowding<'v>(front: &[usize], of: impl Fn(usize) -> &'v [f64]) -> Vec<(usize, f64)> {
    let goals = front.first().map_or(0, |&place| of(place).len());
    let mut crowding: Vec<(usize, f64)> = front.iter().map(|&place| (place, 0.0)).collect();
    for goal in 0..goals {
        let value = |place: usize| of(place).get(goal).copied().unwrap_or_default();
        crowding.sort_by(|(a, _), (b, _)| value(*a).total_cmp(&value(*b)));
        let sorted: Vec<f64> = crowding.iter().map(|(place, _)| value(*place)).collect();
        let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { break };
        let range = most - least;
        for (i, (_, distance)) in crowding.iter_mut().enumerate() {
            let before = i.checked_sub(1).and_then(|i| sorted.get(i));
            *distance += match (before, sorted.get(i + 1)) {
                (Some(before), Some(after)) if range > 0.0 => (after - before) / range,
                (Some(_), Some(_)) => 0.0,
                _ => f64::INFINITY,
            };
        }
    }
    crowding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_layers_and_the_ends_of_a_layer_come_first() {
        let values: [&[f64]; 6] =
            [&[0.0, 4.0], &[1.0, 3.0], &[3.0, 2.0], &[4.0, 0.0], &[0.5, 2.5], &[0.0, 0.0]];
        let all = fitness(&values);
        assert_eq!(all.iter().map(|one| one.rank).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 2]);
        let crowding: Vec<f64> = all.iter().map(|one| one.crowding).collect();
        assert_eq!(crowding[..4], [f64::INFINITY, 1.25, 1.5, f64::INFINITY]);
        let mut order: Vec<usize> = (0..6).collect();
        order.sort_by(|&a, &b| all[a].fitter_first(&all[b]));
        assert_eq!(order, [0, 3, 2, 1, 4, 5]);
    }

    #[test]
    fn equal_values_are_of_one_rank() {
        let values: [&[f64]; 3] = [&[1.0, 1.0]; 3];
        assert!(fitness(&values).iter().all(|one| one.rank == 0));
        assert!(fitness(&[]).is_empty());
    }
}
