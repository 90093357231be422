//! Memory layout of maps: channels last, which libtorch's kernels for processors run faster on.

use tch::Tensor;

use crate::error::TorchError;

/// The same tensor `[N, C, H, W]` with the channels of a pixel side by side in memory. What is
/// computed from it keeps that layout.
pub(crate) fn channels_last(map: &Tensor) -> Result<Tensor, TorchError> {
    if map.dim() != 4 {
        return Ok(map.shallow_clone());
    }
    Ok(map.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// The same tensor row-major.
pub(crate) fn plain_map(map: &Tensor) -> Result<Tensor, TorchError> {
    Ok(map.f_contiguous()?)
}
