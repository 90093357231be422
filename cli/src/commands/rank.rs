//! `nasc rank`: how far the scores of networks order them as others do, which are taken for the truth.

use std::path::{Path, PathBuf};

use clap::Args;
use nas_search::ranking::{kendall_tau, rank_of_first, spearman_rho, top_recall};
use nas_search::{ScoreTable, ScoredNetwork};
use serde::Serialize;

use crate::render::report::Failure;
use crate::render::stream;
use crate::render::table::Table;
use crate::services::scores;
use crate::{out, outln};

/// Arguments of `nasc rank`.
#[derive(Debug, Args)]
pub struct RankArgs {
    /// The scores: the folder of a run, or a table of scores
    pub scores: PathBuf,
    /// What is true of the same networks: likewise
    #[arg(long)]
    pub truth: PathBuf,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The share of the networks that counts as the top.
const TOP: f64 = 0.1;

/// How far an order agrees with the true one.
#[derive(Serialize)]
struct Agreement {
    kendall_tau: Option<f64>,
    spearman_rho: Option<f64>,
    /// Of the true top tenth, how much is in the top tenth of the order.
    top_recall: f64,
    /// Where the first of the order truly stands.
    rank_of_first: Option<usize>,
}

#[derive(Serialize)]
struct Report {
    /// How many networks both have.
    networks: usize,
    scores: Agreement,
    /// The order by multiply-accumulates, most first: what needs no training.
    macs: Option<Agreement>,
}

/// Prints how well the scores rank the networks.
///
/// # Errors
/// A file is no table of scores, or they have not two networks in common.
pub fn run(args: &RankArgs) -> Result<(), Failure> {
    let (scores, truth) = (read(&args.scores)?, read(&args.truth)?);
    let pairs: Vec<(&ScoredNetwork, &ScoredNetwork)> = scores.common(&truth).collect();
    if pairs.len() < 2 {
        let named = [&args.scores, &args.truth].map(|path| path.display());
        let [scores, truth] = named;
        let said = format!("`{scores}` and `{truth}` have {} networks in common", pairs.len());
        return Err(Failure::input(said));
    }
    let true_scores: Vec<f64> = pairs.iter().map(|(_, truth)| truth.score.fitness()).collect();
    let by_score: Vec<f64> = pairs.iter().map(|(own, _)| own.score.fitness()).collect();
    let macs = |(own, truth): &(&ScoredNetwork, &ScoredNetwork)| {
        own.macs.or(truth.macs).map(|macs| macs as f64)
    };
    let by_macs: Option<Vec<f64>> = pairs.iter().map(macs).collect();
    let report = Report {
        networks: pairs.len(),
        scores: agreement(&by_score, &true_scores),
        macs: by_macs.map(|by_macs| agreement(&by_macs, &true_scores)),
    };
    if args.json { stream::json(&report, true) } else { print(&report) }
}

fn agreement(order: &[f64], truth: &[f64]) -> Agreement {
    Agreement {
        kendall_tau: kendall_tau(order, truth),
        spearman_rho: spearman_rho(order, truth),
        top_recall: top_recall(order, truth, TOP),
        rank_of_first: rank_of_first(order, truth),
    }
}

/// The scores of a file, or of a run.
fn read(path: &Path) -> Result<ScoreTable, Failure> {
    scores::table(path, &scores::lines(path)?)
}

fn print(report: &Report) -> Result<(), Failure> {
    let columns = [Some(&report.scores), report.macs.as_ref()];
    let row = |of: &dyn Fn(&Agreement) -> String| {
        columns.map(|column| column.map_or_else(|| "-".to_owned(), of))
    };
    let real = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
    let rows = [
        ("Kendall's tau", row(&|a| real(a.kendall_tau))),
        ("Spearman's rho", row(&|a| real(a.spearman_rho))),
        ("of the true top 10 %", row(&|a| format!("{:.0} %", 100.0 * a.top_recall))),
        (
            "true rank of the first",
            row(&|a| a.rank_of_first.map_or_else(|| "-".to_owned(), |rank| rank.to_string())),
        ),
    ];
    outln!("{} networks in both", report.networks)?;
    let mut table = Table::new(["", "scores", "MACs"]);
    for (name, [scores, macs]) in rows {
        table.row([name.to_owned(), scores, macs]);
    }
    out!("{table}")
}
