//! The border of a map, which `crop` takes away and `pad` adds.

use super::signature::{Argument, Arguments, Default, Kind, Parameter};

const fn side(name: &'static str, doc: &'static str) -> Parameter {
    Parameter { name, kind: Kind::Count(0), default: Default::Is(Argument::Count(0)), doc }
}

pub(super) const SIDES: &[Parameter] = &[
    side("top", "rows above"),
    side("left", "columns on the left"),
    side("bottom", "rows below"),
    side("right", "columns on the right"),
];

/// Rows and columns around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, std::default::Default)]
pub struct Border {
    /// Rows above.
    pub top: u32,
    /// Columns on the left.
    pub left: u32,
    /// Rows below.
    pub bottom: u32,
    /// Columns on the right.
    pub right: u32,
}

impl Border {
    pub(super) fn of(arguments: &Arguments) -> Self {
        let [top, left, bottom, right] =
            ["top", "left", "bottom", "right"].map(|side| arguments.count(side));
        Self { top, left, bottom, right }
    }

    pub(super) fn arguments(self) -> Arguments {
        Arguments::default()
            .with("top", Argument::Count(self.top))
            .with("left", Argument::Count(self.left))
            .with("bottom", Argument::Count(self.bottom))
            .with("right", Argument::Count(self.right))
    }
}
