//! What a block is made of, and in which steps it is computed.

use crate::activation::Activation;
use crate::kernel::Kernel;
use crate::norm::BatchNorm;
use crate::shape::{Map, Window};

/// The most channels of a map that a 1x1 convolution expands without its result being written: it is computed twice then,
/// which for more of them takes longer than to write and read it.
pub const MOST_EXPANDED: usize = 64;

/// A sum of chains.
#[derive(Debug)]
pub struct Block<'a> {
    /// What chains begin with.
    pub maps: Vec<Input<'a>>,
    /// What is summed, at least one. All end with maps of the same shape.
    pub chains: Vec<Chain<'a>>,
    /// What becomes of the sum.
    pub activation: Activation,
}

/// Maps.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// `[images][height][width][channels]`.
    pub values: &'a [f32],
    /// Their shape.
    pub map: Map,
}

/// Layers, each of which reads the one before.
#[derive(Debug)]
pub struct Chain<'a> {
    /// Which of the maps the first one reads.
    pub map: usize,
    /// What the map is multiplied by before, `[images][channels]`; 1 without. A 1x1 convolution follows.
    pub gate: Option<&'a [f32]>,
    /// What becomes of it then.
    pub input: Activation,
    /// At least one. Nothing follows the batch norm of the last one.
    pub layers: Vec<Layer<'a>>,
    /// What its result is multiplied by, for each image; 1 without.
    pub weight: Option<&'a [f32]>,
}

/// A convolution, its batch norm, and an activation.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The convolution.
    pub op: Op<'a>,
    /// The batch norm.
    pub norm: BatchNorm<'a>,
    /// The activation.
    pub activation: Activation,
    /// How what the convolution makes comes to the gradient.
    pub storage: Storage,
}

/// How the result of a convolution is there again when its gradient is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// It is kept.
    Floats,
    /// It is kept rounded to bfloat16, which takes half of the memory: what is computed forward does not change, and of gradients what
    /// 8 of the 24 bits of each value say.
    BFloat16,
    /// It is computed once more.
    Recomputed,
}

/// A convolution without a bias.
#[derive(Debug, Clone, Copy)]
pub enum Op<'a> {
    /// By a kernel of one tap.
    Pointwise(Kernel<'a>),
    /// Of each channel for itself.
    Depthwise {
        /// Its window.
        window: Window,
        /// `[channels][taps]`.
        kernel: &'a [f32],
    },
    /// Of all channels by a window.
    Dense {
        /// Its window.
        window: Window,
        /// `[outputs][channels][taps]`.
        kernel: &'a [f32],
        /// Channels out.
        outputs: usize,
    },
}

/// A layer, or two that are computed as one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// The layer whose result it makes.
    pub(super) layer: usize,
    /// Whether it computes the layer before, too.
    pub(super) is_expanded: bool,
    pub(super) from: Map,
    pub(super) to: Map,
}

impl<'a> Chain<'a> {
    pub(super) fn steps(&self, map: Map) -> Vec<Step> {
        let (mut steps, mut from) = (Vec::new(), map);
        let mut layers = self.layers.iter().enumerate().peekable();
        while let Some((layer, Layer { op, activation, .. })) = layers.next() {
            let is_last = layers.peek().is_none();
            assert!(
                !is_last || *activation == Activation::NONE,
                "nothing follows the last batch norm"
            );
            let to = op.to(from);
            if let (0, Op::Pointwise(kernel), Activation::NONE) = (layer, op, self.input)
                && self.gate.is_none()
                && kernel.inputs <= MOST_EXPANDED
                && let Some((layer, Layer { op: deep @ Op::Depthwise { .. }, .. })) = layers.peek()
            {
                let (layer, from) = (*layer, to);
                steps.push(Step { layer, is_expanded: true, from, to: deep.to(from) });
                layers.next();
            } else {
                steps.push(Step { layer, is_expanded: false, from, to });
            }
            from = steps.last().map_or(to, |step| step.to);
        }
        let first = self.layers.first().map(|layer| layer.op);
        let is_ready = self.gate.is_none_or(|gate| gate.len() == map.images * map.channels);
        let is_gated = self.gate.is_some();
        assert!(is_ready && (!is_gated || matches!(first, Some(Op::Pointwise(_)))), "a gate");
        steps
    }
}

impl Op<'_> {
    /// The shape of what it makes of such maps.
    fn to(&self, from: Map) -> Map {
        match self {
            Self::Pointwise(kernel) => {
                kernel.check();
                assert_eq!(kernel.inputs, from.channels, "channels");
                from.with_channels(kernel.outputs)
            }
            Self::Depthwise { window, .. } => windowed(*window, from),
            Self::Dense { window, outputs, .. } => windowed(*window, from).with_channels(*outputs),
        }
    }
}

/// What a window makes of maps into which it fits.
fn windowed(window: Window, from: Map) -> Map {
    let to = window.of(from);
    assert!(to.is_some(), "{window:?} does not fit into {from:?}");
    to.unwrap_or(from)
}

/// The shape of the sum.
#[must_use]
pub fn to(block: &Block<'_>) -> Map {
    let first = block.chains.first();
    assert!(first.is_some(), "a sum of nothing");
    let last = first.and_then(|chain| chain.steps(block.maps[chain.map].map).last().copied());
    last.map_or(block.maps[0].map, |step| step.to)
}
