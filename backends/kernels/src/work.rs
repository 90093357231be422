//! How kernels are given threads and memory.

use std::cell::RefCell;

use crate::simd::Level;

/// Runs tasks, in any order and side by side.
pub trait Pool: Sync {
    /// Calls `task` with each number below `count`, and returns when all are done.
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync));
}

/// One after the other, on the thread that asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serial;

impl Pool for Serial {
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(task);
    }
}

/// What kernels run on.
#[derive(Clone, Copy)]
pub struct Processor<'p> {
    /// The instructions.
    pub level: Level,
    /// The threads. What is computed does not depend on how many there are.
    pub pool: &'p dyn Pool,
}

/// How many tasks a pass is cut into, if it is large enough: more than there are threads, so that these end together. It
/// does not depend on their number, so that neither do results.
pub(crate) const TASKS: usize = 8;

/// Memory that tasks write side by side, each its own part.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: each task writes its own elements, which is up to those who write through it.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// From this element on.
    ///
    /// # Safety
    /// There is such an element.
    #[inline(always)]
    pub(crate) unsafe fn at(self, element: usize) -> *mut f32 {
        unsafe { self.0.add(element) }
    }
}

/// The sums of tasks, one row for each, which are added up in order.
pub(crate) struct Partials {
    rows: Vec<f32>,
    width: usize,
}

impl Partials {
    pub(crate) fn new(tasks: usize, width: usize) -> Self {
        Self { rows: vec![0.0; tasks * width], width }
    }

    pub(crate) fn shared(&mut self) -> Shared {
        Shared::new(&mut self.rows)
    }

    /// The sums over all tasks.
    pub(crate) fn total(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.width];
        for row in self.rows.chunks_exact(self.width.max(1)) {
            for (sum, value) in total.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        total
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `act` with so many floats of any value, which belong to this thread and begin at a line of the cache.
pub(crate) fn with_scratch<R>(floats: usize, act: impl FnOnce(*mut f32) -> R) -> R {
    const LINE: usize = 16;
    SCRATCH.with(|scratch| {
        // Where a task runs within another one of the same thread, it takes memory of its own.
        let mut own = Vec::new();
        let mut held = scratch.try_borrow_mut().ok();
        let memory = held.as_deref_mut().unwrap_or(&mut own);
        if memory.len() < floats + LINE {
            memory.resize(floats + LINE, 0.0);
        }
        let offset = memory.as_ptr().align_offset(64).min(LINE);
        act(memory[offset..].as_mut_ptr())
    })
}

/// Cuts `count` rows into at most [`TASKS`] stretches of whole `grain`s: where each begins and ends.
pub(crate) fn stretches(count: usize, grain: usize, tasks: usize) -> Vec<[usize; 2]> {
    let grains = count.div_ceil(grain.max(1)).max(1);
    let tasks = tasks.clamp(1, grains);
    let cut = |task: usize| (grains * task / tasks * grain).min(count);
    (0..tasks).map(|task| [cut(task), cut(task + 1)]).filter(|[from, to]| from < to).collect()
}
