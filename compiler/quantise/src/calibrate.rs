//! Grids from what values are on pictures.

use nas_ir::{Grid, Model, Tensor};

use crate::histogram::{Extent, Histogram, Method};
use crate::observed::watch;
use crate::plan::Plan;
use crate::run::Run;
use crate::scheme::Scheme;

/// A grid for each group of a plan, by what its values are on batches of pictures: a tensor of each input a batch. They are
/// gone over twice, once for the extents.
///
/// # Errors
/// The model cannot be run.
pub fn calibrated<E>(
    model: &Model,
    plan: &Plan,
    (method, scheme): (Method, Scheme),
    batches: &[Vec<Tensor>],
    run: &mut Run<'_, E>,
) -> Result<Vec<Grid>, E> {
    let members: Vec<(usize, usize)> = plan
        .groups
        .iter()
        .enumerate()
        .filter_map(|(node, group)| Some((node, (*group)?)))
        .collect();
    let nodes: Vec<usize> = members.iter().map(|(node, _)| *node).collect();
    let group_of = |place: usize| members.get(place).map_or(0, |(_, group)| *group);
    let mut extents = vec![Extent::default(); plan.count];
    watch(model, &nodes, batches, run, |place, value| {
        if let (Some(extent), Some(numbers)) = (extents.get_mut(group_of(place)), value.floats()) {
            extent.observe(numbers);
        }
    })?;
    if method == Method::MinMax {
        return Ok(extents.into_iter().map(|extent| scheme.grid(extent.with_zero())).collect());
    }
    let mut histograms: Vec<Histogram> = extents.into_iter().map(Histogram::over).collect();
    watch(model, &nodes, batches, run, |place, value| {
        let histogram = histograms.get_mut(group_of(place));
        if let (Some(histogram), Some(numbers)) = (histogram, value.floats()) {
            histogram.observe(numbers);
        }
    })?;
    Ok(histograms.iter().map(|histogram| scheme.grid(histogram.range(method))).collect())
}
