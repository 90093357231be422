//! `resize`: a map in another size.

use super::inputs::Inputs;
use super::operator::{Channels, Factor, Levels, Operator, Properties, Sides, Storage, Yields};
use super::problem::ShapeProblem;
use super::signature::{Argument, Arguments, Declaration, Default, Kind, Operands, Parameter};
use crate::shape::Shape;

/// A map in another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resize {
    /// Height and width of the result, or factors for both.
    pub to: ResizeTo,
    /// How a pixel between others gets its value.
    pub mode: ResizeMode,
    /// Whether the centres of the corner pixels coincide, rather than the corners of the maps.
    pub align_corners: bool,
}

/// What a map is resized to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResizeTo {
    /// Height and width.
    Size([u32; 2]),
    /// Factors for height and width.
    Scale([u32; 2]),
}

/// How a pixel between others gets its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResizeMode {
    /// Linear in both directions between the four neighbours.
    Bilinear,
    /// The nearest pixel, `floor(y * in / out)` as in PyTorch.
    Nearest,
}

impl Operator for Resize {
    const DECLARATION: Declaration = Declaration {
        name: "resize",
        operands: Operands::One,
        params: &[
            Parameter {
                name: "size",
                kind: Kind::Pair(1),
                default: Default::Absent,
                doc: "height and width of the result",
            },
            Parameter {
                name: "scale",
                kind: Kind::Pair(1),
                default: Default::Absent,
                doc: "factors instead of a size",
            },
            Parameter {
                name: "mode",
                kind: Kind::Word(&["bilinear", "nearest"]),
                default: Default::Is(Argument::Word("bilinear")),
                doc: "how a pixel between others gets its value",
            },
            Parameter {
                name: "align_corners",
                kind: Kind::Flag,
                default: Default::Is(Argument::Flag(false)),
                doc: "whether the centres of the corner pixels coincide (bilinear only)",
            },
        ],
        doc: "The map in another size, by `size` or by `scale`: [C, H, W] -> [C, size].",
        example: "x -> resize(scale = 2)",
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
        channels: |_| Channels::Apart,
        levels: Levels::Operands,
        alternatives: Some(Self::alternatives),
    };

    fn from_arguments(arguments: &Arguments) -> Result<Self, ShapeProblem> {
        let sizes = (arguments.pair_if_given("size"), arguments.pair_if_given("scale"));
        let to = match sizes {
            (Some(size), None) => ResizeTo::Size(size),
            (None, Some(scale)) => ResizeTo::Scale(scale),
            _ => {
                return Err(ShapeProblem::Mismatch {
                    title: "`resize` needs either a size or a scale".to_owned(),
                    help: "write `resize(size = (height, width))` or `resize(scale = 2)`"
                        .to_owned(),
                    fit: None,
                });
            }
        };
        let nearest = arguments.word("mode") == "nearest";
        let mode = if nearest { ResizeMode::Nearest } else { ResizeMode::Bilinear };
        Ok(Self { to, mode, align_corners: arguments.flag("align_corners") && !nearest })
    }

    fn arguments(&self) -> Arguments {
        let (name, pair) = match self.to {
            ResizeTo::Size(size) => ("size", size),
            ResizeTo::Scale(scale) => ("scale", scale),
        };
        let mode = match self.mode {
            ResizeMode::Bilinear => "bilinear",
            ResizeMode::Nearest => "nearest",
        };
        Arguments::default()
            .with(name, Argument::Pair(pair))
            .with("mode", Argument::Word(mode))
            .with("align_corners", Argument::Flag(self.align_corners))
    }

    fn shape(&self, inputs: Inputs<'_>) -> Result<Shape, ShapeProblem> {
        let (input, size) = inputs.first_map()?;
        let [height, width] = self.size(size);
        Ok(input.with_spatial([height, width]))
    }
}

impl Resize {
    /// The size of the result and the factors, whichever of them was given.
    fn alternatives(&self, inputs: Inputs<'_>) -> Result<Vec<Sides>, ShapeProblem> {
        let (_, [h, w]) = inputs.first_map()?;
        let [height, width] = self.size([h, w]);
        let factor = |from: u32, to: u32| match to % from.max(1) {
            0 => Argument::Count(to / from.max(1)),
            _ => Argument::Real(f64::from(to) / f64::from(from)),
        };
        Ok(vec![
            ("size", [height, width].map(Argument::Count)),
            ("scale", [factor(h, height), factor(w, width)]),
        ])
    }

    /// Height and width of what it makes of a map of this size.
    fn size(&self, [h, w]: [u32; 2]) -> [u32; 2] {
        match self.to {
            ResizeTo::Size(size) => size,
            ResizeTo::Scale([y, x]) => [h.saturating_mul(y), w.saturating_mul(x)],
        }
    }
}
