//! Which layers lose most by being rounded.

use nas_ir::{Model, Precision, Tensor};

use crate::grids::Grids;
use crate::kernel::kernel_node;
use crate::plan::Plan;
use crate::run::Run;

/// How much a layer costs that is rounded alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// The node.
    pub node: usize,
    /// Its path.
    pub path: String,
    /// The power of the outputs over that of what changes in them where this layer alone computes with integers, in decibels:
    /// `10 log10(sum y^2 / sum (y - y')^2)`. The lower, the more it loses.
    pub decibels: f64,
}

/// For each layer of a plan what the network loses where it alone is rounded, the one that loses most first. `grids` are those
/// of the whole plan.
///
/// # Errors
/// A model cannot be run.
pub fn sensitivity<E>(
    model: &Model,
    plan: &Plan,
    grids: &Grids,
    batches: &[Vec<Tensor>],
    run: &mut Run<'_, E>,
    mut told: impl FnMut(usize, usize),
) -> Result<Vec<Sensitivity>, E> {
    let expected = outputs(model, batches, run)?;
    let mut all = Vec::new();
    for (done, &node) in plan.kernels.iter().enumerate() {
        let others = (0..model.network.nodes.len()).filter(|&other| other != node);
        let others = others.map(|other| (other, Precision::Fp32)).collect();
        let alone = Plan::of(&model.network, &others);
        // The values that it rounds have the grids that they have in the whole.
        let rounded = match grids.of_part(plan, &alone) {
            Some(own) => own.rounded(model.clone(), &alone),
            None => {
                // A value within a fused pair has no grid of its own: only the kernel is rounded.
                let kernel = Plan { groups: vec![None; alone.groups.len()], count: 0, ..alone };
                let own = grids.of_part(plan, &kernel);
                own.map_or_else(|| model.clone(), |own| own.rounded(model.clone(), &kernel))
            }
        };
        let found = outputs(&rounded, batches, run)?;
        let decibels = decibels(&expected, &found);
        let path = kernel_node(model, node).name.clone();
        all.push(Sensitivity { node, path, decibels });
        told(done + 1, plan.kernels.len());
    }
    all.sort_by(|a, b| a.decibels.total_cmp(&b.decibels));
    Ok(all)
}

fn outputs<E>(
    model: &Model,
    batches: &[Vec<Tensor>],
    run: &mut Run<'_, E>,
) -> Result<Vec<Tensor>, E> {
    let all = batches.iter().map(|batch| run(model, batch)).collect::<Result<Vec<_>, E>>()?;
    Ok(all.concat())
}

fn decibels(expected: &[Tensor], found: &[Tensor]) -> f64 {
    let (mut signal, mut noise) = (0.0, 0.0);
    for (expected, found) in expected.iter().zip(found) {
        let pairs =
            expected.floats().unwrap_or_default().iter().zip(found.floats().unwrap_or_default());
        for (&expected, &found) in pairs {
            signal += f64::from(expected).powi(2);
            noise += (f64::from(expected) - f64::from(found)).powi(2);
        }
    }
    10.0 * (signal / noise).log10()
}
