//! Predicted against measured latencies as SVG: by the parts on the left, by multiply-accumulates on
//! the right.

use nas_analysis::latency::{Residual, Setting};

use super::additivity::{Additivity, Prediction};
use crate::render::plot::{Frame, Page, Range, text, turned};
use crate::render::report::counted;

/// The whole picture.
const SIZE: (f64, f64) = (960.0, 520.0);
/// The upper rim of the panels, their size, and the left rims of both.
const TOP: f64 = 118.0;
const SIDE: f64 = 340.0;
const LEFTS: [f64; 2] = [78.0, 566.0];

const STYLE: &str = ".equal{stroke:#9aa5b1;stroke-dasharray:5 4}\
    .parts{fill:#0072b2;fill-opacity:0.8}.macs{fill:#d55e00;fill-opacity:0.8}";

/// Both panels, under a title.
pub(super) fn svg(space: &str, device: &Setting, additivity: &Additivity) -> String {
    let Setting { hardware, engine, engine_version, threads, .. } = device;
    let range = Range::around(
        additivity.networks.iter().flat_map(|n| [n.measured, n.corrected, n.by_macs]),
    );
    let parts = Panel {
        head: "By the latency table",
        class: "parts",
        residual: additivity.left_out,
        predicted: |network| network.corrected,
    };
    let macs = Panel {
        head: "By multiply-accumulates",
        class: "macs",
        residual: additivity.macs,
        predicted: |network| network.by_macs,
    };
    let [left, right] = LEFTS;
    let page = Page {
        size: SIZE,
        title: format!("Latency of {} of {space}", counted(additivity.networks.len(), "network")),
        about: format!(
            "{hardware}, {engine} {engine_version}, threads: {threads}; each network is predicted by a fit to the others"
        ),
        style: STYLE,
        body: parts.svg(left, range, additivity) + &macs.svg(right, range, additivity),
    };
    page.svg()
}

/// Predictions of one kind.
struct Panel {
    head: &'static str,
    class: &'static str,
    residual: Residual,
    predicted: fn(&Prediction) -> f64,
}

impl Panel {
    fn svg(&self, left: f64, range: Range, additivity: &Additivity) -> String {
        let Residual { spearman, mean_absolute_percent, .. } = self.residual;
        let frame = Frame { left, top: TOP, right: left + SIDE, bottom: TOP + SIDE };
        let about =
            format!("rank correlation {spearman:.3}, mean error {mean_absolute_percent:.1} %");
        let mut svg = text("head", "start", (left, 90.0), self.head);
        svg += &text("dim", "start", (left, 107.0), &about);
        svg += &frame.grid(range, Some(range), |tick, _| range.plain(tick));
        let Frame { top, right, bottom, .. } = frame;
        svg += &format!("<path class=\"equal\" d=\"M{left} {bottom}L{right} {top}\"/>\n");
        for network in &additivity.networks {
            let across = frame.x(range, (self.predicted)(network));
            let up = frame.y(range, network.measured);
            let class = self.class;
            svg += &format!(
                "<circle class=\"{class}\" cx=\"{across:.1}\" cy=\"{up:.1}\" r=\"4.5\"/>\n"
            );
        }
        let middle = (left + SIDE / 2.0, TOP + SIDE / 2.0);
        svg += &text("", "middle", (middle.0, bottom + 40.0), "predicted, ms");
        svg + &turned((left - 46.0, middle.1), "measured, ms")
    }
}
