//! Where a node was written, and the chain of calls that made it.

use nas_grammar::Source;
use nas_grammar::ast::Span;

/// A row of [`Origins`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OriginId(u32);

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

/// The places of a space.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The files that the space was made from.
    pub sources: Vec<Source>,
    rows: Vec<Origin>,
}

impl Origins {
    /// Adds a place.
    pub fn add(&mut self, origin: Origin) -> OriginId {
        self.rows.push(origin);
        // INVARIANT: the elaborator's limits keep the number of nodes below u32::MAX.
        OriginId(self.rows.len() as u32 - 1)
    }

    /// The place of this id.
    #[must_use]
    pub fn get(&self, id: OriginId) -> Option<&Origin> {
        self.rows.get(id.0 as usize)
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
