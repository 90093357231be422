//! `channel_pad`: channels of zeros beside those of a tensor.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::shape::Shape;

/// Channels of zeros beside those of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelPad {
    /// Channels of zeros before.
    pub before: u32,
    /// Channels of zeros after.
    pub after: u32,
}

impl Operator for ChannelPad {
    const DECLARATION: Declaration = Declaration {
        name: "channel_pad",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "before",
                kind: Kind::Count(0),
                default: Default::Is(Argument::Count(0)),
                doc: "channels of zeros before",
            },
            Parameter {
                name: "after",
                kind: Kind::Count(0),
                default: Default::Is(Argument::Count(0)),
                doc: "channels of zeros after",
            },
        ],
        doc: "Channels of zeros beside those of the tensor: [C, H, W] -> [before + C + after, H, W]; vectors too. So a residual is added to more channels without a convolution.",
        example: "x -> channel_pad(after = 16)",
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
        Ok(Self { before: arguments.count("before"), after: arguments.count("after") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("before", Argument::Count(self.before))
            .with("after", Argument::Count(self.after))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let input = inputs.first();
        let more = self.before.saturating_add(self.after);
        Ok(input.with_channels(input.channels().saturating_add(more)))
    }
}
