//! What a space takes from its target.

use crate::diagram::Diagram;
use crate::dtype::Precision;
use crate::ids::NodeId;
use crate::opset::Opset;

/// What a space takes from its target: what the costs of its networks depend on beside the
/// networks, and how they are written.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// What numbers it computes with.
    pub precision: Precision,
    /// The ONNX operator set that it reads.
    pub opset: Option<Opset>,
    /// Bytes that it has for weights and activations.
    pub memory: Option<u64>,
    /// How long it takes, if its target has a latency table.
    pub latency: Option<Latency>,
}

/// The latency of every network of a space: a constant, and what each part adds.
#[derive(Debug, Clone, Default)]
pub struct Latency {
    /// Nanoseconds of every network.
    pub overhead: u64,
    /// What the parts add.
    pub parts: Vec<PartLatency>,
}

/// What a part of a space adds to the latency of the networks in which it is alive.
#[derive(Debug, Clone)]
pub struct PartLatency {
    /// A node of the part: the part is in a network where this node is.
    pub node: NodeId,
    /// All nodes that are measured together, in order: the part is made of those of them that are
    /// in the network.
    pub nodes: Vec<NodeId>,
    /// Which of its cases the part is in, as a selector of the space.
    pub case: Diagram,
    /// Nanoseconds in each case.
    pub nanoseconds: Vec<u64>,
}
