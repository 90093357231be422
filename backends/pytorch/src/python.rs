//! Each operator as PyTorch has it: one exhaustive match.

use std::fmt;
use std::num::NonZeroU32;

use nas_ir::ops::{Padding, ResizeMode};
use nas_ir::{Op, Shape};

/// How an operator is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written {
    /// The function or class, and whether it is a layer, which the module holds.
    pub(crate) call: Call,
    /// What it is given beside tensors: the names of its arguments and their values.
    pub(crate) arguments: Vec<(&'static str, Constant)>,
    /// Which tensors it has, in the order of the operator's parameters, as PyTorch calls them.
    pub(crate) tensors: Vec<&'static str>,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// A layer of this class.
    Layer(&'static str),
    /// A layer that reads a map of one pixel as a vector.
    LayerOfVector(&'static str),
    /// A function of tensors.
    Function(&'static str),
    /// A function of a list of tensors.
    Listed(&'static str),
    /// Zeros like those of the first argument, with these sizes.
    Zeros,
    /// The tensor itself.
    Nothing,
}

/// A number or numbers in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Int(i64),
    Real(f64),
    Flag(bool),
    Ints(Vec<i64>),
    Word(&'static str),
    /// The name of an argument of the class in which it stands.
    Named(String),
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Real(x) => write!(f, "{x:?}"),
            Self::Flag(true) => f.write_str("True"),
            Self::Flag(false) => f.write_str("False"),
            Self::Ints(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                write!(f, "({})", all.join(", "))
            }
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Named(name) => f.write_str(name),
        }
    }
}

fn int(n: u32) -> Constant {
    Constant::Int(n.into())
}

/// A number where both directions have it, else both.
fn pair([y, x]: [u32; 2]) -> Constant {
    if y == x { int(y) } else { both([y, x]) }
}

fn both(pair: [u32; 2]) -> Constant {
    Constant::Ints(pair.map(i64::from).into())
}

/// Left, right, top, bottom.
fn around(padding: Padding) -> Constant {
    let ([top, left], [bottom, right]) = (padding.before, padding.after);
    Constant::Ints([left, right, top, bottom].map(i64::from).into())
}

fn layer(
    class: &'static str,
    arguments: Vec<(&'static str, Constant)>,
    tensors: &[&'static str],
) -> Written {
    Written { call: Call::Layer(class), arguments, tensors: tensors.to_vec() }
}

fn function(name: &'static str, arguments: Vec<(&'static str, Constant)>) -> Written {
    Written { call: Call::Function(name), arguments, tensors: Vec::new() }
}

fn kernel_and_bias(has_bias: bool) -> &'static [&'static str] {
    if has_bias { &["weight", "bias"] } else { &["weight"] }
}

/// A convolution, or a transposed one: the class where the padding is as large before as after, and that where it is not;
/// channels of operand and result; kernel, stride, dilation and padding; groups, and whether there is a bias.
fn convolution(
    [even, uneven]: [&'static str; 2],
    (inputs, outputs): (u32, u32),
    (kernel, stride, dilation, padding): ([u32; 2], [u32; 2], [u32; 2], Padding),
    (groups, bias): (NonZeroU32, bool),
) -> Written {
    let (class, padding) = match padding.before == padding.after {
        true => (even, ("padding", pair(padding.before))),
        false => (uneven, ("around", around(padding))),
    };
    let arguments = vec![
        ("in_channels", int(inputs)),
        ("out_channels", int(outputs)),
        ("kernel_size", pair(kernel)),
        ("stride", pair(stride)),
        padding,
        ("dilation", pair(dilation)),
        ("groups", int(groups.get())),
        ("bias", Constant::Flag(bias)),
    ];
    layer(class, arguments, kernel_and_bias(bias))
}

/// How an operator on operands of these shapes is written.
pub(crate) fn written(op: &Op, operands: &[Shape], shape: Shape) -> Written {
    let operand = operands.first().copied().unwrap_or(shape);
    match op {
        Op::Add(_) => function("add", vec![]),
        Op::AvgPool(pool) => {
            let window = pool.window;
            let whole = operand.plane().map_or(window.padding, |size| window.whole_padding(size));
            let padding = window.padding;
            let is_usual = padding.before == padding.after && whole == padding;
            if is_usual {
                return function(
                    "F.avg_pool2d",
                    vec![
                        ("kernel_size", pair(window.kernel)),
                        ("stride", pair(window.stride)),
                        ("padding", pair(padding.before)),
                        ("count_include_pad", Constant::Flag(pool.count_include_pad)),
                    ],
                );
            }
            function(
                "avg_pool",
                vec![
                    ("kernel", both(window.kernel)),
                    ("stride", both(window.stride)),
                    ("around", around(padding)),
                    ("counts_padding", Constant::Flag(pool.count_include_pad)),
                    ("whole", around(whole)),
                ],
            )
        }
        Op::BatchNorm(norm) => {
            let class = if shape.is_spatial() { "nn.BatchNorm2d" } else { "nn.BatchNorm1d" };
            let mut arguments = vec![("num_features", int(shape.channels()))];
            if norm.eps != 1e-5 {
                arguments.push(("eps", Constant::Real(norm.eps)));
            }
            if norm.momentum != 0.1 {
                arguments.push(("momentum", Constant::Real(norm.momentum)));
            }
            if !norm.affine {
                arguments.push(("affine", Constant::Flag(false)));
                return layer(class, arguments, &["running_mean", "running_var"]);
            }
            layer(class, arguments, &["weight", "bias", "running_mean", "running_var"])
        }
        Op::ChannelPad(op) => {
            function("pad_channels", vec![("before", int(op.before)), ("after", int(op.after))])
        }
        Op::ChannelShuffle(op) => {
            function("F.channel_shuffle", vec![("groups", int(op.groups.get()))])
        }
        Op::ChannelSlice(op) => function(
            "torch.narrow",
            vec![
                ("dim", Constant::Int(1)),
                ("start", int(op.start)),
                ("length", int(op.end - op.start)),
            ],
        ),
        Op::Concat(_) => Written {
            call: Call::Listed("torch.cat"),
            arguments: vec![("dim", Constant::Int(1))],
            tensors: Vec::new(),
        },
        Op::Conv(op) => convolution(
            ["nn.Conv2d", "PaddedConv2d"],
            (operand.channels(), op.out),
            (op.kernel, op.stride, op.dilation, op.padding),
            (op.groups, op.bias),
        ),
        Op::ConvTranspose(op) => {
            let mut layer = convolution(
                ["nn.ConvTranspose2d", "CutConvTranspose2d"],
                (operand.channels(), op.out),
                (op.kernel, op.stride, op.dilation, op.padding),
                (op.groups, op.bias),
            );
            layer.arguments.push(("output_padding", pair(op.output_padding)));
            layer
        }
        Op::Crop(op) => function(
            "crop",
            vec![
                ("left", int(op.0.left)),
                ("right", int(op.0.right)),
                ("top", int(op.0.top)),
                ("bottom", int(op.0.bottom)),
            ],
        ),
        Op::DropPath(op) => layer("DropPath", vec![("p", Constant::Real(op.p))], &[]),
        Op::Dropout(op) => layer("nn.Dropout", vec![("p", Constant::Real(op.p))], &[]),
        Op::SpatialDropout(op) => layer("nn.Dropout2d", vec![("p", Constant::Real(op.p))], &[]),
        Op::Flatten(_) => function("torch.flatten", vec![("start_dim", Constant::Int(1))]),
        Op::GlobalAvgPool(_) => {
            function("F.adaptive_avg_pool2d", vec![("output_size", Constant::Int(1))])
        }
        Op::Hsigmoid(_) => function("F.hardsigmoid", vec![]),
        Op::Hswish(_) => function("F.hardswish", vec![]),
        Op::Identity(_) => Written { call: Call::Nothing, arguments: vec![], tensors: vec![] },
        Op::LeakyRelu(op) => {
            function("F.leaky_relu", vec![("negative_slope", Constant::Real(op.slope))])
        }
        Op::Linear(op) => {
            let arguments = vec![
                ("in_features", int(operand.channels())),
                ("out_features", int(op.out)),
                ("bias", Constant::Flag(op.bias)),
            ];
            let tensors = kernel_and_bias(op.bias).to_vec();
            let of = if operand.is_spatial() { Call::LayerOfVector } else { Call::Layer };
            Written { call: of("nn.Linear"), arguments, tensors }
        }
        Op::MaxPool(pool) => {
            let window = pool.window;
            let whole = operand.plane().map_or(window.padding, |size| window.whole_padding(size));
            if whole.before == whole.after {
                return function(
                    "F.max_pool2d",
                    vec![
                        ("kernel_size", pair(window.kernel)),
                        ("stride", pair(window.stride)),
                        ("padding", pair(whole.before)),
                    ],
                );
            }
            function(
                "max_pool",
                vec![
                    ("kernel", both(window.kernel)),
                    ("stride", both(window.stride)),
                    ("whole", around(whole)),
                ],
            )
        }
        Op::MaxUnpool(op) => {
            function("max_unpool", vec![("kernel", both(op.kernel)), ("stride", both(op.stride))])
        }
        Op::Mul(_) => function("multiply", vec![]),
        Op::Pad(op) => {
            let border = op.0;
            let sides = [border.left, border.right, border.top, border.bottom];
            function("F.pad", vec![("pad", Constant::Ints(sides.map(i64::from).into()))])
        }
        Op::Prelu(_) => {
            layer("nn.PReLU", vec![("num_parameters", int(shape.channels()))], &["weight"])
        }
        Op::Relu(_) => function("F.relu", vec![]),
        Op::Relu6(_) => function("F.relu6", vec![]),
        Op::Resize(op) => {
            let size = shape.plane().unwrap_or_default();
            let mut arguments = vec![("size", both(size))];
            match op.mode {
                ResizeMode::Nearest => arguments.push(("mode", Constant::Word("nearest"))),
                ResizeMode::Bilinear => {
                    arguments.push(("mode", Constant::Word("bilinear")));
                    arguments.push(("align_corners", Constant::Flag(op.align_corners)));
                }
            }
            function("F.interpolate", arguments)
        }
        Op::Shift(op) => {
            function("shift", vec![("kernel", int(op.kernel)), ("dilation", int(op.dilation))])
        }
        Op::Sigmoid(_) => function("torch.sigmoid", vec![]),
        Op::Swish(_) => function("F.silu", vec![]),
        Op::Tanh(_) => function("torch.tanh", vec![]),
        Op::Zero(_) => Written {
            call: Call::Zeros,
            arguments: vec![(
                "sizes",
                Constant::Ints(shape.dims().iter().map(|&size| size.into()).collect()),
            )],
            tensors: vec![],
        },
    }
}
