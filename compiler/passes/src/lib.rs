//! Passes: functions from spaces, networks and models to such. In the order in which they run:
//!
//! | pass | from | to |
//! | --- | --- | --- |
//! | [`restrict`] | a space | the space without some candidates |
//! | [`specialise`] | a space and an assignment | the network that the assignment picks, simplified |
//! | [`simplify()`] | a network | the network without what computes nothing |

mod choices;
pub mod space;

pub use choices::{Choosing, Unfit, from_choices};
pub use space::{restrict, simplify, specialise};
