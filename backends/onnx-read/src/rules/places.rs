//! Where the elements of a small value lie, row-major.

use crate::constant::elements;
use crate::fact::MAX_KNOWN;

/// For each element of a value of these sizes, in order, the place of another value's that is found by the indices of the
/// element along all axes; none if the value is too large to be followed.
pub(crate) fn placed(
    dims: &[u64],
    place: impl Fn(&[i64]) -> Option<usize>,
) -> Option<Vec<Option<usize>>> {
    let count = elements(dims).ok().filter(|&count| count <= MAX_KNOWN)?;
    let mut at = vec![0_i64; dims.len()];
    let mut places = Vec::with_capacity(count as usize);
    for _ in 0..count {
        places.push(place(&at));
        for (index, &dim) in at.iter_mut().zip(dims).rev() {
            *index += 1;
            if index.unsigned_abs() < dim {
                break;
            }
            *index = 0;
        }
    }
    Some(places)
}

/// The place of the element with these indices, in a value of these sizes.
pub(crate) fn place(dims: &[u64], at: impl IntoIterator<Item = i64>) -> Option<usize> {
    let mut place = 0_u64;
    for (index, &dim) in at.into_iter().zip(dims) {
        let index = u64::try_from(index).ok().filter(|&index| index < dim)?;
        place = place.checked_mul(dim)?.checked_add(index)?;
    }
    usize::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_a_transposed_matrix() {
        let places = placed(&[3, 2], |at| place(&[2, 3], at.iter().rev().copied())).unwrap();
        assert_eq!(places, [0, 3, 1, 4, 2, 5].map(Some));
        assert_eq!(placed(&[], |_| Some(7)).unwrap(), [Some(7)]);
        assert_eq!(placed(&[2, 0], |_| Some(7)).unwrap(), []);
        assert_eq!(place(&[2, 3], [1, 3]), None);
        assert!(placed(&[5000], |_| None).is_none());
    }
}
