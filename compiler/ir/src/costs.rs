//! What layers and networks cost.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::measure::Measure;
use crate::ops::Op;
use crate::shape::Shape;

/// What a layer costs for batch 1, or several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Cost {
    /// Multiply-accumulates of convolutions, transposed ones and linear layers, nothing else.
    pub macs: u64,
    /// Trainable parameters: kernels, biases, scale and shift of batch norm, slopes.
    pub params: u64,
}

impl Cost {
    /// What an operator costs on operands of these shapes.
    pub fn of(op: &Op, inputs: &[Shape], output: Shape) -> Self {
        // INVARIANT: the checker proved that the sums over the whole space fit into u64.
        let fit = |n: u128| u64::try_from(n).unwrap_or(u64::MAX);
        Self { macs: fit(op.macs(inputs, output)), params: fit(op.params(inputs)) }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.macs = self.macs.saturating_add(other.macs);
        self.params = self.params.saturating_add(other.params);
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |mut sum, cost| {
            sum += cost;
            sum
        })
    }
}

/// What a network costs for batch 1, in every measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Costs {
    /// Multiply-accumulates of convolutions, transposed ones and linear layers, nothing else.
    pub macs: u64,
    /// Trainable parameters: kernels, biases, scale and shift of batch norm, slopes.
    pub params: u64,
    /// Bytes of the parameters, each as wide as the numbers that its layer computes with.
    pub weight_bytes: u64,
    /// The most bytes of activations that are alive at once, as the peak of the best order of its operators counts them.
    pub peak_memory: u64,
    /// Whether the peak may be lower: then no better order of the operators was found, and none was
    /// ruled out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub peak_memory_is_bound: bool,
    /// Nanoseconds on the target, if it has a latency table. JSON has seconds.
    #[serde(with = "seconds")]
    pub latency: Option<u64>,
    /// Convolutions, transposed ones and linear layers on the longest way to an output.
    pub depth: u64,
}

impl Costs {
    /// The figure of a measure; `None` for a latency that no table tells.
    #[must_use]
    pub fn of(&self, measure: Measure) -> Option<u64> {
        match measure {
            Measure::Macs => Some(self.macs),
            Measure::Params => Some(self.params),
            Measure::WeightBytes => Some(self.weight_bytes),
            Measure::PeakMemory => Some(self.peak_memory),
            Measure::Latency => self.latency,
            Measure::Depth => Some(self.depth),
        }
    }
}

/// Nanoseconds as seconds, the unit of the language.
mod seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::ref_option, reason = "serde asks for this signature")]
    pub(super) fn serialize<S: Serializer>(
        nanoseconds: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        nanoseconds.map(|n| n as f64 / 1e9).serialize(serializer)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        let seconds = Option::<f64>::deserialize(deserializer)?;
        Ok(seconds.map(|seconds| (seconds * 1e9).round() as u64))
    }
}
