//! An operator with its operands, where any of them may depend on decisions: its cases, and which
//! of them have weights in common.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use indexmap::IndexMap;
use rustc_hash::FxHashMap as HashMap;

use crate::assignment::Pick;
use crate::decision::Choice;
use crate::diagram::{Combine, Diagram, Joint, Joints, Selectors, Top};
use crate::ids::{DecisionId, NodeId};
use crate::node::Node;
use crate::ops::{Op, Role, Weight};
use crate::shape::Shape;
use crate::space::Space;
use crate::varied::Varied;

/// The operator of a node, the shapes of its operands and of its result.
#[derive(Debug, Clone)]
pub struct Operation<'s> {
    op: &'s Varied<Op>,
    inputs: Vec<&'s Varied<Shape>>,
    output: &'s Varied<Shape>,
}

/// One case of an operation, all of it fixed: the operator, the shapes of its operands, the shape
/// of its result.
pub type Case<'s> = (&'s Op, Vec<Shape>, Shape);

impl<'s> Operation<'s> {
    /// The operation of a node whose operator is `op`.
    #[must_use]
    pub fn of(space: &'s Space, node: &'s Node, op: &'s Varied<Op>) -> Self {
        let shape = |&id: &NodeId| &space.graph[id].shape;
        let inputs = node.inputs.iter().map(shape).collect();
        Self { op, inputs, output: &node.shape }
    }

    /// The only case, if nothing depends on decisions.
    #[must_use]
    pub fn fixed(&self) -> Option<Case<'s>> {
        let inputs = self.inputs.iter().map(|shape| shape.fixed().copied());
        Some((self.op.fixed()?, inputs.collect::<Option<_>>()?, *self.output.fixed()?))
    }

    /// Which case holds where the context does.
    pub fn cases(&self, selectors: &mut Selectors, context: Diagram) -> Joint {
        let parts = self.parts(selectors);
        selectors.joint(context, &parts)
    }

    /// As [`Operation::cases`]; `known` is for this store only.
    pub(crate) fn cases_with(
        &self,
        selectors: &mut Selectors,
        context: Diagram,
        known: &mut Joints,
    ) -> Rc<Joint> {
        let parts = self.parts(selectors);
        selectors.joint_with(context, parts, known)
    }

    fn parts(&self, selectors: &mut Selectors) -> Vec<Diagram> {
        let mut parts = vec![self.op.index(selectors)];
        parts.extend(self.inputs.iter().map(|shape| shape.index(selectors)));
        parts.push(self.output.index(selectors));
        parts
    }

    /// The cases, in the order of their indices.
    pub fn combinations<'j>(&'j self, cases: &'j Joint) -> impl Iterator<Item = Case<'s>> + 'j {
        cases.combinations.iter().filter_map(|row| {
            let [op, inputs @ .., output] = row.as_slice() else { return None };
            let shapes = inputs.iter().zip(&self.inputs);
            let inputs = shapes.map(|(&i, shape)| shape.values().get(i as usize).copied());
            Some((
                self.op.values().get(*op as usize)?,
                inputs.collect::<Option<_>>()?,
                *self.output.values().get(*output as usize)?,
            ))
        })
    }
}

/// Whether an axis of a tensor is the height or the width of a kernel, whose part is in the centre.
#[must_use]
pub fn is_window(role: Role, axis: usize) -> bool {
    role == Role::Kernel && axis >= 2
}

/// Cases of one operation that have their weights in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightGroup {
    /// The indices of the cases.
    pub cases: Vec<usize>,
    /// Choices under which a case of this group holds, and none of another one: those of outer
    /// decisions first. Empty if there is one group.
    pub choices: Vec<Pick>,
}

impl WeightGroup {
    /// What tells the names of this group's tensors from those of the other groups, as
    /// [`crate::TensorName::group`]: its choices, such as `unit.3/kernel=5`; `None` if there is one
    /// group.
    #[must_use]
    pub fn label(&self, space: &Space) -> Option<String> {
        let choice = |&(id, candidate): &Pick| {
            let decision = space.decision(id)?;
            Some(format!("{}={}", decision.path, decision.candidates.get(candidate)?))
        };
        let choices: Vec<String> = self.choices.iter().filter_map(choice).collect();
        (!choices.is_empty()).then(|| choices.join(","))
    }

    /// The tensors that cases with these weights have in common: one for each role, along each axis
    /// as large as the largest, and before training what the one with the most elements is.
    pub fn common(weights: impl Iterator<Item = Vec<Weight>>) -> Vec<Weight> {
        let mut common: IndexMap<Role, (Weight, u64)> = IndexMap::new();
        for weight in weights.flatten() {
            let elements = weight.elements();
            let (largest, most) =
                common.entry(weight.role).or_insert_with(|| (weight.clone(), elements));
            // The last one if there are several.
            if elements >= *most {
                (largest.initial, *most) = (weight.initial, elements);
            }
            for (size, other) in largest.dims.iter_mut().zip(weight.dims) {
                *size = other.max(*size);
            }
        }
        common.into_values().map(|(weight, _)| weight).collect()
    }

    /// The part of a common tensor that a case reads as this weight, along each axis: the first
    /// channels, and of a kernel the centre (once-for-all, Cai et al. 2020, section 3.3).
    #[must_use]
    pub fn part(weight: &Weight, common: &[u32]) -> Vec<Range<u32>> {
        let axes = weight.dims.iter().zip(common).enumerate();
        axes.map(|(axis, (&size, &of))| {
            let start = if is_window(weight.role, axis) { of.saturating_sub(size) / 2 } else { 0 };
            start..start + size
        })
        .collect()
    }
}

impl Operation<'_> {
    /// Which cases have weights in common: those between which only elastic decisions choose, that
    /// is, to which the same choices of all other decisions lead; and those whose operator and
    /// weights are equal, for then it is not this operator that a choice is about.
    #[must_use]
    pub fn weight_groups(
        &self,
        space: &Space,
        selectors: &mut Selectors,
        cases: &Joint,
    ) -> Vec<WeightGroup> {
        let labels = Labels::new(cases.combinations.len());
        self.unite_equal(cases, &labels);
        unite_elastic(space, selectors, cases.selector, &labels);
        let labels = labels.0.into_inner();
        let mut members: IndexMap<u32, Vec<usize>> = IndexMap::new();
        for (case, &label) in labels.iter().enumerate() {
            members.entry(label).or_default().push(case);
        }
        let group = |case: u32| {
            let label = labels.get(case as usize);
            label.and_then(|label| members.get_index_of(label)).map_or(0, |group| group as u32)
        };
        let by_group = selectors.rename(cases.selector, &group);
        let rows = rows(selectors, by_group);
        let groups = members.values().zip(0..).map(|(cases, group)| {
            let leaf = selectors.constant(group);
            WeightGroup { cases: cases.clone(), choices: path(&rows, leaf) }
        });
        groups.collect()
    }

    fn unite_equal(&self, cases: &Joint, labels: &Labels) {
        let mut first = HashMap::default();
        let operators = cases.combinations.iter().map(|row| row.first().copied());
        for (case, (operator, (op, inputs, _))) in
            (0..).zip(operators.zip(self.combinations(cases)))
        {
            let weights: Vec<Vec<u32>> = op.weights(&inputs).into_iter().map(|w| w.dims).collect();
            labels.unite(*first.entry((operator, weights)).or_insert(case), case);
        }
    }
}

/// For each case a number, the same for those that are united: the lowest of them.
struct Labels(RefCell<Vec<u32>>);

impl Labels {
    fn new(cases: usize) -> Self {
        Self(RefCell::new((0..cases as u32).collect()))
    }

    fn unite(&self, a: u32, b: u32) {
        let mut labels = self.0.borrow_mut();
        if let (Some(&x), Some(&y)) = (labels.get(a as usize), labels.get(b as usize)) {
            labels.iter_mut().filter(|label| **label == x.max(y)).for_each(|l| *l = x.min(y));
        }
    }
}

/// Unites the cases that differ by one elastic decision, and so, step by step, by several.
fn unite_elastic(space: &Space, selectors: &mut Selectors, selector: Diagram, labels: &Labels) {
    for (_, siblings) in elastic_rows(space, selectors, selector) {
        let Some((&first, rest)) = siblings.split_first() else { continue };
        for &sibling in rest {
            for_each_pair(selectors, first, sibling, &|a, b| labels.unite(a, b));
        }
    }
}

/// The decisions in a selector, each as often as it stands in another row, with what its candidates lead to. What
/// lies below differs in this decision alone.
#[must_use]
pub fn branches(selectors: &Selectors, selector: Diagram) -> Vec<(DecisionId, Vec<Diagram>)> {
    let rows = rows(selectors, selector);
    let branches = rows.keys().filter_map(|&row| match selectors.top(row) {
        Top::Branch(decision, children) => Some((decision, children.to_vec())),
        Top::Leaf(_) => None,
    });
    branches.collect()
}

/// The [`branches`] of elastic decisions.
#[must_use]
pub fn elastic_rows(
    space: &Space,
    selectors: &Selectors,
    selector: Diagram,
) -> Vec<(DecisionId, Vec<Diagram>)> {
    let is_elastic = |id| space.decision(id).is_some_and(|d| d.choice == Choice::Elastic);
    let mut rows = branches(selectors, selector);
    rows.retain(|&(id, _)| is_elastic(id));
    rows
}

/// Shows the pairs of indices that two selectors take together, where they differ.
pub fn for_each_pair(selectors: &mut Selectors, a: Diagram, b: Diagram, show: &dyn Fn(u32, u32)) {
    let both = |&a: &u32, &b: &u32| {
        show(a, b);
        a
    };
    let combine = Combine { values: &both, at_once: &|a, b| (a == b).then_some(a) };
    selectors.apply(a, b, &combine, &mut HashMap::default());
}

/// How a row was reached first: from which row, by which choice.
type Way = Option<(Diagram, DecisionId, usize)>;

/// The rows of a diagram in the order in which a walk by candidate meets them.
fn rows(selectors: &Selectors, diagram: Diagram) -> IndexMap<Diagram, Way> {
    let mut rows = IndexMap::new();
    let mut open = vec![(diagram, None)];
    while let Some((row, way)) = open.pop() {
        if rows.contains_key(&row) {
            continue;
        }
        rows.insert(row, way);
        if let Top::Branch(decision, children) = selectors.top(row) {
            let ways = children.iter().enumerate();
            open.extend(ways.rev().map(|(i, &child)| (child, Some((row, decision, i)))));
        }
    }
    rows
}

/// The choices that lead to a row; the outermost first, for diagrams begin with the innermost.
fn path(rows: &IndexMap<Diagram, Way>, row: Diagram) -> Vec<Pick> {
    let mut choices = Vec::new();
    let mut here = row;
    while let Some(&Some((from, decision, candidate))) = rows.get(&here) {
        choices.push((decision, candidate));
        here = from;
    }
    choices
}
