//! Memory of floats that is used again.
//!
//! A training step needs the same tensors as the one before. Memory that is given back to the system has to be cleared page by
//! page when it is asked for again, which takes as long as to fill it.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Floats whose memory is used again once they are dropped. They hold any values at first.
#[derive(Debug)]
pub struct Buffer {
    values: Vec<f32>,
}

/// What is not used now, by length, and how much there is.
struct Idle {
    buffers: HashMap<usize, Vec<Vec<f32>>>,
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
    act(idle.get_or_insert_with(|| Idle { buffers: HashMap::new(), floats: 0, used: 0, peak: 0 }))
}

impl Buffer {
    /// So many floats.
    #[must_use]
    pub fn new(len: usize) -> Self {
        let found = with_idle(|idle| {
            idle.used += len;
            idle.peak = idle.peak.max(idle.used);
            let found = idle.buffers.get_mut(&len).and_then(Vec::pop);
            if found.is_some() {
                idle.floats -= len;
            }
            found
        });
        Self { values: found.unwrap_or_else(|| vec![0.0; len]) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        let len = values.len();
        // What is dropped is freed behind the lock.
        let _freed = with_idle(|idle| {
            idle.used -= len;
            // All together is never more than was once in use.
            if idle.used + idle.floats + len <= idle.peak {
                idle.floats += len;
                idle.buffers.entry(len).or_default().push(values);
                return Vec::new();
            }
            values
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
}
