//! `nasc latency import`: figures that were measured elsewhere, as CSV or JSON, as a table.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use miette::LabeledSpan;
use nas_analysis::latency::Setting;
use nas_grammar::Source;
use nas_ir::measure::grouped;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::BadFigures;
use super::plan::{self, Manifest};
use super::table::{self, entry};
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
    let manifest = plan::read(&args.plan)?;
    let source = crate::services::source::read_source(&args.figures)?;
    let milliseconds = figures(&source, &args.figures, &manifest)?;
    let device = Setting {
        hardware: args.hardware.clone(),
        engine: args.engine.clone(),
        engine_version: args.engine_version.clone(),
        precision: manifest.precision,
        threads: args.threads,
    };
    let mut table = table::read_or_new(&args.out, &device)?;
    for (part, ms) in manifest.parts.iter().zip(milliseconds) {
        table.insert(part.key.clone(), entry(&part.about, &[ms]));
    }
    table::write(&args.out, &table)?;
    outln!("{}: {}", manifest.space, counted(grouped(manifest.parts.len()), "part"))?;
    outln!("{}", args.out.display())
}

/// The milliseconds of each part of the plan.
fn figures(source: &Source, path: &Path, manifest: &Manifest) -> Result<Vec<f64>, Failure> {
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
    let lacking = manifest.parts.iter().filter(|part| !known.contains_key(part.key.as_str()));
    let lacking: Vec<String> =
        lacking.map(|part| format!("{} ({})", part.key, part.about)).collect();
    if let Some(first) = lacking.first() {
        let lacks = format!("add the figures of {} more parts, such as {first}", lacking.len());
        let end = text.trim_end().len();
        return Err(failed(vec![(end..end, "figures lack".to_owned())], lacks));
    }
    Ok(manifest.parts.iter().filter_map(|part| known.get(part.key.as_str()).copied()).collect())
}

/// The figures of parts of the plan, and what is wrong with the others.
fn known<'m>(rows: &[Row], manifest: &'m Manifest) -> (HashMap<&'m str, f64>, Vec<Fault>) {
    let mut known = HashMap::new();
    let mut faults = Vec::new();
    for row in rows {
        let key =
            Path::new(&row.key).file_name().and_then(|name| name.to_str()).unwrap_or(&row.key);
        let key = key.strip_suffix(".onnx").unwrap_or(key);
        let part = manifest.parts.iter().find(|part| part.key == key);
        let fault = match (part, row.figure.parse::<f64>()) {
            (None, _) => format!("the plan has no part `{key}`"),
            (_, Err(_)) => format!("`{}` is no number of milliseconds", row.figure),
            (_, Ok(ms)) if !ms.is_finite() || ms <= 0.0 => format!("{ms} ms is no time"),
            (Some(part), Ok(ms)) => match known.insert(part.key.as_str(), ms) {
                None => continue,
                Some(_) => "this part has a figure already".to_owned(),
            },
        };
        faults.push((row.span.clone(), fault));
    }
    (known, faults)
}

/// Lines of values that commas part, under a line with the names of the columns.
fn csv(text: &str) -> Result<Vec<Row>, Fault> {
    const BYTE_ORDER_MARK: char = '\u{feff}';
    let lines = text.split_inclusive('\n').scan(0, |offset, line| {
        let start = *offset;
        *offset += line.len();
        Some((start, line.trim_end()))
    });
    let mut lines = lines.filter(|(_, line)| !line.is_empty());
    let (start, header) = lines.next().ok_or((0..0, "the file is empty".to_owned()))?;
    let names = cells(header.trim_start_matches(BYTE_ORDER_MARK));
    let column = |name: &str| {
        let found = names.iter().position(|cell| cell.eq_ignore_ascii_case(name));
        found.ok_or_else(|| (start..start + header.len(), format!("there is no column `{name}`")))
    };
    let (key, ms) = (column("key")?, column("ms")?);
    let row = |(start, line): (usize, &str)| {
        let (span, cells) = (start..start + line.len(), cells(line));
        match (cells.get(key), cells.get(ms)) {
            (Some(&key), Some(&ms)) => Ok(Row { key: key.to_owned(), figure: ms.to_owned(), span }),
            _ => Err((span, format!("{} values under {} columns", cells.len(), names.len()))),
        }
    };
    lines.map(row).collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"')).collect()
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
