//! When what a network chooses keeps an order: as functions of the decisions.

use nas_ir::diagram::{Combine, Diagram, OUTSIDE, Selectors};
use nas_ir::exact::Exact;
use nas_ir::liveness::Liveness;
use nas_ir::quantity::Order;
use nas_ir::{DecisionId, Space, fault};
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

/// For each decision of the label, the condition under which it does not break the order: it makes no
/// difference, or the last one before it that does has no greater value.
pub(super) fn conditions(space: &Space, liveness: &mut Liveness, order: &Order) -> Vec<Diagram> {
    let ranks = Ranks::of(space, order);
    let store = &mut liveness.conditions;
    let (always, outside) = (store.constant(1), store.constant(OUTSIDE));
    let known: HashSet<Diagram> = (0..ranks.count).map(|rank| store.constant(rank)).collect();
    // The rank of the last value so far.
    let mut last = store.constant(OUTSIDE);
    let mut kept = Vec::new();
    for (id, own) in ranks.of_decisions {
        let alive = liveness.decision(id);
        let store = &mut liveness.conditions;
        let own = ranked(store, id, &own);
        let own = store.within(alive, own);
        let fits =
            |own: &u32, last: &u32| u32::from(*own == OUTSIDE || *last == OUTSIDE || last <= own);
        let at_once = |own, last| (own == outside || last == outside).then_some(always);
        let combine = Combine { values: &fits, at_once: &at_once };
        kept.push(store.apply(own, last, &combine, &mut HashMap::default()));
        let at_once = |own, last| match own {
            own if own == outside => Some(last),
            own => known.contains(&own).then_some(own),
        };
        let next = |own: &u32, last: &u32| if *own == OUTSIDE { *last } else { *own };
        let combine = Combine { values: &next, at_once: &at_once };
        last = store.apply(own, last, &combine, &mut HashMap::default());
    }
    kept
}

/// The values of candidates, as their places among all of a label.
struct Ranks {
    /// How many values there are.
    count: u32,
    /// For each decision of the label, the place of each of its candidates; [`OUTSIDE`] for what is no number.
    of_decisions: Vec<(DecisionId, Vec<u32>)>,
}

impl Ranks {
    fn of(space: &Space, order: &Order) -> Self {
        let own = space.decision_ids().filter(|(_, decision)| decision.label == order.label);
        let values: Vec<(DecisionId, Vec<Option<Exact>>)> = own
            .map(|(id, decision)| {
                let value = |candidate: &String| order.value(decision, candidate);
                (id, decision.candidates.iter().map(value).collect())
            })
            .collect();
        let mut all: Vec<&Exact> = values.iter().flat_map(|(_, row)| row).flatten().collect();
        all.sort_unstable();
        all.dedup();
        let rank = |value: &Option<Exact>| {
            let Some(value) = value else { return OUTSIDE };
            // INVARIANT: there are no more than candidates.
            let place = all.binary_search(&value).map(|place| place as u32);
            place.unwrap_or_else(|_| fault("a value that is not among all values"))
        };
        let ranked = values.iter().map(|(id, row)| (*id, row.iter().map(rank).collect()));
        Self { count: all.len() as u32, of_decisions: ranked.collect() }
    }
}

fn ranked(store: &mut Selectors, id: DecisionId, ranks: &[u32]) -> Diagram {
    let children: Vec<Diagram> = ranks.iter().map(|&rank| store.constant(rank)).collect();
    store.branch(id, &children)
}
