//! `--front`: the Pareto front of two measures, over the networks that keep what the space requires.

use std::str::FromStr;

use nas_analysis::{FrontWithin, front_within};
use nas_diagnostics::nearest;
use nas_ir::{Checked, Limit, Measure, Space};
use serde_json::{Value, json};

use crate::render::report::Failure;
use crate::render::table::Table;
use crate::services::draw::known_requirements;

/// Two measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair(pub Measure, pub Measure);

impl FromStr for Pair {
    type Err = String;

    /// As in `macs,params`.
    fn from_str(text: &str) -> Result<Self, String> {
        let names = Measure::ALL.map(Measure::name);
        let measure = |name: &str| {
            Measure::named(name).ok_or_else(|| {
                let near = nearest(name, names);
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                format!("`{name}` is none of {}{hint}", names.join(", "))
            })
        };
        match text.split_once(',') {
            Some((a, b)) if a != b => Ok(Self(measure(a)?, measure(b)?)),
            _ => Err("two measures with a comma between them, such as macs,params".to_owned()),
        }
    }
}

/// The front of two measures: the values of the networks that keep what the space requires and of which
/// no other is better in one and not worse in the other, by rising first measure.
pub struct Front {
    /// The measures.
    pub measures: Pair,
    /// Their values; of latency, in nanoseconds.
    pub points: Vec<(i128, i128)>,
    /// Whether the search for a point was cut short.
    pub is_cut: bool,
}

impl Front {
    /// The front of a space.
    ///
    /// # Errors
    /// A measure is not known, or no table of bounded size holds the front.
    pub fn of(space: &Checked<Space>, measures: Pair) -> Result<Self, Failure> {
        let Pair(a, b) = measures;
        if [a, b].contains(&Measure::Latency) && space.device.latency.is_none() {
            return Err(Failure::held(format!("space `{}` has no latency table", space.name)));
        }
        let limits = known_requirements(space).map(|requirement| requirement.limit.clone());
        let limits: Vec<Limit> = limits.collect();
        let FrontWithin { points, is_cut } =
            front_within(space, (a, b), &limits).map_err(|entangled| {
                let (a, b, decisions) = (a.name(), b.name(), space.entanglement(&entangled));
                Failure::held(format!("front of {a} and {b}: {decisions}"))
            })?;
        Ok(Self { measures, points, is_cut })
    }

    /// The points, a row each.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Pair(a, b) = self.measures;
        let mut table = Table::new([a.name(), b.name()]);
        for &(first, second) in &self.points {
            table.row([a.show(first), b.show(second)]);
        }
        let points = self.points.len();
        let s = if points == 1 { "" } else { "s" };
        let cut = if self.is_cut { ", as far as it was found" } else { "" };
        format!("\nPareto front, {points} point{s}{cut}\n{table}")
    }

    /// The points as pairs of whole numbers.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let whole = |value: i128| u64::try_from(value).unwrap_or(u64::MAX);
        self.points.iter().map(|&(a, b)| json!([whole(a), whole(b)])).collect()
    }
}
