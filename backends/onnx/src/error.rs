//! What keeps a network from becoming an ONNX file.

use miette::Diagnostic;
use nas_ir::flaw::Flaw;
use nas_ir::model::Unsound;
use nas_ir::open_size::{Closed, Why};
use nas_ir::{Network, Opset, fault};
use thiserror::Error;

/// Why a network was not written.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum EmitError {
    /// The operator set is not one that the emitter writes for.
    #[error("ONNX operator set {opset} is not supported")]
    #[diagnostic(
        code(nas::onnx::opset),
        help("use an operator set from {} to {}", Opset::OLDEST, Opset::NEWEST)
    )]
    Opset {
        /// What was asked for.
        opset: i64,
    },
    /// Weights are missing, have other sizes, or are not of the network.
    #[error("the weights do not fit the network: {}", listed(.problems))]
    #[diagnostic(
        code(nas::onnx::weights),
        help("give weights that were trained for this network; `nasc retrain` makes them")
    )]
    Weights {
        /// One line for each tensor: its name and what is wrong.
        problems: Vec<String>,
    },
    /// Weights are infinite or not a number, or become so when batch norm is folded.
    #[error("weights are not finite: {}", listed(.names))]
    #[diagnostic(
        code(nas::onnx::not_finite),
        help("the training diverged; retrain with a lower learning rate")
    )]
    NotFinite {
        /// The names of the tensors.
        names: Vec<String>,
    },
    /// Weights are beyond what 16-bit floats hold.
    #[error("weights are too large for 16-bit floats: {}", listed(.names))]
    #[diagnostic(
        code(nas::onnx::too_large_for_half),
        help("16-bit floats end at 65504: export 32-bit floats, or retrain with weight decay")
    )]
    TooLargeForHalf {
        /// The names of the tensors.
        names: Vec<String>,
    },
    /// The operator set has no integers with a step for each channel.
    #[error("operator set {opset} has no steps of integers by channel")]
    #[diagnostic(code(nas::onnx::integers), help("int8 needs operator set 13 or a later one"))]
    Integers {
        /// The operator set.
        opset: Opset,
    },
    /// Height and width were to be left open, and the network computes on maps of one size alone.
    #[error("the network takes no maps of another size: at `{node}`, {why}")]
    #[diagnostic(
        code(nas::onnx::one_size),
        help(
            "export it for the size that it has; a network with `global_avg_pool` before its vectors takes others, too"
        )
    )]
    OneSize {
        /// The path of the node.
        node: String,
        /// Why.
        why: Why,
    },
    /// More of the largest values are asked for than there are channels.
    #[error("the {asked} largest of `{output}` are asked for, which has {channels} channels")]
    #[diagnostic(code(nas::onnx::top), help("ask for fewer"))]
    Top {
        /// The output.
        output: String,
        /// How many are asked for.
        asked: u32,
        /// How many there are.
        channels: u32,
    },
    /// Two values of the file would have one name.
    #[error("two values would be called `{name}`")]
    #[diagnostic(code(nas::onnx::duplicate_name), help("give inputs and outputs different names"))]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The file would be larger than the format allows.
    #[error("the ONNX file would have {bytes} bytes; the format ends at 2 GiB")]
    #[diagnostic(code(nas::onnx::too_large), help("export a smaller network"))]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The network contradicts itself.
    #[error("the network is not well formed at `{node}`: {reason}")]
    #[diagnostic(
        code(nas::internal::onnx_network),
        help("this is a bug in nasc; please report it with the space and the assignment")
    )]
    Network {
        /// The path of the node, or the name of the port.
        node: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The message could not be encoded.
    #[error("cannot encode the ONNX file: {reason}")]
    #[diagnostic(
        code(nas::internal::onnx_encoding),
        help("this is a bug in nasc; please report it with the space and the assignment")
    )]
    Encoding {
        /// What the encoder said.
        reason: String,
    },
}

impl EmitError {
    /// Why no sizes of a network can be open.
    #[must_use]
    pub fn closed(network: &Network, closed: &Closed) -> Self {
        let node = network.node(closed.node).map_or_else(String::new, |node| node.name.clone());
        Self::OneSize { node, why: closed.why }
    }

    pub(crate) fn network(node: &str, reason: impl Into<String>) -> Self {
        Self::Network { node: node.to_owned(), reason: reason.into() }
    }
}

/// How many names a message lists before it only counts.
const LISTED: usize = 8;

fn listed(lines: &[String]) -> String {
    let mut text = lines.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more) = lines.len().checked_sub(LISTED).filter(|&n| n > 0) {
        text.push_str(&format!(", and {more} more"));
    }
    text
}

impl From<Unsound> for EmitError {
    fn from(unsound: Unsound) -> Self {
        match unsound {
            Unsound::Network(flaws) => match flaws.into_iter().next() {
                Some(Flaw { at, what }) => Self::Network { node: at, reason: what.to_string() },
                None => fault("a network that is not well-formed, without a flaw"),
            },
            Unsound::Weights(misfits) => {
                Self::Weights { problems: misfits.iter().map(ToString::to_string).collect() }
            }
        }
    }
}
