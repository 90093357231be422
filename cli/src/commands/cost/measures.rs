//! What something costs, in every measure.

use nas_ir::measure::grouped;
use nas_ir::{Costs, Measure};

use crate::render::costs::milliseconds;
use crate::render::table::Table;

/// A row for each measure.
pub(super) fn table(costs: &Costs) -> Table {
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
