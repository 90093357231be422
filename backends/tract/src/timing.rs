//! How long a model takes.

use std::time::{Duration, Instant};

use nas_ir::Tensor;

use crate::error::TractError;
use crate::model::Model;

impl Model {
    /// How long each of `runs` runs on these inputs takes on one core, after `warmup` runs that do
    /// not count. What the thread waited for a core while others had it does not count either, where
    /// the system tells (Linux does).
    ///
    /// # Errors
    /// As [`Model::run`].
    pub fn time(
        &self,
        inputs: &[Tensor],
        warmup: usize,
        runs: usize,
    ) -> Result<Vec<Duration>, TractError> {
        let values = self.values(inputs)?;
        for _ in 0..warmup {
            self.run_values(values.clone())?;
        }
        let timed = || {
            let values = values.clone();
            // A system call is where threads lose their core: one that asks how long it waited must
            // lie between the two looks at the clock, or waiting is taken off that was not counted.
            let since = Instant::now();
            let before = waited();
            let outputs = self.run_values(values)?;
            let after = waited();
            let wall = since.elapsed();
            drop(outputs);
            Ok(wall.saturating_sub(after.saturating_sub(before)))
        };
        std::iter::repeat_with(timed).take(runs).collect()
    }
}

/// How long this thread has been ready to run without a core; 0 where the system does not tell. It is
/// the second figure of `schedstat`, in nanoseconds (Linux, `Documentation/scheduler/sched-stats.rst`).
fn waited() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().nth(1).and_then(|figure| figure.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}
