//! The networks that were tried, by what they score and what they cost.

use nas_search::Metrics;
use nas_search::front::front;
use nas_search::metrics::MetricName;

use super::super::plot::{Frame, Range, text, turned, width};
use super::chart::path;
use super::drawn::{Drawn, GAP, RIMS};

const HEIGHT: f64 = 340.0;
/// Instead of their epochs: networks of a baseline, and what is held against them, count as trained for the most.
const BESIDE: u32 = u32::MAX;

/// A network in the plane.
struct Point {
    metric: MetricName,
    /// Multiply-accumulates.
    cost: f64,
    /// The value of the metric, and how good that is: more is better.
    value: f64,
    fitness: f64,
    /// The epochs that it was trained for, or [`BESIDE`].
    epochs: u32,
    /// Whether it was drawn uniformly.
    is_uniform: bool,
    /// Whether it is what the run ended with.
    is_result: bool,
}

impl Point {
    fn new(score: &Metrics, macs: u64, epochs: u32) -> Self {
        let (metric, value) = score.primary();
        let (metric, cost, fitness) = (metric.clone(), macs as f64, score.fitness());
        Self { metric, cost, value, fitness, epochs, is_uniform: false, is_result: false }
    }
}

/// The plane, and where it ends; nothing where no network has a score.
pub(super) fn svg(drawn: &Drawn<'_>, top: f64) -> (String, f64) {
    let (points, most) = points(drawn);
    let Some(metric) = points.first().map(|point| point.metric.clone()) else {
        return (String::new(), top);
    };
    let full: Vec<&Point> = points.iter().filter(|point| point.epochs == most).collect();
    let [left, right] = RIMS;
    let frame = Frame { left, top: top + 46.0, right, bottom: top + 46.0 + HEIGHT };
    let x = Range::wide(points.iter().map(|point| point.cost));
    let y = Range::around(points.iter().map(|point| point.value));
    let at = |point: &Point| (frame.x(x, point.cost), frame.y(y, point.value));
    let mut svg = text("head", "start", (left, top + 12.0), "Networks that were tried");
    svg += &legend(drawn, &points, &full, (left, top + 32.0));
    svg += &frame.grid(
        x,
        Some(y),
        |tick, is_x| {
            if is_x { x.prefixed(tick, "") } else { y.plain(tick) }
        },
    );
    svg += &stairs("front", &on_front(&full), at);
    if is_mixed(&full) {
        let uniform: Vec<&Point> = full.iter().copied().filter(|point| point.is_uniform).collect();
        svg += &stairs("baseline", &on_front(&uniform), at);
    }
    for point in &points {
        let (x, y) = at(point);
        let class = match (point.epochs == most, point.is_uniform) {
            (false, _) => "short",
            (true, true) => "uniform",
            (true, false) => "tried",
        };
        svg += &format!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>\n");
    }
    if let Some(ended) = points.iter().find(|point| point.is_result) {
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
/// picked by another one, such as a proxy. And what those epochs are.
fn points(drawn: &Drawn<'_>) -> (Vec<Point>, u32) {
    let tried = drawn.tried.iter().filter_map(|network| {
        let score = network.score()?;
        let known = drawn.baseline.and_then(|baseline| baseline.own(&network.choices, score));
        let (score, epochs) =
            known.map_or((score, network.budget.epochs), |own| (&own.score, BESIDE));
        let point = Point::new(score, network.cost.macs, epochs);
        let is_result = drawn.baseline.is_none() && Some(network.number) == drawn.ended;
        Some(Point { is_uniform: network.uniform, is_result, ..point })
    });
    let mut points: Vec<Point> = tried.collect();
    points.extend(held_against(drawn));
    let most = points.iter().map(|point| point.epochs).max().unwrap_or_default();
    let full = points.iter().find(|point| point.epochs == most);
    let metric = full.map(|point| point.metric.clone());
    points.retain(|point| Some(&point.metric) == metric.as_ref());
    (points, most)
}

/// The result, and the networks that it is held against; nothing where there are none.
fn held_against(drawn: &Drawn<'_>) -> Vec<Point> {
    let (Some(baseline), Some(result)) = (drawn.baseline, drawn.result) else { return Vec::new() };
    let last = drawn.retraining.last();
    let Some(score) = last.map(|epoch| &epoch.val).or(result.trial.as_ref()) else {
        return Vec::new();
    };
    let known = baseline.judged_like(score).into_iter().filter_map(|known| {
        let point = Point::new(&known.score, known.macs?, BESIDE);
        Some(Point { is_uniform: true, ..point })
    });
    let mut points: Vec<Point> = known.collect();
    let score = baseline.own(&result.choices, score).map_or(score, |own| &own.score);
    points.push(Point { is_result: true, ..Point::new(score, result.cost.macs, BESIDE) });
    points
}

/// Whether some were drawn uniformly and some were not.
fn is_mixed(full: &[&Point]) -> bool {
    let first = full.first().map(|point| point.is_uniform);
    full.iter().any(|point| Some(point.is_uniform) != first)
}

/// Those of which none costs less and is better, the cheapest first.
fn on_front<'p>(points: &[&'p Point]) -> Vec<&'p Point> {
    let values: Vec<Vec<f64>> =
        points.iter().map(|point| vec![point.fitness, -point.cost]).collect();
    let places = front(&values);
    let mut kept: Vec<&'p Point> =
        places.into_iter().filter_map(|place| points.get(place).copied()).collect();
    kept.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    kept
}

/// What can be had for each cost: a step up at each network of a front.
fn stairs(class: &str, front: &[&Point], at: impl Fn(&Point) -> (f64, f64)) -> String {
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
fn legend(drawn: &Drawn<'_>, points: &[Point], full: &[&Point], (left, y): (f64, f64)) -> String {
    let has = |uniform: bool| full.iter().any(|point| point.is_uniform == uniform);
    let failed = drawn.tried.iter().filter(|network| network.score().is_none()).count();
    let others =
        drawn.baseline.map_or("drawn at random".to_owned(), |own| format!("of {}", own.name));
    let entries = [
        (has(false), Mark::Dot("tried"), "tried".to_owned()),
        (has(true), Mark::Dot("uniform"), others),
        (points.len() > full.len(), Mark::Dot("short"), "for fewer epochs".to_owned()),
        (true, Mark::Line("front"), "front".to_owned()),
        (is_mixed(full), Mark::Line("baseline"), "front of these".to_owned()),
        (points.iter().any(|point| point.is_result), Mark::Dot("result"), "result".to_owned()),
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
