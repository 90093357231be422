//! `channel_shuffle`: channels of different groups interleaved.

use std::num::NonZeroU32;

use super::inputs::Inputs;
use super::kernel::groups_divide;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::shape::Shape;

/// Channels of different groups interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelShuffle {
    /// How many groups the channels are in before.
    pub groups: NonZeroU32,
}

impl Operator for ChannelShuffle {
    const DECLARATION: Declaration = Declaration {
        name: "channel_shuffle",
        operands: Operands::One,
        params: &[Parameter {
            name: "groups",
            kind: Kind::Count(1),
            default: Default::Required,
            doc: "how many groups the channels are in before; must divide them",
        }],
        doc: "The first channel of each group, then the second of each, and so on (Zhang et al. 2018): channel i * C / groups + j becomes channel j * groups + i. The shape stays.",
        example: "x -> conv(32, kernel = 1, groups = 4) -> channel_shuffle(4)",
    };

    const PROPERTIES: Properties<Self> = Properties {
        yields: Yields::Computed,
        is_elementwise: false,
        storage: Storage::Own,
        weights: None,
        kernel: None,
        window_padding: None,
        scaling: None,
        factor: |_| Factor::Kept,
        channels: |_| Channels::Rearranged,
        levels: Levels::Operands,
        alternatives: None,
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        Ok(Self { groups: arguments.positive("groups") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default().with("groups", Argument::Count(self.groups.get()))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let (input, _) = inputs.first_map()?;
        groups_divide(self.groups, input.channels(), input.channels())?;
        Ok(input)
    }
}
