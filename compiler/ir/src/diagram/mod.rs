//! Functions of decisions as decision diagrams: reduced, ordered, hash-consed.
//!
//! A diagram maps every assignment to a value. It branches on the decision with the highest id
//! first, which elimination from the innermost decision outwards wants, and mentions only the
//! decisions on which the value really depends (Bryant 1986, for decisions of many candidates).

mod entangled;
mod rows;
mod selectors;
mod store;

pub use entangled::Entangled;
pub use rows::{Diagram, Top};
pub use selectors::{Joint, Joints, Memo, OUTSIDE, Selectors};
pub use store::{Combine, Diagrams, Ends};
