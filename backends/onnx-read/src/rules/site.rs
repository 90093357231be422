//! A node with what is known of its operands, as rules see it.

use crate::element::Element;
use crate::fact::{Fact, Known};
use crate::graph::Node;

/// A node and its operands.
pub(crate) struct Site<'s, 'b> {
    pub(crate) node: &'s Node<'b>,
    /// What is known of the operands; `None` of one that is left out.
    pub(crate) operands: Vec<Option<&'s Fact>>,
    /// The version of ONNX's own operators.
    pub(crate) opset: i64,
}

/// What a node makes, or why that does not follow, in words.
pub(crate) type Made = Result<Fact, String>;

impl<'s> Site<'s, '_> {
    /// An operand that may be left out.
    pub(crate) fn given(&self, place: usize) -> Option<&'s Fact> {
        self.operands.get(place).copied().flatten()
    }

    /// An operand that must be there.
    pub(crate) fn operand(&self, place: usize) -> Result<&'s Fact, String> {
        self.given(place).ok_or_else(|| format!("it lacks operand {place}"))
    }

    /// The first operand.
    pub(crate) fn first(&self) -> Result<&'s Fact, String> {
        self.operand(0)
    }

    /// The integers of an operand on which the sizes of the result depend.
    pub(crate) fn wholes(&self, place: usize) -> Result<&'s [i64], String> {
        self.wholes_of(self.operand(place)?, place)
    }

    /// The same of one that may be left out.
    pub(crate) fn wholes_if_given(&self, place: usize) -> Result<Option<&'s [i64]>, String> {
        self.given(place).map(|fact| self.wholes_of(fact, place)).transpose()
    }

    fn wholes_of(&self, fact: &'s Fact, place: usize) -> Result<&'s [i64], String> {
        let known = fact.known.as_ref().and_then(Known::as_wholes);
        known.ok_or_else(|| {
            format!("the sizes of its result depend on operand {place}, which depends on what the model is given")
        })
    }

    /// Integers that are an attribute in older operator sets, and an operand in newer ones.
    pub(crate) fn wholes_or(
        &self,
        attribute: &str,
        place: usize,
    ) -> Result<Option<&'s [i64]>, String> {
        match self.node.ints(attribute) {
            Some(ints) => Ok(Some(ints)),
            None => self.wholes_if_given(place),
        }
    }

    /// An attribute that is an integer, or the number that stands for one which is left out.
    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        self.node.int(name).unwrap_or(default)
    }

    /// The first operand with other sizes.
    pub(crate) fn first_with(&self, dims: impl Into<Vec<u64>>) -> Made {
        Ok(Fact::new(self.first()?.element, dims))
    }
}

/// The axis that an integer stands for, where those below zero count from the end.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize, String> {
    let ranks = i64::try_from(rank).unwrap_or(i64::MAX);
    let counted = if axis < 0 { axis.saturating_add(ranks) } else { axis };
    let found = usize::try_from(counted).ok().filter(|&axis| axis < rank);
    found.ok_or_else(|| format!("there is no axis {axis} among {rank}"))
}

/// A size along an axis.
pub(crate) fn dim(fact: &Fact, axis: usize) -> Result<u64, String> {
    let found = fact.dims.get(axis).copied();
    found.ok_or_else(|| format!("{} has no axis {axis}", fact.in_words()))
}

/// An integer that must not be negative.
pub(crate) fn size(whole: i64) -> Result<u64, String> {
    u64::try_from(whole).map_err(|_| format!("{whole} is no size"))
}

/// A sum or a product that does not fit.
pub(crate) fn overflow() -> String {
    "its sizes are beyond all numbers".to_owned()
}

/// The elements that a number of ONNX stands for.
pub(crate) fn element(code: i64) -> Result<Element, String> {
    Element::of_code(code).ok_or_else(|| format!("there are no elements of type {code}"))
}
