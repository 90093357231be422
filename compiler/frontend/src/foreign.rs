//! What operators and parameters of other frameworks are called here. `names.md` is written from these
//! tables; suggestions are made from them before any is made from spelling.

use nas_diagnostics::{Edit, Fix, Help};
use nas_grammar::Source;
use nas_grammar::ast::Span;
use nas_grammar::source::At;

/// What stands here for a name of PyTorch, Keras or ONNX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// An operator, a function or a parameter.
    Is(&'static str),
    /// A block of this module of the standard library.
    Library(&'static str, &'static str),
    /// It is written in another way: how.
    Written(&'static str),
    /// There is none: what there is.
    Nothing(&'static str),
    /// A parameter that is left out: why.
    LeftOut(&'static str),
}

/// A row: names that mean the same elsewhere, and what it is here.
#[derive(Debug)]
pub struct Row {
    /// The names. Capitals and underscores make no difference, so that `Conv2d` is `conv2d`.
    pub names: &'static [&'static str],
    /// What it is here.
    pub here: Here,
}

const fn row(names: &'static [&'static str], here: Here) -> Row {
    Row { names, here }
}

const ACTIVATIONS: Here = Here::Nothing(
    "activations are `relu`, `relu6`, `leaky_relu`, `prelu`, `hswish`, `hsigmoid`, `sigmoid`, `swish`, `tanh`",
);
const NORMS: Here = Here::Nothing("`batch_norm` is the one normalisation");
const PLANES: Here = Here::Nothing("tensors are maps [channels, height, width] or vectors");
const ATTENTION: Here =
    Here::Nothing("networks are made of convolutions, pooling, linear layers and activations");
const MATHS: Here = Here::Nothing("tensors are added by `x + y` and multiplied by `x * y`");
const LOGITS: Here =
    Here::Nothing("the output holds the logits, and the loss of the task has the softmax in it");
const CHANNELS: Here = Here::Written("`x -> channel_slice(0, n)` takes the first n channels");
const WHOLE_MAP: Here =
    Here::Written("`global_avg_pool` is the mean over the whole map, as `1` is there");

/// Operators and functions.
pub const CALLABLES: &[Row] = &[
    row(&["Conv2d", "convolution", "convolution2d"], Here::Is("conv")),
    row(&["Conv1d", "Conv3d"], PLANES),
    row(
        &["DepthwiseConv2D", "depthwise", "depthwise_conv", "dw_conv"],
        Here::Written("`x -> conv(x.channels, kernel = 3, groups = x.channels)` is depthwise"),
    ),
    row(
        &["pointwise", "pointwise_conv", "conv1x1"],
        Here::Written("`x -> conv(8, kernel = 1)` is pointwise"),
    ),
    row(&["SeparableConv2D"], Here::Library("blocks", "separable_conv")),
    row(
        &["ConvTranspose2d", "Conv2DTranspose", "deconv", "deconvolution"],
        Here::Is("conv_transpose"),
    ),
    row(&["bn", "BatchNorm2d", "BatchNormalization"], Here::Is("batch_norm")),
    row(
        &[
            "LayerNorm",
            "LayerNormalization",
            "GroupNorm",
            "GroupNormalization",
            "InstanceNorm",
            "InstanceNorm2d",
            "InstanceNormalization",
            "RMSNorm",
            "LocalResponseNorm",
            "LRN",
        ],
        NORMS,
    ),
    row(&["fc", "dense", "Gemm", "fully_connected", "inner_product"], Here::Is("linear")),
    row(&["MatMul", "bmm", "einsum"], Here::Written("`linear` multiplies a vector by its weights")),
    row(&["hard_swish"], Here::Is("hswish")),
    row(&["hard_sigmoid"], Here::Is("hsigmoid")),
    row(&["SiLU"], Here::Is("swish")),
    row(&["lrelu"], Here::Is("leaky_relu")),
    row(
        &[
            "GELU",
            "ELU",
            "SELU",
            "CELU",
            "GLU",
            "RReLU",
            "mish",
            "softplus",
            "softsign",
            "hardtanh",
            "hardshrink",
            "softshrink",
            "tanhshrink",
            "threshold",
            "logsigmoid",
        ],
        ACTIVATIONS,
    ),
    row(&["softmax", "log_softmax", "softmax2d"], LOGITS),
    row(&["argmax"], LOGITS),
    row(
        &["upsample", "interpolate", "UpSampling2D", "UpsamplingBilinear2d", "UpsamplingNearest2d"],
        Here::Is("resize"),
    ),
    row(&["MaxPool2d", "MaxPooling2D"], Here::Is("max_pool")),
    row(&["MaxUnpool2d"], Here::Is("max_unpool")),
    row(&["AvgPool2d", "AveragePool", "AveragePooling2D"], Here::Is("avg_pool")),
    row(&["GlobalAveragePool", "GlobalAveragePooling2D", "gap"], Here::Is("global_avg_pool")),
    row(&["adaptive_avg_pool", "AdaptiveAvgPool2d", "reduce_mean"], WHOLE_MAP),
    row(
        &["adaptive_max_pool", "AdaptiveMaxPool2d", "GlobalMaxPool", "GlobalMaxPooling2D"],
        Here::Written("`x -> max_pool((x.height, x.width))` is the maximum over the whole map"),
    ),
    row(&["dropout2d", "SpatialDropout2D"], Here::Is("spatial_dropout")),
    row(&["stochastic_depth"], Here::Is("drop_path")),
    row(&["cat", "concatenate"], Here::Is("concat")),
    row(&["stack"], PLANES),
    row(&["split", "chunk", "slice", "gather"], CHANNELS),
    row(&["multiply"], Here::Is("mul")),
    row(&["subtract", "div", "divide", "sqrt", "exp", "log", "abs", "clamp", "clip"], MATHS),
    row(&["skip_connect", "skip_connection", "noop"], Here::Is("identity")),
    row(&["ZeroPad2d", "ZeroPadding2D", "ConstantPad2d"], Here::Is("pad")),
    row(
        &["ReflectionPad2d", "ReplicationPad2d"],
        Here::Nothing("`pad` makes a border of zeros, and of nothing else"),
    ),
    row(&["Cropping2D"], Here::Is("crop")),
    row(
        &["PixelShuffle", "depth_to_space"],
        Here::Nothing("`resize` and `conv_transpose` make maps larger"),
    ),
    row(
        &["PixelUnshuffle", "space_to_depth"],
        Here::Nothing("a stride of `conv` or of a pooling makes maps smaller"),
    ),
    row(
        &["reshape", "view", "permute", "transpose", "squeeze", "unsqueeze"],
        Here::Nothing("`flatten` makes a vector of a map; other shapes follow from the operators"),
    ),
    row(
        &["Sequential", "ModuleList"],
        Here::Written("steps follow each other by `->`: `x -> conv(8, kernel = 3) -> relu`"),
    ),
    row(
        &[
            "attention",
            "MultiheadAttention",
            "self_attention",
            "transformer",
            "embedding",
            "LSTM",
            "GRU",
            "RNN",
        ],
        ATTENTION,
    ),
    row(&["se", "se_block", "squeeze_and_excitation"], Here::Library("blocks", "squeeze_excite")),
    row(&["conv_bn_activation", "conv_norm_relu"], Here::Library("blocks", "conv_bn_relu")),
    row(&["make_divisible"], Here::Is("round_to")),
    row(
        &["floor", "ceil", "round", "int"],
        Here::Written("`/` of whole numbers rounds down, `round_to(x, 1)` to the nearest one"),
    ),
];

/// Parameters.
pub const PARAMETERS: &[Row] = &[
    row(&["kernel_size", "kernel_shape", "pool_size", "ksize"], Here::Is("kernel")),
    row(
        &[
            "filters",
            "out_channels",
            "out_features",
            "num_outputs",
            "output_channels",
            "units",
            "out_ch",
            "planes",
            "features",
        ],
        Here::Is("out"),
    ),
    row(&["strides"], Here::Is("stride")),
    row(&["pad", "pads", "auto_pad"], Here::Is("padding")),
    row(&["dilations", "dilation_rate"], Here::Is("dilation")),
    row(&["group", "num_groups"], Here::Is("groups")),
    row(&["use_bias", "bias_term"], Here::Is("bias")),
    row(&["scale_factor", "scales"], Here::Is("scale")),
    row(&["output_size", "sizes", "target_size"], Here::Is("size")),
    row(&["interpolation"], Here::Is("mode")),
    row(&["epsilon"], Here::Is("eps")),
    row(&["drop_prob", "drop_rate", "prob", "rate"], Here::Is("p")),
    row(&["negative_slope", "alpha"], Here::Is("slope")),
    row(&["ceil_mode"], Here::Is("ceil")),
    row(&["expand_ratio", "expansion", "expand_factor"], Here::Is("expand")),
    row(
        &[
            "in_channels",
            "in_features",
            "num_features",
            "input_channels",
            "in_ch",
            "inplanes",
            "normalized_shape",
            "input_shape",
            "input_size",
        ],
        Here::LeftOut("it follows from the tensor that flows in"),
    ),
    row(&["inplace"], Here::LeftOut("it is how an engine computes, and no part of a network")),
    row(&["data_format"], Here::LeftOut("channels come first, then height and width")),
    row(&["padding_mode"], Here::LeftOut("padding is of zeros")),
    row(
        &["activation"],
        Here::LeftOut("an activation is a step of its own: `x -> conv(8, kernel = 3) -> relu`"),
    ),
    row(
        &["kernel_initializer", "bias_initializer", "kernel_regularizer", "track_running_stats"],
        Here::LeftOut("how weights begin and are trained is not said in a space"),
    ),
];

impl Here {
    /// What to do about the name, in words.
    #[must_use]
    pub fn words(self, name: &str) -> String {
        match self {
            Self::Is(ours) => format!("`{name}` is called `{ours}` here"),
            Self::Library(module, block) => {
                format!("`{name}` is `{block}` of `std.{module}`")
            }
            Self::Written(how) => format!("there is no `{name}`; {how}"),
            Self::Nothing(instead) => format!("there is no `{name}`; {instead}"),
            Self::LeftOut(why) => format!("leave it out: {why}"),
        }
    }
}

/// What a name of an operator or a function of another framework is here. One of ours in other
/// letters, such as `ReLU`, is not in the table and still found.
pub(crate) fn callable<'a>(
    name: &str,
    ours: impl IntoIterator<Item = &'a str>,
) -> Option<Found<'a>> {
    let written = plain(name);
    let same = ours.into_iter().find(|known| plain(known) == written);
    same.map(Found::Ours).or_else(|| find(CALLABLES, name).map(Found::Foreign))
}

/// What a name of a parameter of another framework is here.
pub(crate) fn parameter(name: &str) -> Option<Here> {
    find(PARAMETERS, name)
}

/// A name of elsewhere that was found.
#[derive(Clone, Copy)]
pub(crate) enum Found<'a> {
    /// One of ours in other letters.
    Ours(&'a str),
    /// A row of the table.
    Foreign(Here),
}

impl Found<'_> {
    /// What helps where the name stands; an import goes to `imports`.
    pub(crate) fn help(self, at: At<'_>, imports: At<'_>) -> Help {
        let name = at.text();
        match self {
            Found::Ours(ours) => Fix::meant(at, ours).into(),
            Found::Foreign(here @ Here::Is(ours)) => {
                Fix::replace(at, ours, |_| here.words(name)).into()
            }
            Found::Foreign(here @ Here::Library(module, block)) => {
                let import = Edit::new(imports.span, format!("use std.{module}.{block}\n"));
                let edits = vec![import, Edit::new(at.span, block)];
                Fix::of(at.source, edits, format!("{}: import it", here.words(name))).into()
            }
            Found::Foreign(here) => Help::advice(here.words(name)),
        }
    }
}

/// The place of the first item of a file: behind the documentation of the file itself.
pub(crate) fn first_line(source: &Source) -> At<'_> {
    let text = source.text();
    let documentation = text.split_inclusive('\n').take_while(|line| line.starts_with("//!"));
    let start = documentation.map(str::len).sum();
    source.at(Span::new(start, start))
}

fn find(table: &[Row], name: &str) -> Option<Here> {
    let written = plain(name);
    let row = table.iter().find(|row| row.names.iter().any(|known| plain(known) == written));
    row.map(|row| row.here)
}

/// A name without what frameworks differ in.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use nas_ir::ops;
    use rustc_hash::FxHashSet as HashSet;

    use super::{CALLABLES, Here, PARAMETERS, plain};
    use crate::modules::FUNCTIONS;

    #[test]
    fn rows_name_what_there_is() {
        for row in CALLABLES {
            match row.here {
                Here::Is(ours) => {
                    assert!(ops::find(ours).is_some() || FUNCTIONS.contains(&ours), "{ours}")
                }
                Here::LeftOut(_) => panic!("{:?} is no parameter", row.names),
                Here::Library(..) | Here::Written(_) | Here::Nothing(_) => {}
            }
        }
        let parameters: HashSet<&str> =
            ops::TABLE.iter().flat_map(|row| row.declaration.params).map(|p| p.name).collect();
        for row in PARAMETERS {
            if let Here::Is(ours) = row.here {
                assert!(parameters.contains(ours) || ours == "expand", "{ours}");
            }
        }
    }

    #[test]
    fn a_name_stands_once_and_is_none_of_ours() {
        for table in [CALLABLES, PARAMETERS] {
            let mut seen = HashSet::default();
            for name in table.iter().flat_map(|row| row.names) {
                assert!(seen.insert(plain(name)), "{name} stands twice");
            }
        }
        for name in CALLABLES.iter().flat_map(|row| row.names) {
            let is_ours = ops::TABLE.iter().any(|row| plain(row.declaration.name) == plain(name));
            assert!(!is_ours, "{name}");
        }
    }
}
