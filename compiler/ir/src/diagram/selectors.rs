//! Selectors and conditions: diagrams that say which of several things holds.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use indexmap::{IndexMap, IndexSet};
use nas_diagnostics::fault;
use rustc_hash::{FxBuildHasher, FxHashMap as HashMap, FxHashSet as HashSet};

use super::rows::{Diagram, Top};
use super::store::{Combine, Diagrams, Old};
use crate::assignment::{Assignment, Pick};
use crate::ids::DecisionId;

/// Diagrams that say which of several things holds, by its index; conditions are those of 0
/// (never) and 1 (always).
pub type Selectors = Diagrams<u32>;

/// What several selectors say together.
#[derive(Debug, Clone)]
pub struct Joint {
    /// Which of the combinations holds.
    pub selector: Diagram,
    /// For each combination, the index that each part takes. All of them occur.
    pub combinations: Vec<Vec<u32>>,
}

/// Conjunctions, or disjunctions, that were made before.
#[derive(Debug)]
pub struct Memo {
    never: Diagram,
    always: Diagram,
    known: HashMap<(Diagram, Diagram), Diagram>,
}

/// Joint selectors that were made before.
#[derive(Debug, Default)]
pub struct Joints {
    made: HashMap<(Diagram, Vec<Diagram>), Rc<Joint>>,
    /// The decisions of contexts and parts.
    decisions: HashMap<Diagram, Rc<BTreeSet<DecisionId>>>,
}

/// The leaf of a selector where its context does not hold.
pub const OUTSIDE: u32 = u32::MAX;

impl Selectors {
    /// The selector that is candidate `i` where the decision takes it.
    pub fn choice(&mut self, decision: DecisionId, width: usize) -> Diagram {
        let children: Vec<Diagram> = (0..width).map(|i| self.constant(i as u32)).collect();
        self.branch(decision, &children)
    }

    /// The decision of which the selector is the [`Selectors::choice`].
    #[must_use]
    pub fn as_choice(&self, selector: Diagram) -> Option<DecisionId> {
        let Top::Branch(decision, children) = self.top(selector) else { return None };
        let mut leaves = children.iter().enumerate();
        let is_choice = leaves.all(|(i, &c)| self.leaf(c) == Some(&(i as u32)));
        is_choice.then_some(decision)
    }

    /// The condition under which a selector takes an index.
    pub fn is(&mut self, selector: Diagram, index: u32) -> Diagram {
        if let (Some(decision), Top::Branch(_, children)) =
            (self.as_choice(selector), self.top(selector))
        {
            let width = children.len();
            let leaves = (0..width).map(|i| self.constant(u32::from(i == index as usize)));
            let children: Vec<Diagram> = leaves.collect();
            return self.branch(decision, &children);
        }
        self.rename(selector, &|leaf| u32::from(leaf == index))
    }

    /// The condition under which both hold.
    pub fn and(&mut self, a: Diagram, b: Diagram) -> Diagram {
        let mut memo = self.memo();
        self.and_with(a, b, &mut memo)
    }

    /// As [`Selectors::and`]; `memo` is for conjunctions only.
    pub fn and_with(&mut self, a: Diagram, b: Diagram, memo: &mut Memo) -> Diagram {
        let &mut Memo { never, always, ref mut known } = memo;
        let at_once = |a, b| match () {
            () if a == never || b == always || a == b => Some(a),
            () if b == never || a == always => Some(b),
            () => None,
        };
        self.apply_by(a, b, (&|x: &u32, y: &u32| *x & *y, &at_once), known)
    }

    /// The condition under which one of them holds.
    pub fn or(&mut self, a: Diagram, b: Diagram) -> Diagram {
        let mut memo = self.memo();
        self.or_with(a, b, &mut memo)
    }

    /// As [`Selectors::or`]; `memo` is for disjunctions only.
    pub fn or_with(&mut self, a: Diagram, b: Diagram, memo: &mut Memo) -> Diagram {
        let &mut Memo { never, always, ref mut known } = memo;
        let at_once = |a, b| match () {
            () if a == always || b == never || a == b => Some(a),
            () if b == always || a == never => Some(b),
            () => None,
        };
        self.apply_by(a, b, (&|x: &u32, y: &u32| *x | *y, &at_once), known)
    }

    /// The selector where a condition holds, and [`OUTSIDE`] elsewhere.
    pub fn within(&mut self, condition: Diagram, selector: Diagram) -> Diagram {
        let (never, always) = (self.constant(0), self.constant(1));
        let outside = self.constant(OUTSIDE);
        let at_once = |condition, selector| match () {
            () if condition == always => Some(selector),
            () if condition == never => Some(outside),
            () => None,
        };
        let of = |holds: &u32, index: &u32| if *holds == 0 { OUTSIDE } else { *index };
        self.apply_by(condition, selector, (&of, &at_once), &mut HashMap::default())
    }

    /// Where conjunctions, or disjunctions, are remembered.
    pub fn memo(&mut self) -> Memo {
        let (never, always) = (self.constant(0), self.constant(1));
        Memo { never, always, known: HashMap::default() }
    }

    /// The selector with other indices.
    pub fn rename(&mut self, selector: Diagram, to: &dyn Fn(u32) -> u32) -> Diagram {
        let replace = |store: &mut Self, _: Diagram, old: Old<u32>| match old {
            Old::Leaf(index) => store.constant(to(index)),
            Old::Branch(decision, children) => store.branch(decision, &children),
        };
        self.rewrite(selector, &replace, &mut HashMap::default())
    }

    /// The combinations that the parts take where the context holds. Outside of it the result
    /// says whatever makes it depend on the fewest decisions.
    pub fn joint(&mut self, context: Diagram, parts: &[Diagram]) -> Joint {
        let varying = parts.iter().filter(|part| self.decision(**part).is_some());
        let varying: IndexSet<Diagram, FxBuildHasher> = varying.copied().collect();
        let Joint { selector, combinations } = self.joint_of(context, &varying);
        let taken = |row: &[u32], part: &Diagram| {
            let column = || row.get(varying.get_index_of(part)?);
            let index = self.leaf(*part).or_else(column);
            *index.unwrap_or_else(|| fault("a combination without one of its parts"))
        };
        let whole = |row: Vec<u32>| parts.iter().map(|part| taken(&row, part)).collect();
        let combinations = combinations.into_iter().map(whole).collect();
        Joint { selector, combinations }
    }

    /// As [`Selectors::joint`]; `known` is for this store only.
    pub fn joint_with(
        &mut self,
        context: Diagram,
        parts: Vec<Diagram>,
        known: &mut Joints,
    ) -> Rc<Joint> {
        // A context of other decisions leaves all combinations.
        let outer = self.decisions_of(context, known);
        let is_free = !outer.is_empty()
            && parts.iter().all(|part| self.decisions_of(*part, known).is_disjoint(&outer));
        let context = if is_free { self.constant(1) } else { context };
        let entry = known.made.entry((context, parts));
        let make = |(context, parts): &(_, Vec<_>)| Rc::new(self.joint(*context, parts));
        Rc::clone(entry.or_insert_with_key(make))
    }

    fn decisions_of(&self, diagram: Diagram, known: &mut Joints) -> Rc<BTreeSet<DecisionId>> {
        let found = known.decisions.entry(diagram);
        Rc::clone(found.or_insert_with(|| Rc::new(self.decisions(diagram))))
    }

    /// As [`Selectors::joint`], for parts that differ and vary.
    fn joint_of(&mut self, context: Diagram, parts: &IndexSet<Diagram, FxBuildHasher>) -> Joint {
        let outside = self.constant(OUTSIDE);
        let mut selector = self.rename(context, &|holds| if holds == 0 { OUTSIDE } else { 0 });
        let mut combinations = vec![Vec::new()];
        for &part in parts {
            let pairs = RefCell::new(IndexSet::<_, FxBuildHasher>::default());
            let pair = |&before: &u32, &index: &u32| {
                pairs.borrow_mut().insert_full((before, index)).0 as u32
            };
            let at_once = |before, _| (before == outside).then_some(outside);
            let combine = Combine { values: &pair, at_once: &at_once };
            selector = self.apply(selector, part, &combine, &mut HashMap::default());
            let extended = pairs.into_inner().into_iter().map(|(before, index)| {
                let before: Option<&Vec<u32>> = combinations.get(before as usize);
                let before =
                    before.unwrap_or_else(|| fault("a combination that goes on from none"));
                before.iter().copied().chain([index]).collect::<Vec<u32>>()
            });
            combinations = extended.collect();
        }
        Joint { selector: self.close(selector), combinations }
    }

    /// The selector where what is outside says what one of its neighbours says.
    fn close(&mut self, selector: Diagram) -> Diagram {
        let outside = self.constant(OUTSIDE);
        let replace = |store: &mut Self, _: Diagram, old: Old<u32>| match old {
            Old::Leaf(index) => store.constant(index),
            Old::Branch(decision, mut children) => {
                if let Some(inside) = children.iter().copied().find(|&child| child != outside) {
                    children.iter_mut().filter(|c| **c == outside).for_each(|c| *c = inside);
                }
                store.branch(decision, &children)
            }
        };
        self.rewrite(selector, &replace, &mut HashMap::default())
    }

    /// The decisions that matter to a selector under an assignment: see [`Selectors::matters`].
    pub fn mattering(&self, selector: Diagram, assignment: &Assignment) -> BTreeSet<DecisionId> {
        let mut mattering = BTreeSet::new();
        let (mut open, mut seen) = (vec![selector], HashSet::default());
        while let Some(row) = open.pop() {
            let Top::Branch(decision, children) = self.top(row) else { continue };
            if !seen.insert(row) {
                continue;
            }
            // Rows below are of decisions before this one, which the assignment settles.
            let mut values = children.iter().map(|&child| self.value(child, assignment));
            let first = values.next();
            if values.any(|value| Some(value) != first) {
                mattering.insert(decision);
            }
            open.extend(children);
        }
        mattering
    }

    /// The choices that are made wherever a condition holds; none, if it never does.
    pub fn implied(&self, condition: Diagram) -> BTreeSet<Pick> {
        self.implied_by(condition, &mut HashMap::default()).unwrap_or_default()
    }

    /// As [`Selectors::implied`]; `None` where the condition does not hold at all.
    fn implied_by(
        &self,
        condition: Diagram,
        memo: &mut HashMap<Diagram, Option<BTreeSet<Pick>>>,
    ) -> Option<BTreeSet<Pick>> {
        if let Some(known) = memo.get(&condition) {
            return known.clone();
        }
        let implied = match self.top(condition) {
            Top::Leaf(holds) => (*holds != 0).then(BTreeSet::new),
            Top::Branch(decision, children) => {
                let ways = children.iter().enumerate().filter_map(|(candidate, &child)| {
                    let mut way = self.implied_by(child, memo)?;
                    way.insert((decision, candidate));
                    Some(way)
                });
                ways.reduce(|a, b| a.intersection(&b).copied().collect())
            }
        };
        memo.insert(condition, implied.clone());
        implied
    }

    /// The condition under which a decision matters to a selector: with the decisions before it as
    /// they are, and some way to decide those after it, it makes a difference to the index. So what a
    /// network is made of is decided from the outside in: where an outer decision leaves an inner one
    /// nothing to decide, that one is no part of the network. The condition is one on decisions before.
    pub fn matters(&mut self, selector: Diagram, decision: DecisionId) -> Diagram {
        let or = RefCell::new(self.memo());
        let replace = |store: &mut Self, row: Diagram, old: Old<u32>| match old {
            Old::Branch(here, children) if here > decision => {
                let (never, or) = (store.constant(0), &mut or.borrow_mut());
                children.into_iter().fold(never, |any, child| store.or_with(any, child, or))
            }
            Old::Branch(here, _) if here == decision => store.differ(row),
            Old::Branch(..) | Old::Leaf(_) => store.constant(0),
        };
        self.rewrite(selector, &replace, &mut HashMap::default())
    }

    /// The condition under which the children of a row are not all the same.
    fn differ(&mut self, row: Diagram) -> Diagram {
        let never = self.constant(0);
        let Top::Branch(_, children) = self.top(row) else { return never };
        let Some((&first, rest)) = children.split_first() else { return never };
        let rest = rest.to_vec();
        let (mut differ, mut or, mut known) = (never, self.memo(), HashMap::default());
        let at_once = |a, b| (a == b).then_some(never);
        for child in rest {
            let is_other = (&|x: &u32, y: &u32| u32::from(x != y), &at_once);
            let is_other = self.apply_by(first, child, is_other, &mut known);
            differ = self.or_with(differ, is_other, &mut or);
        }
        differ
    }

    /// The fewest choices, found by leaving out what is not needed, under which `condition`
    /// holds wherever the context does; `None` if it holds nowhere in the context.
    pub fn explain(&mut self, context: Diagram, condition: Diagram) -> Option<Vec<Pick>> {
        let both = self.and(context, condition);
        let mut choices = self.shortest(both)?;
        let implied = self.rename(condition, &|holds| u32::from(holds == 0));
        let counter = self.and(context, implied);
        let never = self.constant(0);
        let mut index = 0;
        while index < choices.len() {
            let mut fewer = choices.clone();
            fewer.remove(index);
            if self.given(counter, &fewer) == never && self.given(both, &fewer) != never {
                choices = fewer;
            } else {
                index += 1;
            }
        }
        Some(choices)
    }

    /// The condition where these choices are made.
    pub fn given(&mut self, condition: Diagram, choices: &[Pick]) -> Diagram {
        let replace = |store: &mut Self, _: Diagram, old: Old<u32>| match old {
            Old::Leaf(value) => store.constant(value),
            Old::Branch(here, children) => {
                let made = choices.iter().find(|(decision, _)| *decision == here);
                match made {
                    Some(&(_, candidate)) => *children
                        .get(candidate)
                        .unwrap_or_else(|| fault("a choice of no candidate")),
                    None => store.branch(here, &children),
                }
            }
        };
        self.rewrite(condition, &replace, &mut HashMap::default())
    }

    /// The choices on a shortest way to where the condition holds.
    pub fn shortest(&self, condition: Diagram) -> Option<Vec<Pick>> {
        // For each row that was seen, from which row and by which choice.
        let mut ways = IndexMap::from([(condition, None)]);
        let mut next = 0;
        let mut here = loop {
            let (&here, _) = ways.get_index(next)?;
            next += 1;
            match self.top(here) {
                Top::Leaf(0) => {}
                Top::Leaf(_) => break here,
                Top::Branch(decision, children) => {
                    for (candidate, &child) in children.iter().enumerate() {
                        ways.entry(child).or_insert(Some((here, (decision, candidate))));
                    }
                }
            }
        };
        let mut choices = Vec::new();
        while let Some(&Some((from, choice))) = ways.get(&here) {
            choices.push(choice);
            here = from;
        }
        choices.reverse();
        Some(choices)
    }
}
