//! The cross-entropy of maps that are enlarged, as a function of tensors with its gradient.

use nas_autograd::{Backward, floats, floats_mut, record, whole_numbers};
use nas_kernels::{CrossEntropy, Enlarged, cross_entropy};
use tch::{Kind, Tensor, no_grad};

use super::function::{blank, shape};
use super::threads::processor;
use crate::answer;
use crate::error::TorchError;
use crate::layout::channels_last;

/// The mean cross-entropy over the labelled pixels of enlarged logits; 0 where none is. `labels` are whole numbers `[N, H, W]`, of
/// which one is `ignored`.
///
/// # Errors
/// A label is no class, or libtorch's.
pub(crate) fn mean_cross_entropy(
    enlarged: &answer::Enlarged,
    labels: &Tensor,
    ignored: i64,
) -> Result<Tensor, TorchError> {
    let answer::Enlarged { map, size: [height, width], align_corners } = enlarged;
    let logits = channels_last(&map.f_detach()?)?;
    let mut gradient = blank(shape(&logits)?, false)?;
    let found = cross_entropy(
        processor(),
        &Enlarged {
            logits: floats(&logits)?,
            map: shape(&logits)?,
            to: [*height as usize, *width as usize],
            align_corners: *align_corners,
        },
        whole_numbers(&labels.f_contiguous()?)?,
        ignored,
        floats_mut(&mut gradient)?,
    );
    let no_class = |label| TorchError::broken(format!("the label {label} is no class"));
    let CrossEntropy { sum, labelled } = found.map_err(no_class)?;
    let labelled = labelled.max(1) as f64;
    let mut mean = Tensor::f_from_slice(&[(sum / labelled) as f32])?.f_squeeze()?;
    record(&mut [&mut mean], &[map], Function { gradient, labelled })?;
    Ok(mean)
}

/// How its gradient is computed: that of the sum is known.
struct Function {
    gradient: Tensor,
    labelled: f64,
}

impl Backward for Function {
    fn gradients(
        &mut self,
        of: &[Option<Tensor>],
        _: &[bool],
    ) -> Result<Vec<Option<Tensor>>, String> {
        let [Some(of)] = of else { return Ok(vec![None]) };
        let scaled = || {
            let factor = of.f_to_kind(Kind::Float)?.f_div_scalar(self.labelled)?;
            self.gradient.f_mul(&factor)
        };
        let gradient = no_grad(scaled).map_err(|error: tch::TchError| error.to_string())?;
        Ok(vec![Some(gradient)])
    }
}
