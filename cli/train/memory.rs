//! Whether what is to be trained fits into the memory that there is, or that it may take, told before anything is allocated.

use miette::Diagnostic;
use nas_grammar::Problem;
use nas_torch::{Forecast, Recomputed};
use nasc::render::report::{Failure, counted, print_problems};
use nasc::services::size::gigabytes;
use nasc::tell;
use sysinfo::System;
use thiserror::Error;

/// The share of a forecast that is always taken: forecasts were between 11 % below and 17 % above what was measured
/// (`docs/forecast.md`), and up to 29 % above before.
const SURE: f64 = 0.75;

const GIGABYTE: u64 = 1_000_000_000;

/// What is trained, and what that takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// In words: "the search".
    pub(crate) what: &'static str,
    /// The setting of its batch.
    pub(crate) setting: &'static str,
    /// The batch.
    pub(crate) batch: u32,
    /// The section of the recipe that says how the weights learn.
    pub(crate) section: &'static str,
    /// Batches of which a step is made.
    pub(crate) accumulate: u32,
    /// What it takes.
    pub(crate) forecast: Forecast,
}

impl Need {
    fn bytes(&self) -> u64 {
        self.forecast.bytes()
    }

    /// What to make smaller, and where that helps how small.
    fn help(&self, bytes: u64) -> String {
        let Self { setting, .. } = *self;
        let batch = match self.batch_within(bytes) {
            0 => format!("not even a `{setting}` of 1 would fit"),
            fits => format!("a `{setting}` of {fits} would fit{}", self.accumulated(fits)),
        };
        let soft = match setting {
            "data.batch" => {
                "; `strategy proxyless { gradient = reinforce }` runs one candidate of each decision at a time"
            }
            _ => "",
        };
        format!("{batch}; a smaller `data.crop` takes less for each picture{soft}")
    }

    /// How batches of at most so many images make the step of one that does not fit.
    fn accumulated(&self, most: u32) -> String {
        let part = (1..=most).rev().find(|part| self.batch.is_multiple_of(*part)).unwrap_or(1);
        let batches = u64::from(self.accumulate) * u64::from(self.batch / part);
        let which = if part == most { ", and".to_owned() } else { format!("; one of {part}") };
        format!(
            "{which} with `{}.accumulate = {batches}` makes the same step but for batch norms, whose statistics are then of {} each",
            self.section,
            counted(part, "image")
        )
    }

    /// The largest smaller batch that takes so many bytes at most; 0 if none does.
    fn batch_within(&self, bytes: u64) -> u32 {
        let fixed = Forecast { step: 0, scoring: 0, ..self.forecast }.bytes();
        let of_image = self.bytes().saturating_sub(fixed) / u64::from(self.batch.max(1));
        let fits = bytes.saturating_sub(fixed).checked_div(of_image).unwrap_or_default();
        u32::try_from(fits).unwrap_or(u32::MAX).min(self.batch.saturating_sub(1))
    }

    /// What is done to fit, if anything is.
    fn fitted(&self) -> Option<String> {
        let done = self.done();
        (!done.is_empty()).then(|| format!("of {} {}", self.what, done.join(", and ")))
    }

    /// What is computed again, and in which parts batches are learned from, in words.
    fn done(&self) -> Vec<String> {
        let Forecast { recomputed, parts, .. } = self.forecast;
        let again = (recomputed.layers > 0).then(|| described(recomputed));
        let images = counted(self.batch.div_ceil(parts.max(1)), "image");
        let most = if self.batch.is_multiple_of(parts.max(1)) { "" } else { "at most " };
        let in_parts = (parts > 1).then(|| {
            format!(
                "each batch is learned from in {parts} parts of {most}{images}, of which batch norms take the statistics"
            )
        });
        again.into_iter().chain(in_parts).collect()
    }
}

/// How much is computed again in words.
fn described(Recomputed { layers, of_layers, macs, of_macs }: Recomputed) -> String {
    let more = macs as f64 / of_macs.max(1) as f64 * 100.0;
    format!(
        "{layers} of {of_layers} layers are computed again in the backward pass, {more:.0} % more multiply-accumulates"
    )
}

/// Training for which there is not enough memory.
#[derive(Debug, Error, Diagnostic)]
enum Short {
    /// It does not fit.
    #[error("{what} takes about {needed} of memory, and {free} are free")]
    #[diagnostic(code(nas::train::memory), help("{help}"))]
    Surely { what: &'static str, needed: String, free: String, help: String },
    /// It may not take so much.
    #[error(
        "{what} takes about {needed} of memory at least, {over} more than the {allowed} that it may take"
    )]
    #[diagnostic(code(nas::train::memory), help("{help}"))]
    Forbidden { what: &'static str, needed: String, over: String, allowed: String, help: String },
    /// It may not fit.
    #[error("{what} may take all memory: about {needed}, and {free} are free")]
    #[diagnostic(code(nas::train::memory), severity(Warning), help("{help}"))]
    Perhaps { what: &'static str, needed: String, free: String, help: String },
}

/// Tells what training takes, where it may take so many bytes or what it needs, and warns where that may be all of what is free.
///
/// # Errors
/// There is not enough, or it is more than is allowed; or what `needs` fails with.
pub(crate) fn check(
    allowed: Option<u64>,
    free: Option<u64>,
    needs: impl Fn(Option<u64>) -> Result<Vec<Need>, Failure>,
) -> Result<(), Failure> {
    let own = needs(allowed)?;
    tell!("memory: {}", told(&own, allowed, free));
    let least = own.iter().map(Need::bytes).max().unwrap_or_default();
    if let Some(forbidden) = own.iter().find_map(|need| forbidden(need, allowed?, least)) {
        return Err(Failure::problem(forbidden));
    }
    for (place, need) in own.iter().enumerate() {
        let Some(free) = free.filter(|&free| need.bytes() > free) else { continue };
        let cure = match allowed {
            None => cure(round(free), needs(Some(round(free)))?.get(place)),
            Some(_) => None,
        };
        let short = short(need, free, cure);
        if matches!(short, Short::Surely { .. }) {
            return Err(Failure::problem(short));
        }
        print_problems(&[Problem::from(short)]);
    }
    Ok(())
}

/// What training takes, of how much, and what is done to fit.
fn told(needs: &[Need], allowed: Option<u64>, free: Option<u64>) -> String {
    let parts = needs.iter().map(|need| format!("{} about {}", need.what, gigabytes(need.bytes())));
    let of = match (allowed, free) {
        (Some(allowed), _) => format!(" of {} allowed", gigabytes(allowed)),
        (None, Some(free)) => format!(" of {} that are free", gigabytes(free)),
        (None, None) => String::new(),
    };
    let again = needs.iter().filter_map(Need::fitted).map(|again| format!("; {again}"));
    format!("{}{of}{}", parts.collect::<Vec<_>>().join(", "), again.collect::<String>())
}

/// What is short where it may not take what it does; all that is trained takes so many bytes at least.
fn forbidden(need: &Need, allowed: u64, least: u64) -> Option<Short> {
    let over = need.bytes().checked_sub(allowed).filter(|&over| over > 0)?;
    let help = format!("`--memory {}` would do; {}", at_least(least), need.help(allowed));
    Some(Short::Forbidden {
        what: need.what,
        needed: gigabytes(need.bytes()),
        over: gigabytes(over),
        allowed: gigabytes(allowed),
        help,
    })
}

/// What is short where it needs more than is free.
fn short(need: &Need, free: u64, cure: Option<String>) -> Short {
    let (what, needed, shown) = (need.what, gigabytes(need.bytes()), gigabytes(free));
    let help = cure.into_iter().chain([need.help(free)]).collect::<Vec<_>>().join("; ");
    if need.bytes() as f64 * SURE > free as f64 {
        return Short::Surely { what, needed, free: shown, help };
    }
    Short::Perhaps { what, needed, free: shown, help }
}

/// That a limit of so many bytes would do, with what is done then, if it would.
fn cure(allowed: u64, within: Option<&Need>) -> Option<String> {
    let need = within?;
    let size = written(allowed);
    (need.bytes() <= allowed)
        .then(|| format!("`--memory {size}` would do: {}", need.done().join(", and ")))
}

/// Bytes of two digits or more as an option has them.
fn written(bytes: u64) -> String {
    match bytes {
        ..GIGABYTE => format!("{}MB", bytes / 1_000_000),
        _ => format!("{:.1}GB", bytes as f64 / 1e9),
    }
}

/// Up to what a user would write.
fn at_least(bytes: u64) -> String {
    written(bytes.next_multiple_of(step_of(bytes)))
}

/// Down to what a user would write.
fn round(bytes: u64) -> u64 {
    bytes / step_of(bytes) * step_of(bytes)
}

/// How far numbers of bytes are apart that a user would write.
fn step_of(bytes: u64) -> u64 {
    if bytes < GIGABYTE { 1_000_000 } else { GIGABYTE / 10 }
}

/// Tells how much was taken at most, where that is known.
pub(crate) fn tell_peak(peak: Option<u64>) {
    if let Some(peak) = peak {
        tell!("memory: {} at most were taken", gigabytes(peak));
    }
}

/// Bytes that the process has held at most: `VmHWM` of Linux (proc_pid_status(5)), which is in KiB.
pub(crate) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Bytes that the process may still take, of the machine and of its control group; none, where neither is
/// known.
pub(crate) fn free() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    // What a group calls free is without the files that the system has read, whose memory it gives back at once.
    let of_group = system.cgroup_limits();
    let of_group = of_group.map(|limits| limits.total_memory.saturating_sub(limits.rss));
    let of_machine = Some(system.available_memory()).filter(|&bytes| bytes > 0);
    of_machine.into_iter().chain(of_group).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search of 9 GB, of which 8.8 are for its batch of 8.
    fn need(recomputed: Recomputed) -> Need {
        let forecast = Forecast { step: 7_333_333_330, recomputed, ..Forecast::default() };
        let (what, setting, section) = ("the search", "data.batch", "weights");
        Need { what, setting, batch: 8, section, accumulate: 3, forecast }
    }

    fn help(short: &Short) -> String {
        short.help().unwrap().to_string()
    }

    #[test]
    fn what_does_not_fit_says_what_would() {
        let need = need(Recomputed::default());
        let said = short(&need, 5_000_000_000, None);
        assert_eq!(
            said.to_string(),
            "the search takes about 9.00 GB of memory, and 5.00 GB are free"
        );
        let fits = "a `data.batch` of 4 would fit, and with `weights.accumulate = 6` makes the same step but for batch norms, whose statistics are then of 4 images each; ";
        assert!(help(&said).starts_with(fits), "{}", help(&said));
        let said = help(&short(&need, 6_000_000_000, None));
        let fits = "a `data.batch` of 5 would fit; one of 4 with `weights.accumulate = 6`";
        assert!(said.starts_with(fits), "{said}");
        let warning = short(&need, 8_000_000_000, None).to_string();
        assert!(warning.starts_with("the search may take all memory"), "{warning}");
        let said = help(&short(&need, 500_000_000, None));
        assert!(said.starts_with("not even a `data.batch` of 1 would fit; "), "{said}");
    }

    #[test]
    fn a_limit_that_would_do_is_named() {
        let recomputed = Recomputed { layers: 2, of_layers: 6, macs: 9, of_macs: 100 };
        let cured = cure(9_000_000_000, Some(&need(recomputed))).unwrap();
        let wanted = "`--memory 9.0GB` would do: 2 of 6 layers are computed again in the backward pass, 9 % more multiply-accumulates";
        assert_eq!(cured, wanted);
        assert_eq!(cure(8_900_000_000, Some(&need(recomputed))), None);
        let said = help(&short(&need(recomputed), 5_000_000_000, Some(cured)));
        assert!(said.starts_with(&format!("{wanted}; a `data.batch` of")), "{said}");
    }

    #[test]
    fn what_is_forbidden_says_by_how_much_and_what_would_do() {
        let recomputed = Recomputed { layers: 6, of_layers: 6, macs: 30, of_macs: 100 };
        let need = need(recomputed);
        assert!(forbidden(&need, 9_000_000_000, 0).is_none());
        let said = forbidden(&need, 5_000_000_000, 9_000_000_001).unwrap();
        let wanted = "the search takes about 9.00 GB of memory at least, 4.00 GB more than the 5.00 GB that it may take";
        assert_eq!(said.to_string(), wanted);
        let said = help(&said);
        assert!(said.starts_with("`--memory 9.1GB` would do; a `data.batch` of 4"), "{said}");
        let said = told(&[need], Some(5_000_000_000), None);
        let wanted = "the search about 9.00 GB of 5.00 GB allowed; of the search 6 of 6 layers are computed again in the backward pass, 30 % more multiply-accumulates";
        assert_eq!(said, wanted);
        let parted = Need { forecast: Forecast { parts: 4, ..need.forecast }, ..need };
        let said = told(&[parted], Some(5_000_000_000), None);
        let more = ", and each batch is learned from in 4 parts of 2 images, of which batch norms take the statistics";
        assert_eq!(said, format!("{wanted}{more}"));
    }
}
