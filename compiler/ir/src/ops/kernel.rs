//! What operators that multiply by a kernel share: convolutions, transposed ones, linear layers.

use std::num::NonZeroU32;

use super::problem::ShapeProblem;
use super::signature::{Argument, Default, Kind, Parameter};
use super::weight::{Role, Weight};
use crate::shape::Shape;

pub(super) const OUT: Parameter = Parameter {
    name: "out",
    kind: Kind::Count(1),
    default: Default::Required,
    doc: "output channels",
};

pub(super) const GROUPS: Parameter = Parameter {
    name: "groups",
    kind: Kind::Count(1),
    default: Default::Is(Argument::Count(1)),
    doc: "groups of channels that do not see each other; `x.channels` makes it depthwise",
};

pub(super) const BIAS: Parameter = Parameter {
    name: "bias",
    kind: Kind::Flag,
    default: Default::Is(Argument::Flag(false)),
    doc: "whether a bias is added",
};

/// The kernel, and the bias `[out]` if there is one, which begins at 0.
pub(super) fn with_bias(kernel: Weight, has_bias: bool, out: u32) -> Vec<Weight> {
    let bias = has_bias.then(|| Weight::each(Role::Bias, out, 0.0));
    std::iter::once(kernel).chain(bias).collect()
}

/// Groups must divide the channels on both sides.
pub(super) fn groups_divide(
    groups: NonZeroU32,
    input: u32,
    output: u32,
) -> Result<(), ShapeProblem> {
    let divides = |channels: u32, groups: u32| channels.is_multiple_of(groups);
    for (channels, side) in [(input, "input"), (output, "output")] {
        if !divides(channels, groups.get()) {
            let most = groups.get().min(input).min(output);
            let nearest = (1..=most).rev().find(|&g| divides(input, g) && divides(output, g));
            return Err(ShapeProblem::Groups {
                groups: groups.get(),
                of: format!("{channels} {side} channels"),
                nearest: nearest.unwrap_or(1),
            });
        }
    }
    Ok(())
}

/// MACs of a kernel that is applied at each position of a shape.
pub(super) fn at_each_position(kernel: &Weight, shape: Shape) -> u128 {
    u128::from(kernel.elements()).saturating_mul(shape.positions().into())
}

/// 2 / fan-out (He et al. 2015, equation 14), where fan-out is the number of outputs that read an
/// input at stride 1: `kh * kw * out / groups`.
pub(super) fn he_variance(kernel: [u32; 2], out: u32, groups: NonZeroU32) -> f64 {
    let [kh, kw] = kernel.map(f64::from);
    2.0 / (kh * kw * f64::from(out) / f64::from(groups.get())).max(1.0)
}
