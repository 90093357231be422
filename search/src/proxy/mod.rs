//! Zero-cost proxies: what a network that was never trained tells of how well it would do, from one batch of images.

mod vote;

use crate::metrics::{MetricName, Metrics, Ranking};
use crate::work::Work;
use nas_ir::metric::Direction;

pub use vote::Electorate;

/// Makes the proxies, and the tables of their names, from one list.
macro_rules! proxies {
    ($($(#[$doc:meta])* $proxy:ident = $name:literal),+ $(,)?) => {
        /// A proxy. More is better of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Proxy {
            $($(#[$doc])* $proxy),+
        }

        impl Proxy {
            /// Each by its name.
            pub const NAMED: &'static [(&'static str, Self)] = &[$(($name, Self::$proxy)),+];

            /// Their names.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Its name in recipes and files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$proxy => $name),+
                }
            }
        }
    };
}

proxies!(
    /// Synaptic flow (Tanaka et al. 2020, equation 2), as its natural logarithm.
    Synflow = "synflow",
    /// How differently rectifiers answer to different images (NASWOT, Mellor et al. 2021, equation 2).
    Naswot = "naswot",
    /// How little the gradients by different images have in common (Mellor et al. 2020, arXiv 2006.04647v1).
    JacobCov = "jacob_cov",
    /// How far features move with the input (Zen-score, Lin et al. 2021, algorithm 1).
    Zen = "zen",
    /// The norms of the gradients of the loss (Abdelfattah et al. 2021, section 3.1).
    GradNorm = "grad_norm",
    /// What the loss changes with each weight (SNIP, Lee et al. 2019; of a network, Abdelfattah et al. 2021).
    Snip = "snip",
    /// What the norm of the gradients changes with each weight (GraSP, Wang et al. 2020; likewise).
    Grasp = "grasp",
);

/// The name of the metric that several proxies make.
pub const VOTE: &str = "vote";

/// What the proxies say of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The value of each that was asked for, in order.
    pub values: Vec<f64>,
    /// What it took.
    pub work: Work,
}

/// Why a proxy has no value for a network, in words: "`naswot` is not defined: it has no rectifiers".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undefined {
    /// Which one.
    pub proxy: Proxy,
    /// Why.
    pub why: String,
    /// What finding that out took.
    pub work: Work,
}

/// The score of a network by proxies: its value by the only one, or the vote of several and then what each of them says.
#[must_use]
pub fn score(proxies: &[Proxy], values: &[f64], vote: Option<f64>) -> Metrics {
    let named = |name: &str| MetricName::Named(name.to_owned());
    let vote = vote.map(|vote| (named(VOTE), vote));
    let each = proxies.iter().zip(values).map(|(proxy, value)| (named(proxy.name()), *value));
    let mut all = vote.into_iter().chain(each);
    let (metric, value) = all.next().unwrap_or((named(VOTE), 0.0));
    Metrics::measured(Ranking { metric, direction: Direction::Higher }, value, all.collect())
}
