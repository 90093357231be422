//! What is made element by element, smaller operands repeated.

use super::places::{place, placed};
use super::site::{Made, Site};
use crate::element::Element;
use crate::fact::{Fact, Known};
use crate::kind::{Binary, Unary};

/// The sizes of two operands of which the smaller is repeated, as NumPy has it.
pub(crate) fn broadcast(a: &[u64], b: &[u64]) -> Result<Vec<u64>, String> {
    let rank = a.len().max(b.len());
    let at = |dims: &[u64], axis: usize| {
        (axis + dims.len())
            .checked_sub(rank)
            .map_or(1, |place| dims.get(place).copied().unwrap_or(1))
    };
    let joined = (0..rank).map(|axis| match (at(a, axis), at(b, axis)) {
        (1, size) | (size, 1) => Ok(size),
        (a, b) if a == b => Ok(a),
        _ => Err(format!("sizes {a:?} and {b:?} do not fit together")),
    });
    joined.collect()
}

/// The elements of a fact repeated to these sizes, where they are known and few.
pub(crate) fn repeated(fact: &Fact, dims: &[u64]) -> Option<Known> {
    let own = &fact.dims;
    let skipped = dims.len().checked_sub(own.len())?;
    // Along an axis of one, all read the first.
    let along = |at: &[i64]| {
        let at = at.iter().skip(skipped).zip(own);
        place(own, at.map(|(&index, &dim)| if dim == 1 { 0 } else { index }))
    };
    fact.known.as_ref()?.picked(placed(dims, along)?)
}

/// The result is like the first operand.
pub(crate) fn same(site: &Site<'_, '_>, unary: Unary) -> Made {
    let first = site.first()?;
    let known = first.known.as_ref().and_then(|known| each(known, unary));
    Ok(Fact::new(first.element, first.dims.clone()).with(known))
}

fn each(known: &Known, unary: Unary) -> Option<Known> {
    let whole: fn(i64) -> i64 = match unary {
        Unary::Identity | Unary::Floor | Unary::Ceil => |x| x,
        Unary::Neg => i64::wrapping_neg,
        Unary::Abs => i64::wrapping_abs,
        Unary::Not => |x| i64::from(x == 0),
        Unary::Sqrt | Unary::Elementwise | Unary::Other => return None,
    };
    let float: fn(f64) -> f64 = match unary {
        Unary::Identity => |x| x,
        Unary::Floor => f64::floor,
        Unary::Ceil => f64::ceil,
        Unary::Neg => |x| -x,
        Unary::Abs => f64::abs,
        Unary::Sqrt => f64::sqrt,
        Unary::Not | Unary::Elementwise | Unary::Other => return None,
    };
    Some(match known {
        Known::Wholes(all) => Known::Wholes(all.iter().map(|&x| whole(x)).collect()),
        Known::Floats(all) => Known::Floats(all.iter().map(|&x| float(x)).collect()),
    })
}

/// Each element within bounds, which are attributes in older operator sets; left out they are infinite.
pub(crate) fn clip(site: &Site<'_, '_>) -> Made {
    let first = site.first()?;
    let bound =
        |name: &str, place: usize, default: f64| match (site.node.float(name), site.given(place)) {
            (Some(bound), _) => Some(f64::from(bound)),
            (None, Some(fact)) => fact.known.as_ref()?.to_floats().first().copied(),
            (None, None) => Some(default),
        };
    let bounds = || {
        let (least, most) = (bound("min", 1, f64::NEG_INFINITY)?, bound("max", 2, f64::INFINITY)?);
        Some(match first.known.as_ref()? {
            // A bound becomes the nearest integer that there is.
            Known::Wholes(all) => {
                Known::Wholes(all.iter().map(|&x| x.max(least as i64).min(most as i64)).collect())
            }
            Known::Floats(all) => {
                Known::Floats(all.iter().map(|&x| x.max(least).min(most)).collect())
            }
        })
    };
    let known = bounds();
    Ok(Fact::new(first.element, first.dims.clone()).with(known))
}

/// An element of each operand.
pub(crate) fn arithmetic(site: &Site<'_, '_>, binary: Binary) -> Made {
    let mut left = site.first()?.clone();
    for place in 1..site.operands.len() {
        left = pair(&left, site.operand(place)?, binary, left.element)?;
    }
    Ok(left)
}

/// Truth values of two operands.
pub(crate) fn comparison(site: &Site<'_, '_>, binary: Binary) -> Made {
    pair(site.first()?, site.operand(1)?, binary, Element::Truth)
}

fn pair(a: &Fact, b: &Fact, binary: Binary, element: Element) -> Made {
    let dims = broadcast(&a.dims, &b.dims)?;
    let known = || {
        let (a, b) = (repeated(a, &dims)?, repeated(b, &dims)?);
        joined(&a, &b, binary, element)
    };
    let known = known();
    Ok(Fact::new(element, dims).with(known))
}

fn joined(a: &Known, b: &Known, binary: Binary, element: Element) -> Option<Known> {
    if let (Some(a), Some(b)) = (a.as_wholes(), b.as_wholes()) {
        let all = a.iter().zip(b).map(|(&a, &b)| of_wholes(a, b, binary));
        return Some(Known::Wholes(all.collect::<Option<_>>()?));
    }
    let (a, b) = (a.to_floats(), b.to_floats());
    let pairs = a.iter().zip(&b);
    if element == Element::Truth {
        let all = pairs.map(|(a, b)| compared(a.partial_cmp(b)?, binary));
        return Some(Known::Wholes(all.collect::<Option<_>>()?));
    }
    Some(Known::Floats(pairs.map(|(&a, &b)| of_floats(a, b, binary)).collect::<Option<_>>()?))
}

fn compared(order: std::cmp::Ordering, binary: Binary) -> Option<i64> {
    let is = match binary {
        Binary::Equal => order.is_eq(),
        Binary::Greater => order.is_gt(),
        Binary::Less => order.is_lt(),
        Binary::AtLeast => order.is_ge(),
        Binary::AtMost => order.is_le(),
        _ => return None,
    };
    Some(is.into())
}

fn of_wholes(a: i64, b: i64, binary: Binary) -> Option<i64> {
    match binary {
        Binary::Add => a.checked_add(b),
        Binary::Sub => a.checked_sub(b),
        Binary::Mul => a.checked_mul(b),
        Binary::Div => a.checked_div(b),
        Binary::Mod if b > 0 => Some(a.rem_euclid(b)),
        Binary::Mod => None,
        Binary::Pow => a.checked_pow(u32::try_from(b).ok()?),
        Binary::Max => Some(a.max(b)),
        Binary::Min => Some(a.min(b)),
        Binary::And => Some((a != 0 && b != 0).into()),
        Binary::Or => Some((a != 0 || b != 0).into()),
        Binary::Other => None,
        Binary::Equal | Binary::Greater | Binary::Less | Binary::AtLeast | Binary::AtMost => {
            compared(a.cmp(&b), binary)
        }
    }
}

fn of_floats(a: f64, b: f64, binary: Binary) -> Option<f64> {
    Some(match binary {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Pow => a.powf(b),
        Binary::Max => a.max(b),
        Binary::Min => a.min(b),
        _ => return None,
    })
}

/// The second operand where the first is true, else the third.
pub(crate) fn choice(site: &Site<'_, '_>) -> Made {
    let (truth, yes, no) = (site.first()?, site.operand(1)?, site.operand(2)?);
    let dims = broadcast(&broadcast(&truth.dims, &yes.dims)?, &no.dims)?;
    let known = || {
        let [truth, yes, no] = [truth, yes, no].map(|fact| repeated(fact, &dims));
        let truth = truth?;
        let picks = truth.as_wholes()?;
        Some(match (yes?, no?) {
            (Known::Wholes(yes), Known::Wholes(no)) => Known::Wholes(picked(picks, &yes, &no)),
            (yes, no) => Known::Floats(picked(picks, &yes.to_floats(), &no.to_floats())),
        })
    };
    let known = known();
    Ok(Fact::new(yes.element, dims).with(known))
}

fn picked<T: Copy>(picks: &[i64], yes: &[T], no: &[T]) -> Vec<T> {
    picks
        .iter()
        .zip(yes.iter().zip(no))
        .map(|(&pick, (&yes, &no))| if pick != 0 { yes } else { no })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_is_repeated() {
        assert_eq!(broadcast(&[2, 1, 4], &[3, 1]).unwrap(), [2, 3, 4]);
        assert_eq!(broadcast(&[], &[3]).unwrap(), [3]);
        assert!(broadcast(&[2], &[3]).is_err());
        let row = Fact::wholes(vec![1, 2]);
        let all = repeated(&row, &[2, 2]).unwrap();
        assert_eq!(all, Known::Wholes(vec![1, 2, 1, 2]));
        let column = Fact { dims: vec![2, 1], ..row };
        assert_eq!(repeated(&column, &[2, 2]).unwrap(), Known::Wholes(vec![1, 1, 2, 2]));
    }
}
