//! What keeps a file from being read, understood or run.

use miette::Diagnostic;
use thiserror::Error;

/// Why a model of others is not read, or nothing is known of what it computes.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum ReadError {
    /// The bytes are no ONNX model.
    #[error("this is not an ONNX model: {why}")]
    #[diagnostic(
        code(nas::model::damaged),
        help(
            "give a file in the format of ONNX; one of another framework can be exported as such"
        )
    )]
    Damaged {
        /// What is wrong with them.
        why: String,
    },
    /// The file has more than is read of one.
    #[error("the model has {what}; at most {most} are read")]
    #[diagnostic(
        code(nas::model::too_large),
        help("the file is damaged, or made to fill the memory")
    )]
    TooLarge {
        /// What it has too much of.
        what: String,
        /// How much is read.
        most: u64,
    },
    /// The graph contradicts itself.
    #[error("the graph of the model contradicts itself: {why}")]
    #[diagnostic(
        code(nas::model::graph),
        help("export the model anew; `onnx.checker` says more of such faults")
    )]
    Graph {
        /// What contradicts what.
        why: String,
    },
    /// Constants lie in another file that is not there, or not as the model says.
    #[error("the data of `{name}` cannot be read: {why}")]
    #[diagnostic(
        code(nas::model::outside),
        help("keep the files that a model was exported to together, in one folder")
    )]
    Outside {
        /// The constant.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// Sizes of inputs are open.
    #[error("sizes of the inputs are open: {}", .open.join(", "))]
    #[diagnostic(code(nas::model::open_size), help("say what they are: {}", .example.join(" ")))]
    OpenSize {
        /// The inputs with their sizes.
        open: Vec<String>,
        /// Options that would bind them.
        example: Vec<String>,
    },
    /// Sizes were given that the model does not have.
    #[error("the sizes of input `{name}` do not fit: {why}")]
    #[diagnostic(code(nas::model::input), help("the inputs of the model are {}", .inputs.join(", ")))]
    Input {
        /// The name that was given.
        name: String,
        /// What is wrong.
        why: String,
        /// The inputs that there are.
        inputs: Vec<String>,
    },
    /// Operators that are not known.
    #[error("operator `{operator}` is not supported, at node {node}{}", more(.others))]
    #[diagnostic(
        code(nas::model::unsupported),
        help(
            "what such an operator makes is not known here; an engine may run the model all the same"
        )
    )]
    Unsupported {
        /// The operator, with its domain if that is not the default one.
        operator: String,
        /// The first node that has it.
        node: String,
        /// Other operators of the model that are not known.
        others: Vec<String>,
    },
    /// A node and its operands do not fit together.
    #[error("node {node} does not fit its operands: {why}")]
    #[diagnostic(
        code(nas::model::operands),
        help("the model may have been made for inputs of other sizes; give them by `--input`")
    )]
    Operands {
        /// The node.
        node: String,
        /// What is wrong.
        why: String,
    },
    /// The model has what no network of nasc has.
    #[error("node {node} is nothing that a network of nasc has: {why}")]
    #[diagnostic(
        code(nas::model::not_ours),
        help(
            "`grammar/reference/operators.md` lists what networks consist of; other models can be costed, timed and verified"
        )
    )]
    NotOurs {
        /// The node.
        node: String,
        /// What is not.
        why: String,
    },
}

fn more(others: &[String]) -> String {
    match others {
        [] => String::new(),
        others => format!("; nor are {}", others.join(", ")),
    }
}

impl ReadError {
    pub(crate) fn damaged(why: impl Into<String>) -> Self {
        Self::Damaged { why: why.into() }
    }

    pub(crate) fn graph(why: impl Into<String>) -> Self {
        Self::Graph { why: why.into() }
    }
}
