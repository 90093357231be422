//! Metrics as rows, a value each.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde_json::{Map, Number, Value};

use super::row::{Read, json_of, unfit};
use crate::metrics::{DIRECTION, Metrics};
use crate::record::Phase;

/// Of one trial or epoch, as rows are added to them.
type Object = Map<String, Value>;

pub(super) fn insert(
    db: &Connection,
    phase: Phase,
    number: u32,
    metrics: &Metrics,
) -> rusqlite::Result<()> {
    let Value::Object(metrics) = json_of(metrics)? else { return Ok(()) };
    let mut direction = metrics.get(DIRECTION).and_then(Value::as_str);
    let mut statement = db.prepare("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
    let named = metrics.iter().filter(|(name, _)| *name != DIRECTION);
    let cells =
        named.flat_map(|(name, value)| cells(value).into_iter().map(move |cell| (name, cell)));
    for ((name, Cell { class, predicted, value }), place) in cells.zip(0_u32..) {
        let (phase, direction) = (phase.to_string(), direction.take());
        statement
            .execute(params![phase, number, place, name, class, predicted, value, direction])?;
    }
    Ok(())
}

/// A value, of which class if it is of one, and of which prediction if it is of a confusion matrix.
struct Cell {
    class: Option<u32>,
    predicted: Option<u32>,
    value: Option<f64>,
}

/// The cells of a metric: a number, one for each class, or a row for each class.
fn cells(value: &Value) -> Vec<Cell> {
    let Value::Array(classes) = value else {
        return vec![Cell { class: None, predicted: None, value: value.as_f64() }];
    };
    let of_class = |(value, class): (&Value, u32)| match value {
        Value::Array(row) => {
            let cell = |(value, predicted): (&Value, u32)| Cell {
                class: Some(class),
                predicted: Some(predicted),
                value: value.as_f64(),
            };
            row.iter().zip(0_u32..).map(cell).collect()
        }
        value => vec![Cell { class: Some(class), predicted: None, value: value.as_f64() }],
    };
    classes.iter().zip(0_u32..).flat_map(of_class).collect()
}

/// The metrics of all trials or epochs of a phase, by their numbers.
pub(super) fn read(db: &Connection, phase: Phase) -> Read<BTreeMap<u32, Metrics>> {
    let mut statement = db.prepare(
        "SELECT number, metric, class, predicted, value, direction FROM metrics WHERE phase = ? \
         ORDER BY number, place",
    )?;
    let mut rows = statement.query([phase.to_string()])?;
    let mut objects: BTreeMap<u32, Object> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let object = objects.entry(row.get(0)?).or_default();
        let (name, value): (String, Option<f64>) = (row.get(1)?, row.get(4)?);
        match (row.get::<_, Option<usize>>(2)?, row.get::<_, Option<u32>>(3)?) {
            (None, _) => drop(object.insert(name, number(value))),
            (Some(_), None) => list(object.entry(name).or_insert(Value::Null)).push(number(value)),
            // Of a confusion matrix: how often.
            (Some(class), Some(_)) => {
                let matrix = list(object.entry(name).or_insert(Value::Null));
                if matrix.len() <= class {
                    matrix.push(Value::Null);
                }
                let count = value.map_or(Value::Null, |count| Value::from(count as u64));
                matrix.last_mut().into_iter().for_each(|row| list(row).push(count.clone()));
            }
        }
        if let Some(direction) = row.get::<_, Option<String>>(5)? {
            object.insert(DIRECTION.to_owned(), Value::from(direction));
        }
    }
    let metrics = objects.into_iter().map(|(number, object)| {
        let metrics = serde_json::from_value(Value::Object(object));
        Ok((number, metrics.map_err(|e| unfit("metrics", number, e))?))
    });
    metrics.collect()
}

fn number(value: Option<f64>) -> Value {
    value.and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

/// The values of a list, which it becomes if it is none.
fn list(value: &mut Value) -> &mut Vec<Value> {
    if !value.is_array() {
        *value = Value::Array(Vec::new());
    }
    match value {
        Value::Array(values) => values,
        _ => nas_ir::fault("a list that is none"),
    }
}
