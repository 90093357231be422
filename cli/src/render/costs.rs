//! What networks cost, in words.

use nas_ir::measure::grouped;
use nas_ir::{Costs, Measure, Space};

use super::table::Table;
use crate::tell;

/// Nanoseconds in milliseconds.
#[must_use]
pub fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.3} ms", nanoseconds as f64 / 1e6)
}

/// Warns of a network whose weights and activations do not fit into the memory of its target. It
/// is a warning, for a device may leave weights where they are stored, and need more than is
/// counted.
pub fn warn_of_memory(space: &Space, costs: &Costs) {
    let needed = costs.weight_bytes.saturating_add(costs.peak_memory);
    if let Some(memory) = space.device.memory.filter(|&memory| needed > memory) {
        let at_most = if costs.peak_memory_is_bound { "at most " } else { "" };
        tell!(
            "warning: the target has {} bytes of memory, and the network needs {at_most}{}: {} for \
             weights, {} for activations",
            grouped(memory),
            grouped(needed),
            grouped(costs.weight_bytes),
            grouped(costs.peak_memory)
        );
    }
}

/// A row for each measure.
#[must_use]
pub fn costs_table(costs: &Costs) -> Table {
    let mut table = Table::new(["measure", "cost"]);
    for measure in Measure::ALL {
        table.row([measure.name().to_owned(), in_words(costs, measure)]);
    }
    table
}

fn in_words(costs: &Costs, measure: Measure) -> String {
    match (measure, costs.of(measure)) {
        (Measure::Latency, Some(nanoseconds)) => milliseconds(nanoseconds),
        (Measure::PeakMemory, Some(bytes)) if costs.peak_memory_is_bound => {
            format!("at most {}", grouped(bytes))
        }
        (_, Some(figure)) => grouped(figure),
        (_, None) => "no latency table".to_owned(),
    }
}
