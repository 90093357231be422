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
/// There is no such folder, or no run in it.
pub(super) fn run(dir: &Path, json: bool) -> Result<(), Failure> {
    if !dir.is_dir() {
        return Err(Failure::input(format!(
            "there is no folder `{}`; a search makes one for its run, and `nasc runs DIR` lists those below another folder",
            dir.display()
        )));
    }
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    find(dir, &mut found, &mut unread);
    if found.is_empty() && unread.is_empty() && !json {
        return Err(Failure::input(format!("there is no run in `{}`", dir.display())));
    }
    let mut summaries = Vec::new();
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

/// The runs below a folder, in order, and why folders could not be looked into. Links are not followed, so that no way leads
/// in a circle.
fn find(dir: &Path, found: &mut Vec<PathBuf>, unread: &mut Vec<String>) {
    if Recorded::is_in(dir) {
        found.push(dir.to_owned());
        return;
    }
    match folders(dir) {
        Ok(folders) => folders.iter().for_each(|folder| find(folder, found, unread)),
        Err(error) => unread.push(format!("{}: {error}", dir.display())),
    }
}

/// The folders in a folder, in order.
fn folders(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
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
