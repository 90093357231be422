//! What a network says of single images, to be looked at.

use nas_data::{Batch, Images, Input, Loader, LoaderOptions, Size, Targets};
use nas_ir::Tensor as Plain;
use nas_search::evaluator::Split;

use crate::error::TorchError;
use crate::layout::values;
use crate::loaders::{Loaders, split_name};
use crate::network::TorchNetwork;

/// An image of a split, and what a network says of it.
#[derive(Debug, Clone)]
pub struct Example {
    /// Of each input, in the order of the network's: the normalised values `[C, H, W]`, and how they are read.
    pub inputs: Vec<(Vec<f32>, Input)>,
    /// Height and width of the image.
    pub size: Size,
    /// What there is to say of it.
    pub targets: Targets,
    /// The first output, row-major: `[classes, H, W]`, `[classes]` and so on, as the task has it.
    pub output: Vec<f32>,
}

/// What a network says of so many images of a split, always the same ones; of all, if there are fewer.
pub(crate) fn examples(
    network: &TorchNetwork,
    loaders: &Loaders,
    split: Split,
    count: usize,
) -> Result<Vec<Example>, TorchError> {
    let pipeline = loaders.evaluation();
    let images = loaders.dataset().split(split_name(split))?.take(count);
    let loader = Loader::new(images, pipeline.clone(), LoaderOptions::evaluation(1))?;
    let upload = loaders.upload();
    let example = |batch: Batch| -> Result<Example, TorchError> {
        let (tensors, _) = upload.tensors(&batch)?;
        let outputs = network.forward(&tensors, false)?;
        let missing = || TorchError::broken("a network without outputs");
        let output = values(outputs.first().ok_or_else(missing)?)?;
        let inputs = batch.inputs.into_iter().map(|images| images.values);
        let inputs = inputs.zip(pipeline.inputs.iter().cloned()).collect();
        Ok(Example { inputs, size: batch.size, targets: batch.targets, output })
    };
    loader.epoch(0).map(|batch| example(batch?)).collect()
}

/// So many training images, always the same ones, as they are evaluated, in batches: a tensor of each input.
pub(crate) fn plain_images(
    loaders: &Loaders,
    split: &str,
    images: usize,
    batch: usize,
) -> Result<Vec<Vec<Plain>>, TorchError> {
    let images = loaders.dataset().split(split)?.take(images);
    let loader = Loader::new(images, loaders.evaluation(), LoaderOptions::evaluation(batch))?;
    let plain = |batch: Batch| {
        let Size { height, width } = batch.size;
        let of_input = |images: Images| {
            let dims = [batch.n as u32, images.channels as u32, height, width];
            Plain::of_floats(dims, images.values)
        };
        batch.inputs.into_iter().map(of_input).collect()
    };
    loader.epoch(0).map(|batch| Ok(plain(batch?))).collect()
}
