//! Latency tables: what to measure of a space, the table of what was measured, and the latency of
//! every network of the space after it.
//!
//! Nobody measures 10^24 networks. [`plan`] cuts a space into parts such that every network is made
//! of some of them, [`Table`] holds how long each took on a device, and [`measured`] gives the space
//! a latency: the sum of the parts, corrected as [`fit`] found from whole networks.

mod correction;
mod fit;
mod groups;
mod key;
mod model;
mod network;
mod parts;
mod surroundings;
mod table;

pub use correction::{Correction, Residual, Sample};
pub use fit::{fit, mean_absolute_percent, spearman};
pub use key::{Key, NotAKey};
pub use model::{Unmeasured, measured};
pub use parts::{Part, Place, Plan, plan};
pub use surroundings::{Surroundings, surrounded, surroundings};
pub use table::{Entry, Missing, Setting, Table, TableError};
