//! Branches that train beside each other and compute as one convolution (Ding et al. 2021, "RepVGG",
//! section 3.3): a smaller kernel is a part of a larger one, what is added unchanged is a 1x1 kernel of
//! the identity, and a batch norm scales what is before it.

use nas_ir::network::{NetworkNode, TrainingPart};
use nas_ir::ops::{Conv, Padding, Role, Scaling};
use nas_ir::{IdVec, Model, Network, Op, Tensor, Weights, fault};

use super::weights::{floats, name, needed, scaling};
use crate::rewire::{Part, arranged};

/// The model with one convolution in the place of each sum of convolutions of one tensor, of batch
/// norms of these, and of that tensor itself; and of a batch norm of such a sum. It has the path of
/// what it replaces. What is computed on the way must be read by nothing else; the convolutions must
/// have the same stride and groups, and no dilation. What training adds goes.
///
/// The model is one that is verified: see [`super::PASSES`].
#[must_use]
pub fn reparameterise(model: Model) -> Model {
    let Model { mut network, mut weights } = model;
    network.training = TrainingPart::default();
    let forms = Finder::find(&network, &weights);
    let mut nodes = std::mem::take(&mut network.nodes);
    let mut is_gone: IdVec<usize, bool> = IdVec::filled(nodes.len(), false);
    for (node, form) in nodes.iter_mut().zip(forms) {
        let Some(form) = form.filter(|form| form.is_sum) else { continue };
        for &gone in &form.inner {
            is_gone[gone] = true;
        }
        put(form, node, &mut weights);
    }
    let part = |node| if is_gone[node] { Part::Gone } else { Part::Own };
    let network = arranged(network, nodes, part);
    let weights = needed(&network, weights);
    Model { network, weights }
}

/// Makes a node the convolution that its form is.
fn put(form: Form, node: &mut NetworkNode, weights: &mut Weights) {
    let Taps::Kernel(conv, taps) = form.taps else { fault("a sum that is no convolution") };
    let rounded = |of: &[f64]| of.iter().map(|&x| x as f32).collect();
    let [height, width] = conv.kernel;
    let dims = [conv.out, each(&conv, &taps) as u32, height, width];
    weights.insert(name(node, Role::Kernel), Tensor::of_floats(dims, rounded(&taps)));
    weights.insert(name(node, Role::Bias), Tensor::of_floats([conv.out], rounded(&form.bias)));
    node.op = Some(Op::Conv(Conv { bias: true, ..conv }));
    node.inputs = vec![form.source];
}

/// The value of a node as a linear function of that of another one, in 64 bits.
struct Form {
    source: usize,
    taps: Taps,
    /// What is added to each channel.
    bias: Vec<f64>,
    /// Whether it is a sum of such functions, or follows from one; all else stays as it is.
    is_sum: bool,
    /// The nodes between the source and this one.
    inner: Vec<usize>,
}

enum Taps {
    /// A factor for each channel.
    Channels(Vec<f64>),
    /// A convolution and its kernel `[out, in / groups, kh, kw]`.
    Kernel(Conv, Vec<f64>),
}

/// Input channels of each group.
fn each(conv: &Conv, taps: &[f64]) -> usize {
    let [height, width] = conv.kernel;
    taps.len() / (conv.out * height * width).max(1) as usize
}

/// Goes through a network, operands first.
struct Finder<'m> {
    network: &'m Network,
    weights: &'m Weights,
    reads: IdVec<usize, usize>,
    /// For each node so far, what it is, unless another one has taken it in.
    forms: Vec<Option<Form>>,
}

impl<'m> Finder<'m> {
    /// For each node, what it is as a function of another one, if that is no part of the function
    /// that a later one is.
    fn find(network: &'m Network, weights: &'m Weights) -> Vec<Option<Form>> {
        let mut finder = Self { network, weights, reads: network.reads(), forms: Vec::new() };
        for node in &network.nodes {
            let form = finder.form(node);
            finder.forms.push(form);
        }
        finder.forms
    }

    fn form(&mut self, node: &NetworkNode) -> Option<Form> {
        match (&node.op, node.inputs.as_slice()) {
            (Some(Op::Conv(conv)), &[source]) => self.conv(node, *conv, source),
            (Some(Op::Add(_)), operands) => self.sum(node, operands),
            (_, &[operand]) => {
                let scaling = scaling(self.weights, node)?;
                Some(self.taken(operand, node.shape.channels()).scaled(&scaling))
            }
            _ => None,
        }
    }

    fn conv(&self, node: &NetworkNode, conv: Conv, source: usize) -> Option<Form> {
        let is_dense = conv.kernel.iter().zip(conv.dilation).all(|(&k, d)| k == 1 || d == 1);
        if !is_dense {
            return None;
        }
        let read = |role| {
            let floats = floats(self.weights, node, role).iter();
            floats.map(|&x| f64::from(x)).collect::<Vec<f64>>()
        };
        let bias = if conv.bias { read(Role::Bias) } else { vec![0.0; conv.out as usize] };
        let conv = Conv { dilation: [1, 1], ..conv };
        let taps = Taps::Kernel(conv, read(Role::Kernel));
        Some(Form { source, taps, bias, is_sum: false, inner: Vec::new() })
    }

    /// The function that an operand is, if nothing else reads it.
    fn known(&self, operand: usize) -> Option<&Form> {
        let is_alone = self.reads[operand] == 1;
        self.forms.get(operand).filter(|_| is_alone)?.as_ref()
    }

    /// As [`Self::known`], taken into another function; else the operand is a source itself.
    fn taken(&mut self, operand: usize, channels: u32) -> Form {
        let known = self.known(operand).is_some();
        let form = self.forms.get_mut(operand).filter(|_| known).and_then(Option::take);
        if let Some(mut form) = form {
            form.inner.push(operand);
            return form;
        }
        let channels = channels as usize;
        let (taps, bias) = (Taps::Channels(vec![1.0; channels]), vec![0.0; channels]);
        Form { source: operand, taps, bias, is_sum: false, inner: Vec::new() }
    }

    /// A sum of convolutions of one tensor, and perhaps of that tensor.
    fn sum(&mut self, node: &NetworkNode, operands: &[usize]) -> Option<Form> {
        let source = |&operand: &usize| self.known(operand).map_or(operand, |form| form.source);
        let first = source(operands.first()?);
        if operands.iter().any(|operand| source(operand) != first) {
            return None;
        }
        let conv = |&operand: &usize| match &self.known(operand)?.taps {
            Taps::Kernel(conv, _) => Some(*conv),
            Taps::Channels(_) => None,
        };
        let shape = self.network.node(first)?.shape;
        let conv = frame(&operands.iter().map(conv).collect::<Vec<_>>(), shape.channels())?;
        if Op::Conv(conv).shape(&[shape]) != Ok(node.shape) {
            return None;
        }
        let [height, width] = conv.kernel;
        let each = shape.channels() / conv.groups;
        let taps = vec![0.0; (conv.out * each * height * width) as usize];
        let bias = vec![0.0; conv.out as usize];
        let taps = Taps::Kernel(conv, taps);
        let mut sum = Form { source: first, taps, bias, is_sum: true, inner: Vec::new() };
        for &operand in operands {
            sum.add(self.taken(operand, shape.channels()));
        }
        Some(sum)
    }
}

/// The least convolution that reads all that these do, and the place itself for each that is none;
/// `None` if they have no convolution in common.
fn frame(convs: &[Option<Conv>], channels: u32) -> Option<Conv> {
    let first = convs.iter().copied().flatten().next()?;
    let is_alike = |conv: &Conv| {
        (conv.out, conv.stride, conv.groups) == (first.out, first.stride, first.groups)
    };
    let itself = || (first.out, first.stride) == (channels, [1, 1]);
    if !convs.iter().all(|conv| conv.as_ref().map_or_else(itself, is_alike)) {
        return None;
    }
    let mut frame = first;
    for (axis, kernel) in frame.kernel.iter_mut().enumerate() {
        let windows = || convs.iter().map(move |conv| Reach::of(conv.as_ref(), axis));
        let before = windows().map(|reach| reach.before).max()?;
        let last = windows().map(|reach| reach.last).max()?;
        let after = windows().map(|reach| reach.after + last - reach.last).max()?;
        *kernel = u32::try_from(before + last + 1).ok()?;
        let Padding { before: pads_before, after: pads_after } = &mut frame.padding;
        *pads_before.get_mut(axis)? = u32::try_from(before).ok()?;
        *pads_after.get_mut(axis)? = u32::try_from(after).ok()?;
    }
    Some(frame)
}

/// What a window reads along an axis: from so many places before the one that it stands at to the
/// last one after it; and how far the map is padded behind.
struct Reach {
    before: i64,
    last: i64,
    after: i64,
}

impl Reach {
    /// That of a convolution, or of the place itself.
    fn of(conv: Option<&Conv>, axis: usize) -> Self {
        let along = |of: [u32; 2]| of.get(axis).copied().map_or(0, i64::from);
        let Some(conv) = conv else { return Self { before: 0, last: 0, after: 0 } };
        let before = along(conv.padding.before);
        Self { before, last: along(conv.kernel) - 1 - before, after: along(conv.padding.after) }
    }
}

impl Form {
    /// Adds a function of the same source; this one is a convolution that reads all that it does.
    fn add(&mut self, other: Form) {
        let Taps::Kernel(conv, sum) = &mut self.taps else { fault("a sum that is no convolution") };
        let each = each(conv, sum);
        let [height, width] = conv.kernel.map(|size| size as usize);
        let before = conv.padding.before;
        // Where a row of taps of the other one begins.
        let row = |which: usize, y: usize, [up, left]: [u32; 2]| {
            let [top, start] = [before[0] - up, before[1] - left].map(|n| n as usize);
            (which * height + y + top) * width + start
        };
        let mut plus = |at: usize, taps: &[f64]| {
            let own = sum.get_mut(at..at + taps.len());
            let own = own.unwrap_or_else(|| fault("a kernel that is larger than its frame"));
            own.iter_mut().zip(taps).for_each(|(own, tap)| *own += tap);
        };
        match &other.taps {
            Taps::Channels(factors) => {
                for (channel, factor) in factors.iter().enumerate() {
                    let which = channel * each + channel % each;
                    plus(row(which, 0, [0, 0]), std::slice::from_ref(factor));
                }
            }
            Taps::Kernel(conv, taps) => {
                let [tall, wide] = conv.kernel.map(|size| size as usize);
                for (at, taps) in taps.chunks(wide.max(1)).enumerate() {
                    plus(row(at / tall, at % tall, conv.padding.before), taps);
                }
            }
        }
        self.bias.iter_mut().zip(other.bias).for_each(|(own, bias)| *own += bias);
        self.inner.extend(other.inner);
    }

    /// The function whose values are multiplied and added to.
    fn scaled(mut self, scaling: &[Scaling]) -> Self {
        let taps = match &mut self.taps {
            Taps::Channels(taps) | Taps::Kernel(_, taps) => taps,
        };
        let each = taps.len() / scaling.len().max(1);
        for (taps, Scaling { factor, .. }) in taps.chunks_mut(each.max(1)).zip(scaling) {
            taps.iter_mut().for_each(|tap| *tap *= factor);
        }
        for (bias, Scaling { factor, offset }) in self.bias.iter_mut().zip(scaling) {
            *bias = *bias * factor + offset;
        }
        self
    }
}
