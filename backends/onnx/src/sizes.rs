//! Sizes of the values of a file: numbers, symbols, or open.

use nas_ir::{OpenSize, Shape};

use crate::options::Batch;

/// The size of a value along an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Size {
    /// So much.
    Of(i64),
    /// A symbol: sizes of one name are equal.
    Named(String),
    /// Not stated.
    Open,
}

impl From<i64> for Size {
    fn from(size: i64) -> Self {
        Self::Of(size)
    }
}

/// The symbol of the number of images.
const BATCH: &str = "batch";
/// The symbols of height and width.
const PLANE: [&str; 2] = ["height", "width"];

/// Which sizes are open.
#[derive(Debug, Clone)]
pub(crate) struct Openness {
    pub(crate) batch: Batch,
    /// Where height and width are: by how much each value grows.
    pub(crate) size: Option<OpenSize>,
}

impl Openness {
    /// The number of images.
    pub(crate) fn batch(&self) -> Size {
        match self.batch {
            Batch::Of(images) => Size::Of(images.get().into()),
            Batch::Open => Size::Named(BATCH.to_owned()),
        }
    }

    /// The sizes `[N, C, H, W]` or `[N, C]` of the value of a node.
    pub(crate) fn of_node(&self, node: usize, shape: Shape) -> Vec<Size> {
        let Some(open) = &self.size else { return self.of_step(shape) };
        let growth = open.growth[node];
        let along = |axis: usize, size: u32| match growth.get(axis) {
            None | Some(0) => Size::Of(size.into()),
            Some(_) => Size::Open,
        };
        let spatial = shape.spatial().iter().enumerate().map(|(axis, &size)| along(axis, size));
        self.leading(shape).into_iter().chain(spatial).collect()
    }

    /// Those of an input, whose height and width have symbols where they are open.
    pub(crate) fn of_input(&self, node: usize, shape: Shape) -> Vec<Size> {
        let mut sizes = self.of_node(node, shape);
        for (size, symbol) in sizes.iter_mut().skip(2).zip(PLANE) {
            if *size == Size::Open {
                *size = Size::Named(symbol.to_owned());
            }
        }
        sizes
    }

    /// Those of a value on the way to that of a node: along height and width nothing is said where they are open.
    pub(crate) fn of_step(&self, shape: Shape) -> Vec<Size> {
        let along = |&size: &u32| match self.size {
            Some(_) if size != 1 => Size::Open,
            _ => Size::Of(size.into()),
        };
        self.leading(shape).into_iter().chain(shape.spatial().iter().map(along)).collect()
    }

    fn leading(&self, shape: Shape) -> [Size; 2] {
        [self.batch(), Size::Of(shape.channels().into())]
    }
}

/// Sizes that are all numbers.
pub(crate) fn fixed(sizes: &[Size]) -> Option<Vec<i64>> {
    let numbers = sizes.iter().map(|size| match size {
        Size::Of(size) => Some(*size),
        Size::Named(_) | Size::Open => None,
    });
    numbers.collect()
}

/// Sizes that are numbers.
pub(crate) fn of_numbers(dims: &[u32]) -> Vec<Size> {
    dims.iter().map(|&size| Size::Of(size.into())).collect()
}
