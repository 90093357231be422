//! Search strategies, schedules and the run store
