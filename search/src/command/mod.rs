//! Networks that a command of the user's scores: any task, in any framework, on any machine that a command
//! can reach.
//!
//! Each trial has a folder of its own in the run directory:
//!
//! ```text
//! trials/000007/network.json         what the network chooses, by the path of the decision, and what it costs
//! trials/000007/network.onnx         the network with fresh weights, where the command names `{onnx}`
//! trials/000007/weights.safetensors  these weights, where it names `{weights}`
//! trials/000007/metrics.jsonl        the JSON objects that the command printed
//! trials/000007/log.txt              all that it printed, also before it was run once more
//! ```
//!
//! The command prints JSON objects, each on a line of its own; the last one that has the metric by which
//! networks are ranked is the score. A line that is none is a part of the log.

mod line;
mod printed;
mod process;
mod scorer;
mod settings;

pub use line::PLACEHOLDERS;
pub(crate) use scorer::CommandScorer;
pub use settings::{CommandSettings, Exports};
