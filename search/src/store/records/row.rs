//! What rows of all tables are read and written by.

use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::record::Phase;

/// Why a row cannot be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// SQLite says so.
    Sql(rusqlite::Error),
    /// It is not of a run, in words.
    Unfit(String),
}

/// What is read of rows.
pub(super) type Read<T> = Result<T, Unread>;

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// A row that is not of a run.
pub(super) fn unfit(table: &str, number: u32, why: impl ToString) -> Unread {
    Unread::Unfit(format!("row {number} of `{table}`: {}", why.to_string()))
}

/// A phase by its name.
pub(super) fn phase(row: &Row<'_>, column: usize) -> Read<Phase> {
    let word: String = row.get(column)?;
    serde_json::from_value(Value::String(word)).map_err(|why| Unread::Unfit(why.to_string()))
}

/// A value as JSON.
pub(super) fn json_of(value: &impl Serialize) -> rusqlite::Result<Value> {
    let json = serde_json::to_value(value);
    json.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A value as the text of JSON.
pub(super) fn json_text(value: &impl Serialize) -> rusqlite::Result<String> {
    let json = serde_json::to_string(value);
    json.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// The value of a column of JSON; `None` of one that is null.
pub(super) fn of_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Read<Option<T>> {
    let text: Option<String> = row.get(column)?;
    let value = text.map(|text| serde_json::from_str(&text)).transpose();
    Ok(value.map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })?)
}
