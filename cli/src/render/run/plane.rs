//! The networks that were tried, by what they score and what they cost.

use nas_search::front::front;
use nas_search::metrics::MetricName;
use nas_search::record::TriedNetwork;

use super::super::plot::{Frame, Range, text, turned, width};
use super::chart::path;
use super::drawn::{Drawn, GAP, RIMS};

const HEIGHT: f64 = 340.0;

/// A network in the plane.
struct Point<'r> {
    network: &'r TriedNetwork,
    /// Multiply-accumulates.
    cost: f64,
    /// The value of the metric, and how good that is: more is better.
    value: f64,
    fitness: f64,
    /// Whether it was trained for as many epochs as any other.
    is_full: bool,
}

/// The plane, and where it ends; nothing where no network has a score.
pub(super) fn svg(drawn: &Drawn, top: f64) -> (String, f64) {
    let points = points(drawn);
    let Some(metric) = metric(&points) else { return (String::new(), top) };
    let [left, right] = RIMS;
    let frame = Frame { left, top: top + 46.0, right, bottom: top + 46.0 + HEIGHT };
    let x = Range::wide(points.iter().map(|point| point.cost));
    let y = Range::around(points.iter().map(|point| point.value));
    let at = |point: &Point<'_>| (frame.x(x, point.cost), frame.y(y, point.value));
    let mut svg = text("head", "start", (left, top + 12.0), "Networks that were tried");
    svg += &legend(drawn, &points, (left, top + 32.0));
    svg += &frame.grid(
        x,
        Some(y),
        |tick, is_x| {
            if is_x { x.prefixed(tick, "") } else { y.plain(tick) }
        },
    );
    let full = || points.iter().filter(|point| point.is_full);
    let on_front = on_front(&full().collect::<Vec<_>>());
    svg += &stairs("front", &on_front, at);
    if is_mixed(&points) {
        let uniform: Vec<&Point<'_>> = full().filter(|point| point.network.uniform).collect();
        svg += &stairs("baseline", &self::on_front(&uniform), at);
    }
    for point in &points {
        let (x, y) = at(point);
        let class = match (point.is_full, point.network.uniform) {
            (false, _) => "short",
            (true, true) => "uniform",
            (true, false) => "tried",
        };
        svg += &format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n");
    }
    if let Some(ended) = points.iter().find(|point| Some(point.network.number) == drawn.ended) {
        let (x, y) = at(ended);
        svg += &format!("<circle class=\"result\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8\"/>\n");
    }
    let middle = ((left + right) / 2.0, (frame.top + frame.bottom) / 2.0);
    let wide = if x.is_wide() { ", logarithmic" } else { "" };
    let label = format!("multiply-accumulates{wide}");
    svg += &text("", "middle", (middle.0, frame.bottom + 38.0), &label);
    svg += &turned((24.0, middle.1), metric.title());
    (svg, frame.bottom + 38.0 + GAP)
}

/// The networks that are judged by the same metric as those that were trained for the most epochs: others were
/// picked by another one, such as a proxy.
fn points(drawn: &Drawn) -> Vec<Point<'_>> {
    let scored = || drawn.tried.iter().filter_map(|network| Some((network, network.score()?)));
    let most = scored().map(|(network, _)| network.budget.epochs).max().unwrap_or_default();
    let mut full = scored().filter(|(network, _)| network.budget.epochs == most);
    let metric = full.next().map(|(_, score)| score.primary().0);
    scored()
        .filter(|(_, score)| Some(score.primary().0) == metric)
        .map(|(network, score)| Point {
            network,
            cost: network.cost.macs as f64,
            value: score.primary().1,
            fitness: score.fitness(),
            is_full: network.budget.epochs == most,
        })
        .collect()
}

fn metric(points: &[Point<'_>]) -> Option<MetricName> {
    points.iter().find_map(|point| Some(point.network.score()?.primary().0.clone()))
}

/// Whether some were drawn uniformly and some were not.
fn is_mixed(points: &[Point<'_>]) -> bool {
    let mut full = points.iter().filter(|point| point.is_full).map(|point| point.network.uniform);
    let first = full.next();
    full.any(|uniform| Some(uniform) != first)
}

/// Those of which none costs less and is better, the cheapest first.
fn on_front<'p, 'r>(points: &[&'p Point<'r>]) -> Vec<&'p Point<'r>> {
    let values: Vec<Vec<f64>> =
        points.iter().map(|point| vec![point.fitness, -point.cost]).collect();
    let places = front(&values);
    let mut kept: Vec<&'p Point<'r>> =
        places.into_iter().filter_map(|place| points.get(place).copied()).collect();
    kept.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    kept
}

/// What can be had for each cost: a step up at each network of a front.
fn stairs(class: &str, front: &[&Point<'_>], at: impl Fn(&Point<'_>) -> (f64, f64)) -> String {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for point in front {
        let (x, y) = at(point);
        corners.extend(corners.last().map(|(_, before)| (x, *before)));
        corners.push((x, y));
    }
    path(class, corners)
}

/// What stands beside a word of the legend.
enum Mark {
    Dot(&'static str),
    Line(&'static str),
    Nothing,
}

/// What stands for what, in a row.
fn legend(drawn: &Drawn, points: &[Point<'_>], (left, y): (f64, f64)) -> String {
    let has = |uniform: bool| points.iter().any(|p| p.is_full && p.network.uniform == uniform);
    let failed = drawn.tried.iter().filter(|network| network.score().is_none()).count();
    let entries = [
        (has(false), Mark::Dot("tried"), "tried".to_owned()),
        (has(true), Mark::Dot("uniform"), "drawn at random".to_owned()),
        (
            points.iter().any(|point| !point.is_full),
            Mark::Dot("short"),
            "for fewer epochs".to_owned(),
        ),
        (true, Mark::Line("front"), "front".to_owned()),
        (is_mixed(points), Mark::Line("baseline"), "front of those at random".to_owned()),
        (drawn.ended.is_some(), Mark::Dot("result"), "result".to_owned()),
        (failed > 0, Mark::Nothing, format!("{failed} failed")),
        (!has(true), Mark::Nothing, "none was drawn at random: there is no baseline".to_owned()),
    ];
    let (mut svg, mut x) = (String::new(), left);
    for (_, mark, said) in entries.into_iter().filter(|(is_shown, _, _)| *is_shown) {
        let begin = match mark {
            Mark::Dot(class) => {
                let (x, y) = (x + 5.0, y - 4.0);
                svg +=
                    &format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n");
                15.0
            }
            Mark::Line(class) => {
                svg += &path(class, [(x, y - 4.0), (x + 16.0, y - 4.0)]);
                22.0
            }
            Mark::Nothing => 0.0,
        };
        svg += &text("dim", "start", (x + begin, y), &said);
        x += begin + width(&said) + 14.0;
    }
    svg
}
