//! The GPU that a run computes on.

use tch::Device;

pub use nas_cuda::{Gpu, NoCuda};

use crate::error::TorchError;

/// The GPU of this number, from 0, set up for training: products by tensor cores (TF32).
///
/// # Errors
/// libtorch has no library for GPUs, finds none, or none of this number.
pub fn gpu(number: usize) -> Result<(Device, Gpu), TorchError> {
    let gpus = nas_cuda::gpus()?;
    let count = gpus.len();
    let gpu = gpus.into_iter().nth(number).ok_or(TorchError::NoSuchGpu { number, count })?;
    nas_cuda::use_tensor_cores();
    Ok((Device::Cuda(number), gpu))
}
