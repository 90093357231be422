//! The gradient of a block.

use std::ffi::CStr;

use super::kept::{Kept, KeptChain, Kind, named, terms};
use super::layers::{Block, Chain, Input, Op, Step};
use crate::covariance::{self, Covariance, CovarianceGradient};
use crate::memory::Buffer;
use crate::norm::{Incoming, NormGradient};
use crate::shape::{Bands, Destination, Map};
use crate::simd::Level;
use crate::sum::TermGradient;
use crate::tiles::with_padding;
use crate::work::{Processor, Shared, TASKS, Work};
use crate::{dense, depthwise, pointwise, sum};

/// The gradient of a convolution to be computed.
type Backward<'a> = Kind<pointwise::Backward<'a>, depthwise::Backward<'a>, dense::Backward<'a>>;

/// How they are noted, of 1x1 ones, of depthwise ones and of others.
const BACKWARD: [&CStr; 3] = [
    c"nasc: gradients of 1x1 convolutions",
    c"nasc: gradients of depthwise convolutions",
    c"nasc: gradients of convolutions",
];

/// The gradients of all that a block learns.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainGradient {
    /// Of each layer.
    pub layers: Vec<LayerGradient>,
    /// Of the weight of each image.
    pub weight: Vec<f32>,
    /// Of the gate, `[images][channels]`.
    pub gate: Vec<f32>,
}

/// The gradients of what a layer learns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LayerGradient {
    /// Of the kernel.
    pub kernel: Vec<f32>,
    /// Of the scale of the batch norm.
    pub scale: Vec<f32>,
    /// Of the shift of the batch norm.
    pub shift: Vec<f32>,
}

impl Backward<'_> {
    fn gradients(&self) -> depthwise::Gradients {
        match self {
            Self::Pointwise(work) => {
                let (norm, kernel) = work.gradients();
                depthwise::Gradients { norm, kernel, expansion: Vec::new() }
            }
            Self::Depthwise(work) => work.gradients(),
            Self::Dense(work) => {
                let (norm, kernel) = work.gradients();
                depthwise::Gradients { norm, kernel, expansion: Vec::new() }
            }
        }
    }
}

/// Gradients that are added to that of one map, each for the same lines at once.
struct ToMap<'a> {
    bands: Bands,
    channels: usize,
    by_map: Shared,
    works: Vec<&'a Backward<'a>>,
}

impl Work for ToMap<'_> {
    fn tasks(&self) -> usize {
        self.bands.len()
    }

    fn run(&self, level: Level, task: usize) {
        for band in self.bands.of(task) {
            let [from, to] = self.bands.pixels(band);
            // SAFETY: these pixels are this task's.
            unsafe {
                let pixels = self.by_map.at(from * self.channels);
                pixels.write_bytes(0, (to - from) * self.channels);
            }
        }
        for work in &self.works {
            work.run(level, task);
        }
    }
}

/// How far the gradient of a chain has come: to what a step made.
struct Front {
    /// Of the values of that step, by all but their moments; that of the sum if `None`.
    direct: Option<Buffer>,
    /// Through the moments.
    constant: Vec<f32>,
    slope: Vec<f32>,
}

/// The gradients of what a block learns, for that of its result. What of the gradient reaches the rest is left in `by_out`; those
/// of the maps go into memory that is there, where those that are not wanted may have any value. What was not kept of a chain is computed again where it is read, and dropped after.
pub fn backward(
    processor: Processor<'_>,
    block: &Block<'_>,
    kept: &mut Kept,
    by_out: &mut [f32],
    (by_maps, wanted): (&mut [&mut [f32]], &[bool]),
) -> Vec<ChainGradient> {
    assert_eq!([by_maps.len(), wanted.len()], [block.maps.len(); 2], "a gradient for each map");
    kept.restore(processor, block, |chain| chain.steps.len().checked_sub(1));
    let of_terms = {
        let terms = terms(block, &kept.chains);
        let bands = Bands::new(kept.to, TASKS);
        let works = [sum::Backward::new(kept.to, &terms, block.activation, bands, by_out)];
        processor.all(c"nasc: gradients of sums", &works);
        works[0].gradients()
    };
    let by_out = &*by_out;
    let mut gradients: Vec<ChainGradient> = Vec::new();
    let mut fronts = Vec::new();
    for ((chain, own), TermGradient { scale, shift, weight }) in
        block.chains.iter().zip(&kept.chains).zip(of_terms)
    {
        let mut layers = vec![LayerGradient::default(); chain.layers.len()];
        fronts.push(own.front(&mut layers, chain.layers.len() - 1, [&scale, &shift], None));
        gradients.push(ChainGradient { layers, weight, gate: Vec::new() });
    }
    let deepest = kept.chains.iter().map(|chain| chain.steps.len()).max().unwrap_or_default();
    for depth in (1..deepest).rev() {
        kept.restore(processor, block, |chain| (chain.steps.len() > depth).then(|| depth - 1));
        let deep: Vec<usize> =
            (0..fronts.len()).filter(|&i| kept.chains[i].steps.len() > depth).collect();
        let made = {
            let made = processor.map(deep.len(), |i| {
                let (chain, own) = (&block.chains[deep[i]], &kept.chains[deep[i]]);
                let mut by_input = Buffer::new(own.raw(depth - 1).len());
                let to = Destination {
                    bands: bands(own.steps[depth].from),
                    values: Shared::new(&mut by_input),
                    adds: false,
                    is_wanted: true,
                };
                let work = own.backward_step(block, chain, depth, &fronts[deep[i]], by_out, to);
                (by_input, work)
            });
            let (buffers, works): (Vec<Buffer>, Vec<Backward<'_>>) = made.into_iter().unzip();
            processor.all(named(&works, BACKWARD), &works);
            let gradients = processor.map(deep.len(), |i| works[i].gradients());
            buffers.into_iter().zip(gradients).collect::<Vec<_>>()
        };
        for (i, (buffer, found)) in deep.into_iter().zip(made) {
            let own = &mut kept.chains[i];
            own.release(&block.chains[i], depth);
            let layers = &mut gradients[i].layers;
            layers[own.steps[depth].layer].kernel = found.kernel;
            let [scale, shift] = &found.norm;
            let layer = own.steps[depth - 1].layer;
            fronts[i] = own.front(layers, layer, [scale, shift], Some(buffer));
        }
    }
    let kept = &*kept;
    let to_maps: Vec<Shared> = by_maps.iter_mut().map(|values| Shared::new(values)).collect();
    for (input, by_map) in block.maps.iter().zip(by_maps.iter()) {
        assert_eq!(by_map.len(), input.map.len(), "a gradient of maps");
    }
    let works = processor.map(fronts.len(), |i| {
        let (chain, own) = (&block.chains[i], &kept.chains[i]);
        let bands = bands(block.maps[chain.map].map);
        let is_wanted = wanted[chain.map];
        let to = Destination { bands, values: to_maps[chain.map], adds: true, is_wanted };
        own.backward_step(block, chain, 0, &fronts[i], by_out, to)
    });
    let groups = block.maps.iter().enumerate().map(|(map, input)| ToMap {
        bands: bands(input.map),
        channels: input.map.channels,
        by_map: to_maps[map],
        works: works
            .iter()
            .zip(&block.chains)
            .filter_map(|(work, chain)| (chain.map == map).then_some(work))
            .collect(),
    });
    processor.all(c"nasc: gradients of first layers", &groups.collect::<Vec<_>>());
    let found = processor.map(works.len(), |i| {
        let (chain, own) = (&block.chains[i], &kept.chains[i]);
        let found = works[i].gradients();
        own.finish(chain, found, kept.covariances[chain.map].as_ref(), processor.level)
    });
    for (gradients, work) in gradients.iter_mut().zip(&works) {
        if let Backward::Pointwise(work) = work {
            gradients.gate = work.by_gate();
        }
    }
    let mut of_maps: Vec<Option<CovarianceGradient>> = block.maps.iter().map(|_| None).collect();
    for (i, (first, second, by)) in found.into_iter().enumerate() {
        let chain = &block.chains[i];
        let layers = &mut gradients[i].layers;
        let layer = kept.chains[i].steps[0].layer;
        layers[layer].kernel = first;
        if let Some(second) = second {
            layers[layer - 1] = second;
        }
        if let Some(by) = by {
            let channels = block.maps[chain.map].map.channels;
            of_maps[chain.map].get_or_insert_with(|| CovarianceGradient::new(channels)).add(&by);
        }
    }
    let mut works = Vec::new();
    for (map, by) in of_maps.iter().enumerate() {
        if let (Some(by), Some(of)) = (by, &kept.covariances[map]) {
            let Input { values, map: shape } = block.maps[map];
            works.push(covariance::Backward::new((values, shape), of, by, to_maps[map]));
        }
    }
    processor.all(c"nasc: gradients of covariances", &works);
    gradients
}

/// How the lines of maps are cut for gradients: each task has sums as large as the kernel.
fn bands(map: Map) -> Bands {
    Bands::new(map, (map.pixels() / 256).clamp(2, TASKS))
}

impl KeptChain {
    /// The gradient of what the convolution of a layer made, for that of the scale and shift of its values; that of the
    /// batch norm goes to the layer.
    fn front(
        &self,
        layers: &mut [LayerGradient],
        layer: usize,
        [scale, shift]: [&[f64]; 2],
        direct: Option<Buffer>,
    ) -> Front {
        let normed = &self.normed[layer];
        let by = normed.gradient(scale, shift);
        let pixels = self.steps.iter().find(|step| step.layer == layer);
        let pixels = pixels.map_or(1, |step| step.to.pixels());
        let [constant, slope] = normed.through(&by, pixels);
        let NormGradient { scale, shift, .. } = by;
        layers[layer] = LayerGradient { scale, shift, ..LayerGradient::default() };
        Front { direct, constant, slope }
    }

    fn backward_step<'a>(
        &'a self,
        block: &Block<'a>,
        chain: &Chain<'a>,
        depth: usize,
        front: &'a Front,
        by_out: &'a [f32],
        to: Destination,
    ) -> Backward<'a> {
        let Step { layer, from, .. } = self.steps[depth];
        let direct = front.direct.as_ref();
        let incoming = Incoming {
            values: self.raw(depth),
            direct: direct.map_or(by_out, |direct| &direct[..]),
            gain: direct.is_none().then(|| with_padding(&self.normed[layer].scale)),
            weight: chain.weight.filter(|_| direct.is_none()),
            constant: with_padding(&front.constant),
            slope: with_padding(&front.slope),
        };
        match chain.layers[layer].op {
            Op::Pointwise(kernel) => {
                let values = (self.read(block, chain, depth), from);
                let norm = &self.loaded[layer];
                Backward::Pointwise(Box::new(pointwise::Backward::new(
                    values, norm, kernel, incoming, to,
                )))
            }
            Op::Depthwise { window, kernel } => {
                let of = self.depthwise(block, chain, depth, (window, kernel));
                Backward::Depthwise(Box::new(depthwise::Backward::new(of, incoming, to)))
            }
            Op::Dense { window, kernel, .. } => {
                let of = self.dense(block, chain, depth, (window, kernel));
                Backward::Dense(Box::new(dense::Backward::new(of, incoming, to)))
            }
        }
    }

    /// What the gradients of the first step come to: of its kernel; of the layer that it expanded; and of the covariance of its map.
    fn finish(
        &self,
        chain: &Chain<'_>,
        found: depthwise::Gradients,
        of: Option<&Covariance>,
        level: Level,
    ) -> (Vec<f32>, Option<LayerGradient>, Option<CovarianceGradient>) {
        let Op::Pointwise(expansion) = chain.layers[0].op else {
            return (found.kernel, None, None);
        };
        if !self.steps[0].is_expanded {
            return (found.kernel, None, None);
        }
        let [scale, shift] = &found.norm;
        let NormGradient { scale, shift, mean, variance } = self.normed[0].gradient(scale, shift);
        let mut kernel = found.expansion;
        let by =
            of.map(|of| of.moments_backward(expansion, [&mean, &variance], &mut kernel, level));
        (found.kernel, Some(LayerGradient { kernel, scale, shift }), by)
    }
}
