//! What a network costs: the measures that the language names.

use serde::{Deserialize, Serialize};

/// A figure of a network, for batch 1 and the input size of the space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Multiply-accumulates of convolutions, transposed ones and linear layers.
    Macs,
    /// Trainable parameters.
    Params,
    /// Bytes of the parameters, each as wide as the numbers that its layer computes with.
    WeightBytes,
    /// The most bytes of activations that are alive at once, each value in the numbers of the operator that makes it.
    PeakMemory,
    /// Nanoseconds on the target, after its latency table. Expressions see seconds.
    Latency,
    /// Convolutions, transposed ones and linear layers on the longest way from input to output.
    Depth,
}

impl Measure {
    /// All measures, as tables show them.
    pub const ALL: [Measure; 6] = [
        Measure::Macs,
        Measure::Params,
        Measure::WeightBytes,
        Measure::PeakMemory,
        Measure::Latency,
        Measure::Depth,
    ];
    /// The measures that are sums over the operators of a network.
    pub const SUMS: [Measure; 4] =
        [Measure::Macs, Measure::Params, Measure::WeightBytes, Measure::Latency];

    /// Its name in the language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Measure::Macs => "macs",
            Measure::Params => "params",
            Measure::WeightBytes => "weight_bytes",
            Measure::PeakMemory => "peak_memory",
            Measure::Latency => "latency",
            Measure::Depth => "depth",
        }
    }

    /// The measure of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// A value for people, as a literal of the language.
    #[must_use]
    pub fn show(self, value: i128) -> String {
        if self != Measure::Latency {
            return grouped(value);
        }
        let milliseconds = value as f64 / 1e6;
        let decimals = if milliseconds < 10.0 { 3 } else { 1 };
        format!("{milliseconds:.decimals$}ms")
    }

    /// Whether it is a sum over the operators of a network.
    #[must_use]
    pub fn is_sum(self) -> bool {
        Self::SUMS.contains(&self)
    }
}

/// The most digits of a number that are all shown to people.
const MOST_DIGITS: usize = 60;

/// A number with its digits in groups of three, as literals of the language may be written; of one with
/// more than 60 digits only the leading ones: `1.234e9000`.
#[must_use]
pub fn grouped(n: impl ToString) -> String {
    let text = n.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    if digits.len() > MOST_DIGITS {
        let (leading, exponent) = (digits.get(..4).unwrap_or(digits), digits.len() - 1);
        let (first, others) = leading.split_at(1);
        return format!("{sign}{first}.{others}e{exponent}");
    }
    let mut grouped = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

/// A figure that lies between two bounds; it is known where they are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// It is no less.
    pub at_least: u64,
    /// It is no more.
    pub at_most: u64,
}

impl Bounds {
    /// A figure that is known.
    #[must_use]
    pub fn exactly(figure: u64) -> Self {
        Self { at_least: figure, at_most: figure }
    }

    /// The figure, if it is known.
    #[must_use]
    pub fn exact(&self) -> Option<u64> {
        (self.at_least == self.at_most).then_some(self.at_least)
    }
}

/// Both ends of a measure over all networks of a space, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BoundedRange {
    /// The least.
    pub min: Bounds,
    /// The greatest.
    pub max: Bounds,
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn of_a_long_number_the_leading_digits_are_shown() {
        assert_eq!(grouped(1_234_567), "1_234_567");
        assert_eq!(grouped(-12), "-12");
        let nines = |digits| "9".repeat(digits);
        assert_eq!(grouped(nines(60)).matches('9').count(), 60);
        assert_eq!(grouped(nines(61)), "9.999e60");
        assert_eq!(grouped(format!("-1234{}", "0".repeat(8997))), "-1.234e9000");
    }
}
