//! What is rounded in a network that computes with integers, and which values share a grid.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::BitOr;

use nas_ir::network::NetworkNode;
use nas_ir::ops::Levels;
use nas_ir::{IdVec, Network, Op, Precision};

/// What is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// With what numbers each node computes.
    pub precisions: IdVec<usize, Precision>,
    /// The nodes whose kernels are rounded, in order.
    pub kernels: Vec<usize>,
    /// For each node the group of values whose grid it is rounded to; `None` if it is not rounded.
    pub groups: Vec<Option<usize>>,
    /// How many groups there are.
    pub count: usize,
}

/// The nodes that a network asks to compute with floats, and with which; none of one that says nothing of precisions: then all
/// that can be is to be rounded. What has no kernel and says nothing follows those next to it ([`Plan::of`]).
#[must_use]
pub fn asked_floats(network: &Network) -> BTreeMap<usize, Precision> {
    if network.nodes.iter().all(|node| node.precision.is_none()) {
        return BTreeMap::new();
    }
    let says = |node: &NetworkNode| {
        node.precision.is_some() || node.op.as_ref().is_some_and(Op::has_kernel)
    };
    let nodes = network.nodes.iter().enumerate().filter(|(_, node)| says(node));
    let precisions = nodes.map(|(index, node)| (index, network.precision_of(node)));
    precisions.filter(|(_, precision)| *precision != Precision::Int8).collect()
}

impl Plan {
    /// Rounds what engines compute with integers: the kernels, and the values between operators; not those that an
    /// activation which only bounds them takes up at once, since engines make both in one step. What moves or picks
    /// values, or joins them, shares their grid, so that it moves integers. The nodes of `floats` compute with floats of the
    /// precision given, and so does what has no kernel and stands between such nodes alone, with 16 bits if all of these
    /// do: where all kernels are of floats, nothing is rounded to a grid.
    #[must_use]
    pub fn of(network: &Network, floats: &BTreeMap<usize, Precision>) -> Self {
        let nodes = &network.nodes;
        let reads = network.reads();
        let precisions = precisions(nodes, floats);
        let is_whole = |index: usize| precisions[index] == Precision::Int8;
        let is_bounded =
            |index: usize| op_of(nodes, index).is_some_and(|op| op.levels() == Levels::Bounded);
        let takes_up = |reader: usize, operand: usize| {
            is_whole(reader)
                && is_bounded(reader)
                && reads[operand] == 1
                && op_of(nodes, operand).is_some_and(|op| op.levels() == Levels::Own)
        };
        let mut is_rounded = vec![false; nodes.len()];
        for (index, node) in nodes.iter().enumerate().filter(|(index, _)| is_whole(*index)) {
            is_rounded.iter_mut().skip(index).take(1).for_each(|is| *is = true);
            for &operand in &node.inputs {
                let is_taken_up = takes_up(index, operand);
                is_rounded.iter_mut().skip(operand).take(1).for_each(|is| *is = !is_taken_up);
            }
        }
        let kernels = (0..nodes.len())
            .filter(|&index| is_whole(index) && op_of(nodes, index).is_some_and(Op::has_kernel))
            .collect();
        let (groups, count) = shared(nodes, &is_rounded, is_whole);
        Self { precisions, kernels, groups, count }
    }
}

/// With what numbers the kernels next to a node compute, with none but nodes without kernels between.
#[derive(Debug, Clone, Copy, Default)]
struct Near {
    fp32: bool,
    fp16: bool,
    int8: bool,
}

impl Near {
    fn one(precision: Precision) -> Self {
        Self {
            fp32: precision == Precision::Fp32,
            fp16: precision == Precision::Fp16,
            int8: precision == Precision::Int8,
        }
    }

    /// What stands between these computes with.
    fn precision(self) -> Precision {
        match self {
            Self { int8: false, fp32: true, .. } => Precision::Fp32,
            Self { int8: false, fp16: true, .. } => Precision::Fp16,
            Self { .. } => Precision::Int8,
        }
    }
}

impl BitOr for Near {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            fp32: self.fp32 || other.fp32,
            fp16: self.fp16 || other.fp16,
            int8: self.int8 || other.int8,
        }
    }
}

/// With what numbers each node computes, where these compute with floats: an input, and what only scales channels, with
/// floats, too, and what has no kernel as the kernels next to it, before and behind, if all of these are of floats.
fn precisions(
    nodes: &[NetworkNode],
    floats: &BTreeMap<usize, Precision>,
) -> IdVec<usize, Precision> {
    let has_kernel = |index: usize| op_of(nodes, index).is_some_and(Op::has_kernel);
    let own = |index: usize| floats.get(&index).copied().unwrap_or(Precision::Int8);
    let through = |index: usize, near: Near| match has_kernel(index) {
        true => Near::one(own(index)),
        false => near,
    };
    let mut before = IdVec::filled(nodes.len(), Near::default());
    for (index, node) in nodes.iter().enumerate() {
        for &operand in &node.inputs {
            before[index] = before[index] | through(operand, before[operand]);
        }
    }
    let mut behind = IdVec::filled(nodes.len(), Near::default());
    for (index, node) in nodes.iter().enumerate().rev() {
        for &operand in &node.inputs {
            behind[operand] = behind[operand] | through(index, behind[index]);
        }
    }
    let precision = |index: usize| match op_of(nodes, index) {
        None => Precision::Fp32,
        Some(_) if has_kernel(index) || floats.contains_key(&index) => own(index),
        Some(op) => match (before[index] | behind[index]).precision() {
            Precision::Int8 if op.is_scaling() => Precision::Fp32,
            precision => precision,
        },
    };
    (0..nodes.len()).map(precision).collect()
}

/// The groups of values that share a grid.
fn shared(
    nodes: &[NetworkNode],
    is_rounded: &[bool],
    is_whole: impl Fn(usize) -> bool,
) -> (Vec<Option<usize>>, usize) {
    let rounds = |index: usize| is_rounded.get(index).copied().unwrap_or_default();
    // The first node of each group, by which it is known.
    let mut first: Vec<usize> = (0..nodes.len()).collect();
    for (index, node) in nodes.iter().enumerate() {
        let moves = op_of(nodes, index).is_some_and(|op| op.levels() == Levels::Operands);
        if !(rounds(index) && is_whole(index) && moves) {
            continue;
        }
        let own = node.inputs.iter().copied().filter(|&operand| rounds(operand)).chain([index]);
        let roots: BTreeSet<usize> = own.filter_map(|it| first.get(it).copied()).collect();
        let Some(&root) = roots.first() else { continue };
        first.iter_mut().filter(|first| roots.contains(first)).for_each(|first| *first = root);
    }
    let roots: BTreeSet<usize> = (0..nodes.len())
        .filter(|&index| rounds(index))
        .filter_map(|index| first.get(index).copied())
        .collect();
    let roots: Vec<usize> = roots.into_iter().collect();
    let group = |index: usize| {
        let root = first.get(index)?;
        roots.binary_search(root).ok().filter(|_| rounds(index))
    };
    ((0..nodes.len()).map(group).collect(), roots.len())
}

fn op_of(nodes: &[NetworkNode], index: usize) -> Option<&Op> {
    nodes.get(index)?.op.as_ref()
}
