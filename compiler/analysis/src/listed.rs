//! The costs of completions as lists: each sum that occurs, with the number of completions that
//! have it. Exact under any number of limits, where few different sums occur.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use super::counting::Count;
use super::priced::{Price, Priced};
use super::suffixes::{Folding, Suffixes};

/// The most sums that are made, before equal ones are united.
const MAX_MADE: usize = 1 << 20;

/// Lists of the sums within limits.
pub(super) struct Listing<C> {
    /// The most that the costs above the base may be.
    rooms: Vec<i128>,
    made: Cell<usize>,
    count: PhantomData<C>,
}

impl<C: Count> Listing<C> {
    /// The lists of all steps; `None` where they are too long.
    pub(super) fn all(priced: Priced<Price>, rooms: Vec<i128>) -> Option<Suffixes<Self>> {
        let suffixes = Suffixes::new(Self::within(rooms), priced).ok()?;
        (suffixes.folding.made.get() <= MAX_MADE).then_some(suffixes)
    }

    /// The list of the whole; `None` where it, or one on the way to it, is too long.
    pub(super) fn whole(priced: &Priced<Price>, rooms: Vec<i128>) -> Option<Listed<C>> {
        let listing = Self::within(rooms);
        let whole = Suffixes::fold(&listing, priced).ok()?;
        (listing.made.get() <= MAX_MADE).then_some(whole)
    }

    fn within(rooms: Vec<i128>) -> Self {
        Self { rooms, made: Cell::new(0), count: PhantomData }
    }
}

/// Sums of costs, above the base, and how many completions have each: in order.
#[derive(Debug, Clone)]
pub(super) struct Listed<C> {
    hash: u64,
    list: Arc<[(Box<[i128]>, C)]>,
}

impl<C: Count> Listed<C> {
    fn new(list: Vec<(Box<[i128]>, C)>) -> Self {
        let mut hasher = rustc_hash::FxHasher::default();
        list.hash(&mut hasher);
        Self { hash: hasher.finish(), list: list.into() }
    }

    /// The sums and their counts.
    pub(super) fn list(&self) -> &[(Box<[i128]>, C)] {
        &self.list
    }

    /// The number of completions whose costs are within these.
    pub(super) fn within(&self, rooms: &[i128]) -> C {
        let mut sum = C::small(0);
        let keeps = |costs: &[i128]| costs.iter().zip(rooms).all(|(cost, room)| cost <= room);
        let kept = self.list.iter().filter(|(costs, _)| keeps(costs));
        kept.for_each(|(_, count)| sum.add(count, 1));
        sum
    }
}

impl<C: PartialEq> PartialEq for Listed<C> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.list, &other.list) || (self.hash == other.hash && self.list == other.list)
    }
}

impl<C: Eq> Eq for Listed<C> {}

impl<C> Hash for Listed<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<C: Count> Folding for Listing<C> {
    type Weight = Price;
    type Value = Listed<C>;

    fn end(&self) -> Listed<C> {
        Listed::new(vec![(vec![0; self.rooms.len()].into(), C::small(1))])
    }

    fn join(&self, _step: usize, parts: &[(Listed<C>, Price, u32)]) -> Listed<C> {
        let made = parts.iter().map(|(listed, ..)| listed.list.len()).sum::<usize>();
        self.made.set(self.made.get() + made);
        if self.made.get() > MAX_MADE {
            return Listed::new(Vec::new());
        }
        let mut all: Vec<(Box<[i128]>, C)> = Vec::with_capacity(made);
        for (listed, price, times) in parts {
            for (costs, count) in listed.list.iter() {
                let sum = costs.iter().zip(&price.costs).map(|(cost, more)| cost + more);
                let sum: Box<[i128]> = sum.collect();
                // What is to come adds nothing below 0.
                if sum.iter().zip(&self.rooms).all(|(cost, room)| cost <= room) {
                    let mut counted = C::small(0);
                    counted.add(count, *times);
                    all.push((sum, counted));
                }
            }
        }
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1.add(&next.1, 1);
            }
            is_same
        });
        Listed::new(all)
    }
}
