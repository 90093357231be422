//! Limits on sums of multiples of measures and counts.

use std::fmt;

use crate::figures::Figures;
use crate::measure::Measure;
use crate::quantity::{Order, Quantity};

/// A sum of multiples of quantities.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Form(pub Vec<(Quantity, i128)>);

impl From<Measure> for Form {
    fn from(measure: Measure) -> Self {
        Self::multiple(measure, 1)
    }
}

impl Form {
    /// One quantity, so many times.
    #[must_use]
    pub fn multiple(quantity: impl Into<Quantity>, factor: i128) -> Self {
        Self(vec![(quantity.into(), factor)])
    }

    /// All of it times -1.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self(self.0.iter().map(|(quantity, factor)| (quantity.clone(), -factor)).collect())
    }

    /// Whether all its quantities are sums over operators or decisions.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.0.iter().all(|(quantity, _)| quantity.is_sum())
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (quantity, factor)) in self.0.iter().enumerate() {
            let plus = if index > 0 { " + " } else { "" };
            write!(f, "{plus}{factor} * {quantity}")?;
        }
        Ok(())
    }
}

/// `form <= most`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What is limited.
    pub form: Form,
    /// The most that it may be.
    pub most: i128,
}

impl Limit {
    /// The limit that exactly those networks keep which break this one: values are whole numbers.
    #[must_use]
    pub fn denied(&self) -> Self {
        Self { form: self.form.negated(), most: self.most.saturating_neg().saturating_sub(1) }
    }

    /// The order, if the limit is that nothing breaks one.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        match self.form.0.as_slice() {
            [(Quantity::Breaks(order), 1)] if self.most == 0 => Some(order),
            _ => None,
        }
    }

    /// Whether all its quantities are sums over operators or decisions.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.form.is_sum()
    }

    /// Whether a network of these figures keeps it; `None` where a measure is not known.
    #[must_use]
    pub fn is_kept(&self, figures: &Figures<'_>) -> Option<bool> {
        let of = |(quantity, factor): &(Quantity, i128)| {
            Some(i128::from(quantity.of(figures)?).saturating_mul(*factor))
        };
        Some(self.form.0.iter().map(of).sum::<Option<i128>>()? <= self.most)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <= {}", self.form, self.most)
    }
}
