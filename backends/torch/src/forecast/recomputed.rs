//! Which layers are computed again in the backward pass instead of being kept, so that training fits into memory.
//!
//! A layer that is not kept saves the bytes of what its convolution makes, and costs its multiply-accumulates once more. Layers
//! are given up in the order of what a byte costs, the cheapest first: depthwise convolutions, then 1x1 ones of few channels.
//! The order follows from the shapes of a program alone, and so does what is computed, bit for bit.

use std::collections::{BTreeMap, BTreeSet};

use nas_kernels::Storage;

use super::walk::{Layer, Walk};
use crate::error::TorchError;
use crate::fused::Role;
use crate::program::{Program, Table, ValueId};
use crate::schedule::Schedule;

/// What makes a step take less memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Layers that are computed again in the backward pass instead of being kept.
    pub(crate) layers: usize,
    /// In how many parts a batch is learned from.
    pub(crate) parts: usize,
}

impl Fit {
    /// All is kept, and batches are whole.
    pub(crate) const WHOLE: Self = Self { layers: 0, parts: 1 };
}

/// What of a step is computed again in the backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recomputed {
    /// Layers that are computed again.
    pub layers: u64,
    /// Layers that could be.
    pub of_layers: u64,
    /// Multiply-accumulates of a picture that this takes.
    pub macs: u64,
    /// Multiply-accumulates of a picture that the step takes without, forward and backward.
    pub of_macs: u64,
}

/// What the gradients of an operator, of its operand and of its kernel, take with the operator itself: as much three times.
const FORWARD_AND_BACKWARD: u64 = 3;

impl Recomputed {
    pub(super) fn of(walk: &Walk<'_>) -> Self {
        let again = walk.layers.iter().filter(|layer| layer.storage == Storage::Recomputed);
        Self {
            layers: again.clone().count() as u64,
            of_layers: walk.layers.len() as u64,
            macs: again.map(|layer| layer.macs).sum(),
            of_macs: walk.macs.saturating_mul(FORWARD_AND_BACKWARD),
        }
    }

    /// Of two evaluations that are made in one step.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            layers: self.layers.max(other.layers),
            of_layers: self.of_layers.max(other.of_layers),
            macs: self.macs.saturating_add(other.macs),
            of_macs: self.of_macs.saturating_add(other.of_macs),
        }
    }
}

/// The most layers in a row that are given up: all of them are computed again at once.
const LONGEST: usize = 2;

/// The layers of a program, by the convolutions that make them, in the order in which they are given up. What would make a longer
/// row of them stays, so that what is computed again at once does not grow by what is saved.
pub(super) fn order(
    program: &Program,
    roles: &Table<ValueId, Role>,
) -> Result<Vec<ValueId>, TorchError> {
    let mut layers = Walk::through(program, roles, &Schedule::of_all(program)?)?.layers;
    layers.sort_by(|a, b| {
        let cost = |of: &Layer, other: &Layer| u128::from(of.macs) * u128::from(other.numbers);
        cost(a, b).cmp(&cost(b, a)).then(b.numbers.cmp(&a.numbers)).then(a.id.cmp(&b.id))
    });
    let before: BTreeMap<ValueId, ValueId> =
        layers.iter().filter_map(|layer| Some((layer.id, layer.before?))).collect();
    let after: BTreeMap<ValueId, ValueId> =
        before.iter().map(|(id, before)| (*before, *id)).collect();
    let (mut order, mut gone) = (Vec::new(), BTreeSet::new());
    for Layer { id, .. } in layers {
        let in_a_row = |side: &BTreeMap<ValueId, ValueId>| {
            std::iter::successors(side.get(&id), |id| side.get(id))
                .take_while(|id| gone.contains(*id))
                .count()
        };
        if in_a_row(&before) + 1 + in_a_row(&after) <= LONGEST {
            gone.insert(id);
            order.push(id);
        }
    }
    Ok(order)
}

/// The roles of a program where so many layers are not kept.
///
/// # Errors
/// A fault of this crate: the program is not sound.
pub(crate) fn without(
    layers: usize,
    program: &Program,
    roles: &Table<ValueId, Role>,
) -> Result<Table<ValueId, Role>, TorchError> {
    let mut fewer = roles.clone();
    for id in order(program, roles)?.into_iter().take(layers) {
        if let Role::Convolution { storage, .. } = fewer.get_mut(id)? {
            *storage = Storage::Recomputed;
        }
    }
    Ok(fewer)
}
