//! What can go wrong with a run and its directory.

use std::path::PathBuf;
use std::{fmt, io};

use miette::{Diagnostic, LabeledSpan, SourceCode};
use nas_ir::Space;
use nas_ir::diagram::Entangled;
use nas_ir::recipe::NoSetting;
use thiserror::Error;

/// What a backend fails with.
pub type Fault = nas_grammar::Problem;

/// Why a run ended before its end.
#[derive(Debug)]
pub enum Failure {
    /// The run or its directory is at fault.
    Run(RunError),
    /// The backend is.
    Backend(Fault),
}

/// A construct of a space that a strategy cannot search: a diagnostic of the strategy's own.
#[derive(Debug)]
pub struct Refusal(Fault);

impl Refusal {
    /// What a strategy says of a construct.
    pub fn new(said: impl Diagnostic + Send + Sync + 'static) -> Self {
        Self(Fault::from(said))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Refusal {}

impl Diagnostic for Refusal {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

/// A command that scores no network.
#[derive(Debug, Error, Diagnostic)]
#[error("the command scored none of the first {}: {why}\n  {command}\n{log}", counted(*trials))]
#[diagnostic(
    code(nas::search::command),
    help(
        "run it by hand until its last line on standard output is a JSON object with the metric, such as `{{\"{metric}\": 0.5}}`, then go on by `--resume`; what it printed is in `{}`", file.display()
    )
)]
pub struct NoScore {
    /// How many trials failed.
    pub trials: usize,
    /// Why the last one did.
    pub why: String,
    /// The command line of the last one.
    pub command: String,
    /// The last lines that it printed.
    pub log: String,
    /// The metric that ranks.
    pub metric: String,
    /// All that it printed.
    pub file: PathBuf,
}

/// A run that cannot start, go on or be kept.
#[derive(Debug, Error, Diagnostic)]
pub enum RunError {
    /// A file or a folder refused.
    #[error("cannot {action} `{}`", path.display())]
    #[diagnostic(
        code(nas::run::io),
        help("make room and rights for it, or name another folder by `--out`")
    )]
    Io {
        /// What was tried: "write".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },

    /// A new run was asked for in the folder of another.
    #[error("`{}` already holds a run", dir.display())]
    #[diagnostic(
        code(nas::run::exists),
        help("go on with it by `--resume`, or name another folder by `--out`")
    )]
    Exists {
        /// The folder.
        dir: PathBuf,
    },

    /// The folder is not empty and nothing in it is a run.
    #[error("`{}` is not empty and holds no run", dir.display())]
    #[diagnostic(code(nas::run::not_a_run), help("name another folder by `--out`"))]
    NotARun {
        /// The folder.
        dir: PathBuf,
    },

    /// A run is to be read where there is none.
    #[error("`{}` holds no run", dir.display())]
    #[diagnostic(
        code(nas::run::none),
        help("name the folder of a run; `nasc runs DIR` lists those that lie in a folder")
    )]
    NoRun {
        /// The folder.
        dir: PathBuf,
    },

    /// The run in the folder is laid out as another version of nasc does.
    #[error("the run in `{}` was written by another version of nasc", dir.display())]
    #[diagnostic(
        code(nas::run::layout),
        help(
            "go on with it by that version (`run.json` names it), or name another folder by `--out`"
        )
    )]
    Layout {
        /// The folder.
        dir: PathBuf,
    },

    /// The run in the folder is of something else.
    #[error("the run in `{}` is another one:{}", dir.display(), listed(differences))]
    #[diagnostic(
        code(nas::run::differs),
        help("undo these changes to go on with it, or begin a new run in another `--out`")
    )]
    Differs {
        /// The folder.
        dir: PathBuf,
        /// What differs, a phrase each.
        differences: Vec<String>,
    },

    /// Another process works in the folder.
    #[error("another run works in `{}`", dir.display())]
    #[diagnostic(code(nas::run::locked), help("wait for it, or name another folder by `--out`"))]
    Locked {
        /// The folder.
        dir: PathBuf,
    },

    /// A file of the run does not hold what the run wrote.
    #[error("`{file}` of the run is damaged: {why}")]
    #[diagnostic(
        code(nas::run::damaged),
        help("restore the file, or begin a new run in another `--out`")
    )]
    Damaged {
        /// The file, relative to the folder.
        file: String,
        /// What is wrong with it.
        why: String,
    },

    /// A file name that would lie outside the folder.
    #[error("`{name}` cannot be a file of a run")]
    #[diagnostic(
        code(nas::run::file_name),
        help("names are relative, with `/` between folders and without `..`")
    )]
    FileName {
        /// The name.
        name: String,
    },

    /// Training left the numbers.
    #[error("{what} of epoch {epoch} is not a finite number")]
    #[diagnostic(
        code(nas::run::diverged),
        help("lower the learning rate: `--set {setting}=…`; the run so far is kept")
    )]
    Diverged {
        /// Which figure: "the loss of the weights".
        what: &'static str,
        /// The epoch, from 0.
        epoch: u32,
        /// The setting to lower.
        setting: &'static str,
    },

    /// No network that was drawn keeps the requirements.
    #[error("no network was found that reads its input and keeps the requirements of the space")]
    #[diagnostic(
        code(nas::run::none_kept),
        help("loosen the limit on `peak_memory` or `depth`; the run so far is kept")
    )]
    NoneKept,

    /// The space is for nothing that is trained.
    #[error("space `{space}` cannot be trained: {reason}")]
    #[diagnostic(
        code(nas::train::task),
        help(
            "a trainable space has a `task`, inputs that are pictures of one height and width, `[channels, height, width]`, and one output"
        )
    )]
    Task {
        /// The space.
        space: String,
        /// What is missing.
        reason: String,
    },

    /// Constructs of the space that the strategy cannot search.
    #[error("`strategy {strategy}` cannot search `{space}`: {}", refused_counted(refused))]
    #[diagnostic(
        code(nas::run::refused),
        help("write the search as each of them says, or take another strategy")
    )]
    Refused {
        /// The strategy.
        strategy: &'static str,
        /// The space.
        space: String,
        /// Each construct, with what to do about it.
        #[related]
        refused: Vec<Refusal>,
    },

    /// A network of which the objective cannot be told.
    #[error("`{goal}` has no value for a network: {why}")]
    #[diagnostic(
        code(nas::run::no_value),
        help("let the objective read what is known of every network: `--set minimize=…`")
    )]
    NoValue {
        /// The goal.
        goal: String,
        /// Why not.
        why: String,
    },

    /// An objective whose expected cost cannot be computed.
    #[error("the expected cost of a network of `{space}` cannot be computed: {decisions}")]
    #[diagnostic(
        code(nas::run::entangled_objective),
        help("let fewer decisions depend on each other, so that their cases can be tabulated")
    )]
    EntangledObjective {
        /// The space.
        space: String,
        /// Which decisions.
        decisions: String,
    },

    /// Networks that cannot be counted, and so not drawn.
    #[error("networks of `{space}` cannot be drawn uniformly: {decisions}")]
    #[diagnostic(
        code(nas::run::uncounted),
        help("let fewer decisions depend on each other, so that their networks can be counted")
    )]
    Uncounted {
        /// The space.
        space: String,
        /// Which decisions.
        decisions: String,
    },

    /// Requirements under which no best network can be computed.
    #[error("the requirements cannot be kept: {decisions}")]
    #[diagnostic(
        code(nas::run::entangled),
        help("take the requirements out, or let fewer choices meet in one tensor")
    )]
    EntangledRequirements {
        /// Which decisions.
        decisions: String,
    },

    /// A network whose score no table knows.
    #[error("the table of scores has none of the network of {choices}")]
    #[diagnostic(
        code(nas::run::unscored),
        help(
            "add its line and begin anew, or let the space require what the table holds: a run goes on only with the table that it began with"
        )
    )]
    Unscored {
        /// What it chooses.
        choices: String,
    },

    /// A proxy that has no value for any network that was tried.
    #[error("`{proxy}` is not defined for any network that was tried: {why}")]
    #[diagnostic(
        code(nas::run::undefined_proxy),
        help("score by another proxy: `--set score.proxies=[…]`, in a new `--out`")
    )]
    UndefinedProxy {
        /// Which one.
        proxy: &'static str,
        /// Why, of the last network.
        why: String,
    },

    /// Nothing says by what metric a command's scores rank.
    #[error("nothing says which networks of `{space}` are better: {why}")]
    #[diagnostic(code(nas::search::metric), help("{help}"))]
    Metric {
        /// The space.
        space: String,
        /// What is missing.
        why: String,
        /// The edit that cures it.
        help: String,
    },

    /// A command that scores no network.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Command(#[from] Box<NoScore>),

    /// Something is to be trained where scores are known.
    #[error("nothing is there to train with")]
    #[diagnostic(
        code(nas::internal::no_backend),
        help("this is a fault of nasc; please report it with the recipe")
    )]
    NoBackend,

    /// Scores are to be looked up where there are none.
    #[error("no table of scores is there")]
    #[diagnostic(
        code(nas::internal::no_table),
        help("this is a fault of nasc; please report it with the recipe")
    )]
    NoTable,

    /// A command is to be run by one that runs none.
    #[error("nothing is there to run a command with")]
    #[diagnostic(
        code(nas::internal::no_command),
        help("this is a fault of nasc; please report it with the recipe")
    )]
    NoCommand,

    /// A recipe of a strategy that is not in the table.
    #[error("there is no strategy `{name}`")]
    #[diagnostic(
        code(nas::internal::strategy),
        help("this is a fault of nasc; please report it with the recipe")
    )]
    UnknownStrategy {
        /// The name.
        name: &'static str,
    },

    /// A recipe and the strategy that reads it disagree.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setting(#[from] NoSetting),

    /// The backend answered for another space.
    #[error("the probabilities do not fit the decisions: {why}")]
    #[diagnostic(
        code(nas::internal::probabilities),
        help("this is a fault of nasc; please report it with the file of the space")
    )]
    Probabilities {
        /// What does not fit.
        why: String,
    },
}

impl RunError {
    /// Requirements whose decisions no table of bounded size holds.
    pub(crate) fn entangled_requirements(space: &Space, entangled: &Entangled) -> Self {
        Self::EntangledRequirements { decisions: space.entanglement(entangled) }
    }

    /// Whether the folder belongs to another run, or to something else.
    #[must_use]
    pub fn is_of_another(&self) -> bool {
        matches!(
            self,
            Self::Exists { .. }
                | Self::NotARun { .. }
                | Self::Layout { .. }
                | Self::Differs { .. }
                | Self::Locked { .. }
        )
    }
}

/// How many constructs are refused, in words.
fn refused_counted(refused: &[Refusal]) -> String {
    match refused {
        [_] => "one construct is in the way".to_owned(),
        all => format!("{} constructs are in the way", all.len()),
    }
}

/// How many trials, in words.
fn counted(trials: usize) -> String {
    match trials {
        1 => "trial".to_owned(),
        more => format!("{more} trials"),
    }
}

/// The most differences that are listed.
const LISTED: usize = 12;

/// Each on a line of its own.
fn listed(differences: &[String]) -> String {
    let mut text: String = differences.iter().take(LISTED).map(|d| format!("\n  {d}")).collect();
    if let Some(more) = differences.len().checked_sub(LISTED).filter(|&more| more > 0) {
        text += &format!("\n  … and {more} more");
    }
    text
}
