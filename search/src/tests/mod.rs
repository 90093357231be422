//! Tests of the strategies, of the regime and of the store, over a backend that is arithmetic.

mod command;
mod commands;
mod contract;
mod controller;
mod crash;
mod halving;
mod kept;
mod masks;
mod metrics;
mod objective;
mod paths;
mod recipes;
mod refusal;
mod rehearsal;
mod retrain;
mod scores;
mod search;
mod toy;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use crate::error::Failure;
use crate::event::Event;
use crate::record::{Record, RunResult, TriedNetwork};
use crate::regime::{End, run};
use crate::store::{Inputs, Store, names};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, Row};
use serde_json::Value;
use toy::Toy;

/// The inputs of a run of a toy.
fn inputs<'a>(
    toy: &'a Toy,
    sources: &'a [(String, Vec<u8>)],
    versions: &'a [(String, String)],
) -> Inputs<'a> {
    let Toy { space, recipe, .. } = toy;
    Inputs {
        space_ref: "toy",
        space,
        drop_unsupported: false,
        sources,
        start: None,
        recipe,
        data: &[],
        versions,
    }
}

fn sources() -> Vec<(String, Vec<u8>)> {
    vec![("toy.nas".to_owned(), b"space toy { }\n".to_vec())]
}

fn versions() -> Vec<(String, String)> {
    vec![("nasc".to_owned(), "0.1.0".to_owned())]
}

fn create(toy: &Toy, dir: &Path) -> Store {
    Store::create(dir, &inputs(toy, &sources(), &versions())).unwrap()
}

fn resume(toy: &Toy, dir: &Path) -> Store {
    Store::open(dir, &inputs(toy, &sources(), &versions())).unwrap()
}

/// Runs until `stop_at` events were told; `None` runs to the end.
fn go(toy: &Toy, store: &mut Store, stop_at: Option<usize>) -> Result<(End, usize), Failure> {
    let mut told = 0;
    let mut on_event = |event: Event<'_>| {
        if matches!(event, Event::Waiting) {
            // How often it is told depends on the machine.
            let is_over = stop_at.is_some_and(|at| told >= at);
            return if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        let stopped = stop_at.is_some_and(|at| told >= at);
        assert!(!stopped || !matches!(event, Event::Step { .. }), "no step after the stop");
        told += 1;
        if Some(told) == stop_at { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let job = toy.job();
    let outcome = run(&job, store, &mut on_event)?;
    Ok((outcome, told))
}

/// A whole run in a fresh folder.
fn whole(toy: &Toy, dir: &Path) -> RunResult {
    match go(toy, &mut create(toy, dir), None).unwrap().0 {
        End::Finished(result) => *result,
        End::Interrupted(status) => panic!("interrupted: {status:?}"),
    }
}

/// The networks that were tried.
fn tried(store: &Store) -> Vec<TriedNetwork> {
    store.records().unwrap().trials().unwrap()
}

/// The trials as JSON.
fn lines(store: &Store) -> Vec<Value> {
    let trials = store.records().unwrap().trials().unwrap();
    trials.iter().map(|trial| serde_json::to_value(trial).unwrap()).collect()
}

/// The epochs.
fn history(store: &Store) -> Vec<Record> {
    store.records().unwrap().epochs().unwrap()
}

/// The records of a run, for tests that look at them or damage them.
fn database(dir: &Path) -> Connection {
    Connection::open(dir.join(names::RECORDS)).unwrap()
}

/// The files of a run directory with their bytes, and the tables of its records with their rows; wall times aside.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    gather(dir, dir, &mut files);
    files.retain(|name, _| !name.starts_with(names::RECORDS));
    let db = database(dir);
    for table in ["status", "epochs", "networks", "trials", "metrics"] {
        files.insert(table.to_owned(), rows(&db, table).into_bytes());
    }
    let times: i64 = db.query_one("SELECT count(*) FROM timings", [], |row| row.get(0)).unwrap();
    let of: i64 = db
        .query_one(
            "SELECT (SELECT count(*) FROM epochs) + (SELECT count(*) FROM trials)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(times == of && times > 0, "{times} times of {of} epochs and trials");
    files
}

/// The rows of a table in full precision.
fn rows(db: &Connection, table: &str) -> String {
    let mut statement =
        db.prepare(&format!("SELECT rowid, * FROM {table} ORDER BY rowid")).unwrap();
    let columns = statement.column_count();
    let row = |row: &Row<'_>| -> rusqlite::Result<String> {
        let cells = (0..columns).map(|column| Ok(format!("{:?}", row.get::<_, Cell>(column)?)));
        Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
    };
    let rows: Vec<String> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
    rows.join("\n")
}

fn gather(root: &Path, dir: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Says which files differ rather than printing all bytes.
fn assert_same(
    found: &BTreeMap<String, Vec<u8>>,
    expected: &BTreeMap<String, Vec<u8>>,
    when: &str,
) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{when}");
    for (name, bytes) in expected {
        assert!(
            found[name] == *bytes,
            "{when}: {name}\n{}\n{}",
            String::from_utf8_lossy(&found[name]),
            String::from_utf8_lossy(bytes)
        );
    }
}
