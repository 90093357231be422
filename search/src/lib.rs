//! Search strategies, schedules and the run store. Knows what trains only as traits.

pub mod evaluator;
