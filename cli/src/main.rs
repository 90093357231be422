//! The nasc binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    nasc::main()
}
