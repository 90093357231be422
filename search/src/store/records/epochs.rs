//! Epochs as rows.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};

use super::metrics;
use super::row::{Read, json_text, of_json, unfit};
use crate::evaluator::PassReport;
use crate::metrics::Metrics;
use crate::record::{Phase, Record, RetrainEpoch, SearchEpoch};
use crate::work::Work;

pub(super) fn insert(db: &Connection, record: &Record, digest: &str) -> rusqlite::Result<()> {
    let mut statement =
        db.prepare("INSERT INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    match record {
        Record::Search(record) => {
            let SearchEpoch {
                epoch,
                temperature,
                learning_rate: [first, last],
                weights: PassReport { loss, cost },
                choices,
                entropy,
                probabilities,
                pruned,
                work,
            } = record;
            let probabilities = probabilities.as_ref().map(json_text).transpose()?;
            let pruned = pruned.as_ref().map(json_text).transpose()?;
            statement.execute(params![
                Phase::Search.to_string(),
                epoch,
                first,
                last,
                loss,
                cost,
                choices.map(|choices| choices.loss),
                choices.map(|choices| choices.cost),
                temperature,
                entropy,
                probabilities,
                pruned,
                work.forward,
                work.backward,
                digest
            ])?;
        }
        Record::Retrain(RetrainEpoch {
            epoch,
            learning_rate: [first, last],
            train: PassReport { loss, cost },
            val,
            work,
        }) => {
            let none = rusqlite::types::Null;
            statement.execute(params![
                Phase::Retrain.to_string(),
                epoch,
                first,
                last,
                loss,
                cost,
                none,
                none,
                none,
                none,
                none,
                none,
                work.forward,
                work.backward,
                digest
            ])?;
            metrics::insert(db, Phase::Retrain, *epoch, val)?;
        }
    }
    Ok(())
}

/// The epochs in their order, those of the search first; each with its digest.
pub(super) fn read(db: &Connection) -> Read<Vec<(Record, String)>> {
    let mut scores = metrics::read(db, Phase::Retrain)?;
    let mut statement = db.prepare(
        "SELECT phase, epoch, rate_first, rate_last, loss, cost, choice_loss, choice_cost, temperature, entropy, \
         probabilities, pruned, digest, forward, backward FROM epochs ORDER BY phase = 'retrain', epoch",
    )?;
    let mut rows = statement.query([])?;
    let mut epochs = Vec::new();
    while let Some(row) = rows.next()? {
        epochs.push((record(row, &mut scores)?, row.get(12)?));
    }
    Ok(epochs)
}

fn record(row: &Row<'_>, scores: &mut BTreeMap<u32, Metrics>) -> Read<Record> {
    let epoch: u32 = row.get(1)?;
    let learning_rate = [row.get(2)?, row.get(3)?];
    let pass = PassReport { loss: row.get(4)?, cost: row.get(5)? };
    let work = Work { forward: row.get(13)?, backward: row.get(14)? };
    if row.get::<_, String>(0)? == Phase::Retrain.to_string() {
        let val = scores.remove(&epoch).ok_or_else(|| unfit("epochs", epoch, "it has no score"))?;
        return Ok(Record::Retrain(RetrainEpoch { epoch, learning_rate, train: pass, val, work }));
    }
    let choices: (Option<f64>, Option<f64>) = (row.get(6)?, row.get(7)?);
    Ok(Record::Search(SearchEpoch {
        epoch,
        temperature: row.get(8)?,
        learning_rate,
        weights: pass,
        choices: choices.0.zip(choices.1).map(|(loss, cost)| PassReport { loss, cost }),
        entropy: row.get(9)?,
        probabilities: of_json(row, 10)?,
        pruned: of_json(row, 11)?,
        work,
    }))
}
