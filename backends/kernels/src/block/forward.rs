//! The results of a block.

use std::ffi::CStr;
use std::ops::Range;

use super::kept::{Kept, KeptChain, Kind, Raw, named, terms};
use super::layers::{Block, Chain, Input, Layer, Op, Step, Storage, to};
use crate::activation::Activation;
use crate::covariance::{self, Covariance};
use crate::memory::Buffer;
use crate::moments::Moments;
use crate::norm::{Loaded, Normed};
use crate::rounded::{Conversion, Rounded};
use crate::shape::Bands;
use crate::simd::Level;
use crate::work::{Processor, TASKS};
use crate::{dense, depthwise, pointwise, sum};

/// A convolution to be computed.
type Forward<'a> = Kind<pointwise::Forward<'a>, depthwise::Forward<'a>, dense::Forward<'a>>;

/// How they are noted, 1x1 ones, depthwise ones and others.
const FORWARD: [&CStr; 3] =
    [c"nasc: 1x1 convolutions", c"nasc: depthwise convolutions", c"nasc: convolutions"];

impl Forward<'_> {
    fn moments(&self) -> Moments {
        match self {
            Self::Pointwise(work) => work.moments(),
            Self::Depthwise(work) => work.moments(),
            Self::Dense(work) => work.moments(),
        }
    }
}

/// `activation(rest + sum of chains)`: `out` holds the rest, if there is one, and then the sum. With a rest there is no activation.
pub fn forward(
    processor: Processor<'_>,
    block: &Block<'_>,
    has_rest: bool,
    out: &mut [f32],
) -> Kept {
    for input in &block.maps {
        assert_eq!(input.values.len(), input.map.len(), "maps");
    }
    assert!(!has_rest || block.activation == Activation::NONE, "an activation of no rest");
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
        let made = convolved(processor, block, &chains, (depth, &deep), |i, work| {
            let step = chains[i].steps[depth];
            Normed::new(block.chains[i].layers[step.layer].norm, || work.moments())
        });
        for (&i, (raw, normed)) in deep.iter().zip(made) {
            chains[i].raws.push(Raw { floats: Some(raw), rounded: None });
            chains[i].push(&block.chains[i], Some(normed));
        }
        if let Some(before) = depth.checked_sub(1) {
            let read: Vec<(usize, usize)> = deep.into_iter().map(|i| (i, before)).collect();
            put_away(processor, block, &mut chains, &read);
        }
    }
    {
        let terms = terms(block, &chains);
        let bands = Bands::new(to, TASKS);
        processor.all(
            c"nasc: sums",
            &[sum::Forward::new(to, &terms, (block.activation, has_rest), bands, out)],
        );
    }
    let last: Vec<(usize, usize)> =
        chains.iter().enumerate().map(|(i, kept)| (i, kept.steps.len() - 1)).collect();
    put_away(processor, block, &mut chains, &last);
    Kept { chains, covariances, to }
}

impl Kept {
    /// Has what a step of each chain made be there, if one is wanted: what is not kept is computed again from what is. Batch
    /// norms are known, so that it is the same, bit for bit, unless it is computed from what was rounded.
    pub(super) fn restore(
        &mut self,
        processor: Processor<'_>,
        block: &Block<'_>,
        wanted: impl Fn(&KeptChain) -> Option<usize>,
    ) {
        let missing = |chain: &KeptChain| wanted(chain).map_or(0..0, |depth| chain.missing(depth));
        let runs: Vec<Range<usize>> = self.chains.iter().map(missing).collect();
        self.widen(processor, &runs);
        let end = runs.iter().map(|run| run.end).max().unwrap_or_default();
        for depth in 0..end {
            let missing: Vec<usize> =
                (0..runs.len()).filter(|&i| runs[i].contains(&depth)).collect();
            let made = convolved(processor, block, &self.chains, (depth, &missing), |_, _| ());
            for (i, (raw, ())) in missing.into_iter().zip(made) {
                self.chains[i].raws[depth].floats = Some(raw);
            }
        }
    }

    /// Has the last results before these runs of steps be floats, where they are rounded.
    fn widen(&mut self, processor: Processor<'_>, runs: &[Range<usize>]) {
        let before =
            runs.iter().enumerate().filter_map(|(i, run)| Some((i, run.start.checked_sub(1)?)));
        let is_rounded = |&(i, step): &(usize, usize)| self.chains[i].raws[step].floats.is_none();
        let places: Vec<(usize, usize)> = before.filter(is_rounded).collect();
        let made = {
            let rounded =
                places.iter().filter_map(|&(i, step)| self.chains[i].raws[step].rounded.as_ref());
            let made = rounded.map(|from| {
                let mut floats = Buffer::new(from.len());
                let work = Conversion::widen(from, &mut floats);
                (floats, work)
            });
            let (made, works): (Vec<Buffer>, Vec<Conversion<'_>>) = made.unzip();
            processor.all(c"nasc: bfloat16", &works);
            made
        };
        for ((i, step), floats) in places.into_iter().zip(made) {
            self.chains[i].raws[step].floats = Some(floats);
        }
    }
}

/// Has what steps of chains made, of these chains and as deep, wait for the gradient as it shall.
fn put_away(
    processor: Processor<'_>,
    block: &Block<'_>,
    chains: &mut [KeptChain],
    which: &[(usize, usize)],
) {
    let is_rounded = |&&(i, depth): &&(usize, usize)| {
        chains[i].storage(&block.chains[i], depth) == Storage::BFloat16
    };
    let places: Vec<(usize, usize)> = which.iter().filter(is_rounded).copied().collect();
    let made = {
        let made = places.iter().map(|&(i, depth)| {
            let floats = chains[i].raw(depth);
            let mut rounded = Rounded::new(floats.len());
            let work = Conversion::round(floats, &mut rounded);
            (rounded, work)
        });
        let (made, works): (Vec<Rounded>, Vec<Conversion<'_>>) = made.unzip();
        processor.all(c"nasc: bfloat16", &works);
        made
    };
    for ((i, depth), rounded) in places.into_iter().zip(made) {
        chains[i].raws[depth].rounded = Some(rounded);
    }
    for &(i, depth) in which {
        chains[i].release(&block.chains[i], depth);
    }
}

/// What the steps of some chains make that are as deep, and what is told of each once that is there.
fn convolved<T: Send>(
    processor: Processor<'_>,
    block: &Block<'_>,
    chains: &[KeptChain],
    (depth, which): (usize, &[usize]),
    tell: impl Fn(usize, &Forward<'_>) -> T + Sync,
) -> Vec<(Buffer, T)> {
    let made = processor.map(which.len(), |i| {
        let i = which[i];
        forward_step(block, &block.chains[i], &chains[i], depth)
    });
    let (raws, works): (Vec<Buffer>, Vec<Forward<'_>>) = made.into_iter().unzip();
    processor.all(named(&works, FORWARD), &works);
    let told = processor.map(which.len(), |i| tell(which[i], &works[i]));
    raws.into_iter().zip(told).collect()
}

fn begin(block: &Block<'_>, chain: &Chain<'_>) -> KeptChain {
    let map = block.maps[chain.map].map;
    KeptChain {
        steps: chain.steps(map),
        raws: Vec::new(),
        normed: Vec::new(),
        loaded: vec![match chain.gate {
            Some(gate) => Loaded::gated(gate, map.channels, chain.input),
            None => Loaded::plain(map.channels, chain.input),
        }],
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
    let Step { layer, from, to, .. } = kept.steps[depth];
    let mut raw = Buffer::new(to.len());
    let work = match chain.layers[layer].op {
        Op::Pointwise(kernel) => {
            let values = (kept.read(block, chain, depth), from);
            let norm = &kept.loaded[layer];
            Forward::Pointwise(Box::new(pointwise::Forward::new(values, norm, kernel, &mut raw)))
        }
        Op::Depthwise { window, kernel } => {
            let of = kept.depthwise(block, chain, depth, (window, kernel));
            Forward::Depthwise(Box::new(depthwise::Forward::new(of, &mut raw)))
        }
        Op::Dense { window, kernel, .. } => {
            let of = kept.dense(block, chain, depth, (window, kernel));
            Forward::Dense(Box::new(dense::Forward::new(of, &mut raw)))
        }
    };
    (raw, work)
}
