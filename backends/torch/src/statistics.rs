//! The statistics that batch norm normalises with.

/// Which statistics batch norm normalises with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistics {
    /// The running ones (evaluation).
    Running,
    /// Those of the batch; the running ones stay as they are.
    Batch,
    /// Those of the batch; the running ones move towards them (training).
    Learn,
    /// Those of the batch; the running ones become the mean over the batches seen, this one
    /// included.
    Average {
        /// Batches seen before this one.
        seen: u32,
    },
}
