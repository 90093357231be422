//! What is drawn of a run, and where its parts stand.

use indexmap::IndexMap;
use nas_search::record::{Record, RetrainEpoch, RunResult, SearchEpoch, TriedNetwork};
use nas_search::store::{Recorded, names};

use super::super::baseline::Baseline;
use super::super::report::Failure;

/// The left and right rims of the plots.
pub(super) const RIMS: [f64; 2] = [70.0, 930.0];
/// Between one part and the next.
pub(super) const GAP: f64 = 34.0;

/// What is drawn of a run.
pub(super) struct Drawn<'r> {
    pub(super) search: Vec<SearchEpoch>,
    pub(super) retraining: Vec<RetrainEpoch>,
    pub(super) tried: Vec<TriedNetwork>,
    /// The candidates of each decision, by its path.
    pub(super) decisions: IndexMap<String, Vec<String>>,
    /// The number of the trial whose network the run ended with.
    pub(super) ended: Option<u32>,
    /// What came of the run.
    pub(super) result: Option<&'r RunResult>,
    /// Networks that it is held against.
    pub(super) baseline: Option<&'r Baseline>,
}

impl<'r> Drawn<'r> {
    /// Of a run as it is.
    pub(super) fn of(run: &'r Recorded, baseline: Option<&'r Baseline>) -> Result<Self, Failure> {
        let (mut search, mut retraining) = (Vec::new(), Vec::new());
        for record in run.epochs().map_err(Failure::problem)? {
            match record {
                Record::Search(epoch) => search.push(epoch),
                Record::Retrain(epoch) => retraining.push(epoch),
            }
        }
        let tried = run.trials().map_err(Failure::problem)?;
        let decisions = run.file(names::DECISIONS).map_err(Failure::problem)?.unwrap_or_default();
        let decisions = serde_json::from_slice(&decisions);
        let decisions =
            decisions.map_err(|error| Failure::input(format!("{}: {error}", names::DECISIONS)))?;
        let ended = run.result().and_then(|result| {
            let is_it = |network: &&TriedNetwork| {
                network.choices == result.choices && network.budget == result.budget
            };
            tried.iter().find(is_it).map(|network| network.number)
        });
        let result = run.result();
        Ok(Self { search, retraining, tried, decisions, ended, result, baseline })
    }
}
