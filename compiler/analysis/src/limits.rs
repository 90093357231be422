//! Limits, made ready for tables: those on sums become rows of prices, those on the peak of memory,
//! on the depth and on the order of what is chosen become conditions.

use nas_ir::diagram::Entangled;
use nas_ir::liveness::Liveness;
use nas_ir::{Assignment, Checked, Form, Limit, Measure, Quantity, Space, fault};
use nas_passes::specialise;

use super::budget::Rounding;
use super::conditions::Conditions;
use super::count;
use super::depth;
use super::memory;
use super::order;
use super::priced::{Price, Priced, Spans, without_idle};
use crate::costs::figures;

/// The conditions under which a network keeps a limit; `None` where it is a sum.
fn conditions_of(
    limit: &Limit,
    space: &Checked<Space>,
    liveness: &mut Liveness,
) -> Option<Conditions> {
    if limit.is_sum() {
        return None;
    }
    if let Some(order) = limit.order() {
        let kept = order::conditions(space, liveness, order);
        return Some(Conditions { needed: kept.clone(), enough: kept });
    }
    let selectors = &mut liveness.conditions;
    let keeps = |factor: i128| move |value: u64| factor.saturating_mul(value.into()) <= limit.most;
    let known = match *limit.form.0.as_slice() {
        [(Quantity::Measure(Measure::Depth), factor)] => {
            depth::condition(space, selectors, &keeps(factor))
                .map(|condition| Conditions { needed: vec![condition], enough: vec![condition] })
        }
        [(Quantity::Measure(Measure::PeakMemory), factor)] => {
            memory::conditions(space, selectors, factor > 0, &keeps(factor))
        }
        _ => None,
    };
    Some(known.unwrap_or_else(|| Conditions::unknown(liveness)))
}

/// What is made of limits that are no sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    AsConditions,
    AsUnknown,
}

/// What networks are compared by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Score<'s> {
    /// By nothing.
    Nothing,
    /// By scores of candidates, which add up where decisions make a difference.
    Sum(&'s [Vec<f64>]),
    /// By how little of a form they have.
    Least(&'s Form),
}

/// The networks of a space as paths, with the limits as rows and conditions.
pub(super) struct Ready {
    /// The prices in the forms of the sums, settled.
    pub(super) priced: Priced<Price>,
    /// The most that each decision adds to each form.
    pub(super) spans: Spans,
    /// The most that each form may be.
    pub(super) most: Vec<i128>,
    /// Those limits that no condition is exact for.
    pub(super) open: Vec<Limit>,
}

impl Ready {
    /// Makes limits ready and runs an analysis on them. What is no sum is left out where it
    /// entangles the decisions too much. Rounded down, all networks that keep the limits are there
    /// and perhaps others; rounded up, only networks that keep them.
    pub(super) fn run<T>(
        space: &Checked<Space>,
        limits: &[Limit],
        score: Score<'_>,
        rounding: Rounding,
        analysis: impl Fn(Self) -> Result<T, Entangled>,
    ) -> Result<T, Entangled> {
        let attempt = |others| analysis(Self::new(space, limits, score, rounding, others)?);
        if limits.iter().all(Limit::is_sum) {
            return attempt(Others::AsUnknown);
        }
        attempt(Others::AsConditions).or_else(|_| attempt(Others::AsUnknown))
    }

    fn new(
        space: &Checked<Space>,
        limits: &[Limit],
        score: Score<'_>,
        rounding: Rounding,
        others: Others,
    ) -> Result<Self, Entangled> {
        let mut liveness = space.whole_liveness()?;
        let (mut forms, mut most) = (Vec::new(), Vec::new());
        let (mut conditions, mut open) = (count::wanted(space, &liveness)?, Vec::new());
        for limit in limits {
            let known = match others {
                Others::AsConditions => conditions_of(limit, space, &mut liveness),
                Others::AsUnknown => (!limit.is_sum()).then(|| Conditions::unknown(&mut liveness)),
            };
            let Some(Conditions { needed, enough }) = known else {
                forms.push(limit.form.clone());
                most.push(limit.most);
                continue;
            };
            if needed != enough {
                open.push(limit.clone());
            }
            conditions.extend(if rounding == Rounding::Down { needed } else { enough });
        }
        let mut prices =
            |forms: &[Form], scores| Priced::new(space, &mut liveness, forms, scores, &conditions);
        let priced = match score {
            Score::Nothing => prices(&forms, None)?,
            Score::Sum(scores) => prices(&forms, Some(scores))?,
            Score::Least(form) => {
                forms.push(form.clone());
                last_as_score(&prices(&forms, None)?)
            }
        };
        let (priced, spans) = without_idle(priced.settled(), &most);
        Ok(Self { priced, spans, most, open })
    }

    /// What is left of each limit above the base.
    pub(super) fn rooms(&self) -> Vec<i128> {
        self.most.iter().zip(&self.priced.base.costs).map(|(most, base)| most - base).collect()
    }
}

/// The prices with the last form as the score: the less, the better.
fn last_as_score(priced: &Priced<Price>) -> Priced<Price> {
    let scored = |price: &Price| {
        let Some((cost, limited)) = price.costs.split_last() else {
            fault("a price without the form that is the score")
        };
        Price { costs: limited.to_vec(), score: -(*cost as f64) }
    };
    priced.map(scored(&priced.base), &scored)
}

/// Whether a network keeps limits.
pub(super) fn keeps(space: &Checked<Space>, limits: &[Limit], assignment: &Assignment) -> bool {
    limits.is_empty() || {
        let network = specialise(space, assignment);
        let figures = figures(space, &network);
        limits.iter().all(|limit| limit.is_kept(&figures) == Some(true))
    }
}
