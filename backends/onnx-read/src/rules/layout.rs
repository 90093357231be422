//! The same elements in other sizes, or in another order.

use super::places::{place, placed};
use super::site::{Made, Site, axis_of, dim, overflow, size};
use crate::constant::MAX_RANK;
use crate::fact::{Fact, Known};

/// The first operand with other sizes: its elements are the same, in the same order.
fn viewed(site: &Site<'_, '_>, dims: Vec<u64>) -> Made {
    let first = site.first()?;
    let fact = Fact::new(first.element, dims);
    if fact.count() != first.count() || fact.count().is_none() {
        return Err(format!("{} has not as many elements as {:?}", first.in_words(), fact.dims));
    }
    Ok(fact.with(first.known.clone()))
}

pub(crate) fn reshape(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let asked = site.wholes_or("shape", 1)?.ok_or("nothing says which sizes it makes")?;
    let keeps_zero = site.int("allowzero", 0) != 0;
    let mut dims = Vec::with_capacity(asked.len());
    let mut open = None;
    for (axis, &whole) in asked.iter().enumerate() {
        dims.push(match whole {
            -1 if open.replace(axis).is_some() => {
                return Err("two of its sizes are open".to_owned());
            }
            -1 => 1,
            0 if !keeps_zero => dim(input, axis)?,
            whole => size(whole)?,
        });
    }
    if let Some(axis) = open {
        let rest = dims
            .iter()
            .try_fold(1_u64, |product, &dim| product.checked_mul(dim))
            .ok_or_else(overflow)?;
        let all = input.count().ok_or_else(overflow)?;
        let left = all.checked_div(rest).unwrap_or(0);
        dims.iter_mut().skip(axis).take(1).for_each(|dim| *dim = left);
    }
    viewed(site, dims)
}

pub(crate) fn flatten(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let rank = input.dims.len();
    // It may lie behind the last axis.
    let axis = match site.int("axis", 1) {
        axis if usize::try_from(axis) == Ok(rank) => rank,
        axis => axis_of(axis, rank)?,
    };
    let (before, behind) = input.dims.split_at(axis.min(rank));
    let product =
        |dims: &[u64]| dims.iter().try_fold(1_u64, |product, &dim| product.checked_mul(dim));
    let dims = [product(before), product(behind)].map(|size| size.ok_or_else(overflow));
    let [rows, columns] = dims;
    viewed(site, vec![rows?, columns?])
}

pub(crate) fn squeeze(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let rank = input.dims.len();
    let axes = match site.wholes_or("axes", 1)? {
        Some(axes) => {
            axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..rank).filter(|&axis| input.dims.get(axis) == Some(&1)).collect(),
    };
    if let Some(axis) = axes.iter().find(|&&axis| input.dims.get(axis) != Some(&1)) {
        return Err(format!("axis {axis} of {} is not 1", input.in_words()));
    }
    let kept = input.dims.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    viewed(site, kept.map(|(_, &dim)| dim).collect())
}

pub(crate) fn unsqueeze(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let axes = site.wholes_or("axes", 1)?.ok_or("nothing says which axes it adds")?;
    let rank = input.dims.len() + axes.len();
    if rank > MAX_RANK {
        return Err(format!("its result has {rank} axes"));
    }
    let axes = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut old = input.dims.iter().copied();
    let dims = (0..rank).map(|axis| if axes.contains(&axis) { Some(1) } else { old.next() });
    viewed(site, dims.collect::<Option<Vec<_>>>().ok_or("an axis is added twice")?)
}

pub(crate) fn transpose(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let rank = input.dims.len();
    let order = match site.node.ints("perm") {
        None => (0..rank).rev().collect(),
        Some(perm) => {
            perm.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?
        }
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(format!("{order:?} is no order of the axes of {}", input.in_words()));
    }
    let dims = order.iter().map(|&axis| dim(input, axis)).collect::<Result<Vec<_>, _>>()?;
    let known = || {
        let known = input.known.as_ref()?;
        let own = |at: &[i64]| {
            let along = |axis: usize| at.get(order.iter().position(|&from| from == axis)?).copied();
            place(&input.dims, (0..rank).map(along).collect::<Option<Vec<_>>>()?)
        };
        known.picked(placed(&dims, own)?)
    };
    let known = known();
    Ok(Fact::new(input.element, dims).with(known))
}

pub(crate) fn concat(site: &Site<'_, '_>) -> Made {
    let first = site.first()?;
    let axis = site.int("axis", 1);
    let axis = axis_of(axis, first.dims.len())?;
    let mut dims = first.dims.clone();
    // The operands one behind the other, and how far each reaches along the axis.
    let mut known = first.known.clone();
    let mut ends = vec![(dim(first, axis)?, 0)];
    for operand in 1..site.operands.len() {
        let next = site.operand(operand)?;
        let fits = next.dims.len() == dims.len()
            && dims.iter().zip(&next.dims).enumerate().all(|(at, (a, b))| at == axis || a == b);
        if !fits {
            return Err(format!(
                "{} and {} do not fit together",
                first.in_words(),
                next.in_words()
            ));
        }
        let more = dim(next, axis)?;
        for size in dims.iter_mut().skip(axis).take(1) {
            *size = size.checked_add(more).ok_or_else(overflow)?;
        }
        ends.push((more, known.as_ref().map_or(0, Known::len)));
        known = known.and_then(|known| appended(known, next.known.as_ref()?));
    }
    let known = || {
        let own = |at: &[i64]| {
            let mut at = at.to_vec();
            let along = at.get_mut(axis)?;
            for &(size, begin) in &ends {
                let size_here = i64::try_from(size).ok()?;
                if *along < size_here {
                    let mut sizes = dims.clone();
                    *sizes.get_mut(axis)? = size;
                    return Some(begin + place(&sizes, at)?);
                }
                *along -= size_here;
            }
            None
        };
        known?.picked(placed(&dims, own)?)
    };
    let known = known();
    Ok(Fact::new(first.element, dims).with(known))
}

fn appended(known: Known, more: &Known) -> Option<Known> {
    Some(match (known, more) {
        (Known::Wholes(mut all), Known::Wholes(more)) => {
            all.extend(more);
            Known::Wholes(all)
        }
        (Known::Floats(mut all), Known::Floats(more)) => {
            all.extend(more);
            Known::Floats(all)
        }
        _ => return None,
    })
}

/// The parts, as many as the node makes.
pub(crate) fn split(site: &Site<'_, '_>) -> Result<Vec<Fact>, String> {
    let input = site.first()?;
    let axis = axis_of(site.int("axis", 0), input.dims.len())?;
    let whole = dim(input, axis)?;
    let parts = match site.wholes_or("split", 1)? {
        Some(parts) => parts.iter().map(|&part| size(part)).collect::<Result<Vec<_>, _>>()?,
        None => {
            // The last part is smaller where they are not all equal.
            let count = site.node.outputs.len().max(1) as u64;
            let each = whole.div_ceil(count);
            (0..count).map(|part| each.min(whole.saturating_sub(part * each))).collect()
        }
    };
    let sum = parts.iter().try_fold(0_u64, |sum, &part| sum.checked_add(part));
    if sum != Some(whole) || parts.len() < site.node.outputs.len() {
        return Err(format!("parts of {parts:?} are not axis {axis} of {}", input.in_words()));
    }
    let mut begin = 0_usize;
    let made = parts.iter().map(|&part| {
        let mut dims = input.dims.clone();
        dims.iter_mut().skip(axis).take(1).for_each(|dim| *dim = part);
        let end = begin.saturating_add(usize::try_from(part).unwrap_or(usize::MAX));
        let own =
            input.known.as_ref().filter(|_| dims.len() == 1 && part <= crate::fact::MAX_KNOWN);
        let known = own.and_then(|known| known.picked((begin..end).map(Some).collect()));
        begin = end;
        Fact::new(input.element, dims).with(known)
    });
    Ok(made.collect())
}

pub(crate) fn depth_to_space(site: &Site<'_, '_>, is_inverse: bool) -> Made {
    let input = site.first()?;
    let [images, channels, height, width] = *input.dims.as_slice() else {
        return Err(format!("{} is no map", input.in_words()));
    };
    let block = size(site.int("blocksize", 0))?;
    let square =
        block.checked_mul(block).filter(|&square| square > 0).ok_or("its blocks are empty")?;
    let dims = if is_inverse {
        if height % block != 0 || width % block != 0 {
            return Err(format!("{} is not of whole blocks of {block}", input.in_words()));
        }
        [images, channels.checked_mul(square).ok_or_else(overflow)?, height / block, width / block]
    } else {
        if channels % square != 0 {
            return Err(format!("{} has not {square} channels to a pixel", input.in_words()));
        }
        let [height, width] =
            [height, width].map(|side| side.checked_mul(block).ok_or_else(overflow));
        [images, channels / square, height?, width?]
    };
    site.first_with(dims)
}
