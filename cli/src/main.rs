//! The nasc binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    nasc::main()
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
