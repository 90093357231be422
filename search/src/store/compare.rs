//! Whether the run in a folder is of what is asked for now, and if not, what differs.

use indexmap::IndexMap;
use serde_json::Value;

use super::{FORMAT, Inputs, Store, damaged, names, source_name};
use crate::error::RunError;
use crate::record::{Run, VersionChange};

/// Settings that change no result, so that a run may go on with other ones.
const FREE: &[&str] = &["data.workers"];

/// What keeps a recorded run from going on with these inputs, a phrase each.
pub(super) fn differences(
    store: &Store,
    recorded: &Run,
    inputs: &Inputs<'_>,
) -> Result<Vec<String>, RunError> {
    let mut found = Vec::new();
    if recorded.format != FORMAT {
        found.push(format!("its layout is {} and this nasc writes {FORMAT}", recorded.format));
        return Ok(found);
    }
    if recorded.space != inputs.space_ref {
        found.push(format!("it searches `{}`, not `{}`", recorded.space, inputs.space_ref));
    }
    let recipe: Value = store.read_json(names::RECIPE)?;
    let now = serde_json::to_value(inputs.recipe).map_err(|e| damaged(names::RECIPE, e))?;
    values("", &recipe, &now, &mut found);
    sources(store, recorded, inputs, &mut found)?;
    let decisions: IndexMap<String, Vec<String>> = store.read_json(names::DECISIONS)?;
    // Where the sources say why, the decisions need not.
    if found.is_empty() && !same_decisions(&decisions, inputs) {
        found.push("the space has other decisions than it had".to_owned());
    }
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

fn same_decisions(recorded: &IndexMap<String, Vec<String>>, inputs: &Inputs<'_>) -> bool {
    let now = inputs.decisions();
    let recorded = recorded.iter().map(|(path, names)| (path.as_str(), names.as_slice()));
    recorded.eq(now)
}
