//! Which networks a supernet learns on, stage by stage: in progressive shrinking (once-for-all, Cai et al. 2020,
//! section 3.3) the largest network first, and then the others as decisions open, label by label.

mod refusal;
mod schema;

use nas_analysis::{Sampler, least_under};
use nas_diagnostics::Problems;
use nas_ir::verify::verify;
use nas_ir::{Assignment, Checked, Form, Measure, Pick, Space, fault};
use nas_passes::restrict;
use rand::RngCore;

use super::networks::{self, Networks};
use super::sampling::uncounted;
use crate::error::RunError;

pub(super) use self::refusal::refused;
pub(super) use self::schema::{SHRINK, labels};

/// The stages of a training, in order.
pub(super) struct Stages<'s> {
    space: &'s Checked<Space>,
    /// Those in which some decisions are closed.
    closed: Vec<Closed>,
    /// The network of most MACs and that of fewest, whatever is required; none where nobody asks.
    extremes: Option<[Assignment; 2]>,
    epochs: u32,
}

/// A stage in which some decisions take what they take in the largest network.
struct Closed {
    /// What is left of the space, without its requirements.
    part: Checked<Space>,
    /// The candidates that each decision keeps, by their places in the whole space.
    kept: Vec<Vec<usize>>,
    sampler: Sampler,
    smallest: Assignment,
}

impl<'s> Stages<'s> {
    /// Those of a space whose decisions of these labels open later. The extremes are looked for where these are
    /// wanted, or a decision is closed.
    ///
    /// # Errors
    /// The space is too entangled to find its largest and its smallest network, or has none that reads its input.
    pub(super) fn new(
        space: &'s Checked<Space>,
        labels: &[String],
        epochs: u32,
        wants_extremes: bool,
    ) -> Result<Self, RunError> {
        if labels.is_empty() && !wants_extremes {
            return Ok(Self { space, closed: Vec::new(), extremes: None, epochs });
        }
        let extremes = [largest(space)?, smallest(space)?];
        let [largest, _] = &extremes;
        let closed = (0..labels.len()).map(|open| {
            let closed = labels.get(open..).unwrap_or_default();
            Closed::new(space, largest, |label| closed.iter().any(|other| other == label))
        });
        let closed = closed.collect::<Result<Vec<Closed>, RunError>>()?;
        Ok(Self { space, closed, extremes: Some(extremes), epochs })
    }

    /// The stage of an epoch, if some decisions are closed in it.
    fn closed(&self, epoch: u32) -> Option<&Closed> {
        let stages = self.closed.len() as u64 + 1;
        let stage = u64::from(epoch) * stages / u64::from(self.epochs.max(1));
        self.closed.get(usize::try_from(stage).unwrap_or(usize::MAX))
    }

    /// One network of an epoch, uniformly.
    ///
    /// # Errors
    /// No network keeps the requirements.
    pub(super) fn draw(
        &self,
        epoch: u32,
        networks: &Networks<'_>,
        mut rng: &mut dyn RngCore,
    ) -> Result<Assignment, RunError> {
        match self.closed(epoch) {
            Some(closed) => Ok(closed.whole(&closed.sampler.draw(&mut rng), self.space)),
            None => networks.draw(rng),
        }
    }

    /// Several networks of an epoch that hold each open candidate equally often.
    ///
    /// # Errors
    /// No network keeps the requirements.
    pub(super) fn draw_fair(
        &self,
        epoch: u32,
        networks: &Networks<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Vec<Assignment>, RunError> {
        let fair = match self.closed(epoch) {
            Some(closed) => {
                let fair = networks::fair(&closed.part, rng).into_iter();
                fair.map(|network| closed.whole(&network, self.space)).collect()
            }
            None => networks::fair(self.space, rng),
        };
        if fair.is_empty() { Ok(vec![self.draw(epoch, networks, rng)?]) } else { Ok(fair) }
    }

    /// The largest network, the smallest one of an epoch, and so many that are drawn, each once: the sandwich rule (Yu
    /// and Huang 2019, section 3.2).
    ///
    /// # Errors
    /// No network keeps the requirements.
    pub(super) fn sandwich(
        &self,
        epoch: u32,
        random: u32,
        networks: &Networks<'_>,
        rng: &mut dyn RngCore,
    ) -> Result<Vec<Assignment>, RunError> {
        let Some([largest, smallest]) = &self.extremes else { return Ok(Vec::new()) };
        let smallest = self.closed(epoch).map_or(smallest, |closed| &closed.smallest);
        let mut sandwich = vec![largest.clone()];
        for number in 0..=random {
            let next = match number {
                0 => smallest.clone(),
                _ => self.draw(epoch, networks, rng)?,
            };
            if !sandwich.contains(&next) {
                sandwich.push(next);
            }
        }
        Ok(sandwich)
    }
}

impl Closed {
    fn new(
        space: &Checked<Space>,
        largest: &Assignment,
        is_closed: impl Fn(&str) -> bool,
    ) -> Result<Self, RunError> {
        let kept: Vec<Vec<usize>> = space
            .decision_ids()
            .map(|(id, decision)| match is_closed(&decision.label) {
                true => vec![largest.get(id)],
                false => (0..decision.candidates.len()).collect(),
            })
            .collect();
        let gone = space.decision_ids().zip(&kept).flat_map(|((id, decision), kept)| {
            let all = 0..decision.candidates.len();
            all.filter(|candidate| !kept.contains(candidate)).map(move |candidate| (id, candidate))
        });
        let mut part = restrict(space, &gone.collect::<Vec<Pick>>());
        part.requirements.clear();
        let part = verify(part, &mut Problems::default())
            .unwrap_or_else(|| fault("a part of a space that is at fault where the space is not"));
        let sampler = Sampler::new(&part).map_err(|entangled| uncounted(space, &entangled))?;
        let least = smallest(&part)?;
        let mut closed = Self { part, kept, sampler, smallest: least };
        closed.smallest = closed.whole(&closed.smallest, space);
        Ok(closed)
    }

    /// An assignment of this part as one of the whole space.
    fn whole(&self, of_part: &Assignment, space: &Space) -> Assignment {
        let mut whole = space.first_assignment();
        for ((id, _), kept) in space.decision_ids().zip(&self.kept) {
            whole.set(id, kept.get(of_part.get(id)).copied().unwrap_or_default());
        }
        whole
    }
}

/// The network of most MACs that reads its input, whatever is required.
fn largest(space: &Checked<Space>) -> Result<Assignment, RunError> {
    extreme(space, &Form::from(Measure::Macs).negated())
}

/// The network of fewest MACs that reads its input, whatever is required.
fn smallest(space: &Checked<Space>) -> Result<Assignment, RunError> {
    extreme(space, &Form::from(Measure::Macs))
}

fn extreme(space: &Checked<Space>, form: &Form) -> Result<Assignment, RunError> {
    let found = least_under(space, form, &[]).map_err(|entangled| uncounted(space, &entangled))?;
    found.map(|best| best.assignment).ok_or(RunError::NoneKept)
}
