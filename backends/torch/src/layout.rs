//! Memory layout of tensors: maps with channels last, which libtorch's kernels for processors run faster on; plain ones
//! row-major.

use nas_autograd::is_channels_last;
use nas_ir::Tensor as Plain;
use tch::{Device, Tensor};

use crate::error::TorchError;

/// The same tensor `[N, C, H, W]` with the channels of a pixel side by side in memory. What is
/// computed from it keeps that layout.
pub(crate) fn channels_last(map: &Tensor) -> Result<Tensor, TorchError> {
    if map.dim() != 4 || is_channels_last(map) {
        return Ok(map.shallow_clone());
    }
    Ok(map.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// The same tensor on a device. What a GPU computes then waits for it; the processor does not.
pub(crate) fn on(device: Device, tensor: Tensor) -> Result<Tensor, TorchError> {
    if tensor.device() == device {
        return Ok(tensor);
    }
    let (waits_not, copies) = (true, false);
    Ok(tensor.f_to_device_(device, tensor.kind(), waits_not, copies)?)
}

/// The same tensor row-major.
pub(crate) fn plain_map(map: &Tensor) -> Result<Tensor, TorchError> {
    Ok(map.f_contiguous()?)
}

/// The same values, row-major on the processor.
pub(crate) fn plain(tensor: &Tensor) -> Result<Plain, TorchError> {
    let sizes = tensor.size().into_iter().map(|size| size as u32);
    Ok(Plain::of_floats(sizes.collect::<Vec<_>>(), values(tensor)?))
}

/// The same floats as a tensor of libtorch.
pub(crate) fn of_plain(plain: &Plain) -> Result<Tensor, TorchError> {
    let sizes: Vec<i64> = plain.dims.iter().map(|&size| i64::from(size)).collect();
    Ok(Tensor::f_from_slice(plain.floats().unwrap_or_default())?.f_view(sizes.as_slice())?)
}

/// The values of a tensor of floats, row-major.
pub(crate) fn values(tensor: &Tensor) -> Result<Vec<f32>, TorchError> {
    let count = tensor.numel();
    let mut data = vec![0.0; count];
    let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
    tensor.f_copy_data(&mut data, count)?;
    Ok(data)
}
