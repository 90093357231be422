//! How a run is told to people: a bar for the steps, a line for each epoch.

use std::ops::ControlFlow;
use std::time::Instant;

use nas_ir::measure::grouped;
use nas_ir::{Measure, Metric};
use nas_search::evaluator::Step;
use nas_search::record::{RetrainEpoch, SearchEpoch, TriedNetwork, Verdict};
use nas_search::regime::Times;
use nas_search::{Event, Phase, StepKind};
use nasc::render::bar::Bar;
use nasc::render::costs::milliseconds;
use nasc::render::report::{Failure, counted};

use crate::pace::Pace;
use crate::scores::value_of;
use crate::times;

/// Tells a run on standard error.
pub(crate) struct Progress {
    bar: Bar,
    phase: Phase,
    pace: Pace,
    /// The last score that was told: "mIoU 0.512".
    score: Option<String>,
    /// What the objective weighs.
    measure: Measure,
    /// What the scores of networks are that are not trained for them: "inherited".
    untrained: &'static str,
}

impl Progress {
    /// One that breaks at Ctrl-C, of a run whose objective weighs this, and whose scores without training
    /// are these.
    ///
    /// # Errors
    /// The system takes no handler.
    pub(crate) fn new(measure: Measure, untrained: &'static str) -> Result<Self, Failure> {
        let pace = Pace::new(0, 0, Instant::now());
        let (phase, score) = (Phase::Search, None);
        let bar = Bar::new()?;
        Ok(Self { bar, phase, pace, score, measure, untrained })
    }

    /// An event of a rehearsal, of which nothing is told.
    pub(crate) fn rehearsed(&self) -> ControlFlow<()> {
        self.bar.wait(|| "a few steps of each kind, to tell how long all take".to_owned())
    }

    /// How long the run takes.
    pub(crate) fn times(&self, times: &Times) {
        self.bar.line(&times::line(times));
    }

    /// No more steps.
    pub(crate) fn finish(self) {
        self.bar.finish();
    }

    /// An event of a search.
    pub(crate) fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Resumed { phase, done, versions, changes } => {
                match phase {
                    Phase::Done => self.bar.line("the run is finished already"),
                    phase => self.bar.line(&format!("goes on: {phase}, {done} done")),
                }
                for change in *changes {
                    self.bar.line(&format!("note: {change}"));
                }
                for change in *versions {
                    let (then, now) = (shown(&change.recorded), shown(&change.now));
                    let name = &change.name;
                    self.bar.line(&format!(
                        "note: {name} was {then} and is {now}: the last digits may differ"
                    ));
                }
            }
            Event::PhaseBegan { phase, done, of } => {
                (self.phase, self.pace) = (*phase, Pace::new(*done, *of, Instant::now()));
                let left = of.saturating_sub(*done) as usize;
                let left = match phase {
                    Phase::Derive => format!("{} to score", counted(left, "network")),
                    Phase::Search | Phase::Retrain | Phase::Done => counted(left, "epoch"),
                };
                self.bar.line(&format!("{phase}: {left}"));
            }
            Event::Waiting => return self.bar.wait(|| self.standing(None)),
            Event::Step { kind, number, step } => {
                let what = match kind {
                    StepKind::Weights => "search, weights, epoch",
                    StepKind::Choices => "search, choices, epoch",
                    StepKind::Score => "score network",
                    StepKind::Train => "retrain, epoch",
                    StepKind::Val => "validate, epoch",
                    StepKind::Test => "test, epoch",
                };
                let what = format!("{what} {}", number.saturating_add(1));
                let standing = || self.standing(Some((*kind, *step)));
                return self.bar.step_or(&what, step.done, step.of, standing);
            }
            Event::Pruned { pruned, .. } => {
                let (decision, candidate) = (&pruned.decision, &pruned.candidate);
                self.bar.line(&format!(
                    "  pruned {candidate} of {decision} (p = {:.4})",
                    pruned.probability
                ));
            }
            Event::EpochDone { record, seconds } => {
                self.advance(record.epoch, self.pace.of());
                self.bar.line(&self.search_line(record, *seconds));
            }
            Event::Scored { number, of, network } => {
                self.advance(*number, *of);
                let TriedNetwork { verdict, cost, budget, epoch, .. } = network;
                let n = number.saturating_add(1);
                let score = match verdict {
                    Verdict::Score(score) => score,
                    Verdict::Failed(why) => {
                        self.bar.line(&format!("network {n}/{of}: failed: {why}"));
                        return self.bar.flow();
                    }
                };
                let after = match (budget.epochs, epoch) {
                    (0, _) => self.untrained.to_owned(),
                    (epochs, None) => format!("after {}", counted(epochs as usize, "epoch")),
                    (epochs, Some(best)) => {
                        format!("in epoch {} of {epochs}", best.saturating_add(1))
                    }
                };
                let macs = millions(cost.macs);
                let latency = cost.latency.map(|latency| format!(", {}", milliseconds(latency)));
                let (metric, value) = score.primary();
                self.score = Some(format!("last {} {}", metric.title(), value_of(metric, value)));
                self.bar.line(&format!(
                    "network {n}/{of}: {} {} {after}, {macs} M MACs{}",
                    metric.title(),
                    value_of(metric, value),
                    latency.unwrap_or_default()
                ));
            }
            Event::StoppedEarly { done } => {
                let done = counted(*done as usize, "epoch");
                self.bar.line(&format!("retrain: stopped after {done}, the last ones no better"));
            }
            Event::Spent { work } => {
                let images = grouped(format!("{:.0}", work.images()));
                self.bar
                    .line(&format!("the budget is spent: {images} images forward and backward"));
            }
            Event::Ranked { .. } | Event::Done { .. } => {}
            Event::Retrained { record, best, seconds } => {
                self.advance(record.epoch, self.pace.of());
                let (metric, value) = record.val.primary();
                self.score = Some(format!("val {} {}", metric.title(), value_of(metric, value)));
                self.bar.line(&retrain_line(record, self.pace.of(), *best, *seconds));
            }
        }
        self.bar.flow()
    }

    /// A cost that the objective weighs.
    fn cost(&self, cost: u64) -> String {
        if self.measure == Measure::Latency {
            milliseconds(cost)
        } else {
            format!("{} M", millions(cost))
        }
    }

    /// The epoch or network of this number is done, of so many.
    fn advance(&mut self, number: u32, of: u32) {
        self.pace.advance(number.saturating_add(1), of, Instant::now());
    }

    /// Where the run is, in a line: phase, epoch or network, how far that is, the last score, and what is left of the
    /// phase.
    fn standing(&self, step: Option<(StepKind, Step)>) -> String {
        let mut parts = vec![format!("{} {}", self.phase, self.pace.place())];
        parts.extend(step.map(|(kind, Step { done, of, loss })| {
            let what = match kind {
                StepKind::Weights => "weights, ",
                StepKind::Choices => "choices, ",
                StepKind::Val => "validation, ",
                StepKind::Test => "test, ",
                StepKind::Score | StepKind::Train => "",
            };
            format!("{what}step {done}/{of}, loss {loss:.3}")
        }));
        parts.extend(self.score.clone());
        parts.extend(self.pace.left(Instant::now()));
        parts.join(", ")
    }

    fn search_line(&self, record: &SearchEpoch, seconds: f64) -> String {
        let (n, of) = (record.epoch.saturating_add(1), self.pace.of());
        // The task loss may rise only because the temperature falls: they are told together.
        let mut loss = format!("task loss {:.3}", record.weights.loss);
        if record.choices.is_some() {
            loss +=
                &record.temperature.map(|t| format!(" at temperature {t:.2}")).unwrap_or_default();
        }
        let mut parts = vec![loss];
        let word = match (&record.choices, record.entropy) {
            (None, Some(_)) => "warm-up",
            (None, None) => {
                parts.push(format!("mean cost {}", self.cost(record.weights.cost as u64)));
                "search"
            }
            (Some(choices), entropy) => {
                parts.push(format!("of the choices {:.3}", choices.loss));
                parts.extend(entropy.map(|entropy| format!("entropy {entropy:.2}")));
                parts.push(format!("expected cost {}", self.cost(choices.cost as u64)));
                "search"
            }
        };
        let left = self.pace.left(Instant::now()).filter(|_| n < of);
        let left = left.map(|left| format!(", {left}")).unwrap_or_default();
        format!("{word} {n}/{of}: {}  ({seconds:.1} s{left})", parts.join(", "))
    }
}

/// The line of an epoch of retraining.
#[must_use]
pub(crate) fn retrain_line(record: &RetrainEpoch, of: u32, best: bool, seconds: f64) -> String {
    let n = record.epoch.saturating_add(1);
    let star = if best { " *" } else { "" };
    let loss = record.train.loss;
    // The loss of the line is that of training.
    let told = record.val.values().filter(|(metric, _)| **metric != Metric::Loss);
    let val: Vec<String> = told
        .map(|(metric, value)| format!("{} {}", metric.title(), value_of(metric, value)))
        .collect();
    let val = val.join(", ");
    format!("retrain {n}/{of}: loss {loss:.3}, val {val}  ({seconds:.1} s){star}")
}

/// In millions, with three digits or so.
#[must_use]
pub(crate) fn millions(n: u64) -> String {
    let n = n as f64 / 1e6;
    if n >= 100.0 { format!("{n:.0}") } else { format!("{n:.2}") }
}

fn shown(version: &Option<String>) -> &str {
    version.as_deref().unwrap_or("unknown")
}
