//! A teacher: what answers in training for a network to learn from, beside the targets.

use nas_ir::recipe::Recipe;
use nas_ir::{Shape, Space, Tensor};

use crate::error::{Fault, RunError};
use crate::task::{Trainable, trainable};

/// What a network learns from. Equal images have equal answers.
pub trait Teacher {
    /// The answers for `N` images: `[N, …]` with the sizes of [`Lesson::answer`], for `[N, C, H, W]` of each of
    /// [`Lesson::images`]. Logits, or the values of a regression.
    ///
    /// # Errors
    /// It cannot be evaluated.
    fn answers(&self, images: &[Tensor]) -> Result<Tensor, Fault>;
}

/// What a teacher is given and what it answers, of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// An image of each input, `[C, H, W]`, as it is in training.
    pub images: Vec<Shape>,
    /// What the networks of the space answer for it.
    pub answer: Shape,
}

impl Lesson {
    /// That of the networks of a space which are trained by a recipe.
    ///
    /// # Errors
    /// They cannot be trained.
    pub fn of(space: &Space, recipe: &Recipe) -> Result<Self, RunError> {
        let Trainable { inputs, times, .. } = trainable(space)?;
        let in_training = |shape: Shape, times: u32| match (recipe.data.crop, shape.plane()) {
            (Some(crop), Some(_)) => shape.with_spatial(crop.map(|side| side * times)),
            _ => shape,
        };
        let images = inputs.iter().map(|input| in_training(input.shape, 1)).collect();
        // INVARIANT: what can be trained has an output.
        let answer = space.graph.outputs().next().map(|(_, output)| output.shape.largest());
        let answer = answer.unwrap_or(Shape::from([1]));
        Ok(Self { images, answer: in_training(answer, times) })
    }
}
