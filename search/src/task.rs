//! What can be trained: the networks of a space whose task there is a loss for.

use nas_ir::task::times;
use nas_ir::{Node, Shape, Space, Task};

use crate::error::RunError;

/// What the networks of a space are trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trainable {
    /// What they are for.
    pub task: Task,
    /// Their inputs, in their order; there is one at least.
    pub inputs: Vec<TrainableInput>,
    /// By how much a map that they answer with is larger than their input: 1 or more, and 1 where they answer with none.
    pub times: u32,
}

/// An input of pictures, or of other numbers for each pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainableInput {
    /// Its name.
    pub name: String,
    /// The largest of its shapes, `[channels, H, W]`.
    pub shape: Shape,
}

impl Trainable {
    /// The first input, whose size the others have.
    #[must_use]
    pub fn input(&self) -> Shape {
        // INVARIANT: there is one at least.
        self.inputs.first().map_or(Shape::from([1, 1, 1]), |input| input.shape)
    }
}

/// What a space is for, and the largest shapes of its inputs, if its networks can be trained.
///
/// # Errors
/// It has no task, or several outputs; an input is no picture, has other channels in other networks, or another size than
/// the first; or what networks answer with differs in more than that.
pub fn trainable(space: &Space) -> Result<Trainable, RunError> {
    let fault = |reason: String| RunError::Task { space: space.name.clone(), reason };
    let task = space.task.ok_or_else(|| fault("it has no task".to_owned()))?;
    let mut outputs = space.graph.outputs();
    let (Some((_, output)), None) = (outputs.next(), outputs.next()) else {
        return Err(fault("it has several outputs".to_owned()));
    };
    let mut inputs = Vec::new();
    for (_, node) in space.graph.inputs() {
        inputs.push(input(node).map_err(&fault)?);
    }
    let Some(TrainableInput { shape: first, .. }) = inputs.first() else {
        return Err(fault("it has no input".to_owned()));
    };
    if let Some(other) = inputs.iter().find(|other| other.shape.plane() != first.plane()) {
        let (name, shape) = (&other.name, other.shape);
        return Err(fault(format!("its input `{name}` is {shape}, and the first is {first}")));
    }
    let varies = |node: &Node| node.shape.values().len() > 1;
    if inputs.len() > 1 && space.graph.inputs().any(|(_, node)| varies(node)) {
        return Err(fault(
            "one of its several inputs has another size in some networks".to_owned(),
        ));
    }
    let times = match task {
        Task::Regression { .. } => answered(space, output).map_err(fault)?,
        Task::Segmentation { .. } | Task::Classification { .. } | Task::Multilabel { .. } => 1,
    };
    Ok(Trainable { task, inputs, times })
}

/// An input, if it is one of pictures.
fn input(node: &Node) -> Result<TrainableInput, String> {
    let (name, largest) = (node.name.clone(), node.shape.largest());
    if let Some(other) = node.shape.values().iter().find(|shape| shape.plane().is_none()) {
        return Err(format!("its input `{name}` is {other}, no picture"));
    }
    if node.shape.values().iter().any(|shape| shape.channels() != largest.channels()) {
        return Err(format!(
            "its input `{name}` has more channels in some networks than in others"
        ));
    }
    Ok(TrainableInput { name, shape: largest })
}

/// By how much what a regression answers with is larger than its input.
fn answered(space: &Space, output: &Node) -> Result<u32, String> {
    let shapes = output.shape.values();
    if shapes.iter().all(|shape| !shape.is_spatial()) {
        return Ok(1);
    }
    let Some((_, input)) = space.graph.inputs().next() else { return Ok(1) };
    let sizes = input.shape.values();
    let all = sizes.iter().flat_map(|size| shapes.iter().map(|shape| times(*size, *shape)));
    match (sizes.len(), shapes.len()) {
        (1, 1) => Ok(all.flatten().next().unwrap_or(1)),
        // Each output has the size of the input with which it comes, which all networks are brought to.
        _ if sizes
            .iter()
            .all(|size| shapes.iter().any(|shape| times(*size, *shape) == Some(1)))
            && sizes.len() == shapes.len() =>
        {
            Ok(1)
        }
        _ => Err("what its networks answer with is of several sizes".to_owned()),
    }
}
