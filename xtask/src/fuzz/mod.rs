//! `cargo xtask fuzz`: runs `nasc` as a whole on hostile inputs that are made of what the repository
//! ships, and counts how it ends. A case follows from its kind, the seed and its number alone.

mod asked;
mod case;
mod faults;
mod grammar;
mod made;
mod models;
mod mutate;
mod protobuf;
mod run;
mod runs;
mod spaces;
mod tables;
mod tally;
mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rand::SeedableRng;

use case::{Kind, Random};
use tally::Tally;

/// How often it is told how far it has come.
const EVERY: Duration = Duration::from_secs(60);
/// All kinds, in the order in which their streams of random numbers are counted.
const KINDS: [&str; 4] = ["spaces", "models", "tables", "runs"];

/// What is asked for.
pub(crate) struct Options {
    time: Duration,
    seed: u64,
    jobs: usize,
    kinds: Vec<&'static str>,
    replay: Option<PathBuf>,
    /// The executable; if not given, that of the checkout.
    pub(crate) nasc: Option<PathBuf>,
}

impl Options {
    /// The options of a command line.
    pub(crate) fn parse(args: &[OsString]) -> Result<Self> {
        let mut options = Self {
            time: Duration::from_secs(60),
            seed: 0,
            jobs: 1,
            kinds: Vec::new(),
            replay: None,
            nasc: None,
        };
        let mut args = args.iter().map(|arg| arg.to_string_lossy());
        while let Some(arg) = args.next() {
            if let Some(kind) = KINDS.into_iter().find(|kind| *kind == arg) {
                options.kinds.push(kind);
                continue;
            }
            let value = args
                .next()
                .with_context(|| format!("`{arg}` is no kind of fuzzing, or lacks a value"))?;
            match arg.as_ref() {
                "--minutes" => {
                    options.time = Duration::try_from_secs_f64(60.0 * value.parse::<f64>()?)?
                }
                "--seed" => options.seed = value.parse()?,
                "--jobs" => options.jobs = value.parse::<usize>()?.max(1),
                "--replay" => options.replay = Some(std::path::absolute(value.as_ref())?),
                "--nasc" => options.nasc = Some(std::path::absolute(value.as_ref())?),
                _ => bail!("there is no option `{arg}`"),
            }
        }
        if options.kinds.is_empty() {
            options.kinds = KINDS.to_vec();
        }
        Ok(options)
    }
}

/// Fuzzes, or tries a fault again; whether there was no fault.
pub(crate) fn run(root: &Path, nasc: &Path, options: &Options) -> Result<bool> {
    if let Some(folder) = &options.replay {
        return Ok(!faults::replay(nasc, folder)?);
    }
    let mut kinds: Vec<(usize, Box<dyn Kind>)> = Vec::new();
    for (index, name) in KINDS.into_iter().enumerate().filter(|(_, it)| options.kinds.contains(it))
    {
        eprintln!("making what {name} are made of");
        kinds.push((index, kind(name, root, nasc)?));
    }
    let tally = Tally::new(root.join("target/fuzz/faults"), options.seed);
    let next = AtomicU64::new(0);
    let started = Instant::now();
    let work = || -> Result<()> {
        while started.elapsed() < options.time {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let number = turn / kinds.len() as u64;
            let Some((index, kind)) = kinds.get((turn % kinds.len() as u64) as usize) else {
                break;
            };
            let mut random = Random::seed_from_u64(options.seed);
            random.set_stream(number * KINDS.len() as u64 + *index as u64);
            let case = kind.case(&mut random);
            let outcome = run::case(nasc, &case)?;
            let name = KINDS.get(*index).copied().unwrap_or_default();
            tally.count(name, number, &case, &outcome)?;
            tally.tell_every(EVERY, started);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| bail!("the fuzzer itself is at fault"))
        })
    })?;
    Ok(tally.tell_all())
}

fn kind(name: &str, root: &Path, nasc: &Path) -> Result<Box<dyn Kind>> {
    Ok(match name {
        "spaces" => Box::new(spaces::Spaces::new(root)?),
        "models" => Box::new(models::Models::new(nasc)?),
        "tables" => Box::new(tables::Tables::new(nasc)?),
        _ => Box::new(runs::Runs::new(root, nasc)?),
    })
}
