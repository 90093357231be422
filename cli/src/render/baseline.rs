//! Networks that the result of a run is held against, such as those that chance finds.

use std::path::Path;

use nas_search::record::{Choices, RunResult};
use nas_search::{Metrics, ScoreTable, ScoredNetwork};

use super::report::{Failure, counted};

/// Such networks, and what they are called: the name of their file.
#[derive(Debug)]
pub struct Baseline {
    pub(super) name: String,
    table: ScoreTable,
}

impl Baseline {
    /// Those of a file.
    ///
    /// # Errors
    /// It cannot be read, or a line is no score of a network.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let bytes =
            std::fs::read(path).map_err(|error| Failure::input(format!("{shown}: {error}")))?;
        let table = ScoreTable::read(&shown, &bytes).map_err(Failure::problem)?;
        let name = path.file_name().map_or(shown, |name| name.to_string_lossy().into_owned());
        Ok(Self { name, table })
    }

    /// Its networks that are judged by the metric of a score.
    pub(super) fn judged_like(&self, score: &Metrics) -> Vec<&ScoredNetwork> {
        let metric = score.primary().0;
        self.table.networks().filter(|known| known.score.primary().0 == metric).collect()
    }

    /// A network as it is among these, if it is and is judged by the metric of a score there too.
    pub(super) fn own(&self, choices: &Choices, score: &Metrics) -> Option<&ScoredNetwork> {
        let own = self.table.network(choices);
        own.filter(|own| own.score.primary().0 == score.primary().0)
    }

    /// Rows of the table of a result, by its score after the last epoch: how well they do, and how many of them are better;
    /// of all, and of those that cost no more.
    ///
    /// # Errors
    /// None of them is judged by the metric of the result.
    pub fn rows(
        &self,
        result: &RunResult,
        score: &Metrics,
    ) -> Result<Vec<(String, String)>, Failure> {
        let known = self.judged_like(score);
        if known.is_empty() {
            let metric = score.primary().0.title();
            return Err(Failure::input(format!("no network of {} has a {metric}", self.name)));
        }
        let score = self.own(&result.choices, score).map_or(score, |own| &own.score);
        let is_cheap = |known: &&&ScoredNetwork| known.macs.is_some_and(|m| m <= result.cost.macs);
        let cheap: Vec<&ScoredNetwork> = known.iter().filter(is_cheap).copied().collect();
        let mut rows = vec![(format!("beside {}", self.name), beside(score, &known))];
        if !cheap.is_empty() && cheap.len() < known.len() {
            rows.push(("  of no more MACs".to_owned(), beside(score, &cheap)));
        }
        Ok(rows)
    }
}

/// How a score stands among those of others.
fn beside(score: &Metrics, others: &[&ScoredNetwork]) -> String {
    let (metric, value) = score.primary();
    let values = || others.iter().map(|other| other.score.primary().1);
    let (least, greatest) =
        (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let mean = values().sum::<f64>() / others.len() as f64;
    let better = others.iter().filter(|other| other.score.is_better_than(score)).count();
    let (networks, title) = (counted(others.len(), "network"), metric.title());
    format!(
        "{networks}, {title} {least:.3} to {greatest:.3}, mean {mean:.3}; {better} better than this one's {value:.3}"
    )
}

#[cfg(test)]
mod tests {
    use nas_ir::Costs;

    use super::*;

    #[test]
    fn a_result_stands_by_its_own_score_in_the_table_if_it_has_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.jsonl");
        let line = |name: &str, macs: u64, accuracy: f64| {
            format!(
                "{{\"choices\": {{\"op\": \"{name}\"}}, \"cost\": {{\"macs\": {macs}}}, \"score\": {{\"accuracy\": {accuracy}}}}}\n"
            )
        };
        let lines = [line("a", 10, 0.5), line("b", 20, 0.6), line("c", 30, 0.9)];
        std::fs::write(&path, lines.concat()).unwrap();
        let baseline = Baseline::read(&path).unwrap();
        let result = |name: &str| RunResult {
            space: "s".to_owned(),
            choices: [("op".to_owned(), name.to_owned())].into_iter().collect(),
            cost: Costs { macs: 20, ..Costs::default() },
            trial: None,
            budget: nas_search::trial::Budget::default(),
            trial_epoch: None,
            work: nas_search::record::RunWork::default(),
            trained: None,
        };
        let score = serde_json::from_str("{\"accuracy\": 0.55}").unwrap();
        let rows = |name: &str| baseline.rows(&result(name), &score).unwrap();
        let all = "3 networks, accuracy 0.500 to 0.900, mean 0.667; ";
        let cheap = "2 networks, accuracy 0.500 to 0.600, mean 0.550; ";
        let said = |own: &str, better: [u32; 2]| {
            let row = |name: &str, of: &str, better: u32| {
                (name.to_owned(), format!("{of}{better} better than this one's {own}"))
            };
            vec![row("beside t.jsonl", all, better[0]), row("  of no more MACs", cheap, better[1])]
        };
        assert_eq!(rows("b"), said("0.600", [1, 0]));
        assert_eq!(rows("another"), said("0.550", [2, 1]));
        let other = serde_json::from_str("{\"miou\": 0.55}").unwrap();
        assert!(baseline.rows(&result("b"), &other).is_err());
    }
}
