//! What a machine lacks is said, not passed over.

use std::fs::OpenOptions;
use std::io::Write;

/// The file that collects what was skipped, one line each; `cargo xtask test` names it and prints it
/// at its end.
const FILE: &str = "NASC_SKIPPED";

/// Says that a test was skipped, and why.
pub fn skipped(test: &str, why: &str) {
    let line = format!("skipped: {test}: {why}\n");
    print!("{line}");
    if let Some(path) = std::env::var_os(FILE) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}
