//! Networks built by hand, with weights made up.

use std::num::NonZeroU32;

use nas_ir::network::{NetworkNode, Port};
use nas_ir::ops::{BatchNorm, Conv, Padding, Role};
use nas_ir::{Model, Network, Op, Shape, Tensor, Weights};

/// A network under construction.
pub struct Builder(Network);

impl Builder {
    /// Nothing yet, of a space of this name.
    #[must_use]
    pub fn new(space: &str) -> Self {
        Self(Network {
            space: space.to_owned(),
            task: None,
            choices: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            ..Network::default()
        })
    }

    fn push(&mut self, name: &str, op: Option<Op>, inputs: &[usize], shape: Shape) -> usize {
        self.0.nodes.push(NetworkNode::new(name, op, inputs.to_vec(), shape));
        self.0.nodes.len() - 1
    }

    /// An input; returns its node.
    pub fn input(&mut self, name: &str, shape: Shape) -> usize {
        let node = self.push(name, None, &[], shape);
        self.0.inputs.push(Port { name: name.to_owned(), node });
        node
    }

    /// A node whose shape follows from its operands.
    pub fn op(&mut self, name: &str, op: Op, inputs: &[usize]) -> usize {
        let shapes: Vec<Shape> = inputs.iter().map(|&i| self.0.nodes[i].shape).collect();
        let shape = op.shape(&shapes).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        self.push(name, Some(op), inputs, shape)
    }

    /// A node without operands, as a specialised network holds `zero`.
    pub fn constant(&mut self, name: &str, op: Op, shape: Shape) -> usize {
        self.push(name, Some(op), &[], shape)
    }

    /// Makes the value of a node an output.
    pub fn output(&mut self, name: &str, node: usize) -> &mut Self {
        self.0.outputs.push(Port { name: name.to_owned(), node });
        self
    }

    /// Says which candidate a decision took.
    pub fn choice(&mut self, path: &str, candidate: &str) -> &mut Self {
        self.0.choices.push((path.to_owned(), candidate.to_owned()));
        self
    }

    /// What was built so far.
    #[must_use]
    pub fn network(&self) -> Network {
        self.0.clone()
    }
}

/// A network of one operator, `op.0`; its inputs are `a`, `b`, `c` and `d`, as many as there are
/// shapes, its output is `y`.
#[must_use]
pub fn single(op: Op, shapes: &[Shape]) -> Network {
    let mut b = Builder::new("single");
    let names = ["a", "b", "c", "d"];
    let inputs: Vec<usize> = names.iter().zip(shapes).map(|(n, &s)| b.input(n, s)).collect();
    let y = b.op("op.0", op, &inputs);
    b.output("y", y).network()
}

/// The padding that keeps the size at stride 1, the odd pixel at the end.
#[must_use]
pub fn same(kernel: [u32; 2], dilation: [u32; 2]) -> Padding {
    let total = [(kernel[0] - 1) * dilation[0], (kernel[1] - 1) * dilation[1]];
    let before = total.map(|t| t / 2);
    Padding { before, after: [total[0] - before[0], total[1] - before[1]] }
}

/// No padding.
pub const VALID: Padding = Padding { before: [0, 0], after: [0, 0] };

/// A number of groups, not 0.
#[must_use]
pub fn groups(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

/// A square convolution of stride 1 without bias, padded to keep the size.
#[must_use]
pub fn conv(out: u32, kernel: u32) -> Conv {
    let kernel = [kernel, kernel];
    Conv {
        out,
        kernel,
        stride: [1, 1],
        dilation: [1, 1],
        groups: groups(1),
        bias: false,
        padding: same(kernel, [1, 1]),
    }
}

/// A batch norm with the defaults of the language.
pub const NORM: BatchNorm = BatchNorm { eps: 1e-5, momentum: 0.1, affine: true };

/// The network with [`weights`].
#[must_use]
pub fn with_weights(network: &Network) -> Model {
    Model { network: network.clone(), weights: weights(network) }
}

/// Weights in `[-1, 1)`, variances in `[0.5, 1.5)`, from a fixed sequence (splitmix64).
#[must_use]
pub fn weights(network: &Network) -> Weights {
    let mut state = 0_u64;
    let mut uniform = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    };
    let mut tensor = |role, elements| -> Vec<f32> {
        let value = |u: f32| if role == Role::RunningVariance { 0.5 + u } else { 2.0 * u - 1.0 };
        (0..elements).map(|_| value(uniform())).collect()
    };
    let all = network.weights().into_iter();
    all.map(|w| {
        let data = tensor(w.weight.role, w.weight.elements());
        (w.name, Tensor::of_floats(w.weight.dims, data))
    })
    .collect()
}
