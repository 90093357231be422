//! What the first steps of a training take, operator by operator.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Steps before the first that is noted: they make memory and caches warm.
pub const WARM_STEPS: usize = 3;
/// How many are noted.
const STEPS: usize = 5;

/// Notes some steps of the first pass that has as many.
pub struct Profiler {
    path: PathBuf,
    /// What is told of them.
    told: Box<dyn Fn(&Profiled)>,
    state: RefCell<State>,
}

enum State {
    Waiting,
    Running(nas_autograd::Profile),
    Done,
}

/// What steps take.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiled {
    /// How many steps they were.
    pub steps: usize,
    /// What they consist of, what takes longest first.
    pub operators: Vec<Operator>,
}

/// What one kind of operator takes in all steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// libtorch's name of it, or ours of what is computed together.
    pub name: String,
    /// How often it ran.
    pub calls: usize,
    /// Seconds, without those of the operators that it calls.
    pub seconds: f64,
}

impl Profiler {
    /// Writes a trace into a file, as `chrome://tracing` and Perfetto read it, and tells a summary.
    #[must_use]
    pub fn new(path: PathBuf, told: impl Fn(&Profiled) + 'static) -> Self {
        Self { path, told: Box::new(told), state: RefCell::new(State::Waiting) }
    }

    /// Whether steps were noted.
    #[must_use]
    pub fn has_noted(&self) -> bool {
        matches!(*self.state.borrow(), State::Done)
    }

    /// A step of this number begins, from 0.
    pub(crate) fn begins(&self, step: usize) {
        let mut state = self.state.borrow_mut();
        if step == WARM_STEPS && matches!(*state, State::Waiting) {
            *state = nas_autograd::Profile::begin(&self.path).map_or(State::Done, State::Running);
        }
    }

    /// It has ended, of so many.
    pub(crate) fn ends(&self, step: usize, of: usize) {
        let done = step + 1;
        if done < WARM_STEPS + STEPS && done < of {
            return;
        }
        let state = std::mem::replace(&mut *self.state.borrow_mut(), State::Done);
        match state {
            State::Running(profile) => {
                drop(profile);
                if let Some(operators) = read(&self.path) {
                    (self.told)(&Profiled { steps: done - WARM_STEPS, operators });
                }
            }
            // A pass of a few steps, such as a rehearsal, is not what is asked for.
            State::Waiting => *self.state.borrow_mut() = State::Waiting,
            State::Done => {}
        }
    }
}

/// A line of a trace: microseconds.
#[derive(Deserialize)]
struct Event {
    name: String,
    ph: String,
    ts: f64,
    dur: f64,
    tid: serde_json::Value,
}

/// What a trace has of each operator, what takes longest first.
fn read(path: &Path) -> Option<Vec<Operator>> {
    let events: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    let events = events.into_iter().filter_map(|event| serde_json::from_value(event).ok());
    let mut by_thread: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in events.filter(|event: &Event| event.ph == "X") {
        by_thread.entry(event.tid.to_string()).or_default().push(event);
    }
    let mut operators: HashMap<String, Operator> = HashMap::new();
    for mut events in by_thread.into_values() {
        events.sort_by(|a, b| a.ts.total_cmp(&b.ts).then(b.dur.total_cmp(&a.dur)));
        // Those that are open at a time, each with its end.
        let mut open: Vec<(f64, String)> = Vec::new();
        for Event { name, ts, dur, .. } in events {
            while open.last().is_some_and(|(end, _)| *end <= ts) {
                open.pop();
            }
            if let Some(outer) = open.last().and_then(|(_, outer)| operators.get_mut(outer)) {
                outer.seconds -= dur / 1e6;
            }
            let blank = || Operator { name: name.clone(), calls: 0, seconds: 0.0 };
            let own = operators.entry(name.clone()).or_insert_with(blank);
            own.calls += 1;
            own.seconds += dur / 1e6;
            open.push((ts + dur, name));
        }
    }
    let mut operators: Vec<Operator> = operators.into_values().collect();
    operators.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.name.cmp(&b.name)));
    Some(operators)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_calls_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.json");
        let event = |name: &str, ts: u32, dur: u32| serde_json::json!({"name": name, "ph": "X", "ts": ts, "dur": dur, "tid": 1, "args": {}});
        let events = [event("outer", 0, 100), event("inner", 10, 20), event("inner", 40, 40)];
        fs::write(&path, serde_json::to_string(&events).unwrap()).unwrap();
        let found = read(&path).unwrap();
        let rows: Vec<(&str, usize, i64)> = found
            .iter()
            .map(|it| (it.name.as_str(), it.calls, (it.seconds * 1e6).round() as i64))
            .collect();
        assert_eq!(rows, [("inner", 2, 60), ("outer", 1, 40)]);
    }
}
