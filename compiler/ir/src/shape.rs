//! The shape of one tensor of a network, without the batch dimension.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};

/// The largest size of one dimension.
pub const MAX_DIMENSION: u64 = 1 << 24;
/// The most elements that one tensor may have.
pub const MAX_ELEMENTS: u64 = 1 << 36;
/// The most axes that one tensor may have, channels included.
pub const MAX_RANK: usize = 5;

/// The sizes of a tensor along its axes, channels first: `[C]` for a vector, `[C, L]` for a
/// sequence, `[C, H, W]` for a feature map, `[C, D, H, W]` for a volume. The batch size is not
/// part of it.
///
/// What depends on how many axes there are asks for what it means by that: for
/// [`spatial`](Self::spatial) sizes, for [`positions`](Self::positions), for a
/// [`plane`](Self::plane).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// INVARIANT: 0 beyond the rank, so that equal shapes are equal here.
    dims: [u32; MAX_RANK],
    /// INVARIANT: from 1 to [`MAX_RANK`].
    rank: u32,
}

impl<const N: usize> From<[u32; N]> for Shape {
    /// The shape with these sizes, channels first. That there are from 1 to [`MAX_RANK`] is checked
    /// when it is compiled.
    fn from(sizes: [u32; N]) -> Self {
        const { assert!(N >= 1 && N <= MAX_RANK, "a shape has from 1 to MAX_RANK axes") };
        Self::filled(&sizes)
    }
}

impl Shape {
    /// The shape with these sizes, channels first; `None` unless there are from 1 to [`MAX_RANK`].
    #[must_use]
    pub fn new(sizes: &[u32]) -> Option<Self> {
        (1..=MAX_RANK).contains(&sizes.len()).then(|| Self::filled(sizes))
    }

    fn filled(sizes: &[u32]) -> Self {
        let mut dims = [0; MAX_RANK];
        dims.iter_mut().zip(sizes).for_each(|(dim, &size)| *dim = size);
        Self { dims, rank: sizes.len() as u32 }
    }

    /// The number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// All sizes, channels first.
    #[must_use]
    pub fn dims(&self) -> &[u32] {
        self.dims.get(..self.rank()).unwrap_or(&self.dims)
    }

    /// Channels.
    #[must_use]
    pub fn channels(&self) -> u32 {
        self.dims[0]
    }

    /// The sizes beside the channels, such as height and width; none for a vector.
    #[must_use]
    pub fn spatial(&self) -> &[u32] {
        self.dims.get(1..self.rank()).unwrap_or_default()
    }

    /// Whether it has axes beside the channels: a vector has none.
    #[must_use]
    pub fn is_spatial(&self) -> bool {
        self.rank > 1
    }

    /// Height and width, where these are all that it has beside the channels, as feature maps and
    /// pictures do.
    #[must_use]
    pub fn plane(&self) -> Option<[u32; 2]> {
        match *self.spatial() {
            [height, width] => Some([height, width]),
            _ => None,
        }
    }

    /// The height of a map or a volume.
    #[must_use]
    pub fn height(&self) -> Option<u32> {
        match *self.spatial() {
            [.., height, _] => Some(height),
            _ => None,
        }
    }

    /// The width of a map or a volume.
    #[must_use]
    pub fn width(&self) -> Option<u32> {
        match *self.spatial() {
            [.., _, width] => Some(width),
            _ => None,
        }
    }

    /// The same shape with other channels.
    #[must_use]
    pub fn with_channels(mut self, channels: u32) -> Self {
        self.dims[0] = channels;
        self
    }

    /// The same channels with these sizes beside them, of which there are fewer than [`MAX_RANK`];
    /// that is checked when it is compiled.
    #[must_use]
    pub fn with_spatial<const N: usize>(self, sizes: [u32; N]) -> Self {
        const { assert!(N < MAX_RANK, "a shape has at most MAX_RANK axes") };
        let mut dims = [0; MAX_RANK];
        let all = std::iter::once(self.channels()).chain(sizes);
        dims.iter_mut().zip(all).for_each(|(dim, size)| *dim = size);
        Self { dims, rank: N as u32 + 1 }
    }

    /// The same channels at a single position: every size beside them is 1.
    #[must_use]
    pub fn pooled(mut self) -> Self {
        let rank = self.rank();
        self.dims.iter_mut().take(rank).skip(1).for_each(|dim| *dim = 1);
        self
    }

    /// Axis by axis what is made of the sizes of both; `None` if they have different ranks, or it
    /// is made of none.
    #[must_use]
    pub fn zip(self, other: Self, mut size: impl FnMut(u32, u32) -> Option<u32>) -> Option<Self> {
        if self.rank != other.rank {
            return None;
        }
        let rank = self.rank();
        let mut shape = self;
        for (dim, &other) in shape.dims.iter_mut().zip(&other.dims).take(rank) {
            *dim = size(*dim, other)?;
        }
        Some(shape)
    }

    /// The shape that is along each axis as large as the larger of both.
    #[must_use]
    pub fn cover(mut self, other: Self) -> Self {
        self.dims.iter_mut().zip(other.dims).for_each(|(dim, other)| *dim = other.max(*dim));
        self.rank = other.rank.max(self.rank);
        self
    }

    /// Number of elements for batch 1.
    #[must_use]
    pub fn elements(&self) -> u64 {
        product(self.dims())
    }

    /// Number of places at each of which there are all channels: of a vector, 1.
    #[must_use]
    pub fn positions(&self) -> u64 {
        product(self.spatial())
    }

    /// All sizes as engines have them, with that of the batch first.
    #[must_use]
    pub fn batched(&self, batch: u32) -> Vec<u32> {
        std::iter::once(batch).chain(self.dims().iter().copied()).collect()
    }
}

fn product(sizes: &[u32]) -> u64 {
    sizes.iter().map(|&size| u64::from(size)).fold(1, u64::saturating_mul)
}

// Shapes are hashed often, so two sizes are one word. The rank nearly always follows from the sizes.
impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for pair in self.dims.chunks(2) {
            state.write_u64(pair.iter().fold(0, |word, &size| word << 32 | u64::from(size)));
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, d) in self.dims().iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{d}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.dims().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::BuildHasher;

    use rustc_hash::FxBuildHasher;

    use super::*;

    #[test]
    fn sizes_by_what_they_mean() {
        let [vector, sequence, map, volume] =
            [Shape::from([7]), [7, 4].into(), [7, 4, 5].into(), [7, 3, 4, 5].into()];
        for shape in [vector, sequence, map, volume] {
            assert_eq!(shape.channels(), 7);
            assert_eq!(shape.rank(), shape.spatial().len() + 1);
            assert_eq!(shape.is_spatial(), shape != vector);
            assert_eq!(shape.elements(), 7 * shape.positions());
            assert_eq!(shape.with_channels(2).spatial(), shape.spatial());
            assert_eq!(shape.pooled().positions(), 1);
            assert_eq!(shape.pooled().rank(), shape.rank());
            assert_eq!(Shape::new(shape.dims()), Some(shape));
        }
        assert_eq!([vector, sequence, map, volume].map(|s| s.positions()), [1, 4, 20, 60]);
        assert_eq!(
            [vector, sequence, map, volume].map(|s| s.plane().is_some()),
            [false, false, true, false]
        );
        assert_eq!([map, volume].map(|s| (s.height(), s.width())), [(Some(4), Some(5)); 2]);
        assert_eq!([vector, sequence].map(|s| (s.height(), s.width())), [(None, None); 2]);
        assert_eq!(map.with_spatial([9]), Shape::from([7, 9]));
        assert_eq!(volume.with_spatial([]), vector);
        assert_eq!(volume.to_string(), "[7, 3, 4, 5]");
        assert_eq!(volume.batched(2), [2, 7, 3, 4, 5]);
    }

    #[test]
    fn a_shape_has_some_axes_and_not_too_many() {
        assert_eq!(Shape::new(&[]), None);
        assert_eq!(Shape::new(&[1; MAX_RANK + 1]), None);
        assert_eq!(Shape::new(&[1; MAX_RANK]).map(|shape| shape.rank()), Some(MAX_RANK));
    }

    #[test]
    fn equal_shapes_are_equal_however_they_came_about() {
        let hash = |shape: Shape| FxBuildHasher.hash_one(shape);
        let (long, short) = (Shape::from([3, 4, 5, 6]), Shape::from([3, 4]));
        let cut = long.with_spatial([4]);
        assert_eq!((cut, hash(cut)), (short, hash(short)));
        // A size of 0 is no missing axis.
        assert_ne!(Shape::from([3, 0]), Shape::from([3]));
    }

    #[test]
    fn two_shapes_axis_by_axis() {
        let (a, b) = (Shape::from([2, 8, 1]), Shape::from([4, 3, 1]));
        assert_eq!(a.cover(b), Shape::from([4, 8, 1]));
        assert_eq!(a.cover(Shape::from([9])), Shape::from([9, 8, 1]));
        assert_eq!(a.zip(b, |a, b| a.checked_add(b)), Some(Shape::from([6, 11, 2])));
        assert_eq!(a.zip(b, |a, b| a.checked_sub(b)), None);
        assert_eq!(a.zip(Shape::from([2, 8]), |a, _| Some(a)), None);
    }
}
