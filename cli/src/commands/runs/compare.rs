//! `nasc runs compare`: what differs between runs.

use std::path::PathBuf;

use clap::Args;
use nas_search::Metrics;
use nas_search::store::{Recorded, names};
use serde::Serialize;
use serde_json::Value;

use super::summary::{Best, Summary};
use crate::render::costs::milliseconds;
use crate::render::plot::rounded;
use crate::render::report::{Failure, counted};
use crate::render::stream;
use crate::render::table::Table;
use crate::{out, outln};

/// Arguments of `nasc runs compare`.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The folders of the runs
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Digits of a hash that tell files apart.
const DIGITS: usize = 12;

/// What differs between runs, and what came of them.
#[derive(Debug, Serialize)]
struct Comparison {
    runs: Vec<Summary>,
    /// What they were begun with, where it differs.
    settings: Vec<Row>,
    /// What their best networks choose, where it differs.
    choices: Vec<Row>,
    /// In how many decisions the best networks agree.
    agree: usize,
}

/// A value for each run; null where it has none.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    values: Vec<Value>,
}

/// Compares runs.
///
/// # Errors
/// One of them is none, or is damaged.
pub(super) fn run(args: &CompareArgs) -> Result<(), Failure> {
    let opened = args.runs.iter().map(|dir| Summary::of(dir)).collect::<Result<Vec<_>, _>>()?;
    let begun = opened.iter().map(|(_, recorded)| begun(recorded));
    let begun = begun.collect::<Result<Vec<_>, _>>()?;
    let runs: Vec<Summary> = opened.into_iter().map(|(summary, _)| summary).collect();
    let chosen = |summary: &Summary| -> Vec<(String, Value)> {
        let choices = summary.best.iter().flat_map(|best| &best.choices);
        choices.map(|(path, candidate)| (path.clone(), Value::from(candidate.as_str()))).collect()
    };
    let choices = rows(&runs.iter().map(chosen).collect::<Vec<_>>());
    let (choices, agree): (Vec<Row>, Vec<Row>) = choices.into_iter().partition(Row::differs);
    let settings = rows(&begun).into_iter().filter(Row::differs).collect();
    let comparison = Comparison { runs, settings, choices, agree: agree.len() };
    if args.json { stream::json(&comparison, true) } else { comparison.print() }
}

/// All that a run was begun with, by name.
fn begun(recorded: &Recorded) -> Result<Vec<(String, Value)>, Failure> {
    let mut all = vec![("space".to_owned(), Value::from(recorded.run().space.as_str()))];
    for (name, file) in [("space, as compiled", names::SPACE), ("data", names::DATA)] {
        let bytes = recorded.file(file).map_err(Failure::problem)?.unwrap_or_default();
        let hash: String = nas_files::sha256(&bytes).chars().take(DIGITS).collect();
        all.push((name.to_owned(), Value::from(hash)));
    }
    leaves("", recorded.recipe(), &mut all);
    let versions = recorded.run().versions.iter();
    all.extend(versions.map(|(name, version)| (name.clone(), Value::from(version.as_str()))));
    Ok(all)
}

/// The values inside a value, by their paths: `schedule.epochs`.
fn leaves(at: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    if let Value::Object(fields) = value {
        for (key, value) in fields {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            leaves(&at, value, into);
        }
    } else {
        into.push((at.to_owned(), value.clone()));
    }
}

/// A row for each name that one of these has, in the order of the first that has it.
fn rows(of: &[Vec<(String, Value)>]) -> Vec<Row> {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in of.iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let value = |own: &Vec<(String, Value)>, name: &String| {
        let found = own.iter().find(|(other, _)| other == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    };
    let row = |name: &String| {
        let values = of.iter().map(|own| value(own, name)).collect();
        Row { name: name.clone(), values }
    };
    names.into_iter().map(row).collect()
}

impl Row {
    fn differs(&self) -> bool {
        self.values.windows(2).any(|pair| pair.first() != pair.last())
    }

    fn cells(&self) -> Vec<String> {
        let shown = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        std::iter::once(self.name.clone()).chain(self.values.iter().map(shown)).collect()
    }
}

impl Comparison {
    fn print(&self) -> Result<(), Failure> {
        outln!("results")?;
        out!("{}", self.results())?;
        outln!("")?;
        if self.settings.is_empty() {
            outln!("settings: all are the same")?;
        } else {
            outln!("settings that differ")?;
            out!("{}", self.table(&self.settings))?;
        }
        outln!("")?;
        let agree = counted(self.agree, "decision");
        if self.choices.is_empty() {
            return outln!("networks: they agree in {agree}, and differ in none");
        }
        outln!("networks: they agree in {agree}, and differ in these")?;
        out!("{}", self.table(&self.choices))
    }

    fn headed(&self) -> Table {
        let mut table = Table::empty();
        let names = self.runs.iter().map(|summary| summary.run.display().to_string());
        table.row(std::iter::once(String::new()).chain(names));
        table
    }

    fn table(&self, rows: &[Row]) -> Table {
        let mut table = self.headed();
        rows.iter().for_each(|row| table.row(row.cells()));
        table
    }

    fn results(&self) -> Table {
        let mut table = self.headed();
        let mut row = |name: &str, of: &dyn Fn(&Summary) -> Option<String>| {
            let cells = self.runs.iter().map(|run| of(run).unwrap_or_else(|| "-".to_owned()));
            let cells: Vec<String> = cells.collect();
            if cells.iter().any(|cell| cell != "-") {
                table.row(std::iter::once(name.to_owned()).chain(cells));
            }
        };
        row("state", &|run| Some(run.state.to_string()));
        row("strategy", &|run| run.strategy.clone());
        row("trials", &|run| Some(run.trials.to_string()));
        for (scores, of) in SCORES {
            for metric in self.metrics(of) {
                let name = format!("{scores} {metric}");
                row(&name, &|run| {
                    let score = of(run.best.as_ref()?)?;
                    let mut values = score.values();
                    let value = values.find(|(own, _)| own.title() == metric)?.1;
                    Some(format!("{value:.4}"))
                });
            }
        }
        let best = |run: &Summary| run.best.as_ref().map(|best| best.cost);
        row("MACs", &|run| Some(rounded(best(run)?.macs as f64, "")));
        row("parameters", &|run| Some(rounded(best(run)?.params as f64, "")));
        row("latency", &|run| Some(milliseconds(best(run)?.latency?)));
        row("time", &|run| Some(run.time()));
        table
    }

    /// The metrics of the scores that runs have, each once.
    fn metrics(&self, of: Score) -> Vec<String> {
        let mut titles: Vec<String> = Vec::new();
        for score in self.runs.iter().filter_map(|run| of(run.best.as_ref()?)) {
            for (metric, _) in score.values() {
                if !titles.iter().any(|title| title == metric.title()) {
                    titles.push(metric.title().to_owned());
                }
            }
        }
        titles
    }
}

/// One of the scores of a network.
type Score = fn(&Best) -> Option<&Metrics>;

/// The scores of a network, and what they are called.
const SCORES: [(&str, Score); 3] = [
    ("trial", |best| best.trial.as_ref()),
    ("val", |best| best.val.as_ref()),
    ("test", |best| best.test.as_ref()),
];
