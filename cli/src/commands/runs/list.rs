//! `nasc runs`: a line for each run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nas_search::Metrics;
use nas_search::store::Recorded;

use super::summary::{Best, Summary};
use crate::render::plot::rounded;
use crate::render::report::Failure;
use crate::render::stream;
use crate::render::table::Table;
use crate::{out, tell};

/// Lists the runs in a folder, at any depth.
///
/// # Errors
/// The folder cannot be read, or there is no run in it.
pub(super) fn run(dir: &Path, json: bool) -> Result<(), Failure> {
    let mut found = Vec::new();
    find(dir, &mut found).map_err(|error| Failure::input(format!("{}: {error}", dir.display())))?;
    if found.is_empty() {
        return Err(Failure::input(format!("there is no run in `{}`", dir.display())));
    }
    let mut summaries = Vec::new();
    let mut unread = Vec::new();
    for dir in found {
        match Summary::of(&dir) {
            Ok((summary, _)) => summaries.push(summary),
            Err(failure) => unread.push(format!("{}: {}", dir.display(), failure.summary())),
        }
    }
    if json {
        stream::json(&summaries, true)?;
    } else if !summaries.is_empty() {
        print(&summaries)?;
    }
    for why in &unread {
        tell!("not listed: {why}");
    }
    Ok(())
}

/// The runs below a folder, in order. Links are not followed, so that no way leads in a circle.
fn find(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if Recorded::is_in(dir) {
        found.push(dir.to_owned());
        return Ok(());
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    folders.iter().try_for_each(|folder| find(folder, found))
}

fn print(summaries: &[Summary]) -> Result<(), Failure> {
    let header =
        ["run", "state", "strategy", "space", "trials", "trial", "trained", "MACs", "time"];
    let mut table = Table::new(header);
    for summary in summaries {
        let Summary { run, state, strategy, space, trials, best, .. } = summary;
        let score = |of: fn(&Best) -> Option<&Metrics>| {
            best.as_ref().and_then(of).map_or_else(|| "-".to_owned(), primary)
        };
        table.row([
            run.display().to_string(),
            state.to_string(),
            strategy.clone().unwrap_or_else(|| "(retraining)".to_owned()),
            space.clone(),
            trials.to_string(),
            score(|best| best.trial.as_ref()),
            score(|best| best.val.as_ref()),
            best.as_ref().map_or_else(|| "-".to_owned(), |best| rounded(best.cost.macs as f64, "")),
            summary.time(),
        ]);
    }
    out!("{table}")
}

/// The metric that ranks.
fn primary(score: &Metrics) -> String {
    let (metric, value) = score.primary();
    format!("{} {value:.3}", metric.title())
}
