//! What makes a network of a graph, and what becomes of a node.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use nas_ir::network::{NetworkNode, Port};
use nas_ir::{IdVec, Op, Shape, Tensor, Weights};

use crate::constant::Outside;
use crate::error::ReadError;
use crate::fact::Fact;
use crate::graph::{Graph, ValueId};
use crate::infer::Inferred;

/// What reads the data of a constant that lie in another file.
pub(crate) type ReadOutside<'f> = dyn FnMut(&str, &Outside<'_>) -> Result<Vec<u8>, ReadError> + 'f;

/// What makes a network of a graph.
pub(super) struct Matcher<'m, 'b, 'f> {
    pub(super) graph: &'m Graph<'b>,
    pub(super) inferred: &'m Inferred,
    pub(super) outside: &'m mut ReadOutside<'f>,
    pub(super) nodes: Vec<NetworkNode>,
    pub(super) weights: Weights,
    /// The node that makes a value.
    pub(super) places: IdVec<ValueId, Option<usize>>,
    /// The constant that a value is.
    pub(super) constants: IdVec<ValueId, Option<ValueId>>,
    /// How often a value is read, or an output.
    pub(super) uses: IdVec<ValueId, usize>,
    /// Values that are the channels of another in groups, on the way to be shuffled.
    pub(super) shuffles: BTreeMap<ValueId, Shuffle>,
    pub(super) inputs: Vec<Port>,
}

/// What becomes of a node: an operator on these operands, with tensors by the last parts of their names; nothing, if its
/// value is that of its first operand or only a step of what a later node does.
pub(super) enum Step {
    Op(Op, Vec<ValueId>, Vec<(&'static str, Tensor)>),
    Alias,
    Done,
}

/// Why a node is not ours: in words, or because its data cannot be read.
pub(super) enum Why {
    Words(String),
    Read(ReadError),
}

impl From<String> for Why {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Why {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<ReadError> for Why {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Channels of a value in groups, on the way to be shuffled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shuffle {
    /// The value whose channels they are.
    pub(super) of: ValueId,
    pub(super) groups: NonZeroU32,
    /// Whether groups and their channels have been exchanged.
    pub(super) is_turned: bool,
}

/// The shape of a value, the batch aside.
pub(super) fn shape(fact: &Fact) -> Result<Shape, String> {
    let sizes = fact.dims.iter().skip(1).map(|&dim| u32::try_from(dim).ok().filter(|&dim| dim > 0));
    let shape = sizes.collect::<Option<Vec<u32>>>().and_then(|sizes| Shape::new(&sizes));
    shape.ok_or_else(|| format!("{} is no shape of a network, with a batch first", fact.in_words()))
}
