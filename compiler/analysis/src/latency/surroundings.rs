//! Parts as a network has them: between what makes the tensors that they take, and what reads those
//! that they hand on.
//!
//! An engine computes in a layout of its own and fuses a layer with those before and after it. A part
//! that runs alone takes and hands on tensors as the file has them: it pays for changes of layout
//! that no network makes, and may be computed in another way. Between two convolutions it is computed
//! as in a network; what these take is measured without the part, and subtracted.

use std::num::NonZeroU32;

use nas_ir::network::{NetworkNode, Port};
use nas_ir::ops::{Conv, Padding};
use nas_ir::{Network, Op, Precision, Shape};

use super::key::Key;
use super::parts::{Part, key};

/// The channels from which a tensor is made: so few that making it is little work.
const FROM: u32 = 1;
/// The channels to which a tensor is read, which engines may pack into one vector of 64 bytes.
const TO: u32 = 16;
/// The distance between the windows that are read: so few that reading them is little work.
const STRIDE: u32 = 16;
/// The side of a window. A stride behind a kernel of one pixel would be moved before it by some
/// engines, up into the part.
const WINDOW: u32 = 2;

/// What stands before and after a part, without the part.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Stands for them.
    pub key: Key,
    /// What makes each of the tensors, and what reads it.
    pub network: Network,
}

/// The part between what makes its inputs and what reads its outputs. Inputs and outputs of the space
/// stay as they are, and so do those that are no maps.
#[must_use]
pub fn surrounded(part: &Part) -> Network {
    let mut builder = Builder::of(&part.network);
    let mut places = Vec::new();
    let mut ports = part.network.inputs.iter().zip(&part.ends.inputs);
    for node in &part.network.nodes {
        let place = match &node.op {
            // Inputs of the network stand in the order of its ports.
            None => match ports.next() {
                Some((_, is_end)) if !is_end && is_map(node.shape) => builder.made(node.shape),
                _ => builder.input(node.shape),
            },
            Some(op) => {
                let inputs = node.inputs.iter().filter_map(|&input| places.get(input).copied());
                builder.push(op.clone(), inputs.collect(), node.shape, node.precision)
            }
        };
        places.push(place);
    }
    for (port, is_end) in part.network.outputs.iter().zip(&part.ends.outputs) {
        let shape = part.network.port_shape(port);
        let Some(&node) = places.get(port.node) else { continue };
        let node = if !is_end && is_map(shape) { builder.read(node, shape) } else { node };
        builder.output(node);
    }
    builder.network
}

/// What stands around a part: what makes its inputs, each read at once. None where it stands at the
/// inputs of the space, and takes the start of a network with it.
#[must_use]
pub fn surroundings(part: &Part) -> Option<Surroundings> {
    let mut builder = Builder::of(&part.network);
    for (port, is_end) in part.network.inputs.iter().zip(&part.ends.inputs) {
        let shape = part.network.port_shape(port);
        if !is_end && is_map(shape) {
            let made = builder.made(shape);
            let read = builder.read(made, shape);
            builder.output(read);
        }
    }
    let network = builder.network;
    let is_any = !network.outputs.is_empty();
    is_any.then(|| Surroundings { key: key("surroundings of a part\n", &network), network })
}

fn is_map(shape: Shape) -> bool {
    shape.plane().is_some()
}

/// A network while it is written.
struct Builder {
    network: Network,
}

impl Builder {
    /// An empty network, of the space and in the numbers of another.
    fn of(other: &Network) -> Self {
        let (space, precision) = (other.space.clone(), other.precision);
        Self { network: Network { space, precision, ..Network::default() } }
    }

    fn push(
        &mut self,
        op: Op,
        inputs: Vec<usize>,
        shape: Shape,
        precision: Option<Precision>,
    ) -> usize {
        let index = self.network.nodes.len();
        let name = format!("{}.{index}", op.declaration().name);
        let node = NetworkNode::new(name, Some(op), inputs, shape);
        self.network.nodes.push(NetworkNode { precision, ..node });
        index
    }

    fn input(&mut self, shape: Shape) -> usize {
        let node = self.network.nodes.len();
        let name = format!("input.{}", self.network.inputs.len());
        self.network.nodes.push(NetworkNode::new(name.clone(), None, Vec::new(), shape));
        self.network.inputs.push(Port { name, node });
        node
    }

    fn output(&mut self, node: usize) {
        let name = format!("output.{}", self.network.outputs.len());
        self.network.outputs.push(Port { name, node });
    }

    /// A tensor of this shape, made of an input.
    fn made(&mut self, shape: Shape) -> usize {
        let input = self.input(shape.with_channels(FROM));
        self.push(conv(shape.channels(), [1, 1], [1, 1]), vec![input], shape, None)
    }

    /// What a reader makes of a tensor.
    fn read(&mut self, node: usize, shape: Shape) -> usize {
        let plane = shape.plane().unwrap_or([1, 1]);
        let kernel = plane.map(|size| size.min(WINDOW));
        let op = conv(TO, kernel, [STRIDE, STRIDE]);
        let sizes = plane.map(|size| size.saturating_sub(WINDOW) / STRIDE + 1);
        let made = shape.with_channels(TO).with_spatial(sizes);
        self.push(op, vec![node], made, None)
    }
}

fn conv(out: u32, kernel: [u32; 2], stride: [u32; 2]) -> Op {
    Op::Conv(Conv {
        out,
        kernel,
        stride,
        dilation: [1, 1],
        groups: NonZeroU32::MIN,
        bias: true,
        padding: Padding { before: [0, 0], after: [0, 0] },
    })
}
