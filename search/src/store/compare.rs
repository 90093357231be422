//! Whether the run in a folder is of what is asked for now, and if not, what differs.

use indexmap::IndexMap;
use nas_ir::text;
use serde_json::Value;

use super::folder::Store;
use super::layout::{FORMAT, Inputs, damaged, names, source_name};
use super::recipe;
use crate::error::RunError;
use crate::record::{Choices, Goal, Run, VersionChange};

/// Settings that change no result, so that a run may go on with other ones.
const FREE: &[&str] = &["data.workers"];

/// The run that the folder holds.
pub(super) fn recorded(store: &Store) -> Result<Run, RunError> {
    let recorded: Value = store.read_json(names::RUN)?;
    let format = recorded.get("format").and_then(Value::as_u64);
    if format.is_some_and(|format| format != u64::from(FORMAT)) {
        return Err(RunError::Layout { dir: store.dir().to_owned() });
    }
    serde_json::from_value(recorded).map_err(|e| damaged(names::RUN, e))
}

/// What keeps a recorded run from going on with these inputs, a phrase each.
pub(super) fn differences(
    store: &Store,
    recorded: &Run,
    inputs: &Inputs<'_>,
) -> Result<Vec<String>, RunError> {
    let mut found = Vec::new();
    if recorded.goal != store.run().goal {
        found.push(match recorded.goal {
            Goal::Search => "it is a search".to_owned(),
            Goal::Retrain => "it is the retraining of one network".to_owned(),
        });
        return Ok(found);
    }
    if recorded.space != inputs.space_ref {
        found.push(format!("its space is `{}`, not `{}`", recorded.space, inputs.space_ref));
    }
    if recorded.drop_unsupported != inputs.drop_unsupported {
        let with = if recorded.drop_unsupported { "with" } else { "without" };
        found.push(format!("it was begun {with} `--drop-unsupported`"));
    }
    sources(store, recorded, inputs, &mut found)?;
    // Where the sources say why, the space need not.
    let space = text::print(inputs.space).into_bytes();
    if found.is_empty() && store.read(names::SPACE)?.as_ref() != Some(&space) {
        found.push("the compiler makes another space of the same files".to_owned());
    }
    start(store, inputs, &mut found)?;
    settings(store, inputs, &mut found)?;
    data(&store.read_json(names::DATA)?, &inputs.data(), &mut found);
    Ok(found)
}

/// Versions that changed, by name.
pub(super) fn versions(recorded: &Run, now: &Run) -> Vec<VersionChange> {
    let names = recorded.versions.keys();
    let new = now.versions.keys().filter(|name| !recorded.versions.contains_key(*name));
    names
        .chain(new)
        .map(|name| VersionChange {
            name: name.clone(),
            recorded: recorded.versions.get(name).cloned(),
            now: now.versions.get(name).cloned(),
        })
        .filter(|change| change.recorded != change.now)
        .collect()
}

/// The settings that differ, or where the strategies do, these alone.
fn settings(store: &Store, inputs: &Inputs<'_>, found: &mut Vec<String>) -> Result<(), RunError> {
    let recorded: Value = store.read_json(names::RECIPE)?;
    let now = recipe::written(inputs.recipe)?;
    let strategies = [recipe::strategy(&recorded), recipe::strategy(&now)];
    if let [recorded, now] = strategies
        && recorded != now
    {
        found.push(format!("it is a search by `{recorded}`, not by `{now}`"));
    } else {
        values("", &recorded, &now, found);
    }
    Ok(())
}

/// The leaves in which two recipes differ: `schedule.epochs`.
fn values(at: &str, recorded: &Value, now: &Value, found: &mut Vec<String>) {
    if let (Value::Object(old), Value::Object(new)) = (recorded, now) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            let side = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or(Value::Null)
            };
            values(&at, &side(old), &side(new), found);
        }
    } else if recorded != now && !FREE.contains(&at) {
        found.push(format!("`{at}` is {recorded} in it and {now} now"));
    }
}

fn sources(
    store: &Store,
    recorded: &Run,
    inputs: &Inputs<'_>,
    found: &mut Vec<String>,
) -> Result<(), RunError> {
    for (name, bytes) in inputs.sources {
        if !recorded.sources.contains(name) {
            found.push(format!("`{name}` is new"));
        } else if store.read(&source_name(name))?.as_ref() != Some(bytes) {
            found.push(format!("`{name}` has changed"));
        }
    }
    for name in &recorded.sources {
        if !inputs.sources.iter().any(|(now, _)| now == name) {
            found.push(format!("`{name}` is no longer read"));
        }
    }
    Ok(())
}

/// Whether it trains the same network from the same weights.
fn start(store: &Store, inputs: &Inputs<'_>, found: &mut Vec<String>) -> Result<(), RunError> {
    let Some(start) = inputs.start else { return Ok(()) };
    let recorded: Choices = store.read_json(names::ASSIGNMENT)?;
    let now = |path: &String| start.choices.get(path);
    let changed = recorded.iter().find(|(path, name)| now(path) != Some(name));
    if let Some((path, name)) = changed {
        let now = now(path).map_or("open", String::as_str);
        found.push(format!("it trains another network: `{path}` is {name} in it and {now} now"));
    }
    if store.read(names::INITIAL)? != inputs.initial()? {
        found.push("it began with other weights".to_owned());
    }
    Ok(())
}

/// The files of the data set that are new, gone, or of another size.
fn data(recorded: &IndexMap<String, u64>, now: &IndexMap<String, u64>, found: &mut Vec<String>) {
    let missing_in = |other: &IndexMap<String, u64>, map: &IndexMap<String, u64>| {
        map.keys().filter(|name| !other.contains_key(*name)).cloned().collect::<Vec<_>>()
    };
    let resized = recorded.iter().filter(|(name, size)| now.get(*name).is_some_and(|n| n != *size));
    let resized = resized.map(|(name, _)| name.clone()).collect();
    for (change, names) in [
        ("new", missing_in(recorded, now)),
        ("gone", missing_in(now, recorded)),
        ("of another size", resized),
    ] {
        match names.as_slice() {
            [] => {}
            [only] => found.push(format!("`{only}` of the data is {change}")),
            [first, .., last] => found.push(format!(
                "{} files of the data are {change}, `{first}` to `{last}`",
                names.len()
            )),
        }
    }
}
