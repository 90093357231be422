//! Sliding windows: the arithmetic that convolutions and pools share.

use super::problem::{Cure, ShapeProblem};
use super::signature::{Argument, Arguments, Default, Kind, Parameter};

pub(super) const KERNEL: Parameter = Parameter {
    name: "kernel",
    kind: Kind::Pair(1),
    default: Default::Required,
    doc: "height and width of the kernel",
};

pub(super) const STRIDE: Parameter = Parameter {
    name: "stride",
    kind: Kind::Pair(1),
    default: Default::Is(Argument::Pair([1, 1])),
    doc: "vertical and horizontal stride",
};

pub(super) const DILATION: Parameter = Parameter {
    name: "dilation",
    kind: Kind::Pair(1),
    default: Default::Is(Argument::Pair([1, 1])),
    doc: "distance of the kernel's taps",
};

/// Pixels around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Padding {
    /// Above and left.
    pub before: [u32; 2],
    /// Below and right.
    pub after: [u32; 2],
}

impl Padding {
    /// The padding that an argument of [`super::signature::Kind::Padding`] means.
    ///
    /// `"same"` pads by `dilation * (kernel - 1)` in all, the larger half after, so that stride 1
    /// keeps the size; this is what PyTorch code writes as `padding = dilation * (k - 1) // 2`.
    pub(crate) fn of(arguments: &Arguments, kernel: [u32; 2], dilation: [u32; 2]) -> Self {
        if let Some(pair) = arguments.pair_if_given("padding") {
            return Self { before: pair, after: pair };
        }
        if let Some(Argument::Sides { before, after }) = arguments.get("padding") {
            return Self { before, after };
        }
        if arguments.get("padding") == Some(Argument::Word("valid")) {
            return Self { before: [0, 0], after: [0, 0] };
        }
        Self::same(kernel, dilation)
    }

    fn same(kernel: [u32; 2], dilation: [u32; 2]) -> Self {
        let [ky, kx] = kernel;
        let [dy, dx] = dilation;
        let total =
            [ky.saturating_sub(1).saturating_mul(dy), kx.saturating_sub(1).saturating_mul(dx)];
        let before = total.map(|t| t / 2);
        Self { before, after: [total[0] - before[0], total[1] - before[1]] }
    }

    /// The argument that makes this padding for such a window.
    pub(crate) fn argument(self, kernel: [u32; 2], dilation: [u32; 2]) -> Argument {
        let Self { before, after } = self;
        if self == Self::same(kernel, dilation) {
            Argument::Word("same")
        } else if before == after {
            Argument::Pair(before)
        } else {
            Argument::Sides { before, after }
        }
    }
}

/// A window along one direction of a map, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) size: u64,
    pub(super) kernel: u64,
    pub(super) stride: u64,
    pub(super) dilation: u64,
    pub(super) before: u64,
    pub(super) after: u64,
}

impl Line {
    /// Vertical and horizontal.
    pub(super) fn both(
        size: [u32; 2],
        kernel: [u32; 2],
        stride: [u32; 2],
        dilation: [u32; 2],
        padding: Padding,
    ) -> [Self; 2] {
        let line = |[size, kernel, stride, dilation, before, after]: [u32; 6]| Self {
            size: size.into(),
            kernel: kernel.into(),
            stride: stride.max(1).into(),
            dilation: dilation.into(),
            before: before.into(),
            after: after.into(),
        };
        let Padding { before, after } = padding;
        [
            line([size[0], kernel[0], stride[0], dilation[0], before[0], after[0]]),
            line([size[1], kernel[1], stride[1], dilation[1], before[1], after[1]]),
        ]
    }

    pub(super) fn padded(self) -> u64 {
        self.size + self.before + self.after
    }

    /// What the window spans.
    pub(super) fn extent(self) -> u64 {
        self.dilation * self.kernel.saturating_sub(1) + 1
    }

    /// How many windows lie inside of the padded map; none if it is too small for one.
    pub(super) fn whole(self) -> Option<u64> {
        Some(self.padded().checked_sub(self.extent())? / self.stride + 1)
    }
}

/// The size of what a window produces, counted along each direction by `count`.
pub(super) fn output(
    lines: [Line; 2],
    count: impl Fn(Line) -> Option<u64>,
) -> Result<[u32; 2], ShapeProblem> {
    let along = |line: Line, direction: &str| {
        // INVARIANT: at most the padded size, which limits keep far below u32::MAX for legal maps.
        let size = count(line).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        size.ok_or_else(|| too_small(line, direction))
    };
    let [vertical, horizontal] = lines;
    Ok([along(vertical, "high")?, along(horizontal, "wide")?])
}

fn too_small(line: Line, direction: &str) -> ShapeProblem {
    let (extent, padded) = (line.extent(), line.padded());
    ShapeProblem::Window {
        title: format!(
            "a window {extent} {direction} does not fit into a map {padded} {direction}, padding included"
        ),
        help: Cure::advice(format!(
            "use a kernel whose extent is at most {padded}, more padding, or less stride before it"
        )),
    }
}
