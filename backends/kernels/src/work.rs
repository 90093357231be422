//! How kernels are given threads and memory.

use std::cell::RefCell;
use std::ffi::CStr;

use crate::simd::Level;

/// Runs tasks, in any order and side by side.
pub trait Pool: Sync {
    /// Calls `task` with each number below `count`, and returns when all are done.
    fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync));

    /// Does something that has this name, for those who note how long that takes.
    fn noted(&self, _name: &'static CStr, act: &mut dyn FnMut()) {
        act();
    }
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

impl Processor<'_> {
    /// Calls `make` with each number below `count`, side by side; what it makes, in order.
    pub(crate) fn map<T: Send>(&self, count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
        let mut made: Vec<Option<T>> = (0..count).map(|_| None).collect();
        let places = Places(made.as_mut_ptr());
        self.pool.run(count, &|number| {
            // SAFETY: each number has a place of its own, which outlives the loop.
            unsafe { *places.at(number) = Some(make(number)) };
        });
        made.into_iter().flatten().collect()
    }

    /// Runs the tasks of all these works, side by side. All together have this name.
    pub(crate) fn all<W: Work>(&self, name: &'static CStr, works: &[W]) {
        let mut tasks = Vec::new();
        for (number, work) in works.iter().enumerate() {
            tasks.extend((0..work.tasks()).map(|task| (number, task)));
        }
        self.pool.noted(name, &mut || {
            self.pool.run(tasks.len(), &|place| {
                let (number, task) = tasks[place];
                works[number].run(self.level, task);
            });
        });
    }
}

/// Something that is cut into tasks, which may run side by side.
pub(crate) trait Work: Sync {
    /// How many there are.
    fn tasks(&self) -> usize;
    /// Runs one of them.
    fn run(&self, level: Level, task: usize);
}

struct Places<T>(*mut T);

// SAFETY: threads write to different places.
unsafe impl<T: Send> Sync for Places<T> {}

impl<T> Places<T> {
    unsafe fn at(&self, place: usize) -> *mut T {
        unsafe { self.0.add(place) }
    }
}

/// How many tasks a pass is cut into, if it is large enough: more than there are threads, so that these end together. It
/// does not depend on their number, so that neither do results.
pub(crate) const TASKS: usize = 16;

/// Memory that tasks write side by side, each its own part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared<T = f32>(*mut T);

// SAFETY: each task writes its own elements, which is up to those who write through it.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub(crate) fn new(values: &mut [T]) -> Self {
        Self(values.as_mut_ptr())
    }

    /// From this element on.
    ///
    /// # Safety
    /// There is such an element.
    #[inline(always)]
    pub(crate) unsafe fn at(self, element: usize) -> *mut T {
        unsafe { self.0.add(element) }
    }
}

/// Sums of tasks, a row for each, which are added up in order.
#[derive(Debug)]
pub(crate) struct Partials<T = f32> {
    rows: Vec<T>,
    width: usize,
    shared: Shared<T>,
}

impl<T: Copy + Default> Partials<T> {
    pub(crate) fn new(tasks: usize, width: usize) -> Self {
        let mut rows = vec![T::default(); tasks * width];
        let shared = Shared::new(&mut rows);
        Self { rows, width, shared }
    }

    /// The row of a task.
    ///
    /// # Safety
    /// There is such a task, and nothing else writes its row.
    pub(crate) unsafe fn row(&self, task: usize) -> *mut T {
        unsafe { self.shared.at(task * self.width) }
    }
}

impl Partials<f64> {
    /// The sums over all tasks.
    pub(crate) fn total(&self) -> Vec<f64> {
        let mut total = vec![0.0; self.width];
        for row in self.rows.chunks_exact(self.width.max(1)) {
            for (sum, value) in total.iter_mut().zip(row) {
                *sum += value;
            }
        }
        total
    }

    /// Rows of tasks.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.rows.chunks_exact(self.width.max(1))
    }
}

impl Partials<f32> {
    /// The sums over all tasks.
    pub(crate) fn total(&self) -> Vec<f32> {
        let mut rows = self.rows.chunks_exact(self.width.max(1));
        let mut total = rows.next().map_or_else(Vec::new, <[f32]>::to_vec);
        for row in rows {
            for (sum, value) in total.iter_mut().zip(row) {
                *sum += value;
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

/// Cuts `count` rows into at most so many stretches of whole `grain`s: where each begins and ends.
pub(crate) fn stretches(count: usize, grain: usize, tasks: usize) -> Vec<[usize; 2]> {
    let grains = count.div_ceil(grain.max(1)).max(1);
    let tasks = tasks.clamp(1, grains);
    let cut = |task: usize| (grains * task / tasks * grain).min(count);
    (0..tasks).map(|task| [cut(task), cut(task + 1)]).filter(|[from, to]| from < to).collect()
}
