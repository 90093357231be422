//! What can go wrong with a measurement.

use miette::{Diagnostic, LabeledSpan};
use nas_grammar::Source;
use thiserror::Error;

use crate::render::report::Failure;

/// Why there is no figure of a model.
pub(super) enum Fault {
    /// The user stopped it.
    Interrupted,
    /// It may work another time.
    Answer(BadAnswer),
    /// It will not work another time either.
    Failure(Failure),
}

/// The text of `--runner` is no command.
#[derive(Debug, Error, Diagnostic)]
#[error("`--runner {command:?}` cannot be used: {why}")]
#[diagnostic(
    code(nas::latency::runner),
    help(
        "write `{{model}}` where the path of the model goes: --runner 'ssh board bench {{model}}'"
    )
)]
pub(super) struct BadCommand {
    /// The command.
    pub(super) command: String,
    /// What is wrong with it.
    pub(super) why: &'static str,
}

/// What a runner wrote is no latency.
#[derive(Debug, Error, Diagnostic)]
#[error("the runner {why}\n  the command: {command}\n  it wrote: {answer}")]
#[diagnostic(
    code(nas::latency::answer),
    help(
        "the command must end well and print the milliseconds of one run, as `12.5` or `12.5 ms`; \
         where it prints several figures, say which counts by a regular expression with the number \
         in parentheses: --pattern 'Median: (\\S+) ms'"
    )
)]
pub(super) struct BadAnswer {
    /// What is wrong with it.
    pub(super) why: String,
    /// The command, as a shell would take it.
    pub(super) command: String,
    /// What it wrote.
    pub(super) answer: String,
}

/// A folder that `nasc latency plan` did not write, or wrote for another nasc.
#[derive(Debug, Error, Diagnostic)]
#[error("`{folder}` is no plan of measurements: {why}")]
#[diagnostic(code(nas::latency::plan), help("{help}"))]
pub(super) struct NotAPlan {
    /// The folder.
    pub(super) folder: String,
    /// What is wrong with it.
    pub(super) why: String,
    /// What would help.
    pub(super) help: String,
}

/// A file that is no latency table.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` is no latency table: {why}")]
#[diagnostic(code(nas::latency::format), help("write one by `nasc latency measure` or `import`"))]
pub(super) struct NotATable {
    /// The file.
    pub(super) file: String,
    /// What is wrong with it.
    pub(super) why: String,
}

/// Figures of different hardware, engines or conditions would come together.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` holds figures of other conditions: {difference}")]
#[diagnostic(
    code(nas::latency::mixed),
    help("only figures of one setting compare: use another file for these, or remove this one")
)]
pub(super) struct Mixed {
    /// The file.
    pub(super) file: String,
    /// What differs: there and here.
    pub(super) difference: String,
}

/// Figures to import that do not fit the plan.
#[derive(Debug, Error, Diagnostic)]
#[error("`{file}` does not hold the figures of the plan: {what}")]
#[diagnostic(code(nas::latency::figures), help("{help}"))]
pub(super) struct BadFigures {
    /// The file.
    pub(super) file: String,
    /// The fault, or how many there are.
    pub(super) what: String,
    /// Its text.
    #[source_code]
    pub(super) text: Source,
    /// The faulty places.
    #[label(collection)]
    pub(super) at: Vec<LabeledSpan>,
    /// What would help.
    pub(super) help: String,
}

/// A table without figures of some parts.
#[derive(Debug, Error, Diagnostic)]
#[error("`{table}` lacks {lacks} of the {of} parts of `{space}`:{parts}")]
#[diagnostic(
    code(nas::latency::lacking),
    help("measure them by `nasc latency measure` with `--out {table}`: what it has is kept")
)]
pub(super) struct Lacking {
    /// The table.
    pub(super) table: String,
    /// How many parts it lacks.
    pub(super) lacks: usize,
    /// How many there are.
    pub(super) of: usize,
    /// The space.
    pub(super) space: String,
    /// The parts, a line each.
    pub(super) parts: String,
}

/// An engine that nasc does not know.
#[derive(Debug, Error, Diagnostic)]
#[error("nasc knows no engine `{engine}`: {known}")]
#[diagnostic(
    code(nas::latency::engine),
    help("what else measures a model is named by `--runner COMMAND`")
)]
pub(super) struct UnknownEngine {
    /// The engine.
    pub(super) engine: String,
    /// Those that it knows.
    pub(super) known: String,
}

/// An engine of Python that does not start.
#[derive(Debug, Error, Diagnostic)]
#[error("the engine `{engine}` cannot be started: {why}")]
#[diagnostic(code(nas::latency::environment), help("{help}"))]
pub(super) struct NoEngine {
    /// The engine.
    pub(super) engine: String,
    /// What is wrong.
    pub(super) why: String,
    /// What would help.
    pub(super) help: String,
}

/// A model that an engine does not run.
#[derive(Debug, Error, Diagnostic)]
#[error("`{engine}` does not run `{model}`: {why}")]
#[diagnostic(
    code(nas::latency::refused),
    help(
        "a `target` with the operators and the operator set of the engine keeps such out of the space"
    )
)]
pub(super) struct Refused {
    /// The engine.
    pub(super) engine: String,
    /// The file.
    pub(super) model: String,
    /// What the engine says.
    pub(super) why: String,
}
