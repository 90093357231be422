//! Batches that are learned from part by part, so that a step takes less memory.
//!
//! The gradients of the parts are summed, each times its share of the images, and a step is made down the sum. Batch norms take the
//! statistics of each part: those of the whole batch depend on images whose values are not there.

use crate::error::TorchError;
use crate::passes::TrainBatch;
use crate::portion::Portion;
use crate::task::DeviceTargets;
use crate::teaching::Taught;
use crate::training_loss::Blend;

impl TrainBatch<'_> {
    /// Does something with each of so many parts of it, one after the other.
    pub(crate) fn in_parts(
        &self,
        parts: usize,
        mut act: impl FnMut(&TrainBatch<'_>, Portion) -> Result<(), TorchError>,
    ) -> Result<(), TorchError> {
        let portions = Portion::cut(self.count() as i64, parts);
        for (number, &portion) in portions.iter().enumerate() {
            if portion.is_all() {
                act(self, portion)?;
                continue;
            }
            let inputs = self.inputs.iter().map(|input| portion.of(input));
            let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
            let targets = of_images(self.targets, portion)?;
            let blend = self.blend.map(|Blend { others, share }| {
                Ok::<_, TorchError>(Blend { others: of_images(others, portion)?, share: *share })
            });
            let taught = self.taught.map(|taught| taught.of_images(portion));
            let (blend, taught): (Option<Blend>, Option<Taught>) =
                (blend.transpose()?, taught.transpose()?);
            let part = TrainBatch {
                inputs: &inputs,
                targets: &targets,
                blend: blend.as_ref(),
                taught: taught.as_ref(),
                draws: self.draws * portions.len() + number,
                ..*self
            };
            act(&part, portion)?;
        }
        Ok(())
    }
}

fn of_images(targets: &DeviceTargets, portion: Portion) -> Result<DeviceTargets, TorchError> {
    Ok(DeviceTargets { values: portion.of(&targets.values)?, criterion: targets.criterion })
}
