//! What plots share: the page, scales with ticks, and labels that keep clear of each other.

use super::svg::escaped;

/// The colours are those of Okabe and Ito: told apart by the colour-blind.
const STYLE: &str = "text{font:12px 'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#1f2933}\
    .title{font-size:18px;font-weight:bold}.head{font-size:14px;font-weight:bold}.dim{fill:#52606d}\
    .grid{stroke:#e4e7eb}.frame{fill:none;stroke:#9aa5b1}\
    .clear{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}";
/// The width of a letter, and a little more than most have.
const LETTER: f64 = 7.1;
/// From a row of labels to the next.
pub(crate) const ROW: f64 = 17.0;
/// About how many ticks a scale has.
const TICKS: f64 = 7.0;
/// An axis around values begins this share of their range below the least, and ends as far above
/// the greatest.
const ROOM: f64 = 0.06;

/// A plot under its heading.
pub(crate) struct Page {
    /// Its width and height.
    pub(crate) size: (f64, f64),
    /// What is drawn.
    pub(crate) title: String,
    /// A line about it.
    pub(crate) about: String,
    /// Rules for the classes of the body, beside those that all plots have.
    pub(crate) style: &'static str,
    /// What is drawn below the heading, which is 70 high.
    pub(crate) body: String,
}

impl Page {
    /// The page as SVG.
    pub(crate) fn svg(&self) -> String {
        let Self { size: (width, height), title, about, style, body } = self;
        let (title, about) = (escaped(title), escaped(about));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n\
             <title>{title}</title>\n<style>{STYLE}{style}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
             <text class=\"title\" x=\"24\" y=\"36\">{title}</text>\n<text class=\"dim\" x=\"24\" y=\"58\">{about}</text>\n\
             {body}</svg>\n"
        )
    }
}

/// A text.
pub(crate) fn text(class: &str, anchor: &str, (x, y): (f64, f64), text: &str) -> String {
    format!(
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>\n",
        escaped(text)
    )
}

/// A text that runs upwards, its middle here.
pub(crate) fn turned((x, y): (f64, f64), text: &str) -> String {
    format!(
        "<text class=\"dim\" text-anchor=\"middle\" transform=\"translate({x:.1} {y:.1}) rotate(-90)\">{}</text>\n",
        escaped(text)
    )
}

/// How wide a text is at most, nearly always.
pub(crate) fn width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// What an axis shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    low: f64,
    high: f64,
    step: Step,
}

/// From one tick of a scale to the next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Plus(f64),
    /// To 1, 2, 5 and 10 times a power of ten.
    Times,
}

/// Times that a scale is logarithmic from: the greatest is so many times the least.
const WIDE: f64 = 8.0;

impl Range {
    /// A linear scale from one value to another.
    pub(crate) fn linear(low: f64, high: f64) -> Self {
        let high = if low < high { high } else { low + low.abs().max(1.0) };
        let rough = (high - low) / TICKS;
        let unit = 10.0_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0].map(|step| step * unit);
        let step = steps.into_iter().find(|step| *step >= rough).unwrap_or(10.0 * unit);
        Self { low, high, step: Step::Plus(step) }
    }

    /// A linear scale from one whole number to another, with ticks at whole numbers alone.
    pub(crate) fn whole(low: f64, high: f64) -> Self {
        let range = Self::linear(low, high);
        match range.step {
            Step::Plus(step) => Self { step: Step::Plus(step.max(1.0)), ..range },
            Step::Times => range,
        }
    }

    /// A linear scale around values; it goes below 0 only where they do.
    pub(crate) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        let room = ROOM * (high - low);
        let least = if low < 0.0 { f64::NEG_INFINITY } else { 0.0 };
        Self::linear((low - room).max(least), high + room)
    }

    /// A scale around values that are not negative: logarithmic where they are far apart.
    pub(crate) fn wide(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extent(values);
        if low <= 0.0 || high < WIDE * low {
            return Self::around([low, high].into_iter());
        }
        let room = (high / low).powf(ROOM);
        Self { low: low / room, high: high * room, step: Step::Times }
    }

    /// Whether it is logarithmic.
    pub(crate) fn is_wide(self) -> bool {
        matches!(self.step, Step::Times)
    }

    /// Where a value lies between the ends: from 0 to 1.
    pub(crate) fn share(self, value: f64) -> f64 {
        match self.step {
            Step::Plus(_) => (value - self.low) / (self.high - self.low),
            Step::Times => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// The value that lies at such a share.
    pub(crate) fn at(self, share: f64) -> f64 {
        match self.step {
            Step::Plus(_) => self.low + share * (self.high - self.low),
            Step::Times => self.low * (self.high / self.low).powf(share),
        }
    }

    /// Where the lines of the scale are.
    pub(crate) fn ticks(self) -> Vec<f64> {
        match self.step {
            Step::Plus(step) => {
                let first = (self.low / step).ceil() as i64;
                // The end itself may be a tick, and miss it by a rounding.
                let last = (self.high / step + 1e-9).floor() as i64;
                (first..=last).map(|tick| tick as f64 * step).collect()
            }
            Step::Times => {
                let powers = self.low.log10().floor() as i32..=self.high.log10().floor() as i32;
                let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|n| n * 10f64.powi(power)));
                ticks.filter(|tick| (self.low..=self.high).contains(tick)).collect()
            }
        }
    }

    /// A tick as a number, with as many decimals as the scale needs.
    pub(crate) fn plain(self, tick: f64) -> String {
        if tick == 0.0 { "0".to_owned() } else { format!("{tick:.*}", self.decimals(tick, 1.0)) }
    }

    /// A tick with the prefix of its size, as in `5G`, and its unit.
    pub(crate) fn prefixed(self, tick: f64, unit: &str) -> String {
        let largest = match self.step {
            Step::Plus(_) => self.high,
            Step::Times => tick,
        };
        let (size, prefix) = prefix(largest);
        if tick == 0.0 {
            return "0".to_owned();
        }
        format!("{:.*}{prefix}{unit}", self.decimals(tick, size), tick / size)
    }

    fn decimals(self, tick: f64, size: f64) -> usize {
        let step = match self.step {
            Step::Plus(step) => step,
            Step::Times => tick,
        };
        (-(step / size * (1.0 + 1e-9)).log10().floor()).max(0.0) as usize
    }
}

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low < high { (low, high) } else { (low.min(0.0), high.max(1.0)) }
}

const PREFIXES: [(f64, &str); 7] =
    [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"), (1.0, ""), (1e-3, "m"), (1e-6, "µ")];

/// The prefix of numbers of this size, and what it stands for.
fn prefix(largest: f64) -> (f64, &'static str) {
    // A power of ten may have been missed by a rounding.
    let fits = |(size, _): &(f64, &str)| largest * (1.0 + 1e-9) >= *size;
    PREFIXES.into_iter().find(fits).unwrap_or((1e-9, "n"))
}

/// A figure in three digits and its prefix, as in `3.01G`.
pub(crate) fn rounded(value: f64, unit: &str) -> String {
    let (size, prefix) = if value > 0.0 { prefix(value) } else { (1.0, "") };
    let short = value / size;
    let decimals = match short {
        s if s >= 100.0 || s == s.trunc() => 0,
        s if s >= 10.0 => 1,
        _ => 2,
    };
    format!("{short:.decimals$}{prefix}{unit}")
}

/// Rows for labels above a plot, 0 the lowest, each written to the right of its stem: from which
/// place and how wide. No label covers another, nor a stem that leads to a higher row.
pub(crate) fn rows(labels: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    let place = |index: usize| labels.get(index).copied().unwrap_or_default();
    order.sort_by(|&a, &b| place(b).0.total_cmp(&place(a).0).then(b.cmp(&a)));
    let mut rows = vec![0; labels.len()];
    for (done, &index) in order.iter().enumerate() {
        let (left, width) = place(index);
        let right = order.iter().take(done).filter(|&&other| place(other).0 < left + width);
        let row = right.filter_map(|&other| rows.get(other)).max().map_or(0, |row: &usize| row + 1);
        rows.get_mut(index).into_iter().for_each(|slot| *slot = row);
    }
    rows
}

/// A rectangle: left, top, right and bottom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    /// Whether a point lies in it.
    pub(crate) fn contains(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// A square.
    fn around((x, y): (f64, f64), half: f64) -> Self {
        Self { left: x - half, top: y - half, right: x + half, bottom: y + half }
    }

    fn meets(&self, other: &Frame) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, other: &Frame) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    /// Its rim, and the lines of its scales; `label` names a tick, and is told whether it is one of
    /// the lower scale.
    pub(crate) fn grid(
        &self,
        x: Range,
        y: Option<Range>,
        label: impl Fn(f64, bool) -> String,
    ) -> String {
        let Frame { left, top, right, bottom } = *self;
        let mut svg = String::new();
        for tick in x.ticks() {
            let across = self.x(x, tick);
            svg += &format!("<path class=\"grid\" d=\"M{across:.1} {top:.1}V{bottom:.1}\"/>\n");
            svg += &text("dim", "middle", (across, bottom + 17.0), &label(tick, true));
        }
        for (y, tick) in
            y.into_iter().flat_map(|y| y.ticks().into_iter().map(move |tick| (y, tick)))
        {
            let up = self.y(y, tick);
            svg += &format!("<path class=\"grid\" d=\"M{left:.1} {up:.1}H{right:.1}\"/>\n");
            svg += &text("dim", "end", (left - 7.0, up + 4.0), &label(tick, false));
        }
        svg + &format!(
            "<rect class=\"frame\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\n",
            right - left,
            bottom - top
        )
    }

    /// Where a value of the lower scale lies.
    pub(crate) fn x(&self, range: Range, value: f64) -> f64 {
        self.left + (self.right - self.left) * range.share(value)
    }

    /// Where a value of the scale at the side lies.
    pub(crate) fn y(&self, range: Range, value: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * range.share(value)
    }
}

/// A point that has a name.
pub(crate) struct Named {
    pub(crate) at: (f64, f64),
    pub(crate) name: String,
}

/// The names of points, each beside its point, inside the frame and clear of the points, of each
/// other and, as far as there is room, of what else is drawn; one that had to go further away is
/// joined to its point by a line.
pub(crate) fn names(points: &[Named], drawn: &[(f64, f64)], frame: &Frame) -> String {
    let marks = points.iter().map(|named| Frame::around(named.at, 6.0));
    let mut taken: Vec<Frame> = marks.collect();
    let drawn: Vec<Frame> = drawn.iter().map(|&at| Frame::around(at, 2.0)).collect();
    let mut svg = String::new();
    for point in points {
        let meets = |others: &[Frame], place: &Frame| others.iter().any(|other| other.meets(place));
        let is_free = |place: &Frame| frame.holds(place) && !meets(&taken, place);
        let free: Vec<Frame> = places(point).filter(is_free).collect();
        let clear = free.iter().find(|place| !meets(&drawn, place));
        let Some(place) = clear.or(free.first()).copied().or(places(point).next()) else {
            continue;
        };
        svg += &name(point, &place);
        taken.push(place);
    }
    svg
}

/// Where a name may stand: first close to its point, then further and further away.
fn places(point: &Named) -> impl Iterator<Item = Frame> {
    let ((x, y), width) = (point.at, width(&point.name));
    let around = [
        (1.0, 0.0),
        (-1.0, 0.0),
        (0.0, -1.0),
        (0.0, 1.0),
        (1.0, -1.0),
        (1.0, 1.0),
        (-1.0, -1.0),
        (-1.0, 1.0),
    ];
    let distances = (0..12).map(|ring| 9.0 + 11.0 * f64::from(ring));
    distances.flat_map(move |distance| {
        around.map(|(across, down)| {
            let middle = x + across * (distance + width / 2.0);
            let height = y + down * (distance + 7.0);
            let (left, right) = (middle - width / 2.0, middle + width / 2.0);
            Frame { left, top: height - 8.0, right, bottom: height + 8.0 }
        })
    })
}

fn name(point: &Named, place: &Frame) -> String {
    let (x, y) = point.at;
    let middle = (place.top + place.bottom) / 2.0;
    let nearest = (x.clamp(place.left, place.right), y.clamp(place.top + 3.0, place.bottom - 3.0));
    let is_far = (nearest.0 - x).hypot(nearest.1 - y) > 12.0;
    let line = if is_far {
        format!("<path class=\"frame\" d=\"M{x:.1} {y:.1}L{:.1} {:.1}\"/>\n", nearest.0, nearest.1)
    } else {
        String::new()
    };
    let (anchor, at) = match () {
        () if place.left >= x => ("start", place.left),
        () if place.right <= x => ("end", place.right),
        () => ("middle", (place.left + place.right) / 2.0),
    };
    line + &text("clear", anchor, (at, middle + 4.0), &point.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: Range, unit: &str) -> Vec<String> {
        range.ticks().into_iter().map(|tick| range.prefixed(tick, unit)).collect()
    }

    #[test]
    fn ticks_are_round_and_carry_their_prefix() {
        assert_eq!(labels(Range::linear(0.0, 28.9e9), ""), ["0", "5G", "10G", "15G", "20G", "25G"]);
        assert_eq!(
            labels(Range::linear(1.1e6, 2.0e6), ""),
            ["1.2M", "1.4M", "1.6M", "1.8M", "2.0M"]
        );
        assert_eq!(
            labels(Range::linear(0.0, 0.0123), "s"),
            ["0", "2ms", "4ms", "6ms", "8ms", "10ms", "12ms"]
        );
        let wide = Range::wide([90e6, 1.1e9].into_iter());
        assert_eq!(labels(wide, ""), ["100M", "200M", "500M", "1G"]);
    }

    #[test]
    fn a_share_and_its_value_are_each_others_inverse() {
        for range in [Range::linear(3.0, 11.0), Range::wide([2.0, 900.0].into_iter())] {
            assert!((range.share(range.at(0.3)) - 0.3).abs() < 1e-12);
        }
    }

    #[test]
    fn figures_have_three_digits() {
        let figures = [3_007_512_576.0, 277_598.0, 64.0, 0.0].map(|value| rounded(value, ""));
        assert_eq!(figures, ["3.01G", "278K", "64", "0"]);
    }

    #[test]
    fn a_label_stands_above_those_that_begin_within_it() {
        assert_eq!(rows(&[(0.0, 50.0), (20.0, 50.0), (40.0, 50.0), (200.0, 10.0)]), [2, 1, 0, 0]);
        assert_eq!(rows(&[(0.0, 10.0), (0.0, 10.0)]), [1, 0]);
    }
}
