//! Where boxes and arrows go. A longest chain of boxes runs straight from top to bottom; the other
//! chains, and the arrows that pass by boxes, have lanes to its right: the shorter, the nearer.

use std::collections::HashSet;

/// A place or a size, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A diagram that has been laid out.
#[derive(Debug, PartialEq)]
pub(super) struct Layout {
    /// Its size.
    pub(super) size: Point,
    /// The middle of each box.
    pub(super) boxes: Vec<Point>,
    /// The corners of each arrow, both ends included.
    pub(super) arrows: Vec<Vec<Point>>,
}

/// Between layers.
const LAYER_GAP: f64 = 30.0;
/// Between lanes.
const LANE_GAP: f64 = 24.0;
/// How far from the middle of a box's side arrows leave and enter, in parts of its height.
const SIDE: f64 = 0.2;

/// Lays out boxes of these sizes; boxes that are read come before those that read them.
pub(super) fn layout(sizes: &[Point], arrows: &[(usize, usize)]) -> Layout {
    let mut plan = Plan::new(sizes, arrows);
    let mut lanes = plan.chains();
    plan.share(&mut lanes);
    // A longest chain is the first one.
    if let Some(side) = lanes.get_mut(1..) {
        side.sort_by_key(|lane| lane.bottom - lane.top);
    }
    for lane in &lanes {
        plan.place(lane);
    }
    let (boxes, layers) = plan.boxes();
    let arrows = (0..arrows.len()).map(|row| plan.route(row, &boxes, &layers)).collect();
    fitted(sizes, boxes, arrows)
}

/// A column of boxes and of arrows that run straight down past other boxes.
struct Lane {
    boxes: Vec<usize>,
    arrows: Vec<usize>,
    /// The layers that it fills, both included.
    top: usize,
    bottom: usize,
}

/// Upper and lower end of a layer.
type Extent = (f64, f64);

struct Plan<'d> {
    sizes: &'d [Point],
    arrows: &'d [(usize, usize)],
    /// For each box, its layer: as low as those that read it permit.
    layers: Vec<usize>,
    /// For each box, its middle, once it has a lane.
    middles: Vec<Option<f64>>,
    /// For each arrow that passes by boxes, where it runs, once it has a lane.
    tracks: Vec<Option<f64>>,
    /// For each layer, how far to the right it is filled.
    filled: Vec<Option<f64>>,
}

fn at<T: Copy + Default>(list: &[T], row: usize) -> T {
    list.get(row).copied().unwrap_or_default()
}

fn set<T>(list: &mut [T], row: usize, value: T) {
    if let Some(slot) = list.get_mut(row) {
        *slot = value;
    }
}

impl<'d> Plan<'d> {
    fn new(sizes: &'d [Point], arrows: &'d [(usize, usize)]) -> Self {
        let mut heights = vec![0; sizes.len()];
        let mut upwards = arrows.to_vec();
        upwards.sort_by_key(|&(from, _)| std::cmp::Reverse(from));
        for (from, to) in upwards {
            let height = at(&heights, from).max(at(&heights, to) + 1);
            set(&mut heights, from, height);
        }
        let last = heights.iter().copied().max().unwrap_or(0);
        Self {
            sizes,
            arrows,
            layers: heights.iter().map(|height| last - height).collect(),
            middles: vec![None; sizes.len()],
            tracks: vec![None; arrows.len()],
            filled: vec![None; last + 1],
        }
    }

    fn layer(&self, row: usize) -> usize {
        at(&self.layers, row)
    }

    fn passes_by(&self, arrow: usize) -> bool {
        let (from, to) = at(self.arrows, arrow);
        self.layer(to) > self.layer(from) + 1
    }

    /// Chains that hold every box once, a longest one first.
    fn chains(&self) -> Vec<Lane> {
        let mut readers = vec![Vec::new(); self.sizes.len()];
        for &(from, to) in self.arrows {
            if let Some(list) = readers.get_mut(from) {
                list.push(to);
            }
        }
        let mut rows: Vec<usize> = (0..self.sizes.len()).collect();
        rows.sort_by_key(|&row| self.layer(row));
        let mut is_taken = vec![false; self.sizes.len()];
        let mut chains = Vec::new();
        for first in rows {
            let mut boxes = Vec::new();
            let mut next = (!at(&is_taken, first)).then_some(first);
            while let Some(row) = next {
                set(&mut is_taken, row, true);
                boxes.push(row);
                let free = readers.get(row).into_iter().flatten().copied();
                let free = free.filter(|&reader| !at(&is_taken, reader));
                // The higher a box stands, the longer is what follows it.
                next = free.min_by_key(|&reader| self.layer(reader));
            }
            if let (Some(&first), Some(&last)) = (boxes.first(), boxes.last()) {
                let (top, bottom) = (self.layer(first), self.layer(last));
                chains.push(Lane { boxes, arrows: Vec::new(), top, bottom });
            }
        }
        chains
    }

    /// Gives arrows that pass by boxes to lanes: those between the boxes of a chain, and the longest
    /// one that leads to it, to that chain; each of the others gets a lane of its own.
    fn share(&self, chains: &mut Vec<Lane>) {
        let passing: Vec<usize> =
            (0..self.arrows.len()).filter(|&arrow| self.passes_by(arrow)).collect();
        let mut is_taken = vec![false; self.arrows.len()];
        for chain in chains.iter_mut() {
            let links = chain.boxes.windows(2).filter_map(|pair| <[usize; 2]>::try_from(pair).ok());
            let links: HashSet<(usize, usize)> = links.map(|[from, to]| (from, to)).collect();
            let inside = passing.iter().copied();
            chain.arrows.extend(inside.filter(|&arrow| links.contains(&at(self.arrows, arrow))));
            let first = chain.boxes.first().copied();
            let into = passing.iter().copied();
            let into = into.filter(|&arrow| Some(at(self.arrows, arrow).1) == first);
            if let Some(arrow) = into.min_by_key(|&arrow| self.layer(at(self.arrows, arrow).0)) {
                chain.top = self.layer(at(self.arrows, arrow).0) + 1;
                chain.arrows.push(arrow);
            }
            for &arrow in &chain.arrows {
                set(&mut is_taken, arrow, true);
            }
        }
        for arrow in passing.into_iter().filter(|&arrow| !at(&is_taken, arrow)) {
            let (from, to) = at(self.arrows, arrow);
            let (top, bottom) = (self.layer(from) + 1, self.layer(to) - 1);
            chains.push(Lane { boxes: Vec::new(), arrows: vec![arrow], top, bottom });
        }
    }

    fn half_width(&self, row: usize) -> f64 {
        at(self.sizes, row).x / 2.0
    }

    /// The nearest place for a lane to the right of what is there: beside the layers that it
    /// fills, and beside the boxes at the ends of its arrows.
    fn place(&mut self, lane: &Lane) {
        let mut half_widths = vec![0.0; lane.bottom + 1 - lane.top];
        for &row in &lane.boxes {
            set(&mut half_widths, self.layer(row) - lane.top, self.half_width(row));
        }
        let rows = lane.top..=lane.bottom;
        let filled = rows.clone().zip(&half_widths).filter_map(|(layer, half_width)| {
            Some(at(&self.filled, layer)? + LANE_GAP + half_width)
        });
        let ends = lane.arrows.iter().flat_map(|&arrow| {
            let (from, to) = at(self.arrows, arrow);
            [from, to].map(|row| Some(at(&self.middles, row)? + self.half_width(row) + LANE_GAP))
        });
        let middle = filled.chain(ends.flatten()).reduce(f64::max).unwrap_or(0.0);
        for (layer, half_width) in rows.zip(half_widths) {
            set(&mut self.filled, layer, Some(middle + half_width));
        }
        for &row in &lane.boxes {
            set(&mut self.middles, row, Some(middle));
        }
        for &arrow in &lane.arrows {
            set(&mut self.tracks, arrow, Some(middle));
        }
    }

    /// The middles of all boxes, and the extent of each layer.
    fn boxes(&self) -> (Vec<Point>, Vec<Extent>) {
        let mut heights = vec![0.0_f64; self.filled.len()];
        for (row, size) in self.sizes.iter().enumerate() {
            let height = at(&heights, self.layer(row)).max(size.y);
            set(&mut heights, self.layer(row), height);
        }
        let mut top = 0.0;
        let mut layers: Vec<Extent> = Vec::new();
        for height in heights {
            layers.push((top, top + height));
            top += height + LAYER_GAP;
        }
        let middle = |row| {
            let (top, bottom) = at(&layers, self.layer(row));
            let x = at(&self.middles, row).unwrap_or_default();
            Point { x, y: f64::midpoint(top, bottom) }
        };
        ((0..self.sizes.len()).map(middle).collect(), layers)
    }

    /// The corners of an arrow.
    fn route(&self, arrow: usize, boxes: &[Point], layers: &[Extent]) -> Vec<Point> {
        let (from, to) = at(self.arrows, arrow);
        let (start, end) = (at(boxes, from), at(boxes, to));
        let start_rim = Point { x: start.x, y: start.y + at(self.sizes, from).y / 2.0 };
        let end_rim = Point { x: end.x, y: end.y - at(self.sizes, to).y / 2.0 };
        let above_end = at(layers, self.layer(to)).0 - LAYER_GAP / 2.0;
        let Some(track) = at(&self.tracks, arrow) else {
            return through([start_rim, end_rim], above_end).into();
        };
        let on_track = |y| Point { x: track, y };
        let mut corners = Vec::new();
        if self.is_clear(from, track, boxes) {
            let y = start.y + SIDE * at(self.sizes, from).y;
            corners.extend([Point { x: start.x + self.half_width(from), y }, on_track(y)]);
        } else {
            let below = at(layers, self.layer(from)).1 + LAYER_GAP / 4.0;
            corners.extend([start_rim, Point { x: start.x, y: below }, on_track(below)]);
        }
        if self.is_clear(to, track, boxes) {
            let y = end.y - SIDE * at(self.sizes, to).y;
            corners.extend([on_track(y), Point { x: end.x + self.half_width(to), y }]);
        } else {
            corners.extend([on_track(above_end), Point { x: end.x, y: above_end }, end_rim]);
        }
        corners
    }

    /// Whether a track is to the right of a box, with no other box between.
    fn is_clear(&self, row: usize, track: f64, boxes: &[Point]) -> bool {
        let rim = at(boxes, row).x + self.half_width(row);
        let is_between = |other: usize| {
            let middle = at(boxes, other).x;
            self.layer(other) == self.layer(row) && rim < middle && middle < track
        };
        rim < track && !(0..boxes.len()).any(is_between)
    }
}

/// Down, across at this height, and down.
fn through([start, end]: [Point; 2], y: f64) -> [Point; 4] {
    [start, Point { x: start.x, y }, Point { x: end.x, y }, end]
}

/// Moved to the upper left corner.
fn fitted(sizes: &[Point], mut boxes: Vec<Point>, mut arrows: Vec<Vec<Point>>) -> Layout {
    let lefts = boxes.iter().zip(sizes).map(|(at, size)| at.x - size.x / 2.0);
    let left = lefts.reduce(f64::min).unwrap_or_default();
    for point in boxes.iter_mut().chain(arrows.iter_mut().flatten()) {
        point.x -= left;
    }
    let ends = boxes.iter().zip(sizes).map(|(at, size)| (at.x + size.x / 2.0, at.y + size.y / 2.0));
    let ends = ends.chain(arrows.iter().flatten().map(|point| (point.x, point.y)));
    let size =
        ends.fold(Point::default(), |size, (x, y)| Point { x: size.x.max(x), y: size.y.max(y) });
    Layout { size, boxes, arrows }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A residual around 1, a tap from 0 to the side box 4, which joins the chain in 5.
    const ARROWS: [(usize, usize); 7] = [(0, 1), (0, 2), (1, 2), (2, 3), (0, 4), (3, 5), (4, 5)];

    fn laid_out() -> (Vec<Point>, Layout) {
        let sizes = [40.0, 90.0, 40.0, 60.0, 50.0, 40.0].map(|x| Point { x, y: 20.0 });
        let layout = layout(&sizes, &ARROWS);
        (sizes.to_vec(), layout)
    }

    #[test]
    fn the_longest_chain_is_straight_and_the_rest_to_its_right() {
        let (_, layout) = laid_out();
        for row in [0, 1, 2, 3, 5] {
            assert_eq!(layout.boxes[row].x, 45.0);
        }
        assert!(layout.boxes[4].x > 45.0);
        assert_eq!(layout.boxes[4].y, layout.boxes[3].y);
    }

    #[test]
    fn arrows_run_beside_boxes() {
        let (sizes, layout) = laid_out();
        let runs = layout.arrows.iter().flat_map(|corners| corners.windows(2));
        for run in runs {
            let (a, b) = (run[0], run[1]);
            assert!(a.x == b.x || a.y == b.y, "{a:?} to {b:?} is neither down nor across");
            for (middle, size) in layout.boxes.iter().zip(&sizes) {
                let (x, y) = (f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y));
                let is_inside =
                    (x - middle.x).abs() < size.x / 2.0 && (y - middle.y).abs() < size.y / 2.0;
                assert!(!is_inside, "{a:?} to {b:?} crosses the box at {middle:?}");
            }
        }
    }

    #[test]
    fn arrows_lead_from_rim_to_rim() {
        let (sizes, layout) = laid_out();
        for ((from, to), corners) in ARROWS.iter().zip(&layout.arrows) {
            for (row, end) in [(from, corners.first()), (to, corners.last())] {
                let (middle, size, end) = (layout.boxes[*row], sizes[*row], end.unwrap());
                let is_on_side = (end.x - middle.x).abs() == size.x / 2.0;
                let is_above_or_below = (end.y - middle.y).abs() == size.y / 2.0;
                assert!(is_on_side || is_above_or_below, "{from} to {to}: {end:?}");
            }
        }
    }
}
