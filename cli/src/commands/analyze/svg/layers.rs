//! Where the networks of a space spend: what each layer costs, a row each, by latency where there is a
//! table, and by multiply-accumulates.

use nas_analysis::{Layer, layers};
use nas_ir::{Checked, Measure, Space};

use super::words::{STYLE, real, shown, tick, title};
use crate::render::plot::{Frame, Page, Range, text, width};

/// The whole picture.
const WIDTH: f64 = 960.0;
const TOP: f64 = 112.0;
/// Between the layers by one measure and by the next.
const BETWEEN: f64 = 40.0;
/// A row, and the bar in it.
const ROW: f64 = 19.0;
const BAR: f64 = 11.0;
/// What stands to the right of the bars: the mean and its share.
const MEANS: f64 = 150.0;

/// All layers by these measures, one below the other; none where they cost nothing or are too
/// entangled.
pub(super) fn page(space: &Checked<Space>, measures: &[Measure]) -> Option<Page> {
    let mut body = String::new();
    let mut top = TOP;
    for &measure in measures {
        if let Some((drawn, bottom)) = section(space, measure, top) {
            body += &drawn;
            top = bottom + BETWEEN;
        }
    }
    (!body.is_empty()).then(|| Page {
        size: (WIDTH, top - BETWEEN),
        title: format!("Where the networks of {} spend", space.name),
        about: "Each bar runs from the cheapest candidates of a layer to the dearest; the dot is the mean over all networks. Grey: the same in all"
            .to_owned(),
        style: STYLE,
        body,
    })
}

/// The layers by a measure, and the lower rim.
fn section(space: &Checked<Space>, measure: Measure, top: f64) -> Option<(String, f64)> {
    let layers = layers(space, measure).ok().filter(|layers| !layers.is_empty())?;
    let names = layers.iter().map(|layer| width(&layer.path)).fold(0.0, f64::max);
    let frame = Frame {
        left: 40.0 + names,
        top,
        right: WIDTH - MEANS,
        bottom: top + ROW * layers.len() as f64 + 6.0,
    };
    let most = layers.iter().map(|layer| layer.range.max).max().unwrap_or_default();
    let scale = Range::linear(0.0, real(measure, most.into()) * 1.03);
    let total: f64 = layers.iter().map(|layer| layer.mean).sum();
    let mut body = frame.grid(scale, None, |value, _| tick(measure, scale, value));
    let right = WIDTH - 24.0;
    body += &text("dim", "end", (right, top - 10.0), "mean, and its share");
    for (row, layer) in layers.iter().enumerate() {
        let middle = top + 3.0 + ROW * (row as f64 + 0.5);
        body += &drawn(layer, measure, &frame, scale, middle);
        let share = layer.mean / total * 100.0;
        let mean = format!("{} · {share:.1} %", shown(measure, layer.mean));
        body += &text("", "end", (right, middle + 4.0), &mean);
    }
    let middle = (frame.left + frame.right) / 2.0;
    body += &text("", "middle", (middle, frame.bottom + 38.0), title(measure));
    Some((body, frame.bottom + 58.0))
}

/// The name of a layer, the range of its cost and the mean.
fn drawn(layer: &Layer, measure: Measure, frame: &Frame, scale: Range, middle: f64) -> String {
    let x = |value: u64| frame.x(scale, real(measure, value.into()));
    let (from, to) = (x(layer.range.min), x(layer.range.max));
    let name = text("", "end", (frame.left - 9.0, middle + 4.0), &layer.path);
    let (class, bar) = if layer.range.min == layer.range.max {
        ("fixed", String::new())
    } else {
        let bar = format!(
            "<rect class=\"space\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>\n",
            middle - BAR / 2.0,
            to - from
        );
        ("dot", bar)
    };
    let mean = frame.x(scale, real(measure, layer.mean.round() as i128));
    format!("{name}{bar}<circle class=\"{class}\" cx=\"{mean:.1}\" cy=\"{middle:.1}\" r=\"4\"/>\n")
}
