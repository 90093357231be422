//! The picture of a run: how it learned, how its choices settled, and what it tried.

mod chart;
mod drawn;
mod learning;
mod plane;
mod settling;

use nas_search::record::Trained;
use nas_search::store::Recorded;

use self::drawn::Drawn;
use super::baseline::Baseline;
use super::plot::{Page, rounded};
use super::report::{Failure, counted};

/// The width of the picture.
const WIDTH: f64 = 960.0;
/// Where the body begins, below the heading.
const TOP: f64 = 84.0;

const STYLE: &str = ".line{fill:none;stroke-width:1.8px;stroke-linejoin:round}.other{fill:none;stroke:#b0b8c1}\
    .c0{stroke:#0072b2}.c1{stroke:#d55e00}.c2{stroke:#009e73}.c3{stroke:#cc79a7}\
    .dot{stroke:none}.d0{fill:#0072b2}.d1{fill:#d55e00}.d2{fill:#009e73}.d3{fill:#cc79a7}\
    .tried{fill:#0072b2;fill-opacity:0.75}.short{fill:#0072b2;fill-opacity:0.2}\
    .uniform{fill:#fff;stroke:#6b7682;stroke-width:1.4px}.front{fill:none;stroke:#d55e00;stroke-width:1.6px}\
    .baseline{fill:none;stroke:#6b7682;stroke-width:1.4px;stroke-dasharray:5 4}\
    .result{fill:none;stroke:#d55e00;stroke-width:2px}.small{font-size:10.5px}";

/// A part of the picture from this height on, and where it ends.
type Part = fn(&Drawn<'_>, f64) -> (String, f64);

/// The picture of a run as it is, as SVG, with the networks that its result is held against. Runs that are equal but for
/// their times have equal pictures.
///
/// # Errors
/// The run is damaged.
pub fn svg(run: &Recorded, baseline: Option<&Baseline>) -> Result<String, Failure> {
    let drawn = Drawn::of(run, baseline)?;
    let mut body = String::new();
    let mut top = TOP;
    let parts: [Part; 3] = [learning::svg, settling::svg, plane::svg];
    for part in parts {
        let (svg, bottom) = part(&drawn, top);
        body += &svg;
        top = bottom;
    }
    let page = Page {
        size: (WIDTH, top),
        title: title(run),
        about: about(run, &drawn),
        style: STYLE,
        body,
    };
    Ok(page.svg())
}

fn title(run: &Recorded) -> String {
    let space = &run.run().space;
    match run.strategy() {
        Some(strategy) => format!("{}: {strategy} in {space}", run.run().recipe),
        None => format!("Retraining of a network of {space}"),
    }
}

fn about(run: &Recorded, drawn: &Drawn<'_>) -> String {
    let mut parts = Vec::new();
    if !drawn.search.is_empty() {
        parts.push(format!("{} of search", counted(drawn.search.len(), "epoch")));
    }
    if !drawn.tried.is_empty() {
        parts.push(format!("{} tried", counted(drawn.tried.len(), "network")));
    }
    if !drawn.retraining.is_empty() {
        parts.push(format!("{} of retraining", counted(drawn.retraining.len(), "epoch")));
    }
    if let Some(result) = run.result() {
        let macs = rounded(result.cost.macs as f64, "");
        let (which, score) = match &result.trained {
            Some(Trained { test: Some(test), .. }) => ("test ", Some(test)),
            Some(Trained { val, .. }) => ("val ", Some(val)),
            None => ("", result.trial.as_ref()),
        };
        let score = score.map(|score| {
            let (metric, value) = score.primary();
            format!("{which}{} {value:.3}, ", metric.title())
        });
        parts.push(format!("result: {}{macs} MACs", score.unwrap_or_default()));
    }
    parts.join("; ")
}
