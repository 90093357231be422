//! What may depend on decisions: the operator of a node, its shape, a static value.

use std::sync::Arc;

use nas_diagnostics::fault;
use rustc_hash::FxHashMap as HashMap;

use crate::assignment::Assignment;
use crate::diagram::{Diagram, Selectors};
use crate::ops::{Op, Storage, Yields};
use crate::shape::Shape;

/// Something that is the same in every network, or one of a few by the decisions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Varied<T> {
    /// The same in every network.
    Fixed(T),
    /// By some decisions.
    By(Table<T>),
}

/// Values by decisions. The values differ from each other and stand in the order of
/// [`crate::diagram::Diagrams::leaves`], so that equal functions are equal tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Table<T> {
    selector: Diagram,
    values: Arc<[T]>,
}

impl<T> Table<T> {
    /// Which of the values it is.
    #[must_use]
    pub fn selector(&self) -> Diagram {
        self.selector
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T> Varied<T> {
    /// The value, if it does not depend on decisions.
    #[must_use]
    pub fn fixed(&self) -> Option<&T> {
        match self {
            Varied::Fixed(value) => Some(value),
            Varied::By(_) => None,
        }
    }

    /// All values that it takes.
    #[must_use]
    pub fn values(&self) -> &[T] {
        match self {
            Varied::Fixed(value) => std::slice::from_ref(value),
            Varied::By(table) => &table.values,
        }
    }

    /// Which of the values it takes; `None` if there is one.
    #[must_use]
    pub fn selector(&self) -> Option<Diagram> {
        match self {
            Varied::Fixed(_) => None,
            Varied::By(table) => Some(table.selector),
        }
    }

    /// The value under an assignment. `selectors` is the store of the space.
    #[must_use]
    pub fn get(&self, selectors: &Selectors, assignment: &Assignment) -> &T {
        match self {
            Varied::Fixed(value) => value,
            Varied::By(Table { selector, values }) => {
                let value = values.get(*selectors.value(*selector, assignment) as usize);
                value.unwrap_or_else(|| fault("a table without one of its values"))
            }
        }
    }

    /// One index for each of the values, also where there is one.
    pub fn index(&self, selectors: &mut Selectors) -> Diagram {
        self.selector().unwrap_or_else(|| selectors.constant(0))
    }
}

impl Varied<Shape> {
    /// The shape that is along each axis as large as the largest of them.
    #[must_use]
    pub fn largest(&self) -> Shape {
        let largest = self.values().iter().copied().reduce(Shape::cover);
        largest.unwrap_or_else(|| fault("a shape without a case"))
    }
}

impl Varied<Op> {
    /// One of its values: what an operator is does not vary, only its arguments do.
    fn any(&self) -> &Op {
        self.values().first().unwrap_or_else(|| fault("an operator without a case"))
    }

    /// The name of the operator.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.any().declaration().name
    }

    /// What its value is.
    #[must_use]
    pub fn yields(&self) -> Yields {
        self.any().yields()
    }

    /// Whether the values of the inputs matter; a constant keeps nothing alive.
    #[must_use]
    pub fn reads_inputs(&self) -> bool {
        self.any().reads_inputs()
    }

    /// Whether it multiplies its operand by a kernel: such operators count as `depth`.
    #[must_use]
    pub fn has_kernel(&self) -> bool {
        self.any().has_kernel()
    }

    /// Whether each element of its value follows from the elements at that place, so that engines
    /// compute it while they make an operand.
    #[must_use]
    pub fn is_elementwise(&self) -> bool {
        self.any().is_elementwise()
    }

    /// Where an engine puts its result.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.any().storage()
    }
}

/// The values by a selector whose leaves are indices into `values`; those that are the `same`
/// become one.
pub fn varied<T: Clone>(
    selectors: &mut Selectors,
    selector: Diagram,
    values: &[T],
    same: impl Fn(&T, &T) -> bool,
) -> Option<Varied<T>> {
    let leaves: Vec<u32> = selectors.leaves(selector).into_iter().copied().collect();
    let mut kept: Vec<&T> = Vec::new();
    let mut renamed = HashMap::default();
    for leaf in leaves {
        let value = values.get(leaf as usize)?;
        let place = kept.iter().position(|other| same(other, value)).unwrap_or_else(|| {
            kept.push(value);
            kept.len() - 1
        });
        renamed.insert(leaf, place as u32);
    }
    if let [only] = kept.as_slice() {
        return Some(Varied::Fixed((*only).clone()));
    }
    let is_renamed = renamed.iter().any(|(leaf, place)| leaf != place);
    let selector = if is_renamed {
        selectors.rename(selector, &|leaf| renamed.get(&leaf).copied().unwrap_or(0))
    } else {
        selector
    };
    let values = kept.into_iter().cloned().collect();
    Some(Varied::By(Table { selector, values }))
}
