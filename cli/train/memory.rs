//! Whether what is to be trained fits into the memory that there is, told before anything is allocated.

use miette::Diagnostic;
use nas_grammar::Problem;
use nas_torch::Forecast;
use nasc::render::report::{Failure, print_problems};
use nasc::tell;
use sysinfo::System;
use thiserror::Error;

/// The share of a forecast that is always taken: forecasts were between 11 % below and 17 % above what was measured
/// (`docs/forecast.md`), and up to 29 % above before.
const SURE: f64 = 0.75;

/// What is trained, and what that takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// In words: "the search".
    pub(crate) what: &'static str,
    /// The setting of its batch.
    pub(crate) setting: &'static str,
    /// The batch.
    pub(crate) batch: u32,
    /// What it takes.
    pub(crate) forecast: Forecast,
}

impl Need {
    /// What to make smaller, and where that helps how small.
    fn help(&self, free: u64) -> String {
        let fixed = Forecast { step: 0, scoring: 0, ..self.forecast }.bytes();
        let for_values = self.forecast.bytes().saturating_sub(fixed) / u64::from(self.batch.max(1));
        let fits = free.saturating_sub(fixed).checked_div(for_values).unwrap_or_default();
        let setting = self.setting;
        let batch = match fits.min(u64::from(self.batch.saturating_sub(1))) {
            0 => format!("not even a `{setting}` of 1 would fit"),
            fits => format!("a `{setting}` of {fits} would fit"),
        };
        let soft = match self.what {
            "the search" => {
                "; `strategy proxyless { gradient = reinforce }` runs one candidate of each decision at a time"
            }
            _ => "",
        };
        format!("{batch}; a smaller `data.crop` takes less for each picture{soft}")
    }
}

/// Training for which there is not enough memory.
#[derive(Debug, Error, Diagnostic)]
enum Short {
    /// It does not fit.
    #[error("{what} takes about {needed} of memory, and {free} are free")]
    #[diagnostic(code(nas::train::memory), help("{help}"))]
    Surely { what: &'static str, needed: String, free: String, help: String },
    /// It may not fit.
    #[error("{what} may take all memory: about {needed}, and {free} are free")]
    #[diagnostic(code(nas::train::memory), severity(Warning), help("{help}"))]
    Perhaps { what: &'static str, needed: String, free: String, help: String },
}

/// Tells what training takes, and warns where that may be all of what is free.
///
/// # Errors
/// There is not enough.
pub(crate) fn check(needs: &[Need], free: Option<u64>) -> Result<(), Failure> {
    let told: Vec<String> = needs
        .iter()
        .map(|need| format!("{} about {}", need.what, gigabytes(need.forecast.bytes())))
        .collect();
    let of = free.map(|free| format!(" of {} that are free", gigabytes(free))).unwrap_or_default();
    tell!("memory: {}{of}", told.join(", "));
    let short = needs.iter().filter_map(|need| short(need, free?));
    for short in short {
        if matches!(short, Short::Surely { .. }) {
            return Err(Failure::problem(short));
        }
        print_problems(&[Problem::from(short)]);
    }
    Ok(())
}

fn short(need: &Need, free: u64) -> Option<Short> {
    let (what, bytes) = (need.what, need.forecast.bytes());
    let (needed, help) = (gigabytes(bytes), need.help(free));
    let shown = gigabytes(free);
    if bytes as f64 * SURE > free as f64 {
        return Some(Short::Surely { what, needed, free: shown, help });
    }
    (bytes > free).then_some(Short::Perhaps { what, needed, free: shown, help })
}

/// Tells how much of memory the process has held at most, where the system knows.
pub(crate) fn tell_peak() {
    if let Some(peak) = peak() {
        tell!("memory: {} at most were taken", gigabytes(peak));
    }
}

/// Bytes that the process has held at most: `VmHWM` of Linux (proc_pid_status(5)), which is in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// With three digits below a gigabyte, and one behind the point above ten.
fn gigabytes(bytes: u64) -> String {
    let gigabytes = bytes as f64 / 1e9;
    match gigabytes {
        ..1.0 => format!("{gigabytes:.3} GB"),
        ..10.0 => format!("{gigabytes:.2} GB"),
        _ => format!("{gigabytes:.1} GB"),
    }
}

/// Bytes that the process may still take, of the machine and of its control group; none, where neither is
/// known.
pub(crate) fn free() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let of_group = system.cgroup_limits().map(|limits| limits.free_memory);
    let of_machine = Some(system.available_memory()).filter(|&bytes| bytes > 0);
    of_machine.into_iter().chain(of_group).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_says_what_would() {
        let forecast = Forecast { step: 8_000_000_000, ..Forecast::default() };
        let need = Need { what: "the search", setting: "data.batch", batch: 8, forecast };
        let said = |free: u64| {
            short(&need, free).map(|short| (short.to_string(), short.help().unwrap().to_string()))
        };
        let (error, help) = said(5_000_000_000).unwrap();
        assert_eq!(error, "the search takes about 9.00 GB of memory, and 5.00 GB are free");
        assert!(help.starts_with("a `data.batch` of 4 would fit; "), "{help}");
        let (warning, _) = said(8_000_000_000).unwrap();
        assert!(warning.starts_with("the search may take all memory"), "{warning}");
        let (_, help) = said(500_000_000).unwrap();
        assert!(help.starts_with("not even a `data.batch` of 1 would fit; "), "{help}");
        assert!(said(10_000_000_000).is_none());
    }
}
