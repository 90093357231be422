//! `shift`: each channel moved by a fixed step.

use std::num::NonZeroU32;

use nas_diagnostics::fault;

use super::conv::Conv;
use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Storage, Yields};
use super::problem::{Cure, ShapeProblem};
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use super::window::Padding;
use crate::shape::Shape;

/// Each channel moved by one of the steps within a square window, zeros moving in (Wu et al.
/// 2018), as the authors' code assigns them: of k * k channels in turn, channel c reads the place
/// `(c / k - k / 2, c % k - k / 2)` away, times the dilation. Channels beyond the last full turn
/// stay where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shift {
    /// Side of the window.
    pub kernel: u32,
    /// Pixels of one step.
    pub dilation: u32,
}

impl Operator for Shift {
    const DECLARATION: Declaration = Declaration {
        name: "shift",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "kernel",
                kind: Kind::Count(1),
                default: Default::Is(Argument::Count(3)),
                doc: "side of the square that the steps lie in",
            },
            Parameter {
                name: "dilation",
                kind: Kind::Count(1),
                default: Default::Is(Argument::Count(1)),
                doc: "pixels of one step",
            },
        ],
        doc: "Each channel moved by one of the kernel * kernel steps in turn, zeros moving in; channels beyond the last full turn stay (Wu et al. 2018). The shape stays; no MACs, no parameters.",
        example: "x -> conv(27, kernel = 1) -> shift -> conv(16, kernel = 1)",
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
        let (kernel, dilation) = (arguments.count("kernel"), arguments.count("dilation"));
        if kernel.is_multiple_of(2) {
            return Err(ShapeProblem::Window {
                title: format!("a shift within {kernel} x {kernel} has no middle"),
                help: Cure::Argument {
                    name: "kernel",
                    value: kernel.saturating_sub(1).max(3).to_string(),
                    rest: ", or another odd one",
                },
            });
        }
        Ok(Self { kernel, dilation })
    }

    fn arguments(&self) -> Arguments {
        Arguments::default()
            .with("kernel", Argument::Count(self.kernel))
            .with("dilation", Argument::Count(self.dilation))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let (input, _) = inputs.first_map()?;
        if u64::from(self.kernel).pow(2) > u64::from(input.channels()) {
            let Self { kernel, .. } = self;
            return Err(ShapeProblem::Window {
                title: format!("a shift within {kernel} x {kernel} has more steps than channels"),
                help: Cure::advice("use a smaller kernel, or more channels: each step takes one"),
            });
        }
        Ok(input)
    }
}

impl Shift {
    /// The depthwise convolution that does the same to such an operand, and its kernel
    /// `[channels, 1, k, k]`: for engines without such an operator.
    #[must_use]
    pub fn as_conv(&self, input: Shape) -> (Conv, Vec<f32>) {
        let Self { kernel, dilation } = *self;
        let channels = NonZeroU32::new(input.channels());
        let channels = channels.unwrap_or_else(|| fault("a shift without channels"));
        let edge = [(kernel / 2).saturating_mul(dilation); 2];
        let conv = Conv {
            out: channels.get(),
            kernel: [kernel; 2],
            stride: [1, 1],
            dilation: [dilation; 2],
            groups: channels,
            bias: false,
            padding: Padding { before: edge, after: edge },
        };
        let taps = kernel.saturating_mul(kernel);
        let in_turns = channels.get() / taps * taps;
        let one_hot = |channel: u32| {
            let tap = if channel < in_turns { channel % taps } else { taps / 2 };
            (0..taps).map(move |at| if at == tap { 1.0 } else { 0.0 })
        };
        (conv, (0..channels.get()).flat_map(one_hot).collect())
    }
}
