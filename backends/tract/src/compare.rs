//! How far two tensors are apart, and how far they may be.

use std::borrow::Cow;

use half::f16;
use nas_ir::{Elements, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{TractError, described};

/// How far a tensor is from a reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The largest absolute difference, over elements that are finite on both sides.
    pub max_abs: f64,
    /// `max_abs` divided by the largest absolute value of the reference. It is an error in units of
    /// the tensor's scale, not of each element: elements near zero would make that meaningless.
    /// A reference of zeros counts as the smallest normal 32-bit float.
    pub max_rel: f64,
    /// Elements that are not finite on either side and not equal; no tolerance allows one.
    pub not_finite: u64,
    /// The share of positions whose arg-max over the channels (axis 1) is equal, the first of
    /// equal maxima; 1 for a tensor without channels.
    pub argmax_agreement: f64,
    /// Number of positions: elements divided by channels.
    pub positions: u64,
}

/// How far results may be apart: [`Agreement::max_rel`] at most the bound, which is an absolute
/// error scaled with the magnitude of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tolerance {
    /// 0: the same engine, the same arithmetic in the same order.
    Exact,
    /// 1e-5: one operator in another order, a few dozen units in the last place.
    Tight,
    /// 3e-4: a whole network in another engine, batch norm folded, sums in another order.
    Export,
    /// 1e-2: arithmetic of fewer bits on the way, such as TF32.
    Loose,
    /// 5e-2: numbers of 16 bits or integers of 8 throughout a network.
    Coarse,
}

impl Tolerance {
    /// All of them, strictest first.
    pub const ALL: [Self; 5] = [Self::Exact, Self::Tight, Self::Export, Self::Loose, Self::Coarse];

    /// The largest [`Agreement::max_rel`] that it allows.
    #[must_use]
    pub fn bound(self) -> f64 {
        match self {
            Self::Exact => 0.0,
            Self::Tight => 1e-5,
            Self::Export => 3e-4,
            Self::Loose => 1e-2,
            Self::Coarse => 5e-2,
        }
    }

    /// Its name in reports and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Tight => "tight",
            Self::Export => "export",
            Self::Loose => "loose",
            Self::Coarse => "coarse",
        }
    }

    /// Whether it allows such an agreement.
    #[must_use]
    pub fn allows(self, agreement: &Agreement) -> bool {
        agreement.not_finite == 0 && agreement.max_rel <= self.bound()
    }
}

/// How far `actual` is from `reference`, both floats or 8-bit integers `[N, C, …]` of the same sizes; of integers of 32 or 64
/// bits, such as indices of channels, the distance is the share of those that differ.
///
/// # Errors
/// The sizes differ, or are not those of the data.
pub fn compare(reference: &Tensor, actual: &Tensor) -> Result<Agreement, TractError> {
    let fits = |tensor: &&Tensor| tensor.dims == reference.dims && tensor.is_full();
    let pair = Some((reference, actual)).filter(|(a, b)| fits(a) && fits(b));
    if let Some((expected, found)) = pair.and_then(|(a, b)| Some((indices(a)?, indices(b)?))) {
        return Ok(whole(&expected, &found));
    }
    let Some((expected, found)) = pair.and_then(|(a, b)| Some((floats(a)?, floats(b)?))) else {
        return Err(TractError::Tensors {
            what: "the result is".to_owned(),
            found: described(actual),
            needed: described(reference),
        });
    };
    let (expected, found) = (expected.as_ref(), found.as_ref());
    let elements = expected.len();
    let mut agreement = elementwise(expected, found);
    let channels = reference.dims.get(1).map_or(1, |&c| c as usize).max(1);
    let inner: usize = reference.dims.iter().skip(2).map(|&d| d as usize).product();
    let positions = elements / channels;
    let [expected, found] = [expected, found].map(|data| argmax(data, channels, inner.max(1)));
    let equal = expected.iter().zip(&found).filter(|(a, b)| a == b).count();
    agreement.positions = positions as u64;
    agreement.argmax_agreement = if positions == 0 { 1.0 } else { equal as f64 / positions as f64 };
    Ok(agreement)
}

/// Numbers of which it matters how far they are apart.
fn floats(tensor: &Tensor) -> Option<Cow<'_, [f32]>> {
    match &tensor.elements {
        Elements::F32(floats) => Some(Cow::Borrowed(floats)),
        Elements::F16(bits) => {
            Some(bits.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect())
        }
        Elements::I8(all) => Some(all.iter().copied().map(f32::from).collect()),
        Elements::U8(all) => Some(all.iter().copied().map(f32::from).collect()),
        Elements::I32(_) | Elements::I64(_) => None,
    }
}

/// Numbers of which it matters only whether they are equal.
fn indices(tensor: &Tensor) -> Option<Cow<'_, [i64]>> {
    match &tensor.elements {
        Elements::I64(all) => Some(Cow::Borrowed(all)),
        Elements::I32(all) => Some(all.iter().copied().map(i64::from).collect()),
        Elements::F32(_) | Elements::F16(_) | Elements::I8(_) | Elements::U8(_) => None,
    }
}

/// Indices are right or wrong, and how far apart two are says nothing: the distance is the share that differs.
fn whole(expected: &[i64], found: &[i64]) -> Agreement {
    let positions = expected.len() as u64;
    let differ = expected.iter().zip(found).filter(|(a, b)| a != b).count() as f64;
    let share = if positions == 0 { 0.0 } else { differ / positions as f64 };
    let argmax_agreement = 1.0 - share;
    Agreement { max_abs: share, max_rel: share, not_finite: 0, argmax_agreement, positions }
}

fn elementwise(reference: &[f32], actual: &[f32]) -> Agreement {
    let (mut max_abs, mut scale, mut not_finite) = (0.0_f64, f64::from(f32::MIN_POSITIVE), 0);
    for (&expected, &found) in reference.iter().zip(actual) {
        if expected.is_finite() && found.is_finite() {
            max_abs = max_abs.max((f64::from(expected) - f64::from(found)).abs());
            scale = scale.max(f64::from(expected).abs());
        } else if expected.to_bits() != found.to_bits() {
            not_finite += 1;
        }
    }
    let max_rel = max_abs / scale;
    Agreement { max_abs, max_rel, not_finite, argmax_agreement: 1.0, positions: 0 }
}

/// The channel of the first maximum at each position of `[N, C, inner]`.
fn argmax(data: &[f32], channels: usize, inner: usize) -> Vec<u32> {
    let mut classes = Vec::with_capacity(data.len() / channels);
    for image in data.chunks(channels * inner) {
        let mut planes = image.chunks(inner);
        let mut best: Vec<f32> = planes.next().unwrap_or_default().to_vec();
        let mut class = vec![0; best.len()];
        for (channel, plane) in (1..).zip(planes) {
            for ((best, class), &value) in best.iter_mut().zip(&mut class).zip(plane) {
                if value > *best {
                    (*best, *class) = (value, channel);
                }
            }
        }
        classes.extend(class);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dims: &[u32], data: &[f32]) -> Tensor {
        Tensor::of_floats(dims, data.to_vec())
    }

    #[test]
    fn equal_tensors_agree_exactly() {
        let t = tensor(&[1, 2, 1, 2], &[1.0, -2.0, 0.5, 3.0]);
        let agreement = compare(&t, &t).unwrap();
        assert_eq!(agreement.max_abs, 0.0);
        assert_eq!((agreement.argmax_agreement, agreement.positions), (1.0, 2));
        assert!(Tolerance::ALL.iter().all(|tolerance| tolerance.allows(&agreement)));
    }

    #[test]
    fn the_error_is_relative_to_the_largest_reference() {
        let reference = tensor(&[1, 2, 1, 2], &[0.0, -4.0, 0.5, 3.0]);
        let actual = tensor(&[1, 2, 1, 2], &[0.0, -4.0, 0.5, 3.5]);
        let agreement = compare(&reference, &actual).unwrap();
        assert_eq!((agreement.max_abs, agreement.max_rel), (0.5, 0.125));
        assert_eq!(Tolerance::ALL.map(|t| t.allows(&agreement)), [false; 5]);
        let close = Agreement { max_rel: 1e-4, ..agreement };
        assert_eq!(Tolerance::ALL.map(|t| t.allows(&close)), [false, false, true, true, true]);
    }

    #[test]
    fn argmax_is_over_the_channels_of_each_image() {
        // Two images, three channels, two positions.
        let reference =
            tensor(&[2, 3, 2], &[1.0, 9.0, 2.0, 0.0, 3.0, 0.0, 5.0, 5.0, 5.0, 6.0, 0.0, 0.0]);
        assert_eq!(argmax(reference.floats().unwrap(), 3, 2), [2, 0, 0, 1]);
        let mut actual = reference.clone();
        actual.floats_mut().unwrap()[1] = -1.0;
        let agreement = compare(&reference, &actual).unwrap();
        assert_eq!((agreement.argmax_agreement, agreement.positions), (0.75, 4));
        assert_eq!(
            compare(&tensor(&[3], &[1.0; 3]), &tensor(&[3], &[1.0; 3])).unwrap().positions,
            3
        );
    }

    #[test]
    fn what_is_not_finite_is_never_allowed() {
        let reference = tensor(&[1, 2], &[1.0, f32::NAN]);
        assert_eq!(compare(&reference, &reference).unwrap().not_finite, 0);
        let agreement = compare(&reference, &tensor(&[1, 2], &[f32::INFINITY, 0.0])).unwrap();
        assert_eq!(agreement.not_finite, 2);
        assert!(!Tolerance::Loose.allows(&agreement));
    }

    #[test]
    fn of_indices_the_share_counts_that_differs() {
        let indices = |all| Tensor { dims: vec![1, 4], elements: Elements::I64(all) };
        let agreement = compare(&indices(vec![0, 1, 2, 3]), &indices(vec![0, 1, 9, 3])).unwrap();
        assert_eq!((agreement.max_rel, agreement.argmax_agreement), (0.25, 0.75));
        assert!(compare(&indices(vec![0; 4]), &tensor(&[1, 4], &[0.0; 4])).is_err());
        let fewer = Tensor { dims: vec![1, 4], elements: Elements::I32(vec![0, 1, 9, 9]) };
        assert_eq!(compare(&indices(vec![0, 1, 2, 3]), &fewer).unwrap().max_rel, 0.5);
    }

    #[test]
    fn floats_of_16_bits_and_levels_are_numbers() {
        let halves = |all: &[f32]| {
            let bits = all.iter().map(|&x| f16::from_f32(x).to_bits()).collect();
            Tensor { dims: vec![1, 2], elements: Elements::F16(bits) }
        };
        let agreement = compare(&halves(&[1.0, -4.0]), &halves(&[1.0, -3.0])).unwrap();
        assert_eq!((agreement.max_abs, agreement.max_rel), (1.0, 0.25));
        let levels = |all: [i8; 2]| Tensor { dims: vec![1, 2], elements: Elements::I8(all.into()) };
        assert_eq!(compare(&levels([100, -50]), &levels([99, -50])).unwrap().max_rel, 0.01);
    }

    #[test]
    fn zeros_against_zeros_agree_and_sizes_must() {
        let zeros = tensor(&[1, 2], &[0.0, -0.0]);
        assert!(Tolerance::Exact.allows(&compare(&zeros, &tensor(&[1, 2], &[0.0; 2])).unwrap()));
        assert!(
            !Tolerance::Loose.allows(&compare(&zeros, &tensor(&[1, 2], &[0.0, 1e-9])).unwrap())
        );
        assert!(compare(&zeros, &tensor(&[2, 1], &[0.0; 2])).is_err());
        assert!(compare(&zeros, &tensor(&[1, 2], &[0.0; 3])).is_err());
    }

    #[test]
    fn names_are_those_of_serde() {
        for tolerance in Tolerance::ALL {
            let json = serde_json::to_string(&tolerance).unwrap();
            assert_eq!(json, format!("\"{}\"", tolerance.name()));
        }
    }
}
