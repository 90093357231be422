//! `arch` items and result files: from what they give to an assignment of the space.

mod choices;
mod drift;
mod errors;
mod given;
mod report;
mod resolver;

use nas_diagnostics::Problems;
use nas_grammar::Source;
use nas_grammar::ast::Arch;
use nas_ir::{Assignment, Checked, Space};

pub(crate) use errors::CODES;

pub use choices::{Misfit, Misfits, from_choices};
pub(crate) use given::Evaluate;
use given::Reader;
use resolver::Resolver;

/// The assignment that an `arch` item means, or `None` after a report.
pub(crate) fn assignment(
    arch: &Arch,
    space: &Checked<Space>,
    source: &Source,
    evaluate: &mut Evaluate<'_>,
    problems: &mut Problems,
) -> Option<Assignment> {
    let mut resolver = Resolver::new(space, source);
    let mut reader = Reader { source, evaluate };
    let lines = resolver.read(arch, &mut reader);
    let lines = resolver.find_lost(lines);
    resolver.decide_all(lines);
    resolver.report_unknown_candidates();
    // What a line with a fault in it was to decide is not known.
    if !resolver.is_unclear {
        resolver.report_undecided(arch.name.span);
    }
    let Resolver { assignment, problems: found, .. } = resolver;
    let is_sound = !found.has_errors();
    problems.extend(found.into_vec());
    is_sound.then_some(assignment)
}
