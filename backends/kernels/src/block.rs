//! Sums of chains of layers, in training: what a searched layer is, and what a convolution with its batch norm is.
//!
//! Layers of all chains that are as deep are computed side by side, so that many small layers keep all threads busy. Forward
//! each raw result is written once, but for those of expansions, which are never written; backward the gradient of each is.

use std::ffi::CStr;

use crate::covariance::{self, Covariance, CovarianceGradient};
use crate::depthwise::{self, Depthwise, Source};
use crate::kernel::Kernel;
use crate::memory::Buffer;
use crate::moments::Moments;
use crate::norm::{BatchNorm, Incoming, Loaded, NormGradient, Normed};
use crate::pointwise;
use crate::shape::{Bands, Clamp, Destination, Map, Window};
use crate::simd::Level;
use crate::sum::{self, Term, TermGradient};
use crate::tiles::with_padding;
use crate::work::{Processor, Shared, TASKS, Work};

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
    pub clamp: Clamp,
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
    /// What becomes of the map before.
    pub input: Clamp,
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
    pub clamp: Clamp,
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
}

/// What is kept of a block for its gradient.
#[derive(Debug)]
pub struct Kept {
    chains: Vec<KeptChain>,
    covariances: Vec<Option<Covariance>>,
    to: Map,
}

#[derive(Debug)]
struct KeptChain {
    steps: Vec<Step>,
    /// What each step made, before its batch norm.
    raws: Vec<Buffer>,
    /// The batch norm of each layer.
    normed: Vec<Normed>,
    /// How what the first layer reads is loaded, and then the results of layers.
    loaded: Vec<Loaded>,
}

/// A layer, or two that are computed as one.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// The layer whose result it makes.
    layer: usize,
    /// Whether it computes the layer before, too.
    is_expanded: bool,
    from: Map,
    to: Map,
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

impl<'a> Chain<'a> {
    fn steps(&self, map: Map) -> Vec<Step> {
        let (mut steps, mut from) = (Vec::new(), map);
        let mut layers = self.layers.iter().enumerate().peekable();
        while let Some((layer, Layer { op, clamp, .. })) = layers.next() {
            let is_last = layers.peek().is_none();
            assert!(!is_last || *clamp == Clamp::NONE, "nothing follows the last batch norm");
            let to = op.to(from);
            if let (0, Op::Pointwise(kernel), Clamp::NONE) = (layer, op, self.input)
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
        assert!(!steps.is_empty(), "a chain of layers");
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
            Self::Depthwise { window, .. } => {
                let to = window.of(from);
                assert!(to.is_some(), "{window:?} does not fit into {from:?}");
                to.unwrap_or(from)
            }
        }
    }
}

/// The shape of the sum.
#[must_use]
pub fn to(block: &Block<'_>) -> Map {
    let first = block.chains.first();
    assert!(first.is_some(), "a sum of nothing");
    let last = first.and_then(|chain| chain.steps(block.maps[chain.map].map).last().copied());
    last.map_or(block.maps[0].map, |step| step.to)
}

/// A work of either kind of convolution.
enum Either<P, D> {
    Pointwise(Box<P>),
    Depthwise(Box<D>),
}

impl<P: Work, D: Work> Work for Either<P, D> {
    fn tasks(&self) -> usize {
        match self {
            Self::Pointwise(work) => work.tasks(),
            Self::Depthwise(work) => work.tasks(),
        }
    }

    fn run(&self, level: Level, task: usize) {
        match self {
            Self::Pointwise(work) => work.run(level, task),
            Self::Depthwise(work) => work.run(level, task),
        }
    }
}

/// What works are together, by one of two names: layers that are as deep mostly are of one kind.
fn named<P, D>(
    works: &[Either<P, D>],
    [pointwise, depthwise]: [&'static CStr; 2],
) -> &'static CStr {
    match works.first() {
        Some(Either::Depthwise(_)) => depthwise,
        _ => pointwise,
    }
}

/// A convolution to be computed.
type Forward<'a> = Either<pointwise::Forward<'a>, depthwise::Forward<'a>>;
/// The gradient of a convolution to be computed.
type Backward<'a> = Either<pointwise::Backward<'a>, depthwise::Backward<'a>>;

const FORWARD: [&CStr; 2] = [c"nasc: 1x1 convolutions", c"nasc: depthwise convolutions"];
const BACKWARD: [&CStr; 2] =
    [c"nasc: gradients of 1x1 convolutions", c"nasc: gradients of depthwise convolutions"];

impl Forward<'_> {
    fn moments(&self) -> Moments {
        match self {
            Self::Pointwise(work) => work.moments(),
            Self::Depthwise(work) => work.moments(),
        }
    }
}

/// `clamp(rest + sum of chains)`: `out` holds the rest, if there is one, and then the sum.
pub fn forward(
    processor: Processor<'_>,
    block: &Block<'_>,
    has_rest: bool,
    out: &mut [f32],
) -> Kept {
    for input in &block.maps {
        assert_eq!(input.values.len(), input.map.len(), "maps");
    }
    let to = to(block);
    let mut chains: Vec<KeptChain> = block.chains.iter().map(|chain| begin(block, chain)).collect();
    for chain in &chains {
        let last = chain.steps.last().map(|step| step.to);
        assert_eq!(last, Some(to), "chains that end with the same shape");
    }
    let covariances = covariances(processor, block, &chains);
    let expanded = processor.map(chains.len(), |i| {
        let (chain, kept) = (&block.chains[i], &chains[i]);
        let expanded = kept.steps.first().is_some_and(|step| step.is_expanded);
        expanded.then(|| expansion(chain, covariances[chain.map].as_ref(), processor.level))
    });
    for ((kept, chain), normed) in chains.iter_mut().zip(&block.chains).zip(expanded) {
        kept.push(chain, normed);
    }
    let deepest = chains.iter().map(|chain| chain.steps.len()).max().unwrap_or_default();
    for depth in 0..deepest {
        let deep: Vec<usize> =
            (0..chains.len()).filter(|&i| chains[i].steps.len() > depth).collect();
        let (raws, normed) = {
            let made = processor.map(deep.len(), |i| {
                let i = deep[i];
                forward_step(block, &block.chains[i], &chains[i], depth)
            });
            let (raws, works): (Vec<Buffer>, Vec<Forward<'_>>) = made.into_iter().unzip();
            processor.all(named(&works, FORWARD), &works);
            let normed = processor.map(deep.len(), |i| {
                let step = chains[deep[i]].steps[depth];
                let norm = block.chains[deep[i]].layers[step.layer].norm;
                Normed::new(norm, || works[i].moments())
            });
            (raws, normed)
        };
        for ((i, raw), normed) in deep.into_iter().zip(raws).zip(normed) {
            chains[i].raws.push(raw);
            chains[i].push(&block.chains[i], Some(normed));
        }
    }
    {
        let terms = terms(block, &chains);
        let bands = Bands::new(to, TASKS);
        processor.all(
            c"nasc: sums",
            &[sum::Forward::new(to, &terms, (block.clamp, has_rest), bands, out)],
        );
    }
    Kept { chains, covariances, to }
}

fn begin(block: &Block<'_>, chain: &Chain<'_>) -> KeptChain {
    let map = block.maps[chain.map].map;
    KeptChain {
        steps: chain.steps(map),
        raws: Vec::new(),
        normed: Vec::new(),
        loaded: vec![Loaded::plain(map.channels, chain.input)],
    }
}

impl KeptChain {
    /// Keeps the batch norm of the next layer.
    fn push(&mut self, chain: &Chain<'_>, normed: Option<Normed>) {
        let Some(normed) = normed else { return };
        let clamp = chain.layers[self.normed.len()].clamp;
        self.loaded.push(normed.loaded(clamp));
        self.normed.push(normed);
    }

    /// The values that a step reads from memory.
    fn read<'a>(&'a self, block: &Block<'a>, chain: &Chain<'_>, depth: usize) -> &'a [f32] {
        match depth.checked_sub(1) {
            Some(before) => &self.raws[before],
            None => block.maps[chain.map].values,
        }
    }

    /// The depthwise convolution of a step.
    fn depthwise<'a>(
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
}

/// Of the maps that chains expand with the statistics of the batch.
fn covariances(
    processor: Processor<'_>,
    block: &Block<'_>,
    chains: &[KeptChain],
) -> Vec<Option<Covariance>> {
    let needed = |map: usize| {
        block.chains.iter().zip(chains).any(|(chain, kept)| {
            let expanded = kept.steps.first().is_some_and(|step| step.is_expanded);
            chain.map == map && expanded && chain.layers[0].norm.fixed.is_none()
        })
    };
    let maps: Vec<usize> = (0..block.maps.len()).filter(|&map| needed(map)).collect();
    let of = |&map: &usize| {
        let Input { values, map } = block.maps[map];
        covariance::Forward::new(values, map.channels)
    };
    let works: Vec<covariance::Forward<'_>> = maps.iter().map(of).collect();
    processor.all(c"nasc: covariances", &works);
    let mut covariances: Vec<Option<Covariance>> = block.maps.iter().map(|_| None).collect();
    for (map, work) in maps.into_iter().zip(&works) {
        covariances[map] = Some(work.covariance());
    }
    covariances
}

/// The batch norm of an expansion, by the covariance of the map that it is of.
fn expansion(chain: &Chain<'_>, of: Option<&Covariance>, level: Level) -> Normed {
    let Layer { op, norm, .. } = chain.layers[0];
    Normed::new(norm, || match (op, of) {
        (Op::Pointwise(kernel), Some(of)) => of.moments(kernel, level),
        _ => Moments { mean: Vec::new(), variance: Vec::new() },
    })
}

fn forward_step<'a>(
    block: &Block<'a>,
    chain: &Chain<'a>,
    kept: &'a KeptChain,
    depth: usize,
) -> (Buffer, Forward<'a>) {
    let Step { layer, to, .. } = kept.steps[depth];
    let mut raw = Buffer::new(to.len());
    let work = match chain.layers[layer].op {
        Op::Pointwise(kernel) => {
            let values = kept.read(block, chain, depth);
            let norm = &kept.loaded[layer];
            Forward::Pointwise(Box::new(pointwise::Forward::new(values, norm, kernel, &mut raw)))
        }
        Op::Depthwise { window, kernel } => {
            let of = kept.depthwise(block, chain, depth, (window, kernel));
            Forward::Depthwise(Box::new(depthwise::Forward::new(of, &mut raw)))
        }
    };
    (raw, work)
}

/// What is summed.
fn terms<'a>(block: &Block<'a>, chains: &'a [KeptChain]) -> Vec<Term<'a>> {
    let terms = block.chains.iter().zip(chains).map(|(chain, kept)| {
        let values = kept.raws.last().map_or(&[][..], |raw| &raw[..]);
        let norm = &kept.loaded[chain.layers.len()];
        Term { values, norm, weight: chain.weight }
    });
    terms.collect()
}

/// The gradients of all that a block learns.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainGradient {
    /// Of each layer.
    pub layers: Vec<LayerGradient>,
    /// Of the weight of each image.
    pub weight: Vec<f32>,
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

/// The gradients of what a block learns, for that of its result: `out` is the result, if it was clamped. What of the gradient
/// reaches the rest is left in `by_out`; those of the maps go into memory that is there.
pub fn backward(
    processor: Processor<'_>,
    block: &Block<'_>,
    kept: &Kept,
    out: Option<&[f32]>,
    by_out: &mut [f32],
    by_maps: &mut [&mut [f32]],
) -> Vec<ChainGradient> {
    assert_eq!(by_maps.len(), block.maps.len(), "a gradient for each map");
    let terms = terms(block, &kept.chains);
    let of_terms = {
        let clamped = out.map(|out| (block.clamp, out));
        let bands = Bands::new(kept.to, TASKS);
        let works = [sum::Backward::new(kept.to, &terms, clamped, bands, by_out)];
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
        gradients.push(ChainGradient { layers, weight });
    }
    let deepest = kept.chains.iter().map(|chain| chain.steps.len()).max().unwrap_or_default();
    for depth in (1..deepest).rev() {
        let deep: Vec<usize> =
            (0..fronts.len()).filter(|&i| kept.chains[i].steps.len() > depth).collect();
        let made = {
            let made = processor.map(deep.len(), |i| {
                let (chain, own) = (&block.chains[deep[i]], &kept.chains[deep[i]]);
                let mut by_input = Buffer::new(own.raws[depth - 1].len());
                let to = Destination {
                    bands: bands(own.steps[depth].from),
                    values: Shared::new(&mut by_input),
                    adds: false,
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
            let own = &kept.chains[i];
            let layers = &mut gradients[i].layers;
            layers[own.steps[depth].layer].kernel = found.kernel;
            let [scale, shift] = &found.norm;
            let layer = own.steps[depth - 1].layer;
            fronts[i] = own.front(layers, layer, [scale, shift], Some(buffer));
        }
    }
    let to_maps: Vec<Shared> = by_maps.iter_mut().map(|values| Shared::new(values)).collect();
    for (input, by_map) in block.maps.iter().zip(by_maps.iter()) {
        assert_eq!(by_map.len(), input.map.len(), "a gradient of maps");
    }
    let works = processor.map(fronts.len(), |i| {
        let (chain, own) = (&block.chains[i], &kept.chains[i]);
        let bands = bands(block.maps[chain.map].map);
        let to = Destination { bands, values: to_maps[chain.map], adds: true };
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
            values: &self.raws[depth],
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
