//! The way of batches to the device.

use nas_autograd::of_slice;
use nas_cuda::Copied;
use nas_data::{Batch, DataError, Size, Targets};
use nas_ir::Task;
use tch::{Device, Tensor};

use crate::error::TorchError;
use crate::judge::Judging;
use crate::layout::channels_last;
use crate::task::{Criterion, DeviceTargets};

/// Turns batches into tensors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upload {
    pub(crate) criterion: Criterion,
    pub(crate) judging: Judging,
    pub(crate) device: Device,
}

impl Upload {
    /// What the batches are for.
    pub(crate) fn task(&self) -> Task {
        self.criterion.task
    }

    /// Images `[N, C, H, W]` of each input and their targets on the device.
    pub(crate) fn tensors(
        &self,
        batch: &Batch,
    ) -> Result<(Vec<Tensor>, DeviceTargets), TorchError> {
        self.begin(batch)?.finish()
    }

    /// Begins to bring a batch to the device, beside what that computes.
    fn begin(&self, batch: &Batch) -> Result<Uploading, TorchError> {
        let Size { height, width } = batch.size;
        let (n, h, w) = (batch.n as i64, i64::from(height), i64::from(width));
        let inputs = batch.inputs.iter().map(|images| {
            let sizes = [n, images.channels as i64, h, w];
            self.way(of_slice(&images.values, &sizes)?)
        });
        let inputs = inputs.collect::<Result<Vec<_>, TorchError>>()?;
        let targets = match &batch.targets {
            Targets::ClassMaps(labels) => of_slice(labels, &[n, h, w])?,
            Targets::Classes(labels) => of_slice(labels, &[n])?,
            Targets::Maps { values, channels, size: Size { height, width } } => {
                let sizes = [n, *channels as i64, i64::from(*height), i64::from(*width)];
                of_slice(values, &sizes)?
            }
            Targets::Vectors { values, len } => of_slice(values, &[n, *len as i64])?,
        };
        Ok(Uploading { inputs, targets: self.way(targets)?, criterion: self.criterion })
    }

    /// The way of a tensor to the device.
    fn way(&self, tensor: Tensor) -> Result<Way, TorchError> {
        Ok(match self.device {
            Device::Cuda(gpu) => Way::Copied(Copied::begin(&tensor, gpu)?),
            _ => Way::There(tensor),
        })
    }
}

/// A batch on its way to the device.
struct Uploading {
    inputs: Vec<Way>,
    targets: Way,
    criterion: Criterion,
}

/// A tensor on its way there.
enum Way {
    There(Tensor),
    Copied(Copied),
}

impl Way {
    fn end(self) -> Result<Tensor, TorchError> {
        match self {
            Self::There(tensor) => Ok(tensor),
            Self::Copied(copied) => Ok(copied.take()?),
        }
    }
}

impl Uploading {
    fn finish(self) -> Result<(Vec<Tensor>, DeviceTargets), TorchError> {
        let inputs = self.inputs.into_iter().map(|images| channels_last(&images.end()?));
        let inputs = inputs.collect::<Result<_, TorchError>>()?;
        Ok((inputs, DeviceTargets { values: self.targets.end()?, criterion: self.criterion }))
    }
}

/// Batches on the device, each of which a GPU is sent while it computes the one before.
pub(crate) struct Uploads<I> {
    batches: I,
    upload: Upload,
    /// The batch that is on its way to a GPU.
    next: Option<Result<Uploading, TorchError>>,
}

impl<I: Iterator<Item = Result<Batch, DataError>>> Uploads<I> {
    pub(crate) fn new(upload: Upload, batches: I) -> Self {
        let mut uploads = Self { batches, upload, next: None };
        if uploads.upload.device.is_cuda() {
            uploads.next = uploads.begin();
        }
        uploads
    }

    fn begin(&mut self) -> Option<Result<Uploading, TorchError>> {
        let batch = self.batches.next()?;
        Some(batch.map_err(TorchError::from).and_then(|batch| self.upload.begin(&batch)))
    }
}

impl<I: Iterator<Item = Result<Batch, DataError>>> Iterator for Uploads<I> {
    type Item = Result<(Vec<Tensor>, DeviceTargets), TorchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.upload.device.is_cuda() {
            true => {
                let next = self.begin();
                std::mem::replace(&mut self.next, next)
            }
            false => self.begin(),
        };
        batch.map(|batch| batch?.finish())
    }
}
