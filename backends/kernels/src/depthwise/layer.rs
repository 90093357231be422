//! What a depthwise convolution is, and how what it reads is loaded.

use crate::kernel::Kernel;
use crate::norm::{Loaded, Norm};
use crate::shape::{Map, Window};
use crate::simd::Simd;
use crate::tiles::{Finish, Panel, Rows, Tile, padded_width};

/// The most taps that a window may have.
pub const MOST_TAPS: usize = 64;
/// Results that are computed side by side.
pub(super) const TILE: usize = 8;

/// From where the values come that a depthwise convolution reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// From memory: raw values `[pixels][channels]`.
    Stored(&'a [f32]),
    /// They are what a 1x1 convolution makes of maps `[pixels][inputs]`.
    Expanded { map: &'a [f32], kernel: Kernel<'a> },
}

impl Source<'_> {
    /// Channels of the maps that are expanded.
    pub(super) fn inputs(&self) -> usize {
        match self {
            Self::Stored(_) => 0,
            Self::Expanded { kernel, .. } => kernel.inputs,
        }
    }

    pub(super) fn loaded(&self) -> LoadedSource {
        match self {
            Self::Stored(values) => LoadedSource::Stored(values.as_ptr()),
            Self::Expanded { map, kernel } => {
                LoadedSource::Expanded { map: map.as_ptr(), inputs: kernel.inputs }
            }
        }
    }
}

/// A depthwise convolution of values that are normalised as they are loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Depthwise<'a> {
    /// The shape of what it reads.
    pub(crate) from: Map,
    /// The shape of what it makes.
    pub(crate) to: Map,
    pub(crate) window: Window,
    /// `[channels][taps]`.
    pub(crate) kernel: &'a [f32],
    /// Of the values.
    pub(crate) norm: &'a Loaded,
    pub(crate) source: Source<'a>,
}

impl Depthwise<'_> {
    pub(super) fn check(&self) {
        let channels = self.from.channels;
        assert!(self.window.taps() <= MOST_TAPS, "at most {MOST_TAPS} taps");
        assert_eq!(Some(self.to), self.window.of(self.from), "a window that fits");
        assert_eq!(self.kernel.len(), channels * self.window.taps(), "taps");
        assert_eq!(self.norm.scale.len(), padded_width(channels), "a norm");
        match self.source {
            Source::Stored(values) => assert_eq!(values.len(), self.from.len(), "values"),
            Source::Expanded { map, kernel } => {
                assert_eq!(map.len(), self.from.pixels() * kernel.inputs, "maps");
                assert_eq!(kernel.outputs, channels, "channels");
            }
        }
    }

    /// `[taps][padded_width]`.
    pub(super) fn taps(&self) -> Vec<f32> {
        let (taps, channels) = (self.window.taps(), self.from.channels);
        let width = padded_width(channels);
        let mut packed = vec![0.0; taps * width];
        for (channel, own) in self.kernel.chunks_exact(taps).enumerate() {
            for (tap, weight) in own.iter().enumerate() {
                packed[tap * width + channel] = *weight;
            }
        }
        packed
    }
}

#[derive(Clone, Copy)]
pub(super) enum LoadedSource {
    Stored(*const f32),
    Expanded { map: *const f32, inputs: usize },
}

/// Gives rows of values as if they were a product.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, F: Finish<S>>(from: Rows, panel: Panel, finish: &mut F) {
    unsafe {
        let mut column = 0;
        while column < panel.width {
            let left = panel.columns.saturating_sub(column);
            let mut row = 0;
            while row < from.count {
                let count = from.count - row;
                let mut place = from.first.add(row * from.step + column);
                let mut tile = [[S::splat(0.0)]; TILE];
                for (i, own) in tile.iter_mut().enumerate() {
                    if i < count {
                        *own = [S::load_some(place, left)];
                        place = place.add(from.step);
                    }
                }
                finish.take([row, column], tile, count);
                row += TILE;
            }
            column += S::N;
        }
    }
}

/// Writes values as they are loaded.
pub(super) struct Normalise {
    pub(super) to: *mut f32,
    pub(super) width: usize,
    pub(super) norm: Norm,
    pub(super) channel: usize,
}

impl<S: Simd> Finish<S> for Normalise {
    #[inline(always)]
    unsafe fn take<const R: usize, const V: usize>(
        &mut self,
        [row, column]: [usize; 2],
        tile: Tile<S, R, V>,
        count: usize,
    ) {
        unsafe {
            for j in 0..V {
                let column = column + j * S::N;
                let norm = self.norm.of_channels::<S>(self.channel + column);
                let mut to = self.to.add(row * self.width + column);
                for (i, row) in tile.iter().enumerate() {
                    if i < count {
                        S::store(to, norm.read(row[j]));
                        to = to.add(self.width);
                    }
                }
            }
        }
    }
}
