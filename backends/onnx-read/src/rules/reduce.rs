//! One number of each row.

use super::site::{Made, Site, axis_of, size};
use crate::element::Element;
use crate::fact::{Fact, Known};
use crate::kind::Reduction;

pub(crate) fn reduce(site: &Site<'_, '_>, reduction: Reduction) -> Made {
    let input = site.first()?;
    let rank = input.dims.len();
    let axes = site.wholes_or("axes", 1)?.unwrap_or_default();
    let axes = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    if axes.is_empty() && site.int("noop_with_empty_axes", 0) != 0 {
        return Ok(input.clone());
    }
    let is_reduced = |axis: usize| axes.is_empty() || axes.contains(&axis);
    let dims = rest(&input.dims, is_reduced, site.int("keepdims", 1) != 0);
    let known =
        input.known.as_ref().filter(|_| rank <= 1).and_then(|known| of_row(known, reduction));
    Ok(Fact::new(input.element, dims).with(known))
}

fn of_row(known: &Known, reduction: Reduction) -> Option<Known> {
    let all = known.as_wholes()?.iter().copied();
    let one = match reduction {
        Reduction::Prod => all.into_iter().try_fold(1_i64, i64::checked_mul),
        Reduction::Sum => all.into_iter().try_fold(0_i64, i64::checked_add),
        Reduction::Max => all.max(),
        Reduction::Min => all.min(),
        Reduction::Other => None,
    };
    Some(Known::Wholes(vec![one?]))
}

/// The sizes of what is left of rows along some axes.
fn rest(dims: &[u64], is_reduced: impl Fn(usize) -> bool, keeps: bool) -> Vec<u64> {
    let all = dims.iter().enumerate().map(|(axis, &dim)| (is_reduced(axis), dim));
    if keeps {
        return all.map(|(is_reduced, dim)| if is_reduced { 1 } else { dim }).collect();
    }
    all.filter(|(is_reduced, _)| !is_reduced).map(|(_, dim)| dim).collect()
}

pub(crate) fn arg(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let axis = axis_of(site.int("axis", 0), input.dims.len())?;
    let dims = rest(&input.dims, |own| own == axis, site.int("keepdims", 1) != 0);
    Ok(Fact::new(Element::I64, dims))
}

/// The largest, and where they are.
pub(crate) fn top_k(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let input = site.first()?;
    let axis = axis_of(site.int("axis", -1), input.dims.len())?;
    let count = match site.node.int("k") {
        Some(count) => count,
        None => site.wholes(1)?.first().copied().ok_or("nothing says how many it takes")?,
    };
    let count = size(count)?;
    let mut dims = input.dims.clone();
    dims.iter_mut().skip(axis).take(1).for_each(|dim| *dim = count.min(*dim));
    Ok(vec![Fact::new(input.element, dims.clone()), Fact::new(Element::I64, dims)])
}

/// The normalised operand, and where the node makes more, mean and deviation of each row.
pub(crate) fn norm(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let input = site.first()?;
    let fact = Fact::new(input.element, input.dims.clone());
    if site.node.outputs.len() <= 1 {
        return Ok(vec![fact]);
    }
    let axis = axis_of(site.int("axis", -1), input.dims.len())?;
    let rows = rest(&input.dims, |own| own >= axis, true);
    let row = Fact::new(Element::F32, rows);
    Ok(vec![fact, row.clone(), row])
}
