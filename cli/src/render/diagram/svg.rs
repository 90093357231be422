//! Diagrams as SVG.

use super::boxes::{Block, Content, Diagram};
use super::layout::{Point, layout};
use crate::render::svg::escaped;

/// Around the diagram.
const MARGIN: f64 = 24.0;
/// The heading above it.
const HEAD: f64 = 56.0;
/// Between the rim of a box and its text.
const PAD: f64 = 10.0;
/// The radius of the corners of arrows.
const ROUNDING: f64 = 7.0;
/// From a line of text to the next.
const LINE: f64 = 18.0;
/// The width of a letter, at 12 pixels and at 11: all have the same one.
const LETTER: f64 = 7.3;
const SMALL_LETTER: f64 = 6.7;
/// A candidate, with the gap to the next.
const CELL: f64 = 22.0;
const CELL_GAP: f64 = 4.0;
/// How wide a row of candidates gets, if there are several.
const ROW: f64 = 640.0;
/// How many candidates are listed.
const LISTED: usize = 40;

const STYLE: &str = "text{font:12px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1f2933}\
    .title{font-size:18px;font-weight:bold}.small{font-size:11px}.strong{font-weight:bold}\
    .dim{font-size:11px;fill:#66727f}.port{fill:#1f2933}text.port{fill:#fff}.layers{fill:#fff;stroke:#9aa5b1}\
    .chosen{fill:#f2f8fd;stroke:#0072b2}.choice{fill:#e3effa;stroke:#0072b2;stroke-width:1.5}.candidate{fill:#fff;stroke:#a9cbe6}\
    .arrow{fill:none;stroke:#52606d;stroke-width:1.3}";

/// The diagram as SVG.
#[must_use]
pub fn svg(diagram: &Diagram) -> String {
    let sizes: Vec<Point> = diagram.boxes.iter().map(size).collect();
    let layout = layout(&sizes, &diagram.arrows);
    let title = escaped(&diagram.title);
    let figures = escaped(&diagram.figures);
    let width = layout.size.x.max(letters(&diagram.figures) * LETTER) + 2.0 * MARGIN;
    let height = layout.size.y + HEAD + 2.0 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0.5L8 4L0 7.5z\" fill=\"#52606d\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"38\">{title}</text>\n\
         <text class=\"dim\" x=\"{MARGIN}\" y=\"58\">{figures}</text>\n\
         <g transform=\"translate({MARGIN} {})\">\n",
        HEAD + MARGIN
    );
    svg.extend(layout.arrows.iter().map(|corners| arrow(corners)));
    for ((block, size), middle) in diagram.boxes.iter().zip(&sizes).zip(&layout.boxes) {
        svg += &drawn(block, *size, *middle);
    }
    svg + "</g>\n</svg>\n"
}

fn letters(text: &str) -> f64 {
    text.chars().count() as f64
}

/// The texts of a box, apart from candidates.
fn texts(block: &Block) -> (&str, String, &[String]) {
    let shape = block.shape.clone();
    match &block.content {
        Content::Port(name) => (name, shape, &[]),
        Content::Layers { lines, .. } if is_short(lines) => {
            (lines.first().map_or("", |l| l), shape, &[])
        }
        Content::Layers { path, lines, .. } => (path, shape, lines),
        Content::Choice { path, candidates } => {
            (path, format!("1 of {} · {shape}", candidates.len()), &[])
        }
    }
}

/// Whether layers are a single operator without arguments: its box needs no path.
fn is_short(lines: &[String]) -> bool {
    matches!(lines, [only] if !only.contains(' '))
}

fn size(block: &Block) -> Point {
    let (path, note, lines) = texts(block);
    let head = letters(path) * LETTER + 2.0 * PAD + letters(&note) * SMALL_LETTER;
    let line = lines.iter().map(|line| letters(line) * LETTER).fold(0.0, f64::max);
    let (grid, rows) = match &block.content {
        Content::Choice { candidates, .. } => {
            let grid = Grid::of(candidates);
            (grid.columns as f64 * grid.cell - CELL_GAP, grid.rows)
        }
        Content::Port(_) | Content::Layers { .. } => (0.0, 0),
    };
    Point {
        x: head.max(line).max(grid) + 2.0 * PAD,
        y: LINE * (1 + lines.len()) as f64 + CELL * rows as f64 + PAD,
    }
}

/// Candidates in rows of the same length.
struct Grid {
    /// What is listed.
    names: Vec<String>,
    columns: usize,
    rows: usize,
    /// The width of a cell, with the gap to the next.
    cell: f64,
}

impl Grid {
    fn of(candidates: &[String]) -> Self {
        let mut names: Vec<String> = candidates.iter().take(LISTED).cloned().collect();
        if candidates.len() > LISTED {
            names.push(format!("and {} more", candidates.len() - LISTED));
        }
        let longest = names.iter().map(|name| letters(name)).fold(0.0, f64::max);
        let cell = longest * SMALL_LETTER + PAD + CELL_GAP;
        let fit = ((ROW / cell) as usize).max(1);
        let rows = names.len().div_ceil(fit).max(1);
        Self { columns: names.len().div_ceil(rows), rows, cell, names }
    }

    fn svg(&self, left: f64, top: f64) -> String {
        let mut svg = String::new();
        for (place, name) in self.names.iter().enumerate() {
            let x = left + (place % self.columns.max(1)) as f64 * self.cell;
            let y = top + (place / self.columns.max(1)) as f64 * CELL;
            let middle = x + (self.cell - CELL_GAP) / 2.0;
            svg += &rect(
                "candidate",
                Point { x, y },
                Point { x: self.cell - CELL_GAP, y: CELL - CELL_GAP },
                4.0,
            );
            svg += &text("small", "middle", Point { x: middle, y: y + 13.0 }, name);
        }
        svg
    }
}

fn drawn(block: &Block, size: Point, middle: Point) -> String {
    let corner = Point { x: middle.x - size.x / 2.0, y: middle.y - size.y / 2.0 };
    let (path, note, lines) = texts(block);
    let (class, heading, radius) = match &block.content {
        Content::Port(_) => ("port", "port strong", 12.0),
        Content::Layers { lines, .. } if is_short(lines) => ("layers", "", 5.0),
        Content::Layers { is_chosen: true, .. } => ("chosen", "strong", 5.0),
        Content::Layers { .. } => ("layers", "dim", 5.0),
        Content::Choice { .. } => ("choice", "strong", 5.0),
    };
    let left = corner.x + PAD;
    let first = corner.y + LINE;
    let mut svg = rect(class, corner, size, radius);
    svg += &text(heading, "start", Point { x: left, y: first }, path);
    let note_class = if class == "port" { "small port" } else { "dim" };
    svg += &text(note_class, "end", Point { x: corner.x + size.x - PAD, y: first }, &note);
    for (row, line) in (1..).zip(lines) {
        svg += &text("", "start", Point { x: left, y: first + LINE * f64::from(row) }, line);
    }
    if let Content::Choice { candidates, .. } = &block.content {
        svg += &Grid::of(candidates).svg(left, first + 8.0);
    }
    svg
}

fn rect(class: &str, corner: Point, size: Point, radius: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{radius}\"/>\n",
        corner.x, corner.y, size.x, size.y
    )
}

fn text(class: &str, anchor: &str, at: Point, text: &str) -> String {
    format!(
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
        at.x,
        at.y,
        escaped(text)
    )
}

/// An arrow with these corners, rounded.
fn arrow(corners: &[Point]) -> String {
    let mut path = String::new();
    for (row, corner) in corners.iter().enumerate() {
        let before = row.checked_sub(1).and_then(|row| corners.get(row));
        let after = corners.get(row + 1);
        path += &match (before, after) {
            (None, _) => format!("M{:.1} {:.1}", corner.x, corner.y),
            (_, None) => format!("L{:.1} {:.1}", corner.x, corner.y),
            (Some(before), Some(after)) => {
                let (from, to) = (towards(*corner, *before), towards(*corner, *after));
                let (Point { x, y }, Point { x: right, y: down }) = (from, to);
                format!("L{x:.1} {y:.1}Q{:.1} {:.1} {right:.1} {down:.1}", corner.x, corner.y)
            }
        };
    }
    format!("<path class=\"arrow\" marker-end=\"url(#head)\" d=\"{path}\"/>\n")
}

/// Where the rounding of a corner ends, on the way to a neighbour.
fn towards(corner: Point, neighbour: Point) -> Point {
    let (x, y) = (neighbour.x - corner.x, neighbour.y - corner.y);
    // One of them is 0.
    let length = x.abs() + y.abs();
    let part = if length > 0.0 { ROUNDING.min(length / 2.0) / length } else { 0.0 };
    Point { x: corner.x + part * x, y: corner.y + part * y }
}
