//! What computes a training, as the command line says it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::size::bytes;

/// The options that say what computes.
#[derive(Debug, Default, Clone, Args)]
pub struct ComputeArgs {
    /// What makes training steps: `cpu`, a GPU of NVIDIA such as `cuda:0`, or `auto`: the first GPU if libtorch finds one, or else
    /// the processor. On another device the last digits differ.
    #[arg(long, value_name = "auto|cpu|cuda:N", default_value_t)]
    pub device: DeviceArg,
    /// Threads of a training step; if not given, as many as there are cores that nasc may use. Where other
    /// programs keep these busy, fewer may be faster. With another number the last digits may differ.
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    pub threads: Option<u32>,
    /// Compute each operator for itself, by libtorch alone: slower, and with other last digits.
    #[arg(long)]
    pub no_fuse: bool,
}

impl ComputeArgs {
    /// The first of its options that was given, as it is written.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let options = [
            ("--device", self.device != DeviceArg::default()),
            ("--threads", self.threads.is_some()),
            ("--no-fuse", self.no_fuse),
        ];
        options.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }
}

/// The options of commands that train.
#[derive(Debug, Default, Clone, Args)]
pub struct StepsArgs {
    /// Memory that training may take, such as 8GiB or 600MB. Where it would take more, layers are computed again in the backward
    /// pass instead of being kept, which takes longer; the result is the same.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub memory: Option<u64>,
    /// Write what a few training steps take, operator by operator, as a trace that chrome://tracing and Perfetto read, and show a
    /// summary.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
}

impl StepsArgs {
    /// The first of its options that was given, as it is written.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let options = [("--memory", self.memory.is_some()), ("--profile", self.profile.is_some())];
        options.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
    }
}

/// Reads a number of threads: no more than four for each core, for each takes memory and waits for all others.
#[must_use]
pub fn threads_parser() -> clap::builder::RangedI64ValueParser<u32> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let most = i64::try_from(cores.saturating_mul(4)).unwrap_or(i64::from(u32::MAX));
    clap::value_parser!(u32).range(1..=most)
}

/// A device, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceArg {
    /// The first GPU, if there is one, or else the processor.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// The GPU of this number, from 0.
    Cuda(usize),
}

impl fmt::Display for DeviceArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for DeviceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |rest: &str| rest.strip_prefix(':').and_then(|number| number.parse().ok());
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text.strip_prefix("cuda").and_then(number).map(Self::Cuda).ok_or_else(|| {
                "it is `auto`, `cpu`, or a GPU of NVIDIA by its number: `cuda:0`".to_owned()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_read_as_it_is_written() {
        for device in [DeviceArg::Auto, DeviceArg::Cpu, DeviceArg::Cuda(0), DeviceArg::Cuda(12)] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("cuda".parse(), Ok(DeviceArg::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda1", "CPU", "mps"] {
            let told = wrong.parse::<DeviceArg>().unwrap_err();
            assert!(told.contains("`cuda:0`"), "{wrong}: {told}");
        }
    }
}
