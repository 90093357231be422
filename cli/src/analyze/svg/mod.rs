//! `--svg`: pictures of a whole space.

mod distribution;
mod front;
mod layers;

use std::path::Path;
use std::sync::Arc;

use nas_frontend::Compiler;
use nas_frontend::modules::Program;
use nas_ir::{Checked, Costs, Measure, Space};
use nas_passes::specialise;
use num_bigint::BigUint;

use super::front::{Front, Pair};
use super::{Analysis, Spread};
use crate::plot::{Page, Range};
use crate::report::Failure;

/// The colours of all pictures.
const STYLE: &str = ".space{fill:#56b4e9;fill-opacity:0.55}.cloud{stroke:#b6c2cd;stroke-width:3;stroke-linecap:round}\
    .out{fill:#fff;fill-opacity:0.72}path.limit{fill:none;stroke:#d55e00;stroke-width:1.5}text.limit{fill:#a84a00}\
    path.stem{stroke:#1f2933}.outline{fill:none;stroke:#7b8794}.front{fill:none;stroke:#0072b2;stroke-width:2}.dot{fill:#0072b2}\
    .network{fill:#e69f00;stroke:#1f2933}.end{fill:none;stroke:#0072b2;stroke-width:2}.fixed{fill:#9aa5b1}";

/// The networks that the file names, of one space.
#[derive(Default)]
pub struct Published {
    /// Those of the space: their names and costs.
    networks: Vec<(String, Costs)>,
    /// The names of those of the space with other arguments.
    elsewhere: Vec<String>,
}

impl Published {
    /// The `arch` items of a space.
    pub fn of<'p>(
        program: &'p Program,
        compiler: &mut Compiler<'p, '_>,
        space: &Arc<Checked<Space>>,
    ) -> Self {
        let mut published = Self::default();
        for item in program.archs().filter(|item| item.space.name.name == space.name) {
            let name = item.name.name.clone();
            match compiler.named_network(item) {
                Some(named) if Arc::ptr_eq(&named.space, space) => {
                    let costs = nas_analysis::costs(&specialise(space, &named.assignment));
                    published.networks.push((name, costs));
                }
                Some(_) => published.elsewhere.push(name),
                // The compiler has reported what is wrong with it.
                None => {}
            }
        }
        published
    }

    /// The names and figures of those that have one.
    fn figures(&self, measure: Measure) -> impl Iterator<Item = (&str, f64)> {
        let figure =
            move |costs: &Costs| costs.of(measure).map(|value| real(measure, value.into()));
        self.networks.iter().filter_map(move |(name, costs)| Some((name.as_str(), figure(costs)?)))
    }

    /// Which networks of the file a picture lacks.
    fn lacking(&self, space: &str) -> String {
        match self.elsewhere.as_slice() {
            [] => String::new(),
            names => format!("Of {space} with other arguments, so not here: {}", names.join(", ")),
        }
    }
}

/// Draws all pictures into a folder, and returns their names: the distributions, the front that was
/// asked for or the usual ones, the layers. What the decisions are too entangled for is left out.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(
    folder: &Path,
    space: &Checked<Space>,
    analysis: &Analysis,
    published: &Published,
    asked: Option<&Front>,
) -> Result<Vec<String>, Failure> {
    let usual = [Pair(Measure::Macs, Measure::Params), Pair(Measure::Latency, Measure::Macs)];
    let usual: Vec<Front> = match asked {
        Some(_) => Vec::new(),
        None => usual.into_iter().filter_map(|pair| Front::of(space, pair).ok()).collect(),
    };
    let fronts = asked.into_iter().chain(&usual).map(|front| {
        let Pair(a, b) = front.measures;
        let page = front::page(space, analysis, published, front);
        (format!("front_{}_{}.svg", a.name(), b.name()), page)
    });
    let distribution = distribution::page(analysis, published);
    let pages = distribution.map(|page| ("distribution.svg".to_owned(), page)).into_iter();
    let layers = layers::page(space, Measure::Macs).map(|page| ("layers.svg".to_owned(), page));
    let pages: Vec<(String, Page)> = pages.chain(fronts).chain(layers).collect();
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::input(format!("cannot make {}: {error}", folder.display())))?;
    for (name, page) in &pages {
        page.write(&folder.join(name))?;
    }
    Ok(pages.into_iter().map(|(name, _)| name).collect())
}

/// A measure in words.
fn title(measure: Measure) -> &'static str {
    match measure {
        Measure::Macs => "multiply-accumulates",
        Measure::Params => "parameters",
        Measure::WeightBytes => "bytes of weights",
        Measure::PeakMemory => "bytes of activations at the peak",
        Measure::Latency => "latency",
        Measure::Depth => "depth",
    }
}

/// What the figures of a measure are counted in.
fn unit(measure: Measure) -> &'static str {
    match measure {
        Measure::Latency => "s",
        Measure::WeightBytes | Measure::PeakMemory => "B",
        Measure::Macs | Measure::Params | Measure::Depth => "",
    }
}

/// A figure in that unit.
fn real(measure: Measure, value: i128) -> f64 {
    let value = value as f64;
    if measure == Measure::Latency { value * 1e-9 } else { value }
}

/// A figure for people.
fn shown(measure: Measure, value: f64) -> String {
    crate::plot::rounded(value, unit(measure))
}

/// The label of a tick on the scale of a measure.
fn tick(measure: Measure, range: Range, tick: f64) -> String {
    range.prefixed(tick, unit(measure))
}

/// How many networks, in words.
fn networks(analysis: &Analysis) -> String {
    match &analysis.count {
        Some(count) if count.to_string() == "1" => "1 network".to_owned(),
        Some(count) if count.bits() < 40 => {
            format!("{} networks", nas_ir::measure::grouped(count))
        }
        Some(count) => {
            let power = count.to_string().len() - 1;
            let digits = count / BigUint::from(10_u32).pow(power as u32 - 2);
            let (whole, rest) = (&digits / 100_u32, &digits % 100_u32);
            format!("{whole}.{rest:0>2} × 10{} networks", superscript(power))
        }
        None => "networks too entangled to count".to_owned(),
    }
}

/// A number as an exponent.
fn superscript(number: usize) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digits = number.to_string();
    let digit = |digit: char| DIGITS.get(digit.to_digit(10)? as usize);
    digits.chars().filter_map(digit).collect()
}
