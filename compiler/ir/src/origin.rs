//! Where a node was written, and the chain of calls that made it.

use nas_grammar::Source;
use nas_grammar::ast::Span;
use nas_grammar::source::At;
use rustc_hash::FxHashMap as HashMap;

use crate::ids::{DecisionId, OriginId};

/// A place in a source file, and the call through which it was reached.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Which file: a row of [`Origins::sources`].
    pub source: usize,
    /// The place.
    pub span: Span,
    /// The call of the block in which the place stands, if it stands in one.
    pub caller: Option<OriginId>,
}

/// How a candidate of a decision was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is, or the list that holds it.
    pub span: Span,
    /// All of it, from its name to its condition, or the element of a list that is written out.
    pub whole: Option<Span>,
    /// Whether it has a line of its own.
    pub is_arm: bool,
    /// Whether a comprehension makes it, and others by the same line.
    pub is_made: bool,
    /// The condition under which it exists.
    pub guard: Option<Span>,
    /// The numbers and words that comprehensions around it have bound, as they are written.
    pub bound: Vec<(String, String)>,
}

/// The places of a space.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The files that the space was made from.
    pub sources: Vec<Source>,
    rows: Vec<Origin>,
    /// How the candidates of decisions were written; of a choice of several, its options.
    written: HashMap<DecisionId, Vec<Written>>,
    /// Where more is written than its place: what an output gives, all of a choice.
    wholes: HashMap<OriginId, Span>,
    /// Candidates that were written and that the space goes without, by the path of the decision.
    gone: HashMap<String, Vec<String>>,
}

impl Origins {
    /// Adds a place.
    pub fn add(&mut self, origin: Origin) -> OriginId {
        self.rows.push(origin);
        // INVARIANT: the elaborator's limits keep the number of nodes below u32::MAX.
        OriginId(self.rows.len() as u32 - 1)
    }

    /// How many places were added after this one.
    pub fn since(&self, id: OriginId) -> usize {
        self.rows.len() - 1 - id.0 as usize
    }

    /// The place of this id.
    #[must_use]
    pub fn get(&self, id: OriginId) -> Option<&Origin> {
        self.rows.get(id.0 as usize)
    }

    /// Notes how the candidates of a decision were written.
    pub fn write(&mut self, decision: DecisionId, written: Vec<Written>) {
        self.written.entry(decision).or_insert(written);
    }

    /// How the candidates of a decision were written; of a choice of several, its options.
    #[must_use]
    pub fn written(&self, decision: DecisionId) -> Option<&[Written]> {
        self.written.get(&decision).map(Vec::as_slice)
    }

    /// Notes where what the output at a place gives is written, or all of the choice there.
    pub fn note_whole(&mut self, id: OriginId, span: Span) {
        self.wholes.insert(id, span);
    }

    /// Where what the output at a place gives is written, or all of the choice there.
    #[must_use]
    pub fn whole(&self, id: Option<OriginId>) -> Option<At<'_>> {
        Some(self.at(id)?.source.at(*self.wholes.get(&id?)?))
    }

    /// The place of this id in its file.
    #[must_use]
    pub fn at(&self, id: Option<OriginId>) -> Option<At<'_>> {
        let origin = self.get(id?)?;
        Some(self.sources.get(origin.source)?.at(origin.span))
    }

    /// Notes that the space goes without a candidate that was written.
    pub fn note_gone(&mut self, path: &str, candidate: &str) {
        self.gone.entry(path.to_owned()).or_default().push(candidate.to_owned());
    }

    /// The candidates of a decision that were written and that the space goes without.
    #[must_use]
    pub fn gone(&self, path: &str) -> &[String] {
        self.gone.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    /// Forgets the candidates of a decision but those at these places.
    pub fn keep_written(&mut self, decision: DecisionId, kept: &[usize]) {
        if let Some(written) = self.written.get_mut(&decision) {
            retain(written, kept);
        }
    }

    /// The calls that led to a place, innermost first.
    #[must_use]
    pub fn chain(&self, id: Option<OriginId>) -> Vec<(Source, Span)> {
        let mut chain = Vec::new();
        let mut next = id;
        while let Some(origin) = next.and_then(|id| self.get(id)) {
            if let Some(source) = self.sources.get(origin.source) {
                chain.push((source.clone(), origin.span));
            }
            next = origin.caller;
        }
        chain
    }
}

/// Leaves the elements at these places.
pub fn retain<T>(all: &mut Vec<T>, kept: &[usize]) {
    let mut place = 0..;
    all.retain(|_| place.next().is_some_and(|place| kept.contains(&place)));
}
