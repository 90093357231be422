//! The window of `max_pool` and `avg_pool`.

use super::inputs::map_size;
use super::problem::{Cure, ShapeProblem};
use super::signature::{Argument, Arguments, Default, Kind, Parameter};
use super::window::{self, Line, Padding};
use crate::shape::Shape;

pub(super) const STRIDE: Parameter = Parameter {
    name: "stride",
    kind: Kind::Pair(1),
    default: Default::Absent,
    doc: "vertical and horizontal stride; the size of the window if not given",
};

pub(super) const PADDING: Parameter = Parameter {
    name: "padding",
    kind: Kind::Padding,
    default: Default::Is(Argument::Word("valid")),
    doc: "pixels around the input",
};

pub(super) const CEIL: Parameter = Parameter {
    name: "ceil",
    kind: Kind::Flag,
    default: Default::Is(Argument::Flag(false)),
    doc: "whether a last window that is only in part inside counts too, if it begins inside",
};

/// The windows that a pool takes a value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pool {
    /// Height and width of the window.
    pub kernel: [u32; 2],
    /// Vertical and horizontal stride.
    pub stride: [u32; 2],
    /// Pixels around the input.
    pub padding: Padding,
    /// Whether windows count that reach beyond the padding, as `ceil_mode` of PyTorch: those that
    /// begin in the map or in the padding before it.
    pub ceil: bool,
}

impl Pool {
    /// Kernel and stride, the latter being the former if not given.
    pub(super) fn steps(arguments: &Arguments) -> ([u32; 2], [u32; 2]) {
        let kernel = arguments.pair("kernel");
        (kernel, arguments.pair_if_given("stride").unwrap_or(kernel))
    }

    pub(super) fn of(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let (kernel, stride) = Self::steps(arguments);
        let padding = Padding::of(arguments, kernel, [1, 1]);
        padding_below_kernel(kernel, padding)?;
        Ok(Self { kernel, stride, padding, ceil: arguments.flag("ceil") })
    }

    pub(super) fn arguments(self) -> Arguments {
        Arguments::default()
            .with("kernel", Argument::Pair(self.kernel))
            .with("stride", Argument::Pair(self.stride))
            .with("padding", self.padding.argument(self.kernel, [1, 1]))
            .with("ceil", Argument::Flag(self.ceil))
    }

    /// What it makes of a map.
    pub(super) fn shape(self, input: Shape) -> Result<Shape, ShapeProblem> {
        let size = map_size(input)?;
        let [h, w] = window::output(self.lines(size), |line| self.count(line))?;
        Ok(input.with_spatial([h, w]))
    }

    /// Its padding on a map, as far as its windows reach.
    pub(super) fn reach(self, input: Shape) -> Result<Padding, ShapeProblem> {
        map_size(input).map(|size| self.whole_padding(size))
    }

    /// The padding with which windows that lie inside of it are those of this pool, on a map of
    /// this size: where `ceil` takes more of them, more padding after.
    #[must_use]
    pub fn whole_padding(&self, size: [u32; 2]) -> Padding {
        let reach = self.lines(size).map(|line| {
            let last = self.count(line).unwrap_or(1).saturating_sub(1) * line.stride;
            let beyond = (last + line.extent()).saturating_sub(line.padded());
            // INVARIANT: less than the kernel.
            u32::try_from(beyond).unwrap_or(u32::MAX)
        });
        let [below, right] = self.padding.after;
        let after = [below.saturating_add(reach[0]), right.saturating_add(reach[1])];
        Padding { after, ..self.padding }
    }

    fn lines(self, size: [u32; 2]) -> [Line; 2] {
        Line::both(size, self.kernel, self.stride, [1, 1], self.padding)
    }

    fn count(self, line: Line) -> Option<u64> {
        let whole = line.whole()?;
        let next = whole * line.stride;
        let is_covered = (next - line.stride) + line.extent() >= line.padded();
        let begins_inside = next < line.before + line.size;
        Some(if self.ceil && !is_covered && begins_inside { whole + 1 } else { whole })
    }
}

/// Pools must see at least one pixel of the map in each window.
fn padding_below_kernel(kernel: [u32; 2], padding: Padding) -> Result<(), ShapeProblem> {
    let too_much = kernel
        .iter()
        .zip(padding.before.iter().zip(&padding.after))
        .any(|(&k, (&before, &after))| before.max(after) > k / 2);
    if too_much {
        return Err(ShapeProblem::Window {
            title: "padding of a pool is more than half its window".to_owned(),
            help: Cure::Argument {
                name: "padding",
                value: "\"same\"".to_owned(),
                rest: ", or at most half of the kernel",
            },
        });
    }
    Ok(())
}
