//! How a run is told to people: bars on a terminal, a line for each epoch elsewhere.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use nas_search::evaluator::Step;
use nas_search::record::{RetrainEpoch, SearchEpoch};
use nas_search::{Event, Phase, Work};

use crate::report::Failure;

/// Tells a run on standard error.
pub struct Progress {
    /// None where standard error is no terminal.
    bar: Option<ProgressBar>,
    stop: Arc<AtomicBool>,
    /// Epochs of the phase, or networks of the derivation.
    of: u32,
}

impl Progress {
    /// One that breaks at Ctrl-C.
    ///
    /// # Errors
    /// The system takes no handler.
    pub fn new() -> Result<Self, Failure> {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::no_length();
            if let Ok(style) = ProgressStyle::with_template("{msg:28} {wide_bar} {pos}/{len}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Ok(Self { bar, stop: interrupt()?, of: 0 })
    }

    /// Whether Ctrl-C was pressed.
    pub fn flow(&self) -> ControlFlow<()> {
        if self.stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// A line.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// A step of some work.
    pub fn step(&self, what: &str, step: Step) -> ControlFlow<()> {
        if let Some(bar) = &self.bar {
            bar.set_length(step.of as u64);
            bar.set_position(step.done as u64);
            bar.set_message(what.to_owned());
        }
        self.flow()
    }

    /// No more steps.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// An event of a search.
    pub fn event(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Resumed { phase, done, versions } => {
                match phase {
                    Phase::Done => self.line("the run is finished already"),
                    phase => self.line(&format!("goes on: {phase}, {done} done")),
                }
                for change in *versions {
                    let (then, now) = (shown(&change.recorded), shown(&change.now));
                    let name = &change.name;
                    self.line(&format!(
                        "note: {name} was {then} and is {now}: the last digits may differ"
                    ));
                }
            }
            Event::PhaseBegan { phase, done, of } => {
                self.of = *of;
                let unit = if *phase == Phase::Derive { "networks to score" } else { "epochs" };
                let left = of.saturating_sub(*done);
                self.line(&format!("{phase}: {left} {unit}"));
            }
            Event::Step { work, number, step } => {
                let what = match work {
                    Work::Weights => "search, weights, epoch",
                    Work::Choices => "search, choices, epoch",
                    Work::Score => "score network",
                    Work::Train => "retrain, epoch",
                    Work::Val => "validate, epoch",
                    Work::Test => "test, epoch",
                };
                return self.step(&format!("{what} {}", number.saturating_add(1)), *step);
            }
            Event::Dropped { dropped, .. } => {
                let (decision, candidate) = (&dropped.decision, &dropped.candidate);
                self.line(&format!(
                    "  dropped {candidate} of {decision} (p = {:.4})",
                    dropped.probability
                ));
            }
            Event::EpochDone { record, seconds } => self.line(&self.search_line(record, *seconds)),
            Event::Scored { number, of, score, cost } => {
                let n = number.saturating_add(1);
                let macs = millions(cost.macs);
                self.line(&format!(
                    "network {n}/{of}: mIoU {:.3} inherited, {macs} M MACs",
                    score.miou
                ));
            }
            Event::Ranked { .. } => {}
            Event::Retrained { record, best, seconds } => {
                self.line(&retrain_line(record, self.of, *best, *seconds));
            }
            Event::Done { .. } => self.finish(),
        }
        self.flow()
    }

    fn search_line(&self, record: &SearchEpoch, seconds: f64) -> String {
        let (n, of) = (record.epoch.saturating_add(1), self.of);
        let loss = record.weights.loss;
        match &record.choices {
            None => format!("warm-up {n}/{of}: loss {loss:.3}  ({seconds:.1} s)"),
            Some(choices) => format!(
                "search {n}/{of}: loss {loss:.3}, choices {:.3}, entropy {:.2}, temperature {:.2}, expected cost {} M  ({seconds:.1} s)",
                choices.loss,
                record.entropy,
                record.temperature,
                millions(choices.cost as u64),
            ),
        }
    }
}

/// The line of an epoch of retraining.
#[must_use]
pub fn retrain_line(record: &RetrainEpoch, of: u32, best: bool, seconds: f64) -> String {
    let n = record.epoch.saturating_add(1);
    let star = if best { " *" } else { "" };
    let (loss, val) = (record.train.loss, &record.val);
    format!(
        "retrain {n}/{of}: loss {loss:.3}, val mIoU {:.3}, accuracy {:.3}  ({seconds:.1} s){star}",
        val.miou, val.accuracy
    )
}

/// In millions, with three digits or so.
#[must_use]
pub fn millions(n: u64) -> String {
    let n = n as f64 / 1e6;
    if n >= 100.0 { format!("{n:.0}") } else { format!("{n:.2}") }
}

fn shown(version: &Option<String>) -> &str {
    version.as_deref().unwrap_or("unknown")
}

/// Set by Ctrl-C; a second one ends the process at once, which leaves every file whole too.
fn interrupt() -> Result<Arc<AtomicBool>, Failure> {
    static STOP: OnceLock<Result<Arc<AtomicBool>, String>> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let handler = move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
            eprintln!("stopping after this step …");
        };
        ctrlc::set_handler(handler).map(|()| stop).map_err(|error| error.to_string())
    });
    stop.clone().map_err(|error| Failure::input(format!("cannot handle Ctrl-C: {error}")))
}
