//! Parts of an operand, and operands with something around them.

use super::elementwise::{broadcast, repeated};
use super::places::{place, placed};
use super::site::{Made, Site, axis_of, dim, element, overflow, size};
use crate::element::Element;
use crate::fact::{Fact, Known};

/// A part of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) begin: i64,
    pub(crate) count: u64,
    pub(crate) step: i64,
}

/// The parts that a `Slice` takes, by their axes.
pub(crate) fn slices(site: &Site<'_, '_>) -> Result<Vec<(usize, Part)>, String> {
    let input = site.first()?;
    let starts = site.wholes_or("starts", 1)?.ok_or("nothing says where it begins")?;
    let ends = site.wholes_or("ends", 2)?.ok_or("nothing says where it ends")?;
    let axes = site.wholes_or("axes", 3)?;
    let steps = site.wholes_if_given(4)?;
    if ends.len() != starts.len() || axes.is_some_and(|axes| axes.len() != starts.len()) {
        return Err(format!("it begins at {starts:?} and ends at {ends:?}"));
    }
    let mut parts = Vec::new();
    for (place, (&start, &end)) in starts.iter().zip(ends).enumerate() {
        let axis = axes.and_then(|axes| axes.get(place)).copied().unwrap_or(place as i64);
        let axis = axis_of(axis, input.dims.len())?;
        let step = steps.and_then(|steps| steps.get(place)).copied().unwrap_or(1);
        let part = part(dim(input, axis)?, [start, end, step])?;
        parts.push((axis, part));
    }
    Ok(parts)
}

pub(crate) fn slice(site: &Site<'_, '_>) -> Made {
    let (input, parts) = (site.first()?, slices(site)?);
    let mut dims = input.dims.clone();
    for (axis, part) in &parts {
        dims.iter_mut().skip(*axis).take(1).for_each(|dim| *dim = part.count);
    }
    let known = || {
        let own = |at: &[i64]| {
            let mut at = at.to_vec();
            for &(axis, Part { begin, step, .. }) in &parts {
                let index = at.get_mut(axis)?;
                *index = begin + *index * step;
            }
            place(&input.dims, at)
        };
        input.known.as_ref()?.picked(placed(&dims, own)?)
    };
    let known = known();
    Ok(Fact::new(input.element, dims).with(known))
}

/// The part from a begin to an end, both of which may count from the end, and lie outside.
fn part(whole: u64, [start, end, step]: [i64; 3]) -> Result<Part, String> {
    let whole = i64::try_from(whole).map_err(|_| overflow())?;
    let counted = |at: i64| if at < 0 { at.saturating_add(whole) } else { at };
    let (begin, end) = match step {
        0 => return Err("it takes steps of 0".to_owned()),
        1.. => (counted(start).clamp(0, whole), counted(end).clamp(0, whole)),
        _ => (counted(start).clamp(-1, whole - 1), counted(end).clamp(-1, whole - 1)),
    };
    let way = if step > 0 { end - begin } else { begin - end };
    let count = u64::try_from(way).map_or(0, |way| way.div_ceil(step.unsigned_abs()));
    Ok(Part { begin, count, step })
}

pub(crate) fn gather(site: &Site<'_, '_>) -> Made {
    let (input, places) = (site.first()?, site.operand(1)?);
    let axis = axis_of(site.int("axis", 0), input.dims.len())?;
    let (before, behind) = input.dims.split_at(axis);
    let dims = [before, &places.dims, behind.get(1..).unwrap_or_default()].concat();
    let known = || {
        let rows = input.known.as_ref().filter(|_| input.dims.len() == 1)?;
        let whole = rows.len() as i64;
        let at = |&at: &i64| usize::try_from(if at < 0 { at.checked_add(whole)? } else { at }).ok();
        rows.picked(places.known.as_ref()?.as_wholes()?.iter().map(at).collect())
    };
    let known = known();
    Ok(Fact::new(input.element, dims).with(known))
}

pub(crate) fn gather_nd(site: &Site<'_, '_>) -> Made {
    let (input, places) = (site.first()?, site.operand(1)?);
    let batch = size(site.int("batch_dims", 0))? as usize;
    let (&depth, before) = places.dims.split_last().ok_or("its indices are a single number")?;
    let depth = usize::try_from(depth).map_err(|_| overflow())?;
    let behind = input.dims.get(batch.saturating_add(depth)..);
    let behind =
        behind.ok_or_else(|| format!("{} has no {depth} axes to index", input.in_words()))?;
    site.first_with([before, behind].concat())
}

pub(crate) fn expand(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let asked = site.wholes(1)?.iter().map(|&whole| size(whole)).collect::<Result<Vec<_>, _>>()?;
    let dims = broadcast(&input.dims, &asked)?;
    let known = repeated(input, &dims);
    Ok(Fact::new(input.element, dims).with(known))
}

pub(crate) fn tile(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let times = site.wholes(1)?;
    if times.len() != input.dims.len() {
        return Err(format!("{times:?} are not the axes of {}", input.in_words()));
    }
    let dims = input
        .dims
        .iter()
        .zip(times)
        .map(|(&dim, &times)| dim.checked_mul(size(times)?).ok_or_else(overflow));
    site.first_with(dims.collect::<Result<Vec<_>, _>>()?)
}

pub(crate) fn pad(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let pads = site.node.ints("pads").or(site.node.ints("paddings"));
    let pads = match pads {
        Some(pads) => pads,
        None => site.wholes(1)?,
    };
    let rank = input.dims.len();
    let axes = match site.wholes_if_given(3)? {
        Some(axes) => {
            axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        return Err(format!("{} pads are not those of {} axes", pads.len(), axes.len()));
    }
    let mut dims = input.dims.clone();
    let (before, after) = pads.split_at(axes.len());
    for (&axis, (&before, &after)) in axes.iter().zip(before.iter().zip(after)) {
        for dim in dims.iter_mut().skip(axis).take(1) {
            let padded =
                dim.checked_add_signed(before).and_then(|dim| dim.checked_add_signed(after));
            *dim = padded.ok_or_else(overflow)?;
        }
    }
    site.first_with(dims)
}

/// `Resize`: sizes, else factors; before operator set 11 factors are the second operand.
pub(crate) fn resize(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let rank = input.dims.len();
    let axes = match site.node.ints("axes") {
        Some(axes) => {
            axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..rank).collect(),
    };
    let is_given = |fact: &&Fact| fact.count() != Some(0);
    let mut dims = input.dims.clone();
    if site.given(3).filter(is_given).is_some() {
        let policy = site.node.text("keep_aspect_ratio_policy").unwrap_or("stretch");
        if policy != "stretch" {
            return Err(format!(
                "its sizes are not followed where `{policy}` keeps the aspect ratio"
            ));
        }
        let sizes = site.wholes(3)?;
        fitting(sizes.len(), &axes)?;
        for (&axis, &whole) in axes.iter().zip(sizes) {
            let whole = size(whole)?;
            dims.iter_mut().skip(axis).take(1).for_each(|dim| *dim = whole);
        }
        return site.first_with(dims);
    }
    let place = if site.opset < 11 { 1 } else { 2 };
    scaled(site, place, &axes, dims)
}

/// `Upsample`: factors, which are an attribute before operator set 9.
pub(crate) fn upsample(site: &Site<'_, '_>) -> Made {
    let input = site.first()?;
    let axes: Vec<usize> = (0..input.dims.len()).collect();
    match site.node.attribute("scales") {
        Some(crate::graph::Attribute::Floats(factors)) => {
            let factors: Vec<f64> = factors.iter().map(|&factor| factor.into()).collect();
            multiplied(site, &factors, &axes, input.dims.clone())
        }
        _ => scaled(site, 1, &axes, input.dims.clone()),
    }
}

fn scaled(site: &Site<'_, '_>, place: usize, axes: &[usize], dims: Vec<u64>) -> Made {
    let factors = site.operand(place)?.known.as_ref().map(Known::to_floats);
    let factors = factors.ok_or("its factors depend on what the model is given")?;
    multiplied(site, &factors, axes, dims)
}

fn multiplied(site: &Site<'_, '_>, factors: &[f64], axes: &[usize], mut dims: Vec<u64>) -> Made {
    fitting(factors.len(), axes)?;
    for (&axis, &factor) in axes.iter().zip(factors) {
        for dim in dims.iter_mut().skip(axis).take(1) {
            let larger = (*dim as f64 * f64::from(factor as f32)).floor();
            if !(0.0..=crate::constant::MAX_ELEMENTS as f64).contains(&larger) {
                return Err(overflow());
            }
            *dim = larger as u64;
        }
    }
    site.first_with(dims)
}

fn fitting(numbers: usize, axes: &[usize]) -> Result<(), String> {
    if numbers == axes.len() {
        return Ok(());
    }
    Err(format!("{numbers} numbers are not those of {} axes", axes.len()))
}

pub(crate) fn one_hot(site: &Site<'_, '_>) -> Made {
    let places = site.first()?;
    let depth = site.operand(1)?.known.as_ref().map(Known::to_floats);
    let depth = depth.and_then(|depth| depth.first().copied()).ok_or("its depth is not known")?;
    let axis = site.int("axis", -1);
    let axis = axis_of(axis, places.dims.len() + 1)?;
    let mut dims = places.dims.clone();
    dims.insert(axis, size(depth as i64)?);
    Ok(Fact::new(site.operand(2)?.element, dims))
}

/// One number in the sizes of the operand.
pub(crate) fn constant_of_shape(site: &Site<'_, '_>) -> Made {
    let dims = site.wholes(0)?.iter().map(|&whole| size(whole)).collect::<Result<Vec<_>, _>>()?;
    let value = match site.node.attribute("value") {
        Some(crate::graph::Attribute::Tensor(constant)) => Fact::of_constant(constant),
        _ => Fact::new(Element::F32, [1]).with(Some(Known::Floats(vec![0.0]))),
    };
    let known = repeated(&value, &dims);
    Ok(Fact::new(value.element, dims).with(known))
}

pub(crate) fn range(site: &Site<'_, '_>) -> Made {
    let first = site.first()?;
    let numbers = (0..3).map(|place| {
        let known = site.operand(place)?.known.as_ref().map(Known::to_floats);
        known.and_then(|all| all.first().copied()).ok_or_else(|| {
            "how many numbers it makes depends on what the model is given".to_owned()
        })
    });
    let numbers: Vec<f64> = numbers.collect::<Result<_, String>>()?;
    let [start, limit, step] = *numbers.as_slice() else { return Err(overflow()) };
    let count = ((limit - start) / step).ceil().max(0.0);
    if !(0.0..=crate::constant::MAX_ELEMENTS as f64).contains(&count) {
        return Err(format!("from {start} to {limit} in steps of {step} there is no end"));
    }
    let known = (count <= crate::fact::MAX_KNOWN as f64).then(|| {
        let all = (0..count as u64).map(|at| start + at as f64 * step);
        if first.element.is_float() {
            Known::Floats(all.collect())
        } else {
            Known::Wholes(all.map(|number| number as i64).collect())
        }
    });
    Ok(Fact::new(first.element, [count as u64]).with(known))
}

/// The sizes of the operand, or some of them.
pub(crate) fn shape(site: &Site<'_, '_>) -> Made {
    let dims = &site.first()?.dims;
    let rank = dims.len() as i64;
    let at = |axis: i64| {
        (if axis < 0 { axis.saturating_add(rank) } else { axis }).clamp(0, rank) as usize
    };
    let (start, end) = (at(site.int("start", 0)), at(site.int("end", rank)));
    let some = dims.get(start..end).unwrap_or_default();
    Ok(Fact::wholes(some.iter().map(|&dim| dim.cast_signed()).collect()))
}

/// Other elements; those that are followed stay what they are.
pub(crate) fn cast(site: &Site<'_, '_>, to: Element) -> Made {
    let first = site.first()?;
    let known = first.known.as_ref().map(|known| match (known, to.is_float()) {
        (Known::Wholes(_), true) => Known::Floats(known.to_floats()),
        (Known::Floats(all), false) if to == Element::Truth => {
            Known::Wholes(all.iter().map(|&float| i64::from(float != 0.0)).collect())
        }
        (Known::Floats(all), false) => {
            Known::Wholes(all.iter().map(|&float| float as i64).collect())
        }
        (known, _) => known.clone(),
    });
    Ok(Fact::new(to, first.dims.clone()).with(known))
}

/// The elements that an attribute names, or these.
pub(crate) fn named(
    site: &Site<'_, '_>,
    attribute: &str,
    default: Element,
) -> Result<Element, String> {
    site.node.int(attribute).filter(|&code| code != 0).map_or(Ok(default), element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_from_the_end_and_may_lie_outside() {
        let told =
            |whole, how| part(whole, how).map(|Part { begin, count, step }| (begin, count, step));
        assert_eq!(told(10, [2, -2, 1]).unwrap(), (2, 6, 1));
        assert_eq!(told(10, [0, i64::MAX, 3]).unwrap(), (0, 4, 3));
        assert_eq!(told(10, [-1, i64::MIN, -1]).unwrap(), (9, 10, -1));
        assert_eq!(told(10, [8, 2, 1]).unwrap().1, 0);
        assert_eq!(told(0, [-1, i64::MIN, -1]).unwrap().1, 0);
        assert!(part(10, [0, 1, 0]).is_err());
    }
}
