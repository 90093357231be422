//! Which other sizes of its inputs a network takes with the same parameters.
//!
//! A network is built for maps of one size. Made of windows and of what works place by place, it computes on
//! others, too: on those by which each of its maps grows in proportion. [`OpenSize::of`] proves which these are, or says
//! which node keeps the network to one size. A `resize` to a number of pixels is taken as what it was written for: as a
//! resize to the size of an earlier map that has this size, or by the factor between both.

use std::fmt;

use crate::id_vec::IdVec;
use crate::network::{Network, NetworkNode, TrainingPart};
use crate::ops::signature::Argument;
use crate::ops::{Op, Resize, ResizeTo, ShapeProblem, Weight};
use crate::shape::Shape;

/// The largest step that is tried.
const MOST: u32 = 512;

/// The sizes of maps for which a network computes: its inputs may be larger or smaller by any number of steps, down to
/// [`OpenSize::least`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSize {
    /// By how many rows and columns the inputs grow at a time.
    pub step: [u32; 2],
    /// The smallest height and width of the inputs.
    pub least: [u32; 2],
    /// By how many rows and columns the value of each node grows with each step of the inputs.
    pub growth: IdVec<usize, [u32; 2]>,
    /// For each node whose size is not said by its operands, the earlier node whose size it has.
    pub like: IdVec<usize, Option<usize>>,
}

/// The node that keeps a network to one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its index.
    pub node: usize,
    /// Why.
    pub why: Why,
}

/// Why a network does not compute on maps of another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The parameters of the node are for one size.
    Parameters,
    /// The node makes a vector of all pixels.
    Vector,
    /// The node has a size of its own, which no earlier map has and which is no multiple of its operand's.
    Size,
    /// No input is a map.
    NoMap,
    /// An input has another size than the first one.
    Inputs,
    /// Sizes along its operands do not grow together, whatever the step.
    Steps,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parameters => "its parameters are for one size of its operand",
            Self::Vector => "it makes a vector of all pixels of its operand",
            Self::Size => "its size is a number of pixels that no earlier map has, and no multiple of its operand's",
            Self::NoMap => "no input is a map",
            Self::Inputs => "it has another size than the first input",
            Self::Steps => "the sizes of its operands do not grow together",
        })
    }
}

impl OpenSize {
    /// The sizes for which a network computes, the network being well-formed ([`Network::verify`]).
    ///
    /// # Errors
    /// It computes for one alone.
    pub fn of(network: &Network) -> Result<Self, Closed> {
        let probe = Probe::of(network)?;
        let step = [probe.step(0)?, probe.step(1)?];
        let (growth, like) = probe.growth(step)?;
        let least = [0, 1].map(|axis| probe.least(axis, step, &growth));
        Ok(Self { step, least, growth, like })
    }

    /// The network for inputs that are larger by so many steps along both axes.
    #[must_use]
    pub fn enlarged(&self, network: &Network, [rows, columns]: [u32; 2]) -> Network {
        self.moved(network, [rows, columns].map(i64::from))
    }

    /// The network for inputs of another height and width; `None` where it does not compute on these.
    #[must_use]
    pub fn at(&self, network: &Network, size: [u32; 2]) -> Option<Network> {
        let own = network.inputs.iter().find_map(|port| network.port_shape(port).plane())?;
        let steps = |axis: usize| {
            let [size, own, step, least] =
                [size, own, self.step, self.least].map(|of| of.get(axis).copied());
            let (size, far) = (size?, i64::from(size?) - i64::from(own?));
            let step = i64::from(step?);
            (size >= least? && far % step == 0).then(|| far / step)
        };
        Some(self.moved(network, [steps(0)?, steps(1)?]))
    }

    /// The network for inputs that are larger by so many steps, or smaller.
    fn moved(&self, network: &Network, steps: [i64; 2]) -> Network {
        let mut network = network.clone();
        network.training = TrainingPart::default();
        for (node, (_, growth)) in network.nodes.iter_mut().zip(self.growth.iter()) {
            let Some([height, width]) = node.shape.plane() else { continue };
            let along = |own: u32, growth: u32, steps: i64| {
                u32::try_from(i64::from(own) + i64::from(growth) * steps).unwrap_or(own)
            };
            let size = [along(height, growth[0], steps[0]), along(width, growth[1], steps[1])];
            node.shape = node.shape.with_spatial(size);
            if let Some(Op::Resize(Resize { to: ResizeTo::Size(to), .. })) = &mut node.op {
                *to = size;
            }
        }
        network
    }
}

/// By how many rows and columns each node grows, and which other node's size it has.
type Grown = (IdVec<usize, [u32; 2]>, IdVec<usize, Option<usize>>);

/// Shapes of a network's values for inputs of other sizes.
struct Probe<'n> {
    network: &'n Network,
    /// The height and width of the inputs that are maps.
    size: [u32; 2],
    /// The largest stride of a window: sizes that are proportional over so many steps are so for all, because a window
    /// makes `floor((size + c) / stride) + 1` of a size, and all else a multiple, a sum, or what is constant.
    stride: u32,
}

impl<'n> Probe<'n> {
    fn of(network: &'n Network) -> Result<Self, Closed> {
        let mut size = None;
        for port in &network.inputs {
            let Some(plane) = network.port_shape(port).plane() else { continue };
            if *size.get_or_insert(plane) != plane {
                return Err(Closed { node: port.node, why: Why::Inputs });
            }
        }
        let strides = network.nodes.iter().filter_map(|node| node.op.as_ref()).map(stride);
        let stride = strides.max().unwrap_or(1);
        match (size, network.inputs.first()) {
            (Some(size), _) => Ok(Self { network, size, stride }),
            (None, port) => Err(Closed { node: port.map_or(0, |port| port.node), why: Why::NoMap }),
        }
    }

    /// The least step along an axis by which all sizes grow in proportion.
    fn step(&self, axis: usize) -> Result<u32, Closed> {
        let along = |step: u32| if axis == 0 { [step, 0] } else { [0, step] };
        let most = self.size.get(axis).copied().unwrap_or(1).clamp(1, MOST);
        let mut last = None;
        for step in 1..=most {
            match self.growth(along(step)) {
                Ok(_) => return Ok(step),
                Err(closed) if closed.why == Why::Steps => last = Some(closed),
                Err(closed) => return Err(closed),
            }
        }
        Err(last.unwrap_or(Closed { node: 0, why: Why::Steps }))
    }

    /// By how much each size grows with such a step, if all do so in proportion.
    fn growth(&self, step: [u32; 2]) -> Result<Grown, Closed> {
        let (once, like) = self.shapes(grown(self.size, step, 1))?;
        let growth: Vec<[u32; 2]> = self
            .network
            .nodes
            .iter()
            .zip(&once)
            .map(|(node, shape)| {
                let planes = shape.plane().zip(node.shape.plane());
                planes.map_or([0, 0], |(now, own)| {
                    [now[0].saturating_sub(own[0]), now[1].saturating_sub(own[1])]
                })
            })
            .collect();
        for steps in 1..=self.stride.saturating_add(1) {
            let shapes = self.shapes(grown(self.size, step, steps))?.0;
            self.is_proportional(&shapes, &growth, i64::from(steps))?;
        }
        Ok((growth.into(), like.into()))
    }

    /// Whether each value is larger by so many times its growth.
    fn is_proportional(
        &self,
        shapes: &[Shape],
        growth: &[[u32; 2]],
        steps: i64,
    ) -> Result<(), Closed> {
        let nodes = self.network.nodes.iter().zip(shapes).zip(growth);
        for (node, ((own, shape), growth)) in nodes.enumerate() {
            let (is_so, why) = match (own.shape.plane(), shape.plane()) {
                (Some(own), Some(now)) => {
                    let is_so = [0, 1].into_iter().all(|axis: usize| {
                        let [own, now, growth] = [own, now, *growth]
                            .map(|of| of.get(axis).copied().map_or(0, i64::from));
                        now == own + steps * growth
                    });
                    (is_so, Why::Steps)
                }
                _ => (own.shape == *shape, Why::Vector),
            };
            if !is_so {
                return Err(Closed { node, why });
            }
        }
        Ok(())
    }

    /// The smallest size along an axis for which the network computes.
    fn least(&self, axis: usize, step: [u32; 2], growth: &IdVec<usize, [u32; 2]>) -> u32 {
        let [own, by] = [self.size, step].map(|of| of.get(axis).copied().unwrap_or(1));
        let growth: Vec<[u32; 2]> =
            growth.iter().map(|(_, &[y, x])| if axis == 0 { [y, 0] } else { [0, x] }).collect();
        let smaller = (1..).map_while(|steps| Some((steps, own.checked_sub(steps * by)?)));
        let takes = |&(steps, size): &(u32, u32)| {
            let mut sizes = self.size;
            sizes.get_mut(axis).into_iter().for_each(|along| *along = size);
            let shapes = self.shapes(sizes);
            size > 0
                && shapes.is_ok_and(|(shapes, _)| {
                    self.is_proportional(&shapes, &growth, -i64::from(steps)).is_ok()
                })
        };
        smaller.take_while(takes).last().map_or(own, |(_, size)| size)
    }

    /// The shapes of all values for inputs of this size, and whose size each has that is not said by operands.
    fn shapes(&self, size: [u32; 2]) -> Result<(Vec<Shape>, Vec<Option<usize>>), Closed> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.network.nodes.len());
        let mut like = Vec::with_capacity(self.network.nodes.len());
        for (index, node) in self.network.nodes.iter().enumerate() {
            let closed = |why| Closed { node: index, why };
            let operands: Vec<Shape> =
                node.inputs.iter().filter_map(|&operand| shapes.get(operand).copied()).collect();
            let (shape, source) = match &node.op {
                None if node.shape.plane().is_some() => (node.shape.with_spatial(size), None),
                None => (node.shape, None),
                Some(_) if operands.is_empty() => {
                    let source = self.of_size(node.shape, &shapes);
                    let plane = source.and_then(|source| shapes.get(source)?.plane());
                    (plane.map_or(node.shape, |plane| node.shape.with_spatial(plane)), source)
                }
                Some(Op::Resize(resize)) => {
                    let (resize, source) =
                        self.resize(node, *resize, &shapes).ok_or(closed(Why::Size))?;
                    let shape = Op::Resize(resize)
                        .shape(&operands)
                        .map_err(|problem| closed(why(&problem)))?;
                    (shape, source)
                }
                Some(op) => {
                    let shape = op.shape(&operands).map_err(|problem| closed(why(&problem)))?;
                    if shape != node.shape && !shape.is_spatial() {
                        return Err(closed(Why::Vector));
                    }
                    if dims(op.weights(&operands))
                        != dims(op.weights(&self.network.operand_shapes(node)))
                    {
                        return Err(closed(Why::Parameters));
                    }
                    // Zeros are made by their size alone.
                    let source = node.inputs.first().copied().filter(|_| !op.reads_inputs());
                    (shape, source)
                }
            };
            shapes.push(shape);
            like.push(source);
        }
        Ok((shapes, like))
    }

    /// The first of the values that grow and have this height and width where the network has its own size.
    fn of_size(&self, shape: Shape, shapes: &[Shape]) -> Option<usize> {
        let plane = shape.plane()?;
        let mut nodes = self.network.nodes.iter().zip(shapes);
        nodes.position(|(own, now)| own.shape.plane() == Some(plane) && own.shape != *now)
    }

    /// A resize for operands of other sizes, and whose size its result has then; `None` if that cannot be told.
    fn resize(
        &self,
        node: &NetworkNode,
        resize: Resize,
        shapes: &[Shape],
    ) -> Option<(Resize, Option<usize>)> {
        let ResizeTo::Size(size) = resize.to else { return Some((resize, None)) };
        if let Some(source) = self.of_size(node.shape, shapes) {
            let to = ResizeTo::Size(shapes.get(source)?.plane()?);
            return Some((Resize { to, ..resize }, Some(source)));
        }
        let &operand = node.inputs.first()?;
        let (own, now) = (self.network.nodes.get(operand)?.shape, *shapes.get(operand)?);
        if own == now {
            return Some((resize, None));
        }
        let [height, width] = own.plane()?;
        let is_multiple = size[0].is_multiple_of(height) && size[1].is_multiple_of(width);
        let to = ResizeTo::Scale([size[0] / height.max(1), size[1] / width.max(1)]);
        is_multiple.then_some((Resize { to, ..resize }, None))
    }
}

fn grown([height, width]: [u32; 2], [y, x]: [u32; 2], steps: u32) -> [u32; 2] {
    [height.saturating_add(y.saturating_mul(steps)), width.saturating_add(x.saturating_mul(steps))]
}

fn stride(op: &Op) -> u32 {
    match op.arguments().get("stride") {
        Some(Argument::Pair([y, x])) => y.max(x),
        _ => 1,
    }
}

fn dims(weights: Vec<Weight>) -> Vec<Vec<u32>> {
    weights.into_iter().map(|weight| weight.dims).collect()
}

/// A `linear` on a map of more than one pixel says so itself.
fn why(problem: &ShapeProblem) -> Why {
    match problem {
        ShapeProblem::Rank { .. } => Why::Parameters,
        _ => Why::Steps,
    }
}
