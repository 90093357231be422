//! What one network costs.

use nas_ir::{Cost, Costs, Figures, Network, Space};

use crate::peak::peak;

/// What the network costs, in every measure.
#[must_use]
pub fn costs(network: &Network) -> Costs {
    let peak = peak(network);
    Costs {
        peak_memory: peak.at_most,
        peak_memory_is_bound: peak.exact().is_none(),
        ..costs_without_peak(network)
    }
}

/// What the network costs and chooses, a network of this space: all that limits ask.
#[must_use]
pub fn figures<'s>(space: &'s Space, network: &'s Network) -> Figures<'s> {
    Figures::new(costs(network), &space.decisions, &network.choices)
}

/// As [`costs`], without the search for the best order of the operators, which takes
/// longer than all else: nothing is known of the peak.
#[must_use]
pub fn costs_without_peak(network: &Network) -> Costs {
    let Cost { macs, params } = network.cost();
    Costs {
        macs,
        params,
        weight_bytes: network.weight_bytes(),
        peak_memory: u64::MAX,
        peak_memory_is_bound: true,
        latency: network.latency,
        depth: network.depth(),
    }
}
