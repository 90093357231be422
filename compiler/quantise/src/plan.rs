//! What is rounded in a network that computes with integers, and which values share a grid.

use std::collections::BTreeSet;
use std::ops::BitOr;

use nas_ir::network::NetworkNode;
use nas_ir::ops::Levels;
use nas_ir::{IdVec, Network, Op};

/// What is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The nodes whose kernels are rounded, in order.
    pub kernels: Vec<usize>,
    /// For each node the group of values whose grid it is rounded to; `None` if it is not rounded.
    pub groups: Vec<Option<usize>>,
    /// How many groups there are.
    pub count: usize,
}

impl Plan {
    /// Rounds what engines compute with integers: the kernels, and the values between operators; not those that an
    /// activation which only bounds them takes up at once, since engines make both in one step. What moves or picks
    /// values, or joins them, shares their grid, so that it moves integers. The nodes of `floats` compute with floats, and so
    /// does what has no kernel and stands between such nodes alone: where all kernels are of floats, nothing is rounded.
    #[must_use]
    pub fn of(network: &Network, floats: &BTreeSet<usize>) -> Self {
        let nodes = &network.nodes;
        let reads = network.reads();
        let is_amid_floats = amid_floats(nodes, floats);
        let is_whole = |index: usize| {
            let op = nodes.get(index).and_then(|node| node.op.as_ref());
            op.is_some_and(|op| !op.is_scaling())
                && !floats.contains(&index)
                && !is_amid_floats[index]
        };
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
        Self { kernels, groups, count }
    }
}

/// Which kernels are next to a node, with none but nodes without kernels between.
#[derive(Debug, Clone, Copy, Default)]
struct Near {
    floats: bool,
    integers: bool,
}

impl BitOr for Near {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self { floats: self.floats || other.floats, integers: self.integers || other.integers }
    }
}

/// For each node whether it has no kernel, and all kernels next to it, before and behind, are of floats.
fn amid_floats(nodes: &[NetworkNode], floats: &BTreeSet<usize>) -> IdVec<usize, bool> {
    let has_kernel = |index: usize| op_of(nodes, index).is_some_and(Op::has_kernel);
    let through = |index: usize, near: Near| match has_kernel(index) {
        true => Near { floats: floats.contains(&index), integers: !floats.contains(&index) },
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
    let is_amid = |index: usize| {
        let near = before[index] | behind[index];
        !has_kernel(index) && near.floats && !near.integers
    };
    (0..nodes.len()).map(is_amid).collect()
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
