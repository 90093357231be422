//! The threads of kernels.

use std::num::NonZeroUsize;
use std::thread;

/// Has the kernels that this thread starts run on as many threads, at least one.
pub(crate) fn use_threads(threads: u32) {
    tch::set_num_threads(i32::try_from(threads).unwrap_or(1).max(1));
}

/// The cores of the processor that the process may use, at least one: of those that run two threads each, one. The threads of
/// a kernel wait for each other, so that where other programs keep the cores busy, fewer may be faster.
#[must_use]
pub fn default_threads() -> u32 {
    let allowed = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(allowed.min(num_cpus::get_physical())).unwrap_or(u32::MAX).max(1)
}
