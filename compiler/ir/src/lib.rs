//! The intermediate representation of `.nas`: spaces of networks and single networks, what their
//! operators are, what they cost, and the verifier that proves a space well-formed.
//! No I/O, no torch, no protobuf.

pub mod assignment;
pub mod costs;
pub mod decision;
pub mod device;
pub mod diagram;
pub mod dtype;
pub mod exact;
pub mod figures;
pub mod flaw;
pub mod fnv;
mod graph;
pub mod grid;
pub mod id_vec;
pub mod ids;
pub mod limit;
pub mod linear;
pub mod liveness;
pub mod measure;
pub mod metric;
pub mod model;
pub mod network;
pub mod node;
pub mod open_size;
pub mod operation;
pub mod ops;
pub mod opset;
pub mod origin;
pub mod quantity;
mod reading;
pub mod recipe;
pub mod requirement;
pub mod shape;
pub mod space;
pub mod task;
pub mod tensor_name;
pub mod text;
mod varied;
pub mod verify;
pub mod weights;

pub use assignment::{Assignment, Pick};
pub use costs::{Cost, Costs};
pub use decision::{Choice, Decision};
pub use dtype::{DType, Precision};
pub use figures::Figures;
pub use graph::Graph;
pub use grid::{Grid, Rounding};
pub use id_vec::IdVec;
pub use ids::{DecisionId, NodeId, OriginId};
pub use limit::{Form, Limit};
pub use measure::Measure;
pub use metric::{ClassMetric, Metric, TaskMetrics};
pub use model::Model;
pub use nas_diagnostics::fault;
pub use network::Network;
pub use node::{Node, NodeKind};
pub use open_size::OpenSize;
pub use ops::Op;
pub use opset::Opset;
pub use quantity::Quantity;
pub use shape::Shape;
pub use space::Space;
pub use task::Task;
pub use tensor_name::{TensorName, TensorPart};
pub use varied::{Table, Varied, varied};
pub use verify::Checked;
pub use weights::{Elements, Tensor, Weights};

use nas_grammar::error::Code;

/// The codes of all diagnostics of this crate.
#[must_use]
pub fn codes() -> Vec<Code> {
    verify::CODES.to_vec()
}
