//! Memory of floats that is used again.
//!
//! A training step needs the same tensors as the one before. Memory that is given back to the system has to be cleared page by
//! page when it is asked for again, which takes as long as to fill it.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Floats whose memory is used again once they are dropped. They hold any values at first.
#[derive(Debug)]
pub struct Buffer {
    values: Vec<f32>,
}

/// What is not used now, by length, and how much there is.
struct Idle {
    buffers: BTreeMap<usize, Vec<Vec<f32>>>,
    /// Floats in them.
    floats: usize,
    /// Floats in use.
    used: usize,
    /// The most floats that were in use at once.
    peak: usize,
}

static IDLE: Mutex<Option<Idle>> = Mutex::new(None);

fn with_idle<R>(act: impl FnOnce(&mut Idle) -> R) -> R {
    let mut idle = IDLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    act(idle.get_or_insert_with(|| Idle { buffers: BTreeMap::new(), floats: 0, used: 0, peak: 0 }))
}

impl Idle {
    /// Memory of this length, if there is some.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let buffers = self.buffers.get_mut(&len)?;
        let found = buffers.pop();
        if buffers.is_empty() {
            self.buffers.remove(&len);
        }
        self.floats -= found.as_ref().map_or(0, Vec::len);
        found
    }

    /// What is to be freed, the largest first, so that all together is never more than was once in use.
    fn make_room(&mut self) -> Vec<Vec<f32>> {
        let mut freed = Vec::new();
        while self.used + self.floats > self.peak
            && let Some((&len, _)) = self.buffers.last_key_value()
        {
            freed.extend(self.take(len));
        }
        freed
    }
}

impl Buffer {
    /// So many floats.
    #[must_use]
    pub fn new(len: usize) -> Self {
        // What makes room is freed behind the lock.
        let (found, _freed) = with_idle(|idle| {
            idle.used += len;
            idle.peak = idle.peak.max(idle.used);
            (idle.take(len), idle.make_room())
        });
        Self { values: found.unwrap_or_else(|| vec![0.0; len]) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        let len = values.len();
        // INVARIANT: all together is no more than was once in use, for what was in use is idle now.
        with_idle(|idle| {
            idle.used -= len;
            idle.floats += len;
            idle.buffers.entry(len).or_default().push(values);
        });
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_no_more_than_was_in_use() {
        // A length that no other test has.
        let first = Buffer::new(12_347);
        let address = first.as_ptr();
        drop(first);
        let second = Buffer::new(12_347);
        assert_eq!(second.as_ptr(), address);
        assert_eq!(second.len(), 12_347);
    }

    #[test]
    fn memory_of_other_lengths_makes_room() {
        for len in [1_000_003, 900_001, 1_000_007] {
            drop(Buffer::new(len));
            with_idle(|idle| assert!(idle.used + idle.floats <= idle.peak, "{len}"));
            assert_eq!(Buffer::new(len).len(), len);
        }
    }
}
