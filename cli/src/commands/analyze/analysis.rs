//! What `nasc analyze` finds out about a space, as tables and as JSON.

use std::thread::ScopedJoinHandle;

use nas_analysis::{
    Distribution, Moments, Within, count_at_most, count_within, distribution, quotient,
};
use nas_ir::diagram::Entangled;
use nas_ir::measure::{BoundedRange, Bounds, grouped};
use nas_ir::requirement::Requirement;
use nas_ir::{Checked, Form, Limit, Measure, Space};
use num_bigint::BigUint;
use serde_json::{Map, Value, json};

use crate::render::report::counted;
use crate::render::table::Table;
use crate::services::draw::known_requirements;

/// The exact figures of a whole space.
pub struct Analysis {
    /// Its name.
    pub space: String,
    /// Number of networks; none where the decisions are too entangled to count them.
    pub count: Option<BigUint>,
    /// How many of them read their input; none where that is too entangled.
    pub reading: Option<BigUint>,
    /// Number of decisions.
    pub decisions: usize,
    /// What is known about each measure.
    pub measures: Vec<(Measure, Spread)>,
    /// Which decisions are in the way of more, by the names of measures.
    pub entangled: Vec<(Vec<&'static str>, String)>,
    /// How many networks keep each requirement, and all of them.
    pub requirements: Requirements,
}

/// A measure over all networks of a space.
#[allow(clippy::large_enum_variant, reason = "there are six of them")]
pub enum Spread {
    /// Everything.
    Exact {
        /// The least and the greatest value.
        range: (i128, i128),
        /// Mean and standard deviation.
        moments: Moments,
        /// How many networks have at most each value.
        distribution: Distribution,
    },
    /// Bounds on the least and the greatest value.
    Bounded {
        /// The bounds.
        range: BoundedRange,
        /// What was in the way of more, if that is known.
        entangled: Option<Entangled>,
    },
    /// Nothing, by these decisions.
    Entangled(Entangled),
    /// Nothing: the target has no latency table.
    NoTable,
}

impl Spread {
    /// Of all measures, each in a thread of its own. The distribution of the bytes of weights, which
    /// takes long to find, is so many times that of the parameters, and waits for it.
    fn of_all(space: &Checked<Space>) -> Vec<(Measure, Self)> {
        let (bytes, others): (Vec<Measure>, Vec<Measure>) =
            Measure::ALL.into_iter().partition(|measure| *measure == Measure::WeightBytes);
        let mut spreads: Vec<(Measure, Self)> = std::thread::scope(|scope| {
            let threads: Vec<_> = others
                .into_iter()
                .map(|measure| (measure, scope.spawn(move || Self::of(space, measure, &[]))))
                .collect();
            let spread = |thread: ScopedJoinHandle<'_, Self>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(|(measure, thread)| (measure, spread(thread))).collect()
        });
        for measure in bytes {
            spreads.push((measure, Self::of(space, measure, &spreads)));
        }
        spreads.sort_by_key(|(measure, _)| Measure::ALL.iter().position(|other| other == measure));
        spreads
    }

    /// Of a measure, given what those before it came to.
    fn of(space: &Checked<Space>, measure: Measure, before: &[(Measure, Self)]) -> Self {
        if measure == Measure::Latency && space.device.latency.is_none() {
            return Self::NoTable;
        }
        match measure {
            Measure::PeakMemory => Self::bounded(nas_analysis::memory_range(space)),
            Measure::Depth => Self::bounded(nas_analysis::depth_range(space)),
            _ => Self::of_sum(space, measure, before).unwrap_or_else(|entangled| {
                match nas_analysis::sum_range(space, measure) {
                    Ok(range) => Self::Bounded { range, entangled: Some(entangled) },
                    Err(entangled) => Self::Entangled(entangled),
                }
            }),
        }
    }

    fn bounded(range: BoundedRange) -> Self {
        Self::Bounded { range, entangled: None }
    }

    fn of_sum(
        space: &Checked<Space>,
        measure: Measure,
        before: &[(Measure, Self)],
    ) -> Result<Self, Entangled> {
        let range = nas_analysis::range(space, measure)?;
        let of_params = || before.iter().find(|(measure, _)| *measure == Measure::Params);
        Ok(Self::Exact {
            range: (range.min.into(), range.max.into()),
            moments: nas_analysis::moments(space, measure)?,
            // The longest part of the work; the bytes of the weights are so many times as many.
            distribution: match (measure, of_params()) {
                (Measure::WeightBytes, Some((_, Self::Exact { distribution, .. }))) => {
                    distribution.times(space.device.precision.bytes().into())
                }
                _ => distribution(space, &Form::from(measure))?,
            },
        })
    }

    /// The decisions that are in the way of more.
    fn entangled(&self) -> Option<&Entangled> {
        match self {
            Self::Bounded { entangled, .. } => entangled.as_ref(),
            Self::Entangled(entangled) => Some(entangled),
            Self::Exact { .. } | Self::NoTable => None,
        }
    }
}

/// Which decisions are in the way of more about measures, those together for which they are the same.
fn entangled(space: &Space, measures: &[(Measure, Spread)]) -> Vec<(Vec<&'static str>, String)> {
    let mut groups: Vec<(Vec<&'static str>, String)> = Vec::new();
    for (measure, spread) in measures {
        let Some(entangled) = spread.entangled() else { continue };
        let decisions = space.entanglement(entangled);
        match groups.iter_mut().find(|(_, known)| *known == decisions) {
            Some((names, _)) => names.push(measure.name()),
            None => groups.push((vec![measure.name()], decisions)),
        }
    }
    groups
}

/// How many networks are left.
#[derive(Default)]
pub struct Requirements {
    /// Each requirement, with the networks that keep it.
    pub each: Vec<(Required, Option<Within>)>,
    /// The networks that keep all of them, if there are several.
    pub all: Option<Within>,
    /// The requirement without which most networks would be left, if there are several.
    pub binding: Option<usize>,
}

/// What one comparison requires: `==` limits from both sides.
pub struct Required {
    /// As written.
    pub text: String,
    /// What it limits.
    pub limits: Vec<Requirement>,
}

impl Requirements {
    fn of(space: &Checked<Space>) -> Self {
        let mut required: Vec<Required> = Vec::new();
        for requirement in known_requirements(space) {
            let same = |last: &&mut Required| {
                last.limits.iter().any(|first| first.origin == requirement.origin)
                    && last.text == requirement.text
            };
            match required.last_mut().filter(same) {
                Some(last) => last.limits.push(requirement.clone()),
                None => {
                    let (text, limits) = (requirement.text.clone(), vec![requirement.clone()]);
                    required.push(Required { text, limits });
                }
            }
        }
        let limits_without = |without: Option<usize>| -> Vec<Limit> {
            let kept = required.iter().enumerate().filter(|(index, _)| Some(*index) != without);
            kept.flat_map(|(_, r)| &r.limits).map(|r| r.limit.clone()).collect()
        };
        let counts: Vec<Option<Within>> = required
            .iter()
            .map(|one| one.limits.iter().map(|r| r.limit.clone()).collect::<Vec<Limit>>())
            .map(|limits| count_within(space, &limits).ok())
            .collect();
        let (mut all, mut binding) = (None, None);
        if required.len() > 1 {
            all = count_within(space, &limits_without(None)).ok();
            let without = |index: usize| match (counts.as_slice(), index) {
                // Without one of two, there is the other.
                ([Some(left), _], 1) | ([_, Some(left)], 0) => Some(left.at_most.clone()),
                _ => count_at_most(space, &limits_without(Some(index))).ok(),
            };
            binding = (0..required.len()).max_by_key(|&index| without(index));
        }
        Self { each: required.into_iter().zip(counts).collect(), all, binding }
    }
}

impl Analysis {
    /// The figures of a space.
    #[must_use]
    pub fn of(space: &Checked<Space>) -> Self {
        let measures = Spread::of_all(space);
        Self {
            space: space.name.clone(),
            count: nas_analysis::count(space).ok(),
            reading: nas_analysis::count_reading(space).ok(),
            decisions: space.decisions.len(),
            entangled: entangled(space, &measures),
            measures,
            requirements: Requirements::of(space),
        }
    }

    /// The share of the space, as a fraction.
    fn share(&self, count: &BigUint) -> Option<f64> {
        Some(quotient(count, self.count.as_ref()?))
    }

    /// The figures as tables.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut table = Table::new([&self.space, "least", "mean", "greatest", "std", "networks"]);
        for (measure, spread) in &self.measures {
            table.row(row(*measure, spread));
        }
        let networks = match &self.count {
            Some(count) => counted(grouped(count), "network"),
            None => "networks too entangled to count".to_owned(),
        };
        let own = counted(self.decisions, "decision");
        let constant = match (&self.count, &self.reading) {
            (Some(count), Some(reading)) if reading < count => {
                let constant = count - reading;
                format!(", {} that do not read their input", grouped(constant))
            }
            _ => String::new(),
        };
        let requirements = self.requirements_table();
        let entangled = self.entangled.iter().map(|(measures, decisions)| {
            format!("\nonly bounds of {}: {decisions}\n", measures.join(", "))
        });
        let entangled: String = entangled.collect();
        format!("{networks}{constant}, {own}\n\n{table}{entangled}{requirements}")
    }

    fn requirements_table(&self) -> String {
        let Requirements { each, all, binding } = &self.requirements;
        if each.is_empty() {
            return String::new();
        }
        let mut table = Table::new(["requirement", "leaves", "networks"]);
        for (index, (required, within)) in each.iter().enumerate() {
            let binds = if *binding == Some(index) { " (binds most)" } else { "" };
            let name = format!("{}{binds}", required.text);
            let [share, networks] = self.left(within.as_ref());
            table.row([name, share, networks]);
        }
        if all.is_some() {
            let [share, networks] = self.left(all.as_ref());
            table.row(["all together".to_owned(), share, networks]);
        }
        format!("\n{table}")
    }

    /// Share and number of the networks that are left.
    pub(super) fn left(&self, within: Option<&Within>) -> [String; 2] {
        let Some(Within { at_least, at_most }) = within else {
            return ["too entangled".to_owned(), String::new()];
        };
        let share = |count| self.share(count).map_or(String::new(), percent);
        if at_least == at_most {
            return [share(at_most), grouped(at_most)];
        }
        let between = |a: String, b: String| {
            if a == b { format!("about {a}") } else { format!("{a} to {b}") }
        };
        [between(share(at_least), share(at_most)), between(grouped(at_least), grouped(at_most))]
    }

    /// The figures as JSON.
    #[must_use]
    pub fn to_json(&self, bins: usize) -> Value {
        let mut value = Map::new();
        let text = |count: &BigUint| Value::from(count.to_string());
        value.insert("count".to_owned(), self.count.as_ref().map_or(Value::Null, text));
        value.insert("decisions".to_owned(), self.decisions.into());
        for (measure, spread) in &self.measures {
            value.insert(measure.name().to_owned(), spread_json(*measure, spread, bins));
        }
        value.insert("reading".to_owned(), self.reading.as_ref().map_or(Value::Null, text));
        let within = |within: &Within| {
            json!({
                "at_least": within.at_least.to_string(),
                "at_most": within.at_most.to_string(),
                "share": self.share(&within.at_most),
            })
        };
        let entangled = self
            .entangled
            .iter()
            .map(|(measures, decisions)| json!({"measures": measures, "decisions": decisions}));
        value.insert("entangled".to_owned(), entangled.collect());
        let Requirements { each, all, binding } = &self.requirements;
        let each = each.iter().enumerate().map(|(index, (required, left))| {
            let binds = *binding == Some(index);
            json!({"text": required.text, "left": left.as_ref().map(within), "binds": binds})
        });
        value.insert("requirements".to_owned(), each.collect());
        if let Some(all) = all {
            value.insert("left".to_owned(), within(all));
        }
        Value::Object(value)
    }
}

/// Intervals of the histograms in the terminal.
const TERMINAL_BINS: usize = 24;
/// Heights of the bars in the terminal.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn row(measure: Measure, spread: &Spread) -> [String; 6] {
    let name = measure.name().to_owned();
    match spread {
        Spread::Entangled(_) | Spread::NoTable => {
            let is_entangled = matches!(spread, Spread::Entangled(_));
            let reason = if is_entangled { "too entangled" } else { "no latency table" };
            let none = String::new;
            [name, reason.to_owned(), none(), none(), none(), none()]
        }
        Spread::Bounded { range: BoundedRange { min, max }, .. } => {
            let none = String::new;
            [name, bounds(measure, min), none(), bounds(measure, max), none(), none()]
        }
        Spread::Exact {
            range: (least, greatest),
            moments: Moments { mean, std },
            distribution,
        } => {
            let show = |value: i128| measure.show(value);
            let whole = |value: f64| measure.show(value.round() as i128);
            let bars = bars(&distribution.histogram(TERMINAL_BINS).counts);
            [name, show(*least), whole(*mean), show(*greatest), whole(*std), bars]
        }
    }
}

/// A figure, or between which ones it lies.
fn bounds(measure: Measure, bounds: &Bounds) -> String {
    let show = |value: u64| measure.show(value.into());
    match bounds.exact() {
        Some(value) => show(value),
        None => format!("{}..{}", show(bounds.at_least), show(bounds.at_most)),
    }
}

/// Bars as high as the counts; an interval without a network has none.
fn bars(counts: &[BigUint]) -> String {
    let most = counts.iter().max().cloned().unwrap_or_default();
    let bar = |count: &BigUint| match quotient(count, &most) {
        _ if *count == BigUint::ZERO => ' ',
        share => BARS.get((share * 8.0).ceil() as usize - 1).copied().unwrap_or('▁'),
    };
    counts.iter().map(bar).collect()
}

/// A share for people: three digits that say something.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        p if p < 0.001 => format!("{p:.1e} %"),
        p if p < 0.1 => format!("{p:.4} %"),
        // Nearly all is not all.
        p if p > 99.99 && p < 100.0 => "over 99.99 %".to_owned(),
        p => format!("{p:.2} %"),
    }
}

/// A figure, or between which ones it lies.
fn bounds_json(bounds: &Bounds) -> Value {
    bounds.exact().map_or_else(|| json!(bounds), Value::from)
}

fn spread_json(measure: Measure, spread: &Spread, bins: usize) -> Value {
    let (least, greatest, moments, distribution) = match spread {
        Spread::Entangled(_) | Spread::NoTable => return Value::Null,
        Spread::Bounded { range: BoundedRange { min, max }, .. } => {
            return json!({"min": bounds_json(min), "max": bounds_json(max)});
        }
        Spread::Exact { range: (least, greatest), moments, distribution } => {
            (least, greatest, moments, distribution)
        }
    };
    // Times are in seconds, as in the language.
    let is_time = measure == Measure::Latency;
    let whole = |value: i128| match u64::try_from(value) {
        Ok(value) if !is_time => Value::from(value),
        _ => Value::from(value as f64 * 1e-9),
    };
    let real = |value: f64| if is_time { value * 1e-9 } else { value };
    let histogram = distribution.histogram(bins);
    let counts: Vec<String> = histogram.counts.iter().map(ToString::to_string).collect();
    json!({
        "min": whole(*least),
        "max": whole(*greatest),
        "mean": real(moments.mean),
        "std": real(moments.std),
        "histogram": {
            "from": whole(histogram.from),
            "to": whole(histogram.to),
            "slack": whole(histogram.slack),
            "counts": counts,
        },
    })
}
