//! Whether the run in a folder is of what is asked for now, and if not, what differs.

use indexmap::IndexMap;
use nas_ir::text;
use serde_json::Value;

use super::folder::Store;
use super::layout::{Inputs, names, of_layout, source_name};
use super::recipe;
use crate::error::RunError;
use crate::record::{Choices, Goal, Run, VersionChange};

/// Settings that change no result, so that a run may go on with other ones. Of the data counts what
/// its files hold, not where they lie; how long a command may take, and how often it is tried, says only when a
/// trial is given up.
const FREE: &[&str] = &["data.workers", "data.path", "score.timeout", "score.retries"];
/// The epochs of the retraining.
const RETRAIN_EPOCHS: &str = "retrain.epochs";
/// How the files of the language end: of these counts the space that the compiler makes of them.
const LANGUAGE: &str = ".nas";

/// What is not as when the run began.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// What keeps it from going on, a phrase each.
    pub(super) differences: Vec<String>,
    /// What it takes over, a phrase each.
    pub(super) changes: Vec<String>,
}

/// What a run has used so far; what it has not may change.
#[derive(Debug, Clone, Copy)]
struct Used {
    /// The training images: an epoch or a trial is done.
    train: bool,
    /// The validation images: a network was scored. The supernet learns no more.
    val: bool,
    /// All: the run is done.
    test: bool,
    /// The state of the retraining is there, with which it may go on.
    trainee: bool,
}

impl Used {
    fn by(store: &Store) -> Result<Self, RunError> {
        let test = store.has(names::RESULT);
        let trainee = store.has(names::TRAINEE);
        let val = test || store.records()?.tried()? > 0 || trainee;
        Ok(Self { train: val || store.has(names::SUPERNET), val, test, trainee })
    }

    /// Whether it has used a file of the data set; those outside its splits go with the first epoch.
    fn file(self, name: &str) -> bool {
        match name.split('/').next() {
            Some("val") => self.val,
            Some("test") => self.test,
            _ => self.train,
        }
    }

    /// Whether a setting may rise: the epochs of what is not done, or may go on.
    fn may_rise(self, setting: &str) -> bool {
        match setting {
            "schedule.epochs" => !self.val,
            RETRAIN_EPOCHS => !self.test || self.trainee,
            _ => false,
        }
    }

    /// Why a setting may not rise any more, where that is not plain.
    fn end_of(self, setting: &str) -> &'static str {
        match setting {
            RETRAIN_EPOCHS if self.test => {
                ", and it is done: only where `retrain.rate` and `retrain.drop_path` stay the same does a retraining go on \
                 for longer"
            }
            _ => "",
        }
    }
}

/// The run that the folder holds.
pub(super) fn recorded(store: &Store) -> Result<Run, RunError> {
    of_layout(store.dir(), store.read_json(names::RUN)?)
}

/// What differs between a recorded run and these inputs.
pub(super) fn compare(
    store: &Store,
    recorded: &Run,
    inputs: &Inputs<'_>,
) -> Result<Compared, RunError> {
    let mut compared = Compared::default();
    let found = &mut compared.differences;
    if recorded.goal != store.run().goal {
        found.push(match recorded.goal {
            Goal::Search => "it is a search".to_owned(),
            Goal::Retrain => "it is the retraining of one network".to_owned(),
        });
        return Ok(compared);
    }
    if recorded.drop_unsupported != inputs.drop_unsupported {
        let with = if recorded.drop_unsupported { "with" } else { "without" };
        found.push(format!("it was begun {with} `--drop-unsupported`"));
    }
    space(store, recorded, inputs, found)?;
    start(store, inputs, found)?;
    let used = Used::by(store)?;
    settings(store, inputs, used, &mut compared)?;
    data(&store.read_json(names::DATA)?, &inputs.data(), used, &mut compared);
    Ok(compared)
}

/// Whether the compiler makes the same space of the files. Where it does not, the files say why.
fn space(
    store: &Store,
    recorded: &Run,
    inputs: &Inputs<'_>,
    found: &mut Vec<String>,
) -> Result<(), RunError> {
    let space = text::print(inputs.space).into_bytes();
    if store.read(names::SPACE)?.as_ref() == Some(&space) {
        // What is no text of the language, such as a latency table, counts as it is.
        return sources(store, recorded, inputs, |name| !name.ends_with(LANGUAGE), found);
    }
    let told = found.len();
    if recorded.space != inputs.space_ref {
        found.push(format!("its space is `{}`, not `{}`", recorded.space, inputs.space_ref));
    }
    sources(store, recorded, inputs, |_| true, found)?;
    if found.len() == told {
        found.push("the compiler makes another space of the same files".to_owned());
    }
    Ok(())
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
fn settings(
    store: &Store,
    inputs: &Inputs<'_>,
    used: Used,
    compared: &mut Compared,
) -> Result<(), RunError> {
    let recorded: Value = store.read_json(names::RECIPE)?;
    let now = recipe::written(inputs.recipe)?;
    let strategies = [recipe::strategy(&recorded), recipe::strategy(&now)];
    if let [recorded, now] = strategies
        && recorded != now
    {
        compared.differences.push(format!("it is a search by `{recorded}`, not by `{now}`"));
    } else {
        values("", &recorded, &now, used, compared);
    }
    Ok(())
}

/// The leaves in which two recipes differ: `schedule.epochs`.
fn values(at: &str, recorded: &Value, now: &Value, used: Used, compared: &mut Compared) {
    if let (Value::Object(old), Value::Object(new)) = (recorded, now) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            let side = |object: &serde_json::Map<String, Value>| {
                object.get(key).cloned().unwrap_or(Value::Null)
            };
            values(&at, &side(old), &side(new), used, compared);
        }
    } else if recorded != now && !FREE.contains(&at) {
        if used.may_rise(at) && recorded.as_u64() < now.as_u64() {
            compared.changes.push(format!("`{at}` was {recorded} and is {now}"));
        } else {
            let end = used.end_of(at);
            compared.differences.push(format!("`{at}` is {recorded} in it and {now} now{end}"));
        }
    }
}

/// The files that are new, changed or gone, of those that count.
fn sources(
    store: &Store,
    recorded: &Run,
    inputs: &Inputs<'_>,
    counts: impl Fn(&str) -> bool,
    found: &mut Vec<String>,
) -> Result<(), RunError> {
    for (name, bytes) in inputs.sources.iter().filter(|(name, _)| counts(name)) {
        if !recorded.sources.contains(name) {
            found.push(format!("`{name}` is new"));
        } else if store.read(&source_name(name))?.as_ref() != Some(bytes) {
            found.push(format!("`{name}` has changed"));
        }
    }
    for name in recorded.sources.iter().filter(|name| counts(name)) {
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

/// The files of a data set and their hashes.
type Files = IndexMap<String, String>;

/// The files of the data set that are new, gone, or hold something else.
fn data(recorded: &Files, now: &Files, used: Used, compared: &mut Compared) {
    let missing_in = |other: &Files, files: &Files| -> Vec<String> {
        files.keys().filter(|name| !other.contains_key(*name)).cloned().collect()
    };
    let differ = |(name, hash): &(&String, &String)| now.get(*name).is_some_and(|now| now != *hash);
    let different = recorded.iter().filter(differ).map(|(name, _)| name.clone()).collect();
    for (what, names) in [
        ("new", missing_in(recorded, now)),
        ("gone", missing_in(now, recorded)),
        ("different", different),
    ] {
        let (used, unused): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| used.file(name));
        compared.differences.extend(files(&used, what));
        compared.changes.extend(files(&unused, what).map(|told| told + ", and not used yet"));
    }
}

/// What became of files of the data.
fn files(names: &[String], what: &str) -> Option<String> {
    match names {
        [] => None,
        [only] => Some(format!("`{only}` of the data is {what}")),
        [first, .., last] => {
            let count = names.len();
            Some(format!("{count} files of the data are {what}, `{first}` to `{last}`"))
        }
    }
}
