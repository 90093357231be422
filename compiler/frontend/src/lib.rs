//! The front end of `.nas`: modules and names, elaboration, and the items of a file. It turns text
//! into checked spaces, networks and recipes. No I/O.

mod allowed;
mod constant;
mod context;
mod device;
pub mod elaborate;
mod feasible;
pub mod foreign;
pub mod int;
pub mod items;
pub mod modules;
pub mod names;
mod removal;
pub mod session;

use nas_grammar::error::Code;

pub use session::Compiler;

/// The codes of all diagnostics of this crate, module by module.
#[must_use]
pub fn codes() -> Vec<Code> {
    [
        allowed::CODES,
        constant::CODES,
        context::CODES,
        device::CODES,
        elaborate::errors::CODES,
        feasible::CODES,
        items::arch::CODES,
        items::expect::CODES,
        items::search::errors::CODES,
        items::target::CODES,
        modules::CODES,
        names::CODES,
        session::CODES,
    ]
    .concat()
}
