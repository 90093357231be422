//! The Pareto front of two measures, with what else there is in the space.

use nas_ir::requirement::Requirement;
use nas_ir::{Assignment, Checked, Costs, Form, Measure, Quantity, Space};
use nas_passes::specialise;

use super::published::Published;
use super::words::{STYLE, networks, real, tick, title};
use crate::commands::analyze::analysis::Analysis;
use crate::commands::analyze::front::{Front, Pair};
use crate::render::plot::{Frame, Named, Page, Range, names, text, turned, width};

/// The whole picture, and its plot.
const WIDTH: f64 = 960.0;
const FRAME: Frame = Frame { left: 92.0, top: 106.0, right: 930.0, bottom: 606.0 };
/// How many networks are drawn at random, as a background.
const DRAWN: usize = 600;
/// Corners of stairs that are less than this apart, in pixels, are drawn as one.
const SEEN: f64 = 1.2;
/// How far apart the places are that names keep clear of.
const APART: f64 = 5.0;
/// How many points of a front are marked one by one.
const MARKED: usize = 60;

/// The front, over a few random networks of the space and the outline of all; the published
/// networks, and those that have the least and the most of a measure, by name.
pub(super) fn page(
    space: &Checked<Space>,
    analysis: &Analysis,
    published: &Published,
    front: &Front,
) -> Page {
    let plot = Plot::new(space, published, front);
    let Pair(a, b) = front.measures;
    let (x, y) = plot.scales;
    let grid = FRAME.grid(
        x,
        Some(y),
        |value, is_x| {
            if is_x { tick(a, x, value) } else { tick(b, y, value) }
        },
    );
    let limits = analysis.requirements.each.iter().flat_map(|(required, _)| &required.limits);
    let lacking = published.lacking(&space.name);
    let axis = |measure, scale: Range| {
        format!("{}{}", title(measure), if scale.is_wide() { ", logarithmic" } else { "" })
    };
    let middle = ((FRAME.left + FRAME.right) / 2.0, (FRAME.top + FRAME.bottom) / 2.0);
    let body = [
        grid,
        plot.svg(limits),
        text("", "middle", (middle.0, FRAME.bottom + 38.0), &axis(a, x)),
        turned((28.0, middle.1), &axis(b, y)),
        plot.legend(),
        text("dim", "start", (24.0, FRAME.bottom + 64.0), &lacking),
    ];
    let points = match front.points.len() {
        1 => "1 point: no network has less of either".to_owned(),
        points => format!("{points} points: no network has less of one and no more of the other"),
    };
    Page {
        size: (WIDTH, FRAME.bottom + if lacking.is_empty() { 56.0 } else { 80.0 }),
        title: format!("Pareto front of {}: {} and {}", space.name, title(a), title(b)),
        about: format!("{points}, of {}", networks(analysis)),
        style: STYLE,
        body: body.concat(),
    }
}

/// A network by its figures.
type Point = (f64, f64);

/// A network that has a name.
struct Network {
    point: Point,
    name: String,
    is_published: bool,
}

/// What is drawn, in the units of the measures.
struct Plot {
    measures: Pair,
    scales: (Range, Range),
    front: Vec<Point>,
    /// The fronts towards the three other corners: with the front, the outline of the space.
    outline: [Vec<Point>; 3],
    cloud: Vec<Point>,
    named: Vec<Network>,
}

impl Plot {
    fn new(space: &Checked<Space>, published: &Published, front: &Front) -> Self {
        let measures = front.measures;
        let Pair(a, b) = measures;
        let figures =
            |costs: &Costs| Some((real(a, costs.of(a)?.into()), real(b, costs.of(b)?.into())));
        let of = |network: &Assignment| figures(&nas_analysis::costs(&specialise(space, network)));
        let draws = crate::services::draw::draw_any(space, 0).into_iter().flatten();
        let cloud: Vec<Point> = draws.take(DRAWN).filter_map(|network| of(&network)).collect();
        let front: Vec<Point> =
            front.points.iter().map(|&(x, y)| (real(a, x), real(b, y))).collect();
        let outline = [(1, -1), (-1, -1), (-1, 1)].map(|signs| towards(space, measures, signs));
        let published = published.networks.iter();
        let published =
            published.filter_map(|(name, costs)| Some((figures(costs)?, name.clone(), true)));
        let mut named: Vec<Network> = Vec::new();
        for (point, name, is_published) in published.chain(ends(measures, &front, &outline[1])) {
            match named.iter_mut().find(|network| network.point == point) {
                Some(network) => network.name += &format!(", {name}"),
                None => named.push(Network { point, name, is_published }),
            }
        }
        let points = named.iter().map(|network| &network.point);
        let points = points.chain(&front).chain(outline.iter().flatten()).chain(&cloud);
        let (x, y): (Vec<f64>, Vec<f64>) = points.copied().unzip();
        let scales = (Range::wide(x.into_iter()), Range::wide(y.into_iter()));
        Self { measures, scales, front, outline, cloud, named }
    }

    /// Where a network lies in the picture.
    fn at(&self, (x, y): Point) -> (f64, f64) {
        (FRAME.x(self.scales.0, x), FRAME.y(self.scales.1, y))
    }

    /// All of it, the limits of requirements included.
    fn svg<'a>(&self, limits: impl Iterator<Item = &'a Requirement>) -> String {
        let dots = self.cloud.iter().map(|&point| {
            let (x, y) = self.at(point);
            format!("M{x:.1} {y:.1}h0")
        });
        let mut svg = format!("<path class=\"cloud\" d=\"{}\"/>\n", dots.collect::<String>());
        let sides = self.outline.iter().map(|side| ("outline", side));
        let mut drawn = Vec::new();
        for (class, side) in sides.chain([("front", &self.front)]) {
            let corners = self.corners(side);
            svg += &stairs(class, &corners);
            drawn.extend(along(&corners));
        }
        for &point in self.front.iter().filter(|_| self.front.len() <= MARKED) {
            let (x, y) = self.at(point);
            svg += &dot(x, y);
        }
        let mut points = Vec::new();
        for network in &self.named {
            let at = self.at(network.point);
            svg += &if network.is_published { diamond(at) } else { ring(at) };
            points.push(Named { at, name: network.name.clone() });
        }
        for requirement in limits {
            let line = self.limit(requirement);
            let (Some(first), Some(last)) = (line.first(), line.last()) else { continue };
            let corners = line.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect::<Vec<_>>();
            svg += &format!("<path class=\"limit\" d=\"M{}\"/>\n", corners.join("L"));
            // Beside the upper end of a line that goes down, above one that goes to the right.
            let below = if first.0 == last.0 { 17.0 } else { -6.0 };
            let wide = width(&requirement.text);
            let is_fit = first.0 + 6.0 + wide < FRAME.right;
            let left = if is_fit { first.0 + 6.0 } else { first.0 - 6.0 - wide };
            let at = (left, first.1 + below);
            svg += &text("clear limit", "start", at, &requirement.text);
            let letters = (0..(wide / APART) as u32).map(|step| at.0 + APART * f64::from(step));
            drawn.extend(letters.map(|x| (x, at.1 - 4.0)));
        }
        svg + &names(&points, &drawn, &FRAME)
    }

    /// The corners of a front in the picture, where they can be told apart.
    fn corners(&self, points: &[Point]) -> Vec<(f64, f64)> {
        let mut corners: Vec<(f64, f64)> = Vec::new();
        for (index, &point) in points.iter().enumerate() {
            let (x, y) = self.at(point);
            let is_seen = |last: &(f64, f64)| (x - last.0).hypot(y - last.1) >= SEEN;
            if index + 1 == points.len() || corners.last().is_none_or(is_seen) {
                corners.push((x, y));
            }
        }
        corners
    }

    /// The line inside the plot on which networks just keep a requirement; none if it limits anything
    /// else too.
    fn limit(&self, requirement: &Requirement) -> Vec<(f64, f64)> {
        let Pair(a, b) = self.measures;
        let form = &requirement.limit.form.0;
        let is_shown =
            |quantity: &Quantity| quantity.measure().is_some_and(|m| [a, b].contains(&m));
        if form.iter().any(|(quantity, _)| !is_shown(quantity)) {
            return Vec::new();
        }
        let factor = |measure: Measure| {
            let own = form.iter().filter(|(other, _)| other.measure() == Some(measure));
            own.map(|(_, factor)| *factor as f64).sum::<f64>() / real(measure, 1)
        };
        let (by_x, by_y, most) = (factor(a), factor(b), requirement.limit.most as f64);
        let points = (0..=CORNERS).map(|step| {
            let share = f64::from(step) / f64::from(CORNERS);
            if by_y == 0.0 {
                return (most / by_x, self.scales.1.at(1.0 - share));
            }
            let x = self.scales.0.at(share);
            (x, (most - by_x * x) / by_y)
        });
        let positive = points.filter(|point| point.0 > 0.0 && point.1 > 0.0);
        positive.map(|point| self.at(point)).filter(|&point| FRAME.contains(point)).collect()
    }

    /// What the signs mean.
    fn legend(&self) -> String {
        let has = |is_published| self.named.iter().any(|n| n.is_published == is_published);
        let y = FRAME.top - 20.0;
        let line = |class, x| format!("<path class=\"{class}\" d=\"M{:.1} {y}h14\"/>\n", x - 7.0);
        type Sign<'s> = Box<dyn Fn(f64) -> String + 's>;
        let signs: [(bool, &str, Sign<'_>); 5] = [
            (true, "front", Box::new(|x| line("front", x) + &dot(x, y))),
            (has(true), "networks of the file", Box::new(|x| diamond((x, y)))),
            (has(false), "least and most", Box::new(|x| ring((x, y)))),
            (true, "outline of the space", Box::new(|x| line("outline", x))),
            (!self.cloud.is_empty(), "networks drawn at random", Box::new(|x| line("cloud", x))),
        ];
        let mut left = FRAME.left;
        let mut svg = String::new();
        for (_, words, sign) in signs.into_iter().filter(|(is_there, ..)| *is_there) {
            svg += &sign(left + 8.0);
            svg += &text("dim", "start", (left + 22.0, y + 4.0), words);
            left += 44.0 + width(words);
        }
        svg
    }
}

/// How many corners the line of a requirement has.
const CORNERS: u32 = 200;

/// The front of two measures towards a corner: -1 where the most of a measure is the best. Empty
/// if no table of bounded size holds it, or one is no sum.
fn towards(space: &Checked<Space>, Pair(a, b): Pair, signs: (i128, i128)) -> Vec<Point> {
    if !(a.is_sum() && b.is_sum()) {
        return Vec::new();
    }
    let form = |measure, sign| Form::multiple(measure, sign);
    let front = nas_analysis::front(space, &form(a, signs.0), &form(b, signs.1)).ok();
    let points = front.iter().flat_map(nas_analysis::Front::points);
    points.map(|(x, y)| (real(a, x * signs.0), real(b, y * signs.1))).collect()
}

/// The networks at the ends of the front, and of that towards the most.
fn ends(
    Pair(a, b): Pair,
    least: &[Point],
    most: &[Point],
) -> impl Iterator<Item = (Point, String, bool)> {
    let ends = [
        (least.first(), "least", a),
        (least.last(), "least", b),
        (most.first(), "most", a),
        (most.last(), "most", b),
    ];
    let named = |(point, word, measure): (Option<&Point>, _, Measure)| {
        Some((*point?, format!("{word} {}", measure.name()), false))
    };
    ends.map(named).into_iter().flatten()
}

/// A front as stairs: what lies behind its corners is worse than one of its points.
fn stairs(class: &str, corners: &[(f64, f64)]) -> String {
    let Some(((x, y), rest)) = corners.split_first() else { return String::new() };
    let steps: String = rest.iter().map(|(x, y)| format!("H{x:.1}V{y:.1}")).collect();
    format!("<path class=\"{class}\" d=\"M{x:.1} {y:.1}{steps}\"/>\n")
}

/// Places along the stairs of a front, a few pixels apart.
fn along(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    points.iter().zip(points.iter().skip(1)).flat_map(|(&(left, up), &(right, down))| {
        let places = |from: f64, to: f64| {
            let steps = ((to - from).abs() / APART).ceil().max(1.0);
            (0..steps as u32).map(move |step| from + (to - from) * f64::from(step) / steps)
        };
        places(left, right).map(move |x| (x, up)).chain(places(up, down).map(move |y| (right, y)))
    })
}

fn dot(x: f64, y: f64) -> String {
    format!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n")
}

fn ring((x, y): (f64, f64)) -> String {
    format!("<circle class=\"end\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>\n")
}

fn diamond((x, y): (f64, f64)) -> String {
    let top = y - 5.5;
    format!("<path class=\"network\" d=\"M{x:.1} {top:.1}l5.5 5.5l-5.5 5.5l-5.5 -5.5z\"/>\n")
}
