//! `nasc runs export`: what a run has written down, for other programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nas_ir::Costs;
use nas_search::metrics::MetricName;
use nas_search::record::{
    Record, RetrainEpoch, Run, RunResult, SearchEpoch, Status, Timing, TriedNetwork, Verdict,
};
use nas_search::store::Recorded;
use nas_search::{Metrics, Phase};
use serde::Serialize;
use serde_json::Value;

use crate::render::report::Failure;
use crate::render::stream::{plain_json, write_out};
use crate::services::files::write_whole;

/// Arguments of `nasc runs export`.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The folder of the run
    run: PathBuf,
    /// json: all of it; csv: a table; jsonl: the scores of the networks, as `score { by = table }` reads them
    #[arg(long, default_value = "json")]
    format: Format,
    /// Which table, with `--format csv`: trials, if not given
    #[arg(long, value_name = "TABLE")]
    table: Option<TableName>,
    /// The file to write; standard output, if not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Json,
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum TableName {
    Trials,
    Epochs,
}

/// All that a run has written down.
#[derive(Serialize)]
struct All<'r> {
    run: &'r Run,
    recipe: &'r Value,
    status: Option<Status>,
    epochs: Vec<Record>,
    trials: Vec<TriedNetwork>,
    timings: Vec<Timing>,
    result: Option<&'r RunResult>,
}

/// Writes what a run has written down.
///
/// # Errors
/// There is no run, it is damaged, it has no such table, or the file cannot be written.
pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let ExportArgs { run, format, table, output } = args;
    if table.is_some() && *format != Format::Csv {
        return Err(Failure::input("`--table` says which table `--format csv` writes"));
    }
    let run = Recorded::open(run).map_err(Failure::problem)?;
    let text = match (format, table) {
        (Format::Json, _) => json(&run)?,
        (Format::Jsonl, _) => text(run.score_table().map_err(Failure::problem)?)?,
        (Format::Csv, Some(TableName::Epochs)) => csv(&run, epochs(&run)?, "epoch")?,
        (Format::Csv, _) => csv(&run, trials(&run)?, "trial")?,
    };
    match output {
        Some(file) => write_whole(file, text.as_bytes()),
        None => write_out(&text),
    }
}

fn json(run: &Recorded) -> Result<String, Failure> {
    let all = All {
        run: run.run(),
        recipe: run.recipe(),
        status: run.status().map_err(Failure::problem)?,
        epochs: run.epochs().map_err(Failure::problem)?,
        trials: run.trials().map_err(Failure::problem)?,
        timings: run.timings().map_err(Failure::problem)?,
        result: run.result(),
    };
    let text = serde_json::to_string_pretty(&all);
    let text = text.map_err(|error| Failure::input(error.to_string()))?;
    Ok(plain_json(&text) + "\n")
}

/// A row by the names of its columns.
type Row = Vec<(String, String)>;

/// How long what a phase did took, by its number.
fn seconds(run: &Recorded) -> Result<BTreeMap<(Phase, u32), f64>, Failure> {
    let timings = run.timings().map_err(Failure::problem)?;
    Ok(timings.into_iter().map(|timing| ((timing.phase, timing.number), timing.seconds)).collect())
}

fn trials(run: &Recorded) -> Result<Vec<Row>, Failure> {
    let (trials, seconds) = (run.trials().map_err(Failure::problem)?, seconds(run)?);
    let row = |network: TriedNetwork| {
        let TriedNetwork { number, drawn, uniform, choices, cost, verdict, budget, epoch, work } =
            network;
        let Costs { macs, params, weight_bytes, peak_memory, latency, depth, .. } = cost;
        let seconds = seconds.get(&(Phase::Derive, number)).map(ToString::to_string);
        let mut row = vec![
            cell("trial", number),
            cell("drawn", drawn),
            cell("uniform", uniform),
            cell("epochs", budget.epochs),
            cell("best_epoch", epoch.map(|epoch| epoch.to_string()).unwrap_or_default()),
            cell("forward", work.forward),
            cell("backward", work.backward),
            cell("seconds", seconds.unwrap_or_default()),
        ];
        let failed = match &verdict {
            Verdict::Score(score) => {
                row.extend(metrics("score", score));
                ""
            }
            Verdict::Failed(why) => why.as_str(),
        };
        let latency = latency.map(|nanoseconds| (nanoseconds as f64 / 1e9).to_string());
        row.extend([
            cell("failed", failed),
            cell("macs", macs),
            cell("params", params),
            cell("weight_bytes", weight_bytes),
            cell("peak_memory", peak_memory),
            cell("latency", latency.unwrap_or_default()),
            cell("depth", depth),
        ]);
        row.extend(choices.into_iter().map(|(path, name)| (format!("choice:{path}"), name)));
        row
    };
    Ok(trials.into_iter().map(row).collect())
}

fn epochs(run: &Recorded) -> Result<Vec<Row>, Failure> {
    let (epochs, seconds) = (run.epochs().map_err(Failure::problem)?, seconds(run)?);
    let optional = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let row = |record: Record| {
        let (phase, epoch, [first, last], pass, work) = match &record {
            Record::Search(SearchEpoch { epoch, learning_rate, weights, work, .. }) => {
                (Phase::Search, *epoch, *learning_rate, *weights, *work)
            }
            Record::Retrain(RetrainEpoch { epoch, learning_rate, train, work, .. }) => {
                (Phase::Retrain, *epoch, *learning_rate, *train, *work)
            }
        };
        let mut row = vec![
            cell("phase", phase),
            cell("epoch", epoch),
            cell("seconds", optional(seconds.get(&(phase, epoch)).copied())),
            cell("rate_first", first),
            cell("rate_last", last),
            cell("loss", pass.loss),
            cell("cost", pass.cost),
            cell("forward", work.forward),
            cell("backward", work.backward),
        ];
        match record {
            Record::Search(SearchEpoch { choices, temperature, entropy, .. }) => row.extend([
                cell("choice_loss", optional(choices.map(|choices| choices.loss))),
                cell("choice_cost", optional(choices.map(|choices| choices.cost))),
                cell("temperature", optional(temperature)),
                cell("entropy", optional(entropy)),
            ]),
            Record::Retrain(RetrainEpoch { val, .. }) => {
                row.extend(metrics("val", &val));
            }
        }
        row
    };
    Ok(epochs.into_iter().map(row).collect())
}

fn cell(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// The metrics of a score, whose name goes before theirs so that none is taken for another column; those of classes with
/// the number of the class.
fn metrics(of: &str, score: &Metrics) -> Row {
    let named =
        |(metric, value): (&MetricName, f64)| cell(&format!("{of}_{}", metric.key()), value);
    let mut row: Row = score.values().map(named).collect();
    for (metric, values) in score.by_class() {
        let shown = |value: &Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let cells = values.iter().enumerate();
        row.extend(
            cells.map(|(class, value)| (format!("{of}_{}.{class}", metric.name()), shown(value))),
        );
    }
    row
}

/// Rows as CSV: a column for each name that one of them has.
fn csv(run: &Recorded, rows: Vec<Row>, of: &str) -> Result<String, Failure> {
    if rows.is_empty() {
        let dir = run.dir().display();
        return Err(Failure::input(format!("the run in `{dir}` has no {of} yet")));
    }
    let mut names: Vec<String> = Vec::new();
    for (name, _) in rows.iter().flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let unwritten = |error: String| Failure::input(format!("cannot write the table: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&names).map_err(|error| unwritten(error.to_string()))?;
    for row in rows {
        let row: BTreeMap<String, String> = row.into_iter().collect();
        let cells = names.iter().map(|name| row.get(name).map_or("", String::as_str));
        writer.write_record(cells).map_err(|error| unwritten(error.to_string()))?;
    }
    text(writer.into_inner().map_err(|error| unwritten(error.to_string()))?)
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| Failure::input(error.to_string()))
}
