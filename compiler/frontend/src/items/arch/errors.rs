//! What can be wrong with an `arch` item.

use nas_diagnostics::diagnostics;

diagnostics! {
    /// Labels or paths that no decision has.
    Error UnknownDecision [nas::arch::decision] "`{space}` has no {decisions}" { space: String, decisions: String }
    /// A candidate that the decisions do not have.
    Error UnknownCandidate [nas::arch::candidate] "{decisions} {verb} no candidate `{name}`" { decisions: String, verb: String, name: String }
    /// Another number of candidates than of decisions.
    Error WrongCount [nas::arch::count] "`{label}` stands for {decisions}, and {given} given" { label: String, decisions: String, given: String }
    /// Decisions that nothing decides.
    Error Undecided [nas::arch::undecided] "{decisions} of `{space}` {verb} not made: {paths}" { decisions: String, space: String, verb: String, paths: String }
    /// A decision made twice.
    Error DecidedTwice [nas::arch::twice] "`{path}` is decided twice" { path: String }
    /// Something that names no candidate.
    Error NoCandidate [nas::arch::value] "expected the name of a candidate" {}
}
