//! What a run writes down while it goes on, in one SQLite database: its epochs, trials, networks, metrics and
//! times (`schema.sql`).
//!
//! One process writes, any number may read meanwhile: the database keeps a write-ahead log. What belongs to an epoch
//! or a trial is written in one transaction, so that a crash leaves all of it or nothing. Each epoch and trial has a
//! digest of itself and of the digest before it, so that what was changed from outside is found out.

mod epochs;
mod metrics;
mod row;
mod trials;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde_json::{Number, Value};

use self::row::{Read, Unread, phase};
use super::layout::{damaged, names};
use crate::error::RunError;
use crate::record::{Phase, Record, Status, Timing, TriedNetwork};

const SCHEMA: &str = include_str!("schema.sql");
/// How long one process waits for another that reads or writes at the same moment.
const BUSY: Duration = Duration::from_secs(10);
/// What SQLite writes beside a database that is open, or was when its process was killed.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// An open database of records.
#[derive(Debug)]
pub(crate) struct Records {
    db: Connection,
    path: PathBuf,
    /// What the chains of digests begin with.
    seed: u64,
}

impl Records {
    /// Those of the run in a folder, to go on with; new ones if there are none.
    ///
    /// # Errors
    /// They are damaged, or cannot be written.
    pub(super) fn open(dir: &Path, seed: u64) -> Result<Self, RunError> {
        let path = dir.join(names::RECORDS);
        own(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let records = Self::connect(path, flags, seed)?;
        records.work(|db| {
            db.pragma_update(None, "journal_mode", "wal")?;
            db.pragma_update(None, "synchronous", "full")
        })?;
        if records.tables()? == 0 {
            records.write(|db| db.execute_batch(SCHEMA))?;
        }
        records.check()?;
        Ok(records)
    }

    /// Those of the run in a folder, as they are now: what is written from now on is not seen. None where a run is so young that
    /// it has made the file and nothing in it.
    ///
    /// # Errors
    /// They are missing or damaged.
    pub(super) fn read(dir: &Path, seed: u64) -> Result<Option<Self>, RunError> {
        let path = dir.join(names::RECORDS);
        if !path.exists() {
            return Err(damaged(names::RECORDS, "it is missing"));
        }
        let records = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, seed)?;
        records.work(|db| db.execute_batch("BEGIN"))?;
        if records.tables()? == 0 {
            return Ok(None);
        }
        records.check()?;
        Ok(Some(records))
    }

    /// How many tables there are.
    fn tables(&self) -> Result<i64, RunError> {
        self.work(|db| db.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)))
    }

    fn connect(path: PathBuf, flags: OpenFlags, seed: u64) -> Result<Self, RunError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags).and_then(|db| {
            db.busy_timeout(BUSY)?;
            db.pragma_update(None, "trusted_schema", false)?;
            Ok(db)
        });
        let db = opened.map_err(|error| failed(&path, error.into()))?;
        Ok(Self { db, path, seed })
    }

    /// That it is a whole database with the tables of a run.
    fn check(&self) -> Result<(), RunError> {
        let schema = |db: &Connection| -> rusqlite::Result<Vec<String>> {
            let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
            db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        };
        let found = self.work(schema)?;
        let expected = self.work(|_| {
            let empty = Connection::open_in_memory()?;
            empty.execute_batch(SCHEMA)?;
            schema(&empty)
        })?;
        if found != expected {
            return Err(damaged(names::RECORDS, "its tables are not those of a run"));
        }
        let whole = |db: &Connection| db.query_one("PRAGMA quick_check", [], |row| row.get(0));
        let said: String = self.work(whole)?;
        if said == "ok" { Ok(()) } else { Err(damaged(names::RECORDS, said)) }
    }

    fn work<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, RunError> {
        work(&self.db).map_err(|error| failed(&self.path, error.into()))
    }

    /// Makes changes, all or none.
    ///
    /// # Errors
    /// They cannot be made.
    pub(super) fn write(
        &self,
        changes: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), RunError> {
        self.work(|db| {
            let open = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
            changes(&open)?;
            open.commit()
        })
    }

    /// Where the run is, if that was ever written.
    ///
    /// # Errors
    /// The row is not of a run.
    pub(crate) fn status(&self) -> Result<Option<Status>, RunError> {
        self.rows("SELECT phase, done, total FROM status", |row| {
            Ok(Status { phase: phase(row, 0)?, done: row.get(1)?, of: row.get(2)? })
        })
        .map(|mut found| found.pop())
    }

    /// The epochs in their order, those of the search first.
    ///
    /// # Errors
    /// A row is not of a run, or not as it was written.
    pub(crate) fn epochs(&self) -> Result<Vec<Record>, RunError> {
        let epochs = epochs::read(&self.db).map_err(|why| failed(&self.path, why))?;
        self.unchanged("epoch", epochs)
    }

    /// The trials in their order.
    ///
    /// # Errors
    /// A row is not of a run, or not as it was written.
    pub(crate) fn trials(&self) -> Result<Vec<TriedNetwork>, RunError> {
        let trials = trials::read(&self.db).map_err(|why| failed(&self.path, why))?;
        let trials = self.unchanged("trial", trials)?;
        let misplaced = (0_u32..).zip(&trials).find(|(at, trial)| *at != trial.number);
        match misplaced {
            Some((at, _)) => Err(damaged(names::RECORDS, format!("it has no trial {at}"))),
            None => Ok(trials),
        }
    }

    /// How many trials there are.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn tried(&self) -> Result<u32, RunError> {
        self.work(|db| db.query_one("SELECT count(*) FROM trials", [], |row| row.get(0)))
    }

    /// The wall times.
    ///
    /// # Errors
    /// A row is not of a run.
    pub(crate) fn timings(&self) -> Result<Vec<Timing>, RunError> {
        self.rows("SELECT phase, number, seconds FROM timings ORDER BY rowid", |row| {
            Ok(Timing { phase: phase(row, 0)?, number: row.get(1)?, seconds: row.get(2)? })
        })
    }

    /// The digest that an epoch or a trial has behind these.
    pub(super) fn digest(
        &self,
        before: Option<String>,
        row: &impl Serialize,
    ) -> Result<String, RunError> {
        let before = before.unwrap_or_else(|| self.seed.to_string());
        let row = serde_json::to_value(row).map(canonical);
        let row = row.map_err(|error| damaged(names::RECORDS, error))?;
        Ok(nas_files::sha256(format!("{before}\n{row}").as_bytes()))
    }

    /// The digest of the last epoch.
    pub(super) fn last_epoch(&self) -> Result<Option<String>, RunError> {
        let sql = "SELECT digest FROM epochs ORDER BY phase = 'retrain' DESC, epoch DESC LIMIT 1";
        self.rows(sql, |row| Ok(row.get(0)?)).map(|mut found| found.pop())
    }

    /// The digest of the last trial.
    pub(super) fn last_trial(&self) -> Result<Option<String>, RunError> {
        let sql = "SELECT digest FROM trials ORDER BY trial DESC LIMIT 1";
        self.rows(sql, |row| Ok(row.get(0)?)).map(|mut found| found.pop())
    }

    /// What rows hold, if each has its digest.
    fn unchanged<T: Serialize>(
        &self,
        what: &str,
        rows: Vec<(T, String)>,
    ) -> Result<Vec<T>, RunError> {
        let mut before = None;
        let mut unchanged = Vec::with_capacity(rows.len());
        for (place, (row, digest)) in rows.into_iter().enumerate() {
            if self.digest(before, &row)? != digest {
                let why = format!("{what} {place} is not as the run wrote it");
                return Err(damaged(names::RECORDS, why));
            }
            before = Some(digest);
            unchanged.push(row);
        }
        Ok(unchanged)
    }

    fn rows<T>(&self, sql: &str, of: impl Fn(&Row<'_>) -> Read<T>) -> Result<Vec<T>, RunError> {
        let read = || -> Read<Vec<T>> {
            let mut statement = self.db.prepare(sql)?;
            statement.query_and_then([], of)?.collect()
        };
        read().map_err(|why| failed(&self.path, why))
    }
}

impl Drop for Records {
    /// Without a log beside it the file can be copied, and read where nothing can be written. Where another process
    /// reads at this moment, the log stays.
    fn drop(&mut self) {
        let _ = self.db.busy_timeout(Duration::ZERO);
        if self.db.is_autocommit() {
            let _ = self.db.pragma_update(None, "journal_mode", "delete");
        }
    }
}

/// Writes where the run is.
pub(super) fn set_status(db: &Connection, status: &Status) -> rusqlite::Result<()> {
    let Status { phase, done, of } = status;
    let sql = "INSERT OR REPLACE INTO status VALUES (1, ?, ?, ?)";
    db.execute(sql, params![phase.to_string(), done, of]).map(|_| ())
}

/// Writes an epoch, and how long it took.
pub(super) fn add_epoch(
    db: &Connection,
    record: &Record,
    digest: &str,
    seconds: f64,
) -> rusqlite::Result<()> {
    epochs::insert(db, record, digest)?;
    let (phase, number) = match record {
        Record::Search(epoch) => (Phase::Search, epoch.epoch),
        Record::Retrain(epoch) => (Phase::Retrain, epoch.epoch),
    };
    time(db, phase, number, seconds)
}

/// Writes a trial, and how long it took.
pub(super) fn add_trial(
    db: &Connection,
    trial: &TriedNetwork,
    digest: &str,
    seconds: f64,
) -> rusqlite::Result<()> {
    trials::insert(db, trial, digest)?;
    time(db, Phase::Derive, trial.number, seconds)
}

fn time(db: &Connection, phase: Phase, number: u32, seconds: f64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO timings VALUES (?, ?, ?)";
    db.execute(sql, params![phase.to_string(), number, seconds]).map(|_| ())
}

/// Removes the epochs of a phase from this one on.
pub(super) fn cut_epochs(db: &Connection, phase: Phase, from: u32) -> rusqlite::Result<()> {
    let phase = phase.to_string();
    db.execute("DELETE FROM epochs WHERE phase = ? AND epoch >= ?", params![phase, from])?;
    for table in ["metrics", "timings"] {
        let sql = format!("DELETE FROM {table} WHERE phase = ? AND number >= ?");
        db.execute(&sql, params![phase, from])?;
    }
    Ok(())
}

/// Removes the trials from this number on.
pub(super) fn cut_trials(db: &Connection, from: u32) -> rusqlite::Result<()> {
    trials::cut(db, from)
}

/// That what is to be opened leads nowhere else.
fn own(path: &Path) -> Result<(), RunError> {
    let beside = BESIDE.map(|end| PathBuf::from(format!("{}{end}", path.display())));
    for path in beside.iter().map(PathBuf::as_path).chain([path]) {
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            return Err(damaged(&name, "it is no file of its own"));
        }
    }
    Ok(())
}

/// A database that does not do what it should: damaged, or refused by the system.
fn failed(path: &Path, why: Unread) -> RunError {
    let error = match why {
        Unread::Unfit(why) => return damaged(names::RECORDS, why),
        Unread::Sql(error) => error,
    };
    let is_of_system = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
        )
    );
    if !is_of_system {
        return damaged(names::RECORDS, error);
    }
    RunError::Io { action: "use", path: path.to_owned(), source: io::Error::other(error) }
}

/// A value as it is read back: SQLite has no -0.
fn canonical(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) && number.is_f64() => {
            Number::from_f64(0.0).map_or(Value::Null, Value::Number)
        }
        Value::Array(values) => Value::Array(values.into_iter().map(canonical).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, canonical(value))).collect())
        }
        other => other,
    }
}
