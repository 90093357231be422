//! Limits on sums of multiples of measures.

use std::fmt;

use crate::costs::Costs;
use crate::measure::Measure;

/// A sum of multiples of measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Form(pub Vec<(Measure, i128)>);

impl From<Measure> for Form {
    fn from(measure: Measure) -> Self {
        Self(vec![(measure, 1)])
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (measure, factor)) in self.0.iter().enumerate() {
            let plus = if index > 0 { " + " } else { "" };
            write!(f, "{plus}{factor} * {}", measure.name())?;
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
        let form = self.form.0.iter().map(|&(measure, factor)| (measure, -factor)).collect();
        Self { form: Form(form), most: self.most.saturating_neg().saturating_sub(1) }
    }

    /// Whether all its measures are sums over operators.
    #[must_use]
    pub fn is_sum(&self) -> bool {
        self.form.0.iter().all(|(measure, _)| measure.is_sum())
    }

    /// Whether a network of these costs keeps it; `None` where a measure is not known.
    #[must_use]
    pub fn is_kept(&self, costs: &Costs) -> Option<bool> {
        let terms = self.form.0.iter();
        let terms =
            terms.map(|(m, factor)| Some(i128::from(costs.of(*m)?).saturating_mul(*factor)));
        Some(terms.sum::<Option<i128>>()? <= self.most)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <= {}", self.form, self.most)
    }
}
