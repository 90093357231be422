//! Tables of numbers: a CSV file with a row for each image and a column for each number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::error::DataError;

/// The numbers of the images of a split.
pub(crate) struct Table {
    path: PathBuf,
    /// What the columns after the first are called.
    pub(crate) names: Vec<String>,
    rows: BTreeMap<String, Arc<[f32]>>,
}

/// Which numbers a table may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cells {
    /// Any finite ones.
    Numbers,
    /// 0 and 1.
    Labels,
}

impl Table {
    /// Reads a file: a header, then a row for each image, the name of its file with or without extension first. What is
    /// not known is empty, or `nan`.
    ///
    /// # Errors
    /// There is no such file, or it is no such table.
    pub(crate) fn read(path: &Path, cells: Cells) -> Result<Self, DataError> {
        let text =
            nas_files::read_to_string(path).map_err(|error| DataError::unreadable(path, error))?;
        let bad =
            |line: u64, reason: String| DataError::BadTable { path: path.to_owned(), line, reason };
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.as_bytes());
        let of_csv = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            let reason = match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("it has {len} columns, and the first row {expected_len}")
                }
                _ => error.to_string(),
            };
            bad(line, reason)
        };
        let header = reader.headers().map_err(of_csv)?;
        let names: Vec<String> = header.iter().skip(1).map(str::to_owned).collect();
        if names.is_empty() {
            return Err(bad(1, "it has no column beside that of the images".to_owned()));
        }
        if header.iter().skip(1).any(|name| name.parse::<f64>().is_ok()) {
            return Err(bad(1, "its first row names no columns".to_owned()));
        }
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(of_csv)?;
            let line = record.position().map_or(1, csv::Position::line);
            let image = record.get(0).unwrap_or_default().to_owned();
            let row = numbers(&record, &names, cells).map_err(|reason| bad(line, reason))?;
            if rows.insert(image.clone(), row.into()).is_some() {
                return Err(bad(line, format!("`{image}` has a row already")));
            }
        }
        Ok(Self { path: path.to_owned(), names, rows })
    }

    /// The numbers of an image.
    pub(crate) fn of(&self, image: &Path) -> Option<Arc<[f32]>> {
        let row = |name: Option<&std::ffi::OsStr>| self.rows.get(name?.to_str()?).cloned();
        row(image.file_name()).or_else(|| row(image.file_stem()))
    }

    /// # Errors
    /// Its columns are called otherwise.
    pub(crate) fn check_names(&self, names: &[String]) -> Result<(), DataError> {
        if names.is_empty() || self.names == names {
            return Ok(());
        }
        let (path, found) = (self.path.clone(), self.names.clone());
        Err(DataError::OtherColumns { path, found, wanted: names.to_vec() })
    }
}

/// The names of the columns of a table, as far as it can be read.
pub(crate) fn column_names(path: &Path) -> Result<Vec<String>, DataError> {
    Ok(Table::read(path, Cells::Numbers)?.names)
}

fn numbers(record: &StringRecord, names: &[String], cells: Cells) -> Result<Vec<f32>, String> {
    let cell = |(text, name): (&str, &String)| {
        if text.is_empty() {
            return Ok(f32::NAN);
        }
        let number = text.parse::<f32>().ok().filter(|number| !number.is_infinite());
        let number = number.ok_or_else(|| format!("`{text}` for `{name}` is no number"))?;
        match cells {
            Cells::Labels if !number.is_nan() && number != 0.0 && number != 1.0 => {
                Err(format!("`{text}` for `{name}` is neither 0 nor 1"))
            }
            Cells::Labels | Cells::Numbers => Ok(number),
        }
    };
    record.iter().skip(1).zip(names).map(cell).collect()
}
