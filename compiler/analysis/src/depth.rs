//! The least and the greatest depth of the networks of a space.

use nas_ir::diagram::{Combine, Diagram, Diagrams, Selectors};
use nas_ir::measure::{BoundedRange, Bounds};
use nas_ir::{Assignment, Checked, IdVec, Node, NodeId, NodeKind, Space, fault};
use rustc_hash::FxHashMap as HashMap;

/// The most work for a table of all depths; beyond it there are bounds.
const MAX_VISITS: u64 = 200_000;
/// The most networks that are tried for a bound.
const MAX_TRIES: usize = 200;

/// The range of the depth: exact where the table of all depths is of bounded size, else between
/// the depths that every part could have by itself and those of some networks.
#[must_use]
pub fn depth_range(space: &Checked<Space>) -> BoundedRange {
    if let Some((min, max)) = Table::of(space).and_then(|table| table.range()) {
        return BoundedRange { min: Bounds::exactly(min), max: Bounds::exactly(max) };
    }
    let (least, most) = apart(space);
    let [low, high] = [false, true].map(|greatest| tried(space, greatest));
    BoundedRange {
        min: Bounds { at_least: least, at_most: low },
        max: Bounds { at_least: high, at_most: most },
    }
}

/// The condition under which the depth is one that is kept; `None` if the table of all depths is too
/// large.
pub(super) fn condition(
    space: &Space,
    selectors: &mut Selectors,
    is_kept: &dyn Fn(u64) -> bool,
) -> Option<Diagram> {
    let table = Table::of(space)?;
    let (whole, more) = table.whole;
    let holds = |depth: &i64| u32::from(u64::try_from(depth + more).is_ok_and(is_kept));
    Some(table.store.map(whole, selectors, &holds, &mut HashMap::default()))
}

/// What a node adds to the depth of its operands; `None` for a constant, which reads none.
fn own(node: &Node) -> Option<u64> {
    let NodeKind::Op(op) = &node.kind else { return Some(0) };
    op.reads_inputs().then(|| u64::from(op.has_kernel()))
}

/// The least and the greatest depth if each select chose by itself.
fn apart(space: &Space) -> (u64, u64) {
    let mut depths: IdVec<NodeId, (u64, u64)> = IdVec::with_capacity(space.graph.len());
    let mut ends = (0, 0);
    for (_, node) in space.graph.nodes() {
        let operands = node.inputs.iter().map(|&input| depths[input]);
        // What reads nothing is not deep.
        let most = operands.clone().map(|(_, most)| most).max().unwrap_or(0);
        let least = operands.map(|(least, _)| least);
        let is_select = matches!(node.kind, NodeKind::Select(_));
        let least = if is_select { least.min() } else { least.max() }.unwrap_or(0);
        let depth = own(node).map_or((0, 0), |own| (least + own, most + own));
        if node.kind == NodeKind::Output {
            ends = (ends.0.max(depth.0), ends.1.max(depth.1));
        }
        depths.push(depth);
    }
    ends
}

/// The depth of one network.
fn depth(space: &Space, assignment: &Assignment) -> u64 {
    let mut depths: IdVec<NodeId, u64> = IdVec::with_capacity(space.graph.len());
    let mut end = 0;
    for (_, node) in space.graph.nodes() {
        let before = match &node.kind {
            NodeKind::Select(selector) => {
                let taken = *space.selectors.value(*selector, assignment);
                let taken = node.inputs.get(taken as usize);
                depths[*taken.unwrap_or_else(|| fault("a select that takes no operand"))]
            }
            // What reads nothing is not deep.
            _ => node.inputs.iter().map(|&input| depths[input]).max().unwrap_or(0),
        };
        let depth = own(node).map_or(0, |own| before + own);
        if node.kind == NodeKind::Output {
            end = depth.max(end);
        }
        depths.push(depth);
    }
    end
}

/// The least or the greatest depth among networks that differ in one decision each from the best
/// before.
fn tried(space: &Checked<Space>, greatest: bool) -> u64 {
    let depth = |assignment: &Assignment| depth(space, assignment);
    let mut best = space.first_assignment();
    let mut end = depth(&best);
    let moves = space.decision_ids().flat_map(|(id, decision)| {
        (0..decision.candidates.len()).map(move |candidate| (id, candidate))
    });
    for (decision, candidate) in moves.take(MAX_TRIES) {
        let mut next = best.clone();
        next.set(decision, candidate);
        let found = depth(&next);
        if if greatest { found > end } else { found < end } {
            (best, end) = (next, found);
        }
    }
    end
}

/// A depth as a function of the decisions: that of a diagram, and so many more.
type Depth = (Diagram, i64);

/// What an operand that is not taken adds: less than any depth.
const NOT_TAKEN: i64 = -(1 << 40);

/// The depth of each node, and of the whole.
struct Table<'s> {
    space: &'s Space,
    store: Diagrams<i64>,
    sums: HashMap<(Diagram, Diagram), Diagram>,
    deeper: HashMap<(Diagram, Diagram), Diagram>,
    depths: IdVec<NodeId, Depth>,
    whole: Depth,
}

impl<'s> Table<'s> {
    /// That of a space; `None` if it is too large.
    fn of(space: &'s Space) -> Option<Self> {
        let (sums, deeper) = (HashMap::default(), HashMap::default());
        let mut store = Diagrams::default();
        let whole = (store.constant(0), 0);
        let mut table = Self { space, store, sums, deeper, depths: IdVec::default(), whole };
        for (_, node) in space.graph.nodes() {
            let depth = table.depth(node);
            if node.kind == NodeKind::Output {
                table.whole = table.deeper(table.whole, depth);
            }
            table.depths.push(depth);
            if table.store.is_full() || table.store.visits() > MAX_VISITS {
                return None;
            }
        }
        Some(table)
    }

    /// The least and the greatest depth.
    fn range(&self) -> Option<(u64, u64)> {
        let depths = self.store.leaves(self.whole.0);
        let depths =
            || depths.iter().filter_map(|&&depth| u64::try_from(depth + self.whole.1).ok());
        Some((depths().min()?, depths().max()?))
    }

    fn depth(&mut self, node: &Node) -> Depth {
        let nothing = (self.store.constant(0), 0);
        let Some(own) = own(node) else { return nothing };
        let operands: Vec<Depth> = node.inputs.iter().map(|&input| self.depths[input]).collect();
        if let NodeKind::Select(selector) = &node.kind {
            return self.taken(*selector, &operands);
        }
        let deepest = operands.into_iter().reduce(|deepest, one| self.deeper(deepest, one));
        let (diagram, more) = deepest.unwrap_or(nothing);
        (diagram, more + own as i64)
    }

    fn deeper(&mut self, a: Depth, b: Depth) -> Depth {
        if a.0 == b.0 {
            return (a.0, a.1.max(b.1));
        }
        let less = a.1.min(b.1);
        let (x, y) = (self.more(a.0, a.1 - less), self.more(b.0, b.1 - less));
        (self.store.apply(x, y, &Combine::by(&|x, y| *x.max(y)), &mut self.deeper), less)
    }

    fn more(&mut self, diagram: Diagram, more: i64) -> Diagram {
        let more = self.store.constant(more);
        self.sum(diagram, more)
    }

    fn sum(&mut self, a: Diagram, b: Diagram) -> Diagram {
        let sum = |a: &i64, b: &i64| (a + b).max(NOT_TAKEN);
        self.store.apply(a, b, &Combine::by(&sum), &mut self.sums)
    }

    /// The depth of the operand that a selector takes. Candidates often go from one tensor: then
    /// they differ in what they add to its depth.
    fn taken(&mut self, selector: Diagram, operands: &[Depth]) -> Depth {
        let mut bases: Vec<Diagram> = operands.iter().map(|&(base, _)| base).collect();
        bases.sort_unstable();
        bases.dedup();
        let mut taken = None;
        for base in bases {
            let added = |index: &u32| match operands.get(*index as usize) {
                Some(&(of, more)) if of == base => more,
                _ => NOT_TAKEN,
            };
            let selectors = &self.space.selectors;
            let added = selectors.map(selector, &mut self.store, &added, &mut HashMap::default());
            let depth = (self.sum(base, added), 0);
            taken = Some(taken.map_or(depth, |taken| self.deeper(taken, depth)));
        }
        taken.unwrap_or_else(|| fault("a select without operands"))
    }
}
