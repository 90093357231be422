//! A picture of what a trained network says of some validation images, whatever its task.

mod sheet;
mod view;

use std::path::PathBuf;

use nas_ir::{Model, Task};
use nas_search::Store;
use nas_search::backend::TrainableNetwork;
use nas_search::evaluator::Split;
use nasc::render::report::Failure;

use self::sheet::Sheet;
use self::view::View;
use crate::training::Training;

/// The picture, in the run directory.
const PICTURE: &str = "predictions.svg";
/// Images in the picture, where each has maps beside it, and where it has words below it.
const ROWS: usize = 6;
const TILES: usize = 24;

/// Draws what a trained network says; the path of the picture.
///
/// # Errors
/// The images cannot be read, or the network cannot run.
pub(crate) fn draw(
    training: &Training,
    store: &mut Store,
    model: &Model,
    title: &str,
) -> Result<PathBuf, Failure> {
    let Model { network, weights } = model;
    let task = network.task.ok_or_else(|| Failure::input("a network without a task"))?;
    let mut trained = training.backend()?.trainable(network).map_err(Failure::problem)?;
    trained.load(weights).map_err(|fault| Failure::Problems(vec![fault]))?;
    let is_map = network.outputs.first().is_some_and(|out| network.port_shape(out).rank() == 3);
    let count = if is_map { ROWS } else { TILES };
    let examples = trained.examples(Split::Val, count).map_err(Failure::problem)?;
    let view = View { task, classes: names(training, task)? };
    let rows = examples.iter().map(|example| view.row(example)).collect();
    let inputs = network.inputs.iter().map(|port| port.name.as_str());
    let svg =
        Sheet { title, headings: view.headings(inputs), rows, legend: view.legend() }.svg()?;
    store.write(PICTURE, svg.as_bytes()).map_err(Failure::problem)?;
    Ok(store.dir().join(PICTURE))
}

/// The names of the classes; numbers where the data set has none.
fn names(training: &Training, task: Task) -> Result<Vec<String>, Failure> {
    let classes = match task {
        Task::Segmentation { classes, .. }
        | Task::Classification { classes }
        | Task::Multilabel { classes } => classes,
        Task::Regression { .. } => 0,
    };
    let known = training.dataset()?.classes;
    let name = |class: usize| known.get(class).cloned().unwrap_or_else(|| format!("class {class}"));
    Ok((0..classes as usize).map(name).collect())
}
