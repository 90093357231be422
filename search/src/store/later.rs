//! A write that goes on beside the training.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::error::RunError;

/// The write that is at work, if one is. It ends before this is dropped.
#[derive(Debug, Default)]
pub(super) struct Later {
    at_work: Mutex<Option<JoinHandle<Result<(), RunError>>>>,
}

impl Later {
    /// Begins a write, after the one before has ended; it is done here where the system has no other thread.
    ///
    /// # Errors
    /// What the one before failed with, or this one if it is done here.
    pub(super) fn begin(
        &self,
        write: impl Fn() -> Result<(), RunError> + Send + Sync + 'static,
    ) -> Result<(), RunError> {
        self.settle()?;
        let write = Arc::new(write);
        let own = Arc::clone(&write);
        let Ok(thread) = Builder::new().name("state".to_owned()).spawn(move || own()) else {
            return write();
        };
        *self.at_work.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// What it failed with, which is told once.
    pub(super) fn settle(&self) -> Result<(), RunError> {
        let thread = self.at_work.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.map_or(Ok(()), |thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        // What fails now leaves the state before, from which the run goes on.
        let thread = self.at_work.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let _ = thread.map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_write_goes_on_until_it_is_waited_for() {
        static WRITTEN: AtomicBool = AtomicBool::new(false);
        let (go, gone) = channel();
        let gone = Mutex::new(gone);
        let later = Later::default();
        later
            .begin(move || {
                gone.lock().unwrap().recv().unwrap();
                WRITTEN.store(true, Ordering::SeqCst);
                Ok(())
            })
            .unwrap();
        // It waits for this, so that `begin` has not.
        assert!(!WRITTEN.load(Ordering::SeqCst));
        go.send(()).unwrap();
        later.settle().unwrap();
        assert!(WRITTEN.load(Ordering::SeqCst));
        later.settle().unwrap();
    }

    #[test]
    fn a_failure_is_told_once_by_what_comes_next() {
        let fails = || {
            let (path, source) = ("full".into(), io::Error::other("no room"));
            Err(RunError::Io { action: "write", path, source })
        };
        let later = Later::default();
        later.begin(fails).unwrap();
        let told = later.begin(|| Ok(())).unwrap_err();
        assert_eq!(told.to_string(), "cannot write `full`");
        later.begin(fails).unwrap();
        assert!(later.settle().is_err());
        assert!(later.settle().is_ok());
    }
}
