//! Latency tables as files, and figures as entries of them.

use std::path::{Path, PathBuf};

use nas_analysis::latency::{Entry, Setting, Table};

use super::error::{Mixed, NotATable};
use crate::render::report::Failure;
use crate::services::files::write_whole;
use crate::services::source::io_reason;

/// The table of a file.
///
/// # Errors
/// There is none, or it is not whole.
pub(super) fn read(path: &Path) -> Result<Table, Failure> {
    let faulty = |why| Failure::problem(NotATable { file: path.display().to_string(), why });
    let text = nas_files::read_to_string(path).map_err(|error| faulty(io_reason(&error)))?;
    Table::parse(&text).map_err(|error| faulty(error.to_string()))
}

/// The table of a file to add to, or an empty one where there is none.
///
/// # Errors
/// It is no table, or one of another setting.
pub(super) fn read_or_new(path: &Path, device: &Setting) -> Result<Table, Failure> {
    if !path.exists() {
        return Ok(Table::new(device.clone()));
    }
    let table = read(path)?;
    agree(path, &table.device, device)?;
    Ok(table)
}

/// That figures of a setting may join those of a file.
///
/// # Errors
/// They are of different settings.
pub(super) fn agree(path: &Path, there: &Setting, here: &Setting) -> Result<(), Failure> {
    match there.difference(here) {
        None => Ok(()),
        Some(difference) => {
            Err(Failure::problem(Mixed { file: path.display().to_string(), difference }))
        }
    }
}

/// Writes a table.
///
/// # Errors
/// The file cannot be written.
pub(super) fn write(path: &Path, table: &Table) -> Result<(), Failure> {
    write_whole(path, table.to_text().as_bytes())
}

/// A file beside the table.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// What a figure may be, for people.
pub(super) const TIMES: &str = "0.000001 to 900000 ms";

/// Milliseconds as whole nanoseconds, if a table may have them: a figure that it may not have is
/// found where it is read.
pub(super) fn time(milliseconds: f64) -> Option<u64> {
    Some(nanoseconds(milliseconds)).filter(|time| Entry::TIMES.contains(time))
}

/// What was measured of a part, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'s> {
    /// Of its model.
    pub(super) model: &'s [f64],
    /// Of what stands around it there, if anything does.
    pub(super) around: &'s [f64],
}

/// The entry of a part that took so long. What stands around it is not its own: of its least and its
/// median, those of its surroundings are subtracted.
pub(super) fn entry(about: &str, samples: Samples<'_>) -> Entry {
    let sorted = |milliseconds: &[f64]| {
        let mut sorted = milliseconds.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    };
    let (model, around) = (sorted(samples.model), sorted(samples.around));
    let at = |share| quantile(&model, share);
    let own = |share| nanoseconds(at(share) - quantile(&around, share)).max(1);
    Entry {
        about: about.to_owned(),
        least: own(0.0),
        median: own(0.5),
        spread: nanoseconds(at(0.75) - at(0.25)),
        repeats: u32::try_from(model.len()).unwrap_or(u32::MAX),
    }
}

/// The least of milliseconds, as whole nanoseconds.
pub(super) fn least(milliseconds: &[f64]) -> u64 {
    entry("", Samples { model: milliseconds, around: &[] }).least
}

/// Milliseconds as whole nanoseconds.
pub(super) fn nanoseconds(milliseconds: f64) -> u64 {
    // A float beyond the range saturates.
    (milliseconds * 1e6).round() as u64
}

/// The value below which this share of sorted values lies, between neighbours in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * sorted.len().saturating_sub(1) as f64;
    let value = |at: f64| sorted.get(at as usize).copied().unwrap_or_default();
    let (low, high) = (value(position.floor()), value(position.ceil()));
    low + (high - low) * position.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_the_least_the_median_and_the_spread() {
        let alone = |model: &[f64]| entry("a", Samples { model, around: &[] });
        let entry = alone(&[4.0, 1.0, 2.0, 3.0, 100.0]);
        assert_eq!((entry.least, entry.median), (1_000_000, 3_000_000));
        assert_eq!((entry.spread, entry.repeats), (2_000_000, 5));
        let pair = alone(&[1.0, 2.0]);
        assert_eq!((pair.median, pair.spread), (1_500_000, 500_000));
        assert_eq!(alone(&[0.0]).least, 1);
    }

    #[test]
    fn what_stands_around_a_part_is_not_its_own() {
        let around = [0.5, 0.25, 0.75];
        let within = |model: &[f64]| entry("a", Samples { model, around: &around });
        let entry = within(&[2.0, 3.0, 1.0]);
        assert_eq!((entry.least, entry.median, entry.spread), (750_000, 1_500_000, 1_000_000));
        // A part that takes no time at all may come out below the noise.
        assert_eq!(within(&[0.2]).least, 1);
    }

    #[test]
    fn a_time_is_what_a_table_may_have() {
        assert_eq!((time(1e-6), time(900_000.0)), (Some(1), Some(900_000_000_000)));
        for none in [0.0, -1.0, 4e-7, 900_000.1, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
