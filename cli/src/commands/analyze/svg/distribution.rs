//! How the measures are distributed over the networks of a space, a panel each.

use nas_analysis::{Histogram, Moments, quotient};
use nas_ir::Measure;
use num_bigint::BigUint;

use super::published::Published;
use super::words::{STYLE, networks, real, shown, tick, title};
use crate::commands::analyze::analysis::{Analysis, Spread};
use crate::render::plot::{Frame, Page, ROW, Range, rows, text, turned, width};

/// The whole picture, and the rims of the panels.
const WIDTH: f64 = 960.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 930.0;
/// From the lower rim of a panel to what comes next.
const BELOW: f64 = 52.0;
/// How high the heading of a panel is, and its plot.
const HEAD: f64 = 50.0;
const HEIGHT: f64 = 150.0;
/// Intervals of a histogram: five pixels each.
const INTERVALS: usize = 170;

/// All panels; none where every measure is the same for all networks, or not known.
pub(super) fn page(analysis: &Analysis, published: &Published) -> Option<Page> {
    let panels = analysis.measures.iter();
    let panels = panels.filter_map(|(of, spread)| Panel::of(analysis, published, *of, spread));
    let panels: Vec<Panel> = panels.collect();
    let marks = || panels.iter().flat_map(|panel| &panel.marks);
    let has = |class| marks().any(|mark| mark.class == class);
    let lines = [
        ("stem", "; black lines: networks of the file"),
        ("limit", "; orange lines: requirements"),
    ];
    let lines = lines.into_iter().filter(|(class, _)| has(*class)).map(|(_, words)| words);
    let lines: String = lines.collect();
    let mut top = 76.0;
    let mut body = String::new();
    for panel in &panels {
        let (svg, bottom) = panel.svg(top);
        body += &svg;
        top = bottom + BELOW;
    }
    if panels.is_empty() {
        return None;
    }
    let lacking = published.lacking(&analysis.space);
    body += &text("dim", "start", (24.0, top), &lacking);
    let height = top + if lacking.is_empty() { 0.0 } else { 20.0 };
    Some(Page {
        size: (WIDTH, height),
        title: format!("What the networks of {} cost", analysis.space),
        about: format!("{}, every one of them counted{lines}", networks(analysis)),
        style: STYLE,
        body,
    })
}

/// A label above a panel, with a stem to the value that it marks.
struct Mark {
    class: &'static str,
    value: f64,
    label: String,
}

/// One measure.
struct Panel {
    measure: Measure,
    figures: String,
    range: Range,
    histogram: Histogram,
    marks: Vec<Mark>,
    /// The values that requirements leave.
    kept: (f64, f64),
}

impl Panel {
    fn of(
        analysis: &Analysis,
        published: &Published,
        measure: Measure,
        spread: &Spread,
    ) -> Option<Self> {
        let Spread::Exact { range: (least, greatest), moments, distribution } = spread else {
            return None;
        };
        let mut kept = (f64::NEG_INFINITY, f64::INFINITY);
        let mut marks = Vec::new();
        for (required, within) in &analysis.requirements.each {
            let mut ends = Vec::new();
            for requirement in &required.limits {
                let of = requirement.measure().filter(|(of, _)| *of == measure);
                let Some((_, is_above)) = of else { continue };
                let most = requirement.limit.most;
                let end = real(measure, if is_above { most } else { -most });
                kept = if is_above { (kept.0, kept.1.min(end)) } else { (kept.0.max(end), kept.1) };
                ends.push(end);
            }
            ends.dedup();
            let [share, _] = analysis.left(within.as_ref());
            let label = format!("{} leaves {share}", required.text);
            let mark = |value| Mark { class: "limit", value, label: label.clone() };
            marks.extend(ends.into_iter().map(mark));
        }
        // The weights in bytes are the parameters in another unit.
        if least == greatest || measure == Measure::WeightBytes && marks.is_empty() {
            return None;
        }
        let named = published.figures(measure);
        marks.extend(named.map(|(name, value)| Mark {
            class: "stem",
            value,
            label: name.to_owned(),
        }));
        let histogram = distribution.histogram(INTERVALS);
        let ends = [histogram.from, histogram.to].map(|end| real(measure, end));
        let figures = figures(measure, (*least, *greatest), moments, histogram.slack);
        Some(Self {
            measure,
            figures,
            range: Range::around(ends.into_iter()),
            histogram,
            marks,
            kept,
        })
    }

    /// The panel below a height, and how far down it reaches.
    fn svg(&self, top: f64) -> (String, f64) {
        let labels: Vec<(f64, f64)> = self.marks.iter().map(|mark| self.label(mark)).collect();
        let rows = rows(&labels);
        let above = rows.iter().max().map_or(0.0, |row| ROW * (row + 1) as f64);
        let top_of_plot = top + HEAD + above;
        let frame =
            Frame { left: LEFT, top: top_of_plot, right: RIGHT, bottom: top_of_plot + HEIGHT };
        let mut svg = self.heading(top) + &self.plot(&frame);
        let height = |row: usize| frame.top - ROW * row as f64;
        for (Mark { class, value, .. }, &row) in self.marks.iter().zip(&rows) {
            let (x, top, bottom) = (self.across(*value), height(row) - 13.0, frame.bottom);
            svg += &format!("<path class=\"{class}\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>\n");
        }
        for ((mark, &row), (left, _)) in self.marks.iter().zip(&rows).zip(&labels) {
            let class = format!("clear {}", mark.class);
            svg += &text(&class, "start", (*left, height(row) - 4.0), &mark.label);
        }
        (svg, frame.bottom)
    }

    /// Where the label of a mark begins, and how wide it is: to the right of its stem if it fits.
    fn label(&self, mark: &Mark) -> (f64, f64) {
        let (stem, width) = (self.across(mark.value), width(&mark.label));
        let is_fit = stem + width < WIDTH - 12.0;
        (if is_fit { stem + 4.0 } else { stem - 4.0 - width }, width)
    }

    fn heading(&self, top: f64) -> String {
        let [first, rest] = [title(self.measure).get(..1), title(self.measure).get(1..)];
        let name = first.unwrap_or_default().to_uppercase() + rest.unwrap_or_default();
        text("head", "start", (24.0, top + 18.0), &name)
            + &text("dim", "start", (24.0, top + 36.0), &self.figures)
    }

    /// The histogram under its grid; what requirements leave out is pale.
    fn plot(&self, frame: &Frame) -> String {
        let counts = &self.histogram.counts;
        let all: BigUint = counts.iter().sum();
        let percent = |count: &BigUint| quotient(count, &all) * 100.0;
        let most = counts.iter().map(percent).fold(0.0, f64::max);
        let scale = Range::linear(0.0, most * 1.06);
        let Frame { left, top, right, bottom } = *frame;
        let (from, to) = self.ends();
        let mut bars = format!("M{:.1} {bottom:.1}", self.across(from));
        for (index, count) in (1..).zip(counts) {
            let end = from + (to - from) * f64::from(index) / counts.len() as f64;
            bars += &format!("V{:.1}H{:.1}", frame.y(scale, percent(count)), self.across(end));
        }
        let grid = frame.grid(self.range, Some(scale), |value, is_x| match is_x {
            true => tick(self.measure, self.range, value),
            false => format!("{} %", scale.plain(value)),
        });
        let mut svg = format!("{grid}<path class=\"space\" d=\"{bars}V{bottom:.1}z\"/>\n");
        let (low, high) = self.kept_bars();
        for (out_from, out_to) in [(left, self.across(low)), (self.across(high), right)] {
            if out_from < out_to {
                let width = out_to - out_from;
                svg += &format!(
                    "<rect class=\"out\" x=\"{out_from:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\"/>\n"
                );
            }
        }
        let side = (LEFT - 54.0, (top + bottom) / 2.0);
        svg + &turned(side, "share of networks")
    }

    /// Between which bars the networks are that requirements leave: what lies on a limit keeps it,
    /// and so the bar that holds the limit is not left out.
    fn kept_bars(&self) -> (f64, f64) {
        let (from, to) = self.ends();
        let bar = (to - from) / self.histogram.counts.len() as f64;
        let start = |value: f64| from + ((value - from) / bar).floor() * bar;
        let (low, high) = self.kept;
        (start(low), if high < to { start(high) + bar } else { high })
    }

    /// The least and the greatest value.
    fn ends(&self) -> (f64, f64) {
        (real(self.measure, self.histogram.from), real(self.measure, self.histogram.to))
    }

    /// Where a value lies; the ends of the plot for those beyond.
    fn across(&self, value: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * self.range.share(value).clamp(0.0, 1.0)
    }
}

/// The figures of a measure in a line.
fn figures(
    measure: Measure,
    (least, greatest): (i128, i128),
    moments: &Moments,
    slack: i128,
) -> String {
    let show = |value: i128| shown(measure, real(measure, value));
    let [mean, std] = [moments.mean, moments.std].map(|value| show(value.round() as i128));
    let exact = match slack {
        0 => String::new(),
        slack => format!(", each placed to within {}", show(slack)),
    };
    let (least, greatest) = (show(least), show(greatest));
    format!("from {least} to {greatest}, mean {mean}, standard deviation {std}{exact}")
}
