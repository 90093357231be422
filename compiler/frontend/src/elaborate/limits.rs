//! How much a program may ask of the elaborator.

use nas_diagnostics::Reported;

use crate::modules::Program;

/// The most work that all spaces of a program together may take, in steps: one for each expression,
/// and what an operation on a long value costs more than one on a number.
pub const MAX_STEPS: u64 = 10_000_000;
/// How many steps more there are for each byte of the program.
const STEPS_PER_BYTE: u64 = 100;
/// The most nodes that one space may have.
pub const MAX_NODES: usize = 1_000_000;
/// The deepest that blocks and expressions may nest together, and lists in lists.
pub const MAX_DEPTH: usize = 192;
/// The most elements of a list, those of lists in it included, and bytes of a string.
pub const MAX_LENGTH: usize = 1_000_000;

/// The steps that elaboration may take: without an end of them a short program could run for years.
#[derive(Debug)]
pub struct Fuel {
    /// How many were taken.
    pub(super) steps: u64,
    /// How many may be taken.
    pub(super) limit: u64,
    /// That too many were taken, if they were.
    pub(super) reported: Option<Reported>,
}

impl Fuel {
    /// Whether a limit was passed, and reported: then what was elaborated since is incomplete.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.reported.is_some()
    }

    pub(crate) fn on(program: &Program) -> Self {
        let bytes = program.modules.iter().map(|module| module.source.text().len() as u64);
        let limit = MAX_STEPS + STEPS_PER_BYTE * bytes.sum::<u64>();
        Self { steps: 0, limit, reported: None }
    }
}

/// What a report costs.
pub(super) const REPORT: u64 = 64;

/// Elaboration cannot go on: a limit was passed, and reported.
pub(crate) struct Abort(pub(super) Reported);

/// A result that is there unless elaboration cannot go on.
pub(crate) type Eval<T> = Result<T, Abort>;

/// A result that is there unless something is wrong with it, which was reported.
pub(super) type Sound<T> = Result<T, Reported>;
