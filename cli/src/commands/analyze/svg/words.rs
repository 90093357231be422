//! What all pictures say and look alike in: measures and figures in words, colours.

use nas_ir::Measure;
use num_bigint::BigUint;

use crate::commands::analyze::analysis::Analysis;
use crate::render::plot::{Range, rounded};

/// The colours of all pictures.
pub(super) const STYLE: &str = ".space{fill:#56b4e9;fill-opacity:0.55}.cloud{stroke:#b6c2cd;stroke-width:3;stroke-linecap:round}\
    .out{fill:#fff;fill-opacity:0.72}path.limit{fill:none;stroke:#d55e00;stroke-width:1.5}text.limit{fill:#a84a00}\
    path.stem{stroke:#1f2933}.outline{fill:none;stroke:#7b8794}.front{fill:none;stroke:#0072b2;stroke-width:2}.dot{fill:#0072b2}\
    .network{fill:#e69f00;stroke:#1f2933}.end{fill:none;stroke:#0072b2;stroke-width:2}.fixed{fill:#9aa5b1}";

/// A measure in words.
pub(super) fn title(measure: Measure) -> &'static str {
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
pub(super) fn real(measure: Measure, value: i128) -> f64 {
    let value = value as f64;
    if measure == Measure::Latency { value * 1e-9 } else { value }
}

/// A figure for people.
pub(super) fn shown(measure: Measure, value: f64) -> String {
    rounded(value, unit(measure))
}

/// The label of a tick on the scale of a measure.
pub(super) fn tick(measure: Measure, range: Range, tick: f64) -> String {
    range.prefixed(tick, unit(measure))
}

/// How many networks, in words.
pub(super) fn networks(analysis: &Analysis) -> String {
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
