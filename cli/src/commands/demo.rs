//! `nasc demo`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::Args;

use crate::services::recipe::threads_parser;

/// Arguments of `nasc demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The run directory; the first of runs/demo, runs/demo-2, … that holds no finished demo if not
    /// given. An unfinished demo goes on.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Threads of libtorch; with another number the last digits of the result may differ.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = threads_parser())]
    pub threads: u32,
}
