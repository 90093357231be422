//! Measuring many models in rounds: each model once a round, so that a slow drift of the machine
//! touches all of them alike.

use super::error::Fault;
use super::item::Item;
use super::journal::Journal;
use super::runner::Runner;
use crate::render::bar::Bar;
use crate::render::report::Failure;

/// How long and how stubbornly to measure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// How many rounds there are.
    pub(super) repeats: usize,
    /// How often a bad answer is asked for again.
    pub(super) retries: usize,
}

/// Measures what the journal lacks.
///
/// # Errors
/// A model has no figure, or the user stops it. The journal keeps what was measured.
pub(super) fn measure(
    items: &[Item],
    effort: Effort,
    runner: &mut Runner,
    journal: &mut Journal,
) -> Result<(), Failure> {
    let bar = Bar::with_rest()?;
    let result = rounds(items, effort, runner, journal, &bar);
    bar.finish();
    result
}

fn rounds(
    items: &[Item],
    effort: Effort,
    runner: &mut Runner,
    journal: &mut Journal,
    bar: &Bar,
) -> Result<(), Failure> {
    let of = items.len() * effort.repeats;
    let kept = |journal: &Journal| {
        items.iter().map(|item| journal.count(&item.key).min(effort.repeats)).sum::<usize>()
    };
    let mut done = kept(journal);
    if done > 0 {
        bar.line(&format!("goes on: {done} of {of} figures are there"));
    }
    for round in 0..effort.repeats {
        for item in items {
            if journal.count(&item.key) > round {
                continue;
            }
            let what = format!("round {}, {}", round + 1, item.key);
            if bar.step(&what, done, of).is_break() {
                return Err(Failure::Interrupted);
            }
            let ms = insist(item, effort.retries, runner, bar)?;
            journal.push(&item.key, ms)?;
            done += 1;
        }
    }
    Ok(())
}

/// The figure of a model; asks again after a bad answer.
///
/// # Errors
/// There is none, or the user stops it.
pub(super) fn insist(
    item: &Item,
    retries: usize,
    runner: &mut Runner,
    bar: &Bar,
) -> Result<f64, Failure> {
    let mut left = retries;
    loop {
        match runner.measure(item, &|| bar.flow()) {
            Ok(ms) => return Ok(ms),
            Err(Fault::Interrupted) => return Err(Failure::Interrupted),
            Err(Fault::Failure(failure)) => return Err(failure),
            Err(Fault::Answer(answer)) if left == 0 => return Err(Failure::problem(answer)),
            Err(Fault::Answer(answer)) => {
                bar.line(&format!("{}: the runner {}; again", item.key, answer.why));
                left -= 1;
            }
        }
    }
}
