//! What rounding adds to a layer on average, taken out of its bias (Nagel et al. 2019, "Data-Free Quantization Through Weight
//! Equalization and Bias Correction", section 4.2; by pictures, appendix D).

use nas_ir::ops::Role;
use nas_ir::{Model, Tensor, TensorName};

use crate::grids::round_bias;
use crate::kernel::kernel_node;
use crate::observed::watch;
use crate::plan::Plan;
use crate::run::Run;

/// The rounded model with biases by which each layer answers on average as that of the model of floats does, layer by layer
/// in order, since what a layer is given depends on those before. Layers without a bias stay as they are. `told` is called
/// with each layer that is done, and how many there are.
///
/// # Errors
/// A model cannot be run.
pub fn correct_biases<E>(
    floats: &Model,
    mut rounded: Model,
    plan: &Plan,
    batches: &[Vec<Tensor>],
    run: &mut Run<'_, E>,
    mut told: impl FnMut(usize, usize),
) -> Result<Model, E> {
    let expected = means(floats, &plan.kernels, batches, run)?;
    for (place, (&index, expected)) in plan.kernels.iter().zip(expected).enumerate() {
        // Before it is rounded itself: what is compared is what the kernel makes.
        let mut plain = rounded.clone();
        if let Some(node) = plain.network.nodes.get_mut(index) {
            node.rounding.value = None;
        }
        let found = means(&plain, &[index], batches, run)?.remove(0);
        let name = TensorName::new(&kernel_node(&rounded, index).name, Role::Bias).to_string();
        if let Some(bias) = rounded.weights.get_mut(&name).and_then(Tensor::floats_mut) {
            for (bias, (expected, found)) in bias.iter_mut().zip(expected.iter().zip(found)) {
                *bias = (f64::from(*bias) + expected - found) as f32;
            }
            round_bias(&mut rounded, index);
        }
        told(place + 1, plan.kernels.len());
    }
    Ok(rounded)
}

/// For each of these nodes the mean of each channel of its value over all pictures and positions.
fn means<E>(
    model: &Model,
    nodes: &[usize],
    batches: &[Vec<Tensor>],
    run: &mut Run<'_, E>,
) -> Result<Vec<Vec<f64>>, E> {
    let mut sums: Vec<(Vec<f64>, f64)> = nodes
        .iter()
        .map(|&node| (vec![0.0; kernel_node(model, node).shape.channels() as usize], 0.0))
        .collect();
    watch(model, nodes, batches, run, |place, value| {
        let (Some((sums, count)), Some(numbers)) = (sums.get_mut(place), value.floats()) else {
            return;
        };
        let positions: usize = value.dims.iter().skip(2).map(|&size| size as usize).product();
        let channels = sums.len().max(1);
        for (row, numbers) in numbers.chunks(positions.max(1)).enumerate() {
            let sum: f64 = numbers.iter().map(|&x| f64::from(x)).sum();
            sums.iter_mut().skip(row % channels).take(1).for_each(|own| *own += sum);
        }
        *count += (numbers.len() / channels) as f64;
    })?;
    let mean =
        |(sums, count): (Vec<f64>, f64)| sums.into_iter().map(|sum| sum / count.max(1.0)).collect();
    Ok(sums.into_iter().map(mean).collect())
}
