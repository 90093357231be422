//! How long commands take as whole processes, from their start to their end, and how much memory
//! they need: `cargo bench --bench start`. `NASC=path` measures another executable; `RUNS=n` is how
//! often.
//!
//! The commands take turns, so that what else the machine does falls on all of them. The least is
//! the surest figure: other programs can only add to it.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The commands, at work in the root of the checkout.
const COMMANDS: [&str; 4] = [
    "--version",
    "check spaces/squeezenas_small.nas",
    "check spaces",
    "analyze spaces/squeezenas_large.nas",
];
/// GNU time, which tells the peak of memory of a process that it starts.
const TIME: &str = "/usr/bin/time";

fn main() {
    let profile = if cfg!(debug_assertions) { "with debug assertions" } else { "as for release" };
    let (nasc, about) = match env::var_os("NASC") {
        Some(other) => (other, "as it was built"),
        None => (OsString::from(env!("CARGO_BIN_EXE_nasc")), profile),
    };
    let runs = env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20);
    let mut times: [Vec<Duration>; COMMANDS.len()] = Default::default();
    for _ in 0..runs {
        for (times, command) in times.iter_mut().zip(COMMANDS) {
            times.extend(time(&nasc, command));
        }
    }
    println!("{}, {about}", Path::new(&nasc).display());
    println!(
        "{runs} runs of whole processes, in turn: wall time, and the peak of resident memory\n"
    );
    println!("{:<40}{:>12}{:>12}{:>12}", "nasc …", "least", "median", "memory");
    for (mut times, command) in times.into_iter().zip(COMMANDS) {
        times.sort();
        let milliseconds = |time: Option<&Duration>| {
            time.map_or_else(|| "failed".to_owned(), |t| format!("{:.1} ms", t.as_secs_f64() * 1e3))
        };
        let (least, median) =
            (milliseconds(times.first()), milliseconds(times.get(times.len() / 2)));
        let memory = memory(&nasc, command);
        let memory =
            memory.map_or_else(|| "not known".to_owned(), |bytes| format!("{:.1} MB", bytes / 1e6));
        println!("{command:<40}{least:>12}{median:>12}{memory:>12}");
    }
}

/// A command that is silent.
fn silent(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// The wall time of a process; `None` if it failed.
fn time(nasc: &OsString, args: &str) -> Option<Duration> {
    let mut command = silent(nasc);
    command.args(args.split(' ')).stderr(Stdio::null());
    let since = Instant::now();
    let status = command.status().ok()?;
    let time = since.elapsed();
    status.success().then_some(time)
}

/// Its peak of resident memory in bytes; `None` where there is no GNU time.
fn memory(nasc: &OsString, args: &str) -> Option<f64> {
    let mut command = silent(TIME);
    let output = command.args(["-f", "%M"]).arg(nasc).args(args.split(' ')).output().ok()?;
    let told = String::from_utf8(output.stderr).ok()?;
    let units: f64 = told.lines().last()?.trim().parse().ok()?;
    Some(units * 1024.0)
}
