//! `nasc demo`: its arguments. `nasc-train` does it.

use std::path::PathBuf;

use clap::Args;

use crate::services::compute::{DeviceArg, threads_parser};

/// Arguments of `nasc demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The run directory; the first of runs/demo, runs/demo-2, … that holds no finished demo if not
    /// given. An unfinished demo goes on.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What makes training steps: `cpu`, or a GPU of NVIDIA such as `cuda:0`, which finds another network and, for pictures as small
    /// as these, is no faster.
    #[arg(long, value_name = "cpu|cuda:N", default_value_t = DeviceArg::Cpu)]
    pub device: DeviceArg,
    /// Threads of a training step; if not given, as many as there are cores that nasc may use. With another number the last
    /// digits of the result may differ.
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub threads: Option<u32>,
}
