//! What can be trained: the networks of a space whose task there is a loss for.

use nas_ir::{Node, Shape, Space, Task};

use crate::error::RunError;

/// The numbers of channels that pictures are read with: grey, or red, green and blue.
const CHANNELS: [u32; 2] = [1, 3];

/// What a space is for, and the largest shape of its input, if its networks can be trained.
///
/// # Errors
/// It has no task, several inputs or outputs, or an input that is no image of one or three
/// channels.
pub fn trainable(space: &Space) -> Result<(Task, Shape), RunError> {
    let fault =
        |reason: &str| RunError::Task { space: space.name.clone(), reason: reason.to_owned() };
    let task = space.task.ok_or_else(|| fault("it has no task"))?;
    let inputs: Vec<&Node> = space.graph.inputs().map(|(_, node)| node).collect();
    let ([input], 1) = (inputs.as_slice(), space.graph.outputs().count()) else {
        return Err(fault("it has several inputs or outputs"));
    };
    let is_image = |shape: &Shape| CHANNELS.contains(&shape.channels()) && shape.plane().is_some();
    if let Some(other) = input.shape.values().iter().find(|shape| !is_image(shape)) {
        return Err(fault(&format!("its input is {other}, no image of 1 or 3 channels")));
    }
    let largest = input.shape.largest();
    if input.shape.values().iter().any(|shape| shape.channels() != largest.channels()) {
        return Err(fault("its input has 1 channel in some networks and 3 in others"));
    }
    Ok((task, largest))
}
