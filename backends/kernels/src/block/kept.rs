//! What is kept of a block from its results for its gradient, and what both do side by side.

use std::ffi::CStr;
use std::ops::Range;

use super::layers::{Block, Chain, Op, Step, Storage};
use crate::covariance::Covariance;
use crate::dense::Dense;
use crate::depthwise::{Depthwise, Source};
use crate::memory::Buffer;
use crate::moments::Moments;
use crate::norm::{Loaded, Normed};
use crate::rounded::Rounded;
use crate::shape::{Map, Window};
use crate::simd::Level;
use crate::sum::Term;
use crate::work::Work;

/// What is kept of a block for its gradient.
#[derive(Debug)]
pub struct Kept {
    pub(super) chains: Vec<KeptChain>,
    pub(super) covariances: Vec<Option<Covariance>>,
    pub(super) to: Map,
}

#[derive(Debug)]
pub(super) struct KeptChain {
    pub(super) steps: Vec<Step>,
    /// What each step made, before its batch norm.
    pub(super) raws: Vec<Raw>,
    /// The batch norm of each layer.
    pub(super) normed: Vec<Normed>,
    /// How what the first layer reads is loaded, and then the results of layers.
    pub(super) loaded: Vec<Loaded>,
}

/// What a step made, as far as it is there.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) floats: Option<Buffer>,
    pub(super) rounded: Option<Rounded>,
}

impl Kept {
    /// Mean and variance of what a layer made before its batch norm.
    #[must_use]
    pub fn moments(&self, chain: usize, layer: usize) -> &Moments {
        &self.chains[chain].normed[layer].moments
    }

    /// Of how many pixels these are.
    #[must_use]
    pub fn pixels(&self, chain: usize, layer: usize) -> usize {
        let steps = &self.chains[chain].steps;
        let found = steps.iter().find(|step| step.layer >= layer);
        found.map_or(0, |step| if step.layer == layer { step.to } else { step.from }.pixels())
    }

    /// The shape of the sum.
    #[must_use]
    pub fn to(&self) -> Map {
        self.to
    }
}

impl KeptChain {
    /// Keeps the batch norm of the next layer.
    pub(super) fn push(&mut self, chain: &Chain<'_>, normed: Option<Normed>) {
        let Some(normed) = normed else { return };
        let activation = chain.layers[self.normed.len()].activation;
        self.loaded.push(normed.loaded(activation));
        self.normed.push(normed);
    }

    /// What a step made, which must be there.
    pub(super) fn raw(&self, depth: usize) -> &[f32] {
        self.raws[depth].floats.as_deref().unwrap_or_default()
    }

    /// The steps up to this one whose results have to be computed again for its own.
    pub(super) fn missing(&self, depth: usize) -> Range<usize> {
        let is_there = |raw: &Raw| raw.floats.is_some() || raw.rounded.is_some();
        let there = self.raws[..=depth].iter().rposition(is_there);
        there.map_or(0, |there| there + 1)..depth + 1
    }

    /// How what a step makes is kept.
    pub(super) fn storage(&self, chain: &Chain<'_>, depth: usize) -> Storage {
        chain.layers[self.steps[depth].layer].storage
    }

    /// Drops the floats that a step made, if they are not to be kept.
    pub(super) fn release(&mut self, chain: &Chain<'_>, depth: usize) {
        if self.storage(chain, depth) != Storage::Floats {
            self.raws[depth].floats = None;
        }
    }

    /// The values that a step reads from memory.
    pub(super) fn read<'a>(
        &'a self,
        block: &Block<'a>,
        chain: &Chain<'_>,
        depth: usize,
    ) -> &'a [f32] {
        match depth.checked_sub(1) {
            Some(before) => self.raw(before),
            None => block.maps[chain.map].values,
        }
    }

    /// The depthwise convolution of a step.
    pub(super) fn depthwise<'a>(
        &'a self,
        block: &Block<'a>,
        chain: &Chain<'a>,
        depth: usize,
        (window, kernel): (Window, &'a [f32]),
    ) -> Depthwise<'a> {
        let Step { layer, is_expanded, from, to } = self.steps[depth];
        let values = self.read(block, chain, depth);
        let source = match (is_expanded, chain.layers[layer.saturating_sub(1)].op) {
            (true, Op::Pointwise(kernel)) => Source::Expanded { map: values, kernel },
            _ => Source::Stored(values),
        };
        Depthwise { from, to, window, kernel, norm: &self.loaded[layer], source }
    }

    /// The convolution of all channels of a step.
    pub(super) fn dense<'a>(
        &'a self,
        block: &Block<'a>,
        chain: &Chain<'a>,
        depth: usize,
        (window, kernel): (Window, &'a [f32]),
    ) -> Dense<'a> {
        let Step { layer, from, to, .. } = self.steps[depth];
        let values = self.read(block, chain, depth);
        Dense { from, to, window, kernel, norm: &self.loaded[layer], values }
    }
}

/// What is summed.
pub(super) fn terms<'a>(block: &Block<'a>, chains: &'a [KeptChain]) -> Vec<Term<'a>> {
    let terms = block.chains.iter().zip(chains).map(|(chain, kept)| {
        let values = kept.raw(kept.steps.len() - 1);
        let norm = &kept.loaded[chain.layers.len()];
        Term { values, norm, weight: chain.weight }
    });
    terms.collect()
}

/// A work of one of the kinds of convolutions.
pub(super) enum Kind<P, D, F> {
    Pointwise(Box<P>),
    Depthwise(Box<D>),
    Dense(Box<F>),
}

impl<P: Work, D: Work, F: Work> Kind<P, D, F> {
    fn work(&self) -> &dyn Work {
        match self {
            Self::Pointwise(work) => &**work,
            Self::Depthwise(work) => &**work,
            Self::Dense(work) => &**work,
        }
    }
}

impl<P: Work, D: Work, F: Work> Work for Kind<P, D, F> {
    fn tasks(&self) -> usize {
        self.work().tasks()
    }

    fn run(&self, level: Level, task: usize) {
        self.work().run(level, task);
    }
}

/// What works are together, by one of three names: layers that are as deep mostly are of one kind.
pub(super) fn named<P, D, F>(
    works: &[Kind<P, D, F>],
    [pointwise, depthwise, dense]: [&'static CStr; 3],
) -> &'static CStr {
    match works.first() {
        Some(Kind::Depthwise(_)) => depthwise,
        Some(Kind::Dense(_)) => dense,
        _ => pointwise,
    }
}
