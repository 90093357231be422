//! What can be wrong with a weights file or a name map.

use miette::{Diagnostic, LabeledSpan, SourceSpan};
use nas_grammar::Source;
use thiserror::Error;

/// A weights file, a name map or a record cannot be read.
#[derive(Debug, Error, Diagnostic)]
#[error("cannot read `{path}`: {reason}")]
#[diagnostic(code(nas::weights::unreadable), help("give the path of a file after `{option}`"))]
pub struct Unreadable {
    /// The file.
    pub path: String,
    /// Why not.
    pub reason: String,
    /// The option that named it.
    pub option: &'static str,
}

/// The bytes are no safetensors file.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` is no safetensors file: {reason}")]
#[diagnostic(code(nas::weights::format), help("{help}"))]
pub struct Format {
    /// The file.
    pub file: String,
    /// What is wrong with its first bytes.
    pub reason: String,
    /// How to get one.
    pub help: String,
}

/// The file ends before its last tensor does.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` is cut short: its header speaks of more bytes than follow, or of fewer")]
#[diagnostic(code(nas::weights::cut_short), help("copy or download the file again"))]
pub struct CutShort {
    /// The file.
    pub file: String,
}

/// Tensors hold something other than 32-bit floats.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` holds other than 32-bit floats:{tensors}")]
#[diagnostic(
    code(nas::weights::element_type),
    help("convert them before saving: in PyTorch, `tensor.float()`")
)]
pub struct ElementType {
    /// The file.
    pub file: String,
    /// The tensors and their types, a line each.
    pub tensors: String,
}

/// A tensor is too large to be read.
#[derive(Debug, Error, Diagnostic)]
#[error("the sizes of tensor `{tensor}` of `{file}` do not fit into 32 bits")]
#[diagnostic(code(nas::weights::too_large), help("remove the tensor from the file"))]
pub struct TooLarge {
    /// The file.
    pub file: String,
    /// The tensor.
    pub tensor: String,
}

/// Tensors of the network that the file does not hold.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` lacks tensors of the network:{tensors}{instead}")]
#[diagnostic(code(nas::weights::missing))]
pub struct Missing {
    /// The file.
    pub file: String,
    /// The tensors with their sizes, a line each.
    pub tensors: String,
    /// Those that the file holds instead.
    pub instead: String,
    /// The name map.
    #[source_code]
    pub map: Source,
    /// The rules that name them.
    #[label(collection)]
    pub rules: Vec<LabeledSpan>,
    /// What would help.
    #[help]
    pub help: String,
}

/// Tensors whose sizes are not those of the network.
#[derive(Debug, Error, Diagnostic)]
#[error("tensors of `{file}` do not have the sizes that the network needs:{tensors}")]
#[diagnostic(
    code(nas::weights::sizes),
    help(
        "give the weights of this network, or by `--arch` and `--space` the network of these weights"
    )
)]
pub struct Sizes {
    /// The file.
    pub file: String,
    /// The tensors with both sizes, a line each.
    pub tensors: String,
    /// The name map.
    #[source_code]
    pub map: Source,
    /// The rules that name them.
    #[label(collection)]
    pub rules: Vec<LabeledSpan>,
}

/// Tensors that only the file has.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` holds tensors that the network does not have:{tensors}")]
#[diagnostic(
    code(nas::weights::left_over),
    help("give by `--arch` the network of these weights, or remove the tensors from the file")
)]
pub struct LeftOver {
    /// The file.
    pub file: String,
    /// The tensors, a line each.
    pub tensors: String,
}

/// Two tensors of the network with one name in the file.
#[derive(Debug, Error, Diagnostic)]
#[error("one tensor of the file would be several of the network:{tensors}")]
#[diagnostic(
    code(nas::weights::shared),
    help(
        "give each node a name of its own: `{{i}}` on both sides of a rule keeps the nodes apart that it matches"
    )
)]
pub struct Shared {
    /// The name in the file and the names in the network, a line each.
    pub tensors: String,
    /// The name map.
    #[source_code]
    pub map: Source,
    /// The rules that name them.
    #[label(collection)]
    pub rules: Vec<LabeledSpan>,
}

/// A line of a name map that is no rule.
#[derive(Debug, Error, Diagnostic)]
#[error("{title}")]
#[diagnostic(code(nas::weights::rule), help("{help}"))]
pub struct BadRule {
    /// What is wrong.
    pub title: String,
    /// The edit that would help.
    pub help: &'static str,
    /// The name map.
    #[source_code]
    pub map: Source,
    /// The part of the line.
    #[label("here")]
    pub at: SourceSpan,
}

/// A rule that names nothing.
#[derive(Debug, Error, Diagnostic)]
#[error("this rule names no tensor of the network")]
#[diagnostic(code(nas::weights::idle_rule), severity(Warning), help("{help}"))]
pub struct IdleRule {
    /// The edit that would help.
    pub help: &'static str,
    /// The name map.
    #[source_code]
    pub map: Source,
    /// Its pattern, and the earlier rule that matches instead.
    #[label(collection)]
    pub at: Vec<LabeledSpan>,
}
