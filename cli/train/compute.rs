//! What computes a training: a processor, or a GPU.

use nas_torch::{Gpu, NoCuda, Options, TorchError, default_threads, gpu};
use nasc::render::report::{Failure, counted};
use nasc::services::compute::{ComputeArgs, DeviceArg};
use nasc::tell;

use crate::memory;

/// What computes.
#[derive(Debug, Clone)]
pub(crate) struct Compute {
    pub(crate) options: Options,
    threads: u32,
    /// The GPU, where it is not the processor.
    gpu: Option<Gpu>,
}

impl Compute {
    /// What the command line asks for.
    ///
    /// # Errors
    /// There is no such GPU.
    pub(crate) fn of(args: &ComputeArgs) -> Result<Self, Failure> {
        let threads = args.threads.unwrap_or_else(default_threads);
        let options =
            Options { threads: Some(threads), fuses: !args.no_fuse, ..Options::default() };
        let on_gpu = |found: Result<_, TorchError>| {
            found.map(|(device, gpu)| Self {
                options: Options { device, ..options },
                threads,
                gpu: Some(gpu),
            })
        };
        let on_processor = Self { options, threads, gpu: None };
        match args.device {
            DeviceArg::Cpu => Ok(on_processor),
            DeviceArg::Cuda(number) => on_gpu(gpu(number)).map_err(Failure::problem),
            DeviceArg::Auto => match on_gpu(gpu(0)) {
                Ok(on_gpu) => Ok(on_gpu),
                Err(error) => {
                    tell_unusable(&error);
                    Ok(on_processor)
                }
            },
        }
    }

    /// In words.
    pub(crate) fn told(&self) -> String {
        match &self.gpu {
            Some(Gpu { name, number }) => format!("{name} (cuda:{number})"),
            None => format!("the processor, on {}", counted(self.threads as usize, "thread")),
        }
    }

    /// Bytes that may be taken for training; none where that is not known.
    pub(crate) fn free(&self) -> Option<u64> {
        self.gpu.as_ref().map_or_else(memory::free, Gpu::free)
    }

    /// Bytes that were taken at most; none where that is not known.
    pub(crate) fn peak(&self) -> Option<u64> {
        self.gpu.as_ref().map_or_else(memory::peak, Gpu::peak)
    }

    /// What a run records of it, by name.
    pub(crate) fn versions(&self) -> [(&'static str, String); 3] {
        let device = self.gpu.as_ref().map_or("cpu".to_owned(), |gpu| gpu.name.clone());
        let fuses = if self.options.fuses { "yes" } else { "no" };
        [
            ("device", device),
            ("threads of libtorch", self.threads.to_string()),
            ("layers computed together", fuses.to_owned()),
        ]
    }
}

/// Tells why a library for GPUs that is there is of no use; where there is none, nobody meant a GPU.
fn tell_unusable(error: &TorchError) {
    if let TorchError::NoCuda(why @ (NoCuda::OtherVersion { .. } | NoCuda::Broken { .. })) = error {
        tell!("device: no GPU is used: {why}");
    }
}
