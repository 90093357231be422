//! What is known of a value once the sizes of the inputs are.

use crate::constant::Constant;
use crate::element::Element;

/// The most elements of a value that are followed, beside its sizes: values that are sizes have few.
pub(crate) const MAX_KNOWN: u64 = 4096;

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Its elements.
    pub element: Element,
    /// Its sizes.
    pub dims: Vec<u64>,
    /// Its elements, where they are few and do not depend on the inputs.
    pub known: Option<Known>,
}

/// Elements of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Integers; of truth values 0 and 1.
    Wholes(Vec<i64>),
    /// Floats.
    Floats(Vec<f64>),
}

impl Fact {
    /// A value of which the elements are not known.
    pub(crate) fn new(element: Element, dims: impl Into<Vec<u64>>) -> Self {
        Self { element, dims: dims.into(), known: None }
    }

    /// A value whose elements are known; not so if they are too many.
    pub(crate) fn with(mut self, known: Option<Known>) -> Self {
        let fits = |known: &Known| {
            let count = known.len() as u64;
            count <= MAX_KNOWN && Some(count) == self.count()
        };
        self.known = known.filter(fits);
        self
    }

    /// A list of integers.
    pub(crate) fn wholes(wholes: Vec<i64>) -> Self {
        Self::new(Element::I64, [wholes.len() as u64]).with(Some(Known::Wholes(wholes)))
    }

    /// What is known of a constant.
    pub(crate) fn of_constant(constant: &Constant<'_>) -> Self {
        let fact = Self::new(constant.element, constant.dims.clone());
        if constant.count() > MAX_KNOWN {
            return fact;
        }
        let floats = || {
            let floats = constant.floats()?;
            Some(Known::Floats(floats.into_iter().map(f64::from).collect()))
        };
        let known = constant.wholes().map(Known::Wholes).or_else(floats);
        fact.with(known)
    }

    /// How many elements there are.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        crate::constant::elements(&self.dims).ok()
    }

    /// Bytes of its elements.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.count().and_then(|count| self.element.bytes(count)).unwrap_or(u64::MAX)
    }

    /// `float32[1, 3, 224, 224]`
    #[must_use]
    pub fn in_words(&self) -> String {
        let dims: Vec<String> = self.dims.iter().map(u64::to_string).collect();
        format!("{}[{}]", self.element.name(), dims.join(", "))
    }
}

impl Known {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Wholes(all) => all.len(),
            Self::Floats(all) => all.len(),
        }
    }

    /// Them as integers.
    pub(crate) fn as_wholes(&self) -> Option<&[i64]> {
        match self {
            Self::Wholes(all) => Some(all),
            Self::Floats(_) => None,
        }
    }

    /// Them as floats.
    pub(crate) fn to_floats(&self) -> Vec<f64> {
        match self {
            Self::Wholes(all) => all.iter().map(|&whole| whole as f64).collect(),
            Self::Floats(all) => all.clone(),
        }
    }

    /// Those at these places, in their order; `None` if one lies outside.
    pub(crate) fn picked(&self, places: Vec<Option<usize>>) -> Option<Self> {
        fn of<T: Copy>(all: &[T], places: Vec<Option<usize>>) -> Option<Vec<T>> {
            places.into_iter().map(|place| all.get(place?).copied()).collect()
        }
        Some(match self {
            Self::Wholes(all) => Self::Wholes(of(all, places)?),
            Self::Floats(all) => Self::Floats(of(all, places)?),
        })
    }
}
