//! `nasc latency import`: figures that were measured elsewhere, as CSV or JSON, as a table.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::LabeledSpan;
use nas_analysis::latency::{Key, Setting};
use nas_grammar::Source;
use nas_ir::measure::grouped;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::BadFigures;
use super::manifest::{self, Manifest};
use super::table::{self, Samples, TIMES, entry, time};
use crate::outln;
use crate::render::report::{Failure, counted};

/// The most faulty lines that are shown.
const SHOWN: usize = 20;
/// What figures look like.
const HELP: &str = "CSV has a first line `key,ms` and a line for each part, JSON is `{\"KEY\": 1.5, …}`; a key may also \
                    be the name of the model, `KEY.onnx`";

/// Arguments of `nasc latency import`.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The figures: CSV with the columns `key` and `ms`, or a JSON object of keys and milliseconds.
    pub(super) figures: PathBuf,
    /// The folder of the plan that they are of.
    #[arg(long, value_name = "DIR")]
    pub(super) plan: PathBuf,
    /// The table; entries that it has already stay, or are replaced.
    #[arg(long, value_name = "TABLE")]
    pub(super) out: PathBuf,
    /// The machine.
    #[arg(long, value_name = "NAME")]
    pub(super) hardware: String,
    /// What ran the models.
    #[arg(long, value_name = "NAME")]
    pub(super) engine: String,
    /// Its version.
    #[arg(long, value_name = "VERSION")]
    pub(super) engine_version: String,
    /// On how many threads it ran them.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) threads: u32,
}

/// A figure as it was read, with its place in the text.
struct Row {
    key: String,
    /// The milliseconds as they were written.
    figure: String,
    span: Range<usize>,
}

/// Something wrong at a place.
type Fault = (Range<usize>, String);

/// Reads figures of all parts of a plan and writes the table.
///
/// # Errors
/// A figure is no time, is there twice, is of no part, or lacks; each with its line.
pub(super) fn run(args: &ImportArgs) -> Result<(), Failure> {
    let manifest = manifest::read(&args.plan)?;
    let source = crate::services::source::read_source(&args.figures)?;
    let milliseconds = figures(&source, &args.figures, &manifest)?;
    let device = Setting {
        hardware: args.hardware.clone(),
        engine: args.engine.clone(),
        engine_version: args.engine_version.clone(),
        precision: manifest.precision,
        threads: args.threads,
        surrounded: manifest.surrounded,
    };
    let mut table = table::read_or_new(&args.out, &device)?;
    let time = |key: Key| milliseconds.get(&key).map(std::slice::from_ref).unwrap_or_default();
    for part in &manifest.parts {
        let (model, around) = (time(part.key), part.less.map(time).unwrap_or_default());
        table.insert(part.key, entry(&part.about, Samples { model, around }));
    }
    table::write(&args.out, &table)?;
    outln!("{}: {}", manifest.space, counted(grouped(manifest.parts.len()), "part"))?;
    outln!("{}", args.out.display())
}

/// The milliseconds of each model of the plan.
fn figures(
    source: &Source,
    path: &Path,
    manifest: &Manifest,
) -> Result<HashMap<Key, f64>, Failure> {
    let file = path.display().to_string();
    let text = source.text();
    let is_json = text.trim_start().starts_with(['{', '[']);
    let rows = if is_json { json(text) } else { csv(text) };
    let failed = |faults: Vec<Fault>, help: String| {
        let what = match faults.as_slice() {
            [(_, fault)] => fault.clone(),
            faults => format!("{} faults", faults.len()),
        };
        let at = faults.into_iter().take(SHOWN);
        let at = at.map(|(span, text)| LabeledSpan::new(Some(text), span.start, span.len()));
        let (file, text) = (file.clone(), source.clone());
        Failure::problem(BadFigures { file, what, text, at: at.collect(), help })
    };
    let rows = rows.map_err(|fault| failed(vec![fault], HELP.to_owned()))?;
    let (known, faults) = known(&rows, manifest);
    if !faults.is_empty() {
        return Err(failed(faults, HELP.to_owned()));
    }
    let lacking = manifest.models().filter(|key| !known.contains_key(key));
    let lacking: Vec<String> = lacking.map(|key| manifest.said(key)).collect();
    if let Some(first) = lacking.first() {
        let lacks = format!("add the figures of {} more models, such as {first}", lacking.len());
        let end = text.trim_end().len();
        return Err(failed(vec![(end..end, "figures lack".to_owned())], lacks));
    }
    Ok(known)
}

/// The figures of models of the plan, and what is wrong with the others.
fn known(rows: &[Row], manifest: &Manifest) -> (HashMap<Key, f64>, Vec<Fault>) {
    let models: HashSet<Key> = manifest.models().collect();
    let mut known = HashMap::new();
    let mut faults = Vec::new();
    for row in rows {
        let key =
            Path::new(&row.key).file_name().and_then(|name| name.to_str()).unwrap_or(&row.key);
        let key = key.strip_suffix(".onnx").unwrap_or(key);
        let model = key.parse().ok().filter(|key: &Key| models.contains(key));
        let fault = match (model, row.figure.parse::<f64>()) {
            (None, _) => format!("the plan has no model `{key}`"),
            (_, Err(_)) => format!("`{}` is no number of milliseconds", row.figure),
            (_, Ok(ms)) if time(ms).is_none() => format!("{ms} ms is no time ({TIMES})"),
            (Some(model), Ok(ms)) => match known.insert(model, ms) {
                None => continue,
                Some(_) => "this model has a figure already".to_owned(),
            },
        };
        faults.push((row.span.clone(), fault));
    }
    (known, faults)
}

/// Rows of values that commas part, under a row with the names of the columns.
fn csv(text: &str) -> Result<Vec<Row>, Fault> {
    let mut records = records(text)?.into_iter();
    let header = records.next().ok_or((0..0, "the file is empty".to_owned()))?;
    let column = |name: &str| {
        let mut found = (0..).zip(&header.cells).filter(|(_, it)| it.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((column, _)), None) => Ok(column),
            (None, _) => Err((header.span.clone(), format!("there is no column `{name}`"))),
            (Some(_), Some(_)) => {
                Err((header.span.clone(), format!("there are several columns `{name}`")))
            }
        }
    };
    let (key, ms): (usize, usize) = (column("key")?, column("ms")?);
    let row = |Record { cells, span }: Record| match (cells.get(key), cells.get(ms)) {
        (Some(key), Some(ms)) if cells.len() == header.cells.len() => {
            Ok(Row { key: key.clone(), figure: ms.clone(), span })
        }
        _ => Err((span, format!("{} values under {} columns", cells.len(), header.cells.len()))),
    };
    records.map(row).collect()
}

/// A row of a CSV file.
struct Record {
    cells: Vec<String>,
    span: Range<usize>,
}

/// The rows of a CSV file but those that are blank.
fn records(text: &str) -> Result<Vec<Record>, Fault> {
    const BYTE_ORDER_MARK: char = '\u{feff}';
    let body = text.trim_start_matches(BYTE_ORDER_MARK);
    let from = text.len() - body.len();
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut records = Vec::new();
    loop {
        let start = reader.position().byte() as usize;
        let is_there = reader.read_record(&mut record);
        let end = reader.position().byte() as usize;
        let written = body.get(start..end).unwrap_or_default();
        let blank = written.len() - written.trim_start().len();
        let span = from + start + blank..from + start + written.trim_end().len().max(blank);
        match is_there {
            Ok(false) => return Ok(records),
            Ok(true) if written.matches('"').count() % 2 != 0 => {
                return Err((span, "a quote is not closed".to_owned()));
            }
            Ok(true) if span.is_empty() => {}
            Ok(true) => records.push(Record { cells: record.iter().map(cell).collect(), span }),
            Err(error) => return Err((span, error.to_string())),
        }
    }
}

/// What a cell holds, without the spaces and quotes around it.
fn cell(text: &str) -> String {
    let text = text.trim();
    // Where a space stands before it, a quote is a part of the cell.
    let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.unwrap_or(text).trim().to_owned()
}

/// The members of an object.
fn json(text: &str) -> Result<Vec<Row>, Fault> {
    let Members(members) = serde_json::from_str(text).map_err(|error| {
        let before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let line = before.map(str::len).sum::<usize>();
        let at = (line + error.column().saturating_sub(1)).min(text.len());
        (at..at, error.to_string())
    })?;
    let mut from = 0;
    let rows = members.into_iter().map(|(key, value)| {
        let written = Value::from(key.as_str()).to_string();
        let found = text.get(from..).and_then(|rest| rest.find(&written));
        let start = found.map_or(from, |found| from + found);
        let span = start..(start + written.len()).min(text.len());
        from = span.end;
        Row { key, figure: value.to_string(), span }
    });
    Ok(rows.collect())
}

/// The members of a JSON object, also those whose name is there twice.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of keys and milliseconds")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}
