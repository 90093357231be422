//! Lines over epochs or trials, in a frame of their own.

use super::super::plot::{Frame, Range, text, width};

/// A line, and what it is called.
pub(super) struct Line {
    pub(super) name: String,
    /// Numbers of epochs or trials, from 1, and values.
    pub(super) points: Vec<(f64, f64)>,
}

/// Lines over the same numbers.
pub(super) struct Chart {
    pub(super) head: String,
    /// Of what the numbers are: "epoch".
    pub(super) of: &'static str,
    pub(super) lines: Vec<Line>,
}

/// The most points that are marked one by one.
const MARKED: usize = 40;
/// How much wider the words of a head are.
const BOLD: f64 = 1.25;
/// How many colours there are.
const COLOURS: usize = 4;

impl Chart {
    /// Whether there is anything to draw.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.points.is_empty())
    }

    pub(super) fn svg(&self, frame: &Frame) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let last = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let x = Range::whole(1.0, last);
        let y = Range::around(points().map(|(_, y)| *y));
        let mut svg = text("head", "start", (frame.left, self.head_at(frame)), &self.head);
        svg +=
            &frame.grid(x, Some(y), |tick, is_x| if is_x { x.plain(tick) } else { y.plain(tick) });
        svg += &text("dim", "end", (frame.right, frame.bottom + 32.0), self.of);
        svg += &self.legend(frame);
        for (number, line) in self.lines.iter().enumerate() {
            let colour = number % COLOURS;
            let at = |&(of, value): &(f64, f64)| (frame.x(x, of), frame.y(y, value));
            svg += &path(&format!("line c{colour}"), line.points.iter().map(at));
            for (x, y) in line.points.iter().filter(|_| line.points.len() <= MARKED).map(at) {
                svg += &format!(
                    "<circle class=\"dot d{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.6\"/>\n"
                );
            }
        }
        svg
    }

    /// The height of the head: that of the names of the lines, or above them where there is no room beside these.
    fn head_at(&self, frame: &Frame) -> f64 {
        let names: f64 = self.lines.iter().map(|line| width(&line.name) + 34.0).sum();
        let is_beside = BOLD * width(&self.head) + names <= frame.right - frame.left;
        frame.top - if is_beside { 12.0 } else { 29.0 }
    }

    /// The names of the lines above the right rim.
    fn legend(&self, frame: &Frame) -> String {
        let (mut right, mut svg) = (frame.right, String::new());
        for (number, line) in self.lines.iter().enumerate().rev() {
            let (left, y) = (right - width(&line.name), frame.top - 12.0);
            svg += &text("dim", "start", (left, y), &line.name);
            let colour = number % COLOURS;
            svg +=
                &path(&format!("line c{colour}"), [(left - 20.0, y - 4.0), (left - 5.0, y - 4.0)]);
            right = left - 34.0;
        }
        svg
    }
}

/// A line through points.
pub(super) fn path(class: &str, points: impl IntoIterator<Item = (f64, f64)>) -> String {
    let corners: Vec<String> = points.into_iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    if corners.is_empty() {
        return String::new();
    }
    format!("<path class=\"{class}\" d=\"M{}\"/>\n", corners.join("L"))
}
