//! How tensors fit that are to have one shape: what differs between them, and a step that cures it.

use crate::shape::Shape;

/// A step after which an operand fits the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Which of the operands.
    pub operand: usize,
    /// What it goes into, such as `conv(8, kernel = 1)`.
    pub step: String,
}

impl Fit {
    /// The step that gives one operand the shape of the others: that of most, or of two what is
    /// nearer. `wanted` is the shape that an operand
    /// must have beside another one.
    pub(super) fn of(inputs: &[Shape], wanted: fn(Shape, Shape) -> Shape) -> Option<Self> {
        let votes = |shape: Shape| inputs.iter().filter(|&&other| other == shape).count();
        let usual = inputs.iter().copied().rev().max_by_key(|&shape| votes(shape))?;
        let other = inputs.iter().position(|&shape| shape != wanted(shape, usual))?;
        let theirs = inputs.get(other).copied()?;
        let (ours, needed) = (wanted(usual, theirs), wanted(theirs, usual));
        if votes(theirs) == votes(usual) && is_nearer((usual, ours), (theirs, needed)) {
            let operand = inputs.iter().position(|&shape| shape == usual)?;
            return Some(Self { operand, step: step(usual, ours)? });
        }
        Some(Self { operand: other, step: step(theirs, needed)? })
    }
}

/// Whether the first change of a shape is rather made than the second: one of channels alone, of
/// the fewer channels, or of the larger size.
fn is_nearer(first: (Shape, Shape), second: (Shape, Shape)) -> bool {
    let keeps_size = |(from, to): (Shape, Shape)| from.spatial() == to.spatial();
    match (keeps_size(first), keeps_size(second)) {
        (true, true) => first.0.channels() < second.0.channels(),
        (false, false) => area(first.0) > area(second.0),
        (keeps_size, _) => keeps_size,
    }
}

/// Height times width; of a vector, which has neither, 0.
fn area(shape: Shape) -> u64 {
    if shape.is_spatial() { shape.positions() } else { 0 }
}

/// A step that makes one shape of another, as far as there are operators for it: of vectors
/// vectors, of maps both.
fn step(from: Shape, to: Shape) -> Option<String> {
    let channels = to.channels();
    if !from.is_spatial() {
        return (!to.is_spatial()).then(|| format!("linear({channels})"));
    }
    let size = from.plane()?;
    let has_channels = from.channels() == channels;
    if !to.is_spatial() {
        let linear = if has_channels { String::new() } else { format!(" -> linear({channels})") };
        return Some(format!("global_avg_pool -> flatten{linear}"));
    }
    let wanted = to.plane()?;
    if size == wanted {
        return Some(format!("conv({channels}, kernel = 1)"));
    }
    let stride = [0, 1].map(|axis: usize| {
        let (from, to) = (size.get(axis).copied()?, wanted.get(axis).copied()?);
        let stride = from.div_ceil(to.max(1)).max(1);
        (from.div_ceil(stride) == to).then_some(stride)
    });
    let resize = format!("resize(size = ({}, {}))", wanted[0], wanted[1]);
    Some(match stride {
        [Some(a), Some(b)] if a == b => format!("conv({channels}, kernel = 1, stride = {a})"),
        [Some(a), Some(b)] => format!("conv({channels}, kernel = 1, stride = ({a}, {b}))"),
        _ if has_channels => resize,
        _ => format!("conv({channels}, kernel = 1) -> {resize}"),
    })
}

/// What differs between two of the shapes, in words.
pub(super) fn difference(inputs: &[Shape]) -> &'static str {
    let any = |differs: fn(Shape, Shape) -> bool| {
        inputs.iter().zip(inputs.iter().skip(1)).any(|(&a, &b)| differs(a, b))
    };
    if any(|a, b| a.rank() != b.rank()) {
        let are_usual = inputs.iter().all(|shape| !shape.is_spatial() || shape.plane().is_some());
        return if are_usual { "not all are maps" } else { "not all have as many sizes" };
    }
    let channels = any(|a, b| a.channels() != b.channels());
    let sizes = any(|a, b| a.spatial() != b.spatial());
    let height = any(|a, b| a.plane().map(|[h, _]| h) != b.plane().map(|[h, _]| h));
    let width = any(|a, b| a.plane().map(|[_, w]| w) != b.plane().map(|[_, w]| w));
    match (channels, sizes, height, width) {
        (true, true, _, _) => "their channels and sizes differ",
        (true, false, _, _) => "their channels differ",
        (false, _, true, false) => "their heights differ",
        (false, _, false, true) => "their widths differ",
        (false, _, _, _) => "their sizes differ",
    }
}
