//! ONNX files made by others.
//!
//! [`read`] gives the [`Graph`] of a file: nodes with whatever operators, attributes, names; values with the sizes that the
//! file states, symbols among them; constants, of which the data may lie in other files. Names and data are those of the
//! bytes, nothing is copied, and what is kept beside them is bounded. [`infer`] finds the sizes of all values once those of
//! the inputs are known ([`Sizes`]), by the rules of the operators, and names operators that it does not know; [`costs`]
//! says what the nodes cost. Nothing here reads a file: data that lie in another one are [`Outside`].

mod arity;
mod constant;
mod cost;
mod decode;
mod element;
mod error;
mod expose;
mod fact;
mod graph;
mod infer;
mod kind;
mod matched;
mod order;
mod rules;
mod sizes;
mod tensor;
mod wire;

pub use constant::{Constant, Data, Outside};
pub use cost::{GraphCosts, Made, NodeCost, costs};
pub use element::Element;
pub use error::ReadError;
pub use expose::with_outputs;
pub use fact::{Fact, Known};
pub use graph::{Attribute, Graph, Node, Size, Stated, Value, ValueId};
pub use infer::{Inferred, infer};
pub use kind::{Binary, Kind, Reduction, Slot, Unary};
pub use matched::{Matched, matched};
pub use sizes::{Sizes, inputs};

/// The graph of a file.
///
/// # Errors
/// The bytes are no model, it has more than is read of one, its graph contradicts itself, or a node has more operands than its
/// operator takes.
pub fn read(bytes: &[u8]) -> Result<Graph<'_>, ReadError> {
    let graph = decode::graph(bytes)?;
    arity::check(&graph)?;
    Ok(graph)
}
