//! Faults of the compiler itself.

/// Ends on something that was proved impossible: no input is at fault, and going on would make wrong
/// figures. The command reports it as `nas::internal::panic`.
#[cold]
#[track_caller]
#[allow(clippy::panic, reason = "the one way in which a fault of the compiler ends it")]
pub fn fault(what: &str) -> ! {
    panic!("{what}")
}
