//! What kernels run on.

use std::ffi::CStr;

use nas_kernels::{Level, Pool, Processor};

/// libtorch's threads.
struct Threads;

impl Pool for Threads {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        nas_autograd::parallel(count, task);
    }

    fn noted(&self, name: &'static CStr, act: &mut dyn FnMut()) {
        nas_autograd::noted(name, act);
    }
}

/// What kernels run on.
pub(crate) fn processor() -> Processor<'static> {
    Processor { level: Level::detected(), pool: &Threads }
}
