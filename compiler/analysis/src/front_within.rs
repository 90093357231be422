//! The Pareto front of two measures over the networks that keep limits.
//!
//! Where all limits are upper ones on the two measures themselves, the front is that of the space, cut
//! off. Else it is found point by point (the epsilon-constraint method, Haimes et al. 1971): the least
//! of one measure, then the least of the other among those, then the same with less of the other.

use nas_ir::diagram::Entangled;
use nas_ir::{Assignment, Checked, DecisionId, Form, Limit, Measure, Space};
use nas_passes::specialise;

use super::best::find_least;
use super::costs::costs;
use super::depth::depth_range;
use super::front::front;
use super::memory::memory_range;

/// The networks within limits of which no other is better in one measure and not worse in the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FrontWithin {
    /// The points, by rising first measure and falling second.
    pub points: Vec<(i128, i128)>,
    /// Whether a search was cut short, so that a point may be missing or be better.
    pub is_cut: bool,
}

/// The most points that are looked for one by one.
const MAX_POINTS: usize = 10_000;

/// The Pareto front of two different measures, the less of each the better, over the networks that
/// keep limits.
///
/// # Errors
/// [`Entangled`] where no table of bounded size holds it.
pub fn front_within(
    space: &Checked<Space>,
    (a, b): (Measure, Measure),
    limits: &[Limit],
) -> Result<FrontWithin, Entangled> {
    let bound_of = |measure| move |limit: &&Limit| limit.form == Form::from(measure);
    let cuts_off = |limit: &Limit| [a, b].into_iter().any(|measure| bound_of(measure)(&limit));
    if a.is_sum() && b.is_sum() && limits.iter().all(cuts_off) {
        let most = |measure| limits.iter().filter(bound_of(measure)).map(|limit| limit.most).min();
        let (most_a, most_b) = (most(a), most(b));
        let keeps = |&(x, y): &(i128, i128)| {
            most_a.is_none_or(|most| x <= most) && most_b.is_none_or(|most| y <= most)
        };
        let front = front(space, &Form::from(a), &Form::from(b))?;
        return Ok(FrontWithin { points: front.points().filter(keeps).collect(), is_cut: false });
    }
    let mut search = Search { space, limits: limits.to_vec(), is_cut: false };
    let mut points = Vec::new();
    while let Some(x) = search.least(a)? {
        search.limits.push(Limit { form: a.into(), most: x });
        let y = search.least(b)?;
        search.limits.pop();
        // A search that was cut short may find nothing where there is something.
        let Some(y) = y else { break };
        points.push((x, y));
        if points.len() > MAX_POINTS {
            return Err(Entangled::new((0..space.decisions.len()).map(DecisionId::new)));
        }
        search.limits.truncate(limits.len());
        search.limits.push(Limit { form: b.into(), most: y - 1 });
    }
    Ok(FrontWithin { points, is_cut: search.is_cut })
}

struct Search<'s> {
    space: &'s Checked<Space>,
    limits: Vec<Limit>,
    is_cut: bool,
}

impl Search<'_> {
    /// The least of a measure among the networks that keep the limits.
    fn least(&mut self, measure: Measure) -> Result<Option<i128>, Entangled> {
        let lowest = match measure {
            Measure::PeakMemory => memory_range(self.space).min.at_least,
            Measure::Depth => depth_range(self.space).min.at_least,
            _ => return Ok(self.find(&measure.into())?.map(|found| self.value(measure, &found))),
        };
        let Some(found) = self.find(&Form::default())? else { return Ok(None) };
        let (mut low, mut high) = (i128::from(lowest), self.value(measure, &found));
        while low < high {
            let most = low.midpoint(high);
            self.limits.push(Limit { form: measure.into(), most });
            let found = self.find(&Form::default());
            self.limits.pop();
            match found? {
                Some(found) => high = self.value(measure, &found),
                None => low = most + 1,
            }
        }
        Ok(Some(high))
    }

    fn find(&mut self, form: &Form) -> Result<Option<Assignment>, Entangled> {
        let found = find_least(self.space, form, &self.limits)?;
        self.is_cut |= found.is_cut;
        Ok(found.best.map(|best| best.assignment))
    }

    fn value(&self, measure: Measure, assignment: &Assignment) -> i128 {
        let costs = costs(&specialise(self.space, assignment));
        costs.of(measure).map_or(i128::MAX, i128::from)
    }
}
