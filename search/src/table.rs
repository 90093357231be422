//! Known scores of networks, from a file: what a benchmark measured, or an earlier run.
//!
//! A line for each network, as `nasc runs export --format jsonl` writes those of a run; of lines of the same network the one with the greatest budget
//! counts, and what else a line holds is not looked at:
//!
//! ```json
//! {"choices": {"layer.0/op": "k3_e3", "layer.1/op": "identity"}, "score": {"accuracy": 0.9189}}
//! ```

use indexmap::IndexMap;
use miette::Diagnostic;
use serde::Deserialize;
use thiserror::Error;

use crate::metrics::Metrics;
use crate::record::{Choices, Verdict};
use crate::trial::Budget;

/// A file that is no table of scores.
#[derive(Debug, Error, Diagnostic)]
#[error("line {line} of `{file}` is no score of a network: {why}")]
#[diagnostic(
    code(nas::search::table),
    help(
        "a line is `{{\"choices\": {{\"layer.0/op\": \"skip\", …}}, \"score\": {{\"accuracy\": 0.93}}}}`, as `nasc runs export RUN --format jsonl` writes those of a run"
    )
)]
pub struct TableError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Known scores.
#[derive(Debug, Clone, Default)]
pub struct ScoreTable {
    /// In the order of the lines, by what the networks choose.
    networks: IndexMap<Vec<(String, String)>, ScoredNetwork>,
}

/// A network of a table.
#[derive(Debug, Clone)]
pub struct ScoredNetwork {
    /// Its line in the file, from 1.
    line: usize,
    /// How well it does.
    pub score: Metrics,
    /// Its multiply-accumulates, where the line says them.
    pub macs: Option<u64>,
    /// What its trial took, where the line says it.
    pub budget: Budget,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Line {
    choices: Choices,
    #[serde(flatten)]
    verdict: Verdict,
    cost: Option<Cost>,
    #[serde(default)]
    budget: Budget,
}

#[derive(Deserialize)]
struct Cost {
    macs: Option<u64>,
}

impl ScoreTable {
    /// The scores of a file, which is named in errors.
    ///
    /// # Errors
    /// The first line that is no score, or is of a network and a budget that another line is of; there is none.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, TableError> {
        let mut table = Self::default();
        let lines = bytes.split(|&byte| byte == b'\n').zip(1..);
        for (text, line) in lines.filter(|(text, _)| !text.trim_ascii().is_empty()) {
            let fault = |why: String| TableError { file: file.to_owned(), line, why };
            let Line { choices, verdict, cost, budget } =
                serde_json::from_slice(text).map_err(|error| fault(error.to_string()))?;
            // A trial that failed says nothing of its network.
            let Verdict::Score(score) = verdict else { continue };
            let (key, macs) = (key(&choices), cost.and_then(|cost| cost.macs));
            let network = ScoredNetwork { line, score, macs, budget };
            match table.networks.get(&key).map(|other| (other.budget.epochs, other.line)) {
                Some((epochs, line)) if epochs == budget.epochs => {
                    return Err(fault(format!("line {line} is of the same network")));
                }
                Some((epochs, _)) if epochs > budget.epochs => {}
                _ => drop(table.networks.insert(key, network)),
            }
        }
        if table.is_empty() {
            return Err(TableError {
                file: file.to_owned(),
                line: 1,
                why: "there is none".to_owned(),
            });
        }
        Ok(table)
    }

    /// What is known of a network, if it is.
    #[must_use]
    pub fn network(&self, choices: &Choices) -> Option<&ScoredNetwork> {
        self.networks.get(&key(choices))
    }

    /// The score of a network, if it is known.
    #[must_use]
    pub fn score(&self, choices: &Choices) -> Option<&Metrics> {
        self.network(choices).map(|network| &network.score)
    }

    /// The networks that two tables have, in the order of this one: what this says of each, and what the
    /// other does.
    pub fn common<'t>(
        &'t self,
        other: &'t Self,
    ) -> impl Iterator<Item = (&'t ScoredNetwork, &'t ScoredNetwork)> {
        self.networks.iter().filter_map(|(key, own)| Some((own, other.networks.get(key)?)))
    }

    /// The networks, in the order of the lines.
    pub fn networks(&self) -> impl Iterator<Item = &ScoredNetwork> {
        self.networks.values()
    }

    /// How many networks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}

/// What a network chooses, in the order of the paths.
fn key(choices: &Choices) -> Vec<(String, String)> {
    let mut key: Vec<(String, String)> =
        choices.iter().map(|(path, name)| (path.clone(), name.clone())).collect();
    key.sort();
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(pairs: &[(&str, &str)]) -> Choices {
        pairs.iter().map(|(path, name)| ((*path).to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn a_network_is_found_whatever_the_order_of_its_choices() {
        let text = "{\"number\": 3, \"choices\": {\"a\": \"x\", \"b\": \"y\"}, \"score\": {\"accuracy\": 0.5}}\n\n";
        let table = ScoreTable::read("t", text.as_bytes()).unwrap();
        assert_eq!(table.len(), 1);
        let score = table.score(&choices(&[("b", "y"), ("a", "x")])).unwrap();
        assert_eq!(score.primary().1.to_bits(), 0.5_f64.to_bits());
        assert!(table.score(&choices(&[("a", "x")])).is_none());
    }

    #[test]
    fn a_line_that_is_no_score_is_named() {
        let line = "{\"choices\": {\"a\": \"x\"}, \"score\": {\"accuracy\": 0.5}}\n";
        let said =
            |text: String| ScoreTable::read("t.jsonl", text.as_bytes()).unwrap_err().to_string();
        assert!(said(format!("{line}{line}")).ends_with("line 1 is of the same network"));
        let unknown = said(line.replace("accuracy", "beauty"));
        assert!(unknown.starts_with("line 1 of `t.jsonl` is no score of a network: "), "{unknown}");
        assert!(said("\n".to_owned()).starts_with("line 1 of"));
        assert!(said(format!("{line}half a l")).starts_with("line 2 of"));
    }
}
