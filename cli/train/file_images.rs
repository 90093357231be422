//! Files as networks of the images that training has: those are turned into what the file takes.

use nas_ir::Model;
use nas_passes::model::{Normalisation, normalise, reverse_channels};
use nasc::services::form::Form;

/// The model of a file as one of the images that training has: those are turned into what the file takes.
pub(crate) fn of_training_images(mut model: Model, form: &Form) -> Model {
    let inputs: Vec<String> = model.network.inputs.iter().map(|port| port.name.clone()).collect();
    for input in inputs {
        // What the file rounds of its input is rounded of what is made of the images.
        let port =
            model.network.inputs.iter().find(|port| port.name == input).map(|port| port.node);
        let rounding = port
            .and_then(|node| model.network.nodes.get_mut(node))
            .map(|node| std::mem::take(&mut node.rounding));
        let before = model.network.nodes.len();
        if let Some(by) = form.normalised.iter().find(|by| by.input == input) {
            model = normalise(model, &inverse(by));
        }
        if form.is_reversed {
            model = reverse_channels(model, &input);
        }
        let added = model.network.nodes.len() - before;
        let last = port.map(|node| node + added);
        if let (Some(rounding), Some(node)) =
            (rounding, last.and_then(|it| model.network.nodes.get_mut(it)))
        {
            node.rounding = rounding;
        }
    }
    model
}

/// What undoes a normalisation: `x std white + mean white`.
fn inverse(by: &Normalisation) -> Normalisation {
    let mean = by.mean.iter().zip(&by.std).map(|(mean, std)| -mean / std).collect();
    let std = by.std.iter().map(|std| (1.0 / (f64::from(*std) * by.white)) as f32).collect();
    Normalisation { input: by.input.clone(), white: 1.0, mean, std }
}
