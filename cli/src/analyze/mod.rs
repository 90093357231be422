//! `nasc analyze`: exact figures of a whole space.

mod front;
mod svg;

use std::path::PathBuf;

use clap::Args;
use nas_compiler::analyse::{
    self, Distribution, Form, Limit, Moments, Within, count_within, distribution, quotient,
};
use nas_compiler::measure::{BoundedRange, Bounds, grouped};
use nas_compiler::requirement::Requirement;
use nas_compiler::{Checked, Measure, Space};
use num_bigint::BigUint;
use serde_json::{Map, Value, json};

use crate::input::{self, DropArgs, Input};
use crate::report::Failure;
use crate::table::Table;
pub use front::{Front, Pair};
pub use svg::Published;

/// Arguments of `nasc analyze`.
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// The file.
    pub file: PathBuf,
    /// Whether what the target cannot run is left out.
    #[command(flatten)]
    pub drop: DropArgs,
    /// The space, where the file has several.
    #[arg(long)]
    pub space: Option<String>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
    /// Intervals of the histograms in JSON.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub bins: u32,
    /// The Pareto front of two measures, such as macs,params.
    #[arg(long, value_name = "A,B")]
    pub front: Option<Pair>,
    /// Draw the distributions, the front (or the usual ones) and the layers into a folder.
    #[arg(long, value_name = "DIR")]
    pub svg: Option<PathBuf>,
}

/// The exact figures of a whole space.
pub struct Analysis {
    /// Its name.
    pub space: String,
    /// Number of networks; none where the decisions are too entangled to count them.
    pub count: Option<BigUint>,
    /// Number of decisions.
    pub decisions: usize,
    /// What is known about each measure.
    pub measures: Vec<(Measure, Spread)>,
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
    /// Bounds on the least and the greatest value; the decisions are too entangled for more.
    Bounded(BoundedRange),
    /// Nothing, for this reason.
    Unknown(&'static str),
}

impl Spread {
    fn of(space: &Checked<Space>, measure: Measure) -> Self {
        if measure == Measure::Latency && space.device.latency.is_none() {
            return Self::Unknown("no latency table");
        }
        let bounded = || match measure {
            Measure::PeakMemory => Some(analyse::memory_range(space)),
            Measure::Depth => Some(analyse::depth_range(space)),
            _ => analyse::sum_range(space, measure).ok(),
        };
        let exact = || {
            if !measure.is_sum() {
                return None;
            }
            let range = analyse::range(space, measure).ok()?;
            Some(Self::Exact {
                range: (range.min.into(), range.max.into()),
                moments: analyse::moments(space, measure).ok()?,
                distribution: distribution(space, &Form::from(measure)).ok()?,
            })
        };
        let known = exact().or_else(|| bounded().map(Self::Bounded));
        known.unwrap_or(Self::Unknown("too entangled"))
    }
}

/// How many networks are left.
#[derive(Default)]
pub struct Requirements {
    /// For each requirement on sums, the networks that keep it.
    pub each: Vec<(Requirement, Option<Within>)>,
    /// The networks that keep all of them, if there are several.
    pub all: Option<Within>,
    /// The requirement without which most networks would be left, if there are several.
    pub binding: Option<usize>,
}

impl Requirements {
    fn of(space: &Checked<Space>) -> Self {
        let requirements: Vec<&Requirement> =
            space.requirements.iter().filter(|requirement| requirement.is_sum()).collect();
        let limits: Vec<Limit> = requirements.iter().map(|r| r.limit.clone()).collect();
        let each = requirements.iter().zip(&limits).map(|(requirement, limit)| {
            let within = count_within(space, std::slice::from_ref(limit)).ok();
            ((*requirement).clone(), within)
        });
        let each = each.collect();
        if limits.len() < 2 {
            return Self { each, ..Self::default() };
        }
        let without = |index: usize| {
            let mut others = limits.clone();
            others.remove(index);
            count_within(space, &others).ok().map(|within| within.at_most)
        };
        let binding = (0..limits.len()).max_by_key(|&index| without(index));
        Self { each, all: count_within(space, &limits).ok(), binding }
    }
}

impl Analysis {
    /// The figures of a space.
    #[must_use]
    pub fn of(space: &Checked<Space>) -> Self {
        let spread = |measure| (measure, Spread::of(space, measure));
        Self {
            space: space.name.clone(),
            count: analyse::count(space).ok(),
            decisions: space.decisions.len(),
            measures: Measure::ALL.into_iter().map(spread).collect(),
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
            Some(count) => format!("{} networks", grouped(count)),
            None => "networks too entangled to count".to_owned(),
        };
        let decisions = self.decisions;
        let s = if decisions == 1 { "" } else { "s" };
        let requirements = self.requirements_table();
        format!("{networks}, {decisions} decision{s}\n\n{table}{requirements}")
    }

    fn requirements_table(&self) -> String {
        let Requirements { each, all, binding } = &self.requirements;
        if each.is_empty() {
            return String::new();
        }
        let mut table = Table::new(["requirement", "leaves", "networks"]);
        for (index, (requirement, within)) in each.iter().enumerate() {
            let binds = if *binding == Some(index) { " (binds most)" } else { "" };
            let name = format!("{}{binds}", requirement.text);
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
    fn left(&self, within: Option<&Within>) -> [String; 2] {
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
        let within = |within: &Within| {
            json!({
                "at_least": within.at_least.to_string(),
                "at_most": within.at_most.to_string(),
                "share": self.share(&within.at_most),
            })
        };
        let Requirements { each, all, binding } = &self.requirements;
        let each = each.iter().enumerate().map(|(index, (requirement, left))| {
            let binds = *binding == Some(index);
            json!({"text": requirement.text, "left": left.as_ref().map(within), "binds": binds})
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
        Spread::Unknown(reason) => {
            let none = String::new;
            [name, (*reason).to_owned(), none(), none(), none(), none()]
        }
        Spread::Bounded(BoundedRange { min, max }) => {
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
        Spread::Unknown(_) => return Value::Null,
        Spread::Bounded(BoundedRange { min, max }) => {
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

/// Exact figures of a whole space.
///
/// # Errors
/// The file is at fault, a front cannot be held, or a picture cannot be written.
pub fn run(args: &AnalyzeArgs) -> Result<(), Failure> {
    let (space, published) = Input::with(args.drop.of(&args.file), |program, compiler| {
        let space = input::space(program, compiler, args.space.as_deref())?;
        let published = args.svg.as_ref().map(|_| Published::of(program, compiler, &space));
        Ok((space, published.unwrap_or_default()))
    })?;
    let analysis = Analysis::of(&space);
    let front = args.front.map(|measures| Front::of(&space, measures)).transpose()?;
    if args.json {
        let mut value = analysis.to_json(args.bins as usize);
        if let (Some(value), Some(front)) = (value.as_object_mut(), &front) {
            value.insert("front".to_owned(), front.to_json());
        }
        println!("{value:#}");
    } else {
        print!("{}", analysis.to_text());
        front.iter().for_each(|front| print!("{}", front.to_text()));
    }
    if let Some(folder) = &args.svg {
        let drawn = svg::write(folder, &space, &analysis, &published, front.as_ref())?;
        if !args.json {
            println!("\n{}: {}", folder.display(), drawn.join(", "));
        }
    }
    Ok(())
}
