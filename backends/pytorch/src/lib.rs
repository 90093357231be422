//! A network as a module of PyTorch that people read and change.
//!
//! [`emit`] writes a folder: `model.py`, whose classes are the blocks of the space, each written once with what differs between
//! its uses as arguments; `layers.py`, the few functions that PyTorch lacks; and `names.json`, which says how the weights file
//! calls each tensor of the module, so that `weights.safetensors` has the names that nasc reads back.
//!
//! The hierarchy is that of the paths of nodes, `repeat.2.0/mbconv.0/conv_bn.1/conv.0`: `tree` cuts the network into the
//! blocks that they name, `class` finds which are alike, `python` says how each operator is written, `text` writes.

mod class;
mod python;
mod text;
mod tree;

use nas_ir::Network;

/// The files of a module, by name, beside its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The classes.
    pub model: String,
    /// What they import of ours.
    pub layers: &'static str,
    /// A JSON object: for each key of the module's `state_dict` the name of the tensor in the weights file.
    pub names: String,
}

/// The module of a network, which computes the same with the same weights.
#[must_use]
pub fn emit(network: &Network) -> Module {
    let tree = tree::Block::of(network);
    let classes = class::Classes::of(&tree);
    let (model, names) = text::written(network, &tree, &classes);
    Module { model, layers: include_str!("layers.py"), names }
}
