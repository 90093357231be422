//! `channel_slice`: some of the channels.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::{Cure, ShapeProblem};
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::shape::Shape;

/// Channels from one to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelSlice {
    /// The first channel taken.
    pub start: u32,
    /// The first channel after it that is not taken.
    pub end: u32,
}

impl Operator for ChannelSlice {
    const DECLARATION: Declaration = Declaration {
        name: "channel_slice",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "start",
                kind: Kind::Count(0),
                default: Default::Required,
                doc: "the first channel taken, counted from 0",
            },
            Parameter {
                name: "end",
                kind: Kind::Count(1),
                default: Default::Required,
                doc: "the first channel after it that is not taken",
            },
        ],
        doc: "Channels `start` to `end`, without the latter: [C, H, W] -> [end - start, H, W]; vectors too. Two of them split a tensor.",
        example: "(x -> channel_slice(8, 16), x -> channel_slice(0, 8)) -> concat",
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
        Ok(Self { start: arguments.count("start"), end: arguments.count("end") })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("start", Argument::Count(self.start))
            .with("end", Argument::Count(self.end))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let input = inputs.first();
        let channels = input.channels();
        let taken = self.end.checked_sub(self.start).filter(|&n| n > 0 && self.end <= channels);
        taken.map(|taken| input.with_channels(taken)).ok_or_else(|| ShapeProblem::Window {
            title: format!("there are no channels {} to {} among {channels}", self.start, self.end),
            help: Cure::advice(format!(
                "`start` must be below `end`, and `end` at most {channels}"
            )),
        })
    }
}
