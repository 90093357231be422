//! The first instance for each call of a block, from which those alike are copied.

use std::ops::Range;
use std::rc::Rc;

use nas_ir::{NodeId, OriginId, Precision, Shape, Varied};

use super::value::Value;
use crate::int::Int;
use crate::modules::ModuleId;

/// A block: the file that it stands in, and its name.
pub(super) type BlockId<'p> = (ModuleId, &'p str);

/// What an instance follows from.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Call<'p> {
    pub(super) block: BlockId<'p>,
    /// Whether it exists in some networks only: in those, decisions may have fewer cases.
    pub(super) is_guarded: bool,
    /// What its nodes compute with.
    pub(super) precision: Option<Varied<Precision>>,
    pub(super) arguments: Vec<Part>,
}

/// A part of an argument. Lists and tuples stand before their elements.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// No argument: the default holds.
    Absent,
    /// One of the tensors among the arguments.
    Tensor(Varied<Shape>, usize),
    Int(Int),
    Real(u64),
    Bool(bool),
    Text(Rc<str>),
    List(usize),
    Tuple(usize),
    Callable(ModuleId, Rc<str>),
}

/// The first instance for a call.
pub(super) struct Instance<'p> {
    /// The tensors among its arguments, each once.
    pub(super) operands: Vec<NodeId>,
    /// Its nodes.
    pub(super) nodes: Range<usize>,
    /// Where it was called.
    pub(super) origin: OriginId,
    /// How many origins follow that one.
    pub(super) origins: usize,
    /// The length of its path.
    pub(super) path: usize,
    pub(super) value: Value,
    pub(super) steps: u64,
    /// The blocks that it instantiates.
    pub(super) blocks: Vec<BlockId<'p>>,
}

/// How far everything was when an instance began.
pub(super) struct Start {
    pub(super) nodes: usize,
    pub(super) origin: OriginId,
    pub(super) steps: u64,
    pub(super) blocks: usize,
    pub(super) marks: Marks,
}

/// What was done that does not follow from the arguments of a block, or does more than give nodes
/// and a value.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks {
    /// How much was reported, or left unread.
    pub(super) peculiar: usize,
    /// How many decisions were made, those of cells not counted.
    pub(super) choices: usize,
    /// The first node among those that were searched for loose ends.
    pub(super) searched: usize,
}
