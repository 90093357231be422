//! How a run learned: losses and metrics over its epochs, and over its trials.

use nas_ir::Metric;
use nas_ir::metric::Scale;
use nas_search::record::{RetrainEpoch, SearchEpoch};

use super::super::plot::Frame;
use super::chart::{Chart, Line};
use super::drawn::{Drawn, GAP, RIMS};

/// How wide and high a chart is; two stand side by side.
const SIZE: (f64, f64) = (380.0, 210.0);

/// The charts, and where they end.
pub(super) fn svg(drawn: &Drawn<'_>, top: f64) -> (String, f64) {
    let charts = [
        of_search(&drawn.search),
        settings(&drawn.search),
        losses(&drawn.retraining),
        metrics(&drawn.retraining),
        best_so_far(drawn),
    ];
    let charts: Vec<Chart> = charts.into_iter().filter(|chart| !chart.is_empty()).collect();
    let (mut svg, mut top) = (String::new(), top);
    for pair in charts.chunks(2) {
        let [left, right] = RIMS;
        for (chart, left) in pair.iter().zip([left, right - SIZE.0]) {
            let above = top + 24.0;
            let frame = Frame { left, top: above, right: left + SIZE.0, bottom: above + SIZE.1 };
            svg += &chart.svg(&frame);
        }
        top += 24.0 + SIZE.1 + 32.0 + GAP;
    }
    (svg, top)
}

fn line<'e, E: 'e>(
    name: &str,
    epochs: &'e [E],
    epoch: impl Fn(&E) -> u32,
    value: impl Fn(&E) -> Option<f64>,
) -> Line {
    let points = epochs.iter().filter_map(|of| Some((f64::from(epoch(of)) + 1.0, value(of)?)));
    Line { name: name.to_owned(), points: points.collect() }
}

/// The lines that have points.
fn drawn_lines(lines: impl IntoIterator<Item = Line>) -> Vec<Line> {
    lines.into_iter().filter(|line| !line.points.is_empty()).collect()
}

fn of_search(epochs: &[SearchEpoch]) -> Chart {
    let of = |epoch: &SearchEpoch| epoch.epoch;
    let lines = [
        line("weights", epochs, of, |epoch| Some(epoch.weights.loss)),
        line("choices", epochs, of, |epoch| Some(epoch.choices?.loss)),
    ];
    Chart { head: "Search: task loss".to_owned(), of: "epoch", lines: drawn_lines(lines) }
}

fn settings(epochs: &[SearchEpoch]) -> Chart {
    let of = |epoch: &SearchEpoch| epoch.epoch;
    let lines = [
        line("temperature", epochs, of, |epoch| epoch.temperature),
        line("entropy, nats", epochs, of, |epoch| epoch.entropy),
    ];
    Chart { head: "Search: choices".to_owned(), of: "epoch", lines: drawn_lines(lines) }
}

fn losses(epochs: &[RetrainEpoch]) -> Chart {
    let of = |epoch: &RetrainEpoch| epoch.epoch;
    let lines = [
        line("training", epochs, of, |epoch| Some(epoch.train.loss)),
        line("validation", epochs, of, |epoch| epoch.val.get(Metric::Loss)),
    ];
    Chart { head: "Retraining: loss".to_owned(), of: "epoch", lines: drawn_lines(lines) }
}

/// The metrics that are shares, which a scale has room for.
fn metrics(epochs: &[RetrainEpoch]) -> Chart {
    let names = epochs.first().map(|epoch| {
        let metrics = epoch.val.values().map(|(metric, _)| metric.clone());
        metrics.filter(|metric| metric.scale() == Scale::Share).collect::<Vec<_>>()
    });
    let lines = names.unwrap_or_default().into_iter().map(|metric| {
        let value = |epoch: &RetrainEpoch| {
            epoch.val.values().find_map(|(own, value)| (*own == metric).then_some(value))
        };
        line(metric.title(), epochs, |epoch| epoch.epoch, value)
    });
    Chart { head: "Retraining: validation".to_owned(), of: "epoch", lines: drawn_lines(lines) }
}

/// The best of the trials so far, of those trained for the most epochs; and so among those that were drawn uniformly,
/// where others were not.
fn best_so_far(drawn: &Drawn<'_>) -> Chart {
    let scored = drawn.tried.iter().filter(|network| network.score().is_some());
    let most = scored.map(|network| network.budget.epochs).max().unwrap_or_default();
    let full = || drawn.tried.iter().filter(move |network| network.budget.epochs == most);
    let best = |name: &str, only_uniform: bool| {
        let mut best: Option<(f64, f64)> = None;
        let points = full().filter(|network| network.uniform || !only_uniform);
        let points = points.filter_map(|network| {
            let score = network.score()?;
            if best.is_none_or(|(fitness, _)| score.fitness() > fitness) {
                best = Some((score.fitness(), score.primary().1));
            }
            best.map(|(_, value)| (f64::from(network.number) + 1.0, value))
        });
        Line { name: name.to_owned(), points: points.collect() }
    };
    let is_mixed = full().any(|network| network.uniform) && full().any(|network| !network.uniform);
    let mut lines = vec![best("all", false)];
    lines.extend(is_mixed.then(|| best("drawn at random", true)));
    let metric = full().find_map(|network| network.score()).map(|score| score.primary().0.clone());
    let title = metric.map(|metric| metric.title().to_owned()).unwrap_or_default();
    // A single trial is no course.
    let lines = if full().count() > 1 { drawn_lines(lines) } else { Vec::new() };
    Chart { head: format!("Best {title} so far"), of: "trial", lines }
}
