//! What came of all cases: how often, and which faults there are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::case::Case;
use super::faults;
use super::run::Outcome;

/// How many of the faults that look alike are kept.
const KEPT: usize = 10;

/// Counts of a kind. `ends` are exit codes 0, 1 and 2, then all other ends.
#[derive(Default)]
struct Counts {
    cases: u64,
    runs: u64,
    ends: [u64; 4],
    faults: u64,
}

#[derive(Default)]
struct Counted {
    kinds: BTreeMap<&'static str, Counts>,
    /// Faults by kind and signature: how many, and the names of the folders of the first ones.
    faults: BTreeMap<(&'static str, String), (usize, Vec<String>)>,
    told: u32,
}

pub(crate) struct Tally {
    folder: PathBuf,
    seed: u64,
    counted: Mutex<Counted>,
}

impl Tally {
    /// Nothing yet; faults are kept in this folder.
    pub(crate) fn new(folder: PathBuf, seed: u64) -> Self {
        Self { folder, seed, counted: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a case, and keeps its fault if it has one.
    pub(crate) fn count(
        &self,
        kind: &'static str,
        number: u64,
        case: &Case,
        outcome: &Outcome,
    ) -> Result<()> {
        let mut counted = self.lock();
        let counts = counted.kinds.entry(kind).or_default();
        counts.cases += 1;
        counts.runs += outcome.codes.len() as u64;
        for code in &outcome.codes {
            let [zero, one, two, other] = &mut counts.ends;
            *match code {
                Some(0) => zero,
                Some(1) => one,
                Some(2) => two,
                _ => other,
            } += 1;
        }
        let Some(fault) = &outcome.fault else { return Ok(()) };
        counts.faults += 1;
        let signature = faults::signature(case, fault);
        let name = format!("{kind}-{}-{number}", self.seed);
        let (times, names) = counted.faults.entry((kind, signature.clone())).or_default();
        *times += 1;
        if *times == 1 {
            eprintln!("{name}: {signature}");
        }
        if names.len() < KEPT {
            faults::keep(&self.folder.join(&name), case, fault)?;
            names.push(name);
        }
        Ok(())
    }

    /// Tells the counts where so much time has gone by since they were told.
    pub(crate) fn tell_every(&self, time: Duration, started: Instant) {
        let mut counted = self.lock();
        if started.elapsed() > time * (counted.told + 1) {
            counted.told += 1;
            println!("{}", counted.table());
        }
    }

    /// Tells the counts and the faults; whether there are none.
    pub(crate) fn tell_all(&self) -> bool {
        let counted = self.lock();
        println!("{}", counted.table());
        for ((kind, signature), (times, names)) in &counted.faults {
            let first = names.first().map_or("", String::as_str);
            println!("{kind}, {times} times, {}/{first}\n  {signature}", self.folder.display());
        }
        counted.faults.is_empty()
    }
}

impl Counted {
    fn table(&self) -> String {
        let mut table = format!(
            "{:8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
            "kind", "cases", "runs", "exit 0", "exit 1", "exit 2", "other", "faults", "distinct"
        );
        for (kind, Counts { cases, runs, ends: [zero, one, two, other], faults }) in &self.kinds {
            let distinct = self.faults.keys().filter(|(of, _)| of == kind).count();
            table += &format!(
                "\n{kind:8}{cases:9}{runs:9}{zero:9}{one:9}{two:9}{other:9}{faults:9}{distinct:9}"
            );
        }
        table
    }
}
