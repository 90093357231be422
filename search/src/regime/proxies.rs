//! What scores networks that nothing trains: zero-cost proxies, one of them, or several that vote.

use std::time::Instant;

use nas_ir::{Assignment, Checked, Space};
use nas_passes::specialise;

use super::evaluators::FromScratch;
use crate::backend::Proxies;
use crate::error::RunError;
use crate::evaluator::{Evaluation, Evaluator, FailedTrial, Halt, OnBeat};
use crate::proxy::{Electorate, Measured, Undefined, score};
use crate::strategy::ProxySettings;
use crate::trial::Trial;
use crate::work::Work;

/// Scores networks by proxies; those that have a budget of their own, after training by that.
pub(super) struct ByProxies<'j> {
    space: &'j Checked<Space>,
    proxies: Box<dyn Proxies>,
    settings: ProxySettings,
    from_scratch: FromScratch<'j>,
    /// Where there are several: what they say of the other networks, and what finding that took.
    electorate: Option<(Electorate, Work)>,
}

impl<'j> ByProxies<'j> {
    pub(super) fn new(
        space: &'j Checked<Space>,
        proxies: Box<dyn Proxies>,
        settings: ProxySettings,
        from_scratch: FromScratch<'j>,
    ) -> Self {
        Self { space, proxies, settings, from_scratch, electorate: None }
    }

    fn measure(&self, assignment: &Assignment) -> Result<Result<Measured, Undefined>, Halt> {
        let network = specialise(self.space, assignment);
        self.proxies.measure(&network, &self.settings.proxies).map_err(Halt::backend)
    }

    /// What several proxies say of the other networks: those for which each has a value.
    fn draw_up(&mut self, on_beat: OnBeat<'_>) -> Result<(), Halt> {
        let (mut values, mut work) = (Vec::new(), Work::default());
        for assignment in &self.settings.others {
            if on_beat(None).is_break() {
                return Err(Halt::Interrupted);
            }
            match self.measure(assignment)? {
                Ok(measured) => {
                    work += measured.work;
                    values.push(measured.values);
                }
                Err(undefined) => work += undefined.work,
            }
        }
        self.electorate = Some((Electorate::new(&values), work));
        Ok(())
    }
}

impl Evaluator for ByProxies<'_> {
    fn evaluate(
        &mut self,
        number: u32,
        trial: &Trial,
        on_beat: OnBeat<'_>,
    ) -> Result<Evaluation, Halt> {
        if !trial.budget.is_none() {
            return self.from_scratch.evaluate(number, trial, on_beat);
        }
        let began = Instant::now();
        let is_vote = self.settings.proxies.len() > 1;
        if is_vote && self.electorate.is_none() {
            self.draw_up(on_beat)?;
        }
        let electorate = self.electorate.as_ref();
        // They are drawn up once in a run, and again in one that goes on.
        let once = electorate.filter(|_| number == 0).map(|(_, work)| *work).unwrap_or_default();
        let (score, work) = match self.measure(&trial.assignment)? {
            Ok(Measured { values, work }) => {
                let vote = electorate.map(|(electorate, _)| electorate.vote(&values));
                (Ok(score(&self.settings.proxies, &values, vote)), work)
            }
            Err(undefined) => (Err(failed(&undefined)), undefined.work),
        };
        Ok(Evaluation::since(began, score, work + once))
    }
}

/// What is recorded of a network for which a proxy has no value, and told if none has one.
fn failed(undefined: &Undefined) -> FailedTrial {
    let Undefined { proxy, why, .. } = undefined;
    let proxy = proxy.name();
    let report = RunError::UndefinedProxy { proxy, why: why.clone() };
    FailedTrial { why: format!("`{proxy}` is not defined: {why}"), report }
}
