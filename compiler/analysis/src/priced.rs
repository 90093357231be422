//! What each decision adds to sums over the networks of a space, as functions of the decisions
//! before it.

use std::hash::{Hash, Hasher};

use nas_ir::diagram::{Combine, Diagram, Diagrams, Entangled, OUTSIDE};
use nas_ir::liveness::Liveness;
use nas_ir::{Checked, DecisionId, Form, IdVec, Space, fault};
use rustc_hash::FxHashMap as HashMap;

use super::count;
use super::terms::terms_of_quantity;

/// What a term adds to each of several forms, and to a score.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Price {
    pub(super) costs: Vec<i128>,
    pub(super) score: f64,
}

// No score is NaN.
impl Eq for Price {}

impl Hash for Price {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.costs.hash(state);
        // Both zeros are equal.
        (self.score + 0.0).to_bits().hash(state);
    }
}

impl Price {
    /// What it adds to the form of a row.
    pub(super) fn cost(&self, row: usize) -> i128 {
        *self.costs.get(row).unwrap_or_else(|| fault("a price without one of its forms"))
    }

    fn nothing(forms: usize) -> Self {
        Self { costs: vec![0; forms], score: 0.0 }
    }

    fn plus(&self, other: &Self) -> Self {
        let costs = self.costs.iter().zip(&other.costs).map(|(a, b)| a.saturating_add(*b));
        Self { costs: costs.collect(), score: self.score + other.score }
    }
}

/// The networks of a space as paths through its decisions: each network is one path, and what it
/// costs is the sum of what its decisions add.
pub(super) struct Priced<W> {
    /// The number of candidates of each decision.
    pub(super) widths: IdVec<DecisionId, usize>,
    /// What is added whatever is decided.
    pub(super) base: W,
    /// What each decision adds, as a function of it and of those before it; `None` where the
    /// assignment is no network, or one that is counted at another assignment.
    pub(super) own: IdVec<DecisionId, Diagram>,
    /// Whether there is no network: a condition never holds.
    pub(super) is_empty: bool,
    pub(super) store: Diagrams<Option<W>>,
}

impl<W: Clone + Eq + Hash> Priced<W> {
    /// The same with other weights.
    pub(super) fn map<V: Clone + Eq + Hash>(
        &self,
        base: V,
        replace: &dyn Fn(&W) -> V,
    ) -> Priced<V> {
        let (mut store, mut memo) = (Diagrams::default(), HashMap::default());
        let replace = |weight: &Option<W>| weight.as_ref().map(replace);
        let own = self.own.map(|&own| self.store.map(own, &mut store, &replace, &mut memo));
        Priced { widths: self.widths.clone(), base, own, is_empty: self.is_empty, store }
    }

    /// What a decision may add.
    pub(super) fn weights(&self, own: Diagram) -> impl Iterator<Item = &W> + Clone {
        self.store.leaves(own).into_iter().flatten()
    }
}

impl Priced<Price> {
    /// The prices of a space in each of the forms. `scores` has one row per decision and one entry per
    /// candidate, which counts where the decision makes a difference. A network is one only where
    /// all `conditions` hold.
    ///
    /// # Errors
    /// [`Entangled`] where no table of bounded size holds them.
    pub(super) fn new(
        space: &Checked<Space>,
        liveness: &mut Liveness,
        forms: &[Form],
        scores: Option<&[Vec<f64>]>,
        conditions: &[Diagram],
    ) -> Result<Self, Entangled> {
        let nothing = Price::nothing(forms.len());
        let mut store = Diagrams::default();
        let free = store.constant(Some(nothing.clone()));
        let mut priced = Self {
            widths: space.widths(),
            base: nothing.clone(),
            own: space.decision_table(free),
            is_empty: false,
            store,
        };
        let mut adder = Adder { priced: &mut priced, memo: HashMap::default() };
        let holds = |holds: &u32| (*holds != 0).then(|| nothing.clone());
        let mut known = HashMap::default();
        for condition in count::conditions(space, liveness)?.into_iter().chain(conditions.to_vec())
        {
            adder.add((&liveness.conditions, condition), &holds, &mut known);
        }
        for (row, form) in forms.iter().enumerate() {
            for (quantity, factor) in &form.0 {
                let terms = terms_of_quantity(space, liveness, quantity)?;
                let price = |cost: &u64| {
                    let mut price = nothing.clone();
                    let slot = price.costs.get_mut(row);
                    let slot = slot.unwrap_or_else(|| fault("a price without one of its forms"));
                    *slot = i128::from(*cost).saturating_mul(*factor);
                    Some(price)
                };
                let mut known = HashMap::default();
                for &function in &terms.functions {
                    adder.add((&terms.store, function), &price, &mut known);
                }
            }
        }
        for (id, decision) in space.decision_ids() {
            let Some(scores) = scores else { break };
            let row = scores.get(id.index());
            let row = row.unwrap_or_else(|| fault("a decision without scores"));
            let alive = liveness.decision(id);
            let choice = liveness.conditions.choice(id, decision.candidates.len());
            let choice = liveness.conditions.within(alive, choice);
            let price = |candidate: &u32| {
                let score = || row.get(*candidate as usize).copied();
                let score = if *candidate == OUTSIDE { Some(0.0) } else { score() };
                let score = score.unwrap_or_else(|| fault("a candidate without a score"));
                Some(Price { score, ..nothing.clone() })
            };
            adder.add((&liveness.conditions, choice), &price, &mut HashMap::default());
        }
        priced.store.room().and_then(|()| liveness.conditions.room())?;
        Ok(priced)
    }

    /// The same with what every candidate of a decision adds at least moved to the base, so that
    /// each decision adds nothing in the cheapest case. Also the most that each decision then
    /// adds, by form.
    pub(super) fn settled(&self) -> (Self, Spans) {
        let (mut store, mut base) = (Diagrams::default(), self.base.clone());
        let forms = base.costs.len();
        let (mut owns, mut spans) = (IdVec::default(), Spans::default());
        for &own in self.own.rows() {
            // A decision of which no candidate is in a network adds nothing.
            let column = |row: usize| self.weights(own).map(move |price| price.cost(row));
            let least = |row| column(row).min().unwrap_or(0);
            let less: Vec<i128> = (0..forms).map(|row| -least(row)).collect();
            spans.push((0..forms).map(|row| column(row).max().unwrap_or(0) - least(row)).collect());
            base.costs.iter_mut().zip(&less).for_each(|(base, less)| *base -= less);
            let less = Price { costs: less, score: 0.0 };
            let settled = |price: &Option<Price>| price.as_ref().map(|price| price.plus(&less));
            owns.push(self.store.map(own, &mut store, &settled, &mut HashMap::default()));
        }
        let (widths, is_empty) = (self.widths.clone(), self.is_empty);
        (Self { widths, base, own: owns, is_empty, store }, spans)
    }
}

/// The most that each decision adds to each form.
pub(super) type Spans = IdVec<DecisionId, Vec<i128>>;

/// The most that all decisions together add to the form of a row.
pub(super) fn total(spans: &Spans, row: usize) -> i128 {
    let span = |span: &Vec<i128>| span.get(row).copied();
    let span = |of| span(of).unwrap_or_else(|| fault("a span without one of its forms"));
    spans.rows().iter().map(span).sum()
}

/// Prices and the most that each decision adds, as [`Priced::settled`] gives them, without those of
/// limits that every network keeps, or every one that keeps another limit: they would only make
/// tables larger.
pub(super) fn without_idle(
    (priced, mut spans): (Priced<Price>, Spans),
    limits: &[i128],
) -> (Priced<Price>, Spans) {
    let rooms = limits.iter().zip(&priced.base.costs).map(|(limit, base)| limit - base);
    let rooms: Vec<i128> = rooms.collect();
    let mut idle: Vec<bool> = Vec::with_capacity(rooms.len());
    for (row, room) in rooms.iter().enumerate() {
        let is_implied = (0..rooms.len()).any(|other| {
            let is_there = other != row && idle.get(other) != Some(&true);
            is_there && implies(&priced, &rooms, other, row)
        });
        idle.push(total(&spans, row) <= *room || is_implied);
    }
    if !idle.contains(&true) {
        return (priced, spans);
    }
    let without = |costs: &mut [i128]| {
        costs.iter_mut().zip(&idle).filter(|(_, idle)| **idle).for_each(|(cost, _)| *cost = 0);
    };
    spans.rows_mut().iter_mut().for_each(|span| without(span));
    let needed = |price: &Price| {
        let mut price = price.clone();
        without(&mut price.costs);
        price
    };
    (priced.map(priced.base.clone(), &needed), spans)
}

/// Whether the costs of one row are a multiple of those of another, whose limit is no looser.
fn implies(priced: &Priced<Price>, rooms: &[i128], row: usize, other: usize) -> bool {
    let pair = |list: &[i128]| Some((*list.get(row)?, *list.get(other)?));
    let prices = priced.own.rows().iter().flat_map(|&own| priced.weights(own));
    let pairs: Vec<(i128, i128)> =
        prices.map(|price| (price.cost(row), price.cost(other))).collect();
    let Some(&(per, times)) = pairs.iter().find(|pair| pair.0 != 0) else { return false };
    let is_multiple = |&(a, b): &(i128, i128)| matches!((a.checked_mul(times), b.checked_mul(per)), (Some(x), Some(y)) if x == y);
    let is_tighter = |(a, b): (i128, i128)| matches!((a.checked_mul(times), b.checked_mul(per)), (Some(x), Some(y)) if x <= y);
    pairs.iter().all(is_multiple) && pair(rooms).is_some_and(is_tighter)
}

/// Adds functions to the decision on which they depend last.
struct Adder<'p> {
    priced: &'p mut Priced<Price>,
    memo: HashMap<(Diagram, Diagram), Diagram>,
}

impl Adder<'_> {
    /// Adds a function, of which `price` says what each value adds. `known` is for it only.
    fn add<T: Clone + Eq + Hash>(
        &mut self,
        (from, function): (&Diagrams<T>, Diagram),
        price: &dyn Fn(&T) -> Option<Price>,
        known: &mut HashMap<Diagram, Diagram>,
    ) {
        let Priced { base, own, is_empty, store, .. } = &mut *self.priced;
        let term = from.map(function, store, price, known);
        let Some(decision) = store.decision(term) else {
            match store.leaf(term) {
                Some(Some(price)) => *base = base.plus(price),
                _ => *is_empty = true,
            }
            return;
        };
        let sum = |a: &Option<Price>, b: &Option<Price>| Some(a.as_ref()?.plus(b.as_ref()?));
        own[decision] = store.apply(own[decision], term, &Combine::by(&sum), &mut self.memo);
    }
}
