//! Trials as rows, and the networks that were tried.

use std::collections::BTreeMap;

use nas_ir::Costs;
use rusqlite::{Connection, Row, params};

use super::metrics;
use super::row::{Read, json_text, of_json, unfit};
use crate::metrics::Metrics;
use crate::record::{Choices, Phase, TriedNetwork, Verdict};
use crate::trial::Budget;
use crate::work::Work;

pub(super) fn insert(db: &Connection, tried: &TriedNetwork, digest: &str) -> rusqlite::Result<()> {
    let TriedNetwork { number, drawn, uniform, choices, cost, verdict, budget, epoch, work } =
        tried;
    let network = network_of(db, choices, cost)?;
    let failed = match verdict {
        Verdict::Score(score) => {
            metrics::insert(db, Phase::Derive, *number, score)?;
            None
        }
        Verdict::Failed(why) => Some(why),
    };
    let (Budget { epochs }, Work { forward, backward }) = (budget, work);
    let sql = "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let row =
        params![number, network, drawn, uniform, epochs, epoch, forward, backward, failed, digest];
    db.execute(sql, row).map(|_| ())
}

/// The row of a network, which is added if it was not tried before.
fn network_of(db: &Connection, choices: &Choices, cost: &Costs) -> rusqlite::Result<i64> {
    let Costs { macs, params, weight_bytes, peak_memory, peak_memory_is_bound, latency, depth } =
        cost;
    let choices = json_text(choices)?;
    db.execute(
        "INSERT INTO networks VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (choices) DO NOTHING",
        params![
            choices,
            macs,
            params,
            weight_bytes,
            peak_memory,
            peak_memory_is_bound,
            latency,
            depth
        ],
    )?;
    db.query_one("SELECT network FROM networks WHERE choices = ?", [choices], |row| row.get(0))
}

/// The trials in their order, each with its digest.
pub(super) fn read(db: &Connection) -> Read<Vec<(TriedNetwork, String)>> {
    let mut scores = metrics::read(db, Phase::Derive)?;
    let mut statement = db.prepare(
        "SELECT trial, drawn, choices, macs, params, weight_bytes, peak_memory, peak_memory_is_bound, latency, depth, \
         epochs, failed, digest, uniform, best_epoch, forward, backward FROM trials JOIN networks USING (network) ORDER BY trial",
    )?;
    let mut rows = statement.query([])?;
    let mut trials = Vec::new();
    while let Some(row) = rows.next()? {
        trials.push((network(row, &mut scores)?, row.get(12)?));
    }
    Ok(trials)
}

fn network(row: &Row<'_>, scores: &mut BTreeMap<u32, Metrics>) -> Read<TriedNetwork> {
    let number = row.get(0)?;
    let missing = |what: &str| unfit("trials", number, format!("it has no {what}"));
    let cost = Costs {
        macs: row.get(3)?,
        params: row.get(4)?,
        weight_bytes: row.get(5)?,
        peak_memory: row.get(6)?,
        peak_memory_is_bound: row.get(7)?,
        latency: row.get(8)?,
        depth: row.get(9)?,
    };
    let verdict = match row.get(11)? {
        Some(why) => Verdict::Failed(why),
        None => Verdict::Score(scores.remove(&number).ok_or_else(|| missing("score"))?),
    };
    let choices = of_json(row, 2)?.ok_or_else(|| missing("choices"))?;
    let (drawn, uniform, budget) = (row.get(1)?, row.get(13)?, Budget { epochs: row.get(10)? });
    let (epoch, work) = (row.get(14)?, Work { forward: row.get(15)?, backward: row.get(16)? });
    Ok(TriedNetwork { number, drawn, uniform, choices, cost, verdict, budget, epoch, work })
}

/// Removes the trials from this number on, and the networks that were tried in them alone.
pub(super) fn cut(db: &Connection, from: u32) -> rusqlite::Result<()> {
    db.execute("DELETE FROM trials WHERE trial >= ?", [from])?;
    db.execute("DELETE FROM networks WHERE network NOT IN (SELECT network FROM trials)", [])?;
    for table in ["metrics", "timings"] {
        let sql = format!("DELETE FROM {table} WHERE phase = ? AND number >= ?");
        db.execute(&sql, params![Phase::Derive.to_string(), from])?;
    }
    Ok(())
}
